#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Moves the fragments of the changelog into the version that galaxy.yml names. Run again, it adds what came later.   scripts/changelog.sh
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
hold_environments
scripts/venv.sh package
export PATH=$PROJECT/.venv-package/bin:$PATH
export ANSIBLE_COLLECTIONS_PATH=$PROJECT/collections
cd "$COLLECTION"
antsibull-changelog release --update-existing --reload-plugins
