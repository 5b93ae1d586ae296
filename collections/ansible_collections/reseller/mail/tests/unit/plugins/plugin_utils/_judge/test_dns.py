# SPDX-License-Identifier: GPL-3.0-or-later
"""What the judge of DNS accepts fits into DNS."""

from __future__ import annotations

import dns.message
import dns.name
import dns.rdata
import dns.update
import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils import _judge
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import dns as compile_dns
from ansible_collections.reseller.mail.plugins.plugin_utils._dns import zone_text
from ansible_collections.reseller.mail.plugins.plugin_utils._judge.dns import (
    MAX_LOOKUPS,
    MAX_SPF,
    lookups,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._language import scalars
from ansible_collections.reseller.mail.plugins.plugin_utils._model.domain import (
    Dmarc,
    Domain,
    DomainAlias,
    Mailbox,
    MtaSts,
    Spf,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import (
    DkimKey,
    Estate,
    Node,
    NodeState,
    TlsKey,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.names import (
    MAX_MAIL_DOMAIN,
    MAX_SELECTOR,
)
from ansible_collections.reseller.mail.tests.unit.support import estates
from hypothesis import given, settings
from hypothesis import strategies as st

OURS = frozenset(("too-many-spf-lookups", "record-too-long", "name-too-long"))


def name_of(length: int, first: str) -> str:
    """A domain name of that many characters."""
    left = length - len(".example")
    labels = []
    while left > 0:
        size = left if left <= 63 else min(63, left - 2)
        labels.append("x" * size)
        left -= size + 1
    found = ".".join((*labels, "example"))
    assert len(found) == length
    return first + found[1:]


def estate(*its: Domain, hostname: str = "mx1.hosting.example") -> Estate:
    node = Node("mx1", hostname, 12, ("192.0.2.1",))
    tenant = estates.tenant("acme", *its, owner=f"it@{its[0].name}")
    keys = tuple(
        DkimKey(name, "s" * MAX_SELECTOR, "A" * 4000) for domain in its for name in domain.names
    )
    state = NodeState("mx1", keys, (TlsKey(hostname, "0" * 64),))
    return estates.estate(tenant, nodes=(node,), states=(state,))


def faults(whole: Estate) -> set[str]:
    return {fault.id for fault in _judge.judge(whole)} & OURS


lengths = st.sampled_from((12, 80, 100, 118, 119, 120, 150, MAX_MAIL_DOMAIN))
includes = st.lists(st.sampled_from((14, 40, 120, 253)), max_size=12)


@settings(max_examples=150)
@given(st.tuples(lengths, lengths, lengths), includes, st.sampled_from((20, 244, 245, 253)))
def test_every_record_of_an_accepted_estate_can_be_sent(
    names: tuple[int, int, int], sizes: list[int], host: int
) -> None:
    one, also, other = (name_of(length, first) for length, first in zip(names, "abc", strict=True))
    spf = Spf(include=tuple(name_of(size, "defghijklmno"[nth]) for nth, size in enumerate(sizes)))
    boxes = (Mailbox("it", one, None, ""),)
    first = Domain(
        one,
        "mail",
        "",
        boxes,
        (),
        (),
        (DomainAlias(also, ""),),
        managed=True,
        spf=spf,
        dmarc=Dmarc(reports_to=f"it@{other}"),
        mta_sts=MtaSts(),
    )
    whole = estate(
        first,
        Domain(other, "mail", "", (Mailbox("it", other, None, ""),), managed=True),
        hostname=name_of(host, "m"),
    )
    if faults(whole):
        assert (
            len(sizes) > MAX_LOOKUPS - 1
            or sum(sizes) > MAX_SPF - 200
            or host > 244
            or sum(sorted(names)[1:]) > 253 - len("._report._dmarc.")
        )
        return
    for record in compile_dns.records(whole):
        update = dns.update.UpdateMessage(record.domain + ".")
        rdata = dns.rdata.from_text("IN", record.type, zone_text.rdata(record.type, record.value))
        update.add(dns.name.from_text(record.name), record.ttl, rdata)
        assert len(update.to_wire(max_size=65535)) < 5_500, record
        if record.value.startswith("v=spf1"):
            assert len(record.value) <= MAX_SPF
            assert sum(lookups(term, {}) for term in record.value.split()) <= MAX_LOOKUPS


@pytest.mark.parametrize(
    ("record", "count"),
    [
        ("v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all", 0),
        (
            (
                "v=spf1 a mx ptr include:x.example a:y.example mx:z.example exists:w.example"
                " redirect=v.example"
            ),
            8,
        ),
        ("v=spf1 include:inner.example -all", 3),
        ("v=spf1 include:outer.example -all", 11),
        ("v=spf1 " + "include:inner.example " * 4, 11),
    ],
)
def test_lookups_are_counted_as_receivers_do(record: str, count: int) -> None:
    texts = {
        "inner.example": "v=spf1 a include:x.example -all",
        "outer.example": "v=spf1 include:outer.example -all",
    }
    assert min(sum(lookups(term, texts) for term in record.split()), 11) == count


def test_records_that_include_each_other_a_thousand_times_are_counted_at_once() -> None:
    names = [f"n{nth}.example" for nth in range(1_000)]
    texts = {
        name: "v=spf1 " + " ".join(f"include:{other}" for other in names if other != name)
        for name in names
    }
    assert lookups("include:n0.example", texts) == MAX_LOOKUPS + 1


@pytest.mark.parametrize(
    "text",
    [
        "_spf.google.com",
        "_spf-eu.ionos.com",
        "spf_a.x.example",
        "_.example",
        "_netblocks.MAILGUN.org.",
    ],
)
def test_names_of_records_may_have_underscores_and_hosts_may_not(text: str) -> None:
    assert scalars.OWNER_NAME.read(text) == text.lower().rstrip(".")
    with pytest.raises(ValueError, match="cannot be a part of one"):
        scalars.DOMAIN.read(text)
