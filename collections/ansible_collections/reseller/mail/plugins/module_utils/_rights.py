# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may make a change: the table, and every refusal of a change at once.

PRIVATE to the collection. Pure. Who somebody is, is read from the revision *before* the change alone: no change can give
itself a right. Whatever no row of the table allows is refused.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.reseller.mail.plugins.module_utils import _edits, _names, _revision
from ansible_collections.reseller.mail.plugins.module_utils._model.values import Fault
from ansible_collections.reseller.mail.plugins.module_utils._owners import owner_moves

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._edits import Edit
    from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Estate
    from ansible_collections.reseller.mail.plugins.module_utils._model.tenant import Tenant

SUPER, OPERATOR, TENANT, DOMAIN, USER = ROLES = (
    "super_admin",
    "operator",
    "tenant_admin",
    "domain_admin",
    "mail_user",
)


@dataclass(frozen=True, slots=True)
class Row:
    """``role`` may edit ``keys`` in ``place`` if ``when``; V(*) is any. The first row that fits role, place and key decides."""

    role: str
    place: str
    keys: tuple[str, ...]
    when: str
    rows: str
    words: str = ""


ANY = ("*",)

TABLE = (
    # What the provider keeps apart: who runs hosts does not give away tenants, who has the tenants does not approve hosts.
    Row(SUPER, "estate.yml", ("approved_hosts",), "never", "S3-4", "an operator approves hosts; ask for one with requested_hosts in account.yml"),
    Row(SUPER, "state", ANY, "never", "S3-6", "what nodes report is committed by an operator"),
    Row(SUPER, "*", ANY, "always", "S1-17, S3-1, S3-3, S3-5, S3-9, S4-12, S4-13"),
    Row(OPERATOR, "estate.yml", ("nodes", "approved_hosts", "backup_mx", "premium_relay", "caa"), "always", "S3-4"),
    Row(OPERATOR, "state", ANY, "always", "S3-6"),
    Row(OPERATOR, "account.yml", ("placement", "managed_domains", "outbound_address", "suspended_domains"), "always", "S3-2, S1-19"),
    Row(OPERATOR, "outside", ANY, "always", "S1-17"),
    # A tenant's own people.
    Row(TENANT, "<domain>.yml", ("mailboxes.smime", "mailboxes.smime.*"), "own or regular user", "S3-8, S3-9", "nobody brings another admin's certificate"),
    Row(TENANT, "<domain>.yml", ("",), "domain given", "S3-1, S3-5", "the provider has not given the tenant this domain: domains in its account.yml"),
    Row(TENANT, "<domain>.yml", ANY, "own tenant", "S3-5, S1-18"),
    Row(TENANT, "notes", ANY, "own tenant", "S1-17"),
    Row(DOMAIN, "<domain>.yml", ("", "type", "relay", "relay.*", "domain_aliases", "branding.hostname"), "never", "S4-11", "this takes a tenant_admin"),
    Row(DOMAIN, "<domain>.yml", ("mailboxes.domain_admin", "mailboxes.smime", "mailboxes.smime.*"), "never", "S4-11, S3-9", "this takes a tenant_admin"),
    Row(DOMAIN, "<domain>.yml", ANY, "own domain", "S4-11, S1-18"),
    Row(
        USER, "<domain>.yml", ("mailboxes.display_name", "mailboxes.locale", "mailboxes.sieve", "mailboxes.forward", "mailboxes.forward.*"),
        "own mailbox", "S1-17",
    ),
)  # fmt: skip

PLACES = {
    "estate.yml": "the provider's file",
    "plans.yml": "the provider's file",
    "account.yml": "the provider's file",
    "a tenant": "only a super_admin makes or removes tenants (S3-3)",
    "state": "what nodes report",
    "pipeline": "what decides over changes",
    "outside": "outside the estate",
    "stray": "nothing reads it",
}


PIPELINE = (".github", ".gitlab", ".gitlab-ci.yml", ".gitmodules", ".gitattributes")


