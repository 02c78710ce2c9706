package isolation

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/stretchr/testify/require"
)

const (
	madeUpKey = "AKIALABORATORY000000"
	realKey   = "AKIAPRODUCTION000000"
)

// recorder is a server that notes who called it with which key, and answers as SSM or as a credentials endpoint would.
type recorder struct {
	*httptest.Server
	mu    sync.Mutex
	calls []string
	keys  []string
}

func newRecorder(t *testing.T) *recorder {
	t.Helper()
	r := &recorder{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		_ = request.ParseForm()
		r.mu.Lock()
		r.calls = append(r.calls, request.Method+" "+request.URL.Path)
		if _, after, found := strings.Cut(request.Header.Get("Authorization"), "Credential="); found {
			key, _, _ := strings.Cut(after, "/")
			r.keys = append(r.keys, key)
		}
		r.mu.Unlock()
		answer(w, request)
	}))
	t.Cleanup(r.Close)
	return r
}

func answer(w http.ResponseWriter, request *http.Request) {
	switch {
	case request.Header.Get("X-Amz-Target") != "":
		_, _ = io.WriteString(w, `{}`)
	case request.PostForm.Get("Action") == "AssumeRoleWithWebIdentity":
		_, _ = io.WriteString(w, "<R><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>"+realKey+"</AccessKeyId>"+
			"<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>"+
			"</Credentials></AssumeRoleWithWebIdentityResult></R>")
	case request.URL.Path == "/latest/api/token":
		w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "60")
		_, _ = io.WriteString(w, "token")
	case request.URL.Path == "/latest/meta-data/iam/security-credentials/":
		_, _ = io.WriteString(w, "production")
	default:
		_ = json.NewEncoder(w).Encode(map[string]string{
			"Code": "Success", "AccessKeyId": realKey, "SecretAccessKey": "s", "Token": "t",
			"Expiration": time.Now().Add(time.Hour).Format(time.RFC3339),
		})
	}
}

func (r *recorder) seen() (calls, keys []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.calls...), append([]string(nil), r.keys...)
}

// override is one way in which a shell or a machine tells the SDK where to go or who it is.
type override struct {
	name string
	// set puts it in place; elsewhere is a server that stands for real AWS, home an empty home folder.
	set func(t *testing.T, elsewhere, home string)
	// alone is what it does when nothing isolates the process, which is what makes its absence later worth anything.
	alone effect
}

type effect int

const (
	unseen effect = iota // it changes nothing that a loopback test could see
	astray               // a call or a request for credentials goes elsewhere
	broken               // the configuration cannot be loaded
)

func env(t *testing.T, pairs ...string) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		t.Setenv(pairs[i], pairs[i+1])
	}
}

func write(t *testing.T, file, text string) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

// useHome lets the SDK look for the shared files in home; it reads the real home folder's name once, when it is loaded.
func useHome(t *testing.T, home string) {
	t.Helper()
	files, credentials := config.DefaultSharedConfigFiles, config.DefaultSharedCredentialsFiles
	t.Cleanup(func() { config.DefaultSharedConfigFiles, config.DefaultSharedCredentialsFiles = files, credentials })
	config.DefaultSharedConfigFiles = []string{filepath.Join(home, ".aws", "config")}
	config.DefaultSharedCredentialsFiles = []string{filepath.Join(home, ".aws", "credentials")}
}

const realProfile = "aws_access_key_id = " + realKey + "\naws_secret_access_key = s\nregion = us-east-1\n"

