# SPDX-License-Identifier: GPL-3.0-or-later
"""Generations on a host: stage, judge, switch and reload in one operation, prune, roll back, measure drift.

PRIVATE to the collection. Runs on the host; standard library only.

Until the switch nothing that serves is touched, so a failure leaves the old generation serving. From the switch on a
failure is not undone but finished by the next run, whose plan then holds *activate*: the new generation was judged
good, and going back would mix the two once more.
"""

from __future__ import annotations

import shutil
import typing as t
from dataclasses import dataclass

from .daemons import Room
from .drift import Drift, drift
from .layout import UNITS
from .plan import RELOADED, Plan, changed_services, model_changes, plan
from .signing import with_usable_keys
from .stage import discard, stage
from .store import Content, GenerationError, Run, Store, sequence, unpack
from .verdict import judge, key_faults

__all__ = [
    "Content",
    "Drift",
    "GenerationError",
    "Outcome",
    "Plan",
    "Store",
    "apply",
    "drift",
    "plan",
    "plan_rollback",
    "previous",
    "roll_back",
    "unpack",
    "with_usable_keys",
]

Watch = t.Callable[[str], None]
"""Called after each step with its name: ``staged``, ``judged``, ``switched``, ``reloaded``, ``activated``. For whoever
measures, and for tests, which spoil what is staged or end the run there."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did."""

    generation: str
    judged: bool
    reloaded: tuple[str, ...]


def apply(
    store: Store,
    content: Content,
    steps: Plan,
    run: Run,
    keep: int,
    watch: Watch = lambda step: None,
) -> Outcome:
    """Does what the plan says; the caller holds the store's lock since before planning."""
    generation = _next(store, content, run, watch) if steps.stage else t.cast(str, store.current())
    reloaded = _activate(store, generation, steps.services, content.debian, run, watch)
    prune(store, keep)
    return Outcome(generation, steps.stage, reloaded)


def _next(store: Store, content: Content, run: Run, watch: Watch) -> str:
    """Makes, judges and names a generation; not yet the current one."""
    try:
        with Room(store, run) as room:
            staging = stage(store, content, run, room.postfix)
            watch("staged")
            judge(store, staging, content, run, room)
        watch("judged")
        generation = f"{store.manifest('.staging')['sequence']:06d}-{content.digest[:12]}"
        staging.rename(store.folder(generation))
    except BaseException:
        discard(store)
        raise
    return generation


def _activate(
    store: Store, generation: str, services: t.Iterable[str], debian: int, run: Run, watch: Watch
) -> tuple[str, ...]:
    """Switches and tells the daemons in one go: in between Postfix would mix the two generations."""
    if store.current() != generation:
        store.switch(generation)
    watch("switched")
    reloaded = tuple(service for service in services if _reload(service, debian, run))
    watch("reloaded")
    store.mark_activated(generation)
    watch("activated")
    return reloaded


def _reload(service: str, debian: int, run: Run) -> bool:
    """Whether the service was told. One that is down reads the new generation when it starts."""
    unit = UNITS[debian][service]
    verb = "reload"
    if run(["systemctl", "is-active", "--quiet", unit])[0]:
        if not service.startswith("opendkim"):
            return False
        verb = "start"  # its unit waits for the first generation; one that nobody wants has no settings and stays down
    code, _output, errors = run(["systemctl", verb, unit])
    if code:
        raise GenerationError(
            f"systemctl {verb} {unit}: {errors.strip() or f'exit status {code}'}; the new generation is current, and the next run reloads again"
        )
    return True


def previous(store: Store) -> str:
    """The generation that was current before the current one."""
    current = store.current()
    if current is None:
        raise GenerationError(f"{store.root}: there is no generation yet")
    before = store.manifest(current).get("previous")
    if not before or not store.folder(before).is_dir():
        raise GenerationError(f"{store.root}: no generation before {current} is kept")
    return str(before)


def plan_rollback(store: Store) -> Plan:
    """What switching back would change."""
    before, current = previous(store), t.cast(str, store.current())
    services = changed_services(store.manifest(current)["files"], store.manifest(before)["files"])
    lines = model_changes(store.content(current).model, store.content(before).model)
    return Plan(
        False,
        True,
        (*lines, f"~ activate generation {before}"),
        services if store.activated() == current else RELOADED,
    )


def roll_back(store: Store, steps: Plan, run: Run, watch: Watch = lambda step: None) -> Outcome:
    """Switches back and reloads. The generation was judged when it was made; that it is still what it was is checked."""
    before = previous(store)
    found = [str(item) for item in drift(store, before, run)] or list(
        key_faults(store, store.folder(before), run)
    )
    if found:
        raise GenerationError(f"generation {before} is not what it was: {'; '.join(found)}")
    reloaded = _activate(store, before, steps.services, store.content(before).debian, run, watch)
    return Outcome(before, False, reloaded)


def prune(store: Store, keep: int) -> None:
    """Removes the oldest generations, never the current one nor the one to roll back to."""
    current = store.current()
    needed = {
        current,
        store.activated(),
        store.manifest(current).get("previous") if current else None,
    }
    ids = store.ids()
    for generation in ids[: max(0, len(ids) - keep)]:
        if generation not in needed:
            # Its name goes first: a half-removed generation must never look like a whole one.
            doomed = store.generations / f".pruned-{sequence(generation)}"
            store.folder(generation).rename(doomed)
            shutil.rmtree(doomed)
