package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"

	"github.com/spf13/cobra"
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/patchtide/patchtide/internal/lab"
	"github.com/patchtide/patchtide/internal/names"
)

// temporalOptions are the flags of everything that runs the embedded Temporal.
type temporalOptions struct {
	listen string
	uiPort int
	data   string
	log    bool
}

func (o *temporalOptions) addFlags(cmd *cobra.Command, listen string, uiPort int) {
	flags := cmd.Flags()
	flags.StringVar(
		&o.listen, "temporal-listen", listen, "address of the Temporal server, IP:port; port 0 takes a free one",
	)
	flags.IntVar(&o.uiPort, "ui-port", uiPort, "port of the Temporal UI on loopback; 0 takes a free one")
	flags.StringVar(&o.data, "data", "", "folder that keeps Temporal's database; without it everything is in memory")
	flags.BoolVar(&o.log, "temporal-log", false, "write the Temporal server's log to stderr")
}

func (o *temporalOptions) check(cmd *cobra.Command) error {
	host, _, err := net.SplitHostPort(o.listen)
	if err != nil || net.ParseIP(host) == nil {
		return &usageError{
			cmd.CommandPath(), fmt.Errorf("--temporal-listen %q: must be IP:port, for example 127.0.0.1:7233", o.listen),
		}
	}
	if o.uiPort < 0 || o.uiPort > 65535 {
		return &usageError{
			cmd.CommandPath(), fmt.Errorf("--ui-port %d: must be between 0 and 65535, for example 8233", o.uiPort),
		}
	}
	return nil
}

// forServer are the options of the embedded server; stderr receives its log where the flags ask for it.
func (o *temporalOptions) forServer(stderr io.Writer) lab.TemporalOptions {
	options := lab.TemporalOptions{
		DataDir:          o.data,
		Listen:           o.listen,
		UIListen:         net.JoinHostPort("127.0.0.1", strconv.Itoa(o.uiPort)),
		SearchAttributes: map[string]enumspb.IndexedValueType{},
	}
	for _, name := range names.SearchAttributes() {
		options.SearchAttributes[name] = enumspb.INDEXED_VALUE_TYPE_KEYWORD
	}
	if o.log {
		options.Logger = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
	}
	return options
}

func newTemporal() *cobra.Command {
	var options temporalOptions
	cmd := &cobra.Command{
		Use:   "temporal",
		Short: "Run the embedded Temporal server and its UI alone",
		Long: "Run the embedded Temporal server and its UI alone, for a worker of your own.\n" +
			"It has no authentication: keep it on loopback.",
		Example: "  patchtide-lab temporal --data ./lab-data",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := options.check(cmd); err != nil {
				return err
			}
			server, err := lab.StartTemporal(cmd.Context(), options.forServer(cmd.ErrOrStderr()))
			if err != nil {
				return err
			}
			kept := "in memory, gone when it stops"
			if options.data != "" {
				kept = "kept in " + options.data
			}
			fmt.Fprintf(
				cmd.OutOrStdout(), "Temporal     %s, namespace %s, %s\nTemporal UI  %s\n", server.Address(), lab.Namespace, kept,
				server.UIURL(),
			)
			guide(cmd.OutOrStdout(), temporalVariables(server))
			stopIt(cmd.OutOrStdout())
			<-cmd.Context().Done()
			return server.Stop()
		},
	}
	options.addFlags(cmd, "127.0.0.1:7233", 8233)
	return cmd
}
