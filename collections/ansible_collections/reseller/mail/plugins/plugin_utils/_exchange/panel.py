# SPDX-License-Identifier: GPL-3.0-or-later
"""The data of another panel, collected row by row and written as documents of tenants.

PRIVATE to the collection. Pure. The importers of Modoboa and PostfixAdmin share it. It guesses
nothing. Everything that cannot be imported, or that the schema refuses, is listed with its row.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._host import hashes

from .._language.scalars import TEXT
from .._model import names as model_names
from .._model.sizes import size
from .document import Document, Draft, Lost
from .panel_objects import Choice, PanelAdmin, PanelAlias, PanelDomain, PanelMailbox

MIB = 2**20
SWITCHED_OFF_ALIAS = "it is switched off, and an alias here is always on"
# Other schemes of crypt(3). They are refused; the table gives their names for the message.
_FOREIGN = {"$5$": "SHA256-CRYPT", "$1$": "MD5-CRYPT"}


class Panel:
    """The data of one panel. Importers add to it row by row; ``draft`` returns the documents."""

    def __init__(self, choice: Choice) -> None:
        self.choice = choice
        self.domains: dict[str, PanelDomain] = {}
        self.admins: list[PanelAdmin] = []
        self.lost: list[Lost] = []
        self.errors: list[str] = []

    def not_imported(self, origin: str, what: str, why: str) -> None:
        """List something that cannot be imported: its row, what it is, and the reason."""
        self.lost.append(Lost(origin, what, why))

    def domain_name(self, origin: str, text: str) -> t.Optional[str]:
        """Return a domain's name in A-labels. If it is no domain, list it and return None."""
        try:
            return model_names.mail_domain(text)
        except ValueError as error:
            self.not_imported(origin, f"domain {text}", str(error))
            return None

    def local_and_domain(
        self, origin: str, what: str, text: str
    ) -> t.Optional[tuple[str, PanelDomain]]:
        """Return the local part of an address of the source, and its domain.

        If it is no such address, list it and return None.
        """
        local, _at, host = text.rpartition("@")
        if not host:
            self.not_imported(origin, f"{what} {text!r}", "it is no address")
            return None
        name = self.domain_name(origin, host)
        if name is None:
            return None
        if name not in self.domains:
            self.not_imported(origin, f"{what} {text}", self.why_absent(name))
            return None
        try:
            return model_names.local_part(local), self.domains[name]
        except ValueError as error:
            self.not_imported(origin, f"{what} {text}", str(error))
            return None

    def knows(self, name: str) -> bool:
        """Return whether the name is a domain or a domain alias of the source."""
        return name in self.domains or self._domain_and_row_of_alias(name) is not None

    def _domain_and_row_of_alias(self, name: str) -> t.Optional[tuple[str, str]]:
        """Return the domain of a domain alias, and the row of the alias; None if it is none."""
        return next(
            (
                (target, place.domain_aliases[name])
                for target, place in self.domains.items()
                if name in place.domain_aliases
            ),
            None,
        )

    def why_absent(self, name: str) -> str:
        """Return why no mailbox or alias can be in this domain, which the source does not have."""
        alias = self._domain_and_row_of_alias(name)
        if alias is None:
            return f"its domain {name} is not in the source"
        return f"{name} is a domain alias of {alias[0]} ({alias[1]}), so it cannot have mailboxes"

    def add_domain(
        self, origin: str, name: str, active: bool, relay: t.Optional[Document] = None
    ) -> t.Optional[PanelDomain]:
        """Add a domain and return it. If there is one already, list the new one and return None."""
        before = self.domains.get(name)
        if before is not None:
            self.not_imported(origin, f"domain {name}", f"it is already at {before.origin}")
            return None
        self.domains[name] = PanelDomain(origin, active, relay)
        return self.domains[name]

    def read_domain_alias(self, origin: str, alias: str, target: str, is_on: bool) -> None:
        """Make a domain of the source the alias of another one, or list why it is not imported."""
        name, led_to = self.domain_name(origin, alias), self.domain_name(origin, target)
        if name is None or led_to is None:
            return
        if is_on:
            self.add_domain_alias(origin, name, led_to)
        else:
            self.not_imported(
                origin,
                f"domain alias {name}",
                "it is switched off, and a domain alias here is always on",
            )

    def add_domain_alias(self, origin: str, name: str, target: str) -> None:
        """Make a domain the alias of another one, or list why this is not possible."""
        what = f"domain alias {name}"
        already, aliased = (
            self._domain_and_row_of_alias(name),
            self._domain_and_row_of_alias(target),
        )
        if name == target:
            self.not_imported(origin, what, "it would be an alias of itself")
        elif already is not None:
            self.not_imported(origin, what, f"it is already at {already[1]}")
        elif target not in self.domains:
            if aliased is None:
                self.not_imported(origin, what, f"its domain {target} is not in the source")
            elif aliased[0] == name:
                self.not_imported(
                    origin,
                    what,
                    f"each would be the alias of the other: {target} is an alias of {name} at"
                    f" {aliased[1]}",
                )
            else:  # an alias of an alias: Postfix, too, rewrites addresses until nothing changes
                self.add_domain_alias(origin, name, aliased[0])
        else:
            # In PostfixAdmin an alias domain is also a domain. Here it is only one of them.
            gone = self.domains.pop(name, None)
            self.lost = [lost for lost in self.lost if not lost.what.startswith(f"domain {name}:")]
            self.domains[target].domain_aliases.update(
                {name: origin, **(gone.domain_aliases if gone else {})}
            )

    def add_mailbox(
        self, origin: str, address: str, place: PanelDomain, local: str, entry: Document
    ) -> bool:
        """Add a mailbox. If there is one already, list the new one and return false."""
        before = place.mailboxes.get(local)
        if before is not None:
            self.not_imported(origin, f"mailbox {address}", f"it is already at {before.origin}")
            return False
        place.mailboxes[local] = PanelMailbox(origin, entry)
        return True

    def add_alias(self, address: str, new: PanelAlias, *, rows_add_up: bool) -> None:
        """Add an alias or a catch-all with the targets that can be imported.

        If ``rows_add_up``, several rows of one address are one alias to all of their targets, as
        Postfix joins the rows of an SQL query (mysql_table(5)). Otherwise the later row is listed.
        A target counts once.
        """
        new.to = list(dict.fromkeys(new.to))
        if address.startswith("@"):
            name = self.domain_name(new.origin, address[1:])
            if name is None:
                return
            if name not in self.domains:
                self.not_imported(new.origin, f"catch-all {address}", self.why_absent(name))
                return
            self.domains[name].catch_all = self._joined(
                f"catch-all {address}", self.domains[name].catch_all, new, rows_add_up
            )
            return
        found = self.local_and_domain(new.origin, "alias", address)
        if found is not None:
            local, place = found
            place.aliases[local] = self._joined(
                f"alias {address}", place.aliases.get(local), new, rows_add_up
            )

    def _joined(
        self, what: str, before: t.Optional[PanelAlias], new: PanelAlias, rows_add_up: bool
    ) -> PanelAlias:
        """Return the alias of two rows. A row that does not count is listed."""
        if before is None:
            return new
        if not rows_add_up:
            self.not_imported(new.origin, what, f"it is already at {before.origin}")
        elif before.active and new.active:
            before.to = list(dict.fromkeys((*before.to, *new.to)))
        elif new.active:
            self.not_imported(before.origin, what, SWITCHED_OFF_ALIAS)
            return new
        else:
            self.not_imported(new.origin, what, SWITCHED_OFF_ALIAS)
        return before

    def target_address(self, origin: str, owner: str, text: str) -> t.Optional[str]:
        """Return the address of a target. If the schema refuses it, list it and return None."""
        try:
            address = model_names.address(text)
            local, _at, host = address.rpartition("@")
            if self.knows(host):  # the rules for our own addresses are stricter
                model_names.recipient(local)
            return address
        except ValueError as error:
            self.not_imported(origin, f"{owner}: target {text}", str(error))
            return None

    def display_name(self, origin: str, owner: str, text: str) -> Document:
        """Return a person's name as a key, or nothing after listing a name that is refused."""
        try:
            return {"display_name": TEXT.read(text)} if text else {}
        except ValueError as error:
            self.not_imported(origin, f"{owner}: name", str(error))
            return {}

    def quota(self, number: t.Optional[int], unit: int) -> Document:
        """Return the size of a mailbox as a key. ``unit`` is in bytes.

        Without a number the plan decides, and also with 0 if the operator chose this.
        """
        if number is None or (number == 0 and self.choice.zero_means == "default"):
            return {}
        if number == 0:
            return {"quota": "unlimited" if self.choice.zero_means == "unlimited" else "0"}
        return {"quota": size(number * unit)}

    def limit(self, number: int, unit: int = 0) -> t.Union[int, str, None]:
        """Return a limit, None if there is none. PostfixAdmin writes -1 for 0."""
        if number == 0:
            number = {"unlimited": 0, "default": 0, "none": -1}[self.choice.zero_means]
        if number == 0:
            return None
        number = max(number, 0)
        return size(number * unit) if unit else number

    def password(self, origin: str, owner: str, text: str) -> Document:
        """Return the hash of a password as a key, if its scheme is accepted.

        Otherwise list it; the message does not contain the hash.
        """
        if not text or not self.choice.secrets:
            if text:
                self.not_imported(
                    origin, f"{owner}: password", "secrets are not imported; a new password is made"
                )
            return {}
        bare = re.sub(r"^\{CRYPT\}", "", text, flags=re.IGNORECASE)
        foreign = next((known for head, known in _FOREIGN.items() if bare.startswith(head)), "")
        try:
            found = hashes.canonical(f"{{{foreign}}}{bare}" if foreign else bare)
        except hashes.UnfitHash as error:
            self.not_imported(origin, f"{owner}: password", f"{error}; a new password is made")
            return {}
        if found is None:
            self.not_imported(
                origin,
                f"{owner}: password",
                f"its scheme is unknown; allowed: {', '.join(hashes.NAMES)}; a new password is"
                " made",
            )
            return {}
        return {"password": found}

    def draft(self) -> Draft:
        """Return the documents of all tenants that the operator chose."""
        draft = Draft(errors=self.errors)
        folders = self._domains_by_tenant()
        for folder, names in folders.items():
            for name in names:
                self._write_domain(draft, f"tenants/{folder}/{name}.yml", name, self.domains[name])
            self._write_account(draft, folder, names)
        self._list_admins_without_tenant(folders)
        draft.lost = sorted(set(self.lost), key=lambda lost: lost.rank)
        return draft

    def _domains_by_tenant(self) -> dict[str, list[str]]:
        """Return the domains of each tenant. List those for which no tenant was chosen."""
        chosen = {
            self.known_as(name): folder
            for folder, names in self.choice.tenants.items()
            for name in names
        }
        folders: dict[str, list[str]] = {}
        for name, domain in self.domains.items():
            folder = chosen.get(name, self.choice.tenant)
            if folder:
                folders.setdefault(folder, []).append(name)
            else:
                self.not_imported(
                    domain.origin,
                    f"domain {name} with all in it",
                    "no tenant was chosen for it",
                )
        return folders

    @staticmethod
    def known_as(name: str) -> str:
        """Return a domain's name in A-labels; a name that is no domain is returned unchanged."""
        try:
            return model_names.mail_domain(name)
        except ValueError:
            return name

    def _write_domain(self, draft: Draft, path: str, name: str, domain: PanelDomain) -> None:
        """Write the file of a domain."""
        document: Document = {} if domain.active else {"state": "suspended"}
        draft.documents[path] = document
        draft.whole.add(path)
        draft.at(path, (), domain.origin)
        if domain.relay:
            self._write_relay(draft, path, name, domain)
            return
        mailboxes = self._mailboxes(draft, path, name, domain)
        aliases = self._aliases(draft, path, name, domain)
        if mailboxes:
            document["mailboxes"] = mailboxes
        if aliases:
            document["aliases"] = aliases
        if domain.domain_aliases:
            document["domain_aliases"] = list(domain.domain_aliases)
            for index, origin in enumerate(domain.domain_aliases.values()):
                draft.at(path, ("domain_aliases", index), origin)
        self._write_catch_all(draft, path, name, domain)

    def _mailboxes(self, draft: Draft, path: str, name: str, domain: PanelDomain) -> list[Document]:
        """Return the mailboxes of a domain. An alias of the same address is its forward."""
        mailboxes: list[Document] = []
        for local, mailbox in domain.mailboxes.items():
            alias = domain.aliases.get(local)
            entry = {"name": local, **mailbox.entry}
            place = ("mailboxes", len(mailboxes))
            draft.at(path, place, mailbox.origin)
            if alias is not None:
                entry.update(self._forward(f"{local}@{name}", alias))
                draft.at(path, (*place, "forward"), alias.origin)
            mailboxes.append(entry)
        return mailboxes

    def _aliases(self, draft: Draft, path: str, name: str, domain: PanelDomain) -> list[Document]:
        """Return the aliases of a domain that can be imported. List the others."""
        aliases: list[Document] = []
        for local, alias in domain.aliases.items():
            if local in domain.mailboxes:
                continue
            address = f"{local}@{name}"
            to = [target for target in alias.to if target != address]
            if alias.active and to:
                draft.at(path, ("aliases", len(aliases)), alias.origin)
                aliases.append({"name": local, "to": to})
                continue
            if not alias.active:
                why = SWITCHED_OFF_ALIAS
            elif alias.to:
                why = "it delivers only to itself, as the recipients of relay domains do"
            else:
                why = "none of its targets can be imported"
            self.not_imported(alias.origin, f"alias {address}", why)
        return aliases

    def _write_catch_all(self, draft: Draft, path: str, name: str, domain: PanelDomain) -> None:
        """Write the catch-all of a domain, or list why it cannot be imported."""
        alias = domain.catch_all
        if alias is None:
            return
        if alias.active and len(alias.to) == 1:
            draft.documents[path]["catch_all"] = alias.to[0]
            draft.at(path, ("catch_all",), alias.origin)
            return
        why = "it is switched off"
        if alias.active:
            why = (
                f"it goes to {len(alias.to)} addresses, and a catch-all has one: make an alias for"
                " them"
            )
        self.not_imported(alias.origin, f"catch-all @{name}", why)

    def _forward(self, address: str, alias: PanelAlias) -> Document:
        """Return the forward of a mailbox as a key; nothing if it delivers only to itself."""
        to = [target for target in alias.to if target != address]
        if not to:
            return {}
        if not alias.active:
            self.not_imported(alias.origin, f"forwarding of {address}", "it is switched off")
            return {}
        return {"forward": {"to": to, **({} if address in alias.to else {"keep_copy": False})}}

    def _write_relay(self, draft: Draft, path: str, name: str, domain: PanelDomain) -> None:
        """Write a relay domain. Its recipients are mailboxes and aliases to themselves."""
        to_itself = [
            local for local, alias in domain.aliases.items() if f"{local}@{name}" in alias.to
        ]
        recipients = sorted({*domain.mailboxes, *to_itself})
        for local, alias in domain.aliases.items():
            if local not in recipients:
                self.not_imported(
                    alias.origin,
                    f"alias {local}@{name}",
                    "a relay domain has recipients, no aliases",
                )
        for local, mailbox in domain.mailboxes.items():
            self.not_imported(
                mailbox.origin,
                f"mailbox {local}@{name}",
                "a relay domain has no mailboxes; it became a recipient",
            )
        for other, origin in domain.domain_aliases.items():
            self.not_imported(origin, f"domain alias {other}", "a relay domain has none")
        draft.documents[path].update(
            type="relay", relay={**t.cast(Document, domain.relay), "recipients": recipients}
        )

    def _write_account(self, draft: Draft, folder: str, names: list[str]) -> None:
        """Write the account of a tenant, or what is new in the account that it has already.

        Admins of all domains of the tenant, and the owner, become tenant_admin. The others become
        domain_admin of their domains.
        """
        path = f"tenants/{folder}/account.yml"
        is_new = folder not in self.choice.known
        chosen = dict(self.choice.account)
        managed, origins = self._managed_domains(names)
        of_all = [address for address, its in managed.items() if set(its) >= set(names)]
        owner = chosen.pop("default_owner", None) or next(iter(of_all), None)
        if owner is None and is_new:
            self.errors.append(
                f"{path}: no admin of the source manages all domains of tenant {folder}; choose"
                " one with account: default_owner"
            )
            return
        if owner and owner not in managed:
            managed = {owner: [], **managed}
        tenant_admins = {*of_all, owner}
        admins = [
            _admin(address, its, address in tenant_admins) for address, its in managed.items()
        ]
        for index, address in enumerate(managed):
            if address in origins:
                draft.at(path, ("admins", index), origins[address])
        draft.at(path, (), "account")
        document: Document = {"admins": admins, "domains": self._given_domains(draft, path, names)}
        limits = self._domain_limits(draft, path, names)
        if limits:
            document["domain_limits"] = limits
        if is_new:
            head = {"organisation": folder, "default_owner": owner}
            draft.documents[path] = {**head, **document, **chosen}
            draft.whole.add(path)
        else:
            draft.documents[path] = {key: value for key, value in document.items() if value}

    def _managed_domains(self, names: list[str]) -> tuple[dict[str, list[str]], dict[str, str]]:
        """Return the domains of a tenant that each admin manages, and the row of each admin."""
        managed: dict[str, list[str]] = {}
        origins: dict[str, str] = {}
        for admin in self.admins:
            its = [name for name in admin.domains or () if name in names]
            if self._manages_all(admin, names):
                its = list(names)
            if its:
                managed.setdefault(admin.address, []).extend(its)
                origins.setdefault(admin.address, admin.origin)
        return managed, origins

    def _manages_all(self, admin: PanelAdmin, names: list[str]) -> bool:
        """Return whether an admin without a list of domains belongs to the tenant.

        This is so if the address is in one of the tenant's domains, or if there is only one tenant.
        """
        is_only_tenant = len({*self.choice.tenants, self.choice.tenant} - {""}) == 1
        home = admin.address.rpartition("@")[2]
        return admin.domains is None and (home in names or is_only_tenant)

    def _given_domains(self, draft: Draft, path: str, names: list[str]) -> list[str]:
        """Return the domains of an account, each followed by its domain aliases."""
        given: list[str] = []
        for name in names:
            domain = self.domains[name]
            for each, origin in ((name, domain.origin), *domain.domain_aliases.items()):
                draft.at(path, ("domains", len(given)), origin)
                given.append(each)
        return given

    def _domain_limits(self, draft: Draft, path: str, names: list[str]) -> list[Document]:
        """Return the limits of the domains that have some."""
        limits: list[Document] = []
        for name in names:
            if self.domains[name].limits:
                draft.at(path, ("domain_limits", len(limits)), self.domains[name].origin)
                limits.append({"name": name, **self.domains[name].limits})
        return limits

    def _list_admins_without_tenant(self, folders: t.Mapping[str, list[str]]) -> None:
        """List the admins whose domains are not imported, and those whose tenant is unknown."""
        imported = {name for names in folders.values() for name in names}
        for admin in self.admins:
            for name in admin.domains or ():
                if name in self.domains and name not in imported:
                    self.not_imported(
                        admin.origin,
                        f"admin {admin.address} of {name}",
                        "the domain is not imported",
                    )
            home = admin.address.rpartition("@")[2]
            if admin.domains is None and home not in imported and len(folders) != 1:
                self.not_imported(
                    admin.origin,
                    f"admin {admin.address}",
                    "the source does not name the tenant of this admin",
                )


def _admin(address: str, domains: list[str], is_tenant_admin: bool) -> Document:
    """Return an item of ``admins`` of an account."""
    if is_tenant_admin:
        return {"address": address}
    return {"address": address, "role": "domain_admin", "domains": domains}
