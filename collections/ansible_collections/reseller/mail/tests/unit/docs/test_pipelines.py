# SPDX-License-Identifier: GPL-3.0-or-later
"""The pipelines of docs/pipelines do what they promise: their own commands, on a real repository
with two branches.

Left out are only the steps that reach beyond the repository: installing, and GitHub's own comment
and artefact actions. GitLab's API is answered by a server on this machine.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import typing as t
import urllib.parse
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml
from ansible_collections.reseller.mail.tests.unit.support import plan_estate as e

pytestmark = pytest.mark.one_core

PIPELINES = Path(__file__).parents[3] / "docs" / "pipelines"
COLLECTIONS = Path(__file__).parents[6]
ESTATE = "estates/example"
ELSEWHERE = ("Check out", "Install", "Tell it", "Keep")
"""Steps of the GitHub workflow that are not run here, by how their names begin."""


def environment(home: Path, extra: dict[str, str]) -> dict[str, str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ANSIBLE_", "GIT_", "CI_"))
    }
    return {
        **inherited,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{inherited['PATH']}",
        "HOME": str(home),
        "ANSIBLE_HOME": str(home / "ansible"),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_NOCOLOR": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_AUTHOR_NAME": "T",
        "GIT_AUTHOR_EMAIL": "t@example.test",
        "GIT_COMMITTER_NAME": "T",
        "GIT_COMMITTER_EMAIL": "t@example.test",
        **extra,
    }


class Forge:
    """A repository with a protected branch, and proposals that branch off before its tip."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.work = folder / "work"
        self.origin = folder / "origin.git"
        self.env = environment(folder, {})
        subprocess.run(
            ["git", "init", "--quiet", "--bare", "--initial-branch=main", str(self.origin)],
            env=self.env,
            check=True,
        )
        subprocess.run(
            ["git", "clone", "--quiet", str(self.origin), str(self.work)],
            env=self.env,
            check=True,
            capture_output=True,
        )
        self.git("checkout", "--quiet", "-b", "main")
        self.write(e.FILES)
        (self.work / "ansible.cfg").write_text("[defaults]\nnocows = True\n", encoding="utf-8")
        self.commit("The estate")

    def git(self, *words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(self.work), *words],
            env=self.env,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    def write(self, files: dict[str, str]) -> None:
        shutil.rmtree(self.work / ESTATE, ignore_errors=True)
        for path, text in files.items():
            target = self.work / ESTATE / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")

    def commit(self, message: str) -> str:
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--message", message)
        self.git("push", "--quiet", "origin", "HEAD")
        return self.git("rev-parse", "HEAD")

    def propose(self, files: dict[str, str], around: t.Optional[dict[str, str]] = None) -> str:
        """A branch as pull request 7; meanwhile the protected branch moves on."""
        self.git("checkout", "--quiet", "-b", "proposal")
        self.write(files)
        for path, text in (around or {}).items():
            (self.work / path).write_text(text, encoding="utf-8")
        commit = self.commit("A proposal")
        self.git("push", "--quiet", "origin", "HEAD:refs/pull/7/head")
        self.git("checkout", "--quiet", "main")
        self.write(e.changed(e.FILES, e.GLOBEX, ("name: bob", "name: rob")))
        self.commit("Somebody else's change")
        return commit

    def checkout(self, name: str, commit: str) -> Path:
        """What a runner has: a clone with that commit in its working tree."""
        folder = self.folder / name
        subprocess.run(
            ["git", "clone", "--quiet", str(self.origin), str(folder)],
            env=self.env,
            check=True,
            capture_output=True,
        )
        subprocess.run(
            ["git", "-C", str(folder), "fetch", "--quiet", "origin", "refs/pull/7/head"],
            env=self.env,
            check=True,
            capture_output=True,
        )
        subprocess.run(
            ["git", "-C", str(folder), "checkout", "--quiet", "--detach", commit],
            env=self.env,
            check=True,
            capture_output=True,
        )
        return folder


class Outcome(t.NamedTuple):
    failed: list[str]
    output: str
    plan: dict[str, t.Any]
    comment: str


