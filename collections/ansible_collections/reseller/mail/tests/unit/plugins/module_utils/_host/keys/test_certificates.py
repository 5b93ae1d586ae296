# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.keys.certificates import (
    CertificateChanges,
    Refusal,
    complaints,
    in_turn,
    lines,
    not_supplied,
    plan,
    plan_for_names,
    refusal,
    result,
    to_remember,
    try_names,
    unreachable,
    with_refused,
)

FAILED = """Requesting a certificate for mail.globex.example

Certbot failed to authenticate some domains (authenticator: webroot). The Certificate Authority reported these problems:
  Domain: mail.globex.example
  Type:   unauthorized
  Detail: {text}

Hint: The Certificate Authority failed to download the temporary challenge files created by Certbot.

"""
ENDED = """Saving debug log to /var/log/letsencrypt/letsencrypt.log
Exiting abnormally:
Traceback (most recent call last):
  File "/usr/bin/certbot", line 33, in <module>
    sys.exit(load_entry_point('certbot==4.0.0', 'console_scripts', 'certbot')())
{exception}
Ask for help or search for solutions at https://community.letsencrypt.org. See the logfile for more details.
"""
CHALLENGE = ENDED.format(
    exception="certbot.errors.AuthorizationError: Some challenges have failed."
)
AWAY = ENDED.format(
    exception=(
        "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='acme.hosting.example',"
        " port=443): Max retries exceeded\n\nDuring handling of the above exception, another"
        " exception occurred:\n\nTraceback (most recent call last):\nValueError: Requesting"
        " acme.hosting.example/dir: Connection refused"
    )
)
HIDDEN = (
    "\n\nDuring handling of the above exception, another exception occurred:\n\nAttributeError:"
    " can't set attribute"
)
"""What certbot 2.1 ends with, after the ACME server's words."""
NAME = "mail.globex.example"


def acme(kind: str, text: str) -> str:
    return ENDED.format(
        exception=f"acme.messages.Error: urn:ietf:params:acme:error:{kind} :: {text}{HIDDEN}"
    )


def test_only_missing_names_are_asked_for() -> None:
    assert plan(
        ["b.example", "a.example"], ["a.example"], [], exclusive=True
    ) == CertificateChanges(("b.example",), ())


def test_only_what_was_published_is_given_up_and_only_when_told() -> None:
    issued, published = ["old.example", "operators-own.example"], ["old.example"]
    assert plan([], issued, published, exclusive=True) == CertificateChanges((), ("old.example",))
    assert plan([], issued, published, exclusive=False) == CertificateChanges((), ())


def test_a_name_is_reachable_when_all_its_addresses_are_the_nodes() -> None:
    assert unreachable(["192.0.2.1", "2001:db8:0::1"], ["192.0.2.1", "2001:DB8::1"]) == ""


def test_a_name_with_one_foreign_address_is_not() -> None:
    assert (
        unreachable(["192.0.2.1", "192.0.2.9"], ["192.0.2.1"])
        == "its DNS points to 192.0.2.9, not to this node (192.0.2.1)"
    )


def test_the_hosts_own_file_says_nothing_and_an_unknown_node_cannot_be_compared() -> None:
    assert unreachable(["127.0.1.1", "::1"], ["192.0.2.1"]) == ""
    assert unreachable(["192.0.2.9"], []) == ""


def test_the_reason_is_the_servers_own() -> None:
    assert refusal(FAILED.format(text="192.0.2.9: 404"), CHALLENGE, NAME).reason == "192.0.2.9: 404"
    assert refusal(
        "", acme("rateLimited", "There were too many requests of a given type :: wait"), NAME
    ).reason.endswith(" :: wait")
    assert (
        refusal("", AWAY, NAME).reason
        == "ValueError: Requesting acme.hosting.example/dir: Connection refused"
    )
    assert refusal("", "", NAME).reason == "certbot gave no reason"


