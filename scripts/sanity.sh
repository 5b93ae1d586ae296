#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ansible-test sanity on the collection.   scripts/sanity.sh .venv|.venv-newest [ansible-test's arguments]
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
venv=$PROJECT/$1
shift

# ansible-test wants to download pip's bootstrap script for its inner environments. Python brings pip with it (ensurepip), so the
# cached script is ours and nothing but the package index is asked. What is installed there has exact versions in ansible-core. The home of its own keeps the user's cache out of it.
export HOME=$PROJECT/.cache/${venv##*/}-sanity
pip_version=$(sed -n "s/^ *pip='\([0-9.]*\)',\$/\1/p" "$venv"/lib/python3.*/site-packages/ansible_test/_internal/python_requirements.py)
mkdir -p "$HOME/.ansible/test/cache"
echo 'import ensurepip; ensurepip.bootstrap()' >"$HOME/.ansible/test/cache/get_pip_${pip_version//./_}.py"

cd "$COLLECTION"
# What pip says while it fills the inner environments is not the result.
PATH=$venv/bin:$PATH "$venv/bin/ansible-test" sanity --local --color yes \
    --python "$("$venv/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')" "$@" 2>&1 |
    grep -E --line-buffered 'Running sanity|ERROR|FATAL|See documentation|^[a-z-]+.?\[0m$|Traceback|Error:'
