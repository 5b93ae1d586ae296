#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Measures the speed of the project.   scripts/bench.sh [--trial] [PART…], or page      without a part: all parts
# The figures go to docs/benchmarks/results.json; `page` writes docs/benchmarks/README.md from them. A trial shows that parts run to their end: small
# sizes, one round, no figures kept.
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
if [[ ${1:-} == --trial ]]; then
    export BENCHMARK_TRIAL=1
    shift
fi
[[ $* == page || $* == engine ]] || need_root "The benchmark"
hold_environments
scripts/venv.sh test

# Beside the environment, not in it: nothing but one figure needs it.
mitogen=build/bench/mitogen
if [[ (-z $* || " $* " == *" site "*) && ! -d $mitogen ]]; then
    rm -rf $mitogen.new
    .venv/bin/pip install -qq --disable-pip-version-check --target $mitogen.new mitogen && mv $mitogen.new $mitogen ||
        note "mitogen cannot be installed here: its figure is not measured."
fi
PYTHONPATH=$PROJECT/collections .venv/bin/python -m ansible_collections.reseller.mail.tests.benchmark.run "$@"
