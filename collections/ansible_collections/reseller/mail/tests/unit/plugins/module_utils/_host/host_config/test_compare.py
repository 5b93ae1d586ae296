# SPDX-License-Identifier: GPL-3.0-or-later
"""What a diff shows of a change, and what it never shows."""

from __future__ import annotations

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.host_config import compare
from ansible_collections.reseller.mail.plugins.module_utils._host.host_config.paths import (
    ABSENT,
    Found,
)
from ansible_collections.reseller.mail.plugins.module_utils._host.host_config.wanted import (
    File,
    Folder,
    HostConfigError,
    Link,
    Rights,
)

ROOT = (0, 0)
RIGHTS = Rights("root", "root", 0o644)


def file(content: bytes = b"new\n", secret: bool = False) -> File:
    return File("/etc/a", RIGHTS, content, secret=secret)


def found(content: bytes = b"old\n", mode: int = 0o644) -> Found:
    return Found("file", ROOT, mode, content)


def test_the_content_of_a_file_is_shown_with_its_path() -> None:
    assert compare.file_diff(found(), file(), ROOT) == {
        "before_header": "/etc/a",
        "after_header": "/etc/a",
        "before": "old\n",
        "after": "new\n",
    }


def test_a_new_file_is_shown_with_its_owner_and_mode() -> None:
    diff = compare.file_diff(ABSENT, file(), ROOT)
    assert (diff["before_header"], diff["after_header"]) == (
        "/etc/a (absent)",
        "/etc/a (file root:root 0644)",
    )
    assert (diff["before"], diff["after"]) == ("", "new\n")


def test_another_mode_is_shown_without_the_content() -> None:
    diff = compare.file_diff(found(b"new\n", 0o600), file(), ROOT)
    assert (diff["before"], diff["after"]) == ("file root:root 0600\n", "file root:root 0644\n")


@pytest.mark.parametrize("before", [found(), ABSENT, found(b"KEY\n", 0o600)])
def test_a_secret_is_in_no_diff(before: Found) -> None:
    diff = compare.file_diff(before, file(b"KEY\n", secret=True), ROOT)
    shown = "".join(diff.values())
    assert "/etc/a" in shown
    assert "KEY" not in shown
    assert "old" not in shown


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"\xff\n", "no text"), (b"a\0b", "no text"), (b"x" * 200_000, "long")],
)
def test_what_cannot_be_shown_is_named_instead(content: bytes, reason: str) -> None:
    assert reason in compare.file_diff(found(), file(content), ROOT)["prepared"]


def test_a_path_of_another_kind_is_refused() -> None:
    folder, device = Found("folder", ROOT, 0o755), Found("other", ROOT, 0o644)
    with pytest.raises(HostConfigError, match=r"/etc/a is no file"):
        compare.content_is_right(folder, file())
    with pytest.raises(HostConfigError, match=r"/etc/l is no link"):
        compare.link_is_right(folder, Link("/etc/l", "x"))
    with pytest.raises(HostConfigError, match=r"/etc/d is no folder"):
        compare.folder_is_right(found(), Folder("/etc/d", RIGHTS), ROOT)
    for kind in (folder, device):
        with pytest.raises(HostConfigError, match=r"/etc/x is no file; remove it yourself"):
            compare.is_absent(kind, "/etc/x")
