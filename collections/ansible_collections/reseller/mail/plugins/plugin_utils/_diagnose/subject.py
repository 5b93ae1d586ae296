# SPDX-License-Identifier: GPL-3.0-or-later
"""What is diagnosed: the address or domain, the evidence about it, and the steps to a first cause.

PRIVATE to the collection. Pure: no Ansible, no files, no network, no clock. The evidence comes in
as arguments.
"""

from __future__ import annotations

import difflib
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.reseller.mail.plugins.module_utils._host.mail_log import Line

from .._model.addresses import complete, redirected
from .._model.domain import Alias, Domain, Mailbox
from .._model.estate import Estate, Node
from .._model.names import without_extension
from .._model.tenant import Tenant
from .._model.values import NOWHERE, Position
from .._verify.finding import Finding

TROUBLES: t.Final[dict[str, str]] = {
    "inbound": "mail does not arrive",
    "outbound": "mail does not leave",
    "spam": "mail ends in spam folders",
    "dkim": "DKIM fails",
    "login": "a mail program cannot log in",
    "smime": "S/MIME does not work",
}
"""The problems that can be diagnosed, and each problem in words."""


@dataclass(frozen=True, slots=True)
class Step:
    """One question on the way to the cause, with its answer.

    ``id`` names the answer. It is empty if the question was not asked, because a step before it
    failed. ``asks`` is the question as a statement that should be true. ``state`` is ``ok``,
    ``warn``, ``fail``, ``blocked`` (not asked after a failure) or ``na``. ``source`` is where the
    evidence comes from: the files, DNS, a probe, a host or the log of a host. ``found`` is the
    evidence.
    """

    id: str
    asks: str
    state: str
    source: str
    found: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Trail:
    """The steps of one problem, in the order in which they depend on each other."""

    trouble: str
    steps: tuple[Step, ...]

    @property
    def cause(self) -> t.Optional[Step]:
        """Return the first step that failed. Later failures may only follow from it."""
        return next((step for step in self.steps if step.state == "fail"), None)

    @property
    def hints(self) -> tuple[Step, ...]:
        """Return the steps with a warning: what to look at if there is no cause."""
        return tuple(step for step in self.steps if step.state == "warn")


@dataclass(frozen=True, slots=True)
class Subject:
    """The address or the domain that is diagnosed.

    ``text`` is the name as it was given. ``name`` is its domain, which may be a domain alias;
    ``domain`` is the domain that it belongs to. ``address`` is the address in that domain, without
    an extension; it is empty for a domain. ``at`` is the place in the files.
    """

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
    """The reply of a host to RCPT TO. ``code`` is 0 if there was no reply."""

    host: str
    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Known:
    """All evidence about a subject. None means that nothing was asked.

    ``dns`` are findings of verify about DNS, ``connections`` those about the ports for users, and
    ``mail`` those about a message that was sent. ``replies`` are the replies to RCPT TO. ``host``
    is the result of address_info on the tenant's node, and ``health`` are verify's findings about
    the result of host_info there. ``log`` has the lines of the node's log. ``why`` has the reasons
    why parts were not asked, by the names of these fields; its key ``lost`` is the error of a node
    that was not reached. ``timestamp`` is the time of the run in UTC.
    """

    estate: Estate
    subject: Subject
    dns: t.Optional[tuple[Finding, ...]] = None
    connections: t.Optional[tuple[Finding, ...]] = None
    replies: t.Optional[tuple[Reply, ...]] = None
    mail: tuple[Finding, ...] = ()
    host: t.Optional[t.Mapping[str, t.Any]] = None
    health: t.Optional[tuple[Finding, ...]] = None
    log: t.Optional[tuple[Line, ...]] = None
    why: t.Mapping[str, str] = field(default_factory=dict)
    timestamp: str = ""

    @property
    def node(self) -> Node:
        """Return the node that serves the subject's tenant."""
        return self.estate.node_of(self.subject.tenant)

    def not_asked(self, what: str) -> str:
        """Return the reason why a part of the evidence is missing."""
        return self.why.get(what) or "not asked"

    def of_host(self, address: str) -> t.Optional[t.Mapping[str, t.Any]]:
        """Return the host's entry for one address, None if it has none."""
        return next(
            (row for row in (self.host or {}).get("addresses", ()) if row["address"] == address),
            None,
        )