@dataclass(frozen=True, slots=True)
class Grant:
    """One role of an actor. ``address`` is the admin whose account the actor's work goes on."""

    role: str
    tenant: str = ""
    address: str = ""
    domains: tuple[str, ...] = ()

    def __str__(self) -> str:
        what = self.address if self.role == USER else ", ".join(self.domains) or self.tenant
        return f"{self.role} of {what}" if self.tenant else self.role


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes the change, and who else agreed to it."""

    name: str
    grants: tuple[Grant, ...]
    consenting: frozenset[str] = frozenset()


def actor(
    estate: Estate, identity: str, groups: t.Collection[str] = (), approvers: t.Collection[str] = ()
) -> Actor:
    """Everything that somebody is, by the forge's identity or groups or by the address of an admin or mailbox."""
    grants = tuple(_grants(estate, identity, groups))
    agreed = [
        *grants,
        *(grant for approver in approvers for grant in _grants(estate, approver, ())),
    ]
    return Actor(
        identity,
        grants,
        frozenset(
            grant.address for grant in agreed if grant.role in (TENANT, DOMAIN) and grant.address
        ),
    )


def _grants(estate: Estate, identity: str, groups: t.Collection[str]) -> t.Iterator[Grant]:
    who, theirs = _plain(identity), {_plain(group) for group in groups}
    tenants = {tenant.name: tenant for tenant in estate.tenants}
    for role in estate.roles:
        if (role.identity and _plain(role.identity) == who) or (
            role.group and _plain(role.group) in theirs
        ):
            tenant = tenants.get(role.tenant or "")
            if role.role in (SUPER, OPERATOR):
                yield Grant(role.role)
            elif tenant is not None:
                yield from _within(tenant, role.role, role.address or tenant.default_owner)
    if "@" in who:
        for tenant in estate.tenants:
            yield from _grants_of_address(tenant, who)


def _grants_of_address(tenant: Tenant, address: str) -> t.Iterator[Grant]:
    """Return what an address may within a tenant, as an admin or as the user of a mailbox."""
    for admin in tenant.admins:
        if admin.address == address:
            yield from _within(tenant, admin.role, address)
    for domain in tenant.domains:
        for mailbox in domain.mailboxes:
            if mailbox.address == address and mailbox.state == "active":
                yield from _within(
                    tenant, DOMAIN if mailbox.domain_admin else USER, address, (domain.name,)
                )


def _within(
    tenant: Tenant, role: str, address: str, domains: tuple[str, ...] = ()
) -> t.Iterator[Grant]:
    """Suspending a tenant suspends its people (S1-19)."""
    if tenant.state in ("pending", "active"):
        if role == DOMAIN and not domains:
            domains = tuple(
                name
                for admin in tenant.admins
                if admin.address == address
                for name in admin.domains
            )
            domains += tuple(
                box.domain
                for domain in tenant.domains
                for box in domain.mailboxes
                if box.address == address and box.domain_admin
            )
        if role != DOMAIN or domains:
            yield Grant(role, tenant.name, address, domains)


def _plain(identity: str) -> str:
    """Forges and mail know no case. Beyond ASCII nothing is folded: some letters would become others."""
    text = identity.strip()
    return text.lower() if text.isascii() else text


def judge(who: Actor, before: Estate, after: Estate, edits: t.Iterable[Edit]) -> list[Fault]:
    """Every refusal, sorted by place; edits of one thing that are refused for one reason are told together."""
    tenants = {tenant.name: tenant for tenant in before.tenants}
    refused = [
        edit for edit in edits if not any(_allows(grant, edit, tenants) for grant in who.grants)
    ]
    whole = {
        edit.file
        for edit in refused
        if not edit.path and edit.what in (_edits.ADDED, _edits.REMOVED)
    }
    together: dict[tuple[str, ...], list[Edit]] = {}
    for edit in refused:
        if not edit.path or edit.file not in whole:
            together.setdefault(
                (edit.file, edit.what, *edit.path[:-1], _why(who, edit)), []
            ).append(edit)
    found = [_refusal(who, group) for group in together.values()]
    if not any(grant.role == SUPER for grant in who.grants):
        found += [
            fault for fault in _ownership(who, before, after) if fault.position.file not in whole
        ]
    return sorted(set(found))


