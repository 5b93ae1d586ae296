# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts of a new repository that do not depend on other files of the collection.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from .answers import Answers

ANSIBLE_CFG: t.Final = """\
# Start Ansible in this folder, so that it reads this file.
[defaults]
inventory = inventory
interpreter_python = /usr/bin/python3
callback_result_format = yaml

[inventory]
# A source that cannot be read, and a host or group that does not exist, are errors.
any_unparsed_is_failed = True
host_pattern_mismatch = error

[connection]
pipelining = True
"""

GITIGNORE: t.Final = """\
# Initial passwords, reports and zone files. Keep initial passwords out of Git.
/build/
# A Python environment, and what Ansible leaves.
/.venv/
/.ansible/
*.retry
"""

_README: t.Final = """\
# Mail hosts of {provider}

The collection reseller.mail configures the mail hosts from the files of this repository.

| file | what is in it |
|---|---|
{rows}

Install the controller once:

```console
$ python3 -m venv .venv && source .venv/bin/activate
$ pip install -r requirements.txt
$ ansible-galaxy collection install -r requirements.yml
```

Start every command in this folder:

```console
$ ansible-playbook reseller.mail.validate           # are the files right?
$ ansible-playbook reseller.mail.site --check --diff   # what would change on the hosts?
$ ansible-playbook reseller.mail.site               # change it
$ ansible-playbook reseller.mail.verify             # what does it look like from outside?
```

`site` writes initial passwords into `build/initial-passwords/`, which Git ignores. It writes what
the nodes report into `estate/state/`. Commit that folder.
"""

_PIPELINES: t.Final = """
Set the pipelines up before you push to a forge: docs/pipelines.md of the collection says how.
"""

_ROLES: t.Final = """
The pipelines let no one change the files who has no role. Add yourself to `estate/estate.yml`
before you use them, with your login at the forge:

```yaml
roles:
  - {identity: alex, role: super_admin}
```
"""

_ROWS: t.Final = (
    ("estate/estate.yml", "the provider, its nodes, and who may edit what"),
    ("estate/plans.yml", "what tenants can buy"),
    ("estate/tenants/", "a folder for each tenant: its account, and a file for each domain"),
    ("inventory/", "how Ansible connects to the nodes, and variables of the roles"),
    ("ansible.cfg", "settings of Ansible"),
    ("requirements.txt", "Python packages of the controller"),
    ("requirements.yml", "the collection"),
    (".pre-commit-config.yaml", "validates the files before each commit, if you use pre-commit"),
    (".github/workflows/", "pipelines for GitHub"),
    (
        "pipelines/",
        "pipelines for GitLab. Move them into a project where no tenant may write",
    ),
)


def readme(answers: Answers, paths: t.Iterable[str]) -> str:
    """Return the README of a repository that has files at these paths."""
    known = tuple(paths)
    rows = [
        f"| `{path}` | {what} |"
        for path, what in _ROWS
        if any(one.startswith(path) for one in known)
    ]
    text = _README.format(provider=answers.provider_name, rows="\n".join(rows))
    if not any(one.startswith((".github/", "pipelines/")) for one in known):
        return text
    return f"{text}{_PIPELINES}{'' if answers.super_admin else _ROLES}"
