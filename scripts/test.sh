#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The proof.   scripts/test.sh [lint] [unit] [sanity] [offline] [browser] [platform]      without arguments: all of it
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
(($#)) || set -- lint unit sanity offline browser platform
[[ " $* " != *" platform "* ]] || need_root "The platform scenario"

passed=0
failures=()

check() {   # sentence, command...: all are run and told together, so that one run shows every fault
    local title=$1 began=$SECONDS
    shift
    heading "$title"
    if "$@"; then
        passed=$((passed + 1))
        printf '%s   ok, %s s%s\n' "$GREEN" $((SECONDS - began)) "$PLAIN"
    else
        failures+=("$title")
        printf '%s   failed after %s s%s\n' "$RED" $((SECONDS - began)) "$PLAIN"
    fi
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
    check "mypy --strict on the engine" .venv/bin/mypy
}

unit() {
    check "Unit tests, coverage of the pure engine at least 95 % ($(core .venv))" \
        .venv/bin/python -m pytest "$COLLECTION/tests/unit" --cov --cov-report=term
    [[ ! -d .venv-newest ]] || check "Unit tests ($(core .venv-newest))" .venv-newest/bin/python -m pytest "$COLLECTION/tests/unit"
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

browser() {   # the guide's pages, as people meet them
    if ! type -p chromium chromedriver >/dev/null; then
        need_root "Installing Debian's Chromium"
        note "Chromium is not here: installing Debian's."
        apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install chromium chromium-driver fonts-dejavu-core >/dev/null ||
            fail "Chromium could not be installed: is a Debian mirror reachable from here?"
    fi
    check "The guide's pages in Chromium: copying, states, keyboard, contrast, telephone" .venv/bin/python -m pytest -q "$COLLECTION/tests/browser"
}

platform() {
    [[ ! -d ${LAB_HOSTS_DIR:-/var/lib/reseller-mail-lab}/hosts ]] || note "The demo's hosts are running: the tests' hosts take their place."
    export PATH=$PROJECT/.venv/bin:$PATH   # molecule calls ansible-config and ansible-playbook by name
    check "The platform on real hosts (molecule/platform)" .venv/bin/molecule test --scenario-name platform
}

# The platform mostly waits for its hosts, the rest only computes: side by side, each takes about as long as alone.
beside=
if [[ " $* " == *" platform "* && $# -gt 1 ]]; then
    rest=()
    for part in "$@"; do
        [[ $part == platform ]] || rest+=("$part")
    done
    mkdir -p build
    note "Beside the platform: ${rest[*]} (told when it is done; until then in build/test.log)"
    setsid nice scripts/test.sh "${rest[@]}" >build/test.log 2>&1 &   # a process group of its own, to be ended whole
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
    mapfile -t -O "${#failures[@]}" failures < <(sed -n 's/.*FAILED: \([^\x1b]*\).*/\1/p' build/test.log)
    told=$(sed -n '$s/^\([0-9]*\) passed, .*/\1/p' build/test.log)
    [[ $told ]] || failures+=("What ran beside the platform broke off: the reason stands above")
    passed=$((passed + ${told:-0}))
fi

heading "Result"
for title in "${failures[@]}"; do
    printf '%sFAILED: %s%s\n' "$RED" "$title" "$PLAIN"
done
printf '%s passed, %s failed in %s\n' "$passed" "${#failures[@]}" "$(elapsed)"
((${#failures[@]} == 0))
