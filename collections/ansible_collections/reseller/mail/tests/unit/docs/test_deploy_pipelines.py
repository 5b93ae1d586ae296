# SPDX-License-Identifier: GPL-3.0-or-later
"""The pipelines that deploy: their own commands, on a real repository whose branch moves.

Left out are installing and the forges' own actions. No node is reached: a program of that name
stands for ``ansible-playbook``. It writes down what it is asked, and leaves what a run leaves.
"""

from __future__ import annotations

import fnmatch
import itertools
import os
import re
import subprocess
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.one_core

PIPELINES = Path(__file__).parents[3] / "docs" / "pipelines"
ESTATE = "estates/example"
PLAYBOOK = """#!/bin/bash
echo "$*" >>"$HOME/asked"
mkdir -p "$ESTATE/state" build/initial-passwords
case "$1" in
    reseller.mail.promote) echo steps >"$ESTATE/state/promoted_domains.json" ;;
    reseller.mail.tenants | reseller.mail.site)
        if [ "$1" = "reseller.mail.$(cat "$HOME/refused")" ]; then exit 2; fi
        cp "$HOME/report" "$ESTATE/state/mx1.json"
        echo "jo@acme.example,secret" >build/initial-passwords/mx1.csv
        if [ -x "$HOME/meanwhile" ]; then "$HOME/meanwhile"; fi
        exit "$(cat "$HOME/status")" ;;
esac
"""


@dataclass
class Repository:
    """The estate's repository, and a runner's home folder with what the nodes will report."""

    folder: Path

    def __post_init__(self) -> None:
        self.home, self.origin = self.folder / "home", self.folder / "origin.git"
        (self.home / "bin").mkdir(parents=True)
        program = self.home / "bin" / "ansible-playbook"
        program.write_text(PLAYBOOK, encoding="utf-8")
        program.chmod(0o755)
        self.reports("first", status=0)
        self.git(self.folder, "init", "--quiet", "--bare", "--initial-branch=main", "origin.git")
        self.git(self.origin, "config", "receive.advertisePushOptions", "true")
        self.commit({f"{ESTATE}/estate.yml": "estate", ".gitignore": "/build/\n"})

    def reports(self, text: str, status: int = 0) -> None:
        (self.home / "report").write_text(text, encoding="utf-8")
        (self.home / "status").write_text(str(status), encoding="utf-8")
        (self.home / "refused").write_text("nothing", encoding="utf-8")

    def environment(self, **more: str) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "PATH": f"{self.home / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "ESTATE": ESTATE,
            **more,
        }

    def git(self, folder: Path, *words: str) -> str:
        identity = ("-c", "user.name=T", "-c", "user.email=t@example.test")
        return subprocess.run(
            ["git", *identity, *words],
            cwd=folder,
            env=self.environment(),
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def clone(self, name: str) -> Path:
        if not (self.folder / name).exists():
            self.git(self.folder, "clone", "--quiet", str(self.origin), name)
        return self.folder / name

    def commit(self, files: dict[str, str]) -> None:
        """Merge these files into the default branch, as a person does."""
        folder = self.clone("person")
        if self.git(self.origin, "branch"):
            self.git(folder, "pull", "--quiet", "--rebase", "origin", "main")
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        self.git(folder, "add", "--all")
        self.git(folder, "commit", "--quiet", "--message", "A merge")
        self.git(folder, "push", "--quiet", "origin", "HEAD:main")

    def meanwhile(self, **files: str) -> None:
        """Have somebody merge these files while the next run is at work."""
        folder = self.clone("person")
        program = self.home / "meanwhile"
        lines = [f"cd {folder} && git pull --quiet --rebase origin main"]
        lines += [f"echo {text} >{name}.txt" for name, text in files.items()]
        lines += [
            "git add --all && git -c user.name=T -c user.email=t@x commit -qm 'A merge'",
            "git push --quiet origin HEAD:main",
        ]
        program.write_text("#!/bin/bash\n" + "\n".join(lines) + "\n", encoding="utf-8")
        program.chmod(0o755)

    @property
    def log(self) -> list[str]:
        """The commits of the default branch, the newest first."""
        return self.git(self.origin, "log", "--format=%s", "main").splitlines()

    def content(self, path: str) -> str:
        return self.git(self.origin, "show", f"main:{path}").strip()

    @property
    def asked(self) -> list[str]:
        return (self.home / "asked").read_text(encoding="utf-8").splitlines()


def steps() -> list[dict[str, t.Any]]:
    workflow = yaml.safe_load((PIPELINES / "github-deploy.yml").read_text(encoding="utf-8"))
    return t.cast("list[dict[str, t.Any]]", workflow["jobs"]["deploy"]["steps"])


def gitlab_file() -> dict[str, t.Any]:
    text = (PIPELINES / "gitlab-deploy.yml").read_text(encoding="utf-8")
    return t.cast("dict[str, t.Any]", yaml.safe_load(text))


def github(repository: Repository, event: str) -> bool:
    """Return whether the job of GitHub is green. Every step with a script is run but installing."""
    folder, green = repository.clone(f"runner-{len(repository.log)}"), True
    values = {"EVENT": event, "BRANCH": "main", "RECIPIENTS": '["age1x"]'}
    for step in steps():
        if "run" not in step or step["name"].startswith("Install"):
            continue
        assert "${{" not in step["run"], "a context in a script is text that becomes shell"
        if not green and step.get("if") != "${{ always() }}":
            continue
        given = {"SSH_KEY": "key", "SSH_KNOWN_HOSTS": "hosts", **values}
        run = subprocess.run(
            ["bash", "-e", "-c", step["run"]],
            cwd=folder,
            env=repository.environment(**given),
            check=False,
        )
        green = green and run.returncode == 0
    return green


def gitlab(repository: Repository, event: str) -> bool:
    """Return whether the job of GitLab is green."""
    job = gitlab_file()["deploy"]
    project = repository.folder / "project"
    project.mkdir(exist_ok=True)
    for name in ("SSH_KEY", "SSH_KNOWN_HOSTS"):
        (repository.home / name).write_text(name, encoding="utf-8")
    source = {"push": "trigger"}.get(event, event)
    given = {
        "CI_PROJECT_DIR": str(project),
        "CI_PIPELINE_SOURCE": source,
        "REPOSITORY": str(repository.origin),
        "BRANCH": job["variables"]["BRANCH"],
        "RECIPIENTS": '["age1x"]',
        "SSH_KEY": str(repository.home / "SSH_KEY"),
        "SSH_KNOWN_HOSTS": str(repository.home / "SSH_KNOWN_HOSTS"),
    }
    before = [line for line in job["before_script"] if not line.startswith(("pip", "ansible-gal"))]
    script = "\n".join([*before, *job["script"]])
    run = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd="/",
        env=repository.environment(**given),
        check=False,
    )
    return run.returncode == 0


