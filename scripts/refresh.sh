#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Resolves the newest versions that requirements/ allows, says what differs, runs the tests with them in a copy of the project, and keeps
# them only if all passed.   scripts/refresh.sh [lint] [unit] [sanity] [offline] [package] [browser] [platform]      without arguments: all of it
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
(($#)) || set -- lint unit sanity offline package browser platform
[[ " $* " != *" platform "* ]] || need_root "The platform scenario"
need_space "$PROJECT" 3 "A copy of the project with environments of its own"
copy=$PROJECT/build/refresh
scripts/venv.sh refresh

resolve() {   # environment, lowest Python, names of requirements/: for every Python from there on, also for those that are not here
    local name=$1 lowest=$2 minor
    shift 2
    {
        echo "# Every version that $([[ $name == oldest ]] && echo .venv || echo ".venv-$name") holds. Written by \`make refresh\`."
        echo "# For Python$(for minor in 11 12 13 14; do ((minor < ${lowest#3.})) || echo -n " 3.$minor"; done)"
        # Only what the index says counts: no settings of this machine, no Python fetched from elsewhere.
        UV_NO_CONFIG=1 UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS=1 .cache/refresh/bin/uv pip compile --quiet --universal --python-version "$lowest" \
            --no-header --no-annotate --no-emit-index-url "${@/#/requirements/}"
    } >"$copy/requirements/pinned/$name.txt" || fail "uv could not resolve requirements/ for $name: the reason is above."
}

heading "The newest versions that requirements/ allows"
rm -rf "$copy"
mkdir -p "$copy"
git ls-files -z --cached --others --exclude-standard | tar -c --null --files-from=- | tar -x -C "$copy"
git -C "$copy" init --quiet && git -C "$copy" add --all   # linters ask Git for the files
mkdir -p "$copy/requirements/pinned"
resolve oldest 3.11 tools.txt oldest-core.txt runtime.txt lint.txt test.txt fuzz.txt
resolve newest 3.12 tools.txt runtime.txt unit.txt
resolve package 3.11 tools.txt package.txt

changes=
for name in oldest newest package; do
    differs=$(.cache/refresh/bin/python scripts/pins.py difference "requirements/pinned/$name.txt" "$copy/requirements/pinned/$name.txt")
    [[ ! $differs ]] || changes+=$(sed "s/^/$name: /" <<<"$differs")$'\n'
done
if [[ ! $changes ]]; then
    note "Nothing differs from requirements/pinned."
    exit
fi
printf '%s' "$changes"

heading "The tests with these versions, in build/refresh: $*"
env -u ENVIRONMENTS_HELD "$copy/scripts/test.sh" "$@" ||
    fail "Nothing was kept, because the tests failed with the versions above. build/refresh is the whole copy: look for the cause there."
cp "$copy"/requirements/pinned/*.txt requirements/pinned/
heading "Kept in requirements/pinned"
printf '%s' "$changes"
