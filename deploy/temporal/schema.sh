#!/bin/sh
# Makes Temporal's databases and brings their schemas up to date. Every step may be repeated: creating what exists is no
# error, and updates begin at the version that the database has. The connection is in SQL_* variables.
set -eu
schemas=/etc/temporal/schema/postgresql/v12
for pair in temporal:temporal temporal_visibility:visibility; do
  database=${pair%%:*}
  schema=${pair##*:}
  temporal-sql-tool --db "$database" create
  temporal-sql-tool --db "$database" setup-schema --version 0.0
  temporal-sql-tool --db "$database" update-schema --schema-dir "$schemas/$schema/versioned"
done
echo "schemas are up to date"
