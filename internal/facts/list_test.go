package facts

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/require"

	"github.com/patchtide/patchtide/internal/patch"
	"github.com/patchtide/patchtide/internal/shelltest"
)

// signedAs is the Authorization that the SDK's own signer gives a request like this one.
func signedAs(t *testing.T, r *http.Request, region string) string {
	t.Helper()
	again, err := http.NewRequestWithContext(t.Context(), r.Method, "http://"+r.Host+r.URL.Path, http.NoBody)
	require.NoError(t, err)
	for _, name := range []string{"X-Amz-Content-Sha256"} {
		again.Header.Set(name, r.Header.Get(name))
	}
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	require.NoError(t, err)
	require.NoError(t, v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{
		AccessKeyID: "AKIAMADEUP", SecretAccessKey: "made-up", SessionToken: "of-a-session",
	}, again, r.Header.Get("X-Amz-Content-Sha256"), "s3", region, at, func(o *v4.SignerOptions) {
		o.DisableURIPathEscaping = true
	}))
	return again.Header.Get("Authorization")
}

// The script reads a list as the machine's role, signed as AWS's SDK signs, and says what S3 answers.
func TestAMachineReadsTheList(t *testing.T) {
	python := filepath.Dir(shelltest.Need(t, "python3", "python3"))
	const content = "patches: []\n"
	sum := sha256.Sum256([]byte(content))
	for _, c := range []struct {
		name   string
		role   string // of the instance profile; "": it has none
		answer func(http.ResponseWriter, *http.Request)
		want   ListRead
		why    string
	}{
		{
			"it may", "web", func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, content)
			}, ListRead{Status: 200, SHA256: hex.EncodeToString(sum[:])}, "",
		},
		{
			"it may not", "web", func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusForbidden)
				_, _ = io.WriteString(w, "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>")
			}, ListRead{Status: 403, Code: "AccessDenied"}, "",
		},
		{
			"the bucket is in another region", "web", func(w http.ResponseWriter, r *http.Request) {
				if !strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/") {
					w.Header().Set("x-amz-bucket-region", "eu-west-1")
					w.Header().Set("Location", "http://nowhere.invalid/")
					w.WriteHeader(http.StatusMovedPermanently)
					return
				}
				_, _ = io.WriteString(w, content)
			}, ListRead{Status: 200, SHA256: hex.EncodeToString(sum[:])}, "",
		},
		{"it has no role", "", nil, ListRead{}, "its credentials could not be read: HTTPError"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				const roles = "/latest/meta-data/iam/security-credentials/"
				switch {
				case r.URL.Path == "/latest/api/token" && r.Method == http.MethodPut:
					_, _ = io.WriteString(w, "of-the-metadata")
				case strings.HasPrefix(r.URL.Path, "/latest/") && r.Header.Get("X-Aws-Ec2-Metadata-Token") != "of-the-metadata":
					w.WriteHeader(http.StatusUnauthorized)
				case r.URL.Path == roles && c.role != "":
					_, _ = io.WriteString(w, c.role)
				case r.URL.Path == roles+c.role && c.role != "":
					_, _ = io.WriteString(w, `{"AccessKeyId":"AKIAMADEUP","SecretAccessKey":"made-up","Token":"of-a-session"}`)
				case r.URL.Path == "/lists/web/1.yaml":
					region := strings.Split(r.Header.Get("Authorization"), "/")[2]
					if r.Header.Get("Authorization") != signedAs(t, r, region) {
						w.WriteHeader(http.StatusForbidden)
						_, _ = io.WriteString(w, "<Error><Code>SignatureDoesNotMatch</Code></Error>")
						return
					}
					c.answer(w, r)
				default:
					w.WriteHeader(http.StatusNotFound)
				}
			}))
			defer server.Close()
			document, lines, err := ListScript(patch.Linux, "s3://lists/web/1.yaml", "ap-northeast-1")
			require.NoError(t, err)
			require.Equal(t, "AWS-RunShellScript", document)
			require.Equal(t, "# patchtide:list", lines[0])
			for _, shell := range shelltest.Shells(t) {
				ran := shell.Run(t, strings.Join(lines, "\n"), "HOME="+t.TempDir(), "PATH="+python,
					"AWS_EC2_METADATA_SERVICE_ENDPOINT="+server.URL, "AWS_ENDPOINT_URL_S3="+server.URL)
				require.Zero(t, ran.Code, ran.Stderr)
				read, err := ParseList(ran.Stdout)
				require.NoError(t, err, ran.Stdout)
				require.Contains(t, read.Why, c.why)
				read.Why = ""
				require.Equal(t, c.want, *read, shell.Name)
			}
		})
	}
	for _, wrong := range []string{"https://lists/1", "s3://lists/1;halt", "s3://lists", "s3://Lists/1"} {
		_, _, err := ListScript(patch.Windows, wrong, "ap-northeast-1")
		require.Error(t, err, wrong)
	}
}

// The script for Windows names the object where it is read, and nothing of it could be a command; what it does is tried
// on a real Windows only.
func TestTheScriptForWindowsNamesTheObject(t *testing.T) {
	document, lines, err := ListScript(patch.Windows, "s3://lists/web/1.yaml", "ap-northeast-1")
	require.NoError(t, err)
	require.Equal(t, "AWS-RunPowerShellScript", document)
	require.Equal(t, "# patchtide:list", lines[0])
	require.Contains(t, lines, "$bucket = 'lists'; $key = 'web/1.yaml'; $region = 'ap-northeast-1'")
	for _, line := range lines[1:] {
		require.False(t, strings.HasPrefix(line, "#"), line)
	}
}
