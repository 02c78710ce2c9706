package secreturl_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/secreturl"
)

func TestWhatMayBeAsked(t *testing.T) {
	for address, may := range map[string]bool{
		"https://hooks.example.com/x": true, " https://hooks.example.com/x\n": true, "http://127.0.0.1:8080/x": true,
		"http://localhost/x": true, "http://hooks.example.com/x": false, "hooks.example.com/x": false, "": false,
		"ftp://127.0.0.1/x": false,
	} {
		_, ok := secreturl.Parse(address)
		require.Equal(t, may, ok, address)
	}
}

// A reply may repeat an address as it was sent, or as it is read.
func TestPartsOfAnAddressThatMayBeASecret(t *testing.T) {
	target, ok := secreturl.Parse("https://bob:pass-word@hooks.example.com/services/T%2F00SECRET00/x?token=s3cret-value")
	require.True(t, ok)
	parts := secreturl.Parts(target)
	for _, secret := range []string{"T%2F00SECRET00", "00SECRET00", "s3cret-value", "token=s3cret-value", "pass-word"} {
		require.Contains(t, parts, secret)
	}
}
