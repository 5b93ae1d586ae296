# SPDX-License-Identifier: GPL-3.0-or-later
"""What the action plugins for DNS share: the book of what was published, and the part that octoDNS loads.

PRIVATE to the collection. Runs on the controller.
"""

from __future__ import annotations

from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible_collections.reseller.mail.plugins.module_utils import _dns_book
from ansible_collections.reseller.mail.plugins.plugin_utils import _files


def book_of(estate: str) -> _dns_book.Book:
    """The estate's book; empty when nothing was published yet."""
    text = _files.text(Path(estate) / _dns_book.FILE)
    try:
        return _dns_book.read(text) if text else {}
    except ValueError as error:
        raise AnsibleActionFail(
            f"{error}; restore it from version control, or remove it: then former records are known by the estate's marks only"
        ) from error


def write_book(estate: str, book: _dns_book.Book, check_mode: bool) -> bool:
    """Whether the book differs from what it was; nothing is written in check mode, or where there is nothing to write down."""
    path, text = Path(estate) / _dns_book.FILE, _dns_book.text(book)
    before = _files.text(path)
    if before == text or (not before and not book):
        return False
    if not check_mode:
        _files.write({path: text.encode()})
    return True


def processor() -> str:
    """The module that octoDNS loads from beside its configuration."""
    return _files.text(Path(__file__).parent / "reseller_mail_octodns.py")
