#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Builds the docsite of the collection: its pages, the READMEs of its roles, and what ansible-doc shows.   scripts/docs.sh [folder]
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
site=$(realpath -m "${1:-build/docs}")
hold_environments
scripts/venv.sh package
export PATH=$PROJECT/.venv-package/bin:$PATH
export ANSIBLE_COLLECTIONS_PATH=$PROJECT/collections

rm -rf "$site"
mkdir -p "$site/source/collection"
chmod go-w "$site/source/collection"   # antsibull-docs insists on it
antsibull-docs collection --use-current --squash-hierarchy --no-add-antsibull-docs-version --fail-on-error \
    --dest-dir "$site/source/collection" reseller.mail
cp docs/site/conf.py docs/site/index.rst "$site/source/"
python scripts/docs_pages.py "$site/source"
sphinx-build -M html "$site/source" "$site" --fail-on-warning --keep-going --quiet --jobs auto
note "The docsite is in $site/html: open index.html there."
