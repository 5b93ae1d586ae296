# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import csv
import os
import secrets
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils import (
    _dns_query,
    _mail_round,
    _verify_contact,
    _verify_mail,
)
from ansible_collections.reseller.mail.plugins.module_utils._finding import as_dicts
from ansible_collections.reseller.mail.plugins.module_utils._mail_dial import Dialler
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import ControllerAction
from ansible_collections.reseller.mail.plugins.plugin_utils._estate import judged


def handed_over(folder: str) -> dict[str, str]:
    """The initial passwords that the controller was given: CSV files with the columns address and password."""
    found = {}
    for name in sorted(os.listdir(folder)) if folder and os.path.isdir(folder) else []:
        if name.endswith(".csv"):
            with open(os.path.join(folder, name), encoding="utf-8", newline="") as file:
                found.update(
                    {row[0]: row[1] for row in csv.reader(file) if len(row) >= 2 and "@" in row[0]}
                )
    return found


class ActionModule(ControllerAction):
    """Runs on the controller, as a mail client and a stranger's mail server would."""

    ARGUMENTS = {
        "estate": {"type": "path"},
        "accounts": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "address": {"type": "str", "required": True},
                "password": {"type": "str", "required": True, "no_log": True},
            },
        },
        "passwords_dir": {"type": "path", "default": ""},
        "initial": {"type": "list", "elements": "str"},
        "resolver": {"type": "str", "default": ""},
        "ca_file": {"type": "str", "default": ""},
        "timeout": {"type": "float", "default": 30},
    }
    PACKAGES = {
        "dnspython": _dns_query.DNSPYTHON_IMPORT_ERROR,
        "dkimpy[ed25519]": _mail_round.DKIMPY_IMPORT_ERROR,
    }

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        estate = judged(args["estate"])
        given = {account["address"]: account["password"] for account in args["accounts"]}
        passwords = {**handed_over(args["passwords_dir"]), **given}
        initial = None if args["initial"] is None else {*args["initial"], *given}
        probes, findings = _verify_mail.choose(estate, passwords, initial)
        dialler = Dialler(args["resolver"], args["ca_file"])
        findings += _mail_round.access_findings(dialler, estate)
        findings += _verify_contact.findings(dialler, estate)
        findings += _mail_round.name_findings(dialler, estate, probes)
        findings += _mail_round.mail_findings(
            dialler, probes, secrets.token_hex(8), args["timeout"]
        )
        return {"changed": False, "findings": as_dicts(findings)}
