#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Times judging and planning a large estate, and measures their memory.
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
hold_environments
scripts/venv.sh test
PYTHONPATH=$PROJECT/collections .venv/bin/python "$COLLECTION/tests/benchmark/run.py"
