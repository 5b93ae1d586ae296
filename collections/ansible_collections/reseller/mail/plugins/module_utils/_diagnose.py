# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the trouble with an address or a domain comes from: what is asked about, what is known, and how a first cause is found.

PRIVATE to the collection. Pure: no Ansible, no files, no network, no clock; what was found out comes in as arguments.
"""

from __future__ import annotations

import difflib
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.reseller.mail.plugins.module_utils._compile._addresses import (
    complete,
    redirected,
)
from ansible_collections.reseller.mail.plugins.module_utils._diagnose_log import Line
from ansible_collections.reseller.mail.plugins.module_utils._finding import Finding
from ansible_collections.reseller.mail.plugins.module_utils._model.domain import (
    Alias,
    Domain,
    Mailbox,
)
from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Estate, Node
from ansible_collections.reseller.mail.plugins.module_utils._model.tenant import Tenant
from ansible_collections.reseller.mail.plugins.module_utils._model.values import NOWHERE, Position
from ansible_collections.reseller.mail.plugins.module_utils._names import without_extension

TROUBLES: t.Final[dict[str, str]] = {
    "inbound": "mail does not arrive",
    "outbound": "mail does not leave",
    "spam": "mail ends in spam folders",
    "dkim": "DKIM fails",
    "login": "a mail program cannot log in",
    "smime": "S/MIME does not work",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One question on the way to the cause. ``id`` is the answer's, empty where none was wanted any more; ``source`` says whose word the
    evidence is: the files, DNS, a probe, a host, its log."""

    id: str
    asks: str
    state: str
    source: str
    found: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Trail:
    """One trouble's steps, in the order in which they depend on each other."""

    trouble: str
    steps: tuple[Step, ...]

    @property
    def cause(self) -> t.Optional[Step]:
        """The first thing that is wrong; whatever came after it may merely follow from it."""
        return next((step for step in self.steps if step.state == "fail"), None)

    @property
    def hints(self) -> tuple[Step, ...]:
        """What works and yet needs a look; what to look at where there is no cause."""
        return tuple(step for step in self.steps if step.state == "warn")


@dataclass(frozen=True, slots=True)
class Subject:
    """What is asked about. ``name`` stands behind the @ as it was asked, ``domain`` is whose that name is; ``address`` is empty for a domain."""

    text: str
    name: str
    address: str
    kind: str
    tenant: Tenant
    domain: Domain
    at: Position = NOWHERE
    mailbox: t.Optional[Mailbox] = None
    alias: t.Optional[Alias] = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What a host says to RCPT TO; ``code`` is 0 where nobody answers."""

    host: str
    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Known:
    """All evidence. ``host`` is what the tenant's node says (address_info), None where it was not asked, and ``why`` then says why not;
    ``health`` is whether that node is well itself (host_info, judged as verify does).
    ``mail`` are findings of a message that was really sent; ``knocks`` those of the doors."""

    estate: Estate
    subject: Subject
    dns: t.Optional[tuple[Finding, ...]] = None
    knocks: t.Optional[tuple[Finding, ...]] = None
    replies: t.Optional[tuple[Reply, ...]] = None
    mail: tuple[Finding, ...] = ()
    host: t.Optional[t.Mapping[str, t.Any]] = None
    health: t.Optional[tuple[Finding, ...]] = None
    log: t.Optional[tuple[Line, ...]] = None
    why: t.Mapping[str, str] = field(default_factory=dict)
    moment: str = ""

    @property
    def node(self) -> Node:
        return self.estate.node_of(self.subject.tenant)

    def not_asked(self, what: str) -> str:
        return self.why.get(what) or "not asked"

    def of_host(self, address: str) -> t.Optional[t.Mapping[str, t.Any]]:
        """What the host says of one address."""
        return next(
            (row for row in (self.host or {}).get("addresses", ()) if row["address"] == address),
            None,
        )


Check = t.Callable[[Known], Step]


def trail(trouble: str, known: Known, checks: t.Iterable[Check]) -> Trail:
    """Up to the first cause; the rest is not worth anybody's time before that is mended."""
    steps: list[Step] = []
    cause = None
    for check in checks:
        step = check(known)
        steps.append(
            replace(step, id="", state="blocked", found=f"after {cause.id}", remedy="")
            if cause and step.state != "na"
            else step
        )
        cause = cause or (step if step.state == "fail" else None)
    return Trail(trouble, tuple(steps))