var overrides = []override{
	{"keys in the environment", func(t *testing.T, elsewhere, _ string) {
		env(
			t, "AWS_ACCESS_KEY_ID", realKey, "AWS_SECRET_ACCESS_KEY", "s", "AWS_SESSION_TOKEN", "t", "AWS_ENDPOINT_URL",
			elsewhere,
		)
	}, astray},
	{"endpoint of one service", func(t *testing.T, elsewhere, _ string) {
		env(t, "AWS_ACCESS_KEY_ID", realKey, "AWS_SECRET_ACCESS_KEY", "s", "AWS_ENDPOINT_URL_SSM", elsewhere)
	}, astray},
	{"endpoints ignored", func(t *testing.T, _, _ string) {
		env(t, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
	}, unseen},
	{"FIPS and dual-stack endpoints", func(t *testing.T, _, _ string) {
		env(t, "AWS_USE_FIPS_ENDPOINT", "true", "AWS_USE_DUALSTACK_ENDPOINT", "true")
	}, unseen},
	{"credentials file in the home folder", func(t *testing.T, elsewhere, home string) {
		write(t, filepath.Join(home, ".aws", "credentials"), "[default]\n"+realProfile)
		env(t, "AWS_ENDPOINT_URL", elsewhere)
	}, astray},
	{"profile", func(t *testing.T, elsewhere, home string) {
		file := write(t, filepath.Join(home, "elsewhere.config"),
			"[profile production]\n"+realProfile+"endpoint_url = "+elsewhere+"\n")
		env(t, "AWS_CONFIG_FILE", file, "AWS_PROFILE", "production")
	}, astray},
	{"services section of a configuration file", func(t *testing.T, elsewhere, home string) {
		write(t, filepath.Join(home, ".aws", "config"),
			"[default]\n"+realProfile+"services = s\n[services s]\nssm =\n  endpoint_url = "+elsewhere+"\n")
	}, astray},
	{"process that prints credentials", func(t *testing.T, elsewhere, home string) {
		script := write(t, filepath.Join(home, "print"), `{"Version":1,"AccessKeyId":"`+realKey+`","SecretAccessKey":"s"}`)
		write(t, filepath.Join(home, ".aws", "config"), "[default]\ncredential_process = cat "+script+"\n")
		env(t, "AWS_ENDPOINT_URL", elsewhere)
	}, astray},
	{"instance metadata service", func(t *testing.T, elsewhere, _ string) {
		env(t, "AWS_EC2_METADATA_SERVICE_ENDPOINT", elsewhere)
	}, astray},
	{"container credentials", func(t *testing.T, elsewhere, _ string) {
		env(t, "AWS_CONTAINER_CREDENTIALS_FULL_URI", elsewhere+"/role", "AWS_CONTAINER_AUTHORIZATION_TOKEN", "t")
	}, astray},
	{"web identity", func(t *testing.T, elsewhere, home string) {
		token := write(t, filepath.Join(home, "token"), "a.b.c")
		env(t, "AWS_WEB_IDENTITY_TOKEN_FILE", token, "AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/production",
			"AWS_ROLE_SESSION_NAME", "s", "AWS_ENDPOINT_URL_STS", elsewhere)
	}, astray},
	{"certificate bundle", func(t *testing.T, _, home string) {
		env(t, "AWS_CA_BUNDLE", filepath.Join(home, "no-such-file"))
	}, broken},
	{"proxies", func(t *testing.T, elsewhere, _ string) {
		env(t, "HTTP_PROXY", elsewhere, "https_proxy", elsewhere, "ALL_PROXY", elsewhere)
	}, unseen},
}

// call loads the default configuration, as the product does, and makes one call. One attempt, so that a case without
// isolation ends at once.
func call(t *testing.T, client *http.Client) error {
	t.Helper()
	cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRetryMaxAttempts(1), config.WithHTTPClient(client))
	require.NoError(t, err)
	if cfg.Region == "" {
		cfg.Region = "us-east-1"
	}
	_, err = ssm.NewFromConfig(cfg).DescribeInstanceInformation(t.Context(), &ssm.DescribeInstanceInformationInput{})
	return err
}

func TestNoOverrideReachesThroughTheIsolation(t *testing.T) {
	for _, c := range overrides {
		t.Run(c.name, func(t *testing.T) {
			simulator, elsewhere, home := newRecorder(t), newRecorder(t), t.TempDir()
			for _, pair := range os.Environ() {
				if name, value, _ := strings.Cut(pair, "="); inherited(name) {
					t.Setenv(name, value) // put back at the end of the case
					require.NoError(t, os.Unsetenv(name))
				}
			}
			useHome(t, home)
			c.set(t, elsewhere.URL, home)
			switch c.alone {
			case astray:
				// The guarded client stands in for the SDK's own, so that not even this half can leave the machine.
				_ = call(t, newHTTPClient())
				calls, _ := elsewhere.seen()
				require.NotEmpty(t, calls, "the override has no effect of its own")
			case broken:
				_, err := config.LoadDefaultConfig(t.Context())
				require.Error(t, err, "the override has no effect of its own")
			case unseen:
			}
			led, _ := elsewhere.seen()

			isolation, err := Enter(Options{
				Endpoint: simulator.URL, AccessKeyID: madeUpKey, SecretAccessKey: "made-up", Region: "ap-northeast-1",
			})
			require.NoError(t, err)
			require.NoError(t, call(t, isolation.HTTPClient))
			calls, keys := simulator.seen()
			require.Equal(t, []string{"POST /"}, calls)
			require.Equal(t, []string{madeUpKey}, keys)
			after, _ := elsewhere.seen()
			require.Equal(t, led, after, "a call went elsewhere")

			for _, address := range []string{
				"http://example.com/", "https://ssm.ap-northeast-1.amazonaws.com/", "http://169.254.169.254/latest/meta-data/",
				"http://[fd00:ec2::254]/", "http://10.0.0.1/", "http://0.0.0.0/", "http://localhost.example.com/",
			} {
				requireRefused(t, isolation.HTTPClient, address)
			}
			after, _ = elsewhere.seen()
			require.Equal(t, led, after, "a proxy was used")
			require.NoError(t, isolation.Leave())
		})
	}
}

