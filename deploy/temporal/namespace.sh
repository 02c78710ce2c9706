#!/bin/sh
# Makes the namespace and the search attributes that the worker asks for, and ends when the server lists them all. Every
# step may be repeated. Reads TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, RETENTION and SEARCH_ATTRIBUTES (names of Keywords).
set -eu

# again COMMAND... repeats a command every two seconds, for two minutes at most.
again() {
  tries=60
  until "$@"; do
    tries=$((tries - 1))
    if [ "$tries" -eq 0 ]; then
      echo "gave up: $*" >&2
      exit 1
    fi
    sleep 2
  done
}

healthy() { temporal operator cluster health >/dev/null 2>&1; }
namespace_there() { temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; }
namespace() { namespace_there || temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"; }
listed() { temporal operator search-attribute list --namespace "$TEMPORAL_NAMESPACE" 2>/dev/null | grep -qw "$1"; }
attribute() {
  listed "$1" || temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" --name "$1" --type Keyword
}

again healthy
again namespace
again namespace_there
for name in $SEARCH_ATTRIBUTES; do
  again attribute "$name"
  again listed "$name"
done
echo "namespace $TEMPORAL_NAMESPACE is ready"
