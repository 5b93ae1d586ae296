# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change of generations does with the mail and logins of mailboxes.

A mailbox that leaves the files is retained. One that returns gets its mail and its password back
before the switch, so before it can receive. Mail is deleted only for tenants that the operator
confirmed.

PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import contextlib
import time
import typing as t
from dataclasses import dataclass, field, replace
from pathlib import Path

from .. import timestamps
from ..credentials import Store as Logins
from ..retained import rules
from ..retained.place import DAY, Entry, Place, RetainedError
from ..retained.rules import Known, Leaving
from .store import GenerationError, Run, Store
from .suspended import end_sessions

UNIT = "reseller-mail-retention.service"
"""Measures what is retained, and deletes what is over; a timer starts it as well."""

SHOWN = 3
"""How many addresses a message names."""


@dataclass(frozen=True)
class Changes:
    """What happens to mail and logins: which mailboxes leave, which entries return, which are
    deleted."""

    leaving: list[Leaving] = field(default_factory=list)
    returning: list[Entry] = field(default_factory=list)
    purged: list[Entry] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.leaving or self.returning or self.purged)

    def lines(self, now: int) -> list[str]:
        """Return the lines of the diff."""
        lines = [f"~ mail of {entry.address} returns" for entry in self.returning]
        lines += [f"- mail of {entry.address}, deleted" for entry in self.purged]
        for one in self.leaving:
            until = timestamps.timestamp(now + one.days * DAY).partition("T")[0]
            if one.moved_to:
                lines.append(f"~ mail of {one.address} moved to {one.moved_to}, the copy is kept")
            elif one.purge:
                lines.append(f"- mail of {one.address}, deleted")
            else:
                lines.append(f"~ mail of {one.address} kept until {until}")
        return sorted(lines, key=lambda line: line[2:])


def known(store: Store, generation: str | None) -> Known:
    """Return what a generation on the host knows; nothing without a generation."""

    def read(path: str) -> str | None:
        if generation is None:
            return None
        try:
            return (store.folder(generation) / path).read_text("utf-8", "replace")
        except (FileNotFoundError, NotADirectoryError):
            return None

    return Known(read)


def refuse_unmoved(before: Known, after: Known, node: str, moving: str = "") -> None:
    """Raise GenerationError if a tenant's mail would be on another node than the tenant.

    ``moving`` is the tenant whose mail the playbook move has copied.
    """
    for tenant, host in sorted(rules.moves(before, after).items()):
        if tenant != moving:
            former, new = (host, node) if tenant in after.served_here else (node, host)
            raise GenerationError(unmoved(tenant, former, new))


def unmoved(tenant: str, former: str, new: str) -> str:
    """Return why a tenant cannot be served by another node than the one that has its mail."""
    return (
        f"the mail of tenant {tenant} is on {former}, and {new} is to serve it. Nothing was"
        f" changed. Run ansible-playbook reseller.mail.move -e move_tenant={tenant} -e"
        f" move_to={new.partition('.')[0]}, which moves the mail and changes placement, or set"
        " placement in the tenant's account.yml back"
    )


