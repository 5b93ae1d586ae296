# SPDX-License-Identifier: GPL-3.0-or-later
"""A Python package that is missing on the controller is one clear sentence and a failure.

Real runs of Ansible, in which Python does not find one package.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.reseller.mail.plugins.action import dkim_keys, tls_keys
from ansible_collections.reseller.mail.plugins.plugin_utils._dns import query

COLLECTION = Path(__file__).parents[3]
PACKAGE = "ansible_collections.reseller.mail."
EXAMPLE = COLLECTION.parents[3] / "estates" / "example"
BIN = Path(sys.executable).parent

DISTRIBUTIONS = {
    "dkim": "dkimpy[ed25519]",
    "dns": "dnspython",
    "nacl": "dkimpy[ed25519]",
    "parsedmarc": "parsedmarc",
    "rich": "rich",
    "spftrace": "spftrace",
}
OF_ANSIBLE = {"ansible", "cryptography", "jinja2", "yaml"}
"""What ansible-core itself needs."""
AT_USE = {
    "idna": set[str](),
    "dns": {"dkim_keys", "tls_keys"},
    "pyrage": {"credentials", "guide_site", "host_config", "report_mails"},
    "rich": {"ledger", "promotion_info"},
}
"""What only some runs need, or none: names beyond ASCII, keys that wait, recipients, tables."""
TASKS: dict[str, dict[str, t.Any]] = {
    "diagnose": {"subject": "jo@acme.example"},
    "dns_publish": {"driver": "rfc2136", "server": "127.0.0.1", "key_name": "k", "key_secret": "a"},
    "evidence": {},
    "explain": {"subject": "jo@acme.example"},
    "ledger": {},
    "preflight": {"node": "mx1"},
    "promote": {},
    "verify_dns": {},
    "verify_mail": {},
    "verify_report": {"findings": [], "dir": "report"},
    "why": {"message_id": "1@shop.example", "since": "-1h", "hosts": []},
}


def imports(path: Path) -> t.Iterator[str]:
    """Yield the full names that a file of the collection imports when it runs."""
    package = PACKAGE + ".".join(path.relative_to(COLLECTION).parent.parts)
    nodes: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        nodes.extend(ast.iter_child_nodes(node))
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join(
                [*(above if node.level else []), *([node.module] if node.module else [])]
            )
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "importlib.import_module":
            yield ast.literal_eval(node.args[0])


def file_of(name: str) -> t.Optional[Path]:
    """Return the file of a module of the collection; None if the name is that of a package."""
    path = COLLECTION.joinpath(*name.removeprefix(PACKAGE).split("."))
    return next(
        (one for one in (path.with_suffix(".py"), path / "__init__.py") if one.is_file()), None
    )


def reached(path: Path, seen: set[Path]) -> set[str]:
    """Return the packages of others that a file needs, itself or through what it imports."""
    if path in seen:
        return set()
    seen.add(path)
    found: set[str] = set()
    for name in imports(path):
        if name.startswith(PACKAGE):
            file = file_of(name) or file_of(name.rpartition(".")[0])
            found |= reached(file, seen) if file else set()
        else:
            found.add(name.partition(".")[0])
    return found - sys.stdlib_module_names - OF_ANSIBLE - {"ansible_collections"}


NEEDS = {
    path.stem: reached(path, set()) for path in sorted((COLLECTION / "plugins/action").glob("*.py"))
}
MISSING = sorted(
    (action, module)
    for action, needed in NEEDS.items()
    for module in needed
    if action not in AT_USE.get(module, set()) and module != "idna"
)


@pytest.fixture(name="without")
def _without(tmp_path: Path) -> t.Callable[..., tuple[int, str]]:
    """Return a function that runs a command of Ansible in which Python does not find a module."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(
        """import os
from importlib.machinery import PathFinder
_find = PathFinder.find_spec
def find_spec(name, path=None, target=None):
    return None if name == os.environ["WITHOUT"] else _find(name, path, target)
PathFinder.find_spec = find_spec
""",
        encoding="utf-8",
    )

    def run(module: str, *command: str) -> tuple[int, str]:
        done = subprocess.run(
            [BIN / command[0], *command[1:]],
            cwd=tmp_path,
            env={
                **os.environ,
                "WITHOUT": module,
                "PYTHONPATH": str(tmp_path / "site"),
                "ANSIBLE_COLLECTIONS_PATH": str(COLLECTION.parents[2]),
                "ANSIBLE_NOCOLOR": "1",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    return run


def test_every_plugin_that_needs_a_package_is_tried_without_it() -> None:
    """What a plugin imports is found here, so a new plugin or a new import asks for a task."""
    assert {module for _action, module in MISSING} == set(DISTRIBUTIONS)
    assert {action for action, _module in MISSING} | {"ledger"} == set(TASKS)


@pytest.mark.parametrize("module", sorted(DISTRIBUTIONS))
def test_an_action_fails_and_names_the_package(
    without: t.Callable[..., tuple[int, str]], tmp_path: Path, module: str
) -> None:
    actions = [action for action, needed in MISSING if needed == module]
    if module == "rich":
        actions.append("ledger")  # as a table
    tasks: list[dict[str, t.Any]] = [
        {
            f"reseller.mail.{action}": {
                **TASKS[action],
                **({} if action == "verify_report" else {"estate": str(EXAMPLE)}),
            },
            "ignore_errors": True,
        }
        for action in actions
    ]
    play = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}]
    (tmp_path / "play.yml").write_text(json.dumps(play), encoding="utf-8")
    _rc, output = without(module, "ansible-playbook", "-i", "localhost,", "play.yml")
    found = re.findall(r"^fatal: \[localhost\]: FAILED! => (.*)$", output, re.MULTILINE)
    assert len(found) == len(actions), output
    for action, answer in zip(actions, found, strict=True):
        message = json.loads(answer)["msg"]
        assert action in message or "the table of the ledger" in message
        assert f"needs the Python package {DISTRIBUTIONS[module]} on the controller" in message
        assert message.endswith(f"-m pip install -r {COLLECTION}/requirements.txt")
    assert "Traceback" not in output


