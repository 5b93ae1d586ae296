#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes a virtual environment and keeps it in step with requirements/.
#   scripts/venv.sh runtime    .venv: the controller, oldest ansible-core that is supported
#   scripts/venv.sh test       .venv: that, the linters and the test tools
#   scripts/venv.sh newest     .venv-newest: the newest ansible-core that this machine's Pythons allow, and pytest
#   scripts/venv.sh package    .venv-package: what checks and documents the collection as a product
#   scripts/venv.sh refresh    .cache/refresh: the resolver of scripts/refresh.sh, the newest, with nothing pinned
# requirements/*.txt say what is allowed, requirements/pinned/*.txt what is installed: every version, written by `make refresh`.
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

hold_environments

pythons() {   # "minor path" of every usable Python, oldest first
    local name found path
    {
        for name in python3 python3.{11..19}; do
            type -ap "$name" || true
        done
        if type -p pyenv >/dev/null; then
            ls -1 "$(pyenv root)"/versions/*/bin/python3 2>/dev/null || true
        fi
    } | while read -r found; do
        # A pyenv shim exists without a Python behind it, and Debian's Python comes without ensurepip: so each is run once. For the Python of an
        # activated environment the script takes the one that it was made from: an environment that is rebuilt is deleted first.
        path=$("$found" -c 'import sys, ensurepip, venv; sys.version_info < (3, 11) and sys.exit(1); print(sys.version_info[1], sys._base_executable)' 2>/dev/null) || continue
        echo "$path"
    done | sort -n -u -k1,1
}

complain() {   # the environment is as wanted, but not as pinned
    rm -rf "$1"
    fail "$1 would differ from $2: see above. \`make refresh\` pins anew."
}

build() {   # folder, python, pins (or nothing), names of requirements/: anew whenever they differ from what the folder was made of
    local venv=$1 python=$2 pins=$3 made wanted parts
    shift 3
    parts="holds: $*"
    wanted=$("$python" -VV; echo "$venv $pins"; cat requirements/*.txt "$COLLECTION/requirements.txt" requirements/pinned/*.txt)
    made=$(cat "$venv/.made-of" 2>/dev/null || true)
    [[ $made != "$wanted"$'\n'"$parts" ]] || return 0
    alone_with_environments "$venv"
    # Where only more is wanted, what is there stays: all versions come from the same pins.
    if [[ ${made%$'\n'*} != "$wanted" || ! $pins ]]; then
        heading "Python environment $venv ($("$python" -V))"
        need_space "$PROJECT" 1 "The Python environment"
        rm -rf "$venv"
        "$python" -m venv "$venv"
    fi
    rm -f "$venv/.made-of"
    # Pip first: what it does with the rest depends on its version. Python 3.11 adds setuptools by itself.
    local pip=("$venv/bin/python" -m pip --disable-pip-version-check) constraints=()
    [[ ! $pins ]] || constraints=(-c "$pins")
    "${pip[@]}" install -qq "${constraints[@]}" -r requirements/tools.txt &&
        "${pip[@]}" uninstall -qq -y setuptools &&
        "${pip[@]}" install -qq "${constraints[@]}" "${@/#/-rrequirements/}" ||
        fail "pip could not install $*: is a package index reachable from here?"
    [[ ! $pins ]] || "$venv/bin/python" scripts/pins.py check "$pins" || complain "$venv" "$pins"
    printf '%s\n%s\n' "$wanted" "$parts" >"$venv/.made-of"   # last, so that an interrupted build is made anew
    share_environments
}

mapfile -t found < <(pythons)
if ((${#found[@]} == 0)) && [[ $EUID -eq 0 ]] && type -p apt-get >/dev/null; then
    note "No Python with its venv module is here: installing Debian's."
    apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y install python3-venv >/dev/null || true   # the sentence below tells
    mapfile -t found < <(pythons)
fi
((${#found[@]})) ||
    fail "No Python 3.11 or newer with its venv module was found (Debian: apt-get install python3-venv)."

# Pins are made for some Pythons: another one is taken only where none of these is here, and then without pins.
declare -A pinned=()
for minor in $(sed -n 's/^# For Python //p' requirements/pinned/oldest.txt); do
    pinned[${minor#3.}]=1
done
known=()
for one in "${found[@]}"; do
    [[ ! ${pinned[${one%% *}]:-} ]] || known+=("$one")
done
pins=requirements/pinned
if ((${#known[@]})); then
    found=("${known[@]}")
else
    note "No versions are pinned for Python 3.${found[-1]%% *}: the newest that requirements/ allows are installed, so results may differ from day to day."
    pins=
fi
oldest=${found[0]} newest=${found[-1]}

case ${1:-} in
    runtime)
        # The tests' environment contains the runtime's: one that is there is not torn down for the demo.
        if [[ -f .venv/.made-of && $(tail -1 .venv/.made-of) == *test.txt* ]]; then
            exec "$0" test
        fi
        build .venv "${oldest#* }" "${pins:+$pins/oldest.txt}" oldest-core.txt runtime.txt
        ;;
    test) build .venv "${oldest#* }" "${pins:+$pins/oldest.txt}" oldest-core.txt runtime.txt lint.txt test.txt ;;
    newest)
        if ((${newest%% *} <= 11)); then
            note "Only Python 3.11 is here, and no ansible-core newer than 2.19 runs on it: the second core is left out."
            rm -rf .venv-newest
        else
            build .venv-newest "${newest#* }" "${pins:+$pins/newest.txt}" runtime.txt unit.txt
        fi
        ;;
    package) build .venv-package "${newest#* }" "${pins:+$pins/package.txt}" package.txt ;;
    refresh) build .cache/refresh "${newest#* }" "" refresh.txt ;;
    *) fail "usage: scripts/venv.sh runtime|test|newest|package|refresh" ;;
esac
