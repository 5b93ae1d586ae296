#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The scenario's own copy of the example estate, with what gives both nodes the same features laid over it. Molecule runs it
# before anything else: the inventory reads the estate.
set -euo pipefail
cd "$(dirname "$0")"
build=../../build/platform
rm -rf "$build"
mkdir -p "$build"
cp -R ../../estates/example "$build/estate"
rm -rf "$build/estate/state"   # what the demo's nodes reported
cp -R estate/. "$build/estate/"
# Tests send more in an hour than people do. Those about the limits set their own.
sed -i 's/rate_limits: {messages_per_hour: 500,/rate_limits: {messages_per_hour: 100000,/' "$build/estate/estate.yml"
grep -q 'messages_per_hour: 100000,' "$build/estate/estate.yml"
