# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import typing as t
from pathlib import Path

from ansible_collections.reseller.mail.plugins.module_utils import (
    _dns_octodns,
    _dns_publish,
    _dns_query,
)
from ansible_collections.reseller.mail.plugins.module_utils._compile.dns import octodns
from ansible_collections.reseller.mail.plugins.module_utils._dns_update import Primary
from ansible_collections.reseller.mail.plugins.plugin_utils import _files, _terminal
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import ControllerAction
from ansible_collections.reseller.mail.plugins.plugin_utils._dns import (
    book_of,
    processor,
    write_book,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._estate import judged

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Estate


RUNS = 40
"""Of octoDNS, at most, to find the zones at fault among all; each begins a process and asks the provider."""


class ActionModule(ControllerAction):
    """Runs on the controller: reads the model, asks what is there, sends what differs or has octoDNS send it."""

    ARGUMENTS = {
        "estate": {"type": "path"},
        "driver": {"type": "str", "default": "rfc2136", "choices": ["rfc2136", "octodns"]},
        "server": {"type": "str", "default": ""},
        "port": {"type": "int", "default": 53},
        "key_name": {"type": "str", "default": ""},
        "key_algorithm": {
            "type": "str",
            "default": "hmac-sha256",
            "choices": ["hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512"],
        },
        "key_secret": {"type": "str", "default": "", "no_log": True},
        "octodns_dir": {"type": "path", "default": "build/octodns"},
        "octodns_target": {"type": "dict", "default": {}},
        "octodns_sync": {"type": "path", "default": ""},
        "resolver": {"type": "str", "default": ""},
        "ca_file": {"type": "str", "default": ""},
        "wait": {"type": "int", "default": 30},
        "deletions_accepted": {"type": "int", "default": 0},
        "faults": {"type": "str", "default": "fail", "choices": ["fail", "warn"]},
    }
    RULES = {
        "required_if": [
            ("driver", "rfc2136", ["server"]),
            ("driver", "octodns", ["octodns_target"]),
        ]
    }
    PACKAGES = {"dnspython": _dns_query.DNSPYTHON_IMPORT_ERROR}

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        estate = judged(args["estate"])
        publish = self._octodns if args["driver"] == "octodns" else self._rfc2136
        result = publish(estate, args)
        for kind in ("pending", "notes", "remembered"):
            for text in result[kind]:
                _terminal.say(f"{'note' if kind != 'pending' else kind}: {text}")
        for text in result["lagging"]:
            _terminal.warn(f"does not have the new data yet: {text}")
        if result["faults"] and args["faults"] == "warn":
            for text in result["faults"]:
                _terminal.warn(f"not published: {text}")
        elif result["faults"]:
            result.update(failed=True, msg="\n".join(result["faults"]))
        return result

    def _rfc2136(self, estate: Estate, args: dict[str, t.Any]) -> dict[str, t.Any]:
        primary = Primary(
            _dns_query.server_at(args["server"], args["port"]),
            args["key_name"],
            args["key_algorithm"],
            args["key_secret"],
        )
        check_mode = bool(self._task.check_mode)
        outcome = asyncio.run(
            _dns_publish.publish(
                estate,
                _dns_query.Asker(args["resolver"]),
                primary,
                book_of(args["estate"]),
                ca_file=args["ca_file"],
                seconds=args["wait"],
                check_mode=check_mode,
                accepted=args["deletions_accepted"],
            )
        )
        lines = [line for change in outcome.changes for line in change.lines()]
        if lines and not self._task.diff:
            _terminal.say(f"{len(lines)} changes of records in {args['server']}; --diff shows them")
        noted = write_book(args["estate"], outcome.book, check_mode)
        found = {
            kind: getattr(outcome, kind)
            for kind in ("pending", "notes", "lagging", "remembered", "faults")
        }
        diff = {"prepared": "".join(f"{line}\n" for line in lines)} if lines else {}
        return {"changed": bool(lines) or noted, "changes": lines, **found, "diff": diff}

    def _octodns(self, estate: Estate, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Writes octoDNS's files, lets it plan, and outside check mode lets it do its plan."""
        check_mode, folder = bool(self._task.check_mode), args["octodns_dir"]
        prepared = asyncio.run(
            _dns_octodns.prepare(
                estate,
                _dns_query.Asker(args["resolver"]),
                book_of(args["estate"]),
                args["octodns_target"],
                args["ca_file"],
            )
        )
        texts = {
            name: text.encode()
            for name, text in {**prepared.files, f"{octodns.PROCESSOR}.py": processor()}.items()
        }
        diffs = _files.put_all(
            Path(folder), texts, check_mode=False
        )  # octoDNS plans from them, in check mode too
        result: dict[str, t.Any] = {
            "changes": [],
            "pending": prepared.pending,
            "notes": [],
            "lagging": [],
            "remembered": [],
            "faults": prepared.faults,
        }
        book = prepared.meanwhile
        zones = sorted(frozenset().union(*prepared.zones_of.values()))
        if args["octodns_sync"] and zones:
            changes, faults = self._sync_apart(
                args["octodns_sync"], folder, zones, doit=not check_mode
            )
            result.update(
                changes=changes, faults=[*prepared.faults, *filter(None, faults.values())]
            )
            kept = {
                domain
                for domain, its_zones in prepared.zones_of.items()
                if its_zones & faults.keys()
            }
            book = {
                domain: places for domain, places in prepared.done.items() if domain not in kept
            }
            book.update((domain, prepared.meanwhile[domain]) for domain in kept)
        noted = write_book(args["estate"], book, check_mode)
        if diffs or result["changes"]:
            result["diff"] = [
                *diffs,
                {"prepared": "".join(f"{line}\n" for line in result["changes"])},
            ]
        return {"changed": bool(diffs or result["changes"]) or noted, **result}

    def _sync_apart(
        self, program: str, folder: str, zones: list[str], doit: bool
    ) -> tuple[list[str], dict[str, str]]:
        """octoDNS's plan, and by zone what it ended with when that was no success. octoDNS does all zones or none: where it ends with a fault
        the halves are tried, until those at fault stand alone; after ``RUNS`` runs it is the same with all that are left."""
        changes: list[str] = []
        faults: dict[str, str] = {}
        waiting = [zones]
        for run in itertools.count(1):
            part = waiting.pop(0)
            said, fault = self._sync(program, folder, doit, part if len(part) < len(zones) else [])
            if not fault:
                changes += said
            elif len(part) > 1 and run < RUNS:
                waiting += [part[: len(part) // 2], part[len(part) // 2 :]]
            else:
                faults.update(
                    (zone, f"{', '.join(part)}: {fault}" if zone == part[0] else "")
                    for zone in part
                )
            if not waiting:
                return changes, faults
        raise AssertionError  # pragma: no cover - count() has no end

    def _sync(
        self, program: str, folder: str, doit: bool, zones: list[str]
    ) -> tuple[list[str], str]:
        """octoDNS's plan as it prints it, and what it ended with when that was no success. No zones: all of them."""
        command = [
            program,
            "--config-file",
            "config.yaml",
            *(["--doit"] if doit else []),
            *(f"{zone}." for zone in zones),
        ]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, (".", os.environ.get("PYTHONPATH")))),
        }
        try:
            done = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, text=True, check=False
            )
        except OSError as error:
            return [], f"{program} cannot be run: {error.strerror}"
        said = [
            line.partition("Plan")[2].strip(" *\t") or line.strip(" *\t")
            for line in (done.stdout + done.stderr).splitlines()
        ]
        changes = [line for line in said if line.startswith(("Create ", "Update ", "Delete "))]
        fault = (
            ""
            if done.returncode == 0
            else f"{os.path.basename(program)} ended with {done.returncode}: {' '.join(said[-3:])}"
        )
        return changes, fault
