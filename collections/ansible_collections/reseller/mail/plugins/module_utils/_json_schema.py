# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of the files → JSON Schema (draft 2020-12), for editors with a YAML language server.

PRIVATE to the collection. Pure. The rule: an editor never marks what validate accepts. Where JSON Schema cannot say what
a kind of value takes, it says less. Editors read plain YAML values as numbers and truth values where they look like it, the loader
reads all of them as text; so most kinds take more types here than one would think.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils import _hashes
from ansible_collections.reseller.mail.plugins.module_utils import _scalars as s
from ansible_collections.reseller.mail.plugins.module_utils._names import MAX_SELECTOR
from ansible_collections.reseller.mail.plugins.module_utils._schema import (
    FILES,
    UNSAID,
    Key,
    Many,
    Table,
    Type,
)
from ansible_collections.reseller.mail.plugins.module_utils._sizes import size

Schema = dict[str, t.Any]

_ANY = ["string", "number", "boolean"]
_NUMBER = {"type": ["integer", "string"], "pattern": "^[0-9]{1,19}$"}
_AMOUNT = {"type": ["number", "string"], "minimum": 0, "pattern": r"^[0-9]{1,9}(\.[0-9]{1,4})?$"}
_SIZE_TEXT = "[1-9][0-9]{0,18}[BKMGT]"
_OTHER = "[^\\x00-\\x7f]"  # a label written with letters beyond ASCII becomes an A-label; how long it then is cannot be said here
_LABEL = f"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{{0,61}}[A-Za-z0-9])?|(?=[^.@]*{_OTHER})(?:[A-Za-z0-9-]|{_OTHER})+)"
_NAME = rf"{_LABEL}(?:\.{_LABEL})+\.?"
_OWNER_NAME = _NAME.replace("A-Za-z0-9", "A-Za-z0-9_")
_LOCAL_PART = r"(?=[^@]{1,64}(?:@|$))[A-Za-z0-9_][A-Za-z0-9_+=-]*(?:\.[A-Za-z0-9_+=-]+)*"
_IP = {
    "type": "string",
    "anyOf": [
        {"pattern": r"^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}$"},
        {"pattern": "^(?=.*:.*:)[0-9A-Fa-f:.]{2,45}$"},
    ],
}

SHAPES: dict[s.Scalar, Schema] = {
    s.TEXT: {"type": _ANY, "minLength": 1, "maxLength": 200, "pattern": r"^[^\x00-\x1f\x7f]+$"},
    s.SLUG: {"type": _ANY, "pattern": "^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$"},
    s.DOMAIN: {"type": ["string", "number"], "pattern": f"^{_NAME}$"},
    s.OWNER_NAME: {"type": ["string", "number"], "pattern": f"^{_OWNER_NAME}$"},
    s.MAIL_DOMAIN: {"type": ["string", "number"], "pattern": f"^{_NAME}$"},
    s.LOCAL: {
        "type": _ANY,
        "pattern": r"^(?=.{1,64}$)[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*$",
    },
    s.ADDRESS: {"type": "string", "pattern": f"^{_LOCAL_PART}@{_NAME}$"},
    s.RECIPIENT: {"type": _ANY, "pattern": f"^{_LOCAL_PART}(?:@{_NAME})?$"},
    s.LIMIT: {
        "type": ["integer", "string"],
        "minimum": 0,
        "maximum": s.MAX_NUMBER,
        "pattern": "^(?:unlimited|0|[1-9][0-9]{0,18})$",
    },
    s.POOL: {
        "type": ["string", "integer"],
        "minimum": 0,
        "maximum": 0,
        "pattern": f"^(?:unlimited|0|{_SIZE_TEXT})$",
    },
    s.QUOTA: {"type": "string", "pattern": f"^(?:unlimited|{_SIZE_TEXT})$"},
    s.SIZE: {"type": "string", "pattern": f"^{_SIZE_TEXT}$"},
    s.IP: _IP,
    s.TRUTH: {"type": ["boolean", "string"], "pattern": "^(?:true|false)$"},
    s.PORT: {**_NUMBER, "minimum": 1, "maximum": 65535},
    s.MAX_AGE: {**_NUMBER, "minimum": 86400, "maximum": 31557600},
    s.PERCENT: {**_NUMBER, "minimum": 0, "maximum": 100},
    s.PRIORITY: {**_NUMBER, "minimum": 11, "maximum": 65535},
    s.COUNT: {**_NUMBER, "minimum": 1, "maximum": 10**9},
    s.DAYS: {**_NUMBER, "minimum": 1, "maximum": 3650},
    s.EVIDENCE_DAYS: {**_NUMBER, "minimum": 1, "maximum": 45},
    s.MONEY: {**_AMOUNT, "exclusiveMaximum": 10**9},
    s.RATIO: {**_AMOUNT, "maximum": 100},
    s.PASSWORD: {
        "type": "string",
        "pattern": rf"^(?:\$ANSIBLE_VAULT;|\{{(?:{'|'.join(_hashes.NAMES)})\}}[!-9;-~]{{20,500}}$)",
        "$comment": "Vaulted values have the tag !vault; tell the editor about it (yaml.customTags).",
    },
    s.PUBLIC_KEY: {
        "type": "string",
        "minLength": 40,
        "maxLength": 4000,
        "pattern": "^[A-Za-z0-9+/]+={0,2}$",
    },
    s.DIGEST: {"type": _ANY, "pattern": "^[0-9a-f]{64}$"},
    s.SELECTOR: {
        "type": _ANY,
        "pattern": f"^(?=.{{1,{MAX_SELECTOR}}}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$",
    },
    s.MOMENT: {
        "type": "string",
        "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
    },
    s.URL: {
        "type": "string",
        "maxLength": 300,
        "pattern": "^https://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[^\\s\"'<>\\\\^`{|}]*)?$",
    },
    s.DATE: {
        "type": "string",
        "pattern": "^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])$",
    },
    s.COLOUR: {"type": "string", "pattern": "^#[0-9a-f]{6}$"},
    s.LOCALE: {"type": "string", "pattern": "^[a-z]{2,3}(?:-[A-Z]{2})?$"},
    s.CURRENCY: {"type": "string", "pattern": "^[A-Z]{3}$"},
    s.CERTIFICATE: {
        "type": "string",
        "maxLength": 16384,
        "pattern": r"^\s*-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\s*$",
    },
    s.SIEVE: {"type": _ANY, "minLength": 1, "maxLength": s.MAX_SIEVE},
}
"""What each kind of single value takes; those with few words are made from the words."""

