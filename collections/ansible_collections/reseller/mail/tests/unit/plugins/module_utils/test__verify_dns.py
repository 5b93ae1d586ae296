# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._compile import dns as compile_dns
from ansible_collections.reseller.mail.plugins.module_utils._dns_query import Reply
from ansible_collections.reseller.mail.plugins.module_utils._model import Estate, Node, Provider
from ansible_collections.reseller.mail.plugins.module_utils._verify_dns import Question, answer, compare, questions, reverse, servers, tags, to_findings

SPF = "v=spf1 include:hosting.example -all"
MX = Question("dns.mx", "acme.example", "acme.example", "MX", frozenset({"10 mx1.hosting.example."}), ("acme.example. 3600 IN MX 10 mx1.hosting.example.",))
TXT = Question("dns.spf", "acme.example", "acme.example", "TXT", frozenset({SPF}), (f'acme.example. 3600 IN TXT "{SPF}"',))


def says(*values: str, server: str = "ns1", ttl: int = 300) -> Reply:
    return Reply(server, "answer", frozenset(values), ttl)


def silent(server: str = "ns2", why: str = "no answer within 4 s") -> Reply:
    return Reply(server, "silent", why=why)


NOTHING = Reply("ns1", "none", why="NXDOMAIN")


def test_the_right_answer_is_ok_and_needs_no_remedy() -> None:
    one = answer(MX, [says("10 mx1.hosting.example.")])
    assert (one.state, one.found, one.remedy) == ("ok", "10 mx1.hosting.example.", "")


@pytest.mark.parametrize("values", [("10 mail.old.example.",), ("20 mx1.hosting.example.",), ("10 mx1.hosting.example.", "20 backup.old.example.")])
def test_an_mx_must_be_exactly_ours(values: tuple[str, ...]) -> None:
    one = answer(MX, [says(*values)])
    assert one.state == "fail"
    assert one.remedy == "publish acme.example. 3600 IN MX 10 mx1.hosting.example."


def test_a_missing_record_is_named_so_only_when_a_server_says_so() -> None:
    assert answer(MX, [NOTHING]).found == "no such record (NXDOMAIN)"
    one = answer(MX, [silent()])
    assert (one.state, one.found) == ("blocked", "no name server answers")
    assert answer(MX, []).state == "blocked"


def test_a_dead_server_is_no_fault_of_the_record() -> None:
    assert answer(MX, [says("10 mx1.hosting.example."), silent()]).state == "ok"


def test_servers_that_disagree_are_propagating() -> None:
    one = answer(MX, [says("10 mx1.hosting.example."), says("10 mail.old.example.", server="ns2", ttl=900)])
    assert one.state == "warn"
    assert one.found == "propagating: ns2 says 10 mail.old.example. (TTL 900 s)"
    assert one.remedy == "wait 900 s, then verify again"


def test_servers_that_are_wrong_each_in_its_way_fail() -> None:
    one = answer(MX, [says("10 a.example."), says("10 b.example.", server="ns2")])
    assert (one.state, one.found) == ("fail", "10 a.example.; 10 b.example.")


def test_every_dead_server_is_one_finding_of_all_its_records() -> None:
    heard = [(MX, [says("x"), silent()]), (TXT, [says("x"), silent(why="SERVFAIL")])]
    one = servers("acme.example", heard)
    assert (one.id, one.state, one.found) == ("dns.servers", "warn", "ns2: SERVFAIL, no answer within 4 s")
    assert servers("acme.example", [(MX, [silent()])]).state == "fail"
    assert servers("acme.example", [(MX, [])]).found == "no name server could be found for acme.example"
    assert servers("acme.example", [(MX, [says("x")])]).state == "ok"


def test_two_spf_records_fail_and_the_remedy_names_the_one_to_remove() -> None:
    one = answer(TXT, [says(SPF, "v=spf1 mx ~all", "site-verification=1")])
    assert (one.state, one.found) == ("fail", f"2 SPF records: {SPF} | v=spf1 mx ~all")
    assert one.remedy == 'remove acme.example. 300 IN TXT "v=spf1 mx ~all"'


def test_a_wrong_spf_record_is_removed_and_ours_published() -> None:
    assert answer(TXT, [says("v=spf1 mx ~all")]).remedy.splitlines() == [
        'remove acme.example. 300 IN TXT "v=spf1 mx ~all"', f'publish acme.example. 3600 IN TXT "{SPF}"',
    ]
    assert answer(TXT, [says("site-verification=1")]).found == "no SPF record"


@pytest.mark.parametrize(("value", "state"), [
    (SPF.upper(), "ok"),
    ("v=spf1 include:hosting.example ip4:192.0.2.1 -all", "ok"),
    ("v=spf1 include:hosting.example ~all", "warn"),
    ("v=spf1 include:xhosting.example -all", "fail"),
    ("v=spf1 -all", "fail"),
])
def test_spf_is_compared_by_its_terms(value: str, state: str) -> None:
    assert compare(TXT, says(value))[0] == state


DKIM = Question("dns.dkim", "acme.example", "mx1._domainkey.acme.example", "TXT", frozenset({"v=DKIM1; k=rsa; p=AAAA"}), ("line",))


