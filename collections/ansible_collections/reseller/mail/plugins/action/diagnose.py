# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import time
import typing as t
from dataclasses import replace

from ansible_collections.reseller.mail.plugins.module_utils._host.timestamps import timestamp
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import terminal
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.action import (
    ControllerAction,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import folder
from ansible_collections.reseller.mail.plugins.plugin_utils._diagnose import answers as node_answers
from ansible_collections.reseller.mail.plugins.plugin_utils._diagnose import ask, story
from ansible_collections.reseller.mail.plugins.plugin_utils._diagnose.chains import diagnose
from ansible_collections.reseller.mail.plugins.plugin_utils._diagnose.subject import (
    TROUBLES,
    Known,
    Step,
    Trail,
    find_subject,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._dns import query, spf
from ansible_collections.reseller.mail.plugins.plugin_utils._load import load
from ansible_collections.reseller.mail.plugins.plugin_utils._model import names
from ansible_collections.reseller.mail.plugins.plugin_utils._verify import host as verify_host
from ansible_collections.reseller.mail.plugins.plugin_utils._verify import round_trip
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.connect import Connector

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.plugin_utils._model.values import Fault


class ActionModule(ControllerAction):
    """Diagnose a subject on the controller. The answers of the hosts come in as an argument."""

    ARGUMENTS = {
        "estate": {"type": "path"},
        "subject": {"type": "str", "required": True},
        "trouble": {
            "type": "list",
            "elements": "str",
            "choices": list(TROUBLES),
            "default": list(TROUBLES),
        },
        "hosts": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "node": {"type": "str", "required": True},
                "address": {"type": "dict", "required": True},
                "health": {"type": "dict", "default": {}},
                "log": {"type": "dict", "required": True},
            },
        },
        "password": {"type": "str", "no_log": True},
        "offline": {"type": "bool", "default": False},
        "resolver": {"type": "str", "default": ""},
        "ca_file": {"type": "str", "default": ""},
        "timeout": {"type": "float", "default": 20},
        "fatal": {"type": "bool", "default": False},
    }
    PACKAGES = {
        "dnspython": query.DNSPYTHON_IMPORT_ERROR,
        "dkimpy[ed25519]": round_trip.DKIMPY_IMPORT_ERROR,
        "rich": story.RICH_IMPORT_ERROR,
        "spftrace": spf.SPFTRACE_IMPORT_ERROR,
    }

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Show the cause of each problem in the terminal, and return it as data."""
        args["estate"] = folder(args["estate"])
        title, trails = _diagnose(args)
        width = max(60, terminal.width())
        terminal.tell(lambda color: story.as_text(title, trails, width, color))
        causes = [
            data["cause"] | {"trouble": data["trouble"]}
            for data in story.as_data(trails)
            if data["cause"]
        ]
        found = {
            "changed": False,
            "subject": args["subject"],
            "causes": causes,
            "troubles": story.as_data(trails),
        }
        return (
            {**found, "failed": True, "msg": story.conclusion(trails)}
            if args["fatal"] and causes
            else found
        )


def _diagnose(args: dict[str, t.Any]) -> tuple[str, list[Trail]]:
    """Return the title and the steps of each problem.

    An invalid name, a fault in the estate and a domain that no tenant has are the cause of each
    problem. Nothing else is asked then.
    """
    text = args["subject"].strip()
    troubles = [one for one in TROUBLES if one in args["trouble"]]
    try:
        text = names.address(text) if "@" in text else names.domain(text)
    except ValueError as exc:
        remedy = "give an address or a domain"
        step = Step("subject", "it is an address or a domain", "fail", "files", str(exc), remedy)
        return text, _only(troubles, step)
    estate, faults = load(args["estate"])
    if estate is None:
        return text, _only(troubles, _fault_step(text, faults))
    try:
        about = find_subject(estate, text)
    except LookupError as exc:
        remedy = (
            "ask the provider of the domain; or add the domain to domains in the tenant's"
            " account.yml, then write its file"
        )
        step = Step(
            "domain.unknown", "the domain is in the files", "fail", "files", str(exc), remedy
        )
        return text, _only(troubles, step)
    known = Known(estate, about, timestamp=timestamp(int(time.time())))
    known = _with_external_answers(_with_host_answers(known, args["hosts"]), args, troubles)
    kind = "no address" if about.kind == "unknown" else about.kind
    place = f"{kind} of {about.tenant.name} ({about.at})"
    title = f"{names.spoken(text)}: {place}, placed on {known.node.hostname}"
    return title, diagnose(known, troubles)


def _only(troubles: t.Iterable[str], step: Step) -> list[Trail]:
    """Return trails with this step alone."""
    return [Trail(one, (step,)) for one in troubles]


def _fault_step(text: str, faults: t.Sequence[Fault]) -> Step:
    """Return the step for files with faults, which reach no host (S3-35).

    It shows the fault that is nearest to the subject: in the domain's file, in the folder of its
    tenant, in a file of the whole estate, or elsewhere.
    """
    name = text.rpartition("@")[2]
    folder = next(
        (
            fault.position.file.rpartition("/")[0]
            for fault in faults
            if fault.position.file.endswith(f"/{name}.yml")
        ),
        None,
    )

    def distance(fault: Fault) -> int:
        """Return how far a fault is from the subject, 0 for the domain's own file."""
        file = fault.position.file
        if file.endswith(f"/{name}.yml"):
            return 0
        if folder and file.startswith(f"{folder}/"):
            return 1
        return 2 if "/" not in file else 3

    first = min(faults, key=distance)
    more = (
        f" ({len(faults) - 1} more: ansible-playbook reseller.mail.validate)"
        if len(faults) > 1
        else ""
    )
    found = f"{first.position}: {first.what}{more}; no host is converged until this is repaired"
    return Step(
        f"files.{first.id}",
        "the files have no fault",
        "fail",
        "files",
        found,
        f"allowed: {first.allowed}",
    )