def github(forge: Forge, commit: str, author: str, pusher: str) -> Outcome:
    """The steps' own commands, as GitHub's runner gives them to bash."""
    workflow = yaml.safe_load((PIPELINES / "github.yml").read_text(encoding="utf-8"))
    assert "pull_request_target" in workflow[True]
    job = workflow["jobs"]["plan"]
    temp = forge.folder / "temp"
    context = {
        "github.event.pull_request.number": "7",
        "github.event.pull_request.head.sha": commit,
        "github.event.pull_request.user.login": author,
        "github.event.sender.login": pusher,
        "github.event.pull_request.base.ref": "main",
        "github.event.repository.default_branch": "main",
        "runner.temp": str(temp),
    }
    values = {}
    for name, value in job["env"].items():
        for key, text in context.items():
            value = value.replace(f"${{{{ {key} }}}}", text)
        assert "${{" not in value
        values[name] = value
    workspace = forge.checkout("workspace", "origin/main")
    failed, output = [], ""
    for step in job["steps"]:
        if step["name"].startswith(ELSEWHERE):
            continue
        assert "${{" not in step["run"], "a context in a script is text that becomes shell"
        if failed and "if" not in step:
            continue
        run = subprocess.run(
            ["bash", "-e", "-c", step["run"]],
            cwd=workspace,
            env=environment(forge.folder, values),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        output += run.stdout + run.stderr
        if run.returncode:
            failed.append(step["name"].split()[0])
    return _outcome(failed, output, temp / "plan")


def _outcome(failed: list[str], output: str, folder: Path) -> Outcome:
    plan = folder / "plan.json"
    assert plan.is_file(), output
    return Outcome(
        failed,
        output,
        json.loads(plan.read_text(encoding="utf-8")),
        (folder / "plan.md").read_text(encoding="utf-8"),
    )


class Forged(t.NamedTuple):
    """What GitLab's API says about the place of a merge request; by default everything is as it
    should be."""

    target: str = "main"
    source_project: int = 1
    newest: str = ""
    protected: bool = True
    developers_can_push: bool = False


def gitlab(forge: Forge, commit: str, author: str, pusher: str) -> Outcome:
    run, workspace, notes = gitlab_job(forge, commit, author, pusher, Forged())
    outcome = _outcome(
        ["plan"] if run.returncode else [], run.stdout + run.stderr, workspace / "plan"
    )
    assert notes == [outcome.comment]
    assert isinstance(
        json.loads((workspace / "plan" / "code-quality.json").read_text(encoding="utf-8")), list
    )
    return outcome


def gitlab_job(
    forge: Forge, commit: str, author: str, pusher: str, place: Forged
) -> tuple[subprocess.CompletedProcess[str], Path, list[str]]:
    """The job's script, as GitLab's runner gives it to bash, with an API that knows the merge
    request and takes the note."""
    job = yaml.safe_load((PIPELINES / "gitlab-ci.yml").read_text(encoding="utf-8"))["plan"]
    answers = {
        "/projects/1": {"id": 1, "default_branch": "main"},
        "/projects/1/repository/branches/main": {
            "name": "main",
            "protected": place.protected,
            "developers_can_push": place.developers_can_push,
        },
        "/projects/1/merge_requests/7": {
            "iid": 7,
            "author": {"username": author},
            "target_branch": place.target,
            "source_project_id": place.source_project,
            "target_project_id": 1,
            "sha": place.newest or commit,
        },
    }
    notes: list[str] = []

    class Api(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(json.dumps(answers[self.path]))

        def do_POST(self) -> None:
            assert self.path == "/projects/1/merge_requests/7/notes"
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            notes.append(urllib.parse.parse_qs(body)["body"][0])
            self.answer("{}")

        def answer(self, text: str) -> None:
            assert self.headers["PRIVATE-TOKEN"] == "secret"
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *words: t.Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        workspace = forge.checkout("workspace", commit)
        given = {
            "CI_PROJECT_DIR": str(workspace),
            "CI_API_V4_URL": f"http://127.0.0.1:{server.server_port}",
            "CI_PROJECT_ID": "1",
            "CI_MERGE_REQUEST_IID": "7",
            "CI_COMMIT_SHA": commit,
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": place.target,
            "CI_DEFAULT_BRANCH": "main",
            "GITLAB_USER_LOGIN": pusher,
            "PLAN_TOKEN": "secret",
        }
        for name, value in {**job["variables"], "TRUSTED": str(forge.folder / "trusted")}.items():
            for known in sorted(given, key=len, reverse=True):
                value = value.replace(f"${known}", given[known])
            given[name] = value
        script = "\n".join(job["script"])
        run = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script],
            cwd="/",
            env=environment(forge.folder, given),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    finally:
        server.shutdown()
        server.server_close()
    return run, workspace, notes


RUNNERS = pytest.mark.parametrize("runner", [github, gitlab])
Runner = t.Callable[[Forge, str, str, str], Outcome]
OWN = e.changed(e.FILES, e.ACME, ("quota: 5G", "quota: 6G"))
FOREIGN_FILE = "tenants/globex/account.yml"
FOREIGN = e.changed(OWN, FOREIGN_FILE, ("organisation: Globex", "organisation: Acme"))


@pytest.fixture(name="forge")
def _forge(tmp_path: Path) -> Forge:
    return Forge(tmp_path)


@RUNNERS
def test_a_change_of_one_s_own_is_accepted_whatever_others_merged_meanwhile(
    forge: Forge, runner: Runner
) -> None:
    outcome = runner(forge, forge.propose(OWN), "it-acme", "it-acme")
    assert outcome.failed == [], outcome.output
    assert [
        (change["name"], change["keys"])
        for section in outcome.plan["sections"]
        for change in section["changes"]
    ] == [("jo@acme.example", [{"key": "quota", "before": "5G", "after": "6G"}])]
    assert "~ mailbox jo@acme.example: quota 5G → 6G" in outcome.comment


@RUNNERS
def test_a_foreign_edit_is_refused_even_if_somebody_else_pushed_it(
    forge: Forge, runner: Runner
) -> None:
    """The author may change acme, whoever pushed may not: neither lends the other a right."""
    commit = forge.propose(OWN)
    outcome = runner(forge, commit, "it-acme", "ann@globex.example")
    assert len(outcome.failed) == 1, outcome.output
    assert [refusal["file"] for refusal in outcome.plan["refusals"]] == [e.ACME]
    assert "❌ **Refused**" in outcome.comment


def test_faults_are_told_at_the_merge_request(forge: Forge) -> None:
    outcome = gitlab(
        forge,
        forge.propose(e.changed(e.FILES, e.ACME, ("quota: 5G", "quota: lots"))),
        "it-acme",
        "it-acme",
    )
    assert outcome.failed
    assert [fault["id"] for fault in outcome.plan["faults"]] == ["unfit-value"]
    assert f"{e.ACME}:7:12: unfit-value" in outcome.comment


@RUNNERS
def test_nothing_of_a_proposal_is_executed_and_what_is_foreign_in_it_does_not_pass(
    forge: Forge, runner: Runner
) -> None:
    mark = forge.folder / "executed"
    trap = {
        "ansible.cfg": (
            "[defaults]\nstdout_callback = trap\ncallback_plugins ="
            f" {forge.folder}/workspace:{forge.folder}/trapped:{forge.folder}/trusted\n"
        ),
        "trap.py": f"open({str(mark)!r}, 'w').close()\n",
        "json.py": f"open({str(mark)!r}, 'w').close()\n",
        ".gitattributes": "* filter=trap\n*.yml export-subst\n",
    }
    commit = forge.propose(FOREIGN, trap)
    outcome = runner(forge, commit, "it-acme", "it-acme")
    assert not mark.exists(), outcome.output
    assert len(outcome.failed) == 1, outcome.output
    assert sorted(refusal["file"] for refusal in outcome.plan["refusals"]) == sorted(
        [*trap, FOREIGN_FILE]
    )
    # The trap would have worked, had anything been run beside it.
    subprocess.run(
        ["ansible", "--version"],
        cwd=forge.checkout("trapped", commit),
        env=environment(forge.folder, {}),
        capture_output=True,
        check=False,
    )
    subprocess.run(
        ["ansible", "localhost", "-m", "ping"],
        cwd=forge.folder / "trapped",
        env=environment(forge.folder, {}),
        capture_output=True,
        check=False,
    )
    assert mark.exists()


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        (Forged(target="mine"), "the target is not the default branch main"),
        (Forged(source_project=2), "the branch lies in another project"),
        (Forged(newest="0" * 40), "the merge request has a newer commit"),
        (Forged(protected=False), "is not protected against pushes"),
        (Forged(developers_can_push=True), "is not protected against pushes"),
    ],
)
def test_rights_are_those_of_the_default_branch_whatever_the_author_chose(
    forge: Forge, place: Forged, reason: str
) -> None:
    """The author's own branch gives the author every right; a merge request towards it decides
    nothing."""
    forge.git("checkout", "--quiet", "-b", "mine")
    mine = e.changed(
        e.FILES,
        "estate.yml",
        (
            "identity: it-acme, role: tenant_admin, tenant: acme,",
            "identity: it-acme, role: super_admin,",
        ),
    )
    forge.write(mine)
    forge.commit("Every right for me")
    commit = forge.propose(
        e.changed(mine, FOREIGN_FILE, ("organisation: Globex", "organisation: Acme"))
    )
    run, workspace, notes = gitlab_job(forge, commit, "it-acme", "it-acme", place)
    assert run.returncode, run.stdout
    assert reason in run.stderr
    assert (notes, (workspace / "plan" / "plan.json").exists()) == ([], False)