def subject(estate: Estate, text: str) -> Subject:
    """The subject of that name. LookupError, with what may be meant, for a domain that nobody here has: whoever asks about it asks the
    wrong provider."""
    local, _at, name = text.rpartition("@")
    for tenant in estate.tenants:
        for domain in tenant.domains:
            if name in domain.names:
                at = next(
                    (alias.at for alias in domain.domain_aliases if alias.name == name), domain.at
                )
                whole = Subject(
                    text,
                    name,
                    "",
                    "domain" if name == domain.name else "domain alias",
                    tenant,
                    domain,
                    at,
                )
                return _address(whole, local) if local else whole
    names = [
        name for tenant in estate.tenants for domain in tenant.domains for name in domain.names
    ]
    given = next((tenant for tenant in estate.tenants if name in tenant.approved_domains), None)
    if given:
        raise LookupError(
            f"{name} is given to {given.name} ({given.at.of('domains')}), but tenants/{given.name}/{name}.yml does not exist yet"
        )
    near = difflib.get_close_matches(name, names, n=1)
    raise LookupError(f"no tenant has {name}{f'; did you mean {near[0]}?' if near else ''}")


def _address(whole: Subject, local: str) -> Subject:
    """An address of the domain, or of the name it stands for."""
    domain = whole.domain
    address = f"{local}@{domain.name}"
    plain = without_extension(address)
    local = plain.rpartition("@")[0]
    there = replace(whole, address=plain)
    for mailbox in domain.mailboxes:
        if mailbox.name == local:
            return replace(there, kind="mailbox", mailbox=mailbox, at=mailbox.at)
    for alias in domain.aliases:
        if alias.name == local:
            return replace(there, kind="alias", alias=alias, at=alias.at)
    for sender in domain.sender_addresses:
        if sender.name == local:
            return replace(there, kind="sender address", at=sender.at)
    if domain.relay and any(one.partition("@")[0] == local for one in domain.relay.recipients):
        return replace(there, kind="relayed address", at=domain.at.of("relay", "recipients"))
    if local in redirected(whole.tenant, domain):
        return replace(there, kind="role address", at=whole.tenant.at.of("default_owner"))
    if domain.catch_all:
        return replace(there, kind="catch-all", at=domain.at.of("catch_all"))
    return replace(there, kind="unknown")


class Target(t.NamedTuple):
    """Where an address leads, and where the files say so; ``wrong`` when that address is nobody's."""

    address: str
    at: Position
    wrong: str = ""


def targets(estate: Estate, start: Subject) -> list[Target]:
    """Every address that mail for the subject ends at, by the files of the whole estate; those outside it are their hosts' business."""
    homes = {
        name: (tenant, domain)
        for tenant, domain in estate.served_domains()
        for name in domain.names
    }
    found: list[Target] = []
    seen: set[str] = set()
    waiting = [Target(start.address, start.at)]
    while waiting:
        one = waiting.pop(0)
        local, _at, name = without_extension(one.address).rpartition("@")
        if name not in homes:
            found.append(one)
            continue
        here = _address(Subject(one.address, name, "", "domain", *homes[name]), local)
        if here.address in seen:
            continue
        seen.add(here.address)
        if here.kind in ("mailbox", "relayed address"):
            found.append(Target(here.address, one.at))
            forward = here.mailbox.forward if here.mailbox else None
            waiting += (
                [Target(to, here.at.of("forward", "to", nth)) for nth, to in enumerate(forward.to)]
                if forward
                else []
            )
        elif here.kind == "unknown":
            names = [
                f"{each}@{name}"
                for each in (
                    *(box.name for box in here.domain.mailboxes),
                    *(alias.name for alias in here.domain.aliases),
                )
            ]
            near = difflib.get_close_matches(one.address, names, n=1)
            found.append(
                Target(
                    one.address,
                    one.at,
                    f"{one.address} does not exist{f'; did you mean {near[0]}?' if near else ''}",
                )
            )
        else:
            waiting += _led(here, local)
    return found


def _led(here: Subject, local: str) -> t.Iterator[Target]:
    if here.alias:
        for nth, to in enumerate(here.alias.to):
            yield Target(complete(to, here.domain.name), here.alias.at.of("to", nth))
    elif here.kind == "catch-all" and here.domain.catch_all:
        yield Target(here.domain.catch_all, here.at)
    else:
        for to in redirected(here.tenant, here.domain)[local]:
            yield Target(to, here.at)