@pytest.fixture(name="estate")
def _estate(tmp_path: Path) -> Path:
    """Return an estate that needs idna, with an inventory."""
    for name, text in {
        "estate/estate.yml": "provider: {name: P, domain: hosting.example, contact: a@hosting.example}\n"
        "nodes:\n  - {name: mx1, hostname: mx1.hosting.example, debian: 12, addresses: [192.0.2.1]}\n"
        "approved_hosts: [mail.bücher.example]\n",
        "estate/plans.yml": "plans: []\n",
        "inventory/mail.yml": "plugin: reseller.mail.estate\nestate: ../estate\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / "estate"


@pytest.mark.parametrize(
    "command",
    [
        ("ansible-inventory", "-i", "inventory", "--list"),
        ("ansible-playbook", "-i", "inventory", "reseller.mail.validate"),
        ("ansible-playbook", "-i", "localhost,", "reseller.mail.validate", "-e", "mail_estate_dir=estate"),
        ("ansible-playbook", "-i", "localhost,", "reseller.mail.dns_export", "-e", "mail_estate_dir=estate"),
        ("ansible", "-i", "localhost,", "localhost", "-m", "reseller.mail.generation", "-a", "estate=estate node=mx1"),
    ],
    ids=["inventory", "inventory of a playbook", "validate", "dns_export", "generation"],
)  # fmt: skip
def test_without_idna_an_estate_that_needs_it_is_refused(
    without: t.Callable[..., tuple[int, str]], estate: Path, command: tuple[str, ...]
) -> None:
    """Also by the inventory plugin: Ansible would make a warning of its failure and go on."""
    rc, output = without("idna", *command)
    assert rc != 0, output
    assert "need the Python package idna on the controller; install it with: " in output
    assert f"-m pip install -r {COLLECTION}/requirements.txt" in " ".join(output.split())
    assert "Traceback" not in output
    assert "[WARNING]: Unable to parse" not in output


@pytest.mark.parametrize("action", [dkim_keys, tls_keys])
def test_keys_that_wait_for_dns_are_refused_without_dnspython(
    monkeypatch: pytest.MonkeyPatch, action: t.Any
) -> None:
    monkeypatch.setattr(query, "DNSPYTHON_IMPORT_ERROR", ImportError("dns"))
    with pytest.raises(
        AnsibleActionFail, match=r"needs the Python package dnspython .*pip install"
    ):
        action._evidence("", {"a key": "that waits"})
