# SPDX-License-Identifier: GPL-3.0-or-later
"""Commits are read from Git's objects: the same estate as in a folder, and nothing a hostile tree
can do with it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._change import edits
from ansible_collections.reseller.mail.plugins.plugin_utils._change.revision import (
    FILE,
    LINK,
    PIN,
    Revision,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import (
    revision as controller_revision,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.git import (
    GitError,
    Repository,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._load import MAX_BYTES, read_files
from ansible_collections.reseller.mail.tests.unit.support import plan_estate as e


class Repo:
    """A repository with the estate in estates/example."""

    def __init__(self, folder: Path, estate: str = "estates/example") -> None:
        self.folder = folder
        self.estate = folder / estate
        self.env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"} | {
            f"GIT_{who}_{what}": "t@t.test"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *words: str, given: bytes | None = None) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.folder), "-c", "protocol.file.allow=always", *words],
            env=self.env,
            input=given,
            check=True,
            capture_output=True,
        )
        return done.stdout.decode().strip()

    def write(self, files: dict[str, str]) -> None:
        shutil.rmtree(self.estate / "tenants", ignore_errors=True)
        for path, text in files.items():
            (self.estate / path).parent.mkdir(parents=True, exist_ok=True)
            (self.estate / path).write_text(text, encoding="utf-8")

    def commit(self) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "x")
        return self.git("rev-parse", "HEAD")

    def tree(self, *entries: tuple[str, str, bytes]) -> str:
        """A tree made by hand: mode, object, name."""
        raw = b"".join(
            mode.encode() + b" " + name + b"\0" + bytes.fromhex(blob)
            for mode, blob, name in entries
        )
        return self.git("hash-object", "-t", "tree", "--literally", "-w", "--stdin", given=raw)

    def blob(self, content: bytes) -> str:
        return self.git("hash-object", "-w", "--stdin", given=content)


@pytest.fixture(name="repo")
def _repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "repo")
    repo.write(e.FILES)
    return repo


def read(repo: Repo, revision: str, tree: str = "", bare: bool = False) -> Revision:
    repository = Repository(str(repo.estate))
    return controller_revision.of_commit(
        repository, repository.commit(revision), revision, tree, bare
    )


def test_a_commit_reads_like_its_folder_and_the_working_tree_does_not_matter(repo: Repo) -> None:
    commit = repo.commit()
    expected = read_files(str(repo.estate))
    repo.write(e.changed(e.FILES, e.ACME, ("quota: 5G", "quota: 6G")))
    status = repo.git("status", "--porcelain")
    found = read(repo, "main")
    assert (found.files, found.faults) == expected
    assert found.name == f"main ({commit[:7]})"
    assert found.prefix == "estates/example/"
    assert repo.git("status", "--porcelain") == status
    bare = read(repo, "main", bare=True)
    assert [
        edit.keys for edit in edits.edits(bare, controller_revision.of_folder(str(repo.estate)))
    ] == ["mailboxes.quota"]


@pytest.mark.parametrize(
    "revision",
    [
        "",
        "nothing",
        "--all",
        "-h",
        "main:estates",
        "$(touch x)",
        "main; touch x",
        "a\0b",
        "--output=/tmp/x",
        "@{99}",
    ],
)
def test_revisions_that_are_none(repo: Repo, revision: str) -> None:
    repo.commit()
    with pytest.raises(GitError, match=r"is no commit of the repository .* is it fetched\?"):
        Repository(str(repo.estate)).commit(revision)


def test_a_folder_without_git(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="not a git repository"):
        Repository(str(tmp_path)).commit("main")


def test_hostile_names_and_entries(repo: Repo, tmp_path: Path) -> None:
    """Names that no file system or no Git client would take, a link and then a file behind it,
    twice the same name."""
    repo.commit()
    victim = tmp_path / "victim"
    evil = repo.blob(b"evil\n")
    link = repo.blob(str(victim).encode())
    inside = repo.tree(("100644", evil, b"x.yml"))
    up = repo.tree(("40000", repo.tree(("100644", evil, b"victim")), b".."))
    acme = repo.tree(
        ("100644", evil, b"a\nb\x1b[31m.yml"),
        ("100644", evil, b"\xff\xfe.yml"),
        ("100644", evil, b"$(touch pwned).yml"),
        ("100644", evil, b"-rf"),
        ("100644", evil, b".git"),
        ("120000", link, b"dir"),
        ("40000", inside, b"dir"),
        ("120000", link, b"link.example.yml"),
        ("100644", evil, b"n" * 300),
    )
    tree = repo.tree(
        (
            "40000",
            repo.tree(
                (
                    "40000",
                    repo.tree(
                        ("40000", up, b".."),
                        ("40000", repo.tree(("40000", acme, b"acme")), b"tenants"),
                    ),
                    b"example",
                )
            ),
            b"estates",
        )
    )
    found = read(repo, "HEAD", tree)
    whats = {fault.position.file: fault.what for fault in found.faults}
    assert whats["tenants/acme/link.example.yml"] == "this is a symbolic link"
    assert whats["tenants/acme/.git"] == "no file can have this name"
    assert any("File name too long" in what for what in whats.values())
    assert all(file.isprintable() for file in whats)
    assert not victim.exists()
    assert "tenants/acme/link.example.yml" not in found.files
    assert found.entries["estates/example/tenants/acme/link.example.yml"].kind == LINK


def test_a_file_too_large_is_not_even_fetched(repo: Repo) -> None:
    (repo.estate / e.ACME).write_bytes(b"#" * (MAX_BYTES + 1))
    repo.commit()
    assert [(fault.id, fault.position.file) for fault in read(repo, "main").faults] == [
        ("too-large", e.ACME)
    ]


def test_merging_shows_only_one_s_own_change(repo: Repo) -> None:
    repo.commit()
    repo.git("checkout", "--quiet", "-b", "proposal")
    repo.write(e.changed(e.FILES, e.ACME, ("quota: 5G", "quota: 6G")))
    theirs = repo.commit()
    repo.git("checkout", "--quiet", "main")
    repo.write(e.changed(e.FILES, e.GLOBEX, ("name: bob", "name: rob")))
    ours = repo.commit()
    repository = Repository(str(repo.estate))
    before = read(repo, "main")
    assert {edit.file for edit in edits.edits(before, read(repo, "proposal"))} == {e.ACME, e.GLOBEX}
    assert {
        edit.file
        for edit in edits.edits(before, read(repo, "proposal", repository.merged(ours, theirs)))
    } == {e.ACME}
    repo.write(e.changed(e.FILES, e.ACME, ("quota: 5G", "quota: 7G")))
    with pytest.raises(
        GitError, match=r"does not merge: conflicts in 'tenants/acme/acme\.example\.yml'"
    ):
        repository.merged(repo.commit(), theirs)


def test_a_tenant_s_own_repository_that_is_pinned(repo: Repo, tmp_path: Path) -> None:
    tenant = Repo(tmp_path / "acme", ".")
    own = {
        path.removeprefix("tenants/acme/"): text
        for path, text in e.FILES.items()
        if path.startswith("tenants/acme/")
    }
    tenant.write(own)
    first = tenant.commit()
    shutil.rmtree(repo.estate / "tenants" / "acme")
    repo.git("submodule", "--quiet", "add", str(tenant.folder), "estates/example/tenants/acme")
    repo.commit()
    before = read(repo, "main")
    assert before.files == {path: text.encode() for path, text in e.FILES.items()}
    assert before.faults == []
    assert before.entries["estates/example/tenants/acme"] == (PIN, first)
    tenant.write(dict(e.changed(own, "acme.example.yml", ("quota: 5G", "quota: 6G"))))
    second = tenant.commit()
    pinned = repo.estate / "tenants" / "acme"
    repo.git("update-index", "--cacheinfo", f"160000,{second},estates/example/tenants/acme")
    repo.git("commit", "--quiet", "--message", "pin")
    missing = read(repo, "main")
    assert [fault.what for fault in missing.faults if fault.id == "unreadable"] == [
        f"this folder is pinned to commit {second[:7]} of another repository, which is not here"
    ]
    repo.git("-C", str(pinned), "fetch", "--quiet", "origin")
    after = read(repo, "main")
    assert [(edit.file, edit.keys, edit.kind) for edit in edits.edits(before, after)] == [
        ("tenants/acme", "", PIN),
        (e.ACME, "mailboxes.quota", FILE),
    ]
    shutil.rmtree(pinned)
    pinned.mkdir()
    repo.git(
        "update-index",
        "--cacheinfo",
        f"160000,{repo.git('rev-parse', 'HEAD')},estates/example/tenants/acme",
    )
    repo.git("commit", "--quiet", "--message", "a pin to a commit of this repository itself")
    assert any("is not here" in fault.what for fault in read(repo, "main").faults), (
        "the repository around must not answer for it"
    )


def test_environment_of_a_hook_leads_nowhere_else(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.commit()
    other = Repo(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.folder))
    assert read(repo, "main").faults == []


def test_what_lies_in_a_folder(tmp_path: Path) -> None:
    estate = tmp_path / "estate"
    estate.mkdir()
    (estate / "file").write_text("x", encoding="utf-8")
    (estate / "link").symlink_to("/etc")
    os.mkfifo(estate / "pipe")
    (estate / ".git").write_text("gitdir: elsewhere\n", encoding="utf-8")
    found = controller_revision.of_folder(str(estate)).entries
    assert {path: entry.kind for path, entry in found.items()} == {
        "file": FILE,
        "link": LINK,
        "pipe": "special file",
    }


def compared(repo: Repo) -> tuple[dict[str, bytes], list[str]]:
    """What differs between HEAD and the working tree: the files that are read, and every path."""
    repository = Repository(str(repo.estate))
    before = controller_revision.of_commit(repository, repository.commit("HEAD"), "HEAD", bare=True)
    after = controller_revision.of_working_tree(repository, str(repo.estate))
    paths = {
        path
        for path in {*before.entries, *after.entries}
        if before.entries.get(path) != after.entries.get(path)
    }
    return {
        path: content for path, content in after.files.items() if before.files.get(path) != content
    }, sorted(paths)


def test_a_working_tree_with_other_line_ends_is_no_change(repo: Repo) -> None:
    repo.commit()
    repo.git("config", "core.autocrlf", "true")
    for path in repo.estate.rglob("*.yml"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert compared(repo) == ({}, [])
    repo.write(e.changed(e.FILES, e.ACME, ("quota: 5G", "quota: 6G")))
    (repo.estate / e.ACME).write_bytes((repo.estate / e.ACME).read_bytes().replace(b"\n", b"\r\n"))
    files, paths = compared(repo)
    assert (list(files), paths) == ([e.ACME], [e.ACME])
    assert b"quota: 6G\n" in files[e.ACME]


def test_line_ends_that_attributes_ask_for_are_no_change(repo: Repo) -> None:
    (repo.folder / ".gitattributes").write_text("*.yml text eol=crlf\n")
    repo.commit()
    (repo.estate / e.ACME).write_bytes((repo.estate / e.ACME).read_bytes().replace(b"\n", b"\r\n"))
    assert compared(repo) == ({}, [])


def test_file_modes_that_the_repository_does_not_know_are_no_change(repo: Repo) -> None:
    repo.commit()
    (repo.estate / e.ACME).chmod(0o755)
    assert compared(repo) == ({}, [e.ACME])
    repo.git("config", "core.fileMode", "false")
    assert compared(repo) == ({}, [])


def test_what_is_only_staged_is_not_what_lies_there(repo: Repo) -> None:
    repo.commit()
    text = (repo.estate / e.ACME).read_text()
    (repo.estate / e.ACME).write_text("mailboxes: []\n")
    repo.git("add", "--all")
    (repo.estate / e.ACME).write_text(text)
    assert compared(repo) == ({}, [])
    repo.git("rm", "--quiet", "--force", "--cached", str(repo.estate / e.ACME))
    assert compared(repo) == ({}, [])


@pytest.mark.parametrize("staged", [False, True])
def test_a_file_with_another_name_is_two_changes(repo: Repo, staged: bool) -> None:
    repo.commit()
    other = (repo.estate / e.ACME).with_name("other.example.yml")
    if staged:
        repo.git("mv", str(repo.estate / e.ACME), str(other))
    else:
        (repo.estate / e.ACME).rename(other)
    files, paths = compared(repo)
    assert (list(files), paths) == (
        ["tenants/acme/other.example.yml"],
        [e.ACME, "tenants/acme/other.example.yml"],
    )


def test_a_link_in_the_place_of_a_file_is_a_change_and_is_not_followed(repo: Repo) -> None:
    repo.commit()
    (repo.estate / e.ACME).unlink()
    (repo.estate / e.ACME).symlink_to("account.yml")
    assert compared(repo) == ({}, [e.ACME])


def test_line_ends_that_git_takes_away_are_no_change(repo: Repo) -> None:
    repo.commit()
    (repo.estate / e.ACME).write_bytes((repo.estate / e.ACME).read_bytes().replace(b"\n", b"\r\n"))
    assert compared(repo)[1] == [e.ACME]
    repo.git("config", "core.autocrlf", "input")
    assert compared(repo) == ({}, [])


def test_files_that_git_ignores_are_no_change_unless_they_are_read(repo: Repo) -> None:
    (repo.folder / ".gitignore").write_text(".DS_Store\n*.swp\nhidden.*\n")
    repo.commit()
    for name in (".DS_Store", "tenants/acme/.acme.example.yml.swp"):
        (repo.estate / name).write_text("x")
    assert compared(repo) == ({}, [])
    hidden = "tenants/acme/hidden.example.yml"
    (repo.estate / hidden).write_text("mailboxes: []\n")
    assert compared(repo) == ({hidden: b"mailboxes: []\n"}, [hidden])
    repo.git("add", "--force", str(repo.estate / hidden))
    repo.git("commit", "--quiet", "--message", "x")
    assert compared(repo) == ({}, [])


def test_new_and_deleted_files_are_changes_and_the_repository_is_not_written_to(repo: Repo) -> None:
    repo.commit()
    (repo.estate / "tenants/acme/notes.txt").write_text("x")
    (repo.estate / e.ACME).unlink()

    def state() -> list[tuple[str, bytes]]:
        return sorted(
            (str(path), path.read_bytes())
            for path in (repo.folder / ".git").rglob("*")
            if path.is_file()
        )

    before = state()
    assert compared(repo) == ({}, sorted([e.ACME, "tenants/acme/notes.txt"]))
    assert state() == before


def test_a_pinned_repository_is_seen_as_it_lies_there(repo: Repo, tmp_path: Path) -> None:
    own = Repo(tmp_path / "own", ".")
    (own.folder / "account.yml").write_text("plan: business\n")
    own.commit()
    repo.git(
        "submodule",
        "add",
        "--quiet",
        str(own.folder),
        f"{repo.estate.relative_to(repo.folder)}/tenants/newco",
    )
    repo.commit()
    assert compared(repo) == ({}, [])
    account = "tenants/newco/account.yml"
    (repo.estate / account).write_text("plan: other\n")
    assert compared(repo) == ({account: b"plan: other\n"}, [account])
