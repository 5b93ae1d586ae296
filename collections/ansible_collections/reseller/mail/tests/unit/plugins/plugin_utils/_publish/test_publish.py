# SPDX-License-Identifier: GPL-3.0-or-later
"""Publishing and verifying against a small name server on this machine's loopback addresses;
against Knot it is done on the lab's hosts."""

from __future__ import annotations

import asyncio
import dataclasses
import typing as t
from pathlib import Path

import dns.asyncquery
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.tsig
import dns.tsigkeyring
import dns.update
import dns.zone
import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._dns import https
from ansible_collections.reseller.mail.plugins.plugin_utils._dns import query as dns_query
from ansible_collections.reseller.mail.plugins.plugin_utils._dns.query import Asker, server_at
from ansible_collections.reseller.mail.plugins.plugin_utils._load import load
from ansible_collections.reseller.mail.plugins.plugin_utils._model.domain import (
    Branding,
    Domain,
    Mailbox,
    Spf,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import (
    DkimKey,
    Estate,
    NodeState,
    TlsKey,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.tenant import Tenant
from ansible_collections.reseller.mail.plugins.plugin_utils._publish import (
    octodns as publish_octodns,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._publish import plan as publish_plan
from ansible_collections.reseller.mail.plugins.plugin_utils._publish import (
    primary as publish_primary,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._publish import (
    publish as publish_publish,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._publish import transfer, update, watch
from ansible_collections.reseller.mail.plugins.plugin_utils._publish.primary import Primary
from ansible_collections.reseller.mail.plugins.plugin_utils._publish.publish import Outcome, publish
from ansible_collections.reseller.mail.plugins.plugin_utils._publish.published_records import (
    Published,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.dns import ask as verify_dns
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.dns.previous_providers import (
    SELECTORS,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.finding import Finding
from ansible_collections.reseller.mail.tests.unit.support.name_server import NameServer
from ansible_collections.reseller.mail.tests.unit.support.ports import Pair, one_port

SECRET = "bGFiLWxhYi1sYWItbGFiLWxhYi1sYWItbGFiLWxhYi0="
KEYS = dns.tsigkeyring.from_text({"lab": SECRET})
ZONES = ("example", "hosting.example", "acme.example", "globex.example", "10.in-addr.arpa")
Sets = t.Dict[t.Tuple[str, str], "dns.rrset.RRset"]


def _is_in(name: str, zone: str) -> bool:
    return not zone or name == zone or name.endswith(f".{zone}")


class Zones(NameServer):
    """Everything that a name server of the small world needs: authoritative, and to those who ask
    it so, a resolver."""

    def __init__(self, sockets: Pair) -> None:
        self.sets: Sets = {}
        self.mute: set[str] = set()
        self.foreign: set[str] = set()
        self.dropped: set[tuple[str, str]] = set()
        self.updates = 0
        self.questions: list[tuple[str, str]] = []
        self.transfers = True
        self.updated: set[str] = set()
        self.cut = ""
        self.meanwhile: t.Callable[[Zones], None] = lambda server: None
        super().__init__(sockets)

    def put(self, name: str, kind: str, *values: str, ttl: int = 3600) -> None:
        self.sets[name, kind] = dns.rrset.from_text(name + ".", ttl, "IN", kind, *values)

    def values(self, name: str, kind: str) -> list[str]:
        return sorted(rdata.to_text() for rdata in self.sets.get((name, kind), ()))

    def answers(self, wire: bytes, most: int) -> list[bytes]:
        try:
            query = dns.message.from_wire(wire, keyring=KEYS)
        except (dns.message.UnknownTSIGKey, dns.tsig.BadSignature):
            refused = dns.message.make_response(dns.message.from_wire(wire, keyring=False))
            refused.set_rcode(dns.rcode.NOTAUTH)
            return [refused.to_wire()]
        if query.question[0].rdtype == dns.rdatatype.AXFR:
            return self._transfer(query)
        answer = self._answer(query)
        return [answer] if answer else []

    def zone_of(self, name: str) -> str:
        return max((zone for zone in ("", *ZONES) if _is_in(name, zone)), key=len)

    def _transfer(self, query: t.Any) -> list[bytes]:
        """Two messages, signed, as a large zone takes."""
        zone = str(query.question[0].name).rstrip(".")
        first, last = dns.message.make_response(query), dns.message.make_response(query)
        if not self.transfers or not query.had_tsig or self.zone_of(zone) != zone:
            first.set_rcode(dns.rcode.REFUSED)
            return [first.to_wire()]
        soa = self.sets[zone, "SOA"]
        inside = [
            found
            for (name, kind), found in self.sets.items()
            if kind != "SOA" and (self.zone_of(name) == zone or (name, kind) == (self.cut, "NS"))
            if _is_in(name, zone)
        ]
        first.answer = [soa, *inside[:2]]
        last.answer = [*inside[2:], soa]
        context, wires = None, []
        for message in (first, last):
            wires.append(message.to_wire(multi=True, tsig_ctx=context))
            context = message.tsig_ctx
        return wires

    def _answer(self, query: t.Any) -> bytes:
        response = dns.message.make_response(query)
        if query.opcode() == dns.opcode.UPDATE:
            self._update(query, response)
            return response.to_wire()
        question = query.question[0]
        name, kind = str(question.name).rstrip("."), dns.rdatatype.to_text(question.rdtype)
        self.questions.append((name, kind))
        if any(name.endswith(one) for one in self.mute):
            return b""
        if any(_is_in(name, one) for one in self.foreign):
            response.set_rcode(dns.rcode.REFUSED)
        else:
            self._look_up(name, kind, response)
        return response.to_wire()

    def _look_up(self, name: str, kind: str, response: t.Any) -> None:
        response.flags |= dns.flags.AA
        found = self.sets.get((name, kind)) or self.sets.get((name, "CNAME"))
        zone = self.zone_of(name)
        if found:
            response.answer.append(found)
        elif zone:
            response.authority.append(self.sets[zone, "SOA"])
            # A name above one that exists does, too (RFC 8020).
            if not any(_is_in(key[0], name) for key in self.sets):
                response.set_rcode(dns.rcode.NXDOMAIN)

    def _update(self, query: t.Any, response: t.Any) -> None:
        if not query.had_tsig:
            response.set_rcode(dns.rcode.REFUSED)
            return
        self.updates += 1
        self.updated.add(str(query.zone[0].name).rstrip("."))
        self.meanwhile(self)
        if not self._holds(query.prerequisite):
            response.set_rcode(dns.rcode.NXRRSET)
            return
        for one in query.update:
            key = str(one.name).rstrip("."), dns.rdatatype.to_text(one.rdtype)
            if key in self.dropped:
                continue
            if one.deleting == dns.rdataclass.ANY:
                self.sets.pop(key, None)
            else:
                old = self.sets.setdefault(
                    key, dns.rrset.RRset(one.name, dns.rdataclass.IN, one.rdtype)
                )
                for rdata in one:
                    old.add(rdata, one.ttl)

    def _holds(self, prerequisites: t.Iterable[t.Any]) -> bool:
        """RFC 2136 section 3.2: sets that are not there, and sets that are exactly these."""
        exactly: dict[tuple[str, str], set[t.Any]] = {}
        for one in prerequisites:
            key = str(one.name).rstrip("."), dns.rdatatype.to_text(one.rdtype)
            assert one.deleting in (None, dns.rdataclass.NONE)
            exactly.setdefault(key, set()).update(one)
        return all(set(self.sets.get(key, ())) == values for key, values in exactly.items())


SERVERS = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
"""Where a test may start a server. Servers of a zone have one port, because name servers have."""


@pytest.fixture(name="sockets")
def _sockets() -> t.Iterator[dict[str, Pair]]:
    held = dict(zip(SERVERS, one_port(*SERVERS), strict=True))
    yield held
    for pair in held.values():
        for one in pair:
            one.close()


@pytest.fixture(params=["transfers", "questions"])
def world(sockets: dict[str, Pair], request: pytest.FixtureRequest) -> t.Iterator[Zones]:
    """The name server, once with transfers of zones, and once without."""
    server = Zones(sockets["127.0.0.1"])
    server.transfers = request.param == "transfers"
    for zone in ZONES:
        server.put(zone, "SOA", "ns.hosting.example. h.hosting.example. 1 600 300 86400 60")
        server.put(zone, "NS", "ns.hosting.example.")
    server.put("ns.hosting.example", "A", "127.0.0.1")
    for host, address in (("mx1", "10.97.0.3"), ("mx2", "10.97.0.4")):
        server.put(f"{host}.hosting.example", "A", address)
        server.put(
            ".".join(reversed(address.split("."))) + ".in-addr.arpa",
            "PTR",
            f"{host}.hosting.example.",
        )
    for number, host in ((13, "out1"), (14, "out2"), (20, "alt")):
        server.put(f"{number}.0.97.10.in-addr.arpa", "PTR", f"{host}.hosting.example.")
    server.put("spf.relay.example", "TXT", '"v=spf1 ip4:10.97.0.25 -all"')
    server.put("", "NS", "ns.hosting.example.")
    yield server
    server.close()


@pytest.fixture(scope="module")
def estate() -> Estate:
    """Two domains of the example with their keys reported, and without the policies, which no host
    serves here."""
    found, faults = load(str(Path(__file__).parents[9] / "estates" / "example"))
    assert found is not None, faults
    names = {"mx1": "acme.example", "mx2": "globex.example"}
    states = tuple(
        NodeState(
            node,
            tuple(DkimKey(one, node, "AAAA" * 100) for one in (name, f"{node}.hosting.example")),
        )
        for node, name in names.items()
    )
    return dataclasses.replace(_few(found, mta_sts=None), states=states)


def _few(estate: Estate, **changes: t.Any) -> Estate:
    tenants = []
    for tenant in estate.tenants:
        domains = [
            dataclasses.replace(domain, domain_aliases=(), **changes)
            for domain in tenant.domains
            if domain.name in ZONES
        ]
        if domains:
            tenants.append(dataclasses.replace(tenant, domains=tuple(domains)))
    return dataclasses.replace(estate, tenants=tuple(tenants))


def run(
    estate: Estate,
    world: Zones,
    check_mode: bool = False,
    key: str = "lab",
    secret: str = SECRET,
    timeout: float = 5,
    published: t.Optional[Published] = None,
    accepted: int = 0,
    tenant: t.Optional[Tenant] = None,
    progress: t.Callable[[int, int], None] = lambda done, total: None,
) -> Outcome:
    primary = Primary(server_at("127.0.0.1", world.port), key, "hmac-sha256", secret, timeout=2)

    async def work() -> Outcome:
        asker = Asker("127.0.0.1", timeout, at_once=4, port=world.port)
        return await publish(
            estate,
            asker,
            primary,
            published or {},
            ca_file="",
            seconds=0.6,
            check_mode=check_mode,
            accepted=accepted,
            tenant=tenant,
            progress=progress,
        )

    return asyncio.run(work())


def ask(estate: Estate, world: Zones, timeout: float = 5) -> dict[tuple[str, str], Finding]:
    async def work() -> list[Finding]:
        return await verify_dns.findings(
            estate, Asker("127.0.0.1", timeout, at_once=4, port=world.port)
        )

    findings = asyncio.run(work())
    found = {(one.subject, one.id): one for one in findings}
    assert len(found) == len(findings), "an id and a subject name one finding"
    return found


LITTLE_WORLD = (
    "dns.settings_unreachable",
    "dns.servers_few",
    "dns.servers_no_ipv6",
    "dns.dnssec_unsigned",
    "dns.tls_rpt_no_mailbox",
    "dns.dmarc_no_mailbox",
    "dns.dmarc_unreported",
)
"""What is true of the name server above, or of an estate without its other domains, and not what
these tests are about."""


def amiss(found: dict[tuple[str, str], Finding]) -> dict[tuple[str, str], str]:
    return {
        key: one.state
        for key, one in found.items()
        if one.state not in ("ok", "blocked") and key[1] not in LITTLE_WORLD
    }


def lines(outcome: Outcome) -> list[str]:
    return [line for change in outcome.changes for line in change.lines()]


def test_a_published_estate_verifies_and_publishing_again_changes_nothing(
    estate: Estate, world: Zones
) -> None:
    planned = run(estate, world, check_mode=True)
    assert (world.updates, planned.faults) == (0, [])
    first = run(estate, world)
    assert lines(first) == lines(planned)
    assert "+ acme.example MX 10 mx1.hosting.example." in lines(first)
    assert world.updates == len({"hosting.example", "acme.example", "globex.example"}), (
        "one update a zone"
    )
    again = run(estate, world)
    assert (lines(again), again.pending, again.faults, again.lagging) == ([], [], [], [])
    assert amiss(ask(estate, world)) == {}


def test_other_peoples_records_come_back_exactly_as_they_were(estate: Estate, world: Zones) -> None:
    world.put("acme.example", "TXT", '"proof=" "\\255x"', '"v=spf1 ~all"', ttl=60)
    world.put("www.acme.example", "A", "192.0.2.1")
    run(estate, world)
    assert world.values("acme.example", "TXT") == [
        '"proof=" "\\255x"',
        '"v=spf1 include:hosting.example -all"',
    ]
    assert world.values("www.acme.example", "A") == ["192.0.2.1"]


def notes(outcome: Outcome) -> list[str]:
    """The notes, but for the one that zones were not transferred."""
    return [note for note in outcome.notes if "did not transfer" not in note]


PROVIDER_MX = ["10 mx1.hosting.example.", "10 mx2.hosting.example."]


@pytest.mark.parametrize(
    "theirs",
    [
        ("5 mx.elsewhere.example.",),
        ("0 .",),
        ("10 mx1.hosting.example.", "20 mx.elsewhere.example."),
    ],
)
def test_the_mail_of_the_provider_s_domain_is_not_taken_over(
    estate: Estate, world: Zones, theirs: tuple[str, ...]
) -> None:
    world.put("hosting.example", "MX", *theirs)
    for _time in range(2):
        outcome = run(estate, world)
        assert world.values("hosting.example", "MX") == sorted(theirs)
        (why,) = (line for line in outcome.pending if line.startswith("hosting.example MX"))
        assert f"records of other people stay: {theirs[-1]}" in why
        assert outcome.faults == []
        assert ("hosting.example", "MX") not in outcome.published["hosting.example"]
    assert world.values("hosting.example", "TXT"), "all else is published"
    state, ids = (
        amiss(ask(estate, world)),
        (
            ("warn", "dns.provider_mx_elsewhere")
            if theirs[0] in ("0 .", "5 mx.elsewhere.example.")
            else ("fail", "dns.provider_mx_other")
        ),
    )
    assert state == {("hosting.example", ids[1]): ids[0]}


def test_the_mx_of_the_provider_s_domain_that_is_ours_is_kept_up(
    estate: Estate, world: Zones
) -> None:
    former = {
        "hosting.example": {("hosting.example", "MX"): frozenset({"10 former.hosting.example."})}
    }
    world.put("hosting.example", "MX", "10 former.hosting.example.")
    outcome = run(estate, world, published=former)
    assert (world.values("hosting.example", "MX"), outcome.pending) == (PROVIDER_MX, [])
    world.put(
        "hosting.example", "MX", "10 mx1.hosting.example."
    )  # by our own name, where the book was lost
    run(estate, world)
    assert world.values("hosting.example", "MX") == PROVIDER_MX
    nobody = dataclasses.replace(
        estate, provider=dataclasses.replace(estate.provider, contact=None)
    )
    run(nobody, world, published=outcome.published)
    assert world.values("hosting.example", "MX") == []


def test_what_somebody_wrote_while_the_run_planned_is_not_lost(
    estate: Estate, world: Zones
) -> None:
    world.put("acme.example", "TXT", '"v=spf1 ~all"')

    def proof(server: Zones) -> None:
        server.put("acme.example", "TXT", '"v=spf1 ~all"', '"proof=1"')

    world.meanwhile = proof
    outcome = run(estate, world)
    assert outcome.faults == [
        "acme.example: somebody else changed records of this zone during this run; nothing was"
        " changed; run the playbook again"
    ]
    assert world.values("acme.example", "TXT") == ['"proof=1"', '"v=spf1 ~all"']
    assert world.values("globex.example", "MX"), "nobody else waits"
    world.meanwhile = lambda server: None
    assert run(estate, world).faults == []
    assert world.values("acme.example", "TXT") == [
        '"proof=1"',
        '"v=spf1 include:hosting.example -all"',
    ]


def test_a_text_that_is_there_twice_split_differently_becomes_one(
    estate: Estate, world: Zones
) -> None:
    world.put("acme.example", "TXT", '"v=spf1 ~all"', '"v=spf1 " "~all"')
    assert run(estate, world).faults == []
    assert world.values("acme.example", "TXT") == ['"v=spf1 include:hosting.example -all"']


def test_a_long_key_is_split(estate: Estate, world: Zones) -> None:
    run(estate, world)
    (key,) = world.values("mx1._domainkey.acme.example", "TXT")
    assert [len(part) for part in key.strip('"').split('" "')] == [
        255,
        len("v=DKIM1; k=rsa; p=" + "AAAA" * 100) - 255,
    ]


def test_a_key_that_is_not_reported_any_more_stays_and_is_pending(
    estate: Estate, world: Zones
) -> None:
    run(estate, world)
    outcome = run(dataclasses.replace(estate, states=()), world)
    assert lines(outcome) == []
    assert "mx1._domainkey.acme.example: its node has not reported the key" in outcome.pending


def _rotated(estate: Estate, world: Zones) -> Estate:
    """The estate after mx1 has replaced its keys once; acme.example was on mx2 before."""
    world.put("hosting.example", "DNSKEY", "257 3 13 " + "A" * 88)
    kept = tuple(state for state in estate.states if state.node != "mx1")
    (mx2,) = kept
    keys = tuple(
        DkimKey("acme.example", selector, "BBBB" * 100, state=state)
        for selector, state in (("mx1-2", "retired"), ("mx1-3", "active"))
    )
    own = DkimKey("mx1.hosting.example", "mx1-2", "BBBB" * 100, state="active")
    former = DkimKey("acme.example", "mx2", "CCCC" * 100, state="retired")
    tls = (TlsKey("mx1.hosting.example", "ab" * 32, "cd" * 32),)
    return dataclasses.replace(
        estate,
        states=(
            dataclasses.replace(mx2, dkim=(*mx2.dkim, former)),
            NodeState("mx1", (*keys, own), tls),
        ),
    )


@pytest.mark.parametrize("with_list", [True, False])
def test_the_keys_of_a_node_without_a_report_stay_whatever_their_selectors(
    estate: Estate, world: Zones, with_list: bool
) -> None:
    """A clone without the file of a node that the run does not reach."""
    rotated = _rotated(estate, world)
    first = run(rotated, world)
    assert world.values("_25._tcp.mx1.hosting.example", "TLSA") != []
    assert world.values("mx2._domainkey.acme.example", "TXT") != []
    published = first.published if with_list else {}
    for node in ("mx1", "mx2"):
        without = tuple(state for state in rotated.states if state.node != node)
        outcome = run(dataclasses.replace(rotated, states=without), world, published=published)
        assert lines(outcome) == []
        assert outcome.faults == []
        note = f"{node}: the estate has no report of its keys (state/{node}.json), so their records"
        assert [text for text in outcome.notes if text.startswith(note)] != []
        if with_list:
            assert outcome.published == published
    # With the reports everything goes on: a key that is no longer reported leaves DNS.
    (mx2, mx1) = rotated.states
    later = dataclasses.replace(mx1, dkim=mx1.dkim[1:])
    done = run(dataclasses.replace(rotated, states=(mx2, later)), world, published=first.published)
    assert [line[:32] for line in lines(done)] == ["- mx1-2._domainkey.acme.example "]


def test_octodns_leaves_the_keys_of_a_node_without_a_report_alone(
    estate: Estate, world: Zones
) -> None:
    rotated = _rotated(estate, world)
    first = run(rotated, world)
    (mx2, _mx1) = rotated.states
    without = dataclasses.replace(rotated, states=(mx2,))

    async def work() -> publish_octodns.Prepared:
        asker = Asker("127.0.0.1", 5, at_once=4, port=world.port)
        return await publish_octodns.prepare(without, asker, first.published, {}, "")

    prepared = asyncio.run(work())
    kept = [("mx1-3._domainkey.acme.example", "TXT"), ("_25._tcp.mx1.hosting.example", "TLSA")]
    for (name, kind), domain in zip(kept, ("acme.example", "mx1.hosting.example"), strict=True):
        assert not any(name in text for text in prepared.files.values())
        assert prepared.done[domain][name, kind] == first.published[domain][name, kind]


def test_octodns_gets_the_domains_of_one_tenant_and_keeps_the_list_of_the_others(
    estate: Estate, world: Zones
) -> None:
    first = run(estate, world)
    (acme,) = (one for one in estate.tenants if one.name == "acme")
    gone = {("old.globex.example", "A"): frozenset({"192.0.2.1"})}
    published = {**first.published, "globex.example": gone}

    async def work() -> publish_octodns.Prepared:
        asker = Asker("127.0.0.1", 5, at_once=4, port=world.port)
        return await publish_octodns.prepare(estate, asker, published, {}, "", acme)

    prepared = asyncio.run(work())
    assert sorted(prepared.zones_of) == ["acme.example"]
    assert not any("globex" in text for text in prepared.files.values())
    assert any("acme" in path for path in prepared.files)
    assert prepared.done["globex.example"] == prepared.meanwhile["globex.example"] == gone
    assert prepared.done["mx1.hosting.example"] == first.published["mx1.hosting.example"]


def test_a_policy_that_cannot_be_fetched_holds_its_record_back(
    estate: Estate, world: Zones
) -> None:
    found, _faults = load(str(Path(__file__).parents[9] / "estates" / "example"))
    assert found is not None
    outcome = run(_few(found), world)
    assert world.values("_mta-sts.acme.example", "TXT") == []
    assert world.values("mta-sts.acme.example", "A") == ["10.97.0.3"]
    assert any(
        text.startswith("_mta-sts.acme.example: the policy cannot be fetched: ")
        for text in outcome.pending
    )


def test_a_terminated_tenant_leaves_dns(estate: Estate, world: Zones) -> None:
    run(estate, world)
    run(tenants(estate, "globex", state="terminated"), world)
    assert sorted(key for key in world.sets if key[0].endswith("globex.example")) == [
        ("globex.example", "NS"),
        ("globex.example", "SOA"),
    ]
    assert world.values("acme.example", "MX") == [
        "10 mx1.hosting.example.",
        "20 alt.hosting.example.",
        "30 mx2.hosting.example.",
    ]


def test_a_cname_in_the_way_stops_its_domain_only(estate: Estate, world: Zones) -> None:
    world.put("mail.acme.example", "CNAME", "elsewhere.example.")
    outcome = run(estate, world)
    assert outcome.faults == [
        "mail.acme.example is a CNAME to elsewhere.example; remove it: A, AAAA, CAA, MX, TXT cannot"
        " exist beside a CNAME"
    ]
    assert world.values("globex.example", "MX") == [
        "10 mx2.hosting.example.",
        "20 alt.hosting.example.",
    ]
    assert world.values("acme.example", "MX") == []


def test_a_refusing_primary_changes_nothing(estate: Estate, world: Zones) -> None:
    outcome = run(estate, world, key="")
    assert (outcome.changes, world.updates) == ([], 0)
    assert (
        "acme.example: 127.0.0.1 refused the update: REFUSED; it was not signed with a TSIG key"
        in outcome.faults
    )


@pytest.mark.parametrize(("key", "secret"), [("lab", "AAAA"), ("other", SECRET)])
def test_with_a_wrong_key_nothing_is_changed(
    estate: Estate, world: Zones, key: str, secret: str
) -> None:
    outcome = run(estate, world, key=key, secret=secret)
    assert (outcome.changes, world.updates) == ([], 0)
    assert any(
        fault.startswith("acme.example: 127.0.0.1 did not accept the update: ")
        for fault in outcome.faults
    )


@pytest.mark.parametrize(
    ("key", "secret", "why"),
    [
        ("lab", "not+base/64", "the secret of the TSIG key lab is not base64"),
        ("lab", "gehäim", "the secret of the TSIG key lab is not base64"),
        ("lab..x", SECRET, "'lab..x' cannot be the name of a TSIG key"),
    ],
)
def test_a_key_that_can_be_none_is_said_once_for_all_zones(
    estate: Estate, world: Zones, key: str, secret: str, why: str
) -> None:
    outcome = run(estate, world, key=key, secret=secret)
    assert (outcome.changes, world.updates) == ([], 0)
    assert outcome.faults == [f"{why}; nothing was sent for 2 more zones"]


def test_a_server_that_takes_no_tcp_is_tried_with_another_zone_and_then_left_alone(
    estate: Estate, world: Zones
) -> None:
    world.close_tcp()
    first, second = run(estate, world).faults
    assert first.startswith("acme.example: 127.0.0.1 did not accept the update over TCP: ")
    assert second.startswith("globex.example: 127.0.0.1 did not accept the update over TCP: ")
    assert second.endswith("; nothing was sent for 1 more zones")


def test_a_server_that_goes_down_after_the_first_zone_has_that_zone_only(
    estate: Estate, world: Zones
) -> None:
    world.meanwhile = lambda server: server.close_tcp()
    outcome = run(estate, world)
    assert {change.name.split(".")[-2] for change in outcome.changes} == {"acme"}
    for zone in ("globex.example", "hosting.example"):
        assert any(
            fault.startswith(f"{zone}: 127.0.0.1 did not accept the update over TCP: ")
            for fault in outcome.faults
        )
    assert "acme.example" in outcome.published
    assert not {"globex.example", "hosting.example"} & outcome.published.keys()


@pytest.mark.parametrize(("changes", "asked"), [(1, 1), (3, 3), (4, 3), (20, 3)])
def test_other_servers_are_asked_about_few_of_the_changes(changes: int, asked: int) -> None:
    whole = [publish_plan.Change(f"n{nth}", "MX", (), ("x",), 0, 60) for nth in range(changes)]
    some = watch._sample(whole)
    assert len(some) == asked
    assert some[0] == whole[0]
    assert some == sorted(some, key=whole.index)


def test_one_domain_s_values_stop_neither_its_neighbours_in_the_zone_nor_other_zones(
    estate: Estate, world: Zones
) -> None:
    """Refused by the judge today; a neighbour must be safe whatever a later value, or a name
    server, makes of it."""
    much = Spf(include=tuple(f"{'s' * 60}.n{nth}.example" for nth in range(1_200)))
    globex = estate.tenants[[tenant.name for tenant in estate.tenants].index("globex")]
    large = Domain(
        "globex.acme.example",
        "mail",
        "",
        (Mailbox("it", "globex.acme.example", None, ""),),
        managed=True,
        spf=much,
    )
    whole = tenants(estate, "globex", domains=(*globex.domains, large))
    outcome = run(whole, world)
    (fault,) = outcome.faults
    assert fault.startswith(
        "globex.acme.example in the zone acme.example: 127.0.0.1 did not accept the update: "
    )
    assert world.values("globex.acme.example", "MX") == []
    for name in ("acme.example", "globex.example"):
        assert world.values(name, "MX"), name
    assert set(outcome.published) >= {"acme.example", "globex.example", "hosting.example"}
    assert "globex.acme.example" not in outcome.published
    assert run(estate, world, published=outcome.published).changes == []


def test_a_domain_that_cannot_be_worked_out_stops_no_other(
    estate: Estate, world: Zones, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = publish_publish.plan_changes

    def breaks(wanted: t.Any, *more: t.Any) -> t.Any:
        if ("acme.example", "MX") in wanted:
            raise ZeroDivisionError("as nobody expects it")
        return plan(wanted, *more)

    monkeypatch.setattr(publish_publish, "plan_changes", breaks)
    outcome = run(estate, world)
    assert outcome.faults == [
        "acme.example: its records cannot be planned: ZeroDivisionError: as nobody expects it"
    ]
    assert world.values("globex.example", "MX")


def test_updates_are_cut_by_their_size_and_never_within_a_name() -> None:
    changes = [
        publish_plan.Change(
            f"n{nth // 2}.example", "TXT" if nth % 2 else "MX", (), ("x" * 4_000,), 0, 60
        )
        for nth in range(60)
    ]
    parts = list(update.batches(changes))
    assert len(parts) > 1
    assert sorted(change for part in parts for change in part) == sorted(changes)
    names = [{change.name for change in part} for part in parts]
    assert sum(map(len, names)) == len(set().union(*names)) == 30
    primary = Primary(server_at("127.0.0.1"), "lab", "hmac-sha256", SECRET)
    for part in parts:
        assert (
            len(
                update._message(
                    primary, "example", [change for change in part if change.type == "TXT"], {}
                ).to_wire()
            )
            < 65_535
        )


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (dns.tsig.PeerBadKey(), "it does not know the TSIG key lab for hmac-sha256"),
        (dns.tsig.PeerBadSignature(), "it has another secret for the TSIG key lab"),
        (
            dns.tsig.PeerBadTime(),
            "its clock and the clock of this machine differ too much for TSIG",
        ),
        (
            dns.tsig.PeerBadTruncation(),
            (
                "the TSIG key lab does not work: The peer didn't like amount of"
                " truncation in the TSIG we sent"
            ),
        ),
    ],
)
def test_what_a_server_has_against_a_signature_is_said_plainly(
    error: Exception, words: str
) -> None:
    """RFC 8945 section 5.2; Knot answers so (tried in the lab), the server here does not."""
    assert (
        publish_primary.about_key(
            error, Primary(server_at("127.0.0.1"), "lab", "hmac-sha256", SECRET)
        )
        == words
    )


def test_a_domain_that_the_primary_does_not_answer_about_is_left_alone(
    estate: Estate, world: Zones, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dns_query, "TRIES", 1)
    world.mute.add("acme.example")
    outcome = run(estate, world, check_mode=True, timeout=1)
    assert any(
        "gave no usable answer for acme.example MX: no answer within 1 s" in fault
        for fault in outcome.faults
    )
    assert not any(line.startswith("+ acme.example ") for line in lines(outcome))


def _transferred(text: str) -> transfer.Transferred:
    data = dns.zone.from_text(text, "zone.example.", relativize=False, check_origin=False)
    records = transfer._Records(data.origin)
    for name, node in data.items():
        for rdataset in node:
            records.add(name, rdataset)
    return transfer.Transferred("zone.example", server_at("192.0.2.53"), records)


def _questions_about_sets(world: Zones) -> list[tuple[str, str]]:
    """The questions so far about other things than zones and their servers."""
    return [one for one in world.questions if one[1] not in ("SOA", "NS", "DNSKEY", "A", "AAAA")]


def test_a_zone_is_transferred_once_and_its_record_sets_are_not_asked_about(
    estate: Estate, world: Zones
) -> None:
    outcome = run(estate, world, check_mode=True)
    assert outcome.faults == []
    if world.transfers:
        assert _questions_about_sets(world) == []
        assert outcome.notes == []
    else:
        assert len(_questions_about_sets(world)) > 50
        (note,) = outcome.notes
        assert note == (
            "127.0.0.1 did not transfer acme.example, globex.example, hosting.example (AXFR:"
            " REFUSED); this run asked about every record set instead, which takes longer; allow"
            " the TSIG key lab to transfer the zones"
        )


def test_after_an_update_the_zone_is_read_again(estate: Estate, world: Zones) -> None:
    world.dropped.add(("acme.example", "MX"))
    outcome = run(estate, world)
    assert outcome.faults == [
        "127.0.0.1 accepted the update, but acme.example MX is missing",
    ]


def test_a_server_that_refuses_some_transfers_is_not_asked_for_all(
    estate: Estate, world: Zones, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "PATIENCE", 1)
    monkeypatch.setattr(transfer, "AT_ONCE", 1)
    world.transfers = False
    (note,) = run(estate, world, check_mode=True).notes
    assert note.startswith("127.0.0.1 did not transfer acme.example (AXFR: REFUSED)")


def test_an_unsigned_transfer_is_not_believed(
    estate: Estate, world: Zones, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 8945 section 5.3: the first and the last message of a signed transfer are signed."""
    if not world.transfers:
        pytest.skip("nothing is transferred")
    whole = world._transfer

    def unsigned(query: t.Any) -> list[bytes]:
        messages = [dns.message.from_wire(wire, keyring=False) for wire in whole(query)]
        for message in messages:
            message.tsig = None
        return [message.to_wire() for message in messages]

    monkeypatch.setattr(world, "_transfer", unsigned)
    outcome = run(estate, world, check_mode=True)
    assert len(_questions_about_sets(world)) > 50
    assert "missing TSIG" in "".join(outcome.notes)


def test_a_key_that_may_only_update_is_not_called_unknown(
    estate: Estate, world: Zones, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Knot 3.2 answers BADKEY for a key that it knows (tried), the server here does not."""

    async def refuse(*_arguments: t.Any) -> None:
        raise dns.tsig.PeerBadKey

    monkeypatch.setattr(dns.asyncquery, "inbound_xfr", refuse)
    outcome = run(estate, world)
    assert outcome.faults == []
    assert "(AXFR: BADKEY)" in "".join(outcome.notes)


def test_policies_of_a_host_that_is_down_are_not_waited_for_one_by_one(
    estate: Estate, world: Zones, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, _faults = load(str(Path(__file__).parents[9] / "estates" / "example"))
    assert found is not None
    counters: list[t.Any] = []

    def fetch(*_arguments: t.Any, waits: t.Any) -> https.Fetched:
        counters.append(waits)
        return https.Fetched("timed out")

    monkeypatch.setattr(https, "fetch_policy", fetch)
    for name in ("acme.example", "globex.example"):
        world.put(f"mta-sts.{name}", "A", "10.97.0.3")
    run(_few(found), world, check_mode=True)
    assert len(counters) == 2
    assert counters[0] is counters[1]


def test_names_in_another_zone_of_the_server_are_asked_about(
    estate: Estate, world: Zones, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A delegation inside the domain's zone, to a zone that the same server has."""
    child = "_domainkey.acme.example"
    monkeypatch.setattr(f"{__name__}.ZONES", (*ZONES, child))
    world.put(child, "SOA", "ns.hosting.example. h.hosting.example. 1 600 300 86400 60")
    world.put(child, "NS", "ns.hosting.example.")
    world.cut = child
    assert run(estate, world).faults == []
    assert world.values("mx1._domainkey.acme.example", "TXT")
    assert world.updated >= {child, "acme.example"}
    again = run(estate, world)
    assert (lines(again), again.faults) == ([], [])


@pytest.mark.parametrize(
    ("kind", "owner", "inside", "outside"),
    [
        (
            "NS",
            "sub",
            {"zone.example", "www.zone.example"},
            {"sub.zone.example", "a.sub.zone.example"},
        ),
        ("DNAME", "sub", {"sub.zone.example"}, {"a.sub.zone.example", "b.a.sub.zone.example"}),
        ("DNAME", "@", {"zone.example"}, {"a.zone.example"}),
    ],
)
def test_a_zone_decides_about_its_own_names_only(
    kind: str, owner: str, inside: set[str], outside: set[str]
) -> None:
    text = f"@ 60 SOA ns h 7 1 1 1 1\n{owner} 60 {kind} there.example.\na.sub 60 A 192.0.2.1\n"
    zone = _transferred(text)
    assert zone.serial == 7
    for name in inside | outside | {"elsewhere.example"}:
        assert zone.holds(name) == (name in inside), name


def test_a_wildcard_is_no_record_of_the_name() -> None:
    """A record at the name replaces what the wildcard gave. So it is written, and nothing else."""
    text = "@ 60 SOA ns h 7 1 1 1 1\n* 60 CNAME there.example.\n"
    zone = _transferred(text)
    assert zone.reply("mta-sts.zone.example", "A").state == "none"


def tenants(estate: Estate, name: str, **changes: t.Any) -> Estate:
    """The estate with one tenant changed, or without it."""
    others = [one for one in estate.tenants if one.name != name]
    changed = [
        dataclasses.replace(one, **changes)
        for one in estate.tenants
        if one.name == name and changes
    ]
    return dataclasses.replace(estate, tenants=(*others, *changed))


def left_over(world: Zones, zone: str) -> list[tuple[str, str]]:
    return sorted(
        key
        for key in world.sets
        if (key[0] == zone or key[0].endswith(f".{zone}")) and key[1] not in ("SOA", "NS")
    )


def test_a_domain_whose_file_is_gone_leaves_dns_and_other_peoples_records_stay(
    estate: Estate, world: Zones
) -> None:
    first = run(estate, world)
    world.put("www.globex.example", "A", "198.51.100.7")
    world.sets["globex.example", "TXT"].add(
        dns.rrset.from_text("x.", 60, "IN", "TXT", '"proof=1"')[0]
    )
    world.put("_imaps._tcp.globex.example", "SRV", "0 1 993 imap.elsewhere.example.")
    without = tenants(estate, "globex")
    again = run(without, world, published=first.published)
    assert left_over(world, "globex.example") == [
        ("_imaps._tcp.globex.example", "SRV"),
        ("globex.example", "TXT"),
        ("www.globex.example", "A"),
    ], "the SRV was changed by somebody else meanwhile"
    assert world.values("globex.example", "TXT") == ['"proof=1"']
    assert "globex.example" not in again.published
    assert lines(run(without, world, published=again.published)) == []


def test_a_former_branding_host_leaves_dns(estate: Estate, world: Zones) -> None:
    first = run(estate, world)
    (acme,) = (one for one in estate.tenants if one.name == "acme")
    (domain,) = acme.domains
    renamed = dataclasses.replace(
        domain, branding=dataclasses.replace(domain.branding, hostname="post.acme.example")
    )
    outcome = run(tenants(estate, "acme", domains=(renamed,)), world, published=first.published)
    assert [key for key in world.sets if key[0] == "mail.acme.example"] == []
    assert world.values("post.acme.example", "A") == ["10.97.0.3"]
    assert ("mail.acme.example", "A") not in outcome.published["acme.example"]


def test_records_of_a_domain_that_the_provider_does_not_write_any_more_stay(
    estate: Estate, world: Zones
) -> None:
    first = run(estate, world)
    (globex,) = (one for one in estate.tenants if one.name == "globex")
    own = tuple(dataclasses.replace(domain, managed=False) for domain in globex.domains)
    outcome = run(tenants(estate, "globex", domains=own), world, published=first.published)
    assert (lines(outcome), notes(outcome)) == (
        [],
        ["globex.example: the provider does not manage its DNS any more; its records stay"],
    )
    assert "globex.example" not in outcome.published


def test_files_that_went_missing_do_not_empty_dns(estate: Estate, world: Zones) -> None:
    (acme,) = (one for one in estate.tenants if one.name == "acme")
    more = tuple(
        dataclasses.replace(acme.domains[0], name=f"d{number}.acme.example", branding=Branding())
        for number in range(4)
    )
    first = run(tenants(estate, "acme", domains=(*acme.domains, *more)), world)
    empty = dataclasses.replace(estate, tenants=())
    refused = run(empty, world, published=first.published)
    assert lines(refused) == []
    assert refused.faults == [
        "in DNS this run removes 6 of 12 domains (acme.example, d0.acme.example, d1.acme.example"
        " and 3 more); deletion_guard allows 10 % of domains. If this is intended, accept it with -e"
        " mail_deletions_accepted=6"
    ]
    assert refused.published == first.published
    meant = run(empty, world, published=first.published, accepted=6)
    assert left_over(world, "acme.example") == left_over(world, "globex.example") == []
    assert sorted(meant.published) == [
        "alt.hosting.example",
        "hosting.example",
        "mx1.hosting.example",
        "mx2.hosting.example",
        "out1.hosting.example",
        "out2.hosting.example",
    ]


def test_what_was_not_sent_is_not_in_the_book(estate: Estate, world: Zones) -> None:
    assert run(estate, world, key="").published == {}
    before = {"globex.example": {("old.globex.example", "A"): frozenset({"192.0.2.1"})}}
    world.put("old.globex.example", "A", "192.0.2.1")
    assert run(estate, world, key="", published=before).published == before


def test_a_zone_that_the_primary_does_not_hold_is_one_fault_and_a_former_one_is_forgotten(
    estate: Estate, world: Zones
) -> None:
    first = run(estate, world)
    world.foreign.add("globex.example")
    outcome = run(estate, world, published=first.published)
    assert len(outcome.faults) == 1
    assert outcome.faults[0].startswith(
        "globex.example: 127.0.0.1 has no zone for it (_autodiscover._tcp.globex.example: REFUSED);"
        " create it there"
    )
    assert outcome.published == first.published
    outcome = run(tenants(estate, "globex"), world, published=first.published)
    assert (outcome.faults, lines(outcome)) == ([], [])
    assert notes(outcome) == [
        "globex.example: 127.0.0.1 has no zone for it any more; its records leave the list of published records"
    ]
    assert "globex.example" not in outcome.published


def test_a_tls_key_is_published_in_a_signed_zone_only(estate: Estate, world: Zones) -> None:
    key = TlsKey("mx1.hosting.example", "ab" * 32, "cd" * 32)
    reported = dataclasses.replace(estate, states=(*estate.states, NodeState("mx1", (), (key,))))
    waiting = run(reported, world)
    assert (
        "_25._tcp.mx1.hosting.example TLSA: the zone hosting.example is not signed"
        in waiting.pending
    )
    assert world.values("_25._tcp.mx1.hosting.example", "TLSA") == []
    world.put(
        "hosting.example",
        "DNSKEY",
        "257 3 13"
        " mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==",
    )
    done = run(reported, world, published=waiting.published)
    assert world.values("_25._tcp.mx1.hosting.example", "TLSA") == [
        f"3 1 1 {'ab' * 32}",
        f"3 1 1 {'cd' * 32}",
    ]
    assert lines(run(reported, world, published=done.published)) == []


def test_a_primary_that_drops_a_part_without_a_word_is_found_out(
    estate: Estate, world: Zones
) -> None:
    world.dropped.add(("acme.example", "MX"))
    outcome = run(estate, world)
    assert outcome.faults == ["127.0.0.1 accepted the update, but acme.example MX is missing"]


def test_the_memory_of_resolvers_is_told(
    estate: Estate, world: Zones, sockets: dict[str, Pair]
) -> None:
    run(estate, world)
    old = Zones(sockets["127.0.0.3"])
    old.sets = {
        key: dns.rrset.from_rdata_list(one.name, 77, list(one)) for key, one in world.sets.items()
    }
    old.put("globex.example", "MX", "10 mail.old.example.", ttl=77)
    world.put("globex.example", "MX", "10 mail.old.example.")

    async def work() -> Outcome:
        asker = Asker("127.0.0.3", 2, at_once=4, port=world.port)
        primary = Primary(
            server_at("127.0.0.1", world.port), "lab", "hmac-sha256", SECRET, timeout=2
        )
        return await publish(estate, asker, primary, {}, ca_file="", seconds=0.6, check_mode=False)

    outcome = asyncio.run(work())
    old.close()
    assert outcome.remembered == [
        "globex.example: resolvers may have old records for another 77 s (globex.example MX)"
    ]


def test_many_records_of_one_zone_take_several_messages(estate: Estate, world: Zones) -> None:
    (acme,) = (one for one in estate.tenants if one.name == "acme")
    (domain,) = acme.domains
    many = tuple(
        dataclasses.replace(domain, name=f"d{number}.acme.example", branding=Branding())
        for number in range(40)
    )
    large = tenants(estate, "acme", domains=(domain, *many))
    outcome = run(large, world)
    assert outcome.faults == []
    assert world.values("d39.acme.example", "MX") == [
        "10 mx1.hosting.example.",
        "20 alt.hosting.example.",
        "30 mx2.hosting.example.",
    ]
    assert world.updates > 3, "more than one a zone"


@pytest.mark.parametrize(
    ("name", "kind", "values", "expected"),
    [
        (
            "acme.example",
            "MX",
            ["10 mail.old.example."],
            {("acme.example", "dns.mx_unresolved"): "fail"},
        ),
        ("acme.example", "MX", [], {("acme.example", "dns.mx_missing"): "fail"}),
        (
            "globex.example",
            "TXT",
            ['"v=spf1 include:hosting.example -all"', '"v=spf1 mx ~all"'],
            {("globex.example", "dns.spf_two"): "fail"},
        ),
        ("mx1._domainkey.acme.example", "TXT", [], {("acme.example", "dns.dkim_none"): "fail"}),
        (
            "_imaps._tcp.globex.example",
            "SRV",
            ["0 1 993 imap.old.example."],
            {("globex.example", "dns.srv_target"): "fail"},
        ),
        (
            "_dmarc.globex.example",
            "TXT",
            ['"v=DMARC1; p=reject"'],
            {("globex.example", "dns.dmarc_policy"): "warn"},
        ),
        (
            "mail.acme.example",
            "A",
            ["192.0.2.9"],
            {("acme.example", "dns.address_elsewhere"): "fail"},
        ),
        ("hosting.example", "TXT", [], {("hosting.example", "dns.provider_spf_missing"): "fail"}),
        (
            "mx1.hosting.example",
            "TXT",
            ['"v=spf1 -all"'],
            {("mx1.hosting.example", "dns.node_spf_other"): "fail"},
        ),
        (
            "3.0.97.10.in-addr.arpa",
            "PTR",
            ["dynamic.isp.example."],
            {("mx1.hosting.example", "dns.fcrdns_other"): "fail"},
        ),
    ],
)
def test_a_seeded_fault_is_one_finding(
    estate: Estate,
    world: Zones,
    name: str,
    kind: str,
    values: list[str],
    expected: dict[tuple[str, str], str],
) -> None:
    run(estate, world)
    world.sets.pop((name, kind), None)
    if values:
        world.put(name, kind, *values)
    assert amiss(ask(estate, world)) == expected


def test_nothing_is_said_about_a_domain_whose_mx_is_wrong(estate: Estate, world: Zones) -> None:
    run(estate, world)
    world.put("acme.example", "MX", "10 mail.old.example.")
    found = {
        id_: one for (subject, id_), one in ask(estate, world).items() if subject == "acme.example"
    }
    assert {id_ for id_, one in found.items() if one.state == "blocked"} == set(found) - {
        "dns.mx_unresolved",
        "dns.null_mx",
        *LITTLE_WORLD,
    }
    assert found["dns.spf"].found == "not asked: the MX is wrong"


@pytest.mark.parametrize(
    ("target", "fault"), [("mx.globex.example", "dns.mx_cname"), ("10.97.0.3", "dns.mx_address")]
)
def test_an_mx_is_a_name_with_addresses(
    estate: Estate, world: Zones, target: str, fault: str
) -> None:
    run(estate, world)
    world.put("mx.globex.example", "CNAME", "mx1.hosting.example.")
    world.put("globex.example", "MX", f"10 {target}.")
    assert amiss(ask(estate, world)) == {("globex.example", fault): "fail"}


def test_the_right_mx_without_addresses_is_a_finding_about_its_host(
    estate: Estate, world: Zones
) -> None:
    run(estate, world)
    del world.sets["mx2.hosting.example", "A"]
    assert amiss(ask(estate, world)) == {
        ("mx2.hosting.example", "dns.node_address_missing"): "fail"
    }


def test_a_branded_name_may_be_a_cname_that_leads_here(estate: Estate, world: Zones) -> None:
    run(estate, world)
    del world.sets["mail.acme.example", "A"]
    world.put("mail.acme.example", "CNAME", "mx1.hosting.example.")
    assert amiss(ask(estate, world)) == {("acme.example", "dns.address_missing"): "fail"}, (
        "this server does not follow: nothing at the end"
    )


def test_one_dead_server_is_one_warning_and_no_missing_record(estate: Estate, world: Zones) -> None:
    run(estate, world)
    world.put("globex.example", "NS", "ns.hosting.example.", "ns2.hosting.example.")
    world.put("ns2.hosting.example", "A", "127.0.0.2")
    found = ask(estate, world, timeout=1)
    assert amiss(found) == {("globex.example", "dns.servers_silent"): "warn"}
    assert found["globex.example", "dns.servers_silent"].found.startswith(
        "ns2.hosting.example (127.0.0.2): no answer"
    )


def _second_server(world: Zones, sockets: dict[str, Pair], zone: str) -> Zones:
    """A copy of the name server, which the zone names as well."""
    world.put(zone, "NS", "ns.hosting.example.", "ns2.hosting.example.")
    world.put("ns2.hosting.example", "A", "127.0.0.2")
    second = Zones(sockets["127.0.0.2"])
    second.sets = dict(world.sets)
    return second


def test_no_question_is_sent_twice_in_a_run(
    estate: Estate, world: Zones, sockets: dict[str, Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(estate, world)
    second = _second_server(world, sockets, "globex.example")
    sent: list[tuple[str, str, str, bool]] = []
    exchange = Asker._exchange

    async def listen(
        self: Asker, server: t.Any, name: str, rdtype: str, recursive: bool, unchecked: bool = False
    ) -> t.Any:
        sent.append((server.address, name, rdtype, recursive))
        return await exchange(self, server, name, rdtype, recursive, unchecked)

    monkeypatch.setattr(Asker, "_exchange", listen)
    assert amiss(ask(estate, world)) == {}
    second.close()
    assert sorted(sent) == sorted(set(sent))


def test_what_one_server_can_answer_is_asked_at_one(
    estate: Estate, world: Zones, sockets: dict[str, Pair]
) -> None:
    """Names of previous providers, wildcards and the old type of SPF: a finding names no server."""
    run(estate, world)
    second = _second_server(world, sockets, "globex.example")
    assert amiss(ask(estate, world)) == {}
    second.close()
    assert ("globex.example", "MX") in second.questions
    once = [
        *((f"{selector}._domainkey.globex.example", "TXT") for selector in SELECTORS),
        ("reseller-mail-unused-name.globex.example", "TXT"),
        ("globex.example", "SPF"),
    ]
    for one in once:
        assert [*world.questions, *second.questions].count(one) == 1, one


def test_an_old_copy_is_propagating(estate: Estate, world: Zones, sockets: dict[str, Pair]) -> None:
    run(estate, world)
    second = Zones(sockets["127.0.0.2"])
    second.sets = dict(world.sets)
    second.put("globex.example", "MX", "10 mail.old.example.", ttl=900)
    world.put("globex.example", "NS", "ns.hosting.example.", "ns2.hosting.example.")
    world.put("ns2.hosting.example", "A", "127.0.0.2")
    found = ask(estate, world)["globex.example", "dns.propagating"]
    second.close()
    assert (found.state, found.remedy) == ("warn", "wait 900 s, then verify again")


def test_a_server_that_is_silent_about_a_change_has_no_other_data(
    estate: Estate, world: Zones, sockets: dict[str, Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dns_query, "TRIES", 1)
    second = _second_server(world, sockets, "globex.example")
    second.mute.add(".globex.example")
    outcome = run(estate, world, timeout=0.5)
    second.close()
    (line,) = outcome.lagging
    assert line.startswith(
        "globex.example: ns2.hosting.example (127.0.0.2) gave no usable answer for "
    )
    assert line.endswith(": no answer within 0.5 s")


def test_a_server_that_lags_is_named(
    estate: Estate, world: Zones, sockets: dict[str, Pair]
) -> None:
    second = Zones(sockets["127.0.0.2"])
    second.sets = dict(world.sets)
    second.put(
        "globex.example",
        "SOA",
        "ns.hosting.example. h.hosting.example. 4294967295 600 300 86400 60",
    )
    world.put("globex.example", "NS", "ns.hosting.example.", "ns2.hosting.example.")
    world.put("ns2.hosting.example", "A", "127.0.0.2")
    outcome = run(estate, world)
    second.close()
    assert outcome.lagging == [
        "globex.example: ns2.hosting.example (127.0.0.2) has serial 4294967295, the primary 1"
    ]


def test_a_zone_whose_servers_are_all_silent_is_not_missing_records(
    estate: Estate, world: Zones
) -> None:
    run(estate, world)
    for name in [
        key[0] for key in world.sets if key[0].endswith("globex.example") and key[1] != "NS"
    ]:
        world.mute.add(name)
    found = {
        id_: one
        for (subject, id_), one in ask(estate, world, timeout=1).items()
        if subject == "globex.example"
    }
    assert found["dns.servers_silent"].state == "fail"
    assert {one.state for id_, one in found.items() if id_ != "dns.servers_silent"} == {"blocked"}


def test_a_resolver_that_is_not_there_is_the_only_finding(estate: Estate) -> None:
    async def work() -> list[Finding]:
        return await verify_dns.findings(estate, Asker("127.0.0.3", 0.2, port=1))

    (finding,) = asyncio.run(work())
    assert (finding.id, finding.state) == ("dns.resolver_silent", "fail")


def test_one_tenant_is_published_and_nothing_else_changes(estate: Estate, world: Zones) -> None:
    """Neither the records of others in DNS, nor what the list has of them."""
    others: Published = {
        "globex.example": {("old.globex.example", "A"): frozenset({"192.0.2.7"})},
        "gone.example": {("gone.example", "MX"): frozenset({"10 mx1.hosting.example."})},
    }
    world.put("old.globex.example", "A", "192.0.2.7")
    acme = next(tenant for tenant in estate.tenants if tenant.name == "acme")
    seen: list[tuple[int, int]] = []
    outcome = run(
        estate,
        world,
        published=others,
        tenant=acme,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert outcome.faults == []
    assert {line.split()[1].rpartition("acme.example")[1] for line in lines(outcome)} == {
        "acme.example"
    }
    assert world.updates == 1
    assert world.values("old.globex.example", "A") == ["192.0.2.7"]
    assert {name: outcome.published[name] for name in others} == others
    assert outcome.published["acme.example"]
    assert seen == [(1, 1)]


def test_a_domain_that_one_tenant_gave_up_loses_its_records(estate: Estate, world: Zones) -> None:
    """It has left the files of the tenant; the provider still lists it."""
    place = {("acme.example", "MX"): frozenset({"10 mx1.hosting.example."})}
    world.put("acme.example", "MX", "10 mx1.hosting.example.")
    (acme,) = (tenant for tenant in estate.tenants if tenant.name == "acme")
    assert "acme.example" in acme.approved_domains
    bare = dataclasses.replace(acme, domains=())
    smaller = dataclasses.replace(
        estate,
        tenants=tuple(bare if tenant is acme else tenant for tenant in estate.tenants),
    )
    outcome = run(smaller, world, published={"acme.example": place}, tenant=bare, accepted=1)
    assert lines(outcome) == ["- acme.example MX 10 mx1.hosting.example."]
    assert outcome.published == {}
