#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: address_info
short_description: Ask a running mail host about one address or domain
version_added: 0.1.0
description:
  - Asks Postfix's tables, Dovecot and the credential store of the host, not the estate's files. It
    asks for the address and for all addresses to which it delivers.
  - Also returns which DKIM keys the host has for the domain, and which of them sign.
  - Returns no password, no hash and no private key.
author: Reseller Mail developers (@reseller-mail)
extends_documentation_fragment:
  - reseller.mail.attributes.reads_only
  - reseller.mail.attributes.action_group
  - reseller.mail.host.root
options:
  subject:
    description: An address or a domain.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Ask the host about Jo
  reseller.mail.address_info:
    subject: jo@acme.example
  register: jo
"""

RETURN = r"""
generation:
  description: The generation in service; empty if there is none.
  type: str
  returned: success
  sample: 000002-3f1c9a7be210
tables:
  description: For each table of Postfix, its answers for the address, its domain and C(@domain).
  type: dict
  returned: success
  sample: {virtual_mailbox_maps: {jo@acme.example: acme}}
addresses:
  description: One entry for the address and for each address to which it delivers on this host;
    empty for a domain.
  type: list
  elements: dict
  returned: success
  contains:
    address:
      description: The address.
      type: str
      sample: jo@acme.example
    leads_to:
      description: The addresses to which Postfix rewrites it; empty if it is not rewritten.
      type: list
      elements: str
    user:
      description: Whether Dovecot has this user.
      type: bool
    logins:
      description: With which of Dovecot's services the address may log in; C(smtp) is submission,
        and C(doveadm) is any of them.
      type: list
      elements: str
      sample: [doveadm, imap, smtp]
    origin:
      description: Who set its password, V(initial), V(supplied), V(user) or V(operator); null if
        there is none.
      type: str
      sample: user
    limit:
      description: Its quota in bytes; null when there is none.
      type: int
    used:
      description: The space in use, in bytes.
      type: int
    sending:
      description: >-
        How much it sent within the last hour and what was refused. C(limits) has C(kind), C(name),
        C(used) and C(allowed) of each limit that counts for it. C(recipients) is how many
        recipients a message may have. C(again) is the time of the next message, null if it may send
        now. C(refused) has the refusals. Null for an address without a mailbox, or if the daemon of
        the sending limits does not answer.
      type: dict
bans:
  description: The bans of networks that gave wrong passwords for the address, as
    M(reseller.mail.bans) returns them; empty for a domain, and if fail2ban does not answer.
  type: list
  elements: dict
  returned: success
dkim_keys:
  description: The domain's DKIM keys.
  type: list
  elements: dict
  returned: success
  contains:
    selector:
      description: The selector.
      type: str
      sample: mx1
    public:
      description: The public half of the private key on the host.
      type: str
    signs:
      description: Whether the tables in service sign with it.
      type: bool
