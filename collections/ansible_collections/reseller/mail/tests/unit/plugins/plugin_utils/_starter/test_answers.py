# SPDX-License-Identifier: GPL-3.0-or-later
"""Which answers are accepted, and what is reported of others."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._starter import answers

EXAMPLE: dict[str, t.Any] = {
    question.option: question.example for question in answers.QUESTIONS if question.is_required
}


def read(**given: t.Any) -> answers.Answers:
    found, wrong = answers.read({**EXAMPLE, **given})
    assert found is not None, wrong
    return found


def wrong(**given: t.Any) -> list[str]:
    found, problems = answers.read({**EXAMPLE, **given})
    assert found is None
    return problems


def test_every_example_is_an_answer() -> None:
    found = read()
    assert [(node.name, node.hostname, node.addresses, node.debian) for node in found.nodes] == [
        ("mx1", "mx1.hosting.example", ("192.0.2.10",), 12),
        ("mx2", "mx2.hosting.example", ("192.0.2.11",), 13),
    ]
    for question in answers.QUESTIONS:
        if question.kind and not question.is_required:
            assert getattr(read(**{question.option: question.example}), question.option)


def test_nodes_as_text_and_as_list_are_the_same() -> None:
    text = "mx1 192.0.2.10 2001:db8::10 12,\n mx2 192.0.2.11 13"
    entries = [
        {"name": "mx1", "addresses": ["192.0.2.10", "2001:db8::10"], "debian": 12},
        {"name": "mx2", "address": "192.0.2.11", "debian": "13"},
    ]
    assert read(nodes=text).nodes == read(nodes=entries).nodes
    assert read(nodes=text).nodes[0].addresses == ("192.0.2.10", "2001:db8::10")


def test_a_node_may_have_a_host_name_and_a_user_of_its_own() -> None:
    node = {"name": "a", "hostname": "MAIL.other.example", "address": "192.0.2.1", "debian": 12}
    found = read(nodes=[node, {**node, "name": "b", "ssh_user": "root"}], ssh_user="admin")
    assert [(one.hostname, one.ssh_user) for one in found.nodes] == [
        ("mail.other.example", "admin"),
        ("mail.other.example", "root"),
    ]


def test_all_missing_answers_are_named_with_an_example() -> None:
    found, problems = answers.read({"tenant": None, "domain": " ", "nodes": []})
    assert found is None
    required = [question for question in answers.QUESTIONS if question.is_required]
    assert [problem.partition(" is missing: ")[0] for problem in problems] == [
        question.variable for question in required
    ]
    for question, problem in zip(required, problems, strict=True):
        assert problem.endswith(f" Example: {question.variable}: {question.example}")


def test_all_wrong_answers_are_named_with_what_is_allowed() -> None:
    problems = wrong(
        provider_domain="hosting", contact="me", tenant="Acme Inc", forge="gitea", domain=None
    )
    assert [problem.split(":")[0] for problem in problems] == [
        "init_provider_domain",
        "init_contact",
        "init_tenant",
        "init_domain is missing",
        "init_forge",
    ]
    assert problems[2] == (
        "init_tenant: 'Acme Inc' is not a name; allowed:"
        " 1 to 32 of a-z, 0-9 and hyphens, neither first nor last a hyphen"
    )


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ("mx1 192.0.2.10", ["init_nodes, node 1: debian is missing. Example: 12"]),
        ("mx1 12", ["init_nodes, node 1: addresses is missing. Example: 192.0.2.10"]),
        (
            "mx1 192.0.2.10 12, mx2 192.0.2.300 11",
            [
                "init_nodes, node 2: '192.0.2.300' is not an IP address; allowed: an IPv4 or IPv6"
                " address",
                "init_nodes, node 2: '11' is not an allowed word; allowed: 12 or 13",
            ],
        ),
        (
            [{"nam": "mx1", "addresses": ["192.0.2.10"], "debian": 12}],
            [
                "init_nodes, node 1: 'nam' is no key of a node; did you mean name?; allowed: name,"
                " addresses, debian, hostname, ssh_user",
                "init_nodes, node 1: name is missing. Example: mx1",
            ],
        ),
        (
            ["mx1"],
            [
                "init_nodes: \"['mx1']\" is no list of nodes; allowed: nodes with commas between"
                " them, each with name, addresses and Debian release, or a list with the keys name,"
                " addresses and debian for each node. Example: mx1 192.0.2.10 12, mx2 192.0.2.11 13"
            ],
        ),
    ],
)
def test_what_is_wrong_with_nodes_is_named(nodes: t.Any, expected: list[str]) -> None:
    assert wrong(nodes=nodes) == expected


def test_a_node_is_not_blamed_for_the_domain_of_the_provider() -> None:
    assert [problem.split(":")[0] for problem in wrong(provider_domain="hosting")] == [
        "init_provider_domain"
    ]


def test_the_mailbox_may_be_given_as_an_address_of_the_domain() -> None:
    assert read(mailbox="Jo@acme.example").mailbox == "jo"
    assert wrong(mailbox="jo@other.example") == [
        "init_mailbox: 'jo@other.example' cannot be the part before an @; allowed: "
        + t.cast("t.Any", answers.BY_OPTION["mailbox"].kind).allowed
    ]


def test_names_beyond_ascii_become_a_labels() -> None:
    assert read(domain="bücher.example").domain == "xn--bcher-kva.example"


def test_one_answer_is_read_by_itself() -> None:
    """As a person gives one after the other."""
    assert [question.option for question in answers.missing({**EXAMPLE, "domain": ""})] == [
        "domain"
    ]
    for question in answers.QUESTIONS:
        assert answers.faults_of(question, question.example, {}) == []
        assert bool(answers.faults_of(question, "", {})) == question.is_required
    assert answers.faults_of(answers.BY_OPTION["nodes"], "mx1 192.0.2.10", {}) == [
        "init_nodes, node 1: debian is missing. Example: 12"
    ]
    assert answers.faults_of(answers.BY_OPTION["mailbox"], "jo@acme.example", EXAMPLE) == []
