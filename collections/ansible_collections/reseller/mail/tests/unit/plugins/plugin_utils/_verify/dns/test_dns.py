# SPDX-License-Identifier: GPL-3.0-or-later
"""What answers mean. Each finding by itself is proved on real name servers, in the platform's
tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._dns.https import Fetched
from ansible_collections.reseller.mail.plugins.plugin_utils._dns.query import LAME, NO_TCP, Reply
from ansible_collections.reseller.mail.plugins.plugin_utils._dns.record import Record
from ansible_collections.reseller.mail.plugins.plugin_utils._load import load
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import (
    BackupMx,
    DkimKey,
    NodeState,
    TlsKey,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.dns import (
    ask,
    clients,
    mail_hosts,
    previous_providers,
    reports,
    senders,
    settings,
    zone,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.dns.catalogue import (
    CATALOGUE,
    GROUPS,
    MOST,
    Defect,
    as_markdown,
    finding,
    group_of,
    shown,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.dns.expected import Known, learn
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.dns.merge_answers import (
    Outcome,
    merge,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.dns.policy import (
    faults as policy_faults,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.dns.questions import (
    Question,
    of_estate,
    questions,
)
from hypothesis import given
from hypothesis import strategies as st

COLLECTION = Path(__file__).parents[6]
SPF = "v=spf1 include:hosting.example -all"
NOTHING = Reply("ns1", "none", why="NXDOMAIN")


def asks(group: str, rdtype: str, *values: str, name: str = "acme.example") -> Question:
    return Question(
        group,
        "acme.example",
        name,
        rdtype,
        frozenset(values),
        tuple(f"{name}. 3600 IN {rdtype} {value}" for value in sorted(values)),
    )


def answering(*values: str, server: str = "ns1", ttl: int = 300) -> Reply:
    return Reply(server, "answer", frozenset(values), ttl)


def silent(server: str = "ns2", why: str = "no answer within 4 s") -> Reply:
    return Reply(server, "silent", why=why)


MX = asks("dns.mx", "MX", "10 mx1.hosting.example.", "20 alt.hosting.example.")


def mx(*values: str, **kinds: str) -> list[str]:
    hosts = {name.replace("_", "."): kind for name, kind in kinds.items()}
    return [fault.id for fault in mail_hosts.mx(MX, answering(*values), hosts)]


@pytest.mark.parametrize(
    ("values", "kinds", "expected"),
    [
        (("10 mx1.hosting.example.", "20 alt.hosting.example."), {}, []),
        ((), {}, ["dns.mx_missing"]),
        (("10 a.old.example.",), {}, ["dns.mx_foreign"]),
        (("10 a.old.example.",), {"a_old_example": "unresolved"}, ["dns.mx_unresolved"]),
        (
            ("10 a.old.example.",),
            {"a_old_example": "an alias of mx1.hosting.example"},
            ["dns.mx_cname"],
        ),
        (("10 10.97.0.3.",), {}, ["dns.mx_address"]),
        (("0 .",), {}, ["dns.mx_null"]),
        (("20 alt.hosting.example.",), {}, ["dns.mx_foreign"]),
        (("10 mx1.hosting.example.", "20 alt.hosting.example.", "0 ."), {}, ["dns.mx_null_mixed"]),
        (("10 mx1.hosting.example.",), {}, ["dns.mx_backup"]),
        (("30 mx1.hosting.example.", "20 alt.hosting.example."), {}, ["dns.mx_priority"]),
        (
            ("10 mx1.hosting.example.", "20 alt.hosting.example.", "5 b.example."),
            {},
            ["dns.mx_extra"],
        ),
        (
            ("10 mx1.hosting.example.", "20 alt.hosting.example.", "1 aspmx.l.google.com."),
            {},
            ["dns.mx_leftover"],
        ),
    ],
)
def test_where_mail_goes(
    values: tuple[str, ...], kinds: dict[str, str], expected: list[str]
) -> None:
    assert mx(*values, **kinds) == expected


def test_the_backup_alone_is_no_mail_host() -> None:
    assert mail_hosts.ASTRAY.issuperset(mx("20 alt.hosting.example."))


def outcome(*replies: Reply) -> Outcome:
    return merge(asks("dns.spf", "TXT", SPF), replies, senders.spf)


def test_a_silent_server_proves_nothing() -> None:
    assert outcome(silent(), silent("ns1")).silent
    assert outcome().silent
    one = outcome(answering(SPF), silent())
    assert (one.silent, one.faults) == (False, ())


def test_servers_that_disagree_are_propagating_and_say_how_long() -> None:
    (fault,) = outcome(
        answering(SPF), Reply("ns2", "none"), answering(SPF, "v=spf1 mx", server="ns3", ttl=900)
    ).faults
    assert (fault.id, dict(fault.words)["seconds"]) == ("dns.propagating", "900")
    assert "ns2: no SPF record (TTL 0 s)" in fault.found


def test_servers_that_are_wrong_each_in_its_way_are_all_wrong() -> None:
    assert {
        fault.id
        for fault in outcome(NOTHING, answering("v=spf1 a", "v=spf1 b", server="ns2")).faults
    } == {"dns.spf_missing", "dns.spf_two"}


def test_one_dead_server_is_one_finding() -> None:
    (one,) = zone.heard(
        "acme.example", {"ns1": {""}, "ns2": {"no answer within 4 s", "SERVFAIL", ""}}
    )
    assert (one.id, one.state, one.found) == (
        "dns.servers_silent",
        "warn",
        "ns2: SERVFAIL, no answer within 4 s",
    )
    assert [one.state for one in zone.heard("acme.example", {"ns1": {LAME}, "ns2": {NO_TCP}})] == [
        "fail",
        "fail",
    ]
    assert zone.heard("acme.example", {"ns1": {""}}) == []


KEY = "v=DKIM1; k=rsa; p=" + "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA" + "A" * 40


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((KEY,), []),
        (("v=DKIM1;k=rsa;" + KEY[KEY.index("p=") :].replace("AAAA", "AA AA") + ";",), []),
        (("k=rsa; v=DKIM1;" + KEY[KEY.index("p=") :],), ["dns.dkim_broken"]),
        (("v=DKIM1; k=rsa; p=AAAA; " + KEY[KEY.index("p=") :],), ["dns.dkim_broken"]),
        ((KEY + "; n=a; n=b",), ["dns.dkim_broken"]),
        ((KEY.replace("v=", "V=").replace("k=", "K=").replace("p=", "P="),), ["dns.dkim_broken"]),
        ((KEY + "; no tag",), ["dns.dkim_broken"]),
        ((), ["dns.dkim_missing"]),
        (("v=DKIM1; p=",), ["dns.dkim_revoked"]),
        (("nonsense",), ["dns.dkim_broken"]),
        (("v=DKIM1; p=@@",), ["dns.dkim_broken"]),
        (("v=DKIM1; p=AAAA",), ["dns.dkim_broken"]),
        ((KEY.replace("rsa", "ed25519"),), ["dns.dkim_broken"]),
        ((KEY, "v=DKIM1; p=BBBB"), ["dns.dkim_two"]),
        ((KEY, "the rest of another key"), ["dns.dkim_two"]),
        (("one text", "another text"), ["dns.dkim_two"]),
        ((KEY + "; t=y",), ["dns.dkim_testing"]),
    ],
)
def test_a_key_is_compared_by_the_key(values: tuple[str, ...], expected: list[str]) -> None:
    question = asks("dns.dkim", "TXT", KEY, name="mx1._domainkey.acme.example")
    assert [fault.id for fault in senders.dkim(question, answering(*values))] == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("v=DMARC1;p=none;rua=mailto:a@b.example", []),
        ("v=DMARC1; p=none; pct=50; rua=mailto:a@b.example", ["dns.dmarc_obsolete"]),
        ("v=DMARC1; p=reject; rua=mailto:a@b.example", ["dns.dmarc_policy"]),
        ("v=DMARC1; p=none; sp=reject; rua=mailto:a@b.example", ["dns.dmarc_subdomains"]),
        ("v=DMARC1; p=none", ["dns.dmarc_no_reports"]),
        ("v=DMARC1; p=nonsense", ["dns.dmarc_syntax"]),
        ("v=DMARC1; p=none; rua=a@b.example", ["dns.dmarc_syntax"]),
        ("v=DMARC1; p=none; rua=https://b.example/r,mailto:a@b.example", []),
        ("v=DMARC1; p=none; rua=https://b.example/r", ["dns.dmarc_no_reports"]),
        ("v=DMARC1; p=none; rua=https://b.example/r,a@b.example", ["dns.dmarc_syntax"]),
        ("v=DMARC1; p=none; rua=mailto:a", ["dns.dmarc_syntax"]),
        ("V=DMARC1; p=none; fo=x; t=maybe; rua=mailto:a@b.example", []),
        ("v=DMARC1 p=none", ["dns.dmarc_syntax"]),
        ("v=spf1 -all", ["dns.dmarc_missing"]),
    ],
)
def test_dmarc_is_compared_by_its_tags(value: str, expected: list[str]) -> None:
    question = asks(
        "dns.dmarc", "TXT", "v=DMARC1; p=none; rua=mailto:a@b.example", name="_dmarc.acme.example"
    )
    assert [fault.id for fault in reports.dmarc(question, answering(value))] == expected


@pytest.mark.parametrize(
    ("want", "have", "expected"),
    [
        ("v=DMARC1; p=none", "v=DMARC1; p=none", ["dns.dmarc_unreported"]),
        ("v=DMARC1; p=none", "v=DMARC1; p=none; rua=mailto:a@b.example", []),
        ("v=DMARC1; p=quarantine; t=y", "v=DMARC1; p=quarantine; t=y", ["dns.dmarc_unreported"]),
        ("v=DMARC1; p=reject", "v=DMARC1; p=reject", []),
        ("v=DMARC1; p=none; rua=mailto:a@b.example", "v=DMARC1; p=none", ["dns.dmarc_no_reports"]),
    ],
)
def test_a_policy_that_changes_nothing_needs_reports(
    want: str, have: str, expected: list[str]
) -> None:
    assert [
        fault.id for fault in reports.dmarc(asks("dns.dmarc", "TXT", want), answering(have))
    ] == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((), ["dns.tls_rpt_unreported"]),
        (("v=spf1 -all",), ["dns.tls_rpt_unreported"]),
        (("v=TLSRPTv1; rua=mailto:a@b.example",), []),
        (("v=TLSRPTv1; rua=text",), ["dns.tls_rpt_syntax"]),
    ],
)
def test_where_the_files_name_nobody_dns_may_say_who_gets_reports_about_tls(
    values: tuple[str, ...], expected: list[str]
) -> None:
    assert [
        fault.id for fault in reports.tls_rpt(asks("dns.tls_rpt", "TXT"), answering(*values))
    ] == expected


def test_who_gets_reports_is_read_from_the_record() -> None:
    question = asks("dns.dmarc", "TXT", "v=DMARC1; p=none")
    assert reports.receivers(
        question, ["v=DMARC1; p=none; rua=mailto:A@b.example!10m, https://x", "other"]
    ) == ["a@b.example"]


@pytest.mark.parametrize(
    ("values", "above", "expected"),
    [
        (('0 issue "letsencrypt.org; x=1"',), (), []),
        (('0 issue ";"',), (), ["dns.caa_forbids"]),
        ((), (), ["dns.caa_missing"]),
        ((), ('0 issue "other.example"',), ["dns.caa_forbids"]),
        ((), ('0 issue "letsencrypt.org"',), []),
        (('0 iodef "mailto:a@b.example"',), (), ["dns.caa_missing"]),
    ],
)
def test_who_may_issue(
    values: tuple[str, ...], above: tuple[str, ...], expected: list[str]
) -> None:
    question = asks("dns.caa", "CAA", '0 issue "letsencrypt.org"', '0 issuewild ";"')
    assert [fault.id for fault in clients.caa(question, answering(*values), above)] == expected


POLICY = "version: STSv1\r\nmode: testing\r\nmx: mx1.hosting.example\r\nmax_age: 86400\r\n"


@pytest.mark.parametrize(
    ("fetched", "expected"),
    [
        (Fetched("", 200, "text/plain; charset=utf-8", POLICY.replace("\r", "")), []),
        (Fetched("no", kind="expired"), ["expired"]),
        (Fetched("no"), ["unreachable"]),
        (Fetched("", 301, "", "", location="https://x/"), ["redirect"]),
        (Fetched("", 500, "text/plain", POLICY), ["status"]),
        (Fetched("", 200, "text/html", POLICY), ["type"]),
        (Fetched("", 200, "text/plain", POLICY.replace("\n", "")), ["lines"]),
        (Fetched("", 200, "text/plain", "\0\x1b[31m"), ["syntax"]),
        (Fetched("", 200, "text/plain", POLICY.replace("mx1", "mx2")), ["mx"]),
        (
            Fetched(
                "", 200, "text/plain", POLICY.replace("testing", "enforce").replace("86400", "5")
            ),
            ["mode", "max_age"],
        ),
    ],
)
def test_the_policy_that_senders_get(fetched: Fetched, expected: list[str]) -> None:
    found = policy_faults(
        "acme.example", "https://mta-sts.acme.example/", fetched, POLICY, ["mx1.hosting.example"]
    )
    assert [fault.id.removeprefix("dns.mta_sts_policy_") for fault in found] == expected


SETTINGS = "<clientConfig><hostname>mail.acme.example</hostname></clientConfig>"


@pytest.mark.parametrize(
    ("fetched", "expected"),
    [
        (Fetched("", 200, "text/xml; charset=utf-8", SETTINGS), []),
        (
            Fetched("certificate of autoconfig.acme.example at 192.0.2.1: expired", kind="expired"),
            ["dns.settings_unreachable"],
        ),
        (Fetched("", 404, "text/html", SETTINGS), ["dns.settings_unreachable"]),
        (Fetched("", 200, "text/html", SETTINGS), ["dns.settings_wrong"]),
        (
            Fetched("", 200, "text/xml", SETTINGS.replace("mail.acme", "mail.evil")),
            ["dns.settings_wrong"],
        ),
        (
            Fetched("", 200, "text/xml", "<!DOCTYPE x [<!ENTITY a 'aaaa'>]>\0\x1b[31m"),
            ["dns.settings_wrong"],
        ),
    ],
)
def test_the_settings_that_mail_programs_get(fetched: Fetched, expected: list[str]) -> None:
    found = list(
        settings.faults(
            "autoconfig.acme.example",
            "https://autoconfig.acme.example/mail/config-v1.1.xml",
            fetched,
            SETTINGS,
        )
    )
    assert [fault.id for fault in found] == expected
    if "evil" in fetched.body:
        assert found[0].found.endswith("servers mail.evil.example")
    for fault in found:
        assert (
            "curl -v https://autoconfig.acme.example/" in finding(fault, "acme.example", "x").remedy
        )


def test_record_sets_of_one_kind_are_one_finding() -> None:
    def srv(name: str, reply: Reply) -> Outcome:
        return merge(
            asks("dns.srv", "SRV", "0 1 993 mx1.hosting.example.", name=f"{name}.acme.example"),
            [reply],
            clients.srv,
        )

    found = ask.findings_of(
        "acme.example",
        [
            srv("_a", NOTHING),
            srv("_b", NOTHING),
            srv("_c", answering("0 1 993 mx1.hosting.example.")),
        ],
    )
    assert [(one.id, one.state) for one in found] == [("dns.srv_missing", "warn")]
    assert found[0].remedy.splitlines() == [
        f"publish {name}.acme.example. 3600 IN SRV 0 1 993 mx1.hosting.example."
        for name in ("_a", "_b")
    ]


def test_what_follows_from_a_cname_is_not_said_besides() -> None:
    address = asks("dns.address", "A", "192.0.2.1", name="mail.acme.example")
    null = asks("dns.null_mx", "MX", "0 .", name="mail.acme.example")
    found = ask.findings_of(
        "acme.example",
        [
            Outcome(address, (Defect("dns.address_cname", "x"),)),
            Outcome(null, (Defect("dns.null_mx_missing", "x"),)),
        ],
    )
    assert [one.id for one in found] == ["dns.address_cname"]


def test_every_finding_has_a_question_a_remedy_and_a_row() -> None:
    assert len(CATALOGUE) >= 60
    for id_, row in CATALOGUE.items():
        assert row.remedy, id_
        assert row.rows, id_
        assert row.group in GROUPS
        assert group_of(id_) == row.group
    assert group_of("mail.dkim") == "mail.dkim"


def test_the_documentation_has_every_finding() -> None:
    assert as_markdown() in (COLLECTION / "docs" / "findings.md").read_text(encoding="utf-8")


@given(st.text())
def test_hostile_text_is_shown_harmlessly(text: str) -> None:
    plain = shown(text)
    assert all(char.isprintable() or char == "\n" for char in plain)
    assert len(plain) <= MOST + 40


@given(st.text(), st.sampled_from(sorted(ask.JUDGES)))
def test_no_text_makes_a_judge_stumble(text: str, group: str) -> None:
    wanted = {
        "dns.tlsa": "3 1 1 aa",
        "dns.fcrdns": "a.",
        "dns.srv": "0 0 0 .",
        "dns.mta_sts": "v=STSv1; id=1;",
    }.get(group, "v=DKIM1; p=AA")
    rdtype = "TXT" if wanted.startswith("v=") else group
    for fault in ask.JUDGES[group](
        asks(group, rdtype, wanted),
        answering(text or "x", f"v=DMARC1; {text}", f"v=spf1 {text}", f"p={text}"),
    ):
        assert finding(fault, "acme.example", "x").id in CATALOGUE


def test_a_mail_host_without_ipv6_is_told_so_and_an_address_that_the_files_do_not_know_is_not_taken_for_one() -> (
    None
):
    estate, _faults = load(str(COLLECTION / "tests" / "unit" / "fixtures" / "estate"))
    assert estate is not None
    node, *others = (
        replace(one, addresses=("192.0.2.1",), outbound_addresses=()) for one in estate.nodes
    )
    node = replace(node, addresses=("192.0.2.1", "2001:db8::1"))
    backup = BackupMx("alt.hosting.example", ("192.0.2.3",), 20, node.at)
    asked = of_estate(replace(estate, nodes=(node, *others), backup_mx=(backup,)))
    (known,) = (one for one in asked[node.hostname] if one.type == "AAAA")
    assert known.values == {"2001:db8::1"}
    assert [fault.id for fault in mail_hosts.node_address(known, NOTHING)] == [
        "dns.node_address_missing"
    ]
    assert others
    for host in (one.hostname for one in (*others, backup)):
        (question,) = (one for one in asked[host] if one.type == "AAAA")
        (without,) = mail_hosts.node_address(question, NOTHING)
        defective = finding(without, host, "")
        assert (defective.id, defective.state) == ("dns.node_address_no_ipv6", "warn")
        assert host in defective.remedy
        (unknown,) = mail_hosts.node_address(question, answering("2001:db8::7"))
        assert (unknown.id, unknown.remove) == (
            "dns.node_address_other",
            (f"{host}. 300 IN AAAA 2001:db8::7",),
        )


KEYS = TlsKey("mx1.hosting.example", 32 * "bb", 32 * "aa")
CURRENT, NEXT = f"3 1 1 {KEYS.current}", f"3 1 1 {KEYS.next}"


@pytest.mark.parametrize(
    ("there", "found", "publish", "remove"),
    [
        ((CURRENT, NEXT), [], [], []),
        ((f"3 1 1 {32 * 'B'} {32 * 'b'}", NEXT, f"3 1 1 {32 * 'cc'}"), [], [], []),
        ((CURRENT,), ["dns.tlsa_next"], [NEXT], []),
        ((NEXT,), ["dns.tlsa_other"], [CURRENT], []),
        ((f"3 1 1 {32 * 'cc'}", NEXT), ["dns.tlsa_other"], [CURRENT], [f"3 1 1 {32 * 'cc'}"]),
        ((), ["dns.tlsa_missing"], [CURRENT, NEXT], []),
    ],
)
def test_mail_stops_where_the_key_in_service_is_missing(
    there: tuple[str, ...], found: list[str], publish: list[str], remove: list[str]
) -> None:
    loaded, _faults = load(str(COLLECTION / "tests/unit/fixtures/estate"))
    assert loaded
    estate = replace(loaded, states=(NodeState("mx1", (), (KEYS,)),))
    (question,) = (
        one for one in of_estate(estate)["mx1.hosting.example"] if one.group == "dns.tlsa"
    )
    faults = [*mail_hosts.tlsa(question, answering(*there))]
    assert [fault.id for fault in faults] == found
    assert [
        [line.split(None, 4)[4] for line in part]
        for fault in faults
        for part in (fault.publish, fault.remove)
    ] == [publish, remove][: 2 * len(found)]


def test_hosts_are_known_by_whole_labels() -> None:
    assert (
        previous_providers.host_of(
            "acme-example.mail.protection.outlook.com.", previous_providers.MX
        )
        == "Microsoft 365"
    )
    assert previous_providers.host_of("notgoogle.com", previous_providers.MX) is None


def test_an_ipv6_address_compares_however_it_is_written() -> None:
    (question,) = questions(
        [
            Record(
                "acme.example",
                "mta-sts.acme.example",
                "AAAA",
                300,
                "2001:DB8:0::3",
                True,
                "client_address",
            )
        ]
    )
    assert list(clients.address(question, answering("2001:db8::3"))) == []


@pytest.fixture(scope="module")
def known() -> Known:
    estate, faults = load(str(Path(__file__).parents[10] / "estates" / "example"))
    assert estate is not None, faults
    return learn(estate)


def test_every_question_is_answered_well_by_its_own_records(known: Known) -> None:
    """What the files lack is defective, too: who gets the reports."""
    reported: dict[str, set[str]] = {}
    for subject, asked in known.subjects.items():
        for question in asked:
            if question.group == "dns.mx":
                assert list(mail_hosts.mx(question, answering(*question.values), {})) == []
            else:
                faults = list(
                    ask.JUDGES.get(question.group, clients.caa)(
                        question, answering(*question.values)
                    )
                )
                reported.setdefault(subject, set()).update(fault.id for fault in faults)
            assert question.group in GROUPS
    both = {"dns.dmarc_unreported", "dns.tls_rpt_unreported"}
    assert {subject: ids for subject, ids in reported.items() if ids} == {
        "acme-shop.example": both,
        "globex.example": both,
        "initech.example": {"dns.dmarc_unreported"},
        "legacy.initech.example": {"dns.dmarc_unreported"},
    }


def test_an_algorithm_of_the_files_that_no_key_signs_with_is_known_by_name() -> None:
    """acme-shop.example wants RSA and Ed25519, and globex.example RSA, as do acme.example and its
    alias."""
    estate, faults = load(str(Path(__file__).parents[10] / "estates" / "example"))
    assert estate is not None, faults
    node = estate.node_of(estate.tenants[0]).name

    def unsigned(*keys: DkimKey) -> dict[str, list[tuple[str, str, bool]]]:
        return learn(replace(estate, states=(NodeState(node, keys),))).unsigned

    nothing, rsa = unsigned(), DkimKey("acme-shop.example", "a", "AAAA")
    assert nothing["acme.example"] == nothing["acme-mail.example"] == [(node, "rsa", False)]
    assert nothing["acme-shop.example"] == [(node, "ed25519", False), (node, "rsa", False)]
    assert unsigned(rsa)["acme-shop.example"] == [(node, "ed25519", False)]
    new = DkimKey("acme-shop.example", "b", "BBBB", "ed25519", "published")
    assert unsigned(rsa, new)["acme-shop.example"] == [(node, "ed25519", True)]
    assert unsigned(rsa, replace(new, state="revoked"))["acme-shop.example"] == [
        (node, "ed25519", False)
    ]
    assert "acme-shop.example" not in unsigned(rsa, replace(new, state="active"))
    assert unsigned(DkimKey("acme.example", "a", "AAAA"))["acme-mail.example"] == [
        (node, "rsa", False)
    ], "an alias has a key of its own"


def test_the_estate_knows_its_own_addresses(known: Known) -> None:
    assert not known.is_unknown("jo@acme.example")
    assert not known.is_unknown("jo@acme-mail.example"), "a domain alias"
    assert not known.is_unknown("who@elsewhere.example")
    assert known.is_unknown("unknown@acme.example")


@pytest.mark.parametrize(
    ("group", "want", "have"),
    [
        ("dns.dmarc", "v=DMARC1; p=reject", " v=DMARC1; p=reject"), ("dns.dmarc",
                                                                     "v=DMARC1; p=reject", "v=dmarc1; p=reject"),
        ("dns.dmarc", "v=DMARC1; p=reject", "v=DMARC1; p=reject; p=none"),
        ("dns.mta_sts", "v=STSv1; id=1", "v=stsv1; id=1"), ("dns.mta_sts", "v=STSv1; id=1",
                                                            "v = STSv1; id=1"),
        ("dns.mta_sts", "v=STSv1; id=1", " v=STSv1; id=1"), ("dns.mta_sts", "v=STSv1; id=1",
                                                             "v=STSv1; ID=1"),
        ("dns.mta_sts", "v=STSv1; id=1", "v=STSv1; id=2; id=1"),
        ("dns.tls_rpt", "v=TLSRPTv1; rua=mailto:x@acme.example",
            "v=tlsrptv1; rua=mailto:x@acme.example"),
        ("dns.tls_rpt", "v=TLSRPTv1; rua=mailto:x@acme.example",
            "v=TLSRPTv1; RUA=mailto:x@acme.example"),
    ],
)  # fmt: skip
def test_a_record_that_receivers_pass_over_is_a_fault_of_syntax(
    group: str, want: str, have: str
) -> None:
    judge = {
        "dns.dmarc": reports.dmarc,
        "dns.mta_sts": reports.mta_sts,
        "dns.tls_rpt": reports.tls_rpt,
    }[group]
    assert [fault.id for fault in judge(asks(group, "TXT", want), answering(want))] == []
    assert [fault.id for fault in judge(asks(group, "TXT", want), answering(have))] == [
        f"{group}_syntax"
    ]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("mode: none\r\nmode: enforce", ["dns.mta_sts_policy_mode"]),
        ("mode: enforce\r\nmode: none", []),
        ("mode: enforce\r\nhello", ["dns.mta_sts_policy_syntax"]), ("mode: enforce\r\n: x",
                                                                    ["dns.mta_sts_policy_syntax"]),
        ("mode: enforce\r\next: hello", []), ("mode: enforce\r\n", []),
        ("mode : enforce", ["dns.mta_sts_policy_syntax"]), ("Mode: enforce",
                                                            ["dns.mta_sts_policy_syntax"]),
        ("mode: enforce\r\nmax_age: 1\r\nmax_age: 86400", ["dns.mta_sts_policy_max_age"]),
        ("mode: enforce\r\nmax_age: 86400\r\nmax_age: 1", []), ("mode: enforce\r\nversion: STSv2",
                                                                []),
    ],
)  # fmt: skip
def test_the_first_field_of_a_policy_counts(lines: str, expected: list[str]) -> None:
    want = "version: STSv1\r\nmode: enforce\r\nmx: mx1.hosting.example\r\nmax_age: 86400\r\n"
    body = want.replace("mode: enforce", lines)
    found = policy_faults(
        "acme.example", "u", Fetched("", 200, "text/plain", body), want, ["mx1.hosting.example"]
    )
    assert [fault.id for fault in found] == expected
