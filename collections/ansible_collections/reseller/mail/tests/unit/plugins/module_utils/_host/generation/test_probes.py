# SPDX-License-Identifier: GPL-3.0-or-later
"""What the check's daemons are asked must be right whatever names tenants choose: a wrong
question stops a whole node."""

from __future__ import annotations

import re

from ansible_collections.reseller.mail.plugins.module_utils._host.generation import lines, probes
from ansible_collections.reseller.mail.plugins.plugin_utils import _compile, _load
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import dovecot, postfix
from hypothesis import example, given, settings
from hypothesis import strategies as st

LOCALS = st.one_of(
    st.sampled_from(
        [
            "no-such-address-0",
            "no-such-address",
            "double-bounce",
            "postmaster",
            "abuse",
            "mailer-daemon",
            "root",
            "x" * 64,
        ]
    ),
    st.from_regex(r"[a-z0-9][a-z0-9_-]{0,12}(\.[a-z0-9_-]{1,4}){0,2}", fullmatch=True),
)
DOMAINS = st.sampled_from(
    [
        "acme.example",
        "stranger.invalid",
        "verdict.invalid",
        "acme.co",
        "acme.co.uk",
        "acme.xn--p1ai",
        "x--y.example",
        "0.example",
        ".".join(["a" * 61, "b" * 61, "c" * 61, "dd"]),
        "localhost.localdomain",
    ]
)
DOMAIN = st.tuples(DOMAINS, st.booleans(), st.lists(LOCALS, min_size=1, max_size=6, unique=True))


def estate_files(domains: dict[str, tuple[bool, list[str]]], node: str) -> dict[str, bytes]:
    """A tenant with these domains on the node: each with or without a catch-all, and with its
    mailboxes."""
    names = sorted(domains)
    owner = f"{domains[names[0]][1][0]}@{names[0]}"
    files = {
        "estate.yml": (
            "provider: {name: Hosting, domain: hosting.example}\nnodes:\n"
            "  - {name: mx1, hostname: mx1.hosting.example, debian: 12, addresses: [192.0.2.1]}\n"
            "  - {name: mx2, hostname: mx2.hosting.example, debian: 13, addresses: [192.0.2.2]}\n"
        ),
        "plans.yml": (
            "plans:\n  - name: plan\n    features: [catch_all]\n    limits: {mailboxes: 100,"
            " storage: 500G, aliases: 50, domains: 50}\n    mailbox_quota: {default: 1G, max: 9G}\n"
        ),
        "tenants/acme/account.yml": (
            f"organisation: Acme\nplan: plan\nstate: active\nplacement: {node}\ndefault_owner:"
            f" {owner}\nadmins: [{{address: {owner}}}]\ndomains: {names}\nintake:"
            f" {{expected_mailboxes: 5, dns_contact: {owner}, clients: local, smime: false}}\n"
        ),
    }
    for name, (catch_all, locals_) in domains.items():
        catching = f"catch_all: {locals_[0]}@{name}\n" if catch_all else ""
        mailboxes = "".join(f"  - name: '{local}'\n" for local in locals_)
        files[f"tenants/acme/{name}.yml"] = f"{catching}mailboxes:\n{mailboxes}"
    return {path: text.encode() for path, text in files.items()}


def accepts(files: dict[str, str], address: str) -> bool:
    """What a right Postfix does at RCPT, by virtual(5) and postconf(5): the address, without its
    extension, its domain."""
    keys = {
        line.partition("\t")[0]
        for name in ("virtual_mailbox_maps", "virtual_alias_maps", "relay_recipient_maps")
        for line in files[f"postfix/{name}"].splitlines()
    }
    return bool(keys & {address, re.sub(r"\+.*@", "@", address), re.sub(r".*@", "@", address)})


@settings(max_examples=60)
@given(
    st.lists(DOMAIN, min_size=1, max_size=4, unique_by=lambda domain: domain[0]),
    st.sampled_from(["mx1", "mx2"]),
)
@example(
    [("acme.example", False, ["no-such-address-0"]), ("stranger.invalid", True, ["jo"])], "mx1"
)
@example([("acme.co", False, ["jo"]), ("acme.co.uk", False, ["jo"])], "mx2")
def test_no_name_of_a_tenant_makes_a_right_daemon_look_wrong(
    domains: list[tuple[str, bool, list[str]]], node: str
) -> None:
    estate, faults = _load.build(
        estate_files({name: (catch, locals_) for name, catch, locals_ in domains}, node)
    )
    assert faults == []
    for host in estate.nodes:
        files = {**postfix.lookups(estate, host), **dovecot.lookups(estate, host)}
        for path, text in files.items():
            assert list(lines.faults(path, text.encode(), host.debian)) == []
        for address, wanted in probes.postfix_questions(files).items():
            assert accepts(files, address) == (wanted == probes.ACCEPT), address
        users = {
            line
            for path, text in files.items()
            if path.startswith("dovecot/users/")
            for line in text.splitlines()
        }
        for address, quota in probes.dovecot_questions(files).items():
            found = [line for line in users if line.startswith(f"{address}:")]
            fields = " ".join(f"userdb_{field}" for field in quota or [])
            assert found == ([] if quota is None else [f"{address}:::::::{fields}"]), address


def test_something_is_asked_that_must_be_refused_in_every_domain() -> None:
    estate, _faults = _load.build(
        estate_files({"acme.example": (False, ["no-such-address-0", "jo"])}, "mx1")
    )
    files = _compile.artefact(estate, estate.nodes[0]).files
    asked = probes.postfix_questions(files)
    assert [address for address, wanted in asked.items() if wanted == probes.REFUSE] == [
        "_no-such-address@acme.example",
        "_no-such-address@no--domain.invalid",
    ]
    assert [
        address for address, quota in probes.dovecot_questions(files).items() if quota is None
    ] == ["_no-such-address@acme.example"]
