package isolation

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// RefusedError is returned for every host that is not this machine.
type RefusedError struct{ Host string }

// Error names the host.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("the laboratory talks to this machine only and refused to connect to %q", e.Host)
}

// Times of the client, generous for a machine that is busy with a build.
const (
	dialTimeout   = 10 * time.Second
	idleTimeout   = 90 * time.Second
	idlePerServer = 64 // a wave talks to one simulator from many activities at once
)

// newHTTPClient has no proxy and follows a redirect only to loopback, since each hop is dialled in the same way.
func newHTTPClient() *http.Client {
	dialer := &net.Dialer{Timeout: dialTimeout, Control: refuseAtSocket}
	return &http.Client{Transport: &http.Transport{
		Proxy: nil,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			host, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			ip, err := loopback(host)
			if err != nil {
				return nil, err
			}
			return dialer.DialContext(ctx, network, net.JoinHostPort(ip, port))
		},
		MaxIdleConnsPerHost: idlePerServer,
		IdleConnTimeout:     idleTimeout,
	}}
}

// loopback returns the loopback address that host means. Names are not looked up, so that no resolver is asked and none
// can answer wrongly: localhost and the names under it are this machine by RFC 6761 (S3 clients put a bucket's name
// before the host), every other name is refused.
func loopback(host string) (string, error) {
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return "127.0.0.1", nil
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		return ip.String(), nil
	}
	return "", &RefusedError{Host: host}
}

// refuseAtSocket looks at the address the system is about to connect to, whatever led there.
func refuseAtSocket(_, address string, _ syscall.RawConn) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return &RefusedError{Host: host}
	}
	return nil
}
