# SPDX-License-Identifier: GPL-3.0-or-later
"""End sessions, and hold and release mail, when suspensions begin and end.

PRIVATE to the collection. Runs on the host; standard library only.

It runs after the daemons were reloaded and before the generation counts as activated, so a run that
is killed meanwhile does it again.
"""

from __future__ import annotations

import json
import time
import typing as t

from .layout import read
from .store import GenerationError, Run, Store

HOLD_PORT = 10589
"""The port of the listener that holds mail; the role postfix has the same."""

AT_ONCE = 200
"""How many messages one command changes."""

PATIENCE = 5.0
"""Seconds for sessions to end."""

_HELD, _SENDERS = "postfix/held_recipients", "postfix/held_senders"
_LOGINS = tuple(f"dovecot/logins/{service}" for service in ("imap", "pop3", "sieve"))
"""The files that say who may log in to a service with sessions."""


def carry_out(store: Store, before: str | None, after: str, run: Run) -> None:
    """Do what changes between two generations ask for. ``before`` is the last activated one.

    Raise GenerationError if something could not be done.
    """
    if before is None or before == after:
        return
    lost = _lost_logins(store, before, after)
    if lost:
        end_sessions(lost, run)
    held = [_rows(store, generation, _HELD) for generation in (before, after)]
    senders = [_rows(store, generation, _SENDERS) for generation in (before, after)]
    new_senders = senders[1].keys() - senders[0].keys()
    if held[0].keys() - held[1].keys() or new_senders:
        queue = messages(run)
        release(queue, _Recipients(store, after), run)
        change("-h", [one["queue_id"] for one in of_senders(queue, new_senders)], run)


def _lost_logins(store: Store, before: str, after: str) -> set[str]:
    """Return the addresses that may not read their mail any more, or with fewer protocols."""
    lost: set[str] = set()
    for path in _LOGINS:
        old, new = (read(store.folder(generation) / path) for generation in (before, after))
        if old == new:  # true nearly always
            continue
        if old is not None and new is not None:  # else an older version made one of them
            gone = set(old.splitlines()) - set(new.splitlines())
            lost.update(line.partition(":")[0] for line in gone)
    return {address for address in lost if "@" in address[1:]}


def _rows(store: Store, generation: str, path: str) -> dict[str, str]:
    """Return the rows of a table; none if the generation has no such table."""
    lines = (read(f"{store.folder(generation)}/{path}") or "").splitlines()
    rows = (line.partition("\t") for line in lines)
    return {key: value for key, _tab, value in rows}


def end_sessions(users: t.Collection[str], run: Run) -> None:
    """End the open IMAP, POP3 and ManageSieve sessions of users.

    Raise GenerationError if one does not end. A Dovecot that does not run has no sessions.
    """
    if run(["systemctl", "is-active", "--quiet", "dovecot.service"])[0]:
        return
    deadline = time.monotonic() + PATIENCE
    while True:
        left = connected(run) & set(users)
        if not left:
            return
        if time.monotonic() > deadline:
            raise GenerationError(
                f"sessions of {', '.join(sorted(left))} did not end; the next run tries again"
            )
        for user in sorted(left):
            run(["doveadm", "kick", user])
        time.sleep(0.1)


def connected(run: Run) -> set[str]:
    """Return the users with open sessions; raise GenerationError if Dovecot does not answer."""
    code, output, errors = run(["doveadm", "-f", "tab", "who"])
    if code:
        raise GenerationError(f"doveadm who: {errors.strip() or f'exit status {code}'}")
    return {line.partition("\t")[0] for line in output.splitlines()[1:]}


def messages(run: Run) -> list[dict[str, t.Any]]:
    """Return all messages of Postfix's queue; none if Postfix does not run.

    Raise GenerationError if the queue cannot be read.
    """
    code, output, errors = run(["postqueue", "-j"])
    if code:
        if run(["postfix", "status"])[0]:
            return []
        raise GenerationError(f"postqueue -j: {errors.strip() or f'exit status {code}'}")
    return [json.loads(line) for line in output.splitlines()]


class _Recipients:
    """The recipients of a generation that exist and are not held."""

    def __init__(self, store: Store, generation: str) -> None:
        self._held = _rows(store, generation, _HELD)
        tables = ("virtual_mailbox_maps", "virtual_alias_maps", "relay_recipient_maps")
        self._known = {
            key for name in tables for key in _rows(store, generation, f"postfix/{name}")
        }

    def __contains__(self, address: object) -> bool:
        found = plain(str(address))
        return found not in self._held and not self._known.isdisjoint(
            (found, f"@{found.rpartition('@')[2]}")
        )


def release(
    queue: t.Iterable[dict[str, t.Any]], recipients: t.Container[str], run: Run
) -> list[str]:
    """Release what the listener holds for these recipients; return the ids.

    What is on hold for a mailbox that has left the files stays there: it would bounce.
    The messages are queued anew: their addresses are looked up in the new tables, and their time in
    the queue starts again. With ``postsuper -H``, one that was held for longer than
    ``maximal_queue_lifetime`` would bounce after its first failure.
    """
    found = [
        one["queue_id"]
        for one in queue
        if one["queue_name"] == "hold"
        and all(to["address"] in recipients for to in one["recipients"])
        and is_from_listener(one["queue_id"], run)
    ]
    queue_anew(found, run)
    return found


def is_from_listener(queue_id: str, run: Run) -> bool:
    """Return whether the listener put a message on hold, and not an administrator."""
    return attributes(queue_id, run).get("server_port") == str(HOLD_PORT)


def attributes(queue_id: str, run: Run) -> dict[str, str]:
    """Return the named attributes of a message; none if it has left the queue."""
    output = run(["postcat", "-e", "-q", queue_id])[1]
    found = (
        line.removeprefix("named_attribute: ").partition("=")
        for line in output.splitlines()
        if line.startswith("named_attribute: ")
    )
    return {name: value for name, _equals, value in found}


def queue_anew(ids: t.Sequence[str], run: Run) -> None:
    """Queue messages anew, at once."""
    change("-r", ids, run)
    if ids:
        run(["postkick", "public", "pickup", "W"])


def of_senders(
    queue: t.Iterable[dict[str, t.Any]], senders: t.Container[str]
) -> list[dict[str, t.Any]]:
    """Return the messages of these envelope senders that are not on hold."""
    return [one for one in queue if one["queue_name"] != "hold" and plain(one["sender"]) in senders]


def plain(address: str) -> str:
    """Return an address in lower case and without its extension."""
    local, at_sign, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0] or local}{at_sign}{domain}"


def change(option: str, ids: t.Sequence[str], run: Run) -> None:
    """Let postsuper change messages; one that has left the queue meanwhile is no error."""
    for start in range(0, len(ids), AT_ONCE):
        command = ["postsuper"]
        for queue_id in ids[start : start + AT_ONCE]:
            command += [option, queue_id]
        code, _output, errors = run(command)
        if code:
            raise GenerationError(f"postsuper: {errors.strip() or f'exit status {code}'}")
