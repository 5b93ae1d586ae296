#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A policy service for Postfix: refuses hosts that greet with a name of the estate and are not it.

Postfix asks only about names and addresses of its own nodes and of domains that it serves. A
tenant's web server may greet with the tenant's domain, because DNS gives the domain its address.
"""

from __future__ import annotations

import socket
import sys
import typing as t

Addresses = t.Callable[[str], frozenset[str]]
"""``addresses(name)`` returns what DNS has for a name now, or raises TemporaryFailure."""


class TemporaryFailure(Exception):
    """DNS did not answer."""


def judge(greeting: str, client: str, addresses: Addresses) -> str:
    """Return Postfix's action for a client that greets with a name of the estate."""
    name = greeting.lower().rstrip(".")
    if name.startswith("["):
        return "550 5.7.1 That is not your address; greet with your own host name"
    try:
        if client in addresses(name):
            return "DUNNO"
    except TemporaryFailure:
        return "450 4.7.1 Cannot find out now whether that is your host name, try again later"
    return "550 5.7.1 That is not your host name; greet with your own"


def addresses_of(name: str) -> frozenset[str]:
    """Return the addresses that DNS has for a name."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except UnicodeError:
        return frozenset()
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise TemporaryFailure from error
        return frozenset()
    return frozenset(str(address[4][0]) for address in found)


def serve(lines: t.Iterable[str], addresses: Addresses) -> t.Iterator[str]:
    """Yield an answer to each question of Postfix's policy protocol."""
    question: dict[str, str] = {}
    for line in lines:
        name, equals, value = line.rstrip("\n").partition("=")
        if equals:
            question[name] = value
            continue
        greeting, client = question.get("helo_name", ""), question.get("client_address", "")
        yield f"action={judge(greeting, client, addresses)}\n\n"
        question = {}


def main() -> None:
    """Answer the questions on standard input."""
    for answer in serve(sys.stdin, addresses_of):
        sys.stdout.write(answer)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
