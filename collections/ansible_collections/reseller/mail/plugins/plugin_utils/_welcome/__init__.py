# SPDX-License-Identifier: GPL-3.0-or-later
"""The welcome pack of each tenant: letters, settings, DNS records and the go-live report.

PRIVATE to the collection. Pure: no Ansible, no files, no clock. The same estate, contracts,
findings and time give the same bytes.
"""

from __future__ import annotations

import base64
import re
import typing as t
from collections import defaultdict
from dataclasses import dataclass, field

from .._guide import colour
from .._guide.facts import sheets as sheets_of
from .._guide.texts import language
from .._model.services import brand
from . import html_form, letters, ready, sheets, text_form
from .document import Link, Look, words_of

if t.TYPE_CHECKING:
    from .._guide.facts import Sheet
    from .._model.domain import Domain
    from .._model.estate import Estate
    from .._model.tenant import Tenant
    from .._verify.finding import Finding
    from .contracts import Contract
    from .document import Document

STYLE = "welcome.css"
"""The file in this folder with the rules of all documents."""
_COMMENT = re.compile(r"/\*.*?\*/\n?", re.DOTALL)
_MIME: t.Final = {".png": "image/png", ".webp": "image/webp", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class Pack:
    """The files of one tenant by path, or why it has none yet."""

    tenant: str
    files: dict[str, bytes] = field(default_factory=dict)
    held: tuple[str, ...] = ()


@dataclass(frozen=True)
class Inputs:
    """What packs are made of, beside the estate.

    Attributes:
        findings, checked: the findings of verify and their time, which is empty without findings.
        contracts: by the name of a tenant.
        logos: (suffix, content) by the name of a domain or tenant.
        guide_css, css: the style sheets of the guide and of this folder.
        verified: whether a tenant gets its pack only when verify found all in order.
    """

    findings: t.Sequence[Finding]
    checked: str
    contracts: t.Mapping[str, Contract]
    logos: t.Mapping[str, tuple[str, bytes]]
    guide_css: str
    css: str
    verified: bool = True


def packs(estate: Estate, inputs: Inputs, tenants: t.Collection[str] = ()) -> t.Iterator[Pack]:
    """Yield the pack of each tenant, or of those that are named. Terminated tenants get none."""
    by_tenant: dict[str, list[Sheet]] = defaultdict(list)
    for sheet in sheets_of(estate, inputs.findings):
        by_tenant[sheet.tenant.name].append(sheet)
    for tenant in estate.tenants:
        if (tenant.name in tenants) if tenants else tenant.state != "terminated":
            served = [sheet for sheet in by_tenant[tenant.name] if sheet.verified]
            served.sort(key=_with_its_domain)
            yield _pack(estate, tenant, served, inputs)


def _with_its_domain(sheet: Sheet) -> tuple[str, bool, str]:
    """Return a key that sorts domain aliases behind their domain."""
    return sheet.domain.name, sheet.name != sheet.domain.name, sheet.name


def _pack(estate: Estate, tenant: Tenant, served: list[Sheet], inputs: Inputs) -> Pack:
    """Return the pack of one tenant; ``served`` are its names that hosts serve."""
    held = ready.why_not_served(tenant, served)
    if not held and inputs.verified:
        held = ready.why_not_ready(served, estate.node_of(tenant), inputs.findings)
    if held:
        return Pack(tenant.name, held=tuple(held))
    files: dict[str, bytes] = {}
    for path, made in _documents(estate, tenant, served, inputs):
        files[f"{path}.html"] = html_form.page(made)
        files[f"{path}.txt"] = text_form.text(made)
    return Pack(tenant.name, files)


def _documents(
    estate: Estate, tenant: Tenant, served: t.Sequence[Sheet], inputs: Inputs
) -> t.Iterator[tuple[str, Document]]:
    """Yield (path without suffix, document) of one tenant."""
    main, looks = _main(tenant, served), _Looks(estate, tenant, inputs)
    contract, look = inputs.contracts.get(tenant.name), looks.of(main.domain, main.domain.locale)
    yield "letter", letters.to_client(served, main, contract, look, inputs.checked)
    for sheet in served:
        domain = sheet.domain
        look = looks.of(domain, domain.locale)
        yield f"{sheet.name}/dns", sheets.dns(sheet, look)
        if inputs.checked:
            yield f"{sheet.name}/golive", sheets.golive(sheet, look, inputs.checked)
        if sheet.name != domain.name:
            continue
        yield f"{sheet.name}/clients", sheets.clients(sheet, look)
        for mailbox in domain.mailboxes:
            made = letters.to_user(sheet, mailbox, looks.of(domain, mailbox.locale))
            if made:
                yield f"{sheet.name}/mailboxes/{mailbox.name}", made


def _main(tenant: Tenant, served: t.Sequence[Sheet]) -> Sheet:
    """Return the name whose language and brand the letter to the client has.

    It is the domain of the tenant's default owner, else the first one.
    """
    home = tenant.default_owner.rpartition("@")[2]
    return next((sheet for sheet in served if sheet.name == home), served[0])


class _Looks:
    """The looks of one tenant's documents, each made once."""

    def __init__(self, estate: Estate, tenant: Tenant, inputs: Inputs) -> None:
        self._provider = estate.provider
        self._tenant = tenant
        self._inputs = inputs
        self._made: dict[tuple[str, str], Look] = {}

    def of(self, domain: Domain, locale: str) -> Look:
        """Return the look of documents for a domain in a language."""
        key = domain.name, language(locale)
        if key not in self._made:
            self._made[key] = self._look(domain, key[1])
        return self._made[key]

    def _look(self, domain: Domain, chosen: str) -> Look:
        say, provider, inputs = words_of(chosen), self._provider, self._inputs
        links = {
            "help": domain.branding.support_url or provider.support_url,
            "status_page": provider.status_url,
        }
        picture = inputs.logos.get(domain.name) or inputs.logos.get(self._tenant.name)
        logo = ""
        if picture:
            content = base64.b64encode(picture[1]).decode()
            logo = f"data:{_MIME[picture[0]]};base64,{content}"
        rules = (
            colour.palette(inputs.guide_css),
            colour.style(domain.branding.colour),
            inputs.css,
        )
        return Look(
            brand(provider, domain),
            say("by", provider=provider.name),
            tuple(Link(say(words), url) for words, url in links.items() if url),
            _COMMENT.sub("", "".join(rules)),
            logo,
        )
