# SPDX-License-Identifier: GPL-3.0-or-later
"""The first task of a playbook lists its variables, hosts and tags as they are.

A user reads this list, and ``run_requirements`` refuses what is not in it. So it is compared with
the plays of the playbook, and with the documented options of the modules that get the values.
"""

from __future__ import annotations

import ast
import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.reseller.mail.tests.support.module_documentation import documented

COLLECTION = Path(__file__).parents[3]
PLAYBOOKS = sorted(path.stem for path in (COLLECTION / "playbooks").glob("*.yml"))
CHANGING = ["dkim_rotate", "guide_site", "rollback", "site", "tenants", "tls_rollover"]
"""Playbooks that change nodes."""
ACTION = "reseller.mail.run_requirements"
FORMS = ("type", "elements", "choices")


def plays_of(file: str) -> list[dict[str, t.Any]]:
    """Return the plays of a file, with those of the parts that it imports."""
    path = COLLECTION / "playbooks" / file
    found = []
    for play in yaml.safe_load(path.read_text(encoding="utf-8")):
        part = play.get("ansible.builtin.import_playbook")
        found += plays_of(str(Path(file).parent / part)) if part else [play]
    return found


def first(playbook: str) -> dict[str, t.Any]:
    """Return the arguments of a playbook's first task."""
    return plays_of(f"{playbook}.yml")[0]["tasks"][0][ACTION]


def rest(playbook: str) -> list[dict[str, t.Any]]:
    """Return the plays that do the work."""
    return plays_of(f"{playbook}.yml")[1:]


def tasks(block: t.Any) -> t.Iterator[dict[str, t.Any]]:
    """Yield the tasks of a play, also those in blocks."""
    for key in ("tasks", "block", "rescue", "always"):
        for task in block.get(key) or []:
            yield task
            yield from tasks(task)


def roles(playbook: str) -> set[str]:
    """Return the names of the collection's roles that a playbook runs."""
    return set(re.findall(r"reseller\.mail\.(\w+)", str(rest(playbook)))) & {
        path.name for path in (COLLECTION / "roles").iterdir()
    }


def defaults_of_roles(playbook: str) -> str:
    """Return the defaults of the roles of a playbook, where they read shared variables."""
    return "".join(
        (COLLECTION / "roles" / role / "defaults/main.yml").read_text(encoding="utf-8")
        for role in roles(playbook)
        if (COLLECTION / "roles" / role / "defaults/main.yml").exists()
    )


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_a_playbook_begins_with_the_check_of_what_it_needs(playbook: str) -> None:
    play = plays_of(f"{playbook}.yml")[0]
    assert (play["hosts"], play["tags"]) == ("localhost:all", "always"), (
        "neither --limit nor --tags leaves it out"
    )
    assert list(play["tasks"][0]) == ["name", ACTION]
    assert first(playbook)["playbook"] == playbook


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_every_variable_is_described_and_its_example_and_default_fit(playbook: str) -> None:
    for name, option in first(playbook)["variables"].items():
        assert str(option["description"]).strip(), name
        assert not option.get("required") or "example" in option, name
        form = {key: option[key] for key in FORMS if key in option}
        for key in {"example", "default"} & option.keys():
            value = option[key]
            if form["type"] in ("list", "dict") and str(value).startswith(("[", "{")):
                value = yaml.safe_load(str(value))
            result = ArgumentSpecValidator({name: form}).validate({name: value})
            assert result.error_messages == [], (name, key)


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_the_list_has_the_variables_that_the_plays_read(playbook: str) -> None:
    """Variables of a role alone are in the specification of the role."""
    text = str(rest(playbook))
    templates = " ".join(re.findall(r"{{.*?}}|{%.*?%}", text.replace("\\n", " ")))
    conditions = [
        str(one["when"]) for play in rest(playbook) for one in tasks(play) if "when" in one
    ]
    words = set(
        re.findall(
            rf"(?<![\w.'])((?:mail|verify|promotion|{playbook}|{playbook.partition('_')[0]})_\w+)",
            f"{templates} {' '.join(conditions)}",
        )
    )
    inventory = {"mail_nodes", "mail_node"}
    listed = set(first(playbook)["variables"])
    assert words - inventory <= listed
    unused = {
        name
        for name in listed - words
        if not re.search(rf"\b{name}\b", defaults_of_roles(playbook))
    }
    assert unused <= {"mail_estate_dir"}, "the inventory plugin reads mail_estate_dir"


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_a_variable_takes_what_its_module_takes(playbook: str) -> None:
    compared = 0
    for play in rest(playbook):
        for task in tasks(play):
            for module, values in task.items():
                if not module.startswith("reseller.mail.") or not isinstance(values, dict):
                    continue
                known = documented(module.rpartition(".")[2])
                for option, value in values.items():
                    match = re.fullmatch(r"{{ (\w+)(?: \| default\((.*)\))? }}", str(value).strip())
                    if match and match[1] in first(playbook)["variables"]:
                        mine = first(playbook)["variables"][match[1]]
                        theirs = known[option]
                        for key in FORMS:
                            assert _plain(mine.get(key)) == _plain(theirs.get(key)), match[1]
                        default = (
                            theirs.get("default")
                            if match[2] in (None, "omit")
                            else ast.literal_eval(match[2])
                        )
                        assert mine.get("default", default) == default, match[1]
                        compared += 1
    assert compared or roles(playbook)