@pytest.mark.parametrize(("values", "state", "found"), [
    (("k=rsa; v=DKIM1;p=AA AA",), "ok", "the key that the node reported"),
    (("v=DKIM1; p=BBBB",), "fail", "another key than the node signs with"),
    (("v=DKIM1; p=",), "fail", "a revoked key (empty p=)"),
    (("v=DKIM1; p=AAAA", "v=DKIM1; p=BBBB"), "fail", "2 keys at mx1._domainkey.acme.example"),
    (("nonsense",), "fail", "no key"),
])
def test_a_dkim_key_is_compared_by_the_key(values: tuple[str, ...], state: str, found: str) -> None:
    assert compare(DKIM, says(*values)) == (state, found)


@pytest.mark.parametrize(("id_", "wanted", "value", "state"), [
    ("dns.dmarc", "v=DMARC1; p=none", "v=DMARC1;p=none;", "ok"),
    ("dns.dmarc", "v=DMARC1; p=none", "v=DMARC1; p=reject", "warn"),
    ("dns.dmarc", "v=DMARC1; p=none", "v=spf1 -all", "fail"),
    ("dns.mta_sts", "v=STSv1; id=1;", "v=STSv1; id=2;", "fail"),
    ("dns.tls_rpt", "v=TLSRPTv1; rua=mailto:a@b.example", "v=TLSRPTv1; rua=mailto:c@d.example", "warn"),
])
def test_tagged_records_are_compared_by_their_tags(id_: str, wanted: str, value: str, state: str) -> None:
    question = Question(id_, "acme.example", "_x.acme.example", "TXT", frozenset({wanted}), ("line",))
    assert compare(question, says(value))[0] == state


def test_two_records_of_one_version_fail() -> None:
    question = Question("dns.dmarc", "acme.example", "_dmarc.acme.example", "TXT", frozenset({"v=DMARC1; p=none"}), ("line",))
    assert compare(question, says("v=DMARC1; p=none", "v=DMARC1; p=reject")) == ("fail", "2 records of v=dmarc1: v=DMARC1; p=none | v=DMARC1; p=reject")


def test_tags_are_read_as_the_rfcs_write_them() -> None:
    assert tags("v=DKIM1; P = AA\tBB ;; k=rsa") == {"v": "DKIM1", "p": "AABB", "k": "rsa"}


def test_record_sets_of_one_kind_are_one_finding() -> None:
    good = answer(MX, [says("10 mx1.hosting.example.")])
    srv = [Question("dns.srv", "acme.example", f"_{name}._tcp.acme.example", "SRV", frozenset({"0 0 0 ."}), (f"line {name}",)) for name in ("imap", "pop3")]
    found = to_findings([good, answer(srv[0], [says("0 0 0 .")]), answer(srv[1], [NOTHING])])
    assert [(one.id, one.state) for one in found] == [("dns.mx", "ok"), ("dns.srv", "fail")]
    assert found[1].expected == "line pop3"
    assert found[1].found == "_pop3._tcp.acme.example SRV: no such record (NXDOMAIN)"
    assert found[1].remedy == "publish line pop3"


@pytest.fixture(scope="module")
def asked(estate: Estate) -> list[Question]:
    return questions(estate, compile_dns.records(estate))


@pytest.fixture(scope="module")
def estate() -> Estate:
    from ansible_collections.reseller.mail.plugins.module_utils._load import load

    found, faults = load(str(Path(__file__).parents[8] / "estates" / "example"))
    assert found is not None, faults
    return found


def test_every_kind_of_record_has_its_question(asked: list[Question]) -> None:
    ids = {one.id for one in asked if one.subject == "acme.example"}
    assert ids >= {"dns.mx", "dns.spf", "dns.dmarc", "dns.mta_sts", "dns.tls_rpt", "dns.srv", "dns.address", "dns.dmarc_grant"}
    assert {one.id for one in asked if one.subject == "hosting.example"} == {"dns.provider_spf"}
    assert "dns.record" not in {one.id for one in asked}


def test_every_question_is_answered_well_by_its_own_lines(asked: list[Question]) -> None:
    for question in asked:
        assert answer(question, [says(*question.values)]).state == "ok", question
        assert question.lines, question


def test_nodes_are_asked_for_their_addresses_in_either_family() -> None:
    node = Node("mx1", "mx1.hosting.example", 13, ("192.0.2.3", "2001:DB8::3"))
    bare = Estate(Provider("P", "hosting.example"), (node,), (), ())
    found = [one for one in questions(bare, compile_dns.records(bare)) if one.id == "dns.node_address"]
    assert [(one.id, one.type, set(one.values)) for one in found] == [
        ("dns.node_address", "A", {"192.0.2.3"}), ("dns.node_address", "AAAA", {"2001:db8::3"}),
    ]
    assert reverse(node, "2001:db8::3").name.endswith(".8.b.d.0.1.0.0.2.ip6.arpa")
    assert reverse(node, "192.0.2.3").lines == ("3.2.0.192.in-addr.arpa. 3600 IN PTR mx1.hosting.example.",)


def test_an_ipv6_address_compares_however_it_is_written() -> None:
    record = compile_dns.Record("acme.example", "mta-sts.acme.example", "AAAA", 300, "2001:DB8:0::3", True, "client_address")
    (question,) = questions(Estate(Provider("P", "hosting.example"), (), (), ()), [record])
    assert answer(question, [says("2001:db8::3")]).state == "ok"
