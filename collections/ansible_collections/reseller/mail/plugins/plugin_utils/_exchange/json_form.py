# SPDX-License-Identifier: GPL-3.0-or-later
"""Write documents as JSON for programs, and read them again.

PRIVATE to the collection. Pure. ``docs/exchange.md`` describes the form. If you change it so that
an old program would misread it, raise ``VERSION``, and still read the old version.
"""

from __future__ import annotations

import json
import typing as t

from .._model.words import shown
from .document import Document, Draft, Path

FORMAT = "reseller.mail/estate"
VERSION = 1
_HEADS = {"estate": "estate.yml", "plans": "plans.yml"}


def write(documents: t.Mapping[str, Document], omitted: t.Sequence[str], secrets: bool) -> str:
    """Return the whole estate as one JSON text, sorted by tenant and domain."""
    whole: dict[str, t.Any] = {
        "format": FORMAT,
        "version": VERSION,
        "secrets": secrets,
        "omitted": list(omitted),
    }
    whole.update({name: documents[path] for name, path in _HEADS.items() if path in documents})
    tenants: dict[str, dict[str, t.Any]] = {}
    for path in sorted(documents):
        top, *below = path.split("/")
        if top == "tenants":
            tenant = tenants.setdefault(below[0], {"name": below[0], "account": {}, "domains": []})
            if below[1] == "account.yml":
                tenant["account"] = documents[path]
            else:
                tenant["domains"].append({"name": below[1].removesuffix(".yml"), **documents[path]})
    whole["tenants"] = list(tenants.values())
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def read(name: str, content: bytes) -> Draft:
    """Return the documents of a JSON text. Rows are named by JSON pointers (RFC 6901)."""
    draft = Draft()
    try:
        whole = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        draft.errors.append(f"{name}: this is not JSON: {error}")
        return draft
    head = (whole.get("format"), whole.get("version")) if isinstance(whole, dict) else None
    if head != (FORMAT, VERSION):
        draft.errors.append(
            f'{name}: this is no export of an estate; allowed: "format": "{FORMAT}", "version":'
            f" {VERSION}"
        )
        return draft
    for key, path in _HEADS.items():
        if key in whole:
            _take(draft, path, whole[key], f"{name}#/{key}")
    for number, tenant in enumerate(_list(draft, whole.get("tenants", []), f"{name}#/tenants")):
        _read_tenant(draft, tenant, f"{name}#/tenants/{number}")
    return draft


def _read_tenant(draft: Draft, tenant: t.Any, pointer: str) -> None:
    """Read the account and the domains of one tenant."""
    folder = tenant.get("name") if isinstance(tenant, dict) else None
    if not isinstance(folder, str) or not folder.strip("./") or "/" in folder:
        draft.errors.append(f"{pointer}: a tenant must have a name, an account and domains")
        return
    unknown = sorted(tenant.keys() - {"name", "account", "domains"})
    if unknown:
        draft.errors.append(
            f"{pointer}: {shown(unknown[0])} is no key of a tenant; allowed: name, account, domains"
        )
    if tenant.get("account"):
        _take(draft, f"tenants/{folder}/account.yml", tenant["account"], f"{pointer}/account")
    domains = _list(draft, tenant.get("domains", []), f"{pointer}/domains")
    for index, domain in enumerate(domains):
        _read_domain(draft, folder, domain, f"{pointer}/domains/{index}")


def _read_domain(draft: Draft, folder: str, domain: t.Any, pointer: str) -> None:
    """Read one domain of a tenant."""
    name = domain.get("name") if isinstance(domain, dict) else None
    if not isinstance(name, str) or not name.strip(".") or "/" in name or name == "account":
        draft.errors.append(f"{pointer}: a domain must have a name")
        return
    document = {key: value for key, value in domain.items() if key != "name"}
    _take(draft, f"tenants/{folder}/{name}.yml", document, pointer)


def _list(draft: Draft, value: t.Any, pointer: str) -> list[t.Any]:
    """Return the value if it is a list; else note an error and return an empty list."""
    if isinstance(value, list):
        return value
    draft.errors.append(f"{pointer}: this is no list")
    return []


def _take(draft: Draft, path: str, document: t.Any, pointer: str) -> None:
    """Add the document of one file, with the pointers of all its parts."""
    if not isinstance(document, dict):
        draft.errors.append(f"{pointer}: this is no table of keys")
    elif path in draft.documents:
        draft.errors.append(f"{pointer}: {path} is here a second time")
    else:
        draft.documents[path] = document
        draft.whole.add(path)
        _pointers(draft, path, document, pointer)


def _pointers(draft: Draft, path: str, document: Document, pointer: str) -> None:
    """Note the pointer of every table and item of the document, without recursion."""
    waiting: list[tuple[t.Any, Path, str]] = [(document, (), pointer)]
    while waiting:
        value, place, at = waiting.pop()
        draft.at(path, place, at)
        steps: t.Iterable[tuple[t.Any, t.Any]] = (
            value.items()
            if isinstance(value, dict)
            else enumerate(value)
            if isinstance(value, list)
            else ()
        )
        waiting += [
            (inner, (*place, step), f"{at}/{str(step).replace('~', '~0').replace('/', '~1')}")
            for step, inner in steps
        ]
