package patch_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
)

func TestAShareIsANumberOrAPercentage(t *testing.T) {
	for text, want := range map[string]struct {
		share   patch.Share
		of9     int
		atLeast int // of 9, one at the least
		json    string
	}{
		"0":    {patch.Instances(0), 0, 1, `0`},
		"2":    {patch.Instances(2), 2, 2, `2`},
		"10%":  {patch.Percent(10), 0, 1, `"10%"`},
		"25%":  {patch.Percent(25), 2, 2, `"25%"`},
		"100%": {patch.Percent(100), 9, 9, `"100%"`},
	} {
		var share patch.Share
		require.NoError(t, share.UnmarshalText([]byte(text)))
		require.Equal(t, want.share, share)
		require.Equal(t, text, share.String())
		require.Equal(t, []int{want.of9, want.atLeast}, []int{share.Of(9), share.AtLeastOne(9)}, text)
		document, err := json.Marshal(share)
		require.NoError(t, err)
		require.Equal(t, want.json, string(document))
		var again patch.Share
		require.NoError(t, json.Unmarshal(document, &again))
		require.Equal(t, share, again)
	}
	for _, text := range []string{"", "%", "-1", "0%", "101%", "1.5", "ten", "5 %", "1e3"} {
		var share patch.Share
		require.ErrorContains(t, share.UnmarshalText([]byte(text)), `write it like 2 or "10%"`, text)
	}
}
