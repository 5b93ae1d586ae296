# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may import whom: docs/architecture.md has the table, this test compares it with the code.

An import under ``TYPE_CHECKING`` counts like any other: AnsiballZ ships what it finds in an import
statement, wherever it is.
"""

from __future__ import annotations

import ast
import re
import sys
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest

COLLECTION = Path(__file__).parents[2]
PLUGINS = COLLECTION / "plugins"
PREFIX = "ansible_collections.reseller.mail.plugins"
TREES = ("module_utils", "plugin_utils")
FACES = ("action", "inventory", "modules")

IMPURE_IMPORTS = (
    "asyncio",
    "dns",
    "random",
    "socket",
    "ssl",
    "subprocess",
    "time",
    "urllib.request",
    "http.client",
)
FILE_CALLS = ("open", "read_text", "read_bytes", "write_text", "write_bytes")
MAY_READ = {"_load": ("_Directory",)}
"""What reads outside of ``_controller`` reads the files of an estate."""


@dataclass(frozen=True)
class Import:
    """One imported module of the collection, or of somebody else (then ``package`` is empty)."""

    file: str
    line: int
    module: str
    package: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"


@dataclass(frozen=True)
class Source:
    """One Python file of the collection: its package, its own module name, and what it imports."""

    path: Path
    package: str
    module: str
    imports: tuple[Import, ...]

    @property
    def name(self) -> str:
        return str(self.path.relative_to(PLUGINS))


def _package_of(module: str) -> str:
    """Return the package of a module name: ``_compile`` for
    ``….plugin_utils._compile.dns.text``."""
    parts = module.removeprefix(PREFIX + ".").split(".")
    return parts[1] if parts[0] in TREES and len(parts) > 1 else parts[0]


def _imports(path: Path, module: str, known: t.Container[str]) -> t.Iterator[Import]:
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    name = str(path.relative_to(PLUGINS))
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (Import(name, node.lineno, alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1])
                base = f"{above}.{base}".rstrip(".")
            for alias in node.names:
                target = f"{base}.{alias.name}" if f"{base}.{alias.name}" in known else base
                yield Import(
                    name,
                    node.lineno,
                    target,
                    _package_of(target) if target.startswith(PREFIX) else "",
                )


def _sources() -> list[Source]:
    paths = {
        ".".join((PREFIX, *path.relative_to(PLUGINS).with_suffix("").parts)).removesuffix(
            ".__init__"
        ): path
        for folder in (*TREES, *FACES)
        for path in sorted((PLUGINS / folder).rglob("*.py"))
    }
    return [
        Source(path, _package_of(module), module, tuple(_imports(path, module, paths)))
        for module, path in paths.items()
    ]


PAGE = (COLLECTION.parents[3] / "docs" / "architecture.md").read_text(encoding="utf-8")


def _table() -> dict[str, set[str]]:
    """Return what each package may import, as the page says: packages, single modules such as
    ``_host.hashes``, or any."""
    section = PAGE.partition("## Packages")[2].partition("## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\|([^|]*)\|$", section, re.MULTILINE)
    return {
        package: set(allowed.replace("`", "").split()) - {"nothing"} for package, allowed in rows
    }


def _pure() -> list[str]:
    """Return the packages that the page calls pure."""
    found = re.search(r"^Pure packages are `([\w ]+)`", PAGE, re.MULTILINE)
    assert found, "docs/architecture.md names the pure packages"
    return found[1].split()


SOURCES = _sources()
TABLE = _table()
PURE = _pure()


def _short(module: str) -> str:
    """Return a module's name without the tree: ``_host.keys.key_names``."""
    return module.removeprefix(PREFIX + ".").partition(".")[2]


def _is_allowed(source: Source, found: Import) -> bool:
    allowed = TABLE.get(source.package, set())
    return "any" in allowed or found.package in allowed or _short(found.module) in allowed


def test_every_package_has_a_row_and_every_row_a_package() -> None:
    assert {source.package for source in SOURCES} - {"module_utils", "plugin_utils"} == set(TABLE)


