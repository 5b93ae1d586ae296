# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import time
import typing as t
from dataclasses import replace

from ansible_collections.reseller.mail.plugins.module_utils import (
    _diagnose_ask,
    _diagnose_story,
    _dns_query,
    _mail_round,
    _names,
    _verify_host,
)
from ansible_collections.reseller.mail.plugins.module_utils._diagnose import (
    TROUBLES,
    Known,
    Step,
    Trail,
    subject,
)
from ansible_collections.reseller.mail.plugins.module_utils._diagnose_chains import diagnose
from ansible_collections.reseller.mail.plugins.module_utils._diagnose_log import Line
from ansible_collections.reseller.mail.plugins.module_utils._dkim import moment
from ansible_collections.reseller.mail.plugins.module_utils._load import load
from ansible_collections.reseller.mail.plugins.module_utils._mail_dial import Dialler
from ansible_collections.reseller.mail.plugins.plugin_utils import _terminal
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import ControllerAction
from ansible_collections.reseller.mail.plugins.plugin_utils._estate import folder

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._model.values import Fault


class ActionModule(ControllerAction):
    """Looks from the controller, as the world does; what hosts say comes in as an argument."""

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
        "dnspython": _dns_query.DNSPYTHON_IMPORT_ERROR,
        "rich": _diagnose_story.RICH_IMPORT_ERROR,
    }

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        args["estate"] = folder(args["estate"])
        title, trails = _look(args)
        width = max(60, _terminal.width())
        _terminal.tell(lambda color: _diagnose_story.story(title, trails, width, color))
        causes = [
            data["cause"] | {"trouble": data["trouble"]}
            for data in _diagnose_story.as_data(trails)
            if data["cause"]
        ]
        found = {
            "changed": False,
            "subject": args["subject"],
            "causes": causes,
            "troubles": _diagnose_story.as_data(trails),
        }
        return (
            {**found, "failed": True, "msg": _diagnose_story.verdict(trails)}
            if args["fatal"] and causes
            else found
        )


def _look(args: dict[str, t.Any]) -> tuple[str, list[Trail]]:
    """The title, and each trouble's way. A name that cannot be one, an estate at fault and a stranger's domain are causes themselves."""
    text = args["subject"].strip()
    troubles = [one for one in TROUBLES if one in args["trouble"]]
    try:
        text = _names.address(text) if "@" in text else _names.domain(text)
    except ValueError as exc:
        return text, _only(
            troubles,
            Step(
                "subject",
                "it is an address or a domain",
                "fail",
                "files",
                str(exc),
                "give an address or a domain",
            ),
        )
    estate, faults = load(args["estate"])
    if estate is None:
        return text, _only(troubles, _fault(text, faults))
    try:
        about = subject(estate, text)
    except LookupError as exc:
        remedy = "ask the domain's own provider, or add it: domains in the tenant's account.yml, then its file"
        return text, _only(
            troubles,
            Step("domain.unknown", "the files know its domain", "fail", "files", str(exc), remedy),
        )
    known = _gathered(
        _said_by_hosts(Known(estate, about, moment=moment(int(time.time()))), args["hosts"]),
        args,
        troubles,
    )
    kind = "no address" if about.kind == "unknown" else about.kind
    place = f"{kind} of {about.tenant.name} ({about.at})"
    return f"{_names.spoken(text)}: {place}, placed on {known.node.hostname}", diagnose(
        known, troubles
    )


def _only(troubles: t.Iterable[str], step: Step) -> list[Trail]:
    return [Trail(one, (step,)) for one in troubles]


def _fault(text: str, faults: t.Sequence[Fault]) -> Step:
    """S3-35: files at fault reach no host. Those nearest to the subject come first; the fault's own words name the key."""
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
        file = fault.position.file
        return (
            0
            if file.endswith(f"/{name}.yml")
            else 1
            if folder and file.startswith(f"{folder}/")
            else 2
            if "/" not in file
            else 3
        )

    first = min(faults, key=distance)
    more = (
        f" ({len(faults) - 1} more: ansible-playbook reseller.mail.validate)"
        if len(faults) > 1
        else ""
    )
    found = f"{first.position}: {first.what}{more}; nothing is converged before that is mended"
    return Step(
        f"files.{first.id}",
        "the files have no fault",
        "fail",
        "files",
        found,
        f"allowed: {first.allowed}",
    )


def _said_by_hosts(known: Known, hosts: t.Iterable[t.Mapping[str, t.Any]]) -> Known:
    node, answers = known.node.name, {str(one["node"]): one for one in hosts}
    host, why = _diagnose_ask.facts(answers, node, "address", "tables")
    health, no_health = _diagnose_ask.facts(answers, node, "health", "host")
    log, no_log = _diagnose_ask.facts(answers, node, "log", "lines")
    lines = (
        None
        if log is None
        else tuple(
            Line(str(row["at"]), str(row["program"]), str(row["text"]), str(row["kind"]))
            for row in log["lines"]
        )
    )
    reasons = {
        "health": no_health or _diagnose_story.NO_HOST,
        "host": why or _diagnose_story.NO_HOST,
        "log": no_log or _diagnose_story.NO_HOST,
    }
    if health is not None:
        limits, ed25519 = (
            _verify_host.Limits(),
            _verify_host.wants_ed25519(known.estate, known.node),
        )
        found = tuple(
            _verify_host.judge(
                health["host"], known.node.hostname, known.node.debian, ed25519, limits, None
            )
        )
        known = replace(known, health=found)
    return replace(known, host=host, log=lines, why={**reasons, **({"lost": why} if why else {})})


def _gathered(known: Known, args: dict[str, t.Any], troubles: t.Collection[str]) -> Known:
    """What the world says, as far as the troubles need it."""
    about = known.subject
    if args["offline"] or not about.tenant.served:
        reason = (
            _diagnose_story.OFFLINE
            if args["offline"]
            else f"{about.tenant.name} is {about.tenant.state}"
        )
        return replace(
            known, why={**known.why, **dict.fromkeys(("dns", "replies", "knocks", "mail"), reason)}
        )
    dialler = Dialler(args["resolver"], args["ca_file"])
    why = {**known.why, "mail": "no password is known here: diagnose_password"}
    if {"inbound", "outbound", "spam", "dkim"} & set(troubles):
        known = replace(
            known, dns=_diagnose_ask.dns(known, _dns_query.Asker(args["resolver"]), args["ca_file"])
        )
    if "inbound" in troubles and about.address and about.kind != "unknown":
        known = replace(known, replies=_diagnose_ask.replies(known, dialler))
    if {"outbound", "login"} & set(troubles):
        known = replace(known, knocks=_diagnose_ask.knocks(known, dialler))
    if {"spam", "dkim", "login"} & set(troubles) and args["password"] and about.mailbox:
        if _mail_round.DKIMPY_IMPORT_ERROR is None:
            known = replace(
                known, mail=_diagnose_ask.mail(known, dialler, args["password"], args["timeout"])
            )
        else:
            why["mail"] = "needs the Python package dkimpy[ed25519] on the controller"
    return replace(known, why=why)
