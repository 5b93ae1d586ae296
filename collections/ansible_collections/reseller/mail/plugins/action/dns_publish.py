# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import typing as t
from pathlib import Path

from ansible_collections.reseller.mail.plugins.plugin_utils._compile.dns import octodns
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import files, terminal
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.action import (
    ControllerAction,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import (
    folder,
    judged,
    tenant_of,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.progress import Progress
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.published import (
    one_at_a_time,
    processor,
    read_published,
    write_published,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._dns import query
from ansible_collections.reseller.mail.plugins.plugin_utils._publish import (
    octodns as publish_octodns,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._publish import (
    publish as publish_publish,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._publish.primary import Primary

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import Estate
    from ansible_collections.reseller.mail.plugins.plugin_utils._publish import published_records


RUNS = 40
"""Runs of octoDNS at most, to find the zones at fault. Each starts a process and asks the provider
of DNS."""


class ActionModule(ControllerAction):
    """The action of dns_publish.

    It runs on the controller. It compares the model with DNS, and sends the differences or runs
    octoDNS.
    """

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
        "tenant": {"type": "str", "default": ""},
    }
    RULES = {
        "required_if": [
            ("driver", "rfc2136", ["server"]),
            ("driver", "octodns", ["octodns_target"]),
        ]
    }
    PACKAGES = {"dnspython": query.DNSPYTHON_IMPORT_ERROR}

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Publish the records, print what users should know, and return the task's result."""
        publish = self._octodns if args["driver"] == "octodns" else self._rfc2136
        with one_at_a_time(folder(args["estate"])):
            result = publish(judged(args["estate"]), args)
        for kind in ("pending", "notes", "remembered"):
            for text in result[kind]:
                terminal.say(f"{'note' if kind != 'pending' else kind}: {text}")
        for text in result["lagging"]:
            terminal.warn(f"does not have the new data yet: {text}")
        if result["faults"] and args["faults"] == "warn":
            for text in result["faults"]:
                terminal.warn(f"not published: {text}")
        elif result["faults"]:
            result.update(failed=True, msg="\n".join(result["faults"]))
        return result

    def _rfc2136(self, estate: Estate, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Publish by updates to the primary server, and return the task's result."""
        primary = Primary(
            query.server_at(args["server"], args["port"]),
            args["key_name"],
            args["key_algorithm"],
            args["key_secret"],
        )
        check_mode = bool(self._task.check_mode)
        outcome = asyncio.run(
            publish_publish.publish(
                estate,
                query.Asker(args["resolver"]),
                primary,
                read_published(args["estate"]),
                ca_file=args["ca_file"],
                seconds=args["wait"],
                check_mode=check_mode,
                accepted=args["deletions_accepted"],
                tenant=tenant_of(estate, args["tenant"]) if args["tenant"] else None,
                progress=Progress("domains compared with DNS"),
            )
        )
        lines = [line for change in outcome.changes for line in change.lines()]
        if lines and not self._task.diff:
            terminal.say(f"{len(lines)} changes of records in {args['server']}; --diff shows them")
        noted = write_published(args["estate"], outcome.published, check_mode)
        found = {
            kind: getattr(outcome, kind)
            for kind in ("pending", "notes", "lagging", "remembered", "faults")
        }
        diff = {"prepared": "".join(f"{line}\n" for line in lines)} if lines else {}
        return {"changed": bool(lines) or noted, "changes": lines, **found, "diff": diff}

    def _octodns(self, estate: Estate, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Write the files for octoDNS, run it if its program is set, and return the task's result.

        In check mode octoDNS only plans.
        """
        check_mode, folder = bool(self._task.check_mode), args["octodns_dir"]
        prepared = asyncio.run(
            publish_octodns.prepare(
                estate,
                query.Asker(args["resolver"]),
                read_published(args["estate"]),
                args["octodns_target"],
                args["ca_file"],
                tenant_of(estate, args["tenant"]) if args["tenant"] else None,
            )
        )
        texts = {
            name: text.encode()
            for name, text in {**prepared.files, f"{octodns.PROCESSOR}.py": processor()}.items()
        }
        # The files are also written in check mode: octoDNS plans from them.
        diffs = files.put_all(Path(folder), texts, check_mode=False)
        result: dict[str, t.Any] = {
            "changes": [],
            "pending": prepared.pending,
            "notes": [],
            "lagging": [],
            "remembered": [],
            "faults": prepared.faults,
        }
        published = prepared.meanwhile
        zones = sorted(frozenset().union(*prepared.zones_of.values()))
        if args["octodns_sync"] and zones:
            changes, faults = self._sync_apart(
                args["octodns_sync"], folder, zones, doit=not check_mode
            )
            result.update(
                changes=changes, faults=[*prepared.faults, *filter(None, faults.values())]
            )
            published = _published_after(prepared, faults.keys())
        noted = write_published(args["estate"], published, check_mode)
        if diffs or result["changes"]:
            result["diff"] = [
                *diffs,
                {"prepared": "".join(f"{line}\n" for line in result["changes"])},
            ]
        return {"changed": bool(diffs or result["changes"]) or noted, **result}

    def _sync_apart(
        self, program: str, folder: str, zones: list[str], doit: bool
    ) -> tuple[list[str], dict[str, str]]:
        """Run octoDNS; return the lines of its plans, and the error of each zone that failed.

        octoDNS publishes all zones or none. If it fails, run it again with each half of the zones,
        until each zone at fault is found. After ``RUNS`` runs, the zones that are left together
        have failed together.
        """
        changes: list[str] = []
        faults: dict[str, str] = {}
        waiting = [zones]
        for run in itertools.count(1):
            part = waiting.pop(0)
            lines, fault = self._sync(program, folder, doit, part if len(part) < len(zones) else [])
            if not fault:
                changes += lines
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
        """Run octoDNS once; return the lines of its plan, and its error or an empty text.

        ``zones`` are the zones to publish. If the list is empty, octoDNS publishes all.
        """
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
        lines = [
            line.partition("Plan")[2].strip(" *\t") or line.strip(" *\t")
            for line in (done.stdout + done.stderr).splitlines()
        ]
        changes = [line for line in lines if line.startswith(("Create ", "Update ", "Delete "))]
        fault = (
            ""
            if done.returncode == 0
            else f"{os.path.basename(program)} ended with {done.returncode}: {' '.join(lines[-3:])}"
        )
        return changes, fault


def _published_after(
    prepared: publish_octodns.Prepared, failed: t.AbstractSet[str]
) -> published_records.Published:
    """Return the list of published records after a run of octoDNS in which some zones failed.

    Domains with records in a failed zone keep their entries of before.
    """
    kept = {domain for domain, zones in prepared.zones_of.items() if zones & failed}
    published = {domain: places for domain, places in prepared.done.items() if domain not in kept}
    published.update((domain, prepared.meanwhile[domain]) for domain in kept)
    return published
