# SPDX-License-Identifier: GPL-3.0-or-later
# Shared by the scripts beside it. Sourced, not run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PROJECT=$PWD
COLLECTION=$PROJECT/collections/ansible_collections/reseller/mail
export RUN_STARTED=${RUN_STARTED:-$(date +%s)}   # headings count from the first script of a run
export PYTHONDONTWRITEBYTECODE=1
export LC_ALL=C.UTF-8   # Ansible refuses any other encoding

if [[ -t 1 || -n ${FORCE_COLOR:-} ]]; then
    export ANSIBLE_FORCE_COLOR=1
    BOLD=$'\e[1m' GREEN=$'\e[32m' RED=$'\e[31m' DIM=$'\e[2m' PLAIN=$'\e[0m'
else
    BOLD='' GREEN='' RED='' DIM='' PLAIN=''
fi

elapsed() {
    local seconds=$(($(date +%s) - RUN_STARTED))
    printf '%02d:%02d' $((seconds / 60)) $((seconds % 60))
}

heading() { printf '\n%s━━ %s  %s%s\n' "$BOLD" "$(elapsed)" "$*" "$PLAIN"; }

note() { printf '%s   %s%s\n' "$DIM" "$*" "$PLAIN"; }

fail() {
    printf '%s%s%s\n' "$RED" "$*" "$PLAIN" >&2
    exit 1
}

need_root() { [[ $EUID -eq 0 ]] || fail "$1 starts hosts of its own and needs root: run it as root."; }

need_space() {   # folder, GiB, what for
    local free
    free=$(df --output=avail -BG "$1" | tail -1 | tr -dc 0-9)
    ((free >= $2)) || fail "$3 needs $2 GiB free under $1, and $free GiB are."
}

# A script that uses an environment holds this lock until it ends, together with the scripts that it starts. Only a script that holds it
# alone rebuilds an environment, so that `make lint` does not remove the environment of a running `make demo`.
hold_environments() {
    [[ ! /proc/$$/fd/${ENVIRONMENTS_HELD:-none} -ef .cache/environments.lock ]] || return 0
    mkdir -p .cache
    exec {ENVIRONMENTS_HELD}>>.cache/environments.lock
    export ENVIRONMENTS_HELD
    flock -s "$ENVIRONMENTS_HELD"
}

alone_with_environments() {
    flock -n -x "$ENVIRONMENTS_HELD" && return
    note "$1 has to be built anew, and another command uses it: waiting until that ends."
    flock -x "$ENVIRONMENTS_HELD"
}

share_environments() { flock -s "$ENVIRONMENTS_HELD"; }
