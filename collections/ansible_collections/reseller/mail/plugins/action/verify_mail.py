# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import csv
import os
import secrets
import typing as t

from ansible_collections.reseller.mail.plugins.plugin_utils._controller.action import (
    ControllerAction,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import judged
from ansible_collections.reseller.mail.plugins.plugin_utils._dns import query
from ansible_collections.reseller.mail.plugins.plugin_utils._verify import (
    contact,
    mail,
    round_trip,
    spam,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.connect import Connector
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.finding import as_dicts


def initial_passwords(folder: str) -> dict[str, str]:
    """The initial passwords that the controller was given: CSV files with the columns address and
    password."""
    found = {}
    for name in sorted(os.listdir(folder)) if folder and os.path.isdir(folder) else []:
        if name.endswith(".csv"):
            with open(os.path.join(folder, name), encoding="utf-8", newline="") as file:
                found.update(
                    {row[0]: row[1] for row in csv.reader(file) if len(row) >= 2 and "@" in row[0]}
                )
    return found


class ActionModule(ControllerAction):
    """Verify mail from the controller, as a mail program and an external mail server do."""

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
        "filters": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "node": {"type": "str", "required": True},
                "enabled": {"type": "bool", "default": True},
                "dmarc_reject": {
                    "type": "str",
                    "choices": ["annotate", "junk", "reject"],
                    "default": "reject",
                },
            },
        },
        "resolver": {"type": "str", "default": ""},
        "ca_file": {"type": "str", "default": ""},
        "timeout": {"type": "float", "default": 30},
    }
    PACKAGES = {
        "dnspython": query.DNSPYTHON_IMPORT_ERROR,
        "dkimpy[ed25519]": round_trip.DKIMPY_IMPORT_ERROR,
    }

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        estate = judged(args["estate"])
        given = {account["address"]: account["password"] for account in args["accounts"]}
        passwords = {**initial_passwords(args["passwords_dir"]), **given}
        initial = None if args["initial"] is None else {*args["initial"], *given}
        probes, findings = mail.choose(estate, passwords, initial)
        connector = Connector(args["resolver"], args["ca_file"])
        findings += round_trip.access_findings(connector, estate)
        findings += contact.findings(connector, estate)
        findings += round_trip.name_findings(connector, estate, probes)
        filters = {
            one["node"]: spam.Filter(one["enabled"], one["dmarc_reject"]) for one in args["filters"]
        }
        token, timeout = secrets.token_hex(8), args["timeout"]
        findings += spam.findings(connector, estate, probes, filters, token, timeout)
        findings += round_trip.mail_findings(connector, probes, token, timeout)
        return {"changed": False, "findings": as_dicts(findings)}