Check = t.Callable[[Known], Step]


def follow_checks(trouble: str, known: Known, checks: t.Iterable[Check]) -> Trail:
    """Return the steps of a problem. After the first cause, all steps that apply are blocked."""
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


def find_subject(estate: Estate, text: str) -> Subject:
    """Return the subject of that name.

    Raises LookupError if no tenant has the domain. Its message proposes a similar name.
    """
    local, _at, name = text.rpartition("@")
    for tenant in estate.tenants:
        for domain in tenant.domains:
            if name in domain.names:
                whole = _domain_subject(text, name, tenant, domain)
                return _address_subject(whole, local) if local else whole
    raise LookupError(_no_domain(estate, name))


def _domain_subject(text: str, name: str, tenant: Tenant, domain: Domain) -> Subject:
    """Return the subject for a domain or a domain alias."""
    at = next((alias.at for alias in domain.domain_aliases if alias.name == name), domain.at)
    kind = "domain" if name == domain.name else "domain alias"
    return Subject(text, name, "", kind, tenant, domain, at)


def _no_domain(estate: Estate, name: str) -> str:
    """Return the message for a domain that has no file."""
    given = next((tenant for tenant in estate.tenants if name in tenant.approved_domains), None)
    if given:
        return (
            f"{name} is given to {given.name} ({given.at.of('domains')}), but"
            f" tenants/{given.name}/{name}.yml does not exist yet"
        )
    names = [one for tenant in estate.tenants for domain in tenant.domains for one in domain.names]
    return f"no tenant has {name}{_did_you_mean(name, names)}"


def _did_you_mean(name: str, names: t.Sequence[str]) -> str:
    """Return a question with the most similar name, empty if none is similar."""
    near = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _address_subject(whole: Subject, local: str) -> Subject:
    """Return the subject for an address in a domain. An address in an alias is one of the domain.

    The kind is ``unknown`` if the files do not have the address.
    """
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
    """An address that mail is delivered to, and the place in the files that names it.

    ``wrong`` is a message if the address does not exist.
    """

    address: str
    at: Position
    wrong: str = ""


def targets(estate: Estate, start: Subject) -> list[Target]:
    """Return every address that mail for the subject is delivered to, by the files of the estate.

    Addresses of other providers are returned as they are: only their hosts know more.
    """
    served = {
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
        if name not in served:
            found.append(one)
            continue
        here = _address_subject(Subject(one.address, name, "", "domain", *served[name]), local)
        if here.address in seen:
            continue
        seen.add(here.address)
        if here.kind in ("mailbox", "relayed address"):
            found.append(Target(here.address, one.at))
            waiting += _forwards(here)
        elif here.kind == "unknown":
            found.append(_missing_target(one, here))
        else:
            waiting += _redirections(here, local)
    return found


def _forwards(here: Subject) -> list[Target]:
    """Return the addresses that a mailbox forwards to."""
    forward = here.mailbox.forward if here.mailbox else None
    return [
        Target(to, here.at.of("forward", "to", nth))
        for nth, to in enumerate(forward.to if forward else ())
    ]


def _missing_target(one: Target, here: Subject) -> Target:
    """Return the target with a message that it does not exist."""
    names = [f"{each.name}@{here.name}" for each in (*here.domain.mailboxes, *here.domain.aliases)]
    return Target(
        one.address, one.at, f"{one.address} does not exist{_did_you_mean(one.address, names)}"
    )


def _redirections(here: Subject, local: str) -> t.Iterator[Target]:
    """Yield the addresses that an alias, a catch-all or a role address delivers to."""
    if here.alias:
        for nth, to in enumerate(here.alias.to):
            yield Target(complete(to, here.domain.name), here.alias.at.of("to", nth))
    elif here.kind == "catch-all" and here.domain.catch_all:
        yield Target(here.domain.catch_all, here.at)
    else:
        for to in redirected(here.tenant, here.domain)[local]:
            yield Target(to, here.at)
