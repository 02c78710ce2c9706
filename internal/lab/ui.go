package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	"github.com/temporalio/ui-server/v2/server/server_options"
)

// uiStopBudget bounds the wait for the UI's listener to close.
const uiStopBudget = 10 * time.Second

type webUI struct {
	url    string
	server *uiserver.Server
	done   chan error
}

// startUI serves the Temporal UI and returns when it answers.
func startUI(ctx context.Context, listen, temporalAddress string) (*webUI, error) {
	// The UI server ends the process when its port is taken, so that is found out first.
	address, err := reserve(listen)
	if err != nil {
		return nil, fmt.Errorf("the Temporal UI's address: %w", err)
	}
	settings := &uiconfig.Config{
		TemporalGRPCAddress: temporalAddress,
		Host:                address.IP.String(),
		Port:                address.Port,
		EnableUI:            true,
		DefaultNamespace:    Namespace,
		// A laboratory asks nobody on the Internet for news.
		DisableNewsFetch: true,
		HideLogs:         true,
		// The page is served by plain HTTP on loopback, where a Secure cookie would be dropped.
		CORS: uiconfig.CORS{CookieInsecure: true},
		// The UI offers what a wave can answer, its Updates and a cancel. A terminated wave puts nothing back, a reset
		// strands parents whose children finished later, and what Temporal pauses waits with an instance out of service.
		WorkflowTerminateDisabled: true,
		WorkflowResetDisabled:     true,
		WorkflowPauseDisabled:     true,
		WorkflowSignalDisabled:    true, // workflows signal each other, people have Updates
		ActivityCommandsDisabled:  true,
		BatchActionsDisabled:      true, // in bulk it would offer them all the same
	}
	ui := &webUI{
		url:    "http://" + dialable(address),
		server: uiserver.NewServer(server_options.WithConfigProvider(settings)),
		done:   make(chan error, 1),
	}
	go func() { ui.done <- ui.server.Start() }()

	ctx, cancel := context.WithTimeout(ctx, readyBudget)
	defer cancel()
	// No proxy: an inherited HTTP_PROXY must not come between us and our own page.
	transport := &http.Transport{DialContext: (&net.Dialer{}).DialContext}
	defer transport.CloseIdleConnections()
	err = poll(ctx, readyPoll, func() error { return healthy(ctx, &http.Client{Transport: transport}, ui.url+"/healthz") })
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the Temporal UI on %s does not answer: %w", ui.url, err), ui.stop())
	}
	return ui, nil
}

func healthy(ctx context.Context, c *http.Client, address string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	response, err := c.Do(request)
	if err != nil {
		return err
	}
	if err := response.Body.Close(); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", address, response.Status)
	}
	return nil
}

func (ui *webUI) workflow(id string) string {
	return fmt.Sprintf("%s/namespaces/%s/workflows/%s", ui.url, Namespace, url.PathEscape(id))
}

func (ui *webUI) stop() error {
	ui.server.Stop()
	select {
	case err := <-ui.done:
		return err
	case <-time.After(uiStopBudget):
		return fmt.Errorf("the Temporal UI on %s did not stop within %s", ui.url, uiStopBudget)
	}
}