@pytest.mark.parametrize(
    "err",
    [
        acme(
            "rateLimited",
            "There were too many requests of a given type :: too many new orders (300) from this"
            " account in the last 3h0m0s",
        ),
        acme(
            "rateLimited",
            "There were too many requests of a given type :: Service busy; retry later.",
        ),
        acme(
            "accountDoesNotExist",
            "The request specified an account that does not exist :: Account mail.globex.example"
            " not found.",
        ),
        acme("userActionRequired", "terms have changed"),
        acme("unauthorized", "The client lacks sufficient authorization :: Account is deactivated"),
        AWAY,
        ENDED.format(exception="requests.exceptions.SSLError: certificate verify failed"),
        ENDED.format(
            exception="OSError: [Errno 28] No space left on device: '/etc/letsencrypt/archive/x'"
        ),
        ENDED.format(
            exception="certbot.errors.LockError: Another instance of Certbot is already running."
        ),
    ],
)
def test_what_concerns_the_account_or_the_host_ends_the_run(err: str) -> None:
    assert refusal("", err, NAME).concerns_all


@pytest.mark.parametrize(
    "err",
    [
        CHALLENGE,
        acme(
            "rateLimited",
            'too many requests :: too many failed authorizations (5) for "mail.globex.example" in'
            " the last 1h0m0s, retry after 2026-12-01",
        ),
        acme(
            "rateLimited",
            'too many requests :: too many certificates (50) already issued for "globex.example" in'
            " the last 168h0m0s",
        ),
        acme(
            "rejectedIdentifier",
            "The server will not issue for the identifier :: Error creating new order :: Cannot"
            " issue",
        ),
        acme(
            "serverInternal", "The server experienced an internal error :: Error finalizing order"
        ),
        acme("caa", "CAA record for globex.example prevents issuance"),
        ENDED.format(
            exception="certbot.errors.ConfigurationError: Requested name is no domain name"
        ),
        ENDED.format(
            exception="OSError: [Errno 36] File name too long: '/etc/letsencrypt/renewal/x.conf'"
        ),
        "",
    ],
)
def test_what_concerns_one_name_does_not(err: str) -> None:
    assert not refusal("", err, NAME).concerns_all


@pytest.mark.parametrize(
    "text",
    [
        "too many certificates already issued",
        "ConnectionError: Max retries exceeded",
        "Another instance of Certbot is already running.",
        f"x\n{acme('rateLimited', 'too many new orders from this account')}",
        f"x\n{AWAY}",
    ],
)
def test_no_text_of_a_tenant_s_web_server_ends_the_run(text: str) -> None:
    """certbot prints what the ACME server quotes of it, above its own last words and in another
    stream."""
    assert not refusal(FAILED.format(text=text), CHALLENGE, NAME).concerns_all
    assert not refusal("", acme("rateLimited", "x") + CHALLENGE, NAME).concerns_all
    assert not refusal("", f"{text}\n{CHALLENGE}", NAME).concerns_all


def test_what_strangers_wrote_is_short_and_no_terminal_obeys_it() -> None:
    reason = refusal(FAILED.format(text="\x1b]0;owned\x07 " + "x" * 1000), CHALLENGE, NAME).reason
    assert reason.startswith("?]0;owned? xxx")
    assert len(reason) == 501


def test_names_are_tried_in_turn() -> None:
    """A name that ends every run would otherwise starve those behind it in the alphabet."""
    tried: dict[str, float] = {}
    names, ends_the_run, served = (
        ["a.example", "b.example", "c.example", "d.example"],
        {"a.example", "b.example"},
        set(),
    )
    for run in range(3):
        for name in in_turn(set(names) - served, tried):
            tried[name] = float(run + 1)
            if name in ends_the_run:
                break
            served.add(name)
    assert served == {"c.example", "d.example"}


def test_the_diff_speaks_the_users_words() -> None:
    said = lines(
        CertificateChanges(("b.example", "c.example"), ("a.example",)),
        {"c.example": "no"},
        ["b.example", "d.example"],
        ["e.example", "a.example"],
    )
    assert (
        said == "- certificate a.example\n+ certificate b.example\n~ certificate d.example\n-"
        " certificate e.example\n"
    )


