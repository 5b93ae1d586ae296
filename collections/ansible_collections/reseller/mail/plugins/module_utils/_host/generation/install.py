# SPDX-License-Identifier: GPL-3.0-or-later
"""Install a generation, roll back to the one before, and remove old ones.

A generation is staged, checked and switched to, and daemons are reloaded, in one operation.

PRIVATE to the collection. Runs on the host; standard library only.

Before the switch nothing that serves changes, so after a failure the old generation still serves.
A failure after the switch is not undone. The next run reloads the daemons (*activate* in its
plan). The new generation passed its check, and switching back would mix the two once more.
"""

from __future__ import annotations

import shutil
import typing as t
from dataclasses import dataclass

from . import suspended
from .carry import carried, checkers
from .check import judge, key_faults
from .daemons import Room
from .drift import drift
from .layout import UNITS
from .retention import Retention
from .stage import Origin, discard, stage
from .store import Content, GenerationError, Run, Store
from .transition import RELOADED, Transition, altered, changed_services, model_changes

Watch = t.Callable[[str], None]
"""Called after each step with its name: ``staged``, ``judged``, ``returned``, ``switched``,
``reloaded``, ``retained``, ``activated``. Measurements and tests use it. Tests damage what is
staged, or end the run there."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did: the current generation, whether a check was made, and the services that were
    reloaded."""

    generation: str
    judged: bool
    reloaded: tuple[str, ...]


def apply(
    store: Store,
    content: Content,
    steps: Transition,
    run: Run,
    keep: int,
    watch: Watch = lambda step: None,
    retention: Retention | None = None,
) -> Outcome:
    """Carry out a plan. The caller has held the store's lock since before it planned.

    Without ``retention`` the mail and passwords of mailboxes stay where they are.
    """
    generation = (
        _next(store, content, steps.altered, run, watch)
        if steps.stage
        else t.cast(str, store.current())
    )
    switch = Switch(store, content.debian, run, watch, retention)
    reloaded = switch.to(generation, steps.services)
    prune(store, keep)
    return Outcome(generation, steps.stage, reloaded)


def _next(store: Store, content: Content, altered: frozenset[str], run: Run, watch: Watch) -> str:
    """Make a generation, check it, and return its name. It is not current yet.

    ``altered`` has the files of the current generation that are not as wanted.
    """
    checked_by = checkers(run, content.debian)
    origin = Origin(carried(store, content, altered, checked_by), checked_by)
    try:
        with Room(store, run) as room:
            staging = stage(store, content, origin, run, room.postfix)
            watch("staged")
            judge(store, staging, content, origin.carried, run, room)
        watch("judged")
        generation = f"{store.manifest('.staging')['sequence']:06d}-{content.digest[:12]}"
        staging.rename(store.folder(generation))
    except BaseException:
        discard(store)
        raise
    return generation


@dataclass(frozen=True, slots=True)
class Switch:
    """Makes a generation current, with all that belongs to it.

    Attributes:
        debian: the host's Debian release.
        retention: what to do with the mail of mailboxes that leave or return.
    """

    store: Store
    debian: int
    run: Run
    watch: Watch
    retention: Retention | None

    def to(self, generation: str, services: t.Iterable[str]) -> tuple[str, ...]:
        """Switch to a generation, reload the services and return those that were reloaded.

        Nothing happens between the two: Postfix would mix the two generations.
        """
        if self.retention:
            self.retention.before_switch(generation)
        self.watch("returned")
        if self.store.current() != generation:
            self.store.switch(generation)
        self.watch("switched")
        reloaded = tuple(service for service in services if _reload(service, self.debian, self.run))
        self.watch("reloaded")
        suspended.carry_out(self.store, self.store.activated(), generation, self.run)
        if self.retention:
            self.retention.after_reload(generation, self.run)
        self.watch("retained")
        self.store.mark_activated(generation)
        self.watch("activated")
        if self.retention:
            self.retention.after_activation(generation)
        return reloaded


def _reload(service: str, debian: int, run: Run) -> bool:
    """Reload a service and return whether it was done.

    A service that does not run reads the new generation when it starts. Raise GenerationError if
    the reload fails.
    """
    unit = UNITS[debian][service]
    verb = "reload"
    if run(["systemctl", "is-active", "--quiet", unit])[0]:
        if not service.startswith("opendkim"):
            return False
        # The unit of OpenDKIM waits for the first generation, so it is started. An instance that is
        # not used has no settings and does not start.
        verb = "start"
    code, _output, errors = run(["systemctl", verb, unit])
    if code:
        raise GenerationError(
            f"systemctl {verb} {unit}: {errors.strip() or f'exit status {code}'}; the new"
            " generation is current, and the next run reloads again"
        )
    return True


def previous(store: Store) -> str:
    """Return the generation that was current before the current one, or raise GenerationError."""
    current = store.current()
    if current is None:
        raise GenerationError(f"{store.root}: there is no generation yet")
    before = store.manifest(current).get("previous")
    if not before or not store.folder(before).is_dir():
        raise GenerationError(f"{store.root}: no generation before {current} is kept")
    return str(before)


def plan_rollback(store: Store) -> Transition:
    """Return what a rollback would change."""
    before, current = previous(store), t.cast(str, store.current())
    services = changed_services(store.manifest(current)["files"], store.manifest(before)["files"])
    lines = model_changes(store.content(current).model, store.content(before).model)
    return Transition(
        False,
        True,
        (*lines, f"~ activate generation {before}"),
        services if store.activated() == current else RELOADED,
    )


def roll_back(
    store: Store,
    steps: Transition,
    run: Run,
    watch: Watch = lambda step: None,
    retention: Retention | None = None,
) -> Outcome:
    """Switch back and reload.

    The generation passed its check when it was made. If its files changed since, it is made anew
    from its artefact: generations share files, so an edit by hand changes several of them.
    """
    before = previous(store)
    content = store.content(before)
    if content.digest != store.manifest(before)["digest"]:
        raise GenerationError(f"generation {before} is not what it was: artefact changed")
    is_intact = not drift(store, before, run)
    if is_intact:
        _refuse_keys(store, before, run)
        generation = before
    else:
        generation = _next(store, content, frozenset(altered(store, content)), run, watch)
    switch = Switch(store, content.debian, run, watch, retention)
    reloaded = switch.to(generation, steps.services)
    return Outcome(generation, not is_intact, reloaded)


def _refuse_keys(store: Store, generation: str, run: Run) -> None:
    """Raise GenerationError if a DKIM key of the generation cannot be used."""
    found = list(key_faults(store, store.folder(generation), run))
    if found:
        raise GenerationError(f"generation {generation} is not what it was: {'; '.join(found)}")


def prune(store: Store, keep: int) -> None:
    """Remove the oldest generations, but never the current one nor the one to roll back to."""
    current = store.current()
    needed = {
        current,
        store.activated(),
        store.manifest(current).get("previous") if current else None,
    }
    ids = store.ids()
    for generation in ids[: max(0, len(ids) - keep)]:
        if generation not in needed:
            # The manifest goes first: no rollback accepts a generation without it, so one that is
            # half removed does not look complete. The next run removes the rest.
            (store.folder(generation) / "manifest.json").unlink(missing_ok=True)
            shutil.rmtree(store.folder(generation))