Runner = t.Callable[[Repository, str], bool]
RUNNERS = pytest.mark.parametrize("runner", [github, gitlab])


@pytest.fixture(name="repository")
def _repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


@RUNNERS
def test_a_merge_is_deployed_and_only_what_nodes_report_is_committed(
    repository: Repository, runner: Runner
) -> None:
    assert runner(repository, "push")
    assert repository.log == ["Record what the nodes report", "A merge"]
    files = repository.git(repository.origin, "show", "--format=", "--name-only", "main")
    assert files.splitlines() == [f"{ESTATE}/state/mx1.json"]
    assert repository.asked == [
        'reseller.mail.tenants -e {"dovecot_initial_passwords_recipients": ["age1x"]}'
    ]
    key = repository.home / ".ssh" / "id_ed25519"
    assert (key.read_text(encoding="utf-8").strip() != "", key.stat().st_mode & 0o777) == (
        True,
        0o600,
    )


@RUNNERS
def test_a_merge_that_needs_more_than_tenants_is_deployed_by_site(
    repository: Repository, runner: Runner
) -> None:
    (repository.home / "refused").write_text("tenants", encoding="utf-8")
    assert runner(repository, "push")
    assert [words.split()[0] for words in repository.asked] == [
        "reseller.mail.tenants",
        "reseller.mail.site",
    ]
    assert repository.content(f"{ESTATE}/state/mx1.json") == "first"


@RUNNERS
def test_a_run_that_changes_nothing_commits_nothing(repository: Repository, runner: Runner) -> None:
    assert runner(repository, "push")
    before = repository.log
    assert runner(repository, "push")
    assert repository.log == before