@dataclass(frozen=True)
class Retention:
    """Keeps and brings back mail while generations change.

    Attributes:
        store: the generations.
        mail: the folder of all mail.
        confirmed: the tenants whose mail may be deleted.
    """

    store: Store
    mail: Path
    confirmed: frozenset[str] = frozenset()

    def plan(self, after: Known) -> Changes:
        """Return what happens when the node has these lookups. Nothing is changed."""
        with self._opened(read_only=True) as (place, logins):
            return self._changes(place, logins, after)

    def refuse_unconfirmed(self, changes: Changes, node: str) -> None:
        """Raise GenerationError if mail would be deleted that the operator has not confirmed."""
        deleted = [(one.tenant, one.address) for one in changes.leaving if one.purge]
        deleted += [(entry.tenant, entry.address) for entry in changes.purged]
        for tenant in sorted({tenant for tenant, _address in deleted} - self.confirmed):
            addresses = sorted(address for owner, address in deleted if owner == tenant)
            more = len(addresses) - SHOWN
            names = ", ".join(addresses[:SHOWN]) + (f" and {more} more" if more > 0 else "")
            raise GenerationError(
                f"on {node} this change deletes all mail and passwords of tenant {tenant}"
                f" ({names}), because its account.yml has purge: true. Nothing was changed. If this"
                f" is intended, confirm it with -e mail_purge_confirmed={tenant}. To keep the mail,"
                " remove purge"
            )

    def _changes(self, place: Place, logins: Logins | None, after: Known) -> Changes:
        """Return what changes. What another run left undone is among it."""
        before = known(self.store, self.store.activated())
        entries = place.entries()
        returning = [
            entry for entry in entries if rules.returns(entry.address, entry.tenant, after)
        ]
        back = set(returning)
        purged = after.purged()
        leaving = {one.address: one for one in rules.leaving(before, after)}
        for one in _leftovers(place, after):
            leaving.setdefault(one.address, one)
        return Changes(
            [
                one
                for one in sorted(leaving.values())
                if place.has_home(one.address) or (logins and logins.row(one.address))
            ],
            [one for one in returning if _has_rest(one, place, logins)],
            [entry for entry in entries if entry.tenant in purged and entry not in back],
        )

    def before_switch(self, generation: str) -> None:
        """Bring back what returns. Nothing can be delivered to these mailboxes yet."""
        after = known(self.store, generation)
        with self._opened() as (place, logins):
            place.bring_back(
                [
                    entry
                    for entry in place.entries()
                    if rules.returns(entry.address, entry.tenant, after)
                ],
                logins,
            )

    def after_reload(self, generation: str, run: Run) -> None:
        """Keep what leaves. No daemon knows these mailboxes any more.

        Raise GenerationError if a session does not end, or if mail cannot be moved.
        """
        with self._opened() as (place, logins):
            after = known(self.store, generation)
            changes = self._changes(place, logins, after)
            leaving = [
                replace(one, purge=one.purge and one.tenant in self.confirmed)
                for one in changes.leaving
            ]
            if leaving:
                end_sessions({one.address for one in leaving}, run)
                entries = place.put_away(leaving, logins, int(time.time()), generation)
                for entry in entries:  # a delivery that was running may have made a new home
                    place.absorb(entry)
            purged = self.confirmed & after.purged()
            for entry in place.entries():
                if entry.tenant in purged:
                    place.discard(entry)
            if leaving or changes.purged:
                place.tidy()
        if leaving:
            # Where the unit is not installed yet, its timer will start it.
            run(["systemctl", "start", "--no-block", UNIT])

    def after_activation(self, generation: str) -> None:
        """Forget what has returned. Until now a run that takes the change back could need it."""
        after = known(self.store, generation)
        with self._opened() as (place, _logins):
            found = [
                entry
                for entry in place.entries()
                if rules.returns(entry.address, entry.tenant, after)
            ]
            for entry in found:
                place.discard(entry)
            if found:
                place.tidy()

    @contextlib.contextmanager
    def _opened(self, read_only: bool = False) -> t.Iterator[tuple[Place, Logins | None]]:
        """Open the retained mail and the credential store, which may not exist yet."""
        path = self.store.root / "credentials" / "credentials.db"
        with contextlib.ExitStack() as stack:
            try:
                place = stack.enter_context(Place(self.mail))
                logins = (
                    stack.enter_context(Logins(str(path), read_only)) if path.exists() else None
                )
                yield place, logins
            except RetainedError as error:
                raise GenerationError(f"{self.mail}: {error}") from error


def _has_rest(entry: Entry, place: Place, logins: Logins | None) -> bool:
    """Return whether an entry has something that its mailbox does not have yet.

    One that has nothing returned in a run that was killed then.
    """
    return place.has_mail(entry) or (
        place.has_login(entry) and (logins is None or logins.row(entry.address) is None)
    )


def _leftovers(place: Place, after: Known) -> t.Iterator[Leaving]:
    """Yield what terminated tenants still have among the served mailboxes.

    An earlier version of the collection left it there.
    """
    for domain in after.ended():
        for address in place.homes(domain):
            tenant = after.tenant(domain) or rules.NO_TENANT
            rule = after.rule(tenant) or rules.Rule()
            yield Leaving(address, tenant, rule.days, rule.purge)
