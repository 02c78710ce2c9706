package evidence

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/require"
)

const secret = "correct-horse-battery-staple-0123456789"

type parameterStore map[string]string

func (p parameterStore) GetParameter(
	_ context.Context, in *ssm.GetParameterInput, _ ...func(*ssm.Options),
) (*ssm.GetParameterOutput, error) {
	value, found := p[aws.ToString(in.Name)]
	switch {
	case !aws.ToBool(in.WithDecryption):
		return nil, errors.New("asked without decryption: a SecureString would come back encrypted")
	case !found:
		return nil, &types.ParameterNotFound{}
	}
	return &ssm.GetParameterOutput{Parameter: &types.Parameter{Value: &value}}, nil
}

func TestLoadKey(t *testing.T) {
	folder := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return "file:" + path
	}
	expected, err := NewKey([]byte(secret))
	require.NoError(t, err)
	parameters := parameterStore{"/patchtide/key": secret, "/patchtide/short": "short", "/patchtide/empty": ""}
	for name, test := range map[string]struct {
		from string
		want string // of the error; "" for the expected key
	}{
		"a file":                {from: write("plain", secret)},
		"a file with a newline": {from: write("newline", secret+"\r\n")},
		"a parameter":           {from: "ssm:/patchtide/key"},
		"a short file":          {write("short", "short"), "has 5 bytes and needs at least 32"},
		"no such file":          {"file:/no/such/file", "no such file"},
		"a short parameter":     {"ssm:/patchtide/short", "has 5 bytes"},
		"an empty parameter":    {"ssm:/patchtide/empty", "is empty"},
		"no such parameter":     {"ssm:/patchtide/none", "ParameterNotFound"},
		"kms without a client":  {"kms:alias/patchtide", "no KMS client"},
		"another kind":          {"env:KEY", `"env" is not a kind of place`},
		"nothing":               {"", "names no place"},
		"no name":               {"file:", "names no place"},
	} {
		t.Run(name, func(t *testing.T) {
			key, err := LoadKey(t.Context(), test.from, KeyPlaces{Parameters: parameters})
			if test.want != "" {
				require.ErrorContains(t, err, test.want)
				require.ErrorContains(t, err, "journal_key_from")
				return
			}
			require.NoError(t, err)
			require.Equal(t, expected.KeyID(), key.KeyID())
		})
	}
	_, err = LoadKey(t.Context(), "ssm:/patchtide/key", KeyPlaces{})
	require.ErrorContains(t, err, "no SSM client")
}

func TestKeyNeverShowsItsSecret(t *testing.T) {
	key, err := NewKey([]byte(secret))
	require.NoError(t, err)
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
		fmt.Fprintf(&out, verb+"\n", key)
		fmt.Fprintf(&out, verb+"\n", *key)
		fmt.Fprintf(&out, verb+"\n", struct{ K Key }{*key})
	}
	encoded, err := json.Marshal(key)
	require.NoError(t, err)
	out.Write(encoded)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("key", "key", key, "value", *key)
	slog.New(slog.NewTextHandler(&log, nil)).Info("key", "key", key, "value", *key)
	out.Write(log.Bytes())
	for _, form := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%v", []byte(secret))} {
		require.NotContains(t, out.String(), form)
	}
	require.Contains(t, out.String(), key.KeyID())
}

func TestGeneratedKeysDiffer(t *testing.T) {
	first, second := GenerateKey(), GenerateKey()
	require.NotEqual(t, first.KeyID(), second.KeyID())
	code, err := first.Sign(t.Context(), []byte("digest"))
	require.NoError(t, err)
	ok, err := first.Verify(t.Context(), []byte("digest"), code)
	require.NoError(t, err)
	require.True(t, ok)
	ok, err = second.Verify(t.Context(), []byte("digest"), code)
	require.NoError(t, err)
	require.False(t, ok)
}
