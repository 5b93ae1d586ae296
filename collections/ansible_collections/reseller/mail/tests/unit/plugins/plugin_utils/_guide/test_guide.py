# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses
import html.parser
import re
import string
import typing as t

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils import _guide
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import dns
from ansible_collections.reseller.mail.plugins.plugin_utils._dns.record import PURPOSES, Record
from ansible_collections.reseller.mail.plugins.plugin_utils._dns.zone_text import zone_line
from ansible_collections.reseller.mail.plugins.plugin_utils._guide import (
    colour,
    dns_hosts,
    facts,
    frame,
    markup,
    values,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._guide.texts import LANGUAGES, language
from ansible_collections.reseller.mail.plugins.plugin_utils._model.domain import (
    Branding,
    Domain,
    DomainAlias,
    Mailbox,
    Relay,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import (
    DkimKey,
    Estate,
    NodeState,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.suspension import Suspension
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.dns.catalogue import CATALOGUE
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.finding import STATES, Finding
from ansible_collections.reseller.mail.tests.unit.support import estates
from hypothesis import given
from hypothesis import strategies as st

ACME = Domain(
    "acme.example",
    "mail",
    "it@acme.example",
    mailboxes=(Mailbox("jo", "acme.example", None, "it@acme.example"),),
    domain_aliases=(DomainAlias("xn--bcher-kva.example", "it@acme.example"),),
    branding=Branding("mail.acme.example", "Acme Mail"),
)
BELOW = Domain(
    "shop.acme.example",
    "relay",
    "it@acme.example",
    relay=Relay("mail.elsewhere.example", 25, ("jo",)),
)
TENANT = estates.tenant("acme", ACME, BELOW)
KEYS = (
    DkimKey("acme.example", "mx1", "KEY1"),
    DkimKey("acme.example", "mx1-2", "KEY2" * 100, state="published"),
)
ESTATE = estates.estate(TENANT, nodes=(estates.MX1, estates.MX2), states=(NodeState("mx1", KEYS),))
ASSETS = {"guide.css": b"css", "guide.js": b"js"}
TIME = "2026-11-21T14:00:00Z"


def sheet(*findings: Finding, estate: Estate = ESTATE, name: str = "acme.example") -> facts.Sheet:
    return {one.name: one for one in facts.sheets(estate, findings)}[name]


def cards(*findings: Finding, **options: t.Any) -> dict[str, facts.Card]:
    return {
        card.purpose: card
        for _section, ours in sheet(*findings, **options).sections
        for card in ours
    }


def finding(
    id_: str,
    state: str,
    subject: str = "acme.example",
    expected: str = "",
    found: str = "",
    remedy: str = "",
) -> Finding:
    return Finding(id_, subject, state, expected, found, remedy)


def with_tenant(**changes: t.Any) -> Estate:
    return dataclasses.replace(ESTATE, tenants=(dataclasses.replace(TENANT, **changes),))


def page(*findings: Finding, estate: Estate = ESTATE, file: str = "acme.example/index.html") -> str:
    return _guide.make(estate, findings, TIME, ASSETS).files()[file].decode()


def test_all_languages_say_the_same_things_with_the_same_values() -> None:
    fields = {
        one: {
            key: sorted(field for _t, field, _s, _c in string.Formatter().parse(text) if field)
            for key, text in texts.items()
        }
        for one, texts in LANGUAGES.items()
    }
    assert fields["de"] == fields["en"] == fields["fr"]
    assert all(text.strip() for texts in LANGUAGES.values() for text in texts.values())


def test_every_purpose_state_and_section_has_its_words() -> None:
    keys = set(LANGUAGES["en"])
    assert {f"{kind}_{purpose}" for kind in ("why", "purpose") for purpose in PURPOSES} <= keys
    assert {f"state_{state}" for state in facts.ORDER} <= keys
    assert {f"section_{section}" for section in facts.SECTIONS} <= keys
    assert {f"note_{host.note}" for host in dns_hosts.HOSTS if host.note} <= keys
    assert sorted(
        purpose for purposes in facts.SECTIONS.values() for purpose in purposes
    ) == sorted(PURPOSES)


def test_every_state_has_its_place_and_its_sign() -> None:
    assert set(STATES) < set(facts.ORDER) == set(frame.SIGNS)


def test_quotes_are_those_of_each_language() -> None:
    assert [
        re.findall(r"\((\W+)(?:DNS|Nur DNS)[\w ]*?(\W+)\)", LANGUAGES[one]["note_proxy"])
        for one in ("de", "en", "fr")
    ] == [
        [("\u201e", "\u201c")],
        [("\u201c", "\u201d")],
        [("«\u00a0", "\u00a0»")],
    ]
    assert "n\u2019" in "".join(LANGUAGES["fr"].values())
    assert not re.search(
        "['\"]", "".join(text for texts in LANGUAGES.values() for text in texts.values())
    )


@pytest.mark.parametrize(
    ("locale", "expected"), [("de", "de"), ("fr-CH", "fr"), ("en", "en"), ("it", "en")]
)
def test_a_locale_s_language(locale: str, expected: str) -> None:
    assert language(locale) == expected


def test_without_verify_nothing_is_claimed() -> None:
    states = {task.state for task in sheet().tasks}
    assert states == {"unchecked"}
    assert not sheet().live
    assert "Nothing has been checked yet." in page()


def test_findings_are_joined_by_their_question() -> None:
    found = cards(
        finding("dns.mx", "ok"),
        finding("dns.spf_two", "fail"),
        finding("dns.dmarc_policy", "warn"),
        finding("dns.mta_sts_policy_mx", "fail"),
    )
    assert {key: found[key].state for key in ("mx", "spf", "dmarc", "srv")} == {
        "mx": "ok",
        "spf": "fail",
        "dmarc": "warn",
        "srv": "unchecked",
    }


def test_of_two_keys_the_one_that_is_named_is_missing() -> None:
    line = zone_line(
        next(record for record in dns.records(ESTATE) if record.name.startswith("mx1-2._domainkey"))
    )
    for expected in (line, f"{line[:90]}… (500 characters)"):
        found = cards(finding("dns.dkim_missing", "fail", expected=expected))["dkim"]
        assert {record.name.partition(".")[0]: state for record, state in found.rows} == {
            "mx1": "ok",
            "mx1-2": "fail",
        }
    everything = cards(finding("dns.dkim_none", "fail"))["dkim"]
    assert {state for _record, state in everything.rows} == {"fail"}


def test_keys_say_what_they_are_for_and_missing_ones_that_they_come() -> None:
    assert "to be published; we sign mail with it when all name servers show it" in page()
    waiting = page(estate=dataclasses.replace(ESTATE, states=()))
    assert "The mail host has not made the key for mx1 yet" in waiting
    assert "Being made" in waiting


def test_the_go_live_list_has_every_row_with_its_owner() -> None:
    tasks = {
        task.id: task
        for task in sheet(
            finding("dns.mx", "ok"),
            finding("dns.servers_silent", "warn"),
            finding("mail.deliver", "fail", "outside → jo@acme.example"),
            finding("access.imap", "ok", "mail.acme.example"),
            finding("quota.usage", "warn", "jo@acme.example"),
            finding("mail.deliver", "fail", "outside → ann@other.example"),
        ).tasks
    }
    assert {
        key: (tasks[key].owner, tasks[key].state)
        for key in ("mx", "dns.servers", "mail.deliver", "access.imap")
    } == {
        "mx": ("tenant", "ok"),
        "dns.servers": ("tenant", "warn"),
        "mail.deliver": ("provider", "fail"),
        "access.imap": ("provider", "ok"),
    }
    assert (tasks["quota.usage"].owner, tasks["quota.usage"].state) == ("tenant", "warn")
    managed = with_tenant(domains=(dataclasses.replace(ACME, managed=True),))
    assert {task.owner for task in sheet(estate=managed).tasks} == {"provider"}


def test_live_when_all_that_is_needed_is_in_order() -> None:
    ok = [
        finding(purpose.finding, "ok", name)
        for purpose in PURPOSES.values()
        if purpose.needed
        for name in ("acme.example", "mail.acme.example")
    ]
    assert sheet(*ok).live
    assert "The domain is ready for mail." in page(*ok)
    assert not sheet(*ok[:-1], finding("dns.spf_two", "fail")).live


def test_settings_that_mail_programs_do_not_get_are_the_providers_to_mend_and_hold_nobody_up() -> (
    None
):
    (task,) = (
        task
        for task in sheet(finding("dns.settings_unreachable", "warn")).tasks
        if task.id == "dns.settings"
    )
    assert (task.owner, task.state, task.is_open) == ("provider", "warn", False)
    assert "Mail programs get their settings" in page(finding("dns.settings_unreachable", "warn"))


def test_pages_of_tenants_that_are_not_served_yet_but_not_of_those_that_are_gone() -> None:
    assert "The contract is not active yet" in page(estate=with_tenant(state="pending"))
    assert "We have not verified yet that this domain is yours" in page(
        estate=with_tenant(domains=(dataclasses.replace(ACME, verified=False),))
    )
    assert list(_guide.make(with_tenant(state="terminated"), (), "", ASSETS).domains) == []


PARKED = Domain("parked.example", "mail", "it@acme.example")
SETTINGS_TABLE = '<table class="clients">'


@pytest.mark.parametrize(
    ("estate", "sentence"),
    [
        (with_tenant(state="suspended"), "The contract is suspended. We still receive mail"),
        (
            with_tenant(domains=(dataclasses.replace(ACME, state="suspended"),)),
            "This domain is suspended. We still receive mail",
        ),
    ],
    ids=["tenant", "domain"],
)
def test_a_suspended_domain_is_not_led_through_setting_up(estate: Estate, sentence: str) -> None:
    text = page(finding("dns.spf_two", "fail"), finding("dns.mx", "ok"), estate=estate)
    assert sentence in text
    assert "Leave the records in DNS as they are" in text
    assert 'class="result is-suspended"' in text
    assert "These points concern mail that still arrives." in text
    assert "can go live" not in text
    assert SETTINGS_TABLE not in text
    assert SETTINGS_TABLE in page()
    found = sheet(finding("dns.spf_two", "fail"), estate=estate)
    assert [(task.id, task.state) for task in found.open_tasks] == [("spf", "fail")]
    assert (found.live, found.state) == (False, "fail")
    quiet = page(estate=estate)
    assert 'id="golive"' not in quiet
    assert 'href="#golive"' not in quiet
    overview = page(estate=estate, file="index.html")
    assert re.search(r'"acme.example/index.html".*?is-suspended.*?</td><td>–</td>', overview)


def test_a_suspended_name_that_hosts_do_not_serve_yet_is_led_through_setting_up() -> None:
    suspended = dataclasses.replace(ACME, state="suspended")
    for estate in (
        with_tenant(state="pending", domains=(suspended,)),
        with_tenant(domains=(dataclasses.replace(suspended, verified=False),)),
    ):
        assert "You can prepare the records." in page(estate=estate)
        assert "We still receive mail" not in page(estate=estate)
        assert 'id="golive"' in page(estate=estate)


def test_a_relay_domain_that_is_suspended_has_no_logins_to_refuse() -> None:
    text = page(estate=with_tenant(state="suspended"), file="shop.acme.example/index.html")
    assert "We still receive mail for this domain and pass it on." in text
    assert "log in" not in text


@pytest.mark.parametrize(
    ("cells", "sentence", "has_logins"),
    [
        (Suspension("hold"), "deliver it when the suspension ends. No one can log in", False),
        (Suspension("defer"), "asked to try again later. No one can log in", False),
        (Suspension("reject", "allow"), "Mail for this domain is refused.<", True),
    ],
)
def test_the_page_of_a_suspended_tenant_shows_what_its_suspension_leaves(
    cells: Suspension, sentence: str, has_logins: bool
) -> None:
    text = page(estate=with_tenant(state="suspended", suspension=cells))
    assert sentence in text
    assert ("Mail programs cannot log in" not in text) == has_logins


def test_records_of_a_name_without_mail_do_not_delay_a_domain() -> None:
    """The host name of the branding has a null MX and an SPF record of its own."""
    ok = [
        finding(purpose.finding, "ok", name)
        for purpose in PURPOSES.values()
        for name in ("acme.example", "mail.acme.example")
        if purpose.finding not in ("dns.null_mx", "dns.null_spf")
    ]
    missing = [finding(f"dns.{one}_missing", "fail") for one in ("null_mx", "null_spf")]
    found = sheet(*ok, *missing)
    assert {card.purpose for card in cards(*missing).values() if card.state == "fail"} == {
        "null_mx",
        "null_spf",
    }
    assert (found.live, found.state) == (True, "ok")
    assert "The domain is ready for mail." in page(*ok, *missing)


def test_a_domain_without_addresses_is_not_ready_for_mail_and_has_nothing_to_do() -> None:
    estate = with_tenant(domains=(PARKED,))
    for states, expected in (((), "unchecked"), (("ok",), "ok"), (("fail",), "warn")):
        findings = [
            finding(id_, state, "parked.example")
            for state in states
            for id_ in ("dns.null_mx", "dns.null_spf", "dns.dmarc")
        ]
        found = sheet(*findings, estate=estate, name="parked.example")
        assert (found.live, found.open_tasks, found.state) == (False, [], expected)
        assert not any(task.needed for task in found.tasks)
        text = page(*findings, estate=estate, file="parked.example/index.html")
        assert "It neither sends nor receives mail." in text
        assert "ready for mail" not in text
        assert "The domain has no mailboxes, so there are no settings." in text


def test_what_few_people_need_is_last_and_folded() -> None:
    only = dataclasses.replace(ACME, protocols=("imap", "submission"))
    estate = with_tenant(domains=(only,))
    found = sheet(estate=estate)
    section = dict(found.sections)["find"]
    assert [card.purpose for card in section][-1] == "srv"
    offered = [not record.value.endswith(" .") for record, _state in section[-1].rows]
    assert offered == sorted(offered, reverse=True)
    assert set(offered) == {True, False}
    recommended = [task.id for task in found.tasks if not task.needed]
    assert recommended.index("srv") == len(recommended) - 1
    for text, folded in (
        (page(estate=estate), True),
        (page(finding("dns.srv_missing", "fail"), estate=estate), False),
    ):
        card = text.partition('<article id="srv"')[2].partition("</article>")[0]
        assert ("<details><summary>Show the records: " in card) == folded
        assert card.count('class="record"') == len(offered)


def test_in_the_list_of_what_is_left_the_worst_is_first() -> None:
    text = page(finding("dns.dmarc", "fail"), finding("dns.srv_missing", "warn"))
    names = re.findall(r'<th scope="row"><a href="#([\w.]+)">', text.partition('id="records"')[0])
    assert names[0] == "dmarc"
    assert names.index("srv") < names.index("autoconfig")


def test_a_node_gets_the_pages_of_its_tenants_only() -> None:
    assert sorted(_guide.make(ESTATE, (), "", ASSETS, node="mx1").domains) == [
        "acme.example",
        "shop.acme.example",
        "xn--bcher-kva.example",
    ]
    assert _guide.make(ESTATE, (), "", ASSETS, node="mx2").domains == {}


def test_the_same_input_makes_the_same_bytes() -> None:
    assert _guide.make(ESTATE, [finding("dns.mx", "ok")], TIME, ASSETS) == _guide.make(
        ESTATE, [finding("dns.mx", "ok")], TIME, ASSETS
    )


def test_settings_for_mail_programs_prefer_implicit_tls() -> None:
    assert [(port, security) for _protocol, port, security in sheet().clients] == [
        (993, "tls"),
        (995, "tls"),
        (465, "tls"),
        (587, "starttls"),
        (4190, "starttls"),
    ]
    only = dataclasses.replace(ACME, protocols=("imap", "submission"))
    assert [
        port for _protocol, port, _security in sheet(estate=with_tenant(domains=(only,))).clients
    ] == [993, 465, 587]
    assert sheet().client_host == "mail.acme.example"
    assert "pass it on to mail.elsewhere.example" in page(file="shop.acme.example/index.html")


def test_names_are_shown_with_u_labels() -> None:
    text = page(file="xn--bcher-kva.example/index.html")
    assert "<h1><bdi>bücher.example</bdi> <small>xn--bcher-kva.example</small></h1>" in text
    assert "Another name for acme.example" in text


@pytest.mark.parametrize(
    ("servers", "expected"),
    [
        (["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"], "Cloudflare"),
        (["ns-1.awsdns-00.co.uk", "ns-2.awsdns-61.com"], "Amazon Route 53"),
        (["hydrogen.ns.hetzner.com.", "OXYGEN.NS.HETZNER.COM"], "Hetzner"),
        (["ns1.acme.example"], None),
        (["ada.ns.cloudflare.com", "ns1.digitalocean.com"], None),
        (["cloudflare.com.evil.example"], None),
        ([], None),
    ],
)
def test_dns_hosts_are_recognised_by_their_name_servers(
    servers: list[str], expected: t.Optional[str]
) -> None:
    host = dns_hosts.recognise(servers)
    assert (host.name if host else None) == expected


def test_the_table_of_dns_hosts_is_in_order() -> None:
    names = [host.name for host in dns_hosts.HOSTS]
    assert len(set(names)) == len(names) >= 15
    assert names == sorted(names, key=str.lower)
    patterns = [pattern for host in dns_hosts.HOSTS for pattern in host.servers]
    assert len(set(patterns)) == len(patterns)
    assert all(host.url.startswith("https://") and "?" not in host.url for host in dns_hosts.HOSTS)


def test_values_are_in_the_pieces_that_forms_have() -> None:
    cloudflare, route53 = (
        next(host for host in dns_hosts.HOSTS if host.name == name)
        for name in ("Cloudflare", "Amazon Route 53")
    )

    def record(kind: str, value: str) -> Record:
        return Record("acme.example", "acme.example", kind, 3600, value, False)

    assert values.fields(record("MX", "10 mx1.hosting.example."), None) == [
        ("priority", "10"),
        ("target", "mx1.hosting.example."),
    ]
    assert values.fields(record("MX", "10 mx1.hosting.example."), cloudflare)[1] == (
        "target",
        "mx1.hosting.example",
    )
    assert values.fields(record("SRV", "0 0 0 ."), cloudflare)[3] == ("target", ".")
    assert values.fields(record("CAA", '0 issue "ca.example"'), None)[2] == ("value", "ca.example")
    assert values.fields(record("TXT", "x" * 300), cloudflare) == [("value", "x" * 300)]
    assert values.fields(record("TXT", "x" * 300), route53) == [
        ("value", f'"{"x" * 255}" "{"x" * 45}"')
    ]
    assert values.entry("_dmarc.shop.acme.example", "acme.example", cloudflare) == "_dmarc.shop"
    assert (
        values.entry("acme.example", "acme.example", cloudflare),
        values.entry("acme.example", "acme.example", route53),
    ) == ("@", "")
    assert values.entry("acme.example", "acme.example", None) == "acme.example"


def test_a_domain_below_another_is_entered_in_its_zone() -> None:
    servers = finding(
        "dns.servers", "ok", "shop.acme.example", found="ada.ns.cloudflare.com (192.0.2.9)"
    )
    assert sheet(servers, name="shop.acme.example").zone == "acme.example"
    assert "_dmarc.shop</code>" in page(servers, file="shop.acme.example/index.html")


def test_the_note_on_cloudflare_s_proxy_and_on_records_that_a_host_lacks() -> None:
    text = page(finding("dns.servers", "ok", found="ada.ns.cloudflare.com (192.0.2.9)"))
    assert "Switch the proxy off" in text


@pytest.mark.parametrize("on", [colour.LIGHT, colour.DARK])
@given(st.integers(0, 0xFFFFFF))
def test_every_brand_colour_becomes_readable(on: tuple[str, str], number: int) -> None:
    made = colour.readable(f"#{number:06x}", on)
    assert all(colour.contrast(made, background) >= colour.ENOUGH for background in on)


def test_a_colour_that_can_be_read_stays_as_it_is() -> None:
    assert colour.readable("#1a6b3c", colour.LIGHT) == "#1a6b3c"
    assert colour.contrast("#000000", "#ffffff") == pytest.approx(21)


class _Parser(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, t.Optional[str]]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text())
def test_text_is_never_markup(text: str) -> None:
    parser = _Parser()
    parser.feed(markup.tag("p", text, title=text, data_x=text))
    parser.close()
    assert parser.tags == ["p"]


def test_hostile_words_and_answers_are_shown_as_they_are() -> None:
    hostile = "</code><script>alert(1)</script>"
    branding = Branding(name=hostile, support_url='https://x.example/"><script>')
    estate = with_tenant(
        organisation=hostile, domains=(dataclasses.replace(ACME, branding=branding),)
    )
    text = page(
        finding("dns.spf_two", "fail", found=hostile, remedy=hostile + "\x1b\x00"), estate=estate
    )
    assert text.count("<script") == 1
    assert "\x1b" not in text
    assert not re.search(r"\son\w+=", text.replace("&#x27;", ""))


def test_the_index_shows_what_is_worst_first() -> None:
    text = page(finding("dns.mx_missing", "fail", "shop.acme.example"), file="index.html")
    rows = re.findall(r'<a href="([^"]+)/index.html">', text)
    assert rows[0] == "shop.acme.example"
    assert "Domains: 3, tenants: 1" in text


def test_a_logo_is_a_file_of_the_page_and_nothing_is_fetched() -> None:
    branded = with_tenant(
        domains=(
            dataclasses.replace(
                ACME,
                branding=Branding(logo="https://elsewhere.example/track.svg", colour="#ffe600"),
            ),
        )
    )
    made = _guide.make(branded, (), "", ASSETS, {"acme": (".png", b"\x89PNG")})
    assert made.domains["acme.example"]["logo.png"] == b"\x89PNG"
    text = made.domains["acme.example"]["index.html"].decode()
    assert '<img src="logo.png"' in text
    assert "elsewhere.example" not in text
    assert b"#ffe600" not in made.domains["acme.example"]["brand.css"].partition(b"@media")[0]


SPF = 'acme.example. 3600 IN TXT "v=spf1 include:hosting.example -all"'
OLD = 'acme.example. 300 IN TXT "v=spf1 a ~all"'


def test_every_finding_that_a_tenant_mends_has_its_words() -> None:
    """The provider's own are not explained on tenants' pages."""
    ours = (
        "dns.resolver",
        "dns.provider_",
        "dns.node_",
        "dns.tlsa",
        "dns.fcrdns",
        facts.POLICY,
        facts.SETTINGS,
    )
    wanted = {f"wrong_{id_}" for id_, row in CATALOGUE.items() if not row.group.startswith(ours)}
    assert {key for key in LANGUAGES["en"] if key.startswith("wrong_")} == wanted


def test_a_finding_says_what_is_wrong_and_which_records_to_delete() -> None:
    text = page(
        finding("dns.spf_two", "fail", remedy=f"remove {OLD}\npublish {SPF}"),
        file="acme.example/de.html",
    )
    assert "Es gibt mehrere SPF-Einträge." in text
    assert (
        'Diesen Eintrag löschen</dt><dd><span class="copied"><code data-copy="Als Zeile einer'
        f' Zonendatei">{markup.text(OLD)}</code>' in text
    )
    assert "Den Eintrag anlegen, der hier folgt." in text
    assert "remove acme" not in text


def test_a_record_that_is_nowhere_on_the_page_is_shown() -> None:
    other = 'acme.example._report._dmarc.elsewhere.example. 3600 IN TXT "v=DMARC1"'
    text = page(finding("dns.dmarc_unauthorised", "fail", remedy=f"publish {other}\nand ask"))
    assert f">{markup.text(other)}</code>" in text
    assert "Enter this record</dt>" in text
    assert "<pre>and ask</pre>" in text


def test_what_is_about_no_record_is_told_and_led_to() -> None:
    left = finding(
        "dns.leftover_dkim",
        "warn",
        remedy='remove selector1._domainkey.acme.example. 300 IN TXT "v=DKIM1; p=x"',
    )
    text = page(left)
    assert 'href="#dns.leftover"' in text
    assert 'id="dns.leftover"' in text
    assert "The previous provider\u2019s key is still valid" in text
    assert "selector1._domainkey.acme.example. 300 IN TXT" in text
    assert 'id="dns.leftover"' not in page(finding("dns.leftover", "ok"))


def test_a_warning_about_the_zone_does_not_keep_a_domain_from_going_live() -> None:
    def needed(id_: str, state: str) -> bool:
        return next(
            task.needed
            for task in sheet(finding(id_, state)).tasks
            if task.id == facts.question(id_)
        )

    assert not needed("dns.dnssec_unsigned", "warn")
    assert needed("dns.dnssec_expired", "fail")
    assert needed("dns.cname_apex", "fail")
    host = sheet(finding("dns.caa_missing", "warn", "mx1.hosting.example"))
    assert [(task.needed, task.owner) for task in host.tasks if task.id == "dns.caa"] == [
        (False, "provider")
    ]


def test_a_name_below_has_the_name_servers_of_its_zone() -> None:
    servers = finding(
        "dns.servers",
        "ok",
        found="ada.ns.cloudflare.com (192.0.2.1), bob.ns.cloudflare.com (192.0.2.2)",
    )
    host = sheet(servers, name="shop.acme.example").host
    assert host is not None
    assert host.name == "Cloudflare"


def test_text_that_turns_what_follows_around_is_shown_as_no_text() -> None:
    assert markup.text("a\u202eb\u2066c") == "a\ufffdb\ufffdc"


def test_the_provider_s_page_counts_the_states() -> None:
    text = page(finding("dns.mx_missing", "fail"), file="index.html")
    assert re.search(
        r'class="counts"><li><span class="pill is-fail">.*?To be done</span> 1</li>', text
    )