def _ownership(who: Actor, before: Estate, after: Estate) -> t.Iterator[Fault]:
    """Nobody puts something on another's account (S1-12, S1-14). In other tenants' files every edit is refused anyway."""
    mine = {f"tenants/{grant.tenant}" for grant in who.grants}
    for move in owner_moves(before, after):
        if move.at.file.rpartition("/")[0] in mine and not move.parties <= who.consenting:
            consent = " and ".join(sorted(move.parties - who.consenting))
            if move.before is None:
                what = f"{who.name} may not put the new {move.what} on the account of {move.after}"
                own = sorted(who.consenting)
                allowed = (
                    f"owner: {own[0]}, or the word of {consent}"
                    if own
                    else f"the word of {consent}"
                )
            else:
                what = f"{who.name} may not move the {move.what} from the account of {move.before} to that of {move.after}"
                allowed = f"the word of {consent}, or a super_admin's"
            yield Fault(move.at, "not-allowed", what, f"{allowed} (S1-12, S1-14)")


def place(edit: Edit) -> tuple[str, str, str]:
    """Where an edit is made: the table's word, the tenant's folder, the domain's name."""
    parts = edit.file.split("/")
    if not edit.inside:
        return (
            ("pipeline" if parts[0] in PIPELINE or parts[-1] == "CODEOWNERS" else "outside"),
            "",
            "",
        )
    if edit.file in ("estate.yml", "plans.yml"):
        return edit.file, "", ""
    if parts[0] == "state" and len(parts) == 2:
        return "state", "", ""
    if parts[0] == "tenants" and len(parts) == 3:
        _top, tenant, name = parts
        if name == "account.yml":
            return (
                (
                    "a tenant"
                    if edit.what in (_edits.ADDED, _edits.REMOVED) and not edit.path
                    else name
                ),
                tenant,
                "",
            )
        if edit.kind != _revision.FILE:
            return "stray", tenant, ""
        if name.startswith(("README", "CHANGELOG", "LICENSE")):
            return "notes", tenant, ""
        if name.endswith(".yml") and _is_domain(name.removesuffix(".yml")):
            return "<domain>.yml", tenant, name.removesuffix(".yml")
    if (
        parts[0] == "tenants"
        and len(parts) == 2
        and (edit.what, edit.kind) == (_edits.CHANGED, _revision.PIN)
    ):
        return (
            "notes",
            parts[1],
            "",
        )  # the pin of a tenant's repository; what is in it is judged file by file
    return "stray", "", ""


def _is_domain(name: str) -> bool:
    try:
        return _names.mail_domain(name) == name
    except ValueError:
        return False


def _fits(row: Row, role: str, where: str, keys: str) -> bool:
    if row.role != role or row.place not in ("*", where):
        return False
    top = (
        keys if where == "<domain>.yml" else keys.split(".")[0]
    )  # of the provider's files whole tables are given
    return any(
        key in ("*", keys, top) or (key.endswith(".*") and keys.startswith(key[:-1]))
        for key in row.keys
    )


def _deciding(role: str, edit: Edit) -> t.Optional[Row]:
    where, _tenant, _domain = place(edit)
    return next((row for row in TABLE if _fits(row, role, where, edit.keys)), None)


def _allows(grant: Grant, edit: Edit, tenants: t.Mapping[str, Tenant]) -> bool:
    row = _deciding(grant.role, edit)
    return row is not None and WHEN[row.when](grant, edit, tenants)


def _own(grant: Grant, edit: Edit) -> bool:
    return bool(grant.tenant) and place(edit)[1] == grant.tenant


