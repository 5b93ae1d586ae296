# SPDX-License-Identifier: GPL-3.0-or-later
"""Which platform this collection and an estate give to a node.

PRIVATE to the collection. Runs on the controller.
"""

from __future__ import annotations

import hashlib
import typing as t
from pathlib import Path

from ansible_collections.reseller.mail.plugins.module_utils._host.platform_record import Record

from .._compile import opendkim, outgoing
from .collection_files import ROOT, version

if t.TYPE_CHECKING:
    from .._model.estate import Estate, Node

ROLES = (
    "base",
    "tls",
    "web",
    "dovecot",
    "opendkim",
    "filter",
    "postfix",
    "firewall",
    "mta_sts",
    "autoconfig",
    "passwords",
    "generation",
    "backup",
)
"""The roles that ``site`` applies to nodes, and those that they apply."""
PARTS = ("defaults", "files", "handlers", "tasks", "templates", "vars")
"""The folders of a role that decide what is on a host. The others describe the role."""
INSTALLED = (
    "backup/command.py",
    "backup/record.py",
    "backup/restic.py",
    "backup/save.py",
    "backup/settings.py",
    "common_passwords.py",
    "common_passwords.txt.gz",
    "credentials.py",
    "hashes.py",
    "initial_passwords.py",
    "lock.py",
    "mail_on_disk.py",
    "one_text.py",
    "password_change.py",
    "quota.py",
    "quota_recount.py",
    "timestamps.py",
    "generation/expire.py",
    "generation/layout.py",
    "generation/lines.py",
    "generation/repair.py",
    "generation/retention.py",
    "generation/sieve.py",
    "generation/store.py",
    "generation/suspended.py",
    "retained/maildir.py",
    "retained/place.py",
    "retained/rules.py",
    "sieve_rules.py",
    "timestamps.py",
)
"""Files of ``module_utils/_host`` that roles install on hosts."""
WRITERS = (
    "plugins/action/host_config.py",
    "plugins/modules/host_config.py",
    "plugins/module_utils/_host/host_config",
)
"""The code that writes what roles configure."""
SITE = "run ansible-playbook reseller.mail.site"


def record(estate: Estate, node: Node) -> Record:
    """Return what ``site`` records on the node."""
    return Record(version(), digest(ROOT), _settings(estate, node))


def refusal(found: t.Any, wanted: Record) -> str:
    """Return why tenants' data may not be changed before ``site`` has run; empty if it may.

    ``found`` is what the host reports of its record, which may be anything.
    """
    recorded = _reported(found)
    if recorded is None:
        return f"reseller.mail.site has not set up this host: {SITE} first"
    if recorded.platform != wanted.platform:
        return (
            f"this host was set up by version {recorded.collection} of the collection (platform"
            f" {recorded.platform[:12]}), and this is version {wanted.collection} (platform"
            f" {wanted.platform[:12]}): {SITE}"
        )
    different = [
        f"{name} is {recorded.settings.get(name) or 'not set'} on the host and"
        f" {wanted.settings.get(name) or 'not set'} in the estate"
        for name in sorted(recorded.settings.keys() | wanted.settings.keys())
        if recorded.settings.get(name) != wanted.settings.get(name)
    ]
    return f"{'; '.join(different)}: {SITE}" if different else ""


def _reported(found: t.Any) -> t.Optional[Record]:
    """Return the record that a host reports, or None if it is none."""
    try:
        return Record(
            str(found["collection"]), str(found["platform"]), dict(found["settings"].items())
        )
    except (KeyError, TypeError, AttributeError):
        return None


def digest(root: Path) -> str:
    """Return the SHA-256 of the paths and contents of all files that configure hosts."""
    found = hashlib.sha256()
    for path in files(root):
        content = path.read_bytes()
        found.update(f"{path.relative_to(root).as_posix()} {len(content)}\n".encode())
        found.update(content)
    return found.hexdigest()


def files(root: Path) -> list[Path]:
    """Return the files of a collection that decide what is installed and configured on hosts."""
    places = [
        *(f"roles/{role}/{part}" for role in ROLES for part in PARTS),
        *(f"plugins/module_utils/_host/{name}" for name in INSTALLED),
        *WRITERS,
    ]
    return sorted(
        path
        for place in places
        for path in (root / place, *(root / place).rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
    )


def _settings(estate: Estate, node: Node) -> dict[str, str]:
    """Return what the estate says about nodes, as far as roles configure it.

    Tenants decide one of these settings, the algorithms of DKIM: each has an instance of OpenDKIM.
    """
    return {
        "hostname": node.hostname,
        "debian": str(node.debian),
        "dkim_algorithms": ", ".join(opendkim.instances(estate, node)),
        "backup_mx": "yes" if node.is_backup_mx else "no",
        "outbound": repr(outgoing.outbound_settings(node)),
        "relays": repr(outgoing.relay_settings(estate)),
        "nodes": ", ".join(
            " ".join(dict.fromkeys((one.hostname, *one.addresses, *one.outbound_addresses)))
            for one in estate.nodes
        ),
    }
