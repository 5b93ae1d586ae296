#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The main job on an embedded lab.   scripts/demo.sh [down]
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
need_root "The demo"

play() { .venv/bin/ansible-playbook "$@" || fail "playbooks/$(basename "$1") stopped: the reason is above; the demo can be run again, and make demo-down cleans up."; }

hold_environments
scripts/venv.sh runtime
if [[ ${1:-} == down ]]; then
    heading "Hosts, bridge, mounts and everything else of the lab"
    play playbooks/lab_down.yml
    rm -rf build/initial-passwords estates/example/state   # they speak of hosts that are gone
    exit
fi

# Left by hosts of an earlier run: these are new ones.
rm -rf build/initial-passwords estates/example/state
heading "Five hosts: DNS and ACME, two mail nodes, a backup MX, an external host (the first time, their images are built)"
play playbooks/lab.yml
heading "What the files say becomes what the hosts are"
play playbooks/site.yml
heading "Is it true? Asked from outside"
play playbooks/verify.yml
heading "The example estate is running"
.venv/bin/python scripts/demo_summary.py
