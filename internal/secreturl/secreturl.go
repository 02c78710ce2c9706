// Package secreturl is how an address is asked that is a secret itself, as those of chats and of people's webhooks are:
// only where nobody can listen in, without following it elsewhere, and with nothing of it in what is told.
package secreturl

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// Parse reads an address; ok is false where it is none that may be asked: encrypted, or on this machine.
func Parse(secret string) (target *url.URL, ok bool) {
	target, err := url.Parse(strings.TrimSpace(secret))
	if err != nil || target.Host == "" {
		return nil, false
	}
	host := target.Hostname()
	ip := net.ParseIP(host)
	local := host == "localhost" || ip != nil && ip.IsLoopback()
	return target, target.Scheme == "https" || target.Scheme == "http" && local
}

// Direct is a client that follows no redirect: whoever it names would be handed what was meant for another.
func Direct(client *http.Client) *http.Client {
	direct := *client
	direct.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &direct
}

// Passes reports whether another request may get another answer than this status.
func Passes(status int) bool {
	return status == http.StatusRequestTimeout || status == http.StatusTooManyRequests ||
		status >= http.StatusInternalServerError
}

// Cause is an error of net/http without the address that it begins with.
func Cause(err error) string {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return err.Error()
}

// Parts are those of an address that may be a secret, as it is written and as a reply may repeat it.
func Parts(target *url.URL) []string {
	parts := []string{target.String(), target.RequestURI(), target.EscapedPath(), target.Path, target.RawQuery}
	if password, set := target.User.Password(); set {
		parts = append(parts, password)
	}
	for _, values := range target.Query() {
		parts = append(parts, values...)
	}
	for _, path := range []string{target.EscapedPath(), target.Path} {
		for _, segment := range strings.Split(path, "/") {
			if len(segment) >= 8 { // shorter ones are words like "services", and no secret
				parts = append(parts, segment)
			}
		}
	}
	return parts
}
