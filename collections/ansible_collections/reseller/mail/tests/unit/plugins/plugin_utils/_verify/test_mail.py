# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import email
import re
import typing as t
from dataclasses import replace

import dkim
import dns.rdata
import nacl.signing
import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._model.domain import (
    Domain,
    DomainAlias,
    Mailbox,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import (
    Estate,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._verify import round_trip
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.connect import Connector
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.finding import Finding
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.mail import (
    MESH,
    Arrived,
    Mail,
    Probe,
    Sent,
    choose,
    judge,
    mails,
    message,
    names,
)
from ansible_collections.reseller.mail.tests.unit.support import estates
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

JO = Probe("jo@acme.example", "secret", "acme.example", "mx1.hosting.example")
ANN = Probe("ann@globex.example", "secret", "globex.example", "mx2.hosting.example")
MAIL = Mail(JO, (JO, ANN), "<verify.1@acme.example>")


def estate(state: str = "active") -> Estate:
    boxes = (
        Mailbox("old", "acme.example", None, "o", state="suspended"),
        Mailbox("jo", "acme.example", None, "o"),
        Mailbox("it", "acme.example", None, "o"),
    )
    domains = (Domain("acme.example", "mail", "o", boxes), Domain("relay.example", "relay", "o"))
    return estates.estate(estates.tenant("acme", *domains, state=state))


PASSWORDS = {"old@acme.example": "a", "jo@acme.example": "b", "it@acme.example": "c"}


def test_the_first_active_mailbox_of_a_domain_is_its_probe() -> None:
    probes, findings = choose(estate(), PASSWORDS)
    assert [(probe.address, probe.host) for probe in probes] == [
        ("jo@acme.example", "mx1.hosting.example")
    ]
    assert findings == []


def test_a_password_that_its_user_changed_is_not_tried() -> None:
    probes, _findings = choose(estate(), PASSWORDS, ["it@acme.example"])
    assert [probe.address for probe in probes] == ["it@acme.example"]
    probes, (finding,) = choose(estate(), PASSWORDS, [])
    assert (probes, finding.state, finding.found) == (
        [],
        "na",
        "the users have changed their initial passwords",
    )


def test_a_domain_without_a_known_password_does_not_apply() -> None:
    _probes, (finding,) = choose(estate(), {})
    assert (finding.subject, finding.state, finding.found) == (
        "acme.example",
        "na",
        "no password of its mailboxes is known on the controller",
    )


@pytest.mark.parametrize("protocols", [("imap",), ("pop3", "submission"), ("sieve",)])
def test_a_mailbox_that_may_not_send_and_fetch_is_no_probe(protocols: tuple[str, ...]) -> None:
    known = estate()
    domain = known.tenants[0].domains[0]
    boxes = tuple(replace(one, protocols=protocols) for one in domain.mailboxes)
    domain = replace(domain, mailboxes=boxes)
    known = replace(known, tenants=(replace(known.tenants[0], domains=(domain,)),))
    probes, (finding,) = choose(known, PASSWORDS)
    assert (probes, finding.state, finding.found) == (
        [],
        "na",
        "no mailbox may use imap and submission",
    )


def test_suspended_tenants_are_left_alone() -> None:
    assert choose(estate("suspended"), PASSWORDS) == ([], [])


def test_each_probe_has_an_address_in_every_name_of_its_domain() -> None:
    known = estate()
    domain = replace(
        known.tenants[0].domains[0], domain_aliases=(DomainAlias("acme-mail.example", "o"),)
    )
    known = replace(known, tenants=(replace(known.tenants[0], domains=(domain,)),))
    assert names(known, [JO]) == [(JO, "jo@acme.example"), (JO, "jo@acme-mail.example")]


def test_passwords_show_nowhere() -> None:
    assert "secret" not in repr(MAIL)


def test_everybody_writes_to_everybody_and_a_stranger_to_all() -> None:
    found = mails([JO, ANN], "t")
    assert [(mail.origin, [probe.address for probe in mail.recipients]) for mail in found] == [
        (JO.address, [JO.address, ANN.address]),
        (ANN.address, [JO.address, ANN.address]),
        ("outside", [JO.address]),
        ("outside", [ANN.address]),
    ]
    assert len({mail.message_id for mail in found}) == 4


def test_many_probes_write_to_themselves_and_the_next() -> None:
    probes = [replace(JO, address=f"p{number}@acme.example") for number in range(MESH + 1)]
    own = [mail for mail in mails(probes, "t") if mail.sender]
    assert [len(mail.recipients) for mail in own] == [2] * (MESH + 1)
    assert own[-1].recipients == (probes[-1], probes[0])


def test_a_message_is_mail_that_nobody_answers() -> None:
    parsed = email.message_from_bytes(message(MAIL, "t"))
    assert (parsed["From"], parsed["To"], parsed["Message-ID"]) == (
        JO.address,
        f"{JO.address}, {ANN.address}",
        MAIL.message_id,
    )
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert b"\n" not in message(MAIL, "t").replace(b"\r\n", b"")


def by_id(findings: t.Iterable[Finding]) -> dict[tuple[str, str], tuple[str, str]]:
    return {(one.id, one.subject): (one.state, one.found) for one in findings}


def arrived(
    *addresses: str, folder: str = "INBOX", mail: Mail = MAIL, **signatures: str
) -> dict[tuple[str, str], Arrived]:
    return {
        (address, mail.message_id): Arrived(folder, 1.2, signatures or {"rsa": ""})
        for address in addresses
    }


def test_a_round_that_went_well() -> None:
    assert by_id(judge([Sent(MAIL)], arrived(JO.address, ANN.address), {}, 30)) == {
        ("mail.submit", JO.address): ("ok", "accepted"),
        ("mail.deliver", f"{JO.address} → {JO.address}"): ("ok", "after 1.2 s"),
        ("mail.deliver", f"{JO.address} → {ANN.address}"): ("ok", "after 1.2 s"),
        ("mail.dkim", "acme.example"): ("ok", "signed by RSA"),
        ("mail.fetch", JO.address): ("ok", "read"),
    }


@pytest.mark.parametrize(
    ("sent", "here", "unread", "deliver"),
    [
        (Sent(MAIL), {}, {}, ("fail", "not there")),
        (
            Sent(MAIL, "", {ANN.address: "552 5.2.2 full"}),
            {},
            {},
            ("fail", "refused: 552 5.2.2 full"),
        ),
        (Sent(MAIL), {}, {ANN.address: "login refused"}, ("blocked", "the mailbox cannot be read")),
        (Sent(MAIL, "535 no"), {}, {}, ("blocked", "the message was not accepted")),
        (Sent(MAIL), arrived(ANN.address, folder="Junk"), {}, ("warn", "in Junk")),
    ],
)
def test_what_can_go_wrong_on_the_way(
    sent: Sent,
    here: dict[tuple[str, str], Arrived],
    unread: dict[str, str],
    deliver: tuple[str, str],
) -> None:
    assert (
        by_id(judge([sent], here, unread, 30))["mail.deliver", f"{JO.address} → {ANN.address}"]
        == deliver
    )


def test_one_bad_signature_among_good_ones_fails() -> None:
    here = {**arrived(JO.address), **arrived(ANN.address, ed25519="")}
    assert by_id(judge([Sent(MAIL)], here, {}, 30))["mail.dkim", "acme.example"] == (
        "fail",
        "RSA: no signature",
    )
    assert by_id(judge([Sent(MAIL)], {}, {}, 30))["mail.dkim", "acme.example"][0] == "blocked"


@pytest.mark.parametrize(
    ("signatures", "expected"),
    [
        ({"rsa": "", "ed25519": ""}, ("ok", "signed by RSA and Ed25519")),
        ({"rsa": ""}, ("warn", "Ed25519: no signature")),
        (
            {"rsa": "", "ed25519": "there is no key at e._domainkey.acme.example"},
            ("warn", "Ed25519: there is no key at e._domainkey.acme.example"),
        ),
        ({"ed25519": ""}, ("fail", "RSA: no signature")),
        ({"rsa": "x", "ed25519": "y"}, ("fail", "RSA: x; Ed25519: y")),
    ],
)
def test_each_algorithm_of_the_files_has_a_signature(
    signatures: dict[str, str], expected: tuple[str, str]
) -> None:
    mail = replace(MAIL, sender=replace(JO, algorithms=("rsa", "ed25519")))
    assert (
        by_id(judge([Sent(mail)], arrived(JO.address, **signatures), {}, 30))[
            "mail.dkim", "acme.example"
        ]
        == expected
    )


def test_a_domain_alias_has_a_signature_of_its_own() -> None:
    jo = replace(JO, aliases=("acme-mail.example",))
    _first, mail = (one for one in mails([jo], "t") if one.sender)
    assert (mail.origin, mail.recipients, mail.sender) == ("jo@acme-mail.example", (jo,), jo)
    assert email.message_from_bytes(message(mail, "t"))["From"] == "jo@acme-mail.example"
    assert by_id(
        judge(
            [Sent(mail)],
            arrived(JO.address, mail=mail, rsa="signed by acme.example, not by acme-mail.example"),
            {},
            30,
        )
    ) == {
        ("mail.submit", "jo@acme-mail.example"): ("ok", "accepted"),
        ("mail.deliver", f"jo@acme-mail.example → {JO.address}"): ("ok", "after 1.2 s"),
        ("mail.dkim", "acme-mail.example"): (
            "fail",
            "RSA: signed by acme.example, not by acme-mail.example",
        ),
    }


class Dns:
    """A connector that answers from DNS only."""

    timeout = 5.0

    def __init__(self, **keys: str) -> None:
        self.keys = keys

    def records(self, name: str, rdtype: str) -> list[dns.rdata.Rdata]:
        selector, _dot, rest = name.partition(".")
        assert (rest, rdtype) == ("_domainkey.acme.example", "TXT")
        return (
            [dns.rdata.from_text("IN", "TXT", f'"{self.keys[selector]}"')]
            if selector in self.keys
            else []
        )


ED25519 = nacl.signing.SigningKey(bytes(range(32)))
RSA = rsa.generate_private_key(65537, 1024)
KEYS = {
    "r": "v=DKIM1; k=rsa; p="
    + base64.b64encode(
        RSA.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).decode(),
    "e": "v=DKIM1; k=ed25519; p=" + base64.b64encode(bytes(ED25519.verify_key)).decode(),
}


def signed(raw: bytes) -> bytes:
    private = RSA.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    one = dkim.sign(raw, b"r", b"acme.example", private)
    return (
        one
        + dkim.sign(
            raw,
            b"e",
            b"acme.example",
            base64.b64encode(bytes(ED25519)),
            signature_algorithm=b"ed25519-sha256",
        )
        + raw
    )


@pytest.mark.parametrize(
    ("keys", "domain", "expected"),
    [
        (("r", "e"), "acme.example", {"rsa": "", "ed25519": ""}),
        (
            ("r",),
            "acme.example",
            {"rsa": "", "ed25519": "there is no key at e._domainkey.acme.example"},
        ),
        (
            ("e",),
            "acme.example",
            {"rsa": "there is no key at r._domainkey.acme.example", "ed25519": ""},
        ),
        (
            ("r", "e"),
            "other.example",
            dict.fromkeys(("rsa", "ed25519"), "signed by acme.example, not by other.example"),
        ),
    ],
)
def test_a_signature_is_judged_by_its_algorithm(
    keys: tuple[str, ...], domain: str, expected: dict[str, str]
) -> None:
    connector = t.cast(Connector, Dns(**{key: KEYS[key] for key in keys}))
    assert round_trip._signatures(connector, signed(message(MAIL, "t")), domain) == expected


def test_a_changed_message_has_no_good_signature() -> None:
    raw = signed(message(MAIL, "t"))
    found = round_trip._signatures(
        t.cast(Connector, Dns(**KEYS)), raw.replace(b"delivered", b"changed"), "acme.example"
    )
    assert set(found) == {"rsa", "ed25519"}
    assert all(found.values())
    short = re.sub(
        rb"(a=ed25519-sha256.*? b=)[^\r]*(?:\r\n [^\r]*)*\r\n",
        rb"\1AAAA\r\n",
        signed(message(MAIL, "t")),
        count=1,
        flags=re.DOTALL,
    )
    found = round_trip._signatures(t.cast(Connector, Dns(**KEYS)), short, "acme.example")
    assert (found["rsa"], bool(found["ed25519"])) == ("", True), found
    assert (
        round_trip._signatures(t.cast(Connector, Dns()), message(MAIL, "t"), "acme.example") == {}
    )


def test_a_stranger_that_is_refused_fails() -> None:
    external = replace(MAIL, sender=None, recipients=(ANN,))
    found = by_id(judge([Sent(external, "554 no")], {}, {}, 30))
    assert found == {("mail.deliver", f"outside → {ANN.address}"): ("fail", "554 no")}


def test_a_mailbox_that_cannot_be_read_is_one_finding() -> None:
    assert by_id(judge([Sent(MAIL)], {}, {JO.address: "certificate"}, 30))[
        "mail.fetch", JO.address
    ] == ("fail", "certificate")
