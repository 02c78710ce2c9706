package lab

import (
	"fmt"
	"log/slog"
	"net"
	"time"

	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/temporal"
)

// clusterName is the name the server gives itself in its database; changing it would orphan existing files.
const clusterName = "active"

// serverConfig describes one process that runs all four services, each on a loopback port of its own but the frontend,
// which listens where the caller said.
func serverConfig(frontend *net.TCPAddr) (*config.Config, error) {
	services := map[string]config.Service{}
	for _, name := range temporal.DefaultServices {
		address := frontend
		if primitives.ServiceName(name) != primitives.FrontendService {
			var err error
			if address, err = reserve(""); err != nil {
				return nil, fmt.Errorf("a port for Temporal's %s service: %w", name, err)
			}
		}
		services[name] = config.Service{RPC: config.RPC{GRPCPort: address.Port, BindOnIP: address.IP.String()}}
	}
	disabled := config.ArchivalNamespaceDefaults{
		History:    config.HistoryArchivalNamespaceDefaults{State: "disabled"},
		Visibility: config.VisibilityArchivalNamespaceDefaults{State: "disabled"},
	}
	return &config.Config{
		Services: services,
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        clusterName,
			CurrentClusterName:       clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{
				clusterName: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: dialable(frontend)},
			},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		PublicClient:        config.PublicClient{HostPort: dialable(frontend)},
		NamespaceDefaults:   config.NamespaceDefaults{Archival: disabled},
		Archival: config.Archival{
			History:    config.HistoryArchival{State: "disabled"},
			Visibility: config.VisibilityArchival{State: "disabled"},
		},
	}, nil
}

// dialable is how the process reaches its own listener: one that listens on every address is reached by loopback.
func dialable(address *net.TCPAddr) string {
	if address.IP.IsUnspecified() {
		return (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: address.Port}).String()
	}
	return address.String()
}

// serverOptions turns the configuration into the server's options. Hosts are static: a single process has no membership
// to gossip about, and starts faster without.
func serverOptions(cfg *config.Config, logger *slog.Logger) []temporal.ServerOption {
	hosts := map[primitives.ServiceName]static.Hosts{}
	for name, service := range cfg.Services {
		address := &net.TCPAddr{IP: net.ParseIP(service.RPC.BindOnIP), Port: service.RPC.GRPCPort}
		hosts[primitives.ServiceName(name)] = static.SingleLocalHost(dialable(address))
	}
	return []temporal.ServerOption{
		temporal.WithConfig(cfg),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(hosts),
		temporal.WithLogger(serverLog{logger}),
		temporal.WithDynamicConfigClient(laboratorySettings()),
	}
}

// laboratorySettings are the server's settings that differ from a production cluster's, and why.
func laboratorySettings() dynamicconfig.Client {
	return dynamicconfig.StaticClient{
		// One process needs no fan-out, and a task that lands in another partition than its poller waits longer.
		dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():  1,
		dynamicconfig.MatchingNumTaskqueueWritePartitions.Key(): 1,
		// The default cache would hold 128,000 histories; the laboratory has a few hundred.
		dynamicconfig.HistoryCacheHostLevelMaxSize.Key(): 8192,
		// People list and refresh in the UI while the demo polls; the default is 10 a second.
		dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key(): 100,
		// Search attributes added at start must be seen by every service soon.
		dynamicconfig.ForceSearchAttributesCacheRefreshOnRead.Key(): true,
		dynamicconfig.NamespaceCacheRefreshInterval.Key():           time.Second,
	}
}