func requireRefused(t *testing.T, client *http.Client, address string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	require.NoError(t, err)
	response, err := client.Do(request)
	if err == nil {
		_ = response.Body.Close()
	}
	var refused *RefusedError
	require.ErrorAs(t, err, &refused, address)
}

func TestARealEndpointInCodeIsRefused(t *testing.T) {
	isolation, err := Enter(
		Options{Endpoint: "http://127.0.0.1:1", AccessKeyID: madeUpKey, SecretAccessKey: "s", Region: "ap-northeast-1"},
	)
	require.NoError(t, err)
	defer func() { require.NoError(t, isolation.Leave()) }()
	cfg, err := config.LoadDefaultConfig(
		t.Context(), config.WithHTTPClient(isolation.HTTPClient), config.WithRetryMaxAttempts(1),
	)
	require.NoError(t, err)
	client := ssm.NewFromConfig(
		cfg, func(o *ssm.Options) { o.BaseEndpoint = aws.String("https://ssm.ap-northeast-1.amazonaws.com") },
	)
	_, err = client.DescribeInstanceInformation(t.Context(), &ssm.DescribeInstanceInformationInput{})
	var refused *RefusedError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "ssm.ap-northeast-1.amazonaws.com", refused.Host)
}

func TestARedirectOutIsRefused(t *testing.T) {
	server := httptest.NewServer(http.RedirectHandler("http://169.254.169.254/", http.StatusFound))
	defer server.Close()
	requireRefused(t, newHTTPClient(), server.URL)
}

func TestLocalNamesNeedNoResolver(t *testing.T) {
	server := newRecorder(t)
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	for _, host := range []string{"localhost", "LOCALHOST", "bucket.localhost", "127.0.0.1"} {
		response, err := newHTTPClient().Get("http://" + host + ":" + port + "/role")
		require.NoError(t, err, host)
		require.NoError(t, response.Body.Close())
	}
}

func TestEnterRefusesAnEndpointElsewhere(t *testing.T) {
	t.Setenv("AWS_PROFILE", "production")
	for _, endpoint := range []string{"https://ssm.ap-northeast-1.amazonaws.com", "http://10.0.0.1:4566", "", "://"} {
		_, err := Enter(Options{Endpoint: endpoint})
		require.ErrorContains(t, err, "the simulated AWS's endpoint", endpoint)
	}
	require.Equal(t, "production", os.Getenv("AWS_PROFILE"), "a refused isolation changes nothing")
}

func TestLeaveGivesTheEnvironmentBack(t *testing.T) {
	t.Setenv("AWS_PROFILE", "production")
	t.Setenv("TEMPORAL_ADDRESS", "production:7233")
	t.Setenv("aws_region", "x")
	before := os.Environ()
	isolation, err := Enter(
		Options{Endpoint: "http://localhost:1", Others: map[string]string{"PATCHTIDE_LAB_TEST": "made-up"}},
	)
	require.NoError(t, err)
	require.Equal(t, "made-up", os.Getenv("PATCHTIDE_LAB_TEST"))
	_, found := os.LookupEnv("TEMPORAL_ADDRESS")
	require.False(t, found)
	require.NoError(t, isolation.Leave())
	require.ElementsMatch(t, before, os.Environ())
	require.NoDirExists(t, isolation.folder)
}