def test_packages_import_only_what_the_table_allows() -> None:
    forbidden = [
        str(found)
        for source in SOURCES
        for found in source.imports
        if found.package and found.package != source.package and not _is_allowed(source, found)
    ]
    assert not forbidden, "\n".join(forbidden)


def test_every_permission_of_the_table_is_used() -> None:
    used = {
        (source.package, name)
        for source in SOURCES
        for found in source.imports
        if found.package
        for name in (found.package, _short(found.module))
    }
    unused = [
        (package, name)
        for package, allowed in TABLE.items()
        for name in allowed - {"any"}
        if (package, name) not in used
    ]
    assert not unused, "docs/architecture.md allows imports that do not exist"


def test_private_files_are_imported_by_their_own_package_alone() -> None:
    trespassers = [
        str(found)
        for source in SOURCES
        for found in source.imports
        if found.package not in ("", source.package)
        and found.module.rpartition(".")[2].startswith("_")
        and _short(found.module) != found.package
    ]
    assert not trespassers, "\n".join(trespassers)


def test_what_runs_on_hosts_needs_the_standard_library_alone() -> None:
    foreign = [
        str(found)
        for source in SOURCES
        if source.package == "_host"
        for found in source.imports
        if not found.package
        and found.module.partition(".")[0] not in sys.stdlib_module_names
        and not found.module.startswith("ansible.module_utils")
    ]
    assert not foreign, "\n".join(foreign)


def test_ansible_is_known_to_the_faces_and_the_controller_alone() -> None:
    others = [
        str(found)
        for source in SOURCES
        if source.package not in (*FACES, "_controller", "_host")
        for found in source.imports
        if found.module.partition(".")[0] == "ansible"
    ]
    assert not others, "\n".join(others)


@pytest.mark.parametrize("package", PURE)
def test_a_pure_package_reaches_no_network_no_clock_and_no_process(package: str) -> None:
    impure = [
        str(found)
        for source in SOURCES
        if source.package == package
        for found in source.imports
        if any(
            found.module == name or found.module.startswith(f"{name}.") for name in IMPURE_IMPORTS
        )
    ]
    assert not impure, "\n".join(impure)


@pytest.mark.parametrize("package", [*PURE, "_load"])
def test_a_pure_package_opens_no_file(package: str) -> None:
    opened = [
        f"{source.name}:{call.lineno} {ast.unparse(call.func)}"
        for source in SOURCES
        if source.package == package
        for call in _file_calls(
            ast.parse(source.path.read_text(encoding="utf-8")), MAY_READ.get(package, ())
        )
    ]
    assert not opened, "\n".join(opened)


def _file_calls(tree: ast.AST, allowed: t.Container[str]) -> t.Iterator[ast.Call]:
    """Yield the calls that open a file, outside of what may do it."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name in allowed:
            continue
        if isinstance(node, ast.Call):
            name = (
                node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            )
            if name in FILE_CALLS:
                yield node
        yield from _file_calls(node, allowed)


def _shipped(module: Source) -> list[Source]:
    """Return the files that AnsiballZ would ship with a module: what it imports, and the packages
    above that."""
    by_name = {source.module: source for source in SOURCES}
    found: dict[str, Source] = {}
    waiting = [one.module for one in module.imports if one.package]
    while waiting:
        name = waiting.pop()
        if name in found or name not in by_name:
            continue
        found[name] = by_name[name]
        waiting.append(name.rpartition(".")[0])
        waiting.extend(one.module for one in by_name[name].imports if one.package)
    return list(found.values())


@pytest.mark.parametrize(
    "module",
    [source for source in SOURCES if source.package == "modules"],
    ids=lambda source: source.path.stem,
)
def test_a_module_ships_nothing_but_what_runs_on_hosts(
    module: Source, record_property: t.Callable[[str, object], None]
) -> None:
    shipped = _shipped(module)
    lines = sum(len(source.path.read_text(encoding="utf-8").splitlines()) for source in shipped)
    figures = f"{module.path.stem} ships {len(shipped)} files with {lines} lines"
    record_property("shipped", figures)
    print(figures)
    strangers = [source.name for source in shipped if source.package != "_host"]
    assert not strangers, f"{figures}; these do not run on hosts: {', '.join(strangers)}"
