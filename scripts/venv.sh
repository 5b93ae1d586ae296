#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes a virtual environment and keeps it in step with requirements/.
#   scripts/venv.sh runtime    .venv: the controller, oldest ansible-core that is supported
#   scripts/venv.sh test       .venv: that, the linters and the test tools
#   scripts/venv.sh newest     .venv-newest: the newest ansible-core that this machine's Pythons allow, and pytest
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

pythons() {   # "minor path" of every usable Python, oldest first
    local name found path minor
    {
        for name in python3 python3.{11..19}; do
            type -ap "$name" || true
        done
        if type -p pyenv >/dev/null; then
            ls -1 "$(pyenv root)"/versions/*/bin/python3 2>/dev/null || true
        fi
    } | while read -r found; do
        # A pyenv shim exists without a Python behind it, and Debian's Python comes without ensurepip: only running tells.
        path=$("$found" -c 'import sys, ensurepip, venv; sys.version_info < (3, 11) and sys.exit(1); print(sys.version_info[1], sys.executable)' 2>/dev/null) || continue
        echo "$path"
    done | sort -n -u -k1,1
}

build() {   # folder, python, pip arguments: anew whenever they differ from what the folder was made of
    local venv=$1 python=$2 wanted
    shift 2
    wanted=$("$python" -VV; echo "$venv $*"; cat requirements/*.txt)
    if [[ -f $venv/.made-of && $(<"$venv/.made-of") == "$wanted" ]]; then
        return
    fi
    heading "Python environment $venv ($("$python" -V))"
    need_space "$PROJECT" 1 "The Python environment"
    rm -rf "$venv"
    "$python" -m venv "$venv"
    "$venv/bin/pip" install -qq --disable-pip-version-check "$@" ||
        fail "pip could not install $*: is a package index reachable from here?"
    printf '%s\n' "$wanted" >"$venv/.made-of"   # last, so that an interrupted build is made anew
}

mapfile -t found < <(pythons)
if ((${#found[@]} == 0)) && [[ $EUID -eq 0 ]] && type -p apt-get >/dev/null; then
    note "No Python with its venv module is here: installing Debian's."
    apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y install python3-venv >/dev/null || true   # the sentence below tells
    mapfile -t found < <(pythons)
fi
((${#found[@]})) ||
    fail "No Python 3.11 or newer with its venv module was found (Debian: apt-get install python3-venv)."
oldest=${found[0]} newest=${found[-1]}
floor=()
if ((${oldest%% *} <= 13)); then
    floor=(-c requirements/oldest-core.txt)   # newer Pythons are unknown to the oldest core
fi

case ${1:-} in
    runtime)
        # The tests' environment contains the runtime's: one that is complete is not torn down for the demo.
        if [[ -f .venv/.made-of && $(<.venv/.made-of) == *requirements/test.txt* ]]; then
            exec "$0" test
        fi
        build .venv "${oldest#* }" "${floor[@]}" -r requirements/runtime.txt
        ;;
    test)
        build .venv "${oldest#* }" "${floor[@]}" -r requirements/runtime.txt -r requirements/lint.txt -r requirements/test.txt
        ;;
    newest)
        if ((${newest%% *} <= 11)); then
            note "Only Python 3.11 is here, and no ansible-core newer than 2.19 runs on it: the second core is left out."
            rm -rf .venv-newest
        else
            build .venv-newest "${newest#* }" -r requirements/runtime.txt -r requirements/unit.txt
        fi
        ;;
    *) fail "usage: scripts/venv.sh runtime|test|newest" ;;
esac
