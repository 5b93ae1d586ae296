# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide: a page for each domain with its DNS records, and an index for the provider.

PRIVATE to the collection. Pure: no Ansible, no files, no clock. The same estate, findings and time
give the same bytes.
"""

from __future__ import annotations

import hashlib
import typing as t
from dataclasses import dataclass, field

from . import colour
from .facts import Sheet, sheets
from .frame import Frame
from .overview import overview
from .page import domain_page
from .texts import LANGUAGES, language

if t.TYPE_CHECKING:
    from .._model.estate import Estate
    from .._verify.finding import Finding

__all__ = ["ASSETS", "LOGOS", "Guide", "Sheet", "make"]

ASSETS = ("guide.css", "guide.js")
"""Files in this folder that all pages use."""

LOGOS: t.Final[t.Mapping[str, t.Callable[[bytes], bool]]] = {
    ".png": lambda content: content.startswith(b"\x89PNG\r\n\x1a\n"),
    ".webp": lambda content: content[:4] == b"RIFF" and content[8:12] == b"WEBP",
    ".svg": lambda content: b"<svg" in content[:1000].lower(),
}
"""Suffixes of pictures, each with a function that returns whether a content is such a picture."""


@dataclass(frozen=True)
class Guide:
    """All pages.

    ``shared``, ``index`` (the provider's) and ``domains[name]`` are contents by file name.
    """

    sheets: tuple[Sheet, ...]
    shared: dict[str, bytes]
    domains: dict[str, dict[str, bytes]]
    index: dict[str, bytes] = field(default_factory=dict)

    def files(self) -> dict[str, bytes]:
        """Return all contents by path."""
        return {
            **self.shared,
            **self.index,
            **{
                f"{name}/{file}": content
                for name, files in self.domains.items()
                for file, content in files.items()
            },
        }


def make(
    estate: Estate,
    findings: t.Iterable[Finding],
    checked: str,
    assets: t.Mapping[str, bytes],
    logos: t.Optional[t.Mapping[str, tuple[str, bytes]]] = None,
    node: t.Optional[str] = None,
) -> Guide:
    """Return the guide.

    ``checked`` is the time of the findings (2026-11-21T14:00:00Z), empty if there are none.
    ``assets`` are the contents of ``ASSETS``. ``logos`` are (suffix, content) by the name of a
    domain or tenant. The address in ``branding.logo`` is not used: pages load nothing from other
    sites. ``node`` leaves out the tenants of other nodes.
    """
    version = hashlib.sha256(
        b"".join(content for _name, content in sorted(assets.items()))
    ).hexdigest()[:12]
    found = [sheet for sheet in sheets(estate, findings) if node in (None, sheet.node.name)]
    domains = {sheet.name: _files(sheet, estate, checked, version, logos or {}) for sheet in found}
    own = language(estate.own_settings.get("locale") or "en")
    files = _names(own)
    index = {
        file: overview(found, Frame(one, checked, files, version, up=""), estate.provider.name)
        for one, file in files.items()
    }
    return Guide(
        tuple(found), {**dict(assets), "brand.css": colour.style(None).encode()}, domains, index
    )


def _names(own: str) -> dict[str, str]:
    """Return the file of each language. The language of the domain has ``index.html``."""
    return {one: "index.html" if one == own else f"{one}.html" for one in LANGUAGES}


def _files(
    sheet: Sheet,
    estate: Estate,
    checked: str,
    version: str,
    logos: t.Mapping[str, tuple[str, bytes]],
) -> dict[str, bytes]:
    """Return the files of one domain: its pages, its logo and its style sheet."""
    picture = logos.get(sheet.name) or logos.get(sheet.domain.name) or logos.get(sheet.tenant.name)
    logo = {f"logo{picture[0]}": picture[1]} if picture else {}
    files = _names(language(sheet.domain.locale))
    pages = {
        file: domain_page(
            sheet, Frame(one, checked, files, version, logo=next(iter(logo), "")), estate.provider
        )
        for one, file in files.items()
    }
    return {**pages, **logo, "brand.css": colour.style(sheet.domain.branding.colour).encode()}
