# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that answers become."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.reseller.mail.plugins.plugin_utils._load import build
from ansible_collections.reseller.mail.plugins.plugin_utils._starter import answers, layout
from hypothesis import given
from hypothesis import strategies as st

PROJECT = Path(__file__).parents[9]
PIPELINES = Path(__file__).parents[5] / "docs" / "pipelines"
EXAMPLE: dict[str, t.Any] = {
    question.option: question.example for question in answers.QUESTIONS if question.is_required
}


def made(**given: t.Any) -> answers.Answers:
    found, wrong = answers.read({**EXAMPLE, **given})
    assert found is not None, wrong
    return found


def files(**given: t.Any) -> dict[str, str]:
    texts = {path.name: path.read_text(encoding="utf-8") for path in PIPELINES.iterdir()}
    collection = layout.Collection(
        "1.2.3",
        ("dnspython>=2.8,<3", "dkimpy[ed25519]>=1.1.8,<2", "rich>=14"),
        {"ansible-core": "2.21.5", "dnspython": "2.9.2", "dkimpy": "1.1.8"},
        texts,
    )
    return layout.files(made(**given), collection)


def tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


def faults(texts: t.Mapping[str, str]) -> list[str]:
    _estate, found = build({path: text.encode() for path, text in texts.items()})
    return [str(fault) for fault in found]


def test_the_example_answers_give_the_minimal_estate_and_inventory() -> None:
    estate, inventory = PROJECT / "estates/minimal", PROJECT / "inventories/minimal"
    assert layout.estate(made()) == tree(estate)
    # The two folders are not beside each other there.
    assert layout.inventory(made(), "../../estates/minimal") == tree(inventory)
    lines = "".join([*tree(estate).values(), *tree(inventory).values()]).count("\n")
    assert lines < 40


TEXTS = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=60)
SLUGS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)


@given(TEXTS, TEXTS, SLUGS, SLUGS, SLUGS)
def test_what_any_accepted_answers_give_has_no_fault(
    provider: str, organisation: str, tenant: str, node: str, mailbox: str
) -> None:
    given = {
        **EXAMPLE,
        "provider_name": provider,
        "organisation": organisation,
        "tenant": tenant,
        "mailbox": mailbox,
        "nodes": [{"name": node, "hostname": "mx.p.example", "address": "192.0.2.1", "debian": 12}],
    }
    found, _wrong = answers.read(given)
    if found is not None:
        texts = layout.estate(found)
        assert faults(texts) == []
        estate, _faults = build({path: text.encode() for path, text in texts.items()})
        assert estate.provider.name == found.provider_name
        assert [tenant.organisation for tenant in estate.tenants] == [found.organisation]


def test_two_nodes_with_one_name_are_a_fault() -> None:
    texts = layout.estate(made(nodes="mx1 192.0.2.10 12, mx1 192.0.2.11 13"))
    assert [fault for fault in faults(texts) if "mx1" in fault]


def test_a_user_other_than_root_becomes_root() -> None:
    nodes = [
        {"name": "mx1", "address": "192.0.2.10", "debian": 12},
        {"name": "mx2", "address": "192.0.2.11", "debian": 13, "ssh_user": "root"},
    ]
    group = yaml.safe_load(layout.inventory(made(nodes=nodes, ssh_user="admin"))["hosts.yml"])
    assert group["mail_nodes"] == {
        "hosts": {"mx2": {"ansible_user": "root", "ansible_become": False}},
        "vars": {
            "ansible_user": "admin",
            "ansible_become": True,
            "tls_acme_email": "hostmaster@hosting.example",
        },
    }
    nodes[1]["ssh_user"] = "admin"
    group = yaml.safe_load(layout.inventory(made(nodes=nodes))["hosts.yml"])
    assert group["mail_nodes"]["hosts"] == {
        "mx2": {"ansible_user": "admin", "ansible_become": True}
    }
    assert "ansible_become" not in group["mail_nodes"]["vars"]


def test_requirements_have_the_installed_versions() -> None:
    lines = files()["requirements.txt"].splitlines()
    assert lines[1:] == [
        "ansible-core==2.21.5",
        "dnspython==2.9.2",
        "dkimpy[ed25519]==1.1.8",
        "rich>=14",  # not installed
    ]
    assert yaml.safe_load(files()["requirements.yml"]) == {
        "collections": [{"name": "reseller.mail", "version": "1.2.3"}]
    }


def test_the_pipelines_are_those_of_the_pages_but_for_the_folder_of_the_estate() -> None:
    found = files()
    for name, path in {
        "github.yml": ".github/workflows/estate.yml",
        "gitlab-ci.yml": "pipelines/gitlab-ci.yml",
        "pre-commit-config.yaml": ".pre-commit-config.yaml",
    }.items():
        text = (PIPELINES / name).read_text(encoding="utf-8")
        assert found[path] != text
        assert found[path] == text.replace("estates/example", "estate")


def test_every_pipeline_of_the_pages_is_written() -> None:
    known = {path.name for path in PIPELINES.iterdir()} - {"CODEOWNERS"}
    paths = [path for path in files() if path.startswith((".github/", "pipelines/", ".pre-"))]
    assert len(paths) == len(known)
    assert not [text for text in files().values() if "estates/example" in text]


@pytest.mark.parametrize(
    ("forge", "folders"),
    [
        ("both", {".github", "pipelines"}),
        ("github", {".github"}),
        ("gitlab", {"pipelines"}),
        ("none", set()),
    ],
)
def test_the_forge_decides_which_pipelines_are_written(forge: str, folders: set[str]) -> None:
    found = files(forge=forge)
    assert {path.split("/")[0] for path in found} & {".github", "pipelines"} == folders
    assert ".pre-commit-config.yaml" in found
    assert (".github/workflows/" in found["README.md"]) == (".github" in folders)


def test_a_login_at_the_forge_may_edit_everything() -> None:
    estate, found = build(
        {path: text.encode() for path, text in layout.estate(made(super_admin="alex")).items()}
    )
    assert found == []
    assert [(role.identity, role.role) for role in estate.roles] == [("alex", "super_admin")]
    assert "roles:" not in files(super_admin="alex")["README.md"]


def test_the_readme_says_how_to_get_a_role_if_the_pipelines_need_one() -> None:
    block = files()["README.md"].partition("```yaml\n")[2].partition("```")[0]
    texts = layout.estate(made())
    estate, found = build(
        {
            path: (text + (block if path == "estate.yml" else "")).encode()
            for path, text in texts.items()
        }
    )
    assert found == []
    assert [role.role for role in estate.roles] == ["super_admin"]
    for part in ("roles:", "docs/pipelines.md"):
        assert part in files()["README.md"]
        assert part not in files(forge="none")["README.md"]
