# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may make a change: the table of rights, and every edit that it refuses.

PRIVATE to the collection. Pure. Roles are read only from the revision *before* the change, so no
change can give itself a right. An edit that no row of the table allows is refused.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._model import names
from .._model.values import Fault
from . import edits as change_edits
from . import revision
from .owners import owner_moves

if t.TYPE_CHECKING:
    from .._model.estate import Estate
    from .._model.tenant import Tenant
    from .edits import Edit
    from .owners import Move

SUPER, OPERATOR, TENANT, DOMAIN, USER = ROLES = (
    "super_admin",
    "operator",
    "tenant_admin",
    "domain_admin",
    "mail_user",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: ``role`` may edit ``keys`` in ``place`` if ``when`` is true.

    ``*`` is every place or key. The first row that fits role, place and key decides. ``rows`` are
    the requirements that it fulfils. ``words`` is the reason that a refusal gives.
    """

    role: str
    place: str
    keys: tuple[str, ...]
    when: str
    rows: str
    words: str = ""


ANY = ("*",)

TABLE = (
    # The provider separates two jobs: an operator runs hosts and makes no tenants. A super_admin
    # makes tenants and approves no hosts.
    Row(SUPER, "estate.yml", ("approved_hosts",), "never", "S3-4",
        "an operator approves hosts; ask for one with requested_hosts in account.yml"),
    Row(SUPER, "state", ANY, "never", "S3-6", "an operator commits what nodes report"),
    Row(SUPER, "*", ANY, "always", "S1-17, S3-1, S3-3, S3-5, S3-9, S4-12, S4-13"),
    Row(OPERATOR, "estate.yml", ("nodes", "approved_hosts", "backup_mx", "premium_relay", "relays",
        "caa"), "always", "S3-4"),
    Row(OPERATOR, "state", ANY, "always", "S3-6"),
    Row(OPERATOR, "account.yml", ("placement", "managed_domains", "outbound_address",
        "suspended_domains", "suspensions", "suspensions.*"), "always", "S3-2, S1-19"),
    Row(OPERATOR, "outside", ANY, "always", "S1-17"),
    # The tenant's own users and admins.
    Row(TENANT, "<domain>.yml", ("mailboxes.smime", "mailboxes.smime.*"), "own or regular user",
        "S3-8, S3-9", "the certificate of another admin is uploaded by that admin"),
    Row(TENANT, "<domain>.yml", ("",), "domain given", "S3-1, S3-5",
        "the provider has not given this domain to the tenant: see domains in account.yml"),
    Row(TENANT, "<domain>.yml", ANY, "own tenant", "S3-5, S1-18"),
    Row(TENANT, "notes", ANY, "own tenant", "S1-17"),
    Row(DOMAIN, "<domain>.yml", ("", "type", "relay", "relay.*", "domain_aliases",
        "branding.hostname"), "never", "S4-11", "only a tenant_admin may do this"),
    Row(DOMAIN, "<domain>.yml", ("mailboxes.domain_admin", "mailboxes.smime", "mailboxes.smime.*"),
        "never", "S4-11, S3-9", "only a tenant_admin may do this"),
    Row(DOMAIN, "<domain>.yml", ANY, "own domain", "S4-11, S1-18"),
    Row(
        USER, "<domain>.yml", ("mailboxes.display_name", "mailboxes.locale", "mailboxes.sieve",
                               "mailboxes.forward", "mailboxes.forward.*"),
        "own mailbox", "S1-17",
    ),
)  # fmt: skip

PLACES = {  # why a place is closed to those who have no row for it
    "estate.yml": "it is the provider's file",
    "plans.yml": "it is the provider's file",
    "account.yml": "it is the provider's file",
    "a tenant": "only a super_admin may add or remove tenants",
    "state": "nodes report it",
    "pipeline": "the forge decides with it about changes",
    "outside": "it is outside the estate",
    "stray": "no playbook reads it",
}

# Files that control the pipeline, or what it reads.
PIPELINE = (".github", ".gitlab", ".gitlab-ci.yml", ".gitmodules", ".gitattributes")


@dataclass(frozen=True, slots=True)
class Grant:
    """One role of an actor. ``address`` is the admin to whom the actor's objects are charged."""

    role: str
    tenant: str = ""
    address: str = ""
    domains: tuple[str, ...] = ()

    def __str__(self) -> str:
        what = self.address if self.role == USER else ", ".join(self.domains) or self.tenant
        return f"{self.role} of {what}" if self.tenant else self.role


@dataclass(frozen=True, slots=True)
class ActorRights:
    """The actor's roles, and the addresses of the admins who agree to the change."""

    name: str
    grants: tuple[Grant, ...]
    agreeing: frozenset[str] = frozenset()

    @property
    def is_super_admin(self) -> bool:
        """Return whether one of the roles is super_admin."""
        return any(grant.role == SUPER for grant in self.grants)


def of_actor(
    estate: Estate, identity: str, groups: t.Collection[str] = (), approvers: t.Collection[str] = ()
) -> ActorRights:
    """Return the rights of an identity, its groups, and those who approved the change.

    ``identity`` is what the forge reports, or the address of an admin or a mailbox.
    """
    grants = tuple(_grants(estate, identity, groups))
    agreed = [
        *grants,
        *(grant for approver in approvers for grant in _grants(estate, approver, ())),
    ]
    return ActorRights(
        identity,
        grants,
        frozenset(
            grant.address for grant in agreed if grant.role in (TENANT, DOMAIN) and grant.address
        ),
    )


def _grants(estate: Estate, identity: str, groups: t.Collection[str]) -> t.Iterator[Grant]:
    """Yield the roles of an identity and its groups, from ``roles`` and then from the tenants."""
    who, theirs = _normalized(identity), {_normalized(group) for group in groups}
    tenants = {tenant.name: tenant for tenant in estate.tenants}
    for role in estate.roles:
        is_theirs = (role.identity and _normalized(role.identity) == who) or (
            role.group and _normalized(role.group) in theirs
        )
        if not is_theirs:
            continue
        tenant = tenants.get(role.tenant or "")
        if role.role in (SUPER, OPERATOR):
            yield Grant(role.role)
        elif tenant is not None:
            yield from _grants_in_tenant(tenant, role.role, role.address or tenant.default_owner)
    if "@" in who:
        for tenant in estate.tenants:
            yield from _grants_of_address(tenant, who)


def _grants_of_address(tenant: Tenant, address: str) -> t.Iterator[Grant]:
    """Yield the roles of an address in a tenant, as an admin or as the user of a mailbox."""
    for admin in tenant.admins:
        if admin.address == address:
            yield from _grants_in_tenant(tenant, admin.role, address)
    for domain in tenant.domains:
        for mailbox in domain.mailboxes:
            if mailbox.address == address and mailbox.state == "active":
                yield from _grants_in_tenant(
                    tenant, DOMAIN if mailbox.domain_admin else USER, address, (domain.name,)
                )


def _grants_in_tenant(
    tenant: Tenant, role: str, address: str, domains: tuple[str, ...] = ()
) -> t.Iterator[Grant]:
    """Yield the role, or nothing if the tenant is suspended or terminated (S1-19).

    A domain_admin without ``domains`` manages those that the tenant's files give to the address.
    """
    if tenant.state not in ("pending", "active"):
        return
    if role == DOMAIN and not domains:
        domains = _managed_domains(tenant, address)
    if role != DOMAIN or domains:
        yield Grant(role, tenant.name, address, domains)


def _managed_domains(tenant: Tenant, address: str) -> tuple[str, ...]:
    """Return the domains that an address manages, as an admin or by ``domain_admin: true``."""
    as_admin = [
        name for admin in tenant.admins if admin.address == address for name in admin.domains
    ]
    by_mailbox = [
        mailbox.domain
        for domain in tenant.domains
        for mailbox in domain.mailboxes
        if mailbox.address == address and mailbox.domain_admin
    ]
    return (*as_admin, *by_mailbox)


def _normalized(identity: str) -> str:
    """Return an identity in lower case, as forges and mail compare it.

    Case is only changed in ASCII. Beyond ASCII some letters would become other letters.
    """
    text = identity.strip()
    return text.lower() if text.isascii() else text


def refusals(
    who: ActorRights, before: Estate, after: Estate, edits: t.Iterable[Edit]
) -> list[Fault]:
    """Return every refusal, sorted by place.

    Edits of one object that are refused for the same reason are one refusal. If a whole file is
    refused, its keys are not listed.
    """
    tenants = {tenant.name: tenant for tenant in before.tenants}
    refused = [edit for edit in edits if not _may_make(who, edit, tenants)]
    whole_files = {edit.file for edit in refused if _is_whole_file(edit)}
    together: dict[tuple[str, ...], list[Edit]] = {}
    for edit in refused:
        if not edit.path or edit.file not in whole_files:
            key = (edit.file, edit.what, *edit.path[:-1], _why(who, edit))
            together.setdefault(key, []).append(edit)
    found = [_refusal(who, group) for group in together.values()]
    if not who.is_super_admin:
        found += [
            fault
            for fault in _refused_moves(who, before, after)
            if fault.position.file not in whole_files
        ]
    return sorted(set(found))


def _is_whole_file(edit: Edit) -> bool:
    """Return whether the edit adds or removes a file."""
    return not edit.path and edit.what in (change_edits.ADDED, change_edits.REMOVED)


def _refused_moves(who: ActorRights, before: Estate, after: Estate) -> t.Iterator[Fault]:
    """Yield a refusal for each object that is charged to an owner who did not agree (S1-12, S1-14).

    In the files of other tenants every edit is refused anyway.
    """
    own_folders = {f"tenants/{grant.tenant}" for grant in who.grants}
    for move in owner_moves(before, after):
        if move.at.file.rpartition("/")[0] in own_folders and not move.parties <= who.agreeing:
            yield _refused_move(who, move)


def _refused_move(who: ActorRights, move: Move) -> Fault:
    """Return the refusal of one object that gets an owner."""
    approval = f"the approval of {' and '.join(sorted(move.parties - who.agreeing))}"
    if move.before is None:
        what = f"{who.name} may not charge the new {move.what} to {move.after}"
        own = sorted(who.agreeing)
        allowed = f"owner: {own[0]}, or {approval}" if own else approval
    else:
        what = (
            f"{who.name} may not move the {move.what} from the account of {move.before} to the"
            f" account of {move.after}"
        )
        allowed = f"{approval}, or a super_admin"
    return Fault(move.at, "not-allowed", what, allowed)


class Place(t.NamedTuple):
    """Where an edit is: the place in the table, the tenant's folder, the domain's name."""

    kind: str
    tenant: str = ""
    domain: str = ""


def place(edit: Edit) -> Place:
    """Return where an edit is made."""
    top, *below = edit.file.split("/")
    if not edit.inside:
        is_pipeline = top in PIPELINE or (below or [top])[-1] == "CODEOWNERS"
        return Place("pipeline" if is_pipeline else "outside")
    if edit.file in ("estate.yml", "plans.yml"):
        return Place(edit.file)
    if top == "state" and len(below) == 1:
        return Place("state")
    if top == "tenants" and len(below) == 2:
        return _place_in_tenant(edit, *below)
    if top == "tenants" and len(below) == 1 and _is_moved_pin(edit):
        return Place("notes", below[0])  # the files of its repository are edits of their own
    return Place("stray")


def _place_in_tenant(edit: Edit, tenant: str, name: str) -> Place:
    """Return the place of a file in a tenant's folder."""
    if name == "account.yml":
        return Place("a tenant" if _is_whole_file(edit) else name, tenant)
    if edit.kind != revision.FILE:
        return Place("stray", tenant)
    if name.startswith(("README", "CHANGELOG", "LICENSE")):
        return Place("notes", tenant)
    domain = name.removesuffix(".yml")
    if name.endswith(".yml") and _is_domain(domain):
        return Place("<domain>.yml", tenant, domain)
    return Place("stray")


def _is_moved_pin(edit: Edit) -> bool:
    """Return whether the edit sets another commit of a tenant's own repository."""
    return (edit.what, edit.kind) == (change_edits.CHANGED, revision.PIN)


def _is_domain(name: str) -> bool:
    """Return whether the name is a mail domain, as the files write it."""
    try:
        return names.mail_domain(name) == name
    except ValueError:
        return False


def _fits(row: Row, role: str, where: str, keys: str) -> bool:
    """Return whether a row is about this role, place and key."""
    if row.role != role or row.place not in ("*", where):
        return False
    # In the provider's files a row names only the first key of an edit.
    top = keys if where == "<domain>.yml" else keys.split(".")[0]
    return any(
        key in ("*", keys, top) or (key.endswith(".*") and keys.startswith(key[:-1]))
        for key in row.keys
    )


def _deciding_row(role: str, edit: Edit) -> t.Optional[Row]:
    """Return the first row that fits, which decides; None if no row fits."""
    where = place(edit).kind
    return next((row for row in TABLE if _fits(row, role, where, edit.keys)), None)


def _may_make(who: ActorRights, edit: Edit, tenants: t.Mapping[str, Tenant]) -> bool:
    """Return whether one of the actor's roles allows the edit."""
    return any(_allows(grant, edit, tenants) for grant in who.grants)


def _allows(grant: Grant, edit: Edit, tenants: t.Mapping[str, Tenant]) -> bool:
    """Return whether one role allows the edit."""
    row = _deciding_row(grant.role, edit)
    return row is not None and WHEN[row.when](grant, edit, tenants)


def _is_own_tenant(grant: Grant, edit: Edit) -> bool:
    """Return whether the edit is in the folder of the role's tenant."""
    return bool(grant.tenant) and place(edit).tenant == grant.tenant


def _mailbox(edit: Edit) -> str:
    """Return the address of the mailbox that is edited; empty for an edit of the whole file."""
    return f"{edit.path[1].removeprefix(':')}@{place(edit).domain}" if len(edit.path) > 1 else ""


def _is_given_domain(grant: Grant, edit: Edit, tenants: t.Mapping[str, Tenant]) -> bool:
    """Return whether the provider gave the domain to the tenant. A file can always be removed."""
    tenant = tenants.get(grant.tenant)
    given = tenant is not None and place(edit).domain in tenant.approved_domains
    return _is_own_tenant(grant, edit) and (given or edit.what != change_edits.ADDED)


def _may_bring_certificate(grant: Grant, edit: Edit, tenants: t.Mapping[str, Tenant]) -> bool:
    """Return whether the actor may edit this mailbox's certificate: the own one, or a user's.

    To remove a certificate is no upload: it goes with its mailbox.
    """
    tenant = tenants.get(grant.tenant)
    if tenant is None or not _is_own_tenant(grant, edit):
        return False
    if edit.path[-1] == "uploaded_by" and edit.text not in (None, grant.address):
        return False
    mailbox = _mailbox(edit)
    return (
        edit.what == change_edits.REMOVED
        or mailbox == grant.address
        or mailbox not in _addresses_of_admins(tenant)
    )


def _addresses_of_admins(tenant: Tenant) -> set[str]:
    """Return the addresses of a tenant's admins and domain admins."""
    domain_admins = {
        mailbox.address
        for domain in tenant.domains
        for mailbox in domain.mailboxes
        if mailbox.domain_admin
    }
    return {admin.address for admin in tenant.admins} | domain_admins


WHEN: dict[str, t.Callable[[Grant, Edit, t.Mapping[str, Tenant]], bool]] = {
    "always": lambda grant, edit, tenants: True,
    "never": lambda grant, edit, tenants: False,
    "own tenant": lambda grant, edit, tenants: _is_own_tenant(grant, edit),
    "own domain": lambda grant, edit, tenants: (
        _is_own_tenant(grant, edit) and place(edit).domain in grant.domains
    ),
    "domain given": _is_given_domain,
    "own mailbox": lambda grant, edit, tenants: (
        _is_own_tenant(grant, edit) and _mailbox(edit) == grant.address
    ),
    "own or regular user": _may_bring_certificate,
}
"""The conditions of the table."""


_VERBS = {
    change_edits.ADDED: "add",
    change_edits.REMOVED: "remove",
    change_edits.CHANGED: "change",
    change_edits.TEXT_CHANGED: "touch",
}


def _why(who: ActorRights, edit: Edit) -> str:
    """Return the reason of a refusal; empty if the roles alone explain it."""
    where, tenant, _domain = place(edit)
    if where in ("<domain>.yml", "notes") and tenant not in [grant.tenant for grant in who.grants]:
        return f"it belongs to tenant {tenant}"
    rows = [_deciding_row(grant.role, edit) for grant in who.grants]
    return next((row.words for row in rows if row and row.words), PLACES.get(where, ""))


def _refusal(who: ActorRights, group: t.Sequence[Edit]) -> Fault:
    """Return the refusal of edits of one object."""
    edit = group[0]
    what = f"{who.name} may not {_VERBS.get(edit.what, edit.what)} {_edited(group)}"
    if not who.grants:
        return Fault(
            edit.at,
            "not-allowed",
            f"{what}: before this change, no role belongs to this name",
            "an identity or group of roles in estate.yml",
        )
    roles = ", ".join(dict.fromkeys(str(grant) for grant in who.grants))
    why = _why(who, edit)
    return Fault(
        edit.at,
        "not-allowed",
        f"{what} as {roles}{f'; {why}' if why else ''}",
        _allowed_roles(edit) or "no role",
    )


def _edited(group: t.Sequence[Edit]) -> str:
    """Return what is edited: "this file", or the keys and the name of their object."""
    edit = group[0]
    if not edit.path:
        return f"this {'file' if edit.kind == revision.FILE else edit.kind}"
    # The last step with a colon is the name of the object; the keys are behind it.
    named = max((at for at, step in enumerate(edit.path[:-1]) if step.startswith(":")), default=-1)
    keys = dict.fromkeys(".".join(each.path[named + 1 :]).removeprefix(":") for each in group)
    name = edit.path[named].removeprefix(":") if named >= 0 else ""
    return f"{', '.join(keys)}{f' of {name}' if name else ''}"


def _allowed_roles(edit: Edit) -> str:
    """Return the roles that may make the edit, at least under a condition."""
    tenant = place(edit).tenant
    allowed = []
    for role in ROLES:
        row = _deciding_row(role, edit)
        if row is not None and row.when != "never":
            allowed.append(role if role in (SUPER, OPERATOR) else f"{role} of {tenant}")
    return ", ".join(allowed)
