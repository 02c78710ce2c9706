// Package isolation keeps the laboratory away from real AWS. People who try a patcher are often logged in to production
// in the same shell, so nothing that the AWS SDK would read from there may survive: not the environment, not the shared
// files, not a metadata service, not a proxy. And should some code build an address of its own, the HTTP client refuses
// to dial it.
package isolation

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// Options says what takes the place of what was inherited.
type Options struct {
	// Endpoint is the simulated AWS, for example http://127.0.0.1:4566; its host must be loopback.
	Endpoint string
	// AccessKeyID and SecretAccessKey are made-up keys that the simulator knows.
	AccessKeyID     string
	SecretAccessKey string
	// Region is the default region of clients that name none.
	Region string
	// Others are more variables to set while the isolation is in force, for example a made-up external id.
	Others map[string]string
}

// Isolation is in force from Enter to Leave.
type Isolation struct {
	// HTTPClient dials loopback only, through no proxy. Every AWS client of the laboratory gets it.
	HTTPClient *http.Client
	folder     string
	before     map[string]*string
}

// prefixes of the environment variables that are dropped. Temporal's go too: a worker that looks for a profile must not
// find somebody's production cluster. So do our own, which may point at somebody's bucket.
var prefixes = []string{"AWS_", "TEMPORAL_", "PATCHTIDE_"}

// proxies are dropped as well, in either case, for the clients that do not come from here.
var proxies = []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"}

// Enter changes this process's environment: it drops every inherited AWS_*, TEMPORAL_*, PATCHTIDE_* and proxy variable,
// points the shared configuration and credentials at empty files, turns the instance metadata service off, and sets the
// endpoint and the made-up keys. It must run before the first AWS configuration is loaded. The environment belongs to
// the process, so that there can be one isolation at a time.
func Enter(options Options) (*Isolation, error) {
	endpoint, err := url.Parse(options.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("the simulated AWS's endpoint: %w", err)
	}
	if _, err := loopback(endpoint.Hostname()); err != nil {
		return nil, fmt.Errorf("the simulated AWS's endpoint %q must be on this machine, for example "+
			"http://127.0.0.1:4566: %w",
			options.Endpoint, err)
	}
	folder, err := os.MkdirTemp("", "patchtide-lab-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for empty AWS files: %w", err)
	}
	i := &Isolation{HTTPClient: newHTTPClient(), folder: folder, before: map[string]*string{}}
	if err := i.replace(options); err != nil {
		return nil, errors.Join(err, i.Leave())
	}
	return i, nil
}

func (i *Isolation) replace(options Options) error {
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); inherited(name) {
			if err := i.set(name, nil); err != nil {
				return err
			}
		}
	}
	config, credentials := filepath.Join(i.folder, "config"), filepath.Join(i.folder, "credentials")
	for _, file := range []string{config, credentials} {
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			return fmt.Errorf("write an empty AWS file: %w", err)
		}
	}
	for name, value := range options.Others {
		if err := i.set(name, &value); err != nil {
			return err
		}
	}
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID":           options.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY":       options.SecretAccessKey,
		"AWS_REGION":                  options.Region,
		"AWS_ENDPOINT_URL":            options.Endpoint,
		"AWS_CONFIG_FILE":             config,
		"AWS_SHARED_CREDENTIALS_FILE": credentials,
		"AWS_EC2_METADATA_DISABLED":   "true",
	} {
		if err := i.set(name, &value); err != nil {
			return err
		}
	}
	return nil
}

// inherited reports whether a variable must not survive; names are compared without case, as Windows does.
func inherited(name string) bool {
	upper := strings.ToUpper(name)
	for _, prefix := range prefixes {
		if strings.HasPrefix(upper, prefix) {
			return true
		}
	}
	for _, proxy := range proxies {
		if upper == proxy {
			return true
		}
	}
	return false
}

// set changes one variable, or unsets it, and remembers what it was.
func (i *Isolation) set(name string, value *string) error {
	if _, known := i.before[name]; !known {
		i.before[name] = nil
		if old, found := os.LookupEnv(name); found {
			i.before[name] = &old
		}
	}
	if value == nil {
		return os.Unsetenv(name)
	}
	return os.Setenv(name, *value)
}

// Leave gives the process its environment back and removes the empty files.
func (i *Isolation) Leave() error {
	var errs []error
	for name, old := range i.before {
		if old == nil {
			errs = append(errs, os.Unsetenv(name))
		} else {
			errs = append(errs, os.Setenv(name, *old))
		}
	}
	i.HTTPClient.CloseIdleConnections()
	return errors.Join(append(errs, os.RemoveAll(i.folder))...)
}
