#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Measures the speed of the project.   scripts/bench.sh [PART…|page]      without arguments: all parts
# The figures go to docs/benchmarks/results.json; `page` writes docs/benchmarks/README.md from them.
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
hold_environments
scripts/venv.sh test
PYTHONPATH=$PROJECT/collections .venv/bin/python -m ansible_collections.reseller.mail.tests.benchmark.run "$@"
