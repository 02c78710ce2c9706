package facts

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What a script prints is read alike, whichever it is: the last line of JSON, with its text made plain.
func TestWhatAScriptPrintedIsReadAlike(t *testing.T) {
	list, err := ParseList("a warning\n{\"status\":1}\n{\"status\":403,\"why\":\"no\\u001b[31m way\"}\nbye\n")
	require.NoError(t, err)
	require.Equal(t, 403, list.Status)
	require.NotContains(t, list.Why, "\x1b")
	offers, err := ParseOffers("a warning\n{\"asked\":9}\n{\"asked\":1,\"absent\":[\"no\\u001b[31m way\"]}\nbye\n", 1)
	require.NoError(t, err)
	require.Len(t, offers.Absent, 1)
	require.NotContains(t, offers.Absent[0], "\x1b")
	for who, parse := range map[string]func(string) (any, error){
		"the script that reads a list": func(said string) (any, error) { return ParseList(said) },
		"the dry install":              func(said string) (any, error) { return ParseOffers(said, 1) },
	} {
		read, err := parse("nothing")
		require.EqualError(t, err, who+" printed no line of JSON")
		require.Nil(t, read)
		read, err = parse(`{"asked":1,"status":2`)
		require.ErrorContains(t, err, "the line of "+who+" is no JSON: ")
		require.Nil(t, read)
	}
}
