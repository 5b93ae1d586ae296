# SPDX-License-Identifier: GPL-3.0-or-later
"""The answers that a new estate is made of: what is asked, and which answers are accepted.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .._language.scalars import (
    ADDRESS,
    DEBIAN,
    DOMAIN,
    IP,
    LOCAL,
    MAIL_DOMAIN,
    SLUG,
    TEXT,
    Scalar,
    choice,
    matching,
)
from .._model.words import meant, shown

PREFIX = "init_"
"""What the playbook's variables begin with. Messages name them so."""
ROOT = "root"
FORGES = ("both", "github", "gitlab", "none")

_PATH = Scalar("a path", str)
_LOGIN = matching("[a-z_][a-z0-9_-]{0,31}", "a login", "a login such as admin")
_NODES_ALLOWED = (
    "nodes with commas between them, each with name, addresses and Debian release, or a list with"
    " the keys name, addresses and debian for each node"
)


@dataclass(frozen=True, slots=True)
class Question:
    """One answer that is asked for.

    Attributes:
        option: The option of the module, and without ``init_`` the playbook's variable.
        text: What is asked, as part of a sentence.
        example: An answer that is accepted.
        kind: What is accepted; None for nodes.
        default: What holds without an answer; None if an answer is required.
    """

    option: str
    text: str
    example: str
    kind: t.Optional[Scalar]
    default: t.Optional[str] = None

    @property
    def variable(self) -> str:
        """Return the variable of the playbook."""
        return PREFIX + self.option

    @property
    def is_required(self) -> bool:
        """Return whether there is no file without this answer."""
        return self.default is None


QUESTIONS: t.Final = (
    Question("dir", "the folder to write to", "mail", _PATH),
    Question("provider_name", "the name of the provider, for clients", "Example Hosting", TEXT),
    Question("provider_domain", "the domain of the provider", "hosting.example", DOMAIN),
    Question(
        "contact",
        "an address that the provider reads: the CA and the nodes write to it",
        "hostmaster@hosting.example",
        ADDRESS,
    ),
    Question("ssh_user", "the user that Ansible logs in as on the nodes", ROOT, _LOGIN, ROOT),
    Question(
        "nodes",
        "the mail hosts, each with its name, its public addresses and its Debian release",
        "mx1 192.0.2.10 12, mx2 192.0.2.11 13",
        None,
    ),
    Question("tenant", "the name of the first tenant, in a word", "acme", SLUG),
    Question("organisation", "the name of the first tenant, for people", "Acme Corporation", TEXT),
    Question("domain", "the first mail domain of the tenant", "acme.example", MAIL_DOMAIN),
    Question("mailbox", "the first mailbox of the domain", "jo", LOCAL),
    Question("super_admin", "your login at the forge, which may edit every file", "alex", TEXT, ""),
    Question("forge", "where the files will be", "github", choice(*FORGES), "both"),
)
BY_OPTION: t.Final = {question.option: question for question in QUESTIONS}


@dataclass(frozen=True, slots=True)
class Node:
    """One mail host."""

    name: str
    hostname: str
    addresses: tuple[str, ...]
    debian: int
    ssh_user: str


@dataclass(frozen=True, slots=True)
class Answers:
    """All answers, each in its normal form."""

    dir: str
    provider_name: str
    provider_domain: str
    contact: str
    nodes: tuple[Node, ...]
    tenant: str
    organisation: str
    domain: str
    mailbox: str
    ssh_user: str
    super_admin: str
    forge: str


def read(given: t.Mapping[str, t.Any]) -> tuple[t.Optional[Answers], list[str]]:
    """Return the answers, or None and every answer that is missing or wrong, one in each text."""
    reading = _Reading(given)
    found: dict[str, t.Any] = {}
    for question in QUESTIONS:
        found[question.option] = (
            reading.single(question)
            if question.kind
            else reading.nodes(found["provider_domain"], found["ssh_user"])
        )
    return (None, reading.wrong) if reading.wrong else (Answers(**found), [])


def missing(given: t.Mapping[str, t.Any]) -> list[Question]:
    """Return the questions that have no answer and need one."""
    return [
        question
        for question in QUESTIONS
        if question.is_required and _is_empty(given.get(question.option))
    ]


def faults_of(question: Question, answer: str, given: t.Mapping[str, t.Any]) -> list[str]:
    """Return what is wrong with the answer to one question; nothing if it is accepted."""
    reading = _Reading({**given, question.option: answer})
    if question.kind is None:
        reading.nodes(None, None)
    else:
        reading.single(question)
    return reading.wrong