SOURCES = (
    "api", "chat", "external", "external_pull_request_event", "merge_request_event",
    "ondemand_dast_scan", "ondemand_dast_validation",
    "parent_pipeline", "pipeline", "push", "schedule", "security_orchestration_policy", "trigger",
    "web", "webide",
)  # fmt: skip
"""Every value of CI_PIPELINE_SOURCE that GitLab documents."""

Variables = t.Mapping[str, t.Optional[str]]


def is_true(expression: str, variables: Variables) -> bool:
    """Evaluate an ``if`` of GitLab's rules; of its grammar what these files use: variables, texts,
    null, ==, !=, && and ||."""

    def operand(word: str) -> t.Optional[str]:
        if word == "null":
            return None
        if word.startswith("$"):
            return variables.get(word[1:])
        quoted = re.fullmatch(r"\"([^\"]*)\"|'([^']*)'", word)
        assert quoted is not None, f"{word} is not known to this test"
        return quoted.group(1) if quoted.group(1) is not None else quoted.group(2)

    def holds(term: str) -> bool:
        left, sign, right = term.split()
        assert sign in ("==", "!="), f"{sign} is not known to this test"
        return (operand(left) == operand(right)) is (sign == "==")

    return any(all(holds(term) for term in either.split("&&")) for either in expression.split("||"))