def test_names_that_wait_for_the_same_are_one_sentence() -> None:
    blocked = {
        f"mta-sts.d{number}.example": "it has no address in DNS" for number in range(1000)
    } | {"mail.acme.example": "its DNS does not answer"}
    assert complaints(blocked) == [
        "No certificate for mail.acme.example: its DNS does not answer.",
        (
            "No certificate for mta-sts.d0.example, mta-sts.d1.example, mta-sts.d10.example,"
            " mta-sts.d100.example, mta-sts.d101.example and 995 more: it has no address in DNS."
        ),
    ]
    assert complaints({}) == []


def test_the_nodes_own_name_is_asked_for_only_when_it_is_needed_and_never_given_up() -> None:
    def decided(*names: str, **given: bool) -> CertificateChanges:
        there = ["old.example", "mx1.example"]
        options = {"exclusive": True, "acme": True, **given}
        return plan_for_names(names, "mx1.example", there[: len(names)], there, **options)

    assert decided() == CertificateChanges((), ())
    assert decided("mx1.example") == CertificateChanges(("mx1.example",), ("old.example",))
    assert decided("mx1.example", acme=False) == CertificateChanges(("mx1.example",), ())
    assert decided("a.example", "b.example") == CertificateChanges(
        ("a.example", "b.example"), ("old.example",)
    )


def tried_with(refusals: dict[str, Refusal]) -> tuple[dict[str, str], dict[str, float]]:
    times = iter((1.0, 2.0, 3.0))
    return try_names(
        ["away.example", "a.example", "b.example"],
        lambda name: "its DNS does not answer" if name == "away.example" else "",
        refusals.get,
        lambda: next(times),
    )


def test_a_name_that_has_no_certificate_stops_no_other() -> None:
    blocked, tried = tried_with({"a.example": Refusal("no", concerns_all=False)})
    assert blocked == {"away.example": "its DNS does not answer", "a.example": "no"}
    assert tried == {"a.example": 1.0, "b.example": 2.0}


def test_after_a_refusal_that_concerns_all_names_none_is_asked_for() -> None:
    blocked, tried = tried_with({"a.example": Refusal("limit", concerns_all=True)})
    assert blocked["a.example"] == "limit"
    assert blocked["b.example"] == "not tried after a.example: limit"
    assert tried == {"a.example": 1.0}


def test_without_anyone_to_ask_no_attempt_is_noted() -> None:
    assert try_names(["a.example"], lambda _name: "", None, lambda: 1.0) == ({}, {})


def test_attempts_at_other_names_are_kept_unless_the_run_knows_all() -> None:
    blocked, noted = ["a.example"], ["a.example", "b.example", "other.example"]
    names = ["a.example", "b.example"]
    assert to_remember(blocked, noted, names, exclusive=True) == {"a.example"}
    assert to_remember(blocked, noted, names, exclusive=False) == {"a.example", "other.example"}


def test_only_in_check_mode_a_required_certificate_may_still_be_supplied() -> None:
    assert not_supplied(check_mode=True, required=True) == ""
    for check_mode, required in ((True, False), (False, True), (False, False)):
        assert not_supplied(check_mode=check_mode, required=required)


def test_the_report_has_the_state_of_every_name() -> None:
    action = CertificateChanges(("b.example", "c.example"), ())
    blocked = with_refused({"c.example": "no"}, {"refused": {"a.example": "it has expired"}})
    report = result(["a.example", "b.example", "c.example", "d.example"], action, blocked, {})
    assert [(one["name"][0], one["state"], one["reason"]) for one in report["certificates"]] == [
        ("a", "blocked", "refused: it has expired"),
        ("b", "issued", ""),
        ("c", "blocked", "no"),
        ("d", "present", ""),
    ]
    assert report["diff"]["prepared"] == "+ certificate b.example\n"
    assert result([], CertificateChanges((), ()), {}, {})["changed"] is False
    assert result([], CertificateChanges((), ()), {}, {"rebuilt": ["postfix"]})["changed"] is True
