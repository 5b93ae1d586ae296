# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of the files → JSON Schema (draft 2020-12), for editors with a YAML language server.

PRIVATE to the collection. Pure. The rule: an editor never marks what validate accepts. If JSON
Schema cannot express what a kind of value accepts, the schema here accepts more. Editors read a
plain YAML value as a number or truth value if it looks like one. The loader reads all values as
text. So most kinds accept several types here.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._host import hashes

from .._model.sizes import size
from . import scalars as s
from .schema import FILES, NOT_YET, UNSET, Key, Many, Table, Type

Schema = dict[str, t.Any]

_ANY = ["string", "number", "boolean"]
_NUMBER = {"type": ["integer", "string"], "pattern": "^[0-9]{1,19}$"}
_AMOUNT = {"type": ["number", "string"], "minimum": 0, "pattern": r"^[0-9]{1,9}(\.[0-9]{1,4})?$"}
_SIZE_TEXT = "[1-9][0-9]{0,18}[BKMGT]"
# A label with letters beyond ASCII becomes an A-label, whose length a pattern cannot compute.
_OTHER = "[^\\x00-\\x7f]"
_ASCII_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_LABEL = f"(?:{_ASCII_LABEL}|(?=[^.@]*{_OTHER})(?:[A-Za-z0-9-]|{_OTHER})+)"
_NAME = rf"{_LABEL}(?:\.{_LABEL})+\.?"
_OWNER_NAME = _NAME.replace("A-Za-z0-9", "A-Za-z0-9_")
_LOCAL_PART = r"(?=[^@]{1,64}(?:@|$))[A-Za-z0-9_][A-Za-z0-9_+=-]*(?:\.[A-Za-z0-9_+=-]+)*"
_SENDER = rf"(?:{_LOCAL_PART}@|\.)?{_NAME}"
_SLUG = "[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?"
_IP = {
    "type": "string",
    "anyOf": [
        {"pattern": r"^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}$"},
        {"pattern": "^(?=.*:.*:)[0-9A-Fa-f:.]{2,45}$"},
    ],
}

SHAPES: dict[s.Scalar, Schema] = {
    s.TEXT: {"type": _ANY, "minLength": 1, "maxLength": 200, "pattern": r"^[^\x00-\x1f\x7f]+$"},
    s.SLUG: {"type": _ANY, "pattern": f"^{_SLUG}$"},
    s.DOMAIN: {"type": ["string", "number"], "pattern": f"^{_NAME}$"},
    s.OWNER_NAME: {"type": ["string", "number"], "pattern": f"^{_OWNER_NAME}$"},
    s.MAIL_DOMAIN: {"type": ["string", "number"], "pattern": f"^{_NAME}$"},
    s.LOCAL: {
        "type": _ANY,
        "pattern": r"^(?=.{1,64}$)[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*$",
    },
    s.ADDRESS: {"type": "string", "pattern": f"^{_LOCAL_PART}@{_NAME}$"},
    s.SUBJECT: {"type": _ANY, "pattern": f"^(?:(?:{_LOCAL_PART}@)?{_NAME}|{_SLUG})$"},
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
    s.SCORE: {
        "type": ["number", "string"],
        "exclusiveMinimum": 0,
        "maximum": 999.9,
        "pattern": r"^(?:never|(?=.*[1-9])(?:0|[1-9][0-9]{0,2})(?:\.[0-9])?)$",
    },
    s.SENDER: {"type": ["string", "number"], "pattern": f"^{_SENDER}$"},
    s.SENDER_OR_NETWORK: {
        "type": ["string", "number"],
        "pattern": f"^(?:{_SENDER}|[0-9A-Fa-f:.]{{2,45}}/[0-9.]{{1,15}})$",
    },
    s.MONEY: {**_AMOUNT, "exclusiveMaximum": 10**9},
    s.RATIO: {**_AMOUNT, "maximum": 100},
    s.PASSWORD: {
        "type": "string",
        "pattern": rf"^(?:\$ANSIBLE_VAULT;|\{{(?:{'|'.join(hashes.NAMES)})\}}[!-9;-~]{{20,500}}$)",
        "$comment": (
            "Vaulted values have the tag !vault; tell the editor about it (yaml.customTags)."
        ),
    },
    s.PUBLIC_KEY: {
        "type": "string",
        "minLength": 40,
        "maxLength": 4000,
        "pattern": "^[A-Za-z0-9+/]+={0,2}$",
    },
    s.DIGEST: {"type": _ANY, "pattern": "^[0-9a-f]{64}$"},
    s.URL: {
        "type": "string",
        "maxLength": 300,
        "pattern": "^https://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[^\\s\"'<>\\\\^`{|}]*)?$",
    },
    s.DATE: {
        "type": "string",
        "pattern": "^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])$",
    },
    s.CERTIFICATE: {
        "type": "string",
        "maxLength": 16384,
        "pattern": (
            r"^\s*-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\s*$"
        ),
    },
    s.SIEVE: {"type": _ANY, "minLength": 1, "maxLength": s.MAX_SIEVE},
}
"""What each kind of single value accepts, for kinds without words, bounds or a pattern."""