def _with_host_answers(known: Known, hosts: t.Iterable[t.Mapping[str, t.Any]]) -> Known:
    """Return the evidence with what the play got from the subject's node."""
    node, answers = known.node.name, {str(one["node"]): one for one in hosts}
    host, why = node_answers.answer_of(answers, node, "address", "tables")
    health, no_health = node_answers.answer_of(answers, node, "health", "host")
    log, no_log = node_answers.answer_of(answers, node, "log", "lines")
    lines = None if log is None else tuple(node_answers.lines_of(log))
    reasons = {
        "health": no_health or story.NO_HOST,
        "host": why or story.NO_HOST,
        "log": no_log or story.NO_HOST,
    }
    if health is not None:
        limits, ed25519 = verify_host.Limits(), verify_host.wants_ed25519(known.estate, known.node)
        found = tuple(
            verify_host.judge(
                health["host"], known.node.hostname, known.node.debian, ed25519, limits, None
            )
        )
        known = replace(known, health=found)
    return replace(known, host=host, log=lines, why={**reasons, **({"lost": why} if why else {})})


def _with_external_answers(
    known: Known, args: dict[str, t.Any], troubles: t.Collection[str]
) -> Known:
    """Return the evidence with the answers of DNS and of mail servers that the problems need."""
    about = known.subject
    if args["offline"] or not about.tenant.served:
        reason = (
            story.OFFLINE if args["offline"] else f"{about.tenant.name} is {about.tenant.state}"
        )
        parts = ("dns", "replies", "connections", "mail")
        return replace(known, why={**known.why, **dict.fromkeys(parts, reason)})
    connector = Connector(args["resolver"], args["ca_file"])
    why = {**known.why, "mail": "needs the password of the mailbox: diagnose_password"}
    if {"inbound", "outbound", "spam", "dkim"} & set(troubles):
        known = replace(known, dns=ask.dns(known, query.Asker(args["resolver"]), args["ca_file"]))
    if "inbound" in troubles and about.address and about.kind != "unknown":
        known = replace(known, replies=ask.replies(known, connector))
    if {"outbound", "login"} & set(troubles):
        known = replace(known, connections=ask.connections(known, connector))
    if {"spam", "dkim", "login"} & set(troubles) and args["password"] and about.mailbox:
        refused = ask.refused_to_probe(known)
        if refused:
            why["mail"] = f"not asked: the mailbox may not use {' and '.join(refused)}"
        else:
            found = ask.mail(known, connector, args["password"], args["timeout"])
            known = replace(known, mail=found)
    return replace(known, why=why)
