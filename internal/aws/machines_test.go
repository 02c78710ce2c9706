package aws

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/names"
)

func TestFreeTag(t *testing.T) {
	fifty := strings.Split(strings.Repeat("x,", 49)+"x", ",")
	require.False(t, freeTags(fifty, names.TagJournal))
	require.True(t, freeTags(fifty[1:], names.TagJournal))
	require.True(
		t, freeTags(append(slices.Clone(fifty[1:]), "aws:autoscaling:groupName"), names.TagJournal), "AWS's own do not count",
	)
	require.True(t, freeTags(append(slices.Clone(fifty[1:]), names.TagJournal), names.TagJournal), "ours is on already")
	require.False(
		t, freeTags(fifty[1:], names.TagJournal, names.TagQuarantine), "a quarantine needs one more while the mark is on",
	)
	require.True(t, freeTags(append(slices.Clone(fifty[2:]), names.TagJournal), names.TagJournal, names.TagQuarantine))
}

func TestBareMetal(t *testing.T) {
	for instanceType, want := range map[string]bool{"m7i.large": false, "m7i.metal-24xl": true, "i3.metal": true, "mac2.metal": false} {
		require.Equal(t, want, bareMetal(instanceType), instanceType)
	}
}