@RUNNERS
def test_each_night_the_estate_is_verified_and_promoted_before_it_is_applied(
    repository: Repository, runner: Runner
) -> None:
    assert runner(repository, "schedule")
    assert [words.split()[0] for words in repository.asked] == [
        "reseller.mail.verify",
        "reseller.mail.promote",
        "reseller.mail.site",
    ]
    assert repository.content(f"{ESTATE}/state/promoted_domains.json") == "steps"


@RUNNERS
def test_after_a_run_that_failed_the_reports_are_committed_and_the_job_is_red(
    repository: Repository, runner: Runner
) -> None:
    repository.reports("of the nodes that were reached", status=2)
    assert not runner(repository, "push")
    assert repository.content(f"{ESTATE}/state/mx1.json") == "of the nodes that were reached"


@RUNNERS
def test_what_somebody_merges_meanwhile_stays(repository: Repository, runner: Runner) -> None:
    repository.meanwhile(new="merged")
    assert runner(repository, "push")
    assert repository.log == ["Record what the nodes report", "A merge", "A merge"]
    assert repository.content("new.txt") == "merged"
    assert repository.content(f"{ESTATE}/state/mx1.json") == "first"


@RUNNERS
def test_reports_that_cannot_be_committed_make_the_job_red(
    repository: Repository, runner: Runner
) -> None:
    hook = repository.origin / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    hook.chmod(0o755)
    assert not runner(repository, "push")


def test_github_deploys_the_default_branch_alone_and_not_its_own_commits() -> None:
    workflow = yaml.safe_load((PIPELINES / "github-deploy.yml").read_text(encoding="utf-8"))
    assert sorted(workflow[True]) == ["push", "schedule"], "no proposal may start it"
    push = workflow[True]["push"]
    assert push["branches"] == ["main"]
    committed = f"{ESTATE}/state/mx1.json"
    assert any(fnmatch.fnmatch(committed, one) for one in push["paths-ignore"])
    assert not any(fnmatch.fnmatch(f"{ESTATE}/estate.yml", one) for one in push["paths-ignore"])
    assert workflow["concurrency"] == {"group": "deploy", "cancel-in-progress": False}
    (job,) = workflow["jobs"].values()
    assert job["env"]["ESTATE"] == ESTATE
    assert job["environment"] == "production"
    assert workflow["permissions"] == {"contents": "read"}
    for step in steps():
        assert "continue-on-error" not in step
        if "uses" in step:
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"]), "a tag can be moved"


def test_gitlab_deploys_by_its_trigger_and_its_schedule_alone() -> None:
    file = gitlab_file()
    assert sorted(file) == ["deploy", "workflow"]
    job = file["deploy"]
    assert job["resource_group"], "one run at a time"
    assert not {"allow_failure", "rules", "when", "after_script"} & job.keys()
    assert re.fullmatch(r"python:\d+\.\d+\.\d+", job["image"]), "a tag that moves is not pinned"
    rules = [rule["if"] for rule in file["workflow"]["rules"]]
    for source, branch in itertools.product(
        ("api", "merge_request_event", "pipeline", "push", "schedule", "trigger", "web"),
        ("main", "mine", ""),
    ):
        values = {
            "$CI_PIPELINE_SOURCE": source,
            "$CI_COMMIT_BRANCH": branch,
            "$CI_DEFAULT_BRANCH": "main",
        }
        expected = source in ("trigger", "schedule") and branch == "main"
        assert any(holds(rule, values) for rule in rules) is expected, values


def holds(rule: str, values: t.Mapping[str, str]) -> bool:
    """Evaluate the part of GitLab's expressions that the file uses: ``==`` and ``&&``."""
    pairs = [term.split(" == ") for term in rule.split(" && ")]
    return all(values.get(left) == values.get(right, right.strip('"')) for left, right in pairs)


def test_only_encrypted_passwords_are_kept_as_artefacts() -> None:
    kept = [step["with"]["path"] for step in steps() if "upload-artifact" in step.get("uses", "")]
    paths = [*kept, *gitlab_file()["deploy"]["artifacts"]["paths"]]
    assert paths == ["build/initial-passwords/*.age", "estate/build/initial-passwords/*.age"]