def _is_empty(value: t.Any) -> bool:
    return value is None or value == [] or not str(value).strip()


class _Reading:
    """Reads answers, and notes in ``wrong`` what is missing or not accepted."""

    def __init__(self, given: t.Mapping[str, t.Any]) -> None:
        self._given = given
        self.wrong: list[str] = []

    def single(self, question: Question) -> t.Any:
        """Return the answer to a question with one value; None if it is missing or wrong."""
        value = self._given.get(question.option)
        if _is_empty(value):
            return self._absent(question)
        kind = t.cast("Scalar", question.kind)
        text = str(value).strip()
        if question.option == "mailbox":
            text = self._local_part(text)
        return self._read(question.variable, kind, text)

    def _absent(self, question: Question) -> t.Optional[str]:
        if question.is_required:
            self.wrong.append(
                f"{question.variable} is missing: {question.text}. Example:"
                f" {question.variable}: {question.example}"
            )
        return question.default

    def _local_part(self, text: str) -> str:
        """Return a mailbox without the tenant's domain, if it was given with it."""
        local, at, domain = text.partition("@")
        return local if at and domain == self._given.get("domain") else text

    def _read(self, where: str, kind: Scalar, text: str) -> t.Any:
        try:
            return kind.read(text)
        except ValueError as error:
            self.wrong.append(f"{where}: {error}; allowed: {kind.allowed}")
            return None

    def nodes(self, domain: t.Optional[str], ssh_user: t.Optional[str]) -> tuple[Node, ...]:
        """Return the nodes that could be read."""
        question = BY_OPTION["nodes"]
        value = self._given.get("nodes")
        if _is_empty(value):
            self._absent(question)
            return ()
        if isinstance(value, str):
            value = [_in_words(part) for part in value.split(",") if part.strip()]
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self.wrong.append(
                f"{question.variable}: {shown(str(value))} is no list of nodes; allowed:"
                f" {_NODES_ALLOWED}. Example: {question.example}"
            )
            return ()
        return tuple(
            self._node(number, one, domain or "", ssh_user or ROOT)
            for number, one in enumerate(value, 1)
        )

    def _node(self, number: int, given: t.Mapping[str, t.Any], domain: str, ssh_user: str) -> Node:
        """Return one node; what is wrong has its number."""
        where = f"{PREFIX}nodes, node {number}"
        keys = ("name", "addresses", "debian", "hostname", "ssh_user")
        for key in given:
            if key not in (*keys, "address"):
                self.wrong.append(
                    f"{where}: {shown(str(key))} is no key of a node{meant(str(key), keys)};"
                    f" allowed: {', '.join(keys)}"
                )
        name = self._key(where, given, "name", SLUG, "mx1") or ""
        addresses = given.get("addresses") or given.get("address")
        if _is_empty(addresses):
            self.wrong.append(f"{where}: addresses is missing. Example: 192.0.2.10")
        return Node(
            name,
            self._key(where, given, "hostname", DOMAIN, "mx1.hosting.example", f"{name}.{domain}")
            or "",
            tuple(self._read(where, IP, one) or "" for one in _listed(addresses)),
            self._key(where, given, "debian", DEBIAN, "12") or 0,
            self._key(where, given, "ssh_user", _LOGIN, "admin", ssh_user) or "",
        )

    def _key(
        self,
        where: str,
        given: t.Mapping[str, t.Any],
        key: str,
        kind: Scalar,
        example: str,
        default: t.Optional[str] = None,
    ) -> t.Any:
        """Return one value of a node; None if it is missing or wrong."""
        value = given.get(key)
        if not _is_empty(value):
            return self._read(where, kind, str(value).strip())
        if default is None:
            self.wrong.append(f"{where}: {key} is missing. Example: {example}")
        return default


def _listed(addresses: t.Any) -> list[str]:
    if _is_empty(addresses):
        return []
    many = addresses if isinstance(addresses, list) else str(addresses).split()
    return [str(one) for one in many]


def _in_words(text: str) -> dict[str, t.Any]:
    """Return the keys of a node that is written in words: ``mx1 192.0.2.10 2001:db8::10 12``."""
    name, *rest = text.split()
    addresses = [word for word in rest if re.search("[.:]", word)]
    others = [word for word in rest if word not in addresses]
    return {"name": name, "addresses": addresses, "debian": " ".join(others)}
