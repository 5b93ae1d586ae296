# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules document, as users read it: with the texts of their fragments."""

from __future__ import annotations

import importlib
import typing as t

import yaml

PACKAGE = "ansible_collections.reseller.mail.plugins"


def documented(module: str) -> dict[str, dict[str, t.Any]]:
    """Return the documented options of a module, with those of its fragments."""
    return section(module, "options")


def attributes(module: str) -> dict[str, dict[str, t.Any]]:
    """Return the documented attributes of a module, with those of its fragments."""
    return section(module, "attributes")


def section(module: str, name: str) -> dict[str, dict[str, t.Any]]:
    """Return one section of a module's documentation, with what its fragments have of it."""
    documentation = yaml.safe_load(
        importlib.import_module(f"{PACKAGE}.modules.{module}").DOCUMENTATION
    )
    found: dict[str, dict[str, t.Any]] = {}
    fragments = documentation.get("extends_documentation_fragment") or []
    for fragment in [fragments] if isinstance(fragments, str) else fragments:
        file, _dot, part = fragment.removeprefix("reseller.mail.").partition(".")
        text = getattr(
            importlib.import_module(f"{PACKAGE}.doc_fragments.{file}").ModuleDocFragment,
            part.upper() or "DOCUMENTATION",
        )
        found.update(yaml.safe_load(text).get(name) or {})
    return {**found, **(documentation.get(name) or {})}
