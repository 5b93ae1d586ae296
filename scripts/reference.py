# SPDX-License-Identifier: GPL-3.0-or-later
"""Write docs/language.md and docs/schema/ of the collection from the schema (make reference)."""

from __future__ import annotations

import sys
from pathlib import Path

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT / "collections"))

from ansible_collections.reseller.mail.plugins.plugin_utils._language import reference  # noqa: E402

DOCS = PROJECT / "collections/ansible_collections/reseller/mail/docs"

if __name__ == "__main__":
    for name, text in reference.generated(
        (DOCS / reference.PAGE).read_text(encoding="utf-8")
    ).items():
        path = DOCS / name
        path.parent.mkdir(exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(PROJECT)}")
