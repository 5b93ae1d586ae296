# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panels' importers share: things as other systems know them, and how they become documents of tenants.

PRIVATE to the collection. Pure. Nothing is guessed and nothing is dropped in silence: what has no place here, or is
refused by the schema, is listed with its row.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils import _hashes, _names
from ansible_collections.reseller.mail.plugins.module_utils._exchange.document import (
    Document,
    Draft,
    Lost,
)
from ansible_collections.reseller.mail.plugins.module_utils._exchange.things import (
    Box,
    Choice,
    Manager,
    Other,
    Place,
)
from ansible_collections.reseller.mail.plugins.module_utils._scalars import TEXT
from ansible_collections.reseller.mail.plugins.module_utils._sizes import size

MIB = 2**20
# What crypt(3) writes, too; they are here to be named, not to be taken.
_FOREIGN = {"$5$": "SHA256-CRYPT", "$1$": "MD5-CRYPT"}


class Panel:
    """Collects one system's data; ``draft`` gives the documents."""

    def __init__(self, choice: Choice) -> None:
        self.choice = choice
        self.places: dict[str, Place] = {}
        self.managers: list[Manager] = []
        self.lost: list[Lost] = []
        self.errors: list[str] = []

    def lose(self, origin: str, what: str, why: str) -> None:
        self.lost.append(Lost(origin, what, why))

    def domain(self, origin: str, text: str) -> t.Optional[str]:
        """A domain's name as we write it (IDN as A-label), or None after listing it."""
        try:
            return _names.mail_domain(text)
        except ValueError as error:
            self.lose(origin, f"domain {text}", str(error))
            return None

    def local(self, origin: str, what: str, text: str) -> t.Optional[tuple[str, Place]]:
        """What stands before the @ of one of our addresses, and its domain."""
        local, _at, host = text.rpartition("@")
        if not host:
            self.lose(origin, f"{what} {text!r}", "it is no address")
            return None
        name = self.domain(origin, host)
        if name is None:
            return None
        if name not in self.places:
            self.lose(origin, f"{what} {text}", self.why_absent(name))
            return None
        try:
            return _names.local_part(local), self.places[name]
        except ValueError as error:
            self.lose(origin, f"{what} {text}", str(error))
            return None

    def knows(self, name: str) -> bool:
        """Return whether the name is a domain or a domain alias among the data."""
        return name in self.places or self._alias(name) is not None

    def _alias(self, name: str) -> t.Optional[tuple[str, str]]:
        """Return of which domain the name is an alias, and the row that says so; None where it is no domain alias."""
        return next(
            (
                (target, place.aliases[name])
                for target, place in self.places.items()
                if name in place.aliases
            ),
            None,
        )

    def why_absent(self, name: str) -> str:
        """Say why no mailbox or alias can be in this domain, which is none of the places."""
        alias = self._alias(name)
        if alias is None:
            return f"its domain {name} is not among the data"
        return f"{name} is a domain alias of {alias[0]} ({alias[1]}), so it has no mailboxes of its own"

    def place(
        self, origin: str, name: str, active: bool, relay: t.Optional[Document] = None
    ) -> t.Optional[Place]:
        """Add a domain and return it; None after listing one that stands already."""
        before = self.places.get(name)
        if before is not None:
            self.lose(origin, f"domain {name}", f"it stands already at {before.origin}")
            return None
        self.places[name] = Place(origin, active, relay)
        return self.places[name]

    def domain_alias(self, origin: str, name: str, target: str) -> None:
        """Make a domain the alias of another one; what cannot be is listed."""
        what = f"domain alias {name}"
        already, aliased = self._alias(name), self._alias(target)
        if name == target:
            self.lose(origin, what, "it is to be an alias of itself")
        elif already is not None:
            self.lose(origin, what, f"it stands already at {already[1]}")
        elif target not in self.places:
            if aliased is None:
                self.lose(origin, what, f"its domain {target} is not among the data")
            elif aliased[0] == name:
                self.lose(
                    origin,
                    what,
                    f"each is to be the alias of the other: {target} is that of {name} at {aliased[1]}",
                )
            else:  # as Postfix does, which rewrites addresses until nothing changes
                self.domain_alias(origin, name, aliased[0])
        else:
            # PostfixAdmin wants an alias domain to be a domain first; here it is one or the other.
            gone = self.places.pop(name, None)
            self.lost = [lost for lost in self.lost if not lost.what.startswith(f"domain {name}:")]
            self.places[target].aliases.update({name: origin, **(gone.aliases if gone else {})})

    def box(self, origin: str, address: str, place: Place, local: str, entry: Document) -> bool:
        """Add a mailbox; return False after listing one that stands already."""
        before = place.boxes.get(local)
        if before is not None:
            self.lose(origin, f"mailbox {address}", f"it stands already at {before.origin}")
            return False
        place.boxes[local] = Box(origin, entry)
        return True

    def alias(self, address: str, new: Other, *, rows_add_up: bool) -> None:
        """Add an alias or a catch-all with the targets that can be carried over.

        Where ``rows_add_up``, several rows of one address are one alias to all of their targets, as Postfix joins the
        rows that an SQL query gives (mysql_table(5)); else the later row is listed. A target that is named twice is one.
        """
        new.to = list(dict.fromkeys(new.to))
        if address.startswith("@"):
            name = self.domain(new.origin, address[1:])
            if name is None:
                return
            if name not in self.places:
                self.lose(new.origin, f"catch-all {address}", self.why_absent(name))
                return
            self.places[name].catch_all = self._joined(
                f"catch-all {address}", self.places[name].catch_all, new, rows_add_up
            )
            return
        found = self.local(new.origin, "alias", address)
        if found is not None:
            local, place = found
            place.others[local] = self._joined(
                f"alias {address}", place.others.get(local), new, rows_add_up
            )

    def _joined(self, what: str, before: t.Optional[Other], new: Other, rows_add_up: bool) -> Other:
        if before is None:
            return new
        if not rows_add_up:
            self.lose(new.origin, what, f"it stands already at {before.origin}")
        elif before.active and new.active:
            before.to = list(dict.fromkeys((*before.to, *new.to)))
        elif new.active:
            self.lose(before.origin, what, "it is switched off, and there are no such aliases here")
            return new
        else:
            self.lose(new.origin, what, "it is switched off, and there are no such aliases here")
        return before

    def target(self, origin: str, owner: str, text: str) -> t.Optional[str]:
        """Where mail is handed to, or None after listing it."""
        try:
            address = _names.address(text)
            local, _at, host = address.rpartition("@")
            if self.knows(host):  # names that we give are narrower
                _names.recipient(local)
            return address
        except ValueError as error:
            self.lose(origin, f"{owner}: target {text}", str(error))
            return None

    def name(self, origin: str, owner: str, text: str) -> Document:
        """A person's name, where the schema takes it."""
        try:
            return {"display_name": TEXT.read(text)} if text else {}
        except ValueError as error:
            self.lose(origin, f"{owner}: name", str(error))
            return {}

    def quota(self, number: t.Optional[int], unit: int) -> Document:
        """A mailbox's size; None and, where the operator says so, 0 leave it to the plan."""
        if number is None or (number == 0 and self.choice.zero_means == "default"):
            return {}
        if number == 0:
            return {"quota": "unlimited" if self.choice.zero_means == "unlimited" else "0"}
        return {"quota": size(number * unit)}

    def limit(self, number: int, unit: int = 0) -> t.Union[int, str, None]:
        """A limit; None where there is none. -1 is how PostfixAdmin writes 0."""
        if number == 0:
            number = {"unlimited": 0, "default": 0, "none": -1}[self.choice.zero_means]
        if number == 0:
            return None
        number = max(number, 0)
        return size(number * unit) if unit else number

    def password(self, origin: str, owner: str, text: str) -> Document:
        """A password's hash, where Dovecot and the schema know its scheme. The hash itself is never named."""
        if not text or not self.choice.secrets:
            if text:
                self.lose(
                    origin, f"{owner}: password", "secrets were not asked for; a new one is made"
                )
            return {}
        bare = re.sub(r"^\{CRYPT\}", "", text, flags=re.IGNORECASE)
        foreign = next((known for head, known in _FOREIGN.items() if bare.startswith(head)), "")
        try:
            found = _hashes.canonical(f"{{{foreign}}}{bare}" if foreign else bare)
        except _hashes.UnfitHash as error:
            self.lose(origin, f"{owner}: password", f"{error}; a new password is made")
            return {}
        if found is None:
            self.lose(
                origin,
                f"{owner}: password",
                f"its scheme is unknown; taken are {', '.join(_hashes.NAMES)}; a new password is made",
            )
            return {}
        return {"password": found}

    def draft(self) -> Draft:
        """Documents of all tenants that the operator chose."""
        draft = Draft(errors=self.errors)
        owners = {
            self.known_as(name): folder
            for folder, names in self.choice.tenants.items()
            for name in names
        }
        folders: dict[str, list[str]] = {}
        for name, place in self.places.items():
            folder = owners.get(name, self.choice.tenant)
            if folder:
                folders.setdefault(folder, []).append(name)
            else:
                self.lose(
                    place.origin, f"domain {name} with all in it", "no tenant was chosen for it"
                )
        for folder, names in folders.items():
            for name in names:
                self._domain(draft, f"tenants/{folder}/{name}.yml", name, self.places[name])
            self._account(draft, folder, names)
        self._strangers(folders)
        draft.lost = sorted(set(self.lost), key=lambda lost: lost.rank)
        return draft

    @staticmethod
    def known_as(name: str) -> str:
        """Return a domain's name as we write it, or as it stands where it is none."""
        try:
            return _names.mail_domain(name)
        except ValueError:
            return name

    def _domain(self, draft: Draft, path: str, name: str, place: Place) -> None:
        document: Document = {} if place.active else {"state": "suspended"}
        draft.documents[path] = document
        draft.whole.add(path)
        draft.at(path, (), place.origin)
        if place.relay:
            self._relay(draft, path, name, place)
            return
        boxes: list[Document] = []
        aliases: list[Document] = []
        for local, box in place.boxes.items():
            other = place.others.get(local)
            entry = {"name": local, **box.entry}
            if other is not None:
                entry.update(self._forward(f"{local}@{name}", other))
            draft.at(path, ("mailboxes", len(boxes)), box.origin)
            if other is not None:
                draft.at(path, ("mailboxes", len(boxes), "forward"), other.origin)
            boxes.append(entry)
        for local, other in place.others.items():
            if local not in place.boxes:
                to = [address for address in other.to if address != f"{local}@{name}"]
                if not other.active:
                    self.lose(
                        other.origin,
                        f"alias {local}@{name}",
                        "it is switched off, and there are no such aliases here",
                    )
                elif not to:
                    why = (
                        "it delivers to itself alone, as the recipients of relay domains do"
                        if other.to
                        else "nothing that it could deliver to was left"
                    )
                    self.lose(other.origin, f"alias {local}@{name}", why)
                else:
                    draft.at(path, ("aliases", len(aliases)), other.origin)
                    aliases.append({"name": local, "to": to})
        if boxes:
            document["mailboxes"] = boxes
        if aliases:
            document["aliases"] = aliases
        if place.aliases:
            document["domain_aliases"] = list(place.aliases)
            for index, origin in enumerate(place.aliases.values()):
                draft.at(path, ("domain_aliases", index), origin)
        self._catch_all(draft, path, name, place)

    def _catch_all(self, draft: Draft, path: str, name: str, place: Place) -> None:
        other = place.catch_all
        if other is None:
            return
        if other.active and len(other.to) == 1:
            draft.documents[path]["catch_all"] = other.to[0]
            draft.at(path, ("catch_all",), other.origin)
        else:
            why = (
                f"it goes to {len(other.to)} addresses, and there is one here: make an alias for them"
                if other.active
                else "it is switched off"
            )
            self.lose(other.origin, f"catch-all @{name}", why)

    def _forward(self, address: str, other: Other) -> Document:
        to = [target for target in other.to if target != address]
        if not to:
            return {}
        if not other.active:
            self.lose(other.origin, f"forwarding of {address}", "it is switched off")
            return {}
        return {"forward": {"to": to, **({} if address in other.to else {"keep_copy": False})}}

    def _relay(self, draft: Draft, path: str, name: str, place: Place) -> None:
        recipients = sorted(
            {
                *place.boxes,
                *(local for local, other in place.others.items() if f"{local}@{name}" in other.to),
            }
        )
        for local, other in place.others.items():
            if local not in recipients:
                self.lose(
                    other.origin,
                    f"alias {local}@{name}",
                    "a relay domain has recipients, no aliases",
                )
        for local, box in place.boxes.items():
            self.lose(
                box.origin,
                f"mailbox {local}@{name}",
                "a relay domain has no mailboxes; it became a recipient",
            )
        for alias, origin in place.aliases.items():
            self.lose(origin, f"domain alias {alias}", "a relay domain has none")
        draft.documents[path].update(
            type="relay", relay={**t.cast(Document, place.relay), "recipients": recipients}
        )

    def _account(self, draft: Draft, folder: str, names: list[str]) -> None:
        path = f"tenants/{folder}/account.yml"
        chosen = dict(self.choice.account)
        taken: dict[str, list[str]] = {}
        origins: dict[str, str] = {}
        for manager in self.managers:
            home = manager.address.rpartition("@")[2]
            if manager.domains is None and (
                home in names or len({*self.choice.tenants, self.choice.tenant} - {""}) == 1
            ):
                its = list(names)
            else:
                its = [name for name in manager.domains or () if name in names]
            if its:
                taken.setdefault(manager.address, []).extend(its)
                origins.setdefault(manager.address, manager.origin)
        whole = [address for address, its in taken.items() if set(its) >= set(names)]
        owner = chosen.pop("default_owner", None) or (whole[0] if whole else None)
        if owner is None and folder not in self.choice.known:
            self.errors.append(
                f"{path}: none of the source's admins manages all domains of tenant {folder}; choose one with account: default_owner"
            )
            return
        if owner and owner not in taken:
            taken = {owner: [], **taken}
        admins: list[Document] = []
        for address, its in taken.items():
            if address in origins:
                draft.at(path, ("admins", len(admins)), origins[address])
            is_tenant = address in whole or address == owner
            admins.append(
                {"address": address}
                if is_tenant
                else {"address": address, "role": "domain_admin", "domains": its}
            )
        domains: list[str] = []
        for name in names:
            for one, origin in (
                (name, self.places[name].origin),
                *self.places[name].aliases.items(),
            ):
                draft.at(path, ("domains", len(domains)), origin)
                domains.append(one)
        limited = [
            {"name": name, **self.places[name].limits} for name in names if self.places[name].limits
        ]
        for index, entry in enumerate(limited):
            draft.at(path, ("domain_limits", index), self.places[entry["name"]].origin)
        document = {
            "admins": admins,
            "domains": domains,
            **({"domain_limits": limited} if limited else {}),
        }
        draft.at(path, (), "account")
        if folder in self.choice.known:
            draft.documents[path] = {key: value for key, value in document.items() if value}
        else:
            draft.documents[path] = {
                "organisation": folder,
                "default_owner": owner,
                **document,
                **chosen,
            }
            draft.whole.add(path)

    def _strangers(self, folders: t.Mapping[str, list[str]]) -> None:
        carried = {name for names in folders.values() for name in names}
        for manager in self.managers:
            if manager.domains is not None:
                for name in manager.domains:
                    if name in self.places and name not in carried:
                        self.lose(
                            manager.origin,
                            f"admin {manager.address} of {name}",
                            "the domain was not carried over",
                        )
            elif manager.address.rpartition("@")[2] not in carried and len(folders) != 1:
                self.lose(
                    manager.origin,
                    f"admin {manager.address}",
                    "the source does not say which tenant is theirs",
                )
