# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.reseller.mail.plugins.module_utils._certificates import Plan, complaints, hopeless, lines, plan, refusal, unreachable

FAILED = """Saving debug log to /var/log/letsencrypt/letsencrypt.log
Requesting a certificate for mail.globex.example

Certbot failed to authenticate some domains (authenticator: webroot). The Certificate Authority reported these problems:
  Domain: mail.globex.example
  Type:   unauthorized
  Detail: 192.0.2.9: Invalid response from http://mail.globex.example/.well-known/acme-challenge/x: 404

Hint: The Certificate Authority failed to download the temporary challenge files created by Certbot.

Some challenges have failed.
Ask for help or search for solutions at https://community.letsencrypt.org. See the logfile for more details.
"""
LIMITED = """Saving debug log to /var/log/letsencrypt/letsencrypt.log
An unexpected error occurred:
Error creating new order :: too many certificates already issued for: globex.example
"""


AWAY = "An unexpected error occurred:\nValueError: Requesting acme.hosting.example/dir: Connection refused.\n"


def test_only_missing_names_are_asked_for() -> None:
    assert plan(["b.example", "a.example"], ["a.example"], [], exclusive=True) == Plan(("b.example",), ())


def test_only_what_was_published_is_given_up_and_only_when_told() -> None:
    issued, published = ["old.example", "operators-own.example"], ["old.example"]
    assert plan([], issued, published, exclusive=True) == Plan((), ("old.example",))
    assert plan([], issued, published, exclusive=False) == Plan((), ())


def test_a_name_is_reachable_when_all_its_addresses_are_the_nodes() -> None:
    assert unreachable(["192.0.2.1", "2001:db8:0::1"], ["192.0.2.1", "2001:DB8::1"]) == ""


def test_a_name_with_one_foreign_address_is_not() -> None:
    assert unreachable(["192.0.2.1", "192.0.2.9"], ["192.0.2.1"]) == "its DNS points to 192.0.2.9, not to this node (192.0.2.1)"


def test_the_hosts_own_file_says_nothing_and_an_unknown_node_cannot_be_compared() -> None:
    assert unreachable(["127.0.1.1", "::1"], ["192.0.2.1"]) == ""
    assert unreachable(["192.0.2.9"], []) == ""


def test_the_reason_is_the_servers_own() -> None:
    assert refusal(FAILED) == "192.0.2.9: Invalid response from http://mail.globex.example/.well-known/acme-challenge/x: 404"
    assert refusal(LIMITED) == "Error creating new order :: too many certificates already issued for: globex.example"
    assert refusal("") == "certbot gave no reason"


def test_a_limit_or_a_server_that_is_away_stops_further_requests_and_a_single_refusal_does_not() -> None:
    assert hopeless(LIMITED)
    assert hopeless(AWAY)
    assert not hopeless(FAILED)


def test_the_diff_speaks_the_users_words() -> None:
    said = lines(Plan(("b.example", "c.example"), ("a.example",)), {"c.example": "no"}, ["b.example", "d.example"], ["e.example", "a.example"])
    assert said == "- certificate a.example\n+ certificate b.example\n~ certificate d.example\n- certificate e.example\n"


def test_names_that_wait_for_the_same_are_one_sentence() -> None:
    blocked = {f"mta-sts.d{number}.example": "it has no address in DNS" for number in range(1000)} | {"mail.acme.example": "its DNS does not answer"}
    assert complaints(blocked) == [
        "No certificate for mail.acme.example: its DNS does not answer.",
        "No certificate for mta-sts.d0.example, mta-sts.d1.example, mta-sts.d10.example, mta-sts.d100.example, mta-sts.d101.example and 995 more: "
        "it has no address in DNS.",
    ]
    assert complaints({}) == []
