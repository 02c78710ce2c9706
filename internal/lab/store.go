package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/uuid"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	schema "go.temporal.io/server/schema/sqlite"
)

// DatabaseFile is the name of the SQLite file inside TemporalOptions.DataDir.
const DatabaseFile = "temporal.db"

// openStore prepares the database, in memory or in dataDir, with the namespace in it. A namespace that exists already
// is left as it is, so that search attributes it lacks must be added by a running server.
func openStore(
	cfg *config.Config, dataDir string, attributes map[string]enumspb.IndexedValueType,
) (config.Persistence, error) {
	database, err := sqliteConfig(dataDir)
	if err != nil {
		return config.Persistence{}, err
	}
	namespace, err := schema.NewNamespaceConfig(cfg.ClusterMetadata.CurrentClusterName, Namespace, false, attributes)
	if err != nil {
		return config.Persistence{}, fmt.Errorf("describe the namespace %s with its search attributes: %w", Namespace, err)
	}
	if err := schema.CreateNamespaces(database, namespace); err != nil {
		return config.Persistence{}, fmt.Errorf("create the namespace %s in %s: %w", Namespace, database.DatabaseName, err)
	}
	return config.Persistence{
		DefaultStore:     sqlite.PluginName,
		VisibilityStore:  sqlite.PluginName,
		NumHistoryShards: 1,
		DataStores:       map[string]config.DataStore{sqlite.PluginName: {SQL: database}},
	}, nil
}

func sqliteConfig(dataDir string) (*config.SQL, error) {
	if dataDir == "" {
		// The plugin keeps one connection per name for the life of the process, so each server needs a name of its own.
		return &config.SQL{
			PluginName:        sqlite.PluginName,
			DatabaseName:      "lab-" + uuid.NewString(),
			ConnectAttributes: map[string]string{"mode": "memory", "cache": "shared"},
		}, nil
	}
	if err := os.MkdirAll(dataDir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	file := filepath.Join(dataDir, DatabaseFile)
	switch _, err := os.Stat(file); {
	case errors.Is(err, fs.ErrNotExist):
		if err := createDatabase(file); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, fmt.Errorf("look for the database: %w", err)
	}
	return fileConfig(file), nil
}

func fileConfig(file string) *config.SQL {
	return &config.SQL{
		PluginName:        sqlite.PluginName,
		DatabaseName:      file,
		ConnectAttributes: map[string]string{"mode": "rwc"},
	}
}

// createDatabase builds the schema beside file and renames it, so that a process killed meanwhile leaves no half-made
// database that every later start would stumble over.
func createDatabase(file string) error {
	draft := file + ".new"
	if err := os.Remove(draft); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove an unfinished database: %w", err)
	}
	if err := schema.SetupSchema(fileConfig(draft)); err != nil {
		return fmt.Errorf("create the tables of %s: %w", draft, err)
	}
	if err := os.Rename(draft, file); err != nil {
		return fmt.Errorf("put the new database in its place: %w", err)
	}
	return nil
}
