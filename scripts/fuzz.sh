#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Spoils estates and holds the loader and the judges to their promises.   scripts/fuzz.sh [seconds [seed]]
# Half of the time goes to changes of sound estates, half to bytes that coverage leads (atheris, where it can be installed).
# What breaks a promise is kept in build/fuzz/.
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
seconds=${1:-600} seed=${2:-$(date +%s)}
fuzz=$COLLECTION/tests/fuzz
export PYTHONPATH=$PROJECT/collections FUZZ_FOLDER=$PROJECT/build/fuzz
mkdir -p "$FUZZ_FOLDER/bytes"

hold_environments
scripts/venv.sh test
failed=0
heading "Spoiled estates, $((seconds / 2)) s from seed $seed"
nice .venv/bin/python "$fuzz/fuzz.py" $((seconds / 2)) "$seed" || failed=1

# Beside the environment, not in it: it is large, and only this needs it.
engine=.cache/atheris made=$(.venv/bin/python -VV; cat requirements/fuzz.txt requirements/pinned/oldest.txt)
if [[ ! -f $engine/.made-of || $(<$engine/.made-of) != "$made" ]]; then
    rm -rf $engine
    ! .venv/bin/pip install -qq --disable-pip-version-check --target $engine -c requirements/pinned/oldest.txt -r requirements/fuzz.txt 2>/dev/null ||
        echo "$made" >$engine/.made-of
fi
if [[ -f $engine/.made-of ]]; then
    heading "Bytes led by coverage, $((seconds / 2)) s"
    PYTHONPATH=$PYTHONPATH:$engine nice .venv/bin/python "$fuzz/fuzz_bytes.py" -max_total_time=$((seconds / 2)) -seed="$seed" -max_len=4096 \
        -timeout=10 -print_final_stats=1 -verbosity=0 -artifact_prefix="$FUZZ_FOLDER/" "$FUZZ_FOLDER/bytes" || failed=1
else
    note "atheris cannot be installed here: bytes were only changed at random."
fi
exit $failed