def is_added(rules: t.Sequence[t.Mapping[str, str]], variables: Variables) -> bool:
    """The first rule that holds decides; where none does there is no job, and no pipeline."""
    for rule in rules:
        assert rule.keys() <= {"if", "when"}, "another key is not known to this test"
        if is_true(rule["if"], variables):
            return rule.get("when", "on_success") not in ("never", "manual")
    return False


def gitlab_file() -> t.Any:
    return yaml.safe_load((PIPELINES / "gitlab-ci.yml").read_text(encoding="utf-8"))


def test_gitlab_judges_merge_requests_of_the_same_project_into_the_default_branch_and_nothing_else() -> (
    None
):
    file = gitlab_file()
    judged = []
    for source, default, target, branch, event, here, own, other in itertools.product(
        SOURCES, ("main", "trunk"), (None, "main", "trunk", "mine", ""), (None, "main", "mine"),
        (None, "detached", "merged_result", "merge_train"),
        ("1", "2"), (None, "1", "2", ""), (None, "1", "2", ""),
    ):  # fmt: skip
        variables: Variables = {
            "CI_PIPELINE_SOURCE": source,
            "CI_DEFAULT_BRANCH": default,
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": target,
            "CI_COMMIT_BRANCH": branch,
            "CI_MERGE_REQUEST_EVENT_TYPE": event,
            "CI_PROJECT_ID": here,
            "CI_MERGE_REQUEST_PROJECT_ID": own,
            "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": other,
        }
        expected = source == "merge_request_event" and target == default and own == other == here
        assert is_added(file["workflow"]["rules"], variables) is expected, variables
        assert is_added(file["plan"]["rules"], variables) is expected, variables
        judged.append(expected)
    assert any(judged)