def _address(edit: Edit) -> str:
    """The mailbox that an edit is about."""
    return f"{edit.path[1].removeprefix(':')}@{place(edit)[2]}" if len(edit.path) > 1 else ""


def _given(grant: Grant, edit: Edit, tenants: t.Mapping[str, Tenant]) -> bool:
    tenant = tenants.get(grant.tenant)
    given = tenant is not None and place(edit)[2] in tenant.approved_domains
    return _own(grant, edit) and (given or edit.what != _edits.ADDED)


def _own_or_regular(grant: Grant, edit: Edit, tenants: t.Mapping[str, Tenant]) -> bool:
    """A certificate goes with its mailbox: removing is no upload."""
    tenant = tenants.get(grant.tenant)
    if (
        tenant is None
        or not _own(grant, edit)
        or (edit.path[-1] == "uploaded_by" and edit.text not in (None, grant.address))
    ):
        return False
    admins = {admin.address for admin in tenant.admins}
    admins |= {
        box.address for domain in tenant.domains for box in domain.mailboxes if box.domain_admin
    }
    return (
        edit.what == _edits.REMOVED
        or _address(edit) == grant.address
        or _address(edit) not in admins
    )


WHEN: dict[str, t.Callable[[Grant, Edit, t.Mapping[str, Tenant]], bool]] = {
    "always": lambda grant, edit, tenants: True,
    "never": lambda grant, edit, tenants: False,
    "own tenant": lambda grant, edit, tenants: _own(grant, edit),
    "own domain": lambda grant, edit, tenants: (
        _own(grant, edit) and place(edit)[2] in grant.domains
    ),
    "domain given": _given,
    "own mailbox": lambda grant, edit, tenants: (
        _own(grant, edit) and _address(edit) == grant.address
    ),
    "own or regular user": _own_or_regular,
}


_VERBS = {
    _edits.ADDED: "add",
    _edits.REMOVED: "remove",
    _edits.CHANGED: "change",
    _edits.TEXT_CHANGED: "touch",
}


def _why(who: Actor, edit: Edit) -> str:
    where, tenant, _domain = place(edit)
    if where in ("<domain>.yml", "notes") and tenant not in [grant.tenant for grant in who.grants]:
        return f"it belongs to tenant {tenant}"
    rows = [row for grant in who.grants for row in [_deciding(grant.role, edit)] if row is not None]
    return next((row.words for row in rows if row.words), PLACES.get(where, ""))


def _refusal(who: Actor, group: t.Sequence[Edit]) -> Fault:
    edit = group[0]
    _where, tenant, _domain = place(edit)
    verb = _VERBS.get(edit.what, edit.what)
    if edit.path:
        named = max(
            (at for at, step in enumerate(edit.path[:-1]) if step.startswith(":")), default=-1
        )
        keys = ", ".join(
            dict.fromkeys(".".join(each.path[named + 1 :]).removeprefix(":") for each in group)
        )
        name = edit.path[named].removeprefix(":") if named >= 0 else ""
        what = f"{who.name} may not {verb} {keys}{f' of {name}' if name else ''}"
    else:
        kind = "file" if edit.kind == _revision.FILE else edit.kind
        what = f"{who.name} may not {verb} this {kind}"
    if not who.grants:
        return Fault(
            edit.at,
            "not-allowed",
            f"{what}: before this change nobody of this name has a role",
            "an identity or group of roles in estate.yml",
        )
    known = ", ".join(dict.fromkeys(str(grant) for grant in who.grants))
    allowed = [
        role
        for role in ROLES
        for row in [_deciding(role, edit)]
        if row is not None and row.when != "never"
    ]
    roles = ", ".join(
        role if role in (SUPER, OPERATOR) else f"{role} of {tenant}" for role in allowed
    )
    why = _why(who, edit)
    return Fault(
        edit.at,
        "not-allowed",
        f"{what}, being {known}{f'; {why}' if why else ''}",
        roles or "nobody",
    )
