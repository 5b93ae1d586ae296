#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The proof.   scripts/test.sh [lint] [unit] [sanity] [offline] [package] [browser] [platform]      without arguments: all of it
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
(($#)) || set -- lint unit sanity offline package browser platform
[[ " $* " != *" platform "* ]] || need_root "The platform scenario"

passed=0
failures=()   # "FAILED: title", after each the lines that say why
# The end of a log is seen first, and forges cut long ones in the middle: so the names of failed tests come again at the end, with their
# reasons. On a build server, which this variable means to pytest, it does not cut the reasons to the width of a terminal.
export BUILD_NUMBER=${BUILD_NUMBER:-none}
[[ ! -t 1 ]] || export PY_COLORS=1   # the pipe to the log is no terminal
log=build/check-$$.log

check() {   # sentence, command...: all are run and reported together, so that one run shows every fault
    local title=$1 began=$SECONDS
    shift
    heading "$title"
    mkdir -p build
    if "$@" 2>&1 | tee "$log"; then
        passed=$((passed + 1))
        printf '%s   ok, %s s%s\n' "$GREEN" $((SECONDS - began)) "$PLAIN"
    else
        failures+=("FAILED: $title")
        mapfile -t -O "${#failures[@]}" failures < <(reasons)
        printf '%s   failed after %s s%s\n' "$RED" $((SECONDS - began)) "$PLAIN"
    fi
    rm -f "$log"
}

without_colours() { sed -E $'s/\e\\[[0-9;]*m//g' "$1"; }

reasons() {   # the failed tests that pytest names; where there are none, the end of what was printed
    local text line
    text=$(without_colours "$log" | sed '/^[[:space:]]*$/d')
    { grep -E '^(FAILED|ERROR) [^ ]*\.py' <<<"$text" || tail -5 <<<"$text"; } | head -40 | while IFS= read -r line; do
        echo "   ${line:0:300}"
    done
}

hold_environments
scripts/venv.sh test
scripts/venv.sh newest
venvs=(.venv)
[[ ! -d .venv-newest ]] || venvs+=(.venv-newest)
core() { "$1/bin/python" -c 'import sys, ansible.release as r; print("ansible-core", r.__version__, "on Python %d.%d" % sys.version_info[:2])'; }

lint() {
    check "ansible-lint, profile production" .venv/bin/ansible-lint --offline
    check "yamllint" .venv/bin/yamllint --strict .
    check "ruff" .venv/bin/ruff check .
    check "ruff format, 100 columns" .venv/bin/ruff format --check --quiet .
    check "mypy --strict" .venv/bin/mypy
}

unit() {
    check "Unit tests, coverage of the pure engine at least 95 % ($(core .venv))" \
        .venv/bin/python -m pytest "$COLLECTION/tests/unit" --cov --cov-report=term
    [[ ! -d .venv-newest ]] || check "Unit tests ($(core .venv-newest))" .venv-newest/bin/python -m pytest "$COLLECTION/tests/unit" -m "not one_core"
}

sanity() {
    for venv in "${venvs[@]}"; do
        check "ansible-test sanity ($(core "$venv"))" scripts/sanity.sh "$venv"
    done
}

judge_and_render() {   # what anybody can do on a laptop: no hosts, no root
    local rendered=build/render/$1
    rm -rf "$rendered"
    "$1/bin/ansible-playbook" reseller.mail.validate &&
        "$1/bin/ansible-playbook" reseller.mail.render -e "render_dest=$PROJECT/$rendered" &&
        grep -q '^jo@acme.example' "$rendered/mx1/postfix/virtual_mailbox_maps"
}

offline() {
    for venv in "${venvs[@]}"; do
        check "The example estate is judged and rendered without hosts ($(core "$venv"))" judge_and_render "$venv"
    done
    [[ ${#venvs[@]} -eq 1 ]] ||
        check "Both cores render the same bytes" diff -r build/render/.venv build/render/.venv-newest
}

package() {   # the collection as those get it who install it
    scripts/venv.sh package
    check "antsibull-docs: the documentation that ansible-doc and docsites show" env PATH="$PROJECT/.venv-package/bin:$PATH" \
        antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs=all --disallow-unknown-collection-refs --check-extra-docs-refs "$COLLECTION"
    check "antsibull-changelog" env PATH="$PROJECT/.venv-package/bin:$PATH" sh -c 'cd "$0" && antsibull-changelog lint && antsibull-changelog lint-changelog-yaml changelogs/changelog.yaml' "$COLLECTION"
    check "The built collection: Galaxy's importer, execution environments, the docsite, empty environments" \
        .venv-package/bin/python -m pytest "$COLLECTION/tests/package"
}

browser() {   # the guide's pages and the welcome pack, as people meet them
    if ! type -p chromium chromedriver >/dev/null; then
        need_root "Installing Debian's Chromium"
        note "Chromium is not here: installing Debian's."
        apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install chromium chromium-driver fonts-dejavu-core >/dev/null ||
            fail "Chromium could not be installed: is a Debian mirror reachable from here?"
    fi
    check "The pages for tenants in Chromium: copying, states, keyboard, contrast, telephone" .venv/bin/python -m pytest -q "$COLLECTION/tests/browser"
}

platform() {
    [[ ! -d ${LAB_HOSTS_DIR:-/var/lib/reseller-mail-lab}/hosts ]] || note "The demo's hosts are running: the tests' hosts take their place."
    export PATH=$PROJECT/.venv/bin:$PATH   # molecule calls ansible-config and ansible-playbook by name
    rm -f build/platform/failed
    check "The platform on real hosts (molecule/platform)" molecule_test
}

molecule_test() {   # in molecule's box no name is in one piece, so the tests write their names into a file
    local status=0
    .venv/bin/molecule test --scenario-name platform || status=$?
    [[ ! -e build/platform/failed ]] || cat build/platform/failed
    return "$status"
}

# The platform mostly waits for its hosts, the rest only computes: side by side, each takes about as long as alone.
beside=
if [[ " $* " == *" platform "* && $# -gt 1 ]]; then
    rest=()
    for part in "$@"; do
        [[ $part == platform ]] || rest+=("$part")
    done
    mkdir -p build
    note "Beside the platform: ${rest[*]} (the output comes at the end; until then it is in build/test.log)"
    # A process group of its own, to be ended whole. Linux gives each session the same share of the processors, however nice its processes are
    # (sched(7), autogroup): so the session itself is made nice.
    setsid sh -c 'echo 10 2>/dev/null >/proc/self/autogroup; exec nice "$0" "$@"' scripts/test.sh "${rest[@]}" >build/test.log 2>&1 &
    beside=$!
    trap 'kill -- "-$beside" 2>/dev/null || true' EXIT
    set -- platform
fi
for part in "$@"; do
    "$part"
done
if [[ $beside ]]; then
    heading "What ran beside the platform"
    wait "$beside" || true
    trap - EXIT
    cat build/test.log
    passed_beside=$(sed -n '$s/^\([0-9]*\) passed, .*/\1/p' build/test.log)
    if [[ $passed_beside ]]; then
        mapfile -t -O "${#failures[@]}" failures < <(
            without_colours build/test.log | sed '$d' | tac | sed '/^━━ [0-9:]*  Result/Q' | tac)
    else
        failures+=("FAILED: What ran beside the platform stopped early: the reason is above")
    fi
    passed=$((passed + ${passed_beside:-0}))
fi

heading "Result"
failed=0
for line in "${failures[@]}"; do
    if [[ $line == "FAILED: "* ]]; then
        failed=$((failed + 1))
        printf '%s%s%s\n' "$RED" "$line" "$PLAIN"
    else
        printf '%s\n' "$line"
    fi
done
printf '%s passed, %s failed in %s\n' "$passed" "$failed" "$(elapsed)"
((failed == 0))