_MARKUP = re.compile(r"[OV]\(([^)]*)\)")


def schemas() -> dict[str, Schema]:
    """Return the schema of each kind of file of an estate, by the schema's file name."""
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
"""Kind of file → file name of its schema."""


def _file(kind: str, table: Table) -> Schema:
    """Return the schema of a kind of file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": (
            {"<domain>.yml": "a domain's file", "state/<node>.json": "a node's report"}.get(
                kind, kind
            )
        ),
        "$comment": "Made from the collection's schema by `make reference`; do not edit.",
        **_table(table),
    }


def _table(table: Table) -> Schema:
    """Return the schema of a table."""
    if table.free is not None:
        return {"type": "object", "additionalProperties": scalar(table.free)}
    schema: Schema = {
        "type": "object",
        "properties": {name: _key(key) for name, key in table.keys.items()},
        "additionalProperties": False,
    }
    return {**schema, "required": list(table.required)} if table.required else schema


def _key(key: Key) -> Schema:
    """Return the schema of a key, with its description and default."""
    schema = {"description": description(key), **_type(key.type)}
    default = key.default
    if isinstance(default, (bool, int, str)) and default != "":
        schema["default"] = size(int(default)) if is_size(key) else default
    return schema


def _type(kind: Type) -> Schema:
    """Return the schema of a type."""
    if isinstance(kind, Table):
        return _table(kind)
    if isinstance(kind, Many):
        return {"type": "array", "items": _type(kind.of)}
    return scalar(kind)


def scalar(kind: s.Scalar) -> Schema:
    """Return the schema of a single value."""
    if not kind.words:
        # No keyword of the draft: editors show this text instead of the pattern.
        return {**_shape(kind), "patternErrorMessage": f"allowed: {kind.allowed}"}
    words = [*kind.words, *kind.also]
    if all(word.isdigit() for word in words):  # a number, also in quotes
        return {
            "anyOf": [
                {"enum": [int(word) for word in words]},
                {"type": "string", "pattern": f"^(?:{'|'.join(words)})$"},
            ]
        }
    return {"enum": words}


def _shape(kind: s.Scalar) -> Schema:
    """Return which types and texts a kind without words accepts."""
    if kind.least is not None:
        return {**_NUMBER, "minimum": kind.least, "maximum": kind.most}
    if kind.pattern:
        # An editor reads a text of digits as a number, and "true" as a truth value.
        is_read_as_other = any(re.fullmatch(kind.pattern, text) for text in ("1", "true"))
        return {"type": _ANY if is_read_as_other else "string", "pattern": f"^{kind.pattern}$"}
    return SHAPES[kind]


def description(key: Key) -> str:
    """Return what an editor shows: the key's meaning, allowed values, default and effect."""
    parts = [plain(key.doc), f"Allowed: {allowed(key.type)}."]
    default = default_text(key)
    if default:
        parts.append(f"Default: {default}.")
    if key.rule:
        parts.append(f"Several levels can set it: {key.rule}.")
    if key.acts == NOT_YET:
        parts.append("Hosts do not act on it yet.")
    return "\n\n".join(parts)


def plain(doc: str) -> str:
    """Return a key's documentation without markup."""
    return _MARKUP.sub(lambda found: found[1].replace("=", ": "), doc)


def allowed(kind: Type) -> str:
    """Return in words which values a type accepts."""
    if isinstance(kind, Table):
        return (
            f"any keys; each value {kind.free.allowed}"
            if kind.free
            else f"the keys {', '.join(kind.keys)}"
        )
    if isinstance(kind, Many):
        return (
            f"a list; each item with {allowed(kind.of)}"
            if isinstance(kind.of, Table)
            else f"a list; each item {allowed(kind.of)}"
        )
    return f"one of {kind.allowed}" if len(kind.words) > 2 else kind.allowed


def default_text(key: Key) -> str:
    """Return a key's default as people write it in a file.

    Empty if there is no default, or if the key's documentation describes it.
    """
    default = key.default
    if key.required or default is None or default is UNSET or default in ("", (), {}):
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return f"[{', '.join(map(str, default))}]"
    return size(default) if is_size(key) else str(default)


def is_size(key: Key) -> bool:
    """Return whether the key's default is a size in bytes, which files write with a unit."""
    return isinstance(key.default, int) and key.type in (s.SIZE, s.POOL, s.QUOTA)
