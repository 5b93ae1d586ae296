# SPDX-License-Identifier: GPL-3.0-or-later
"""What role base installs."""

from __future__ import annotations

from pathlib import Path

import yaml

DEFAULTS = Path(__file__).parents[3] / "roles/base/defaults/main.yml"


def test_postfix_is_named_so_that_apt_removes_another_mail_server() -> None:
    """apt of Debian 12 does not remove Exim for a package that only depends on Postfix: it fails
    with "pkgProblemResolver::Resolve generated breaks"."""
    packages = yaml.safe_load(DEFAULTS.read_text(encoding="utf-8"))["base_packages"]
    assert {"postfix", "postfix-lmdb"} <= set(packages)
