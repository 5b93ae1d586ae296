# SPDX-License-Identifier: GPL-3.0-or-later
"""How long planning a change of a large estate takes: ``PYTHONPATH=collections python plan.py [tenants [mailboxes]]``."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ansible_collections.reseller.mail.plugins.module_utils import _plan, _revision
from ansible_collections.reseller.mail.plugins.module_utils._git import Repository
from ansible_collections.reseller.mail.plugins.module_utils._plan.markdown import markdown
from ansible_collections.reseller.mail.plugins.module_utils._plan.text import text
from load import write


def commit(folder: str, name: str) -> None:
    for words in (["add", "--all"], ["-c", "user.name=T", "-c", "user.email=t@example.test", "commit", "--quiet", "-m", name], ["tag", name]):
        subprocess.run(["git", "-C", folder, *words], check=True)


def main() -> None:
    """One domain of a tenant is edited, then every mailbox by way of the plan."""
    tenants, mailboxes = [int(word) for word in (*sys.argv[1:], "1000", "20")[:2]] if len(sys.argv) != 2 else (int(sys.argv[1]), 20)
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), tenants, mailboxes)
        subprocess.run(["git", "-C", folder, "init", "--quiet", "--initial-branch=main"], check=True)
        commit(folder, "before")
        domain = Path(folder, "tenants/tenant7/domain7.example.yml")
        domain.write_text(domain.read_text(encoding="utf-8").replace("quota: 1G", "quota: 2G"), encoding="utf-8")
        commit(folder, "small")
        plans = Path(folder, "plans.yml")
        plans.write_text(plans.read_text(encoding="utf-8") + "    defaults: {rate_limits: {messages_per_hour: 100}}\n", encoding="utf-8")
        commit(folder, "large")
        print(f"{tenants} tenants, {tenants * mailboxes} mailboxes")
        repository = Repository(folder)
        for before, after in (("before", "small"), ("small", "large")):
            start = time.perf_counter(), time.process_time()
            sides = [_revision.of_commit(repository, repository.commit(name), name) for name in (before, after)]
            read = time.perf_counter()
            plan = _plan.compare(sides[0], sides[1], _plan.Who("box0@domain7.example"))
            lines = len(text(plan).splitlines())
            comment = len(markdown(plan))
            spent = time.perf_counter() - start[0], time.process_time() - start[1], read - start[0]
            print(
                f"plan {before} → {after}: {spent[0]:.1f} s ({spent[1]:.1f} s of processor time; reading both commits {spent[2]:.1f} s); {lines} lines, comment {comment} characters"
            )


if __name__ == "__main__":
    main()