def test_nothing_in_the_gitlab_file_lets_a_failed_job_pass() -> None:
    file = gitlab_file()
    assert sorted(file) == ["plan", "workflow"], "a second job could be the green one"
    assert (
        not {"allow_failure", "retry", "when", "needs", "extends", "trigger"} & file["plan"].keys()
    )
    assert "CI_MERGE_REQUEST_TARGET_BRANCH_NAME" not in "".join(file["plan"]["script"]), (
        "rights never come from what the author chose"
    )


def github_file() -> t.Any:
    return yaml.safe_load((PIPELINES / "github.yml").read_text(encoding="utf-8"))


def test_github_judges_only_what_would_become_the_default_branch(tmp_path: Path) -> None:
    """A base that the author chose starts nothing, and where the file is set up for another branch
    the job fails: neither is green."""
    workflow = github_file()
    assert list(workflow[True]) == ["pull_request_target"], (
        "a workflow of the proposal's own may not be started"
    )
    assert workflow[True]["pull_request_target"]["branches"] == ["main"]
    assert set(workflow[True]["pull_request_target"]["types"]) == {
        "opened",
        "synchronize",
        "reopened",
        "edited",
    }
    first = workflow["jobs"]["plan"]["steps"][0]
    assert "if" not in first
    for base, default in itertools.product(("main", "mine", ""), ("main", "trunk", "")):
        given = environment(tmp_path, {"BASE": base, "DEFAULT": default})
        run = subprocess.run(
            ["bash", "-e", "-c", first["run"]], env=given, capture_output=True, check=False
        )
        assert (run.returncode == 0) is (base == default != ""), (base, default)


def test_nothing_in_the_github_file_lets_a_failed_or_skipped_job_pass() -> None:
    workflow = github_file()
    assert list(workflow["jobs"]) == ["plan"]
    job = workflow["jobs"]["plan"]
    assert not {"if", "needs", "continue-on-error", "strategy"} & job.keys(), (
        "a skipped job is a required check that passed"
    )
    for step in job["steps"]:
        assert "continue-on-error" not in step
        assert step.get("if") in (None, "${{ !cancelled() && steps.place.outcome == 'success' }}")


def test_the_github_token_may_little_and_what_is_installed_is_exact() -> None:
    workflow = github_file()
    assert workflow["permissions"] == {"contents": "read", "pull-requests": "write"}
    job = workflow["jobs"]["plan"]
    assert not {"permissions", "secrets"} & job.keys()
    assert "github.token" not in str(job["env"])
    assert [step["name"] for step in job["steps"] if "github.token" in str(step)] == [
        "Tell it at the pull request"
    ]
    for step in job["steps"]:
        if "uses" in step:
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"]), "a tag can be moved"
        if step.get("uses", "").startswith("actions/checkout"):
            assert step["with"]["persist-credentials"] is False
            assert "ref" not in step["with"], "the proposal is never checked out"
    collection = yaml.safe_load((PIPELINES.parents[1] / "galaxy.yml").read_text(encoding="utf-8"))[
        "version"
    ]
    for text in (
        (PIPELINES / "github.yml").read_text(encoding="utf-8"),
        (PIPELINES / "gitlab-ci.yml").read_text(encoding="utf-8"),
    ):
        assert re.findall(r"ansible-core(\S*?)'", text)[0].startswith("==")
        assert re.findall(r"collection install reseller\.mail(\S*)", text) == [f":=={collection}"]