_MARKUP = re.compile(r"[OV]\(([^)]*)\)")


def schemas() -> dict[str, Schema]:
    """File name → schema, for each kind of file of an estate."""
    return {
        name: _file(kind, table)
        for (kind, table), name in zip(FILES.items(), NAMES.values(), strict=True)
    }


NAMES = {
    "estate.yml": "estate.json",
    "plans.yml": "plans.json",
    "account.yml": "account.json",
    "<domain>.yml": "domain.json",
    "state/<node>.json": "state.json",
    "state/promoted_domains.json": "promoted_domains.json",
}
"""Kind of file → name of its schema."""


def _file(kind: str, table: Table) -> Schema:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": {"<domain>.yml": "a domain's file", "state/<node>.json": "a node's state"}.get(
            kind, kind
        ),
        "$comment": "Made from the collection's schema by `make reference`; do not edit.",
        **_table(table),
    }


def _table(table: Table) -> Schema:
    if table.free is not None:
        return {"type": "object", "additionalProperties": scalar(table.free)}
    schema: Schema = {
        "type": "object",
        "properties": {name: _key(key) for name, key in table.keys.items()},
        "additionalProperties": False,
    }
    return {**schema, "required": list(table.required)} if table.required else schema


def _key(key: Key) -> Schema:
    schema = {"description": description(key), **_type(key.type)}
    default = key.default
    if isinstance(default, (bool, int, str)) and default != "":
        schema["default"] = (
            size(default)
            if key.type in (s.SIZE, s.POOL, s.QUOTA) and isinstance(default, int)
            else default
        )
    return schema


def _type(kind: Type) -> Schema:
    if isinstance(kind, Table):
        return _table(kind)
    if isinstance(kind, Many):
        return {"type": "array", "items": _type(kind.of)}
    return scalar(kind)


def scalar(kind: s.Scalar) -> Schema:
    """What a single value may be."""
    if not kind.words:
        return {
            **SHAPES[kind],
            "patternErrorMessage": f"allowed: {kind.allowed}",
        }  # no keyword of the draft: what editors say instead of the pattern
    words = [*kind.words, *kind.also]
    if all(word.isdigit() for word in words):  # a number, but a quoted one is taken too
        return {
            "anyOf": [
                {"enum": [int(word) for word in words]},
                {"type": "string", "pattern": f"^(?:{'|'.join(words)})$"},
            ]
        }
    return {"enum": words}


def description(key: Key) -> str:
    """What an editor shows: the key's meaning, what it takes, its default and effect."""
    parts = [plain(key.doc), f"Takes: {takes(key.type)}."]
    said = default_said(key)
    if said:
        parts.append(f"Default: {said}.")
    if key.rule:
        parts.append(f"May stand at several levels: {key.rule}.")
    return "\n\n".join(parts)


def plain(doc: str) -> str:
    """A key's documentation without markup."""
    return _MARKUP.sub(lambda found: found[1].replace("=", ": "), doc)


def takes(kind: Type) -> str:
    """What may stand there, in words."""
    if isinstance(kind, Table):
        return (
            f"any keys; each value {kind.free.allowed}"
            if kind.free
            else f"the keys {', '.join(kind.keys)}"
        )
    if isinstance(kind, Many):
        return (
            f"a list; each item with {takes(kind.of)}"
            if isinstance(kind.of, Table)
            else f"a list; each item {takes(kind.of)}"
        )
    return f"one of {kind.allowed}" if len(kind.words) > 2 else kind.allowed


def default_said(key: Key) -> str:
    """A default as one would write it; nothing where the documentation tells it, or there is none."""
    default = key.default
    if key.required or default is None or default is UNSAID or default in ("", (), {}):
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return f"[{', '.join(map(str, default))}]"
    return (
        size(default)
        if isinstance(default, int) and key.type in (s.SIZE, s.POOL, s.QUOTA)
        else str(default)
    )