def _plain(value: t.Any) -> t.Any:
    """Return the names of choices without their descriptions, other values as they are."""
    return sorted(value) if isinstance(value, (dict, list)) else value


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_the_list_has_the_tags_of_the_plays(playbook: str) -> None:
    found: set[str] = set()
    for play in rest(playbook):
        for one in (play, *(play.get("roles") or []), *tasks(play)):
            tags = one.get("tags", []) if isinstance(one, dict) else []
            found.update([tags] if isinstance(tags, str) else tags)
    assert set(first(playbook)["tags"]) == found - {"always"}


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_the_list_names_the_groups_that_the_plays_work_on(playbook: str) -> None:
    hosts = {str(play["hosts"]) for play in rest(playbook)}
    named = str(first(playbook).get("works_on", "localhost"))
    for group in ("localhost", "mail_nodes"):
        assert (group in named) == any(group in one for one in hosts), group


def imports(play: dict[str, t.Any]) -> t.Iterator[dict[str, t.Any]]:
    """Yield the arguments of the tasks of a play that import or include a role."""
    for task in tasks(play):
        for word in ("import_role", "include_role"):
            if f"ansible.builtin.{word}" in task:
                yield task[f"ansible.builtin.{word}"]


def with_inner_roles(names: t.Iterable[str]) -> set[str]:
    """Return roles, and those that their tasks import."""
    found: set[str] = set()
    pending = list(names)
    while pending:
        name = pending.pop().removeprefix("reseller.mail.")
        if name not in found:
            found.add(name)
            for path in (COLLECTION / "roles" / name / "tasks").glob("*.yml"):
                block = yaml.safe_load(path.read_text(encoding="utf-8"))
                pending += [one["name"] for one in imports({"tasks": block})]
    return found


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_the_list_names_the_roles_whose_variables_are_validated(playbook: str) -> None:
    roles_of_plays = {"localhost": set[str](), "mail_nodes": set[str]()}
    for play in rest(playbook):
        names = {one["name"] for one in imports(play) if one.get("tasks_from") != "outcome"}
        for place, found in roles_of_plays.items():
            if names and place in play["hosts"]:
                found.update(with_inner_roles(names))
    named = first(playbook).get("roles", {})
    assert {place: set(named.get(place, [])) for place in roles_of_plays} == roles_of_plays


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_no_role_validates_again_what_the_first_task_has_validated(playbook: str) -> None:
    for play in rest(playbook):
        assert "roles" not in play, "roles of a play always validate"
        for one in imports(play):
            assert one.get("rolespec_validate") is False, one


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_every_playbook_that_changes_nodes_can_begin_with_one_of_them(playbook: str) -> None:
    """A play that only refuses hosts looks at all of them first."""
    on_nodes = [
        play
        for play in rest(playbook)
        if "mail_nodes" in play["hosts"]
        and "localhost" not in play["hosts"]
        and not play["name"].startswith("Refuse hosts")
    ]
    serial = [play for play in on_nodes if "mail_serial" in str(play.get("serial"))]
    assert serial == (on_nodes if playbook in CHANGING else [])
    assert ("mail_serial" in first(playbook)["variables"]) == (playbook in CHANGING)