"""

import json
import os
import sqlite3
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.reseller.mail.plugins.module_utils._host import bans, facts, sending
from ansible_collections.reseller.mail.plugins.module_utils._host import credentials as store
from ansible_collections.reseller.mail.plugins.module_utils._host.generation.store import Run
from ansible_collections.reseller.mail.plugins.module_utils._host.keys.dkim import public_half

TABLES = (
    "virtual_mailbox_domains",
    "virtual_alias_domains",
    "relay_domains",
    "virtual_mailbox_maps",
    "virtual_alias_maps",
    "relay_recipient_maps",
    "transport_maps",
    "sender_login_maps",
    "sender_transport_maps",
)
MOST = 50
"""How many addresses are followed. An alias may deliver to thousands."""
KIB = 1024


class Host:
    """The mail host on which the module runs: its tables, Dovecot, credential store and keys."""

    def __init__(self, module: AnsibleModule, root: str) -> None:
        self.run, self.find = module.run_command, module.get_bin_path
        self.root, self.current = root, os.path.join(root, "current")

    def ask(self, table: str, keys: t.Iterable[str]) -> dict[str, str]:
        """Return the answers of a table of Postfix by key, without keys that it does not have."""
        path, postmap = os.path.join(self.current, "postfix", table), self.find("postmap")
        if postmap is None or not os.path.exists(f"{path}.lmdb"):
            return {}
        _rc, out, _err = self.run([postmap, "-q", "-", f"lmdb:{path}"], data="\n".join(keys))
        return {
            key: value
            for key, tab, value in (line.partition("\t") for line in out.splitlines())
            if tab
        }

    def leads_to(self, address: str) -> list[str]:
        """Return the addresses to which an address is rewritten; empty if it is not.

        The order is that of virtual(5): the address, the address without its extension, the
        catch-all of the domain.
        """
        local, _at, domain = address.rpartition("@")
        keys = dict.fromkeys((address, f"{local.partition('+')[0]}@{domain}", f"@{domain}"))
        answers = self.ask("virtual_alias_maps", keys)
        found = next((answers[key] for key in keys if key in answers), "")
        return [target.strip() for target in found.split(",") if target.strip()]

    def address(self, address: str) -> dict[str, t.Any]:
        """Return what the host has about one address, as RETURN documents it."""
        doveadm = self.find("doveadm")
        known = doveadm is not None and self.run([doveadm, "user", address])[0] == 0
        return {
            "address": address,
            "leads_to": self.leads_to(address),
            "user": known,
            "logins": self.logins(address),
            "origin": self.origin(address),
            "sending": sent_by(address) if known else None,
            **(self.quota(doveadm, address) if known else {"limit": None, "used": None}),
        }

    def logins(self, address: str) -> list[str]:
        """Return the services of Dovecot for which the current generation permits the login."""
        folder = os.path.join(self.current, "dovecot", "logins")
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        return [name for name in names if self.lists(os.path.join(folder, name), address)]

    def lists(self, path: str, address: str) -> bool:
        """Return whether a passwd-file has the address."""
        with open(path, encoding="utf-8") as file:
            return any(line.partition(":")[0] == address for line in file)

    def origin(self, address: str) -> t.Optional[str]:
        """Return who set the password; None if the credential store has none."""
        path = os.path.join(self.root, "credentials", "credentials.db")
        if not os.path.exists(path):
            return None
        with store.Store(path, read_only=True) as opened:
            return opened.origin(address)

    def quota(self, doveadm: t.Any, address: str) -> dict[str, t.Any]:
        """Return limit and usage in bytes from ``doveadm quota get``; None for an unknown one."""
        _rc, out, _err = self.run([doveadm, "-f", "json", "quota", "get", "-u", address])
        try:
            row = next(row for row in json.loads(out or "[]") if row.get("type") == "STORAGE")
            return {
                "limit": None if row["limit"] in ("-", "0") else int(row["limit"]) * KIB,
                "used": int(row["value"]) * KIB,
            }
        except (ValueError, KeyError, TypeError, StopIteration):
            return {"limit": None, "used": None}

    def keys(self, domain: str) -> list[dict[str, t.Any]]:
        """Return the DKIM keys of a domain; each public half is computed from the private key."""
        folder, openssl, found = os.path.join(self.root, "dkim", domain), self.find("openssl"), []
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) and openssl else []
        for selector in (
            name[: -len(".private")]
            for name in names
            if name.endswith(".private") and not name.startswith(".")
        ):
            _rc, out, _err = self.run(
                [openssl, "pkey", "-in", os.path.join(folder, f"{selector}.private"), "-pubout"]
            )
            try:
                found.append(
                    {
                        "selector": selector,
                        "public": public_half(out),
                        "signs": self.signs(domain, selector),
                    }
                )
            except ValueError:
                found.append(
                    {"selector": selector, "public": "", "signs": self.signs(domain, selector)}
                )
        return found

    def signs(self, domain: str, selector: str) -> bool:
        """Return whether an OpenDKIM instance signs the domain's mail with this key."""
        for folder in ("opendkim", "opendkim_ed25519", "opendkim_node"):
            try:
                with open(
                    os.path.join(self.current, folder, "signing_table"), encoding="utf-8"
                ) as file:
                    if any(
                        line.split() == [domain, f"{selector}._domainkey.{domain}"] for line in file
                    ):
                        return True
            except FileNotFoundError:
                continue
        return False


def sent_by(address: str) -> t.Optional[dict[str, t.Any]]:
    """Return what the daemon of the sending limits knows of a mailbox, None if it does not."""
    try:
        found = sending.report(address)
    except (OSError, ValueError):
        return None
    return found if "limits" in found else None


def guessers(address: str, run: Run) -> list[dict[str, str]]:
    """Return the bans of networks that gave wrong passwords for an address."""
    try:
        found = bans.of_subject(bans.banned(run), address, run)
    except bans.BansError:
        return []
    return [one.as_dict() for one in found]


def main() -> None:
    """Return to Ansible what the host has about the subject."""
    options = {
        "subject": {"type": "str", "required": True},
        "root": {"type": "path", "default": "/var/lib/reseller-mail"},
    }
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    subject = module.params["subject"].strip().lower()
    host = Host(module, module.params["root"])
    local, _at, domain = subject.rpartition("@")
    keys = [subject, domain, f"@{domain}"] if local else [domain, f"@{domain}"]
    tables = {table: host.ask(table, keys) for table in TABLES}
    addresses: dict[str, dict[str, t.Any]] = {}
    waiting = [subject] if local else []
    try:
        while waiting and len(addresses) < MOST:
            address = waiting.pop(0)
            addresses[address] = host.address(address)
            waiting += [
                target
                for target in addresses[address]["leads_to"]
                if target not in addresses and target not in waiting
            ]
    except sqlite3.Error as exc:
        module.fail_json(msg=f"the credential store cannot be read: {exc}")
    generation = (
        os.path.basename(os.path.realpath(host.current)) if os.path.islink(host.current) else ""
    )
    module.exit_json(
        changed=False,
        generation=generation,
        tables=tables,
        addresses=list(addresses.values()),
        bans=guessers(subject, facts.runner(module.run_command)) if local else [],
        dkim_keys=host.keys(domain),
    )


if __name__ == "__main__":
    main()
