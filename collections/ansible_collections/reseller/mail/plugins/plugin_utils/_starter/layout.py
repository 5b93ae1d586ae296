# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a new repository: estate, inventory, settings of Ansible, pipelines.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from .._exchange import yaml_out
from .answers import ROOT, Answers
from .texts import ANSIBLE_CFG, GITIGNORE, readme

ESTATE = "estate"
INVENTORY = "inventory"
PLAN = "standard"
_EXAMPLE_ESTATE = "estates/example"
"""The folder of the estate in the pipelines of docs/pipelines."""
_REQUIREMENT = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(\[[^\]]*\])?")
_COMMENTS: t.Final = {
    "estate.yml": "The provider and its nodes. docs/language.md of reseller.mail has every key.",
    "plans.yml": "What tenants can buy.",
    "account.yml": "What the provider decides about this tenant.",
    "": "The tenant's mailboxes and aliases.",
}


@dataclass(frozen=True, slots=True)
class Collection:
    """What the installed collection and the Python environment give to the files.

    Attributes:
        version: The version of the collection.
        requirements: The lines of the collection's requirements.txt.
        installed: The installed version of each Python package, by its name.
        pipelines: The texts of docs/pipelines, by their file names.
    """

    version: str
    requirements: tuple[str, ...] = ()
    installed: t.Mapping[str, str] = field(default_factory=dict)
    pipelines: t.Mapping[str, str] = field(default_factory=dict)


def files(answers: Answers, collection: Collection) -> dict[str, str]:
    """Return the text of every file, by its path in the new folder."""
    found = {
        **{f"{ESTATE}/{path}": text for path, text in estate(answers).items()},
        **{f"{INVENTORY}/{path}": text for path, text in inventory(answers).items()},
        "ansible.cfg": ANSIBLE_CFG,
        "requirements.txt": _python_requirements(collection),
        "requirements.yml": _collection_requirements(collection),
        ".gitignore": GITIGNORE,
        **_pipelines(answers.forge, collection.pipelines),
    }
    found["README.md"] = readme(answers, found)
    return dict(sorted(found.items()))


def estate(answers: Answers) -> dict[str, str]:
    """Return the files of the estate, by their paths in it."""
    folder = f"tenants/{answers.tenant}"
    address = f"{answers.mailbox}@{answers.domain}"
    documents: dict[str, dict[str, t.Any]] = {
        "estate.yml": {
            "provider": {
                "name": answers.provider_name,
                "domain": answers.provider_domain,
                "contact": answers.contact,
            },
            "nodes": [
                {
                    "name": node.name,
                    "hostname": node.hostname,
                    "debian": node.debian,
                    "addresses": list(node.addresses),
                }
                for node in answers.nodes
            ],
            **_roles(answers),
        },
        "plans.yml": {"plans": [{"name": PLAN, "mailbox_quota": {"default": "5G"}}]},
        f"{folder}/account.yml": {
            "organisation": answers.organisation,
            "plan": PLAN,
            "state": "active",
            "placement": answers.nodes[0].name,
            "default_owner": address,
            "admins": [{"address": address}],
            "intake": {
                "expected_mailboxes": 1,
                "dns_contact": address,
                "clients": "local",
                "smime": False,
            },
            "domains": [answers.domain],
        },
        f"{folder}/{answers.domain}.yml": {"mailboxes": [{"name": answers.mailbox}]},
    }
    return {
        path: f"# {_comment(path)}\n{yaml_out.text(path, document)}"
        for path, document in documents.items()
    }


def _roles(answers: Answers) -> dict[str, t.Any]:
    if not answers.super_admin:
        return {}
    return {"roles": [{"identity": answers.super_admin, "role": "super_admin"}]}


def _comment(path: str) -> str:
    return _COMMENTS.get(path.rpartition("/")[2], _COMMENTS[""])


def inventory(answers: Answers, estate_path: str = f"../{ESTATE}") -> dict[str, str]:
    """Return the files of the inventory. ``estate_path`` leads from their folder to the estate."""
    lines = ["# How Ansible connects. The hosts come from estate.yml.", "mail_nodes:"]
    others = [node for node in answers.nodes if node.ssh_user != answers.ssh_user]
    if others:
        lines.append("  hosts:")
    for node in others:
        become = "true" if node.ssh_user != ROOT else "false"
        lines.append(
            f"    {node.name}: {{ansible_user: {node.ssh_user}, ansible_become: {become}}}"
        )
    lines += ["  vars:", f"    ansible_user: {answers.ssh_user}"]
    if answers.ssh_user != ROOT:
        lines.append("    ansible_become: true")
    lines.append(f"    tls_acme_email: {answers.contact}")
    mail = ["# Where the estate is.", "plugin: reseller.mail.estate", f"estate: {estate_path}"]
    return {"hosts.yml": "\n".join(lines) + "\n", "mail.yml": "\n".join(mail) + "\n"}


def _python_requirements(collection: Collection) -> str:
    """Return the Python packages of the controller, with the versions that are installed here."""
    lines = [
        "# Python packages of the controller, in the versions with which these files were made.",
        *(
            _pinned(line, collection.installed)
            for line in ("ansible-core", *collection.requirements)
        ),
    ]
    return "\n".join(lines) + "\n"


def _pinned(line: str, installed: t.Mapping[str, str]) -> str:
    """Return a requirement with its installed version; as it is if it is not installed."""
    found = _REQUIREMENT.match(line)
    if found is None or found[1] not in installed:
        return line
    return f"{found[0]}=={installed[found[1]]}"


def _collection_requirements(collection: Collection) -> str:
    return (
        "# ansible-galaxy collection install -r requirements.yml\n"
        f'collections:\n  - name: reseller.mail\n    version: "{collection.version}"\n'
    )


def _pipelines(forge: str, texts: t.Mapping[str, str]) -> dict[str, str]:
    """Return the pipelines of a forge, and what runs before each commit."""
    found = {}
    for name, text in texts.items():
        path = _pipeline_path(name)
        if path and forge in ("both", *_forges_of(name)):
            found[path] = text.replace(_EXAMPLE_ESTATE, ESTATE)
    return found


def _forges_of(name: str) -> tuple[str, ...]:
    """Return the answers, other than ``both``, for which a file of docs/pipelines is written."""
    for forge in ("github", "gitlab"):
        if name.startswith(forge):
            return (forge,)
    return ("github", "gitlab", "none")


def _pipeline_path(name: str) -> str:
    """Return where a file of docs/pipelines belongs; empty if it is an example to read.

    The pipelines of GitLab belong into a project where no tenant may write (docs/pipelines.md).
    """
    if name == "github.yml":
        return ".github/workflows/estate.yml"
    if name.startswith("github-"):
        return f".github/workflows/{name.removeprefix('github-')}"
    if name.startswith("gitlab"):
        return f"pipelines/{name}"
    return ".pre-commit-config.yaml" if name == "pre-commit-config.yaml" else ""
