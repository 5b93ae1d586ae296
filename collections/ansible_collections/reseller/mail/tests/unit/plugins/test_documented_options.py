# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules document exactly the options that their code takes: the action plugin where there is one, and the module on the host."""

from __future__ import annotations

import importlib
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible_collections.reseller.mail.tests.support.module_documentation import (
    attributes,
    documented,
)

PLUGINS = Path(__file__).parents[3] / "plugins"
PACKAGE = "ansible_collections.reseller.mail.plugins"
INTERNAL = "The controller fills it in."
"""Ends the description of an option that the action plugin passes to the module, and that tasks do not give."""
COMPARED = {"type": "str", "required": False, "default": None, "elements": None}
"""What the documentation says of an option, with what holds where it says nothing."""


class CapturedError(Exception):
    """Carries the arguments with which a module or an action plugin asked for its options."""


def modules() -> list[str]:
    return sorted(path.stem for path in (PLUGINS / "modules").glob("*.py"))


def text_of(option: t.Mapping[str, t.Any]) -> str:
    description = option.get("description") or ""
    return description if isinstance(description, str) else " ".join(description)


def compared(options: t.Mapping[str, t.Mapping[str, t.Any]]) -> dict[str, t.Any]:
    """Return what documentation and code must both say of options, options of options included."""
    return {
        name: {
            **{key: option.get(key, usual) for key, usual in COMPARED.items()},
            "choices": list(option.get("choices") or []),  # the documentation may explain each one
            "options": compared(option.get("suboptions") or option.get("options") or {}),
        }
        for name, option in options.items()
    }


def capture(*_positional: object, **arguments: t.Any) -> t.NoReturn:
    raise CapturedError(arguments["argument_spec"])


def host_options(module: str, monkeypatch: pytest.MonkeyPatch) -> t.Optional[dict[str, t.Any]]:
    """Return the options that a module takes on the host; None where only its action plugin does anything."""
    code = importlib.import_module(f"{PACKAGE}.modules.{module}")
    if not hasattr(code, "AnsibleModule"):
        return None
    monkeypatch.setattr(code, "AnsibleModule", capture)
    with pytest.raises(CapturedError) as captured:
        code.main()
    return captured.value.args[0]


def action_options(module: str, monkeypatch: pytest.MonkeyPatch) -> t.Optional[dict[str, t.Any]]:
    """Return the options that an action plugin takes; None where it has no list of its own and leaves that to the module."""
    path = PLUGINS / "action" / f"{module}.py"
    if not path.exists() or "ARGUMENTS" not in path.read_text(encoding="utf-8"):
        return None
    code = importlib.import_module(f"{PACKAGE}.action.{module}")
    monkeypatch.setattr(ActionBase, "run", lambda self, tmp=None, task_vars=None: {})
    monkeypatch.setattr(code.ActionModule, "validate_argument_spec", capture)
    with pytest.raises(CapturedError) as captured:
        object.__new__(code.ActionModule).run(task_vars={})
    return captured.value.args[0]


@pytest.mark.parametrize("module", modules())
def test_an_action_plugin_takes_what_its_module_documents(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = action_options(module, monkeypatch)
    if taken is not None:
        public = {
            name: option
            for name, option in documented(module).items()
            if INTERNAL not in text_of(option)
        }
        assert compared(taken) == compared(public)


@pytest.mark.parametrize("module", modules())
def test_a_module_on_the_host_takes_what_it_documents(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = host_options(module, monkeypatch)
    if taken is not None:
        assert compared(taken) == compared(documented(module))


@pytest.mark.parametrize("module", modules())
def test_every_option_has_a_description_and_a_default_that_fits(module: str) -> None:
    options = documented(module)
    assert not [name for name, option in options.items() if not text_of(option).strip()]
    for name, option in options.items():
        if option.get("default") is not None:
            spec = {
                **{key: option[key] for key in ("type", "elements") if key in option},
                "choices": list(option.get("choices") or []) or None,
            }
            result = ArgumentSpecValidator({name: spec}).validate({name: option["default"]})
            assert not result.error_messages, name
            assert result.validated_parameters[name] == option["default"], name


def test_each_action_plugin_has_a_module_that_documents_it() -> None:
    assert {path.stem for path in (PLUGINS / "action").glob("*.py")} <= set(modules())


def test_every_module_is_in_its_action_groups() -> None:
    """meta/runtime.yml has the groups: all modules, and those that take ``estate``."""
    groups = yaml.safe_load((PLUGINS.parent / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    assert groups["action_groups"] == {
        "all": modules(),
        "estate": [name for name in modules() if "estate" in documented(name)],
    }


@pytest.mark.parametrize("module", modules())
def test_a_module_documents_its_action_groups(module: str) -> None:
    """A documentation fragment has the text: ``estate`` brings it, or one of ``attributes``."""
    attribute = attributes(module)["action_group"]
    groups = ["all", "estate"] if "estate" in documented(module) else ["all"]
    assert attribute["membership"] == [f"reseller.mail.{group}" for group in groups]
