# SPDX-License-Identifier: GPL-3.0-or-later
"""The packs: what is in them, who gets one, and that texts of tenants stay texts."""

from __future__ import annotations

import dataclasses
import datetime
import html.parser
import string
import typing as t
from decimal import Decimal
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils import _guide, _welcome
from ansible_collections.reseller.mail.plugins.plugin_utils._dns.record import PURPOSES
from ansible_collections.reseller.mail.plugins.plugin_utils._dns.zone_text import zone_line
from ansible_collections.reseller.mail.plugins.plugin_utils._guide.texts import LANGUAGES as GUIDE
from ansible_collections.reseller.mail.plugins.plugin_utils._language import schema
from ansible_collections.reseller.mail.plugins.plugin_utils._model.domain import (
    Alias,
    Branding,
    Domain,
    DomainAlias,
    Relay,
    SenderAddress,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import (
    DkimKey,
    Estate,
    NodeState,
    Provider,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.suspension import Suspension
from ansible_collections.reseller.mail.plugins.plugin_utils._model.values import Secret
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.finding import Finding
from ansible_collections.reseller.mail.plugins.plugin_utils._welcome import (
    contracts,
    html_form,
    letters,
    text_form,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._welcome.contracts import Contract
from ansible_collections.reseller.mail.plugins.plugin_utils._welcome.document import words_of
from ansible_collections.reseller.mail.plugins.plugin_utils._welcome.texts import LANGUAGES
from ansible_collections.reseller.mail.tests.unit.support import estates
from ansible_collections.reseller.mail.tests.unit.support.estates import GIB, mailbox
from hypothesis import given
from hypothesis import strategies as st

UNFIT = [*map(chr, range(32)), "\x7f", "\x9b", "\u202e", "\u2066"]
COLLECTION = Path(__file__).parents[5]
HASH = "{BLF-CRYPT}$2y$05$abcdefghijklmnopqrstuv"
ACME = Domain(
    "acme.example",
    "mail",
    "it@acme.example",
    mailboxes=(
        mailbox("jo@acme.example", 5 * GIB, display_name="Jo Doe", password=Secret(HASH, False)),
        mailbox("ex@acme.example", state="suspended"),
        mailbox("desk@acme.example", None, protocols=("imap",)),
    ),
    aliases=(
        Alias("sales", "acme.example", ("jo@acme.example", "a@b.example"), "it@acme.example"),
    ),
    sender_addresses=(
        SenderAddress("noreply", "acme.example", "jo@acme.example", "it@acme.example"),
    ),
    domain_aliases=(DomainAlias("xn--bcher-kva.example", "it@acme.example"),),
    catch_all="jo@acme.example",
    branding=Branding("mail.acme.example", "Acme Mail"),
)
RELAYED = Domain(
    "shop.example",
    "relay",
    "it@acme.example",
    relay=Relay("mail.elsewhere.example", 25, ("jo@shop.example",)),
)
PARKED = Domain("parked.example", "mail", "it@acme.example")
TENANT = estates.tenant("acme", ACME, RELAYED, PARKED, organisation="Acme Ltd")
KEYS = tuple(
    DkimKey(name, "mx1", f"KEY{nth}" * 100)
    for nth, name in enumerate((*ACME.names, RELAYED.name, PARKED.name))
)
ESTATE = dataclasses.replace(
    estates.estate(TENANT, nodes=(estates.MX1, estates.MX2), states=(NodeState("mx1", KEYS),)),
    provider=Provider("Example Hosting", "hosting.example", "https://hosting.example/help"),
)
TIME = "2026-11-30T09:00:00Z"
GREEN = [
    Finding(finding, name, "ok", "", "")
    for finding in {purpose.finding for purpose in PURPOSES.values()}
    for name in (*ACME.names, RELAYED.name, PARKED.name, "mail.acme.example")
]
CONTRACT = Contract(
    "Acme Ltd, Jo Doe",
    "Business mail",
    Decimal("49.9"),
    "EUR",
    "monthly",
    "bank transfer",
    datetime.date(2026, 12, 1),
)
CSS = {
    "guide_css": (Path(_guide.__file__).parent / "guide.css").read_text(encoding="utf-8"),
    "css": (Path(_welcome.__file__).parent / _welcome.STYLE).read_text(encoding="utf-8"),
}


def inputs(
    *findings: Finding,
    checked: str = "",
    contract: t.Optional[Contract] = None,
    logos: t.Optional[t.Mapping[str, tuple[str, bytes]]] = None,
    verified: bool = False,
) -> _welcome.Inputs:
    given_contracts = {"acme": contract} if contract else {}
    return _welcome.Inputs(
        findings, checked, given_contracts, logos or {}, verified=verified, **CSS
    )


def pack(*findings: Finding, estate: Estate = ESTATE, **options: t.Any) -> _welcome.Pack:
    (found,) = _welcome.packs(estate, inputs(*findings, **options))
    return found


def text(file: str, *findings: Finding, **options: t.Any) -> str:
    return pack(*findings, **options).files[file].decode()


def with_tenant(**changes: t.Any) -> Estate:
    return dataclasses.replace(ESTATE, tenants=(dataclasses.replace(TENANT, **changes),))


def with_domain(**changes: t.Any) -> Estate:
    return with_tenant(domains=(dataclasses.replace(ACME, **changes),))


def test_all_languages_have_the_same_texts_with_the_same_values() -> None:
    fields = {
        one: {
            key: sorted(field for _t, field, _s, _c in string.Formatter().parse(words) if field)
            for key, words in texts.items()
        }
        for one, texts in LANGUAGES.items()
    }
    assert fields["de"] == fields["en"] == fields["fr"]
    assert LANGUAGES.keys() == GUIDE.keys()
    assert {len(texts["months"].split()) for texts in LANGUAGES.values()} == {12}
    assert {f"cycle_{one}" for one in schema.CYCLES} <= LANGUAGES["en"].keys()


def test_no_text_has_a_key_of_the_guide_with_another_meaning() -> None:
    """A key that both have is a text that is written twice."""
    assert not LANGUAGES["en"].keys() & GUIDE["en"].keys()


def test_a_pack_has_letters_and_sheets_as_pages_and_as_texts() -> None:
    names = {path.rpartition(".")[0] for path in pack(*GREEN, checked=TIME).files}
    assert names == {
        "letter",
        "acme.example/clients",
        "acme.example/dns",
        "acme.example/golive",
        "acme.example/mailboxes/jo",
        "acme.example/mailboxes/desk",
        "xn--bcher-kva.example/dns",
        "xn--bcher-kva.example/golive",
        "shop.example/clients",
        "shop.example/dns",
        "shop.example/golive",
        "parked.example/clients",
        "parked.example/dns",
        "parked.example/golive",
    }
    assert {path.rpartition(".")[2] for path in pack().files} == {"html", "txt"}
    assert not [path for path in pack().files if "golive" in path]


def test_the_letter_to_the_client_is_the_one_of_the_page() -> None:
    page = (COLLECTION / "docs" / "welcome.md").read_text(encoding="utf-8")
    golden = page.partition("```text\n")[2].partition("```")[0]
    assert text("letter.txt", *GREEN, checked=TIME, contract=CONTRACT) == golden


def test_a_letter_has_of_the_contract_what_is_known() -> None:
    assert "Your contract" not in text("letter.txt")
    known = Contract(product="Business mail", currency="EUR")
    part = text("letter.txt", contract=known).partition("Your contract")[2].partition("Your dom")[0]
    assert [line for line in part.splitlines() if ":" in line] == [
        "Client:  Acme Ltd",
        "Product: Business mail",
    ]
    assert "None" not in text("letter.txt", contract=known)


def test_a_client_without_addresses_reads_nothing_about_logins() -> None:
    letter = text("letter.txt", estate=with_tenant(domains=(RELAYED, PARKED)))
    assert "mail.elsewhere.example" in letter
    assert "Your addresses" not in letter
    assert "Logging in" not in letter


@pytest.mark.parametrize(
    ("locale", "amount", "date"),
    [
        ("en", "1234.50\u00a0EUR", "1 December 2026"),
        ("de", "1234,50\u00a0EUR", "1. Dezember 2026"),
        ("fr", "1234,50\u00a0EUR", "1er décembre 2026"),
    ],
)
def test_amounts_and_dates_are_written_as_in_the_language(
    locale: str, amount: str, date: str
) -> None:
    say = words_of(locale)
    assert letters.money(Decimal("1234.5"), "EUR", say) == amount
    assert letters.money(Decimal("0.1234"), "EUR", words_of("en")) == "0.1234\u00a0EUR"
    assert letters.day(datetime.date(2026, 12, 1), say) == date
    assert letters.day(datetime.date(2026, 3, 31), words_of("fr")) == "31 mars 2026"


@pytest.mark.parametrize(
    ("quota", "shown"),
    [
        (None, "unlimited"),
        (5 * GIB, "5\u00a0GiB"),
        (GIB // 2, "512\u00a0MiB"),
        (3 * GIB // 2, "1.5\u00a0GiB"),
        (7, "7\u00a0B"),
    ],
)
def test_the_size_of_a_mailbox_has_its_unit(quota: t.Optional[int], shown: str) -> None:
    assert letters.storage(quota, words_of("en")) == shown


def test_the_letter_to_a_user_has_its_own_services_and_addresses() -> None:
    jo, desk = text("acme.example/mailboxes/jo.txt"), text("acme.example/mailboxes/desk.txt")
    assert "Hello Jo Doe," in jo
    assert "Hello,\n" in desk
    assert "noreply@acme.example, sales@acme.example," in jo
    assert "*@acme.example" in jo
    assert "xn--bcher-kva.example (bücher.example)" in jo
    assert "mail.acme.example" in jo
    assert "Sending (SMTP)" in jo
    assert "Sending (SMTP)" not in desk
    assert "Reading (IMAP)" in desk


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "suspended", "suspension": Suspension(login="refuse", submission="refuse")},
        {"mailboxes": (mailbox("jo@acme.example", credentials="external"),)},
    ],
)
def test_a_mailbox_without_a_login_gets_no_letter(changes: dict[str, t.Any]) -> None:
    assert not [path for path in pack(estate=with_domain(**changes)).files if "mailboxes" in path]


def test_settings_say_why_there_are_none() -> None:
    relayed, parked = (
        " ".join(text(f"{name}/clients.txt").split()) for name in ("shop.example", "parked.example")
    )
    assert "pass it on to mail.elsewhere.example" in relayed
    assert "has no mailboxes" in parked


def test_the_dns_sheet_has_every_record_of_the_guide_whole() -> None:
    made = _guide.facts.sheets(ESTATE, ())
    for sheet in made:
        lines = [
            zone_line(row) for _s, ours in sheet.sections for c in ours for row, _state in c.rows
        ]
        assert lines
        written = text(f"{sheet.name}/dns.txt").splitlines()
        assert [line for line in lines if line not in written] == []
    assert "Enter these records where the DNS of acme.example" in text("acme.example/dns.txt")
    managed = text("acme.example/dns.txt", estate=with_domain(managed=True))
    assert "We publish these records." in managed


def test_a_known_dns_host_gets_its_own_hints() -> None:
    servers = Finding("dns.servers", "acme.example", "ok", "", "ada.ns.cloudflare.com")
    sheet = text("acme.example/dns.txt", servers)
    assert "Your DNS is with Cloudflare." in sheet
    assert "Open Cloudflare: https://dash.cloudflare.com\n" in sheet
    assert "enter @ as the name" in sheet
    assert "Name:     @\n" in sheet
    empty = Finding("dns.servers", "acme.example", "ok", "", "ns1.desec.io ns2.desec.org")
    assert "Name:     complete name: acme.example\n" in text("acme.example/dns.txt", empty)
    waiting = dataclasses.replace(ESTATE, states=())
    assert "has not made the key for mx1 yet" in text("acme.example/dns.txt", estate=waiting)


def test_the_go_live_report_has_every_point_with_its_state_and_owner() -> None:
    bad = Finding("dns.spf_two", "acme.example", "fail", "", "")
    report = text("acme.example/golive.txt", *GREEN, bad, checked=TIME)
    assert "Open points: 1 of" in report
    assert "Last checked: 2026-11-30 09:00 UTC" in report
    rows = report.partition("Point")[2].splitlines()
    assert rows[2].split() == ["SPF:", "who", "may", "send", "To", "be", "done", "You"]
    assert len(rows) > 10
    assert "ready for mail" in text("acme.example/golive.txt", *GREEN, checked=TIME)
    assert "quota.usage" in text(
        "acme.example/golive.txt",
        Finding("quota.usage", "jo@acme.example", "ok", "", ""),
        checked=TIME,
    )


def test_the_report_of_a_suspended_domain_has_only_what_is_wrong() -> None:
    bad = Finding("dns.spf_two", "acme.example", "fail", "", "")
    estate = with_domain(state="suspended")
    report = text("acme.example/golive.txt", *GREEN, bad, estate=estate, checked=TIME)
    assert "This domain is suspended." in report
    assert "SPF: who may send" in report
    assert "DMARC" not in report
    quiet = text("acme.example/golive.txt", *GREEN, estate=estate, checked=TIME)
    assert "Point" not in quiet


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"state": "pending"}, "the tenant is pending"),
        ({"state": "suspended"}, "the tenant is suspended"),
        ({"domains": ()}, "hosts serve no domain of the tenant"),
        (
            {"domains": (dataclasses.replace(ACME, verified=False),)},
            "hosts serve no domain of the tenant",
        ),
    ],
)
def test_a_tenant_that_hosts_do_not_serve_gets_no_pack(
    changes: dict[str, t.Any], reason: str
) -> None:
    found = pack(estate=with_tenant(**changes))
    assert (found.held, found.files) == ((reason,), {})


def test_terminated_tenants_are_left_out_unless_they_are_named() -> None:
    gone = with_tenant(state="terminated")
    assert list(_welcome.packs(gone, inputs())) == []
    (found,) = _welcome.packs(gone, inputs(), ["acme"])
    assert found.held == ("the tenant is terminated",)


def test_only_named_tenants_get_a_pack() -> None:
    other = estates.tenant("globex", Domain("globex.example", "mail", "it@globex.example"))
    both = dataclasses.replace(ESTATE, tenants=(TENANT, other))
    assert [one.tenant for one in _welcome.packs(both, inputs(), ["globex"])] == ["globex"]
    assert [one.tenant for one in _welcome.packs(both, inputs())] == ["acme", "globex"]


def test_a_pack_is_held_back_until_all_that_is_needed_is_in_order() -> None:
    assert pack(*GREEN, checked=TIME, verified=True).held == ()
    assert "acme.example: " in " ".join(pack(verified=True).held)
    bad = Finding("dns.spf_two", "acme.example", "fail", "", "")
    mail = Finding("mail.deliver", "outside → jo@acme.example", "fail", "", "")
    assert pack(*GREEN, bad, mail, verified=True).held == (
        "acme.example: spf fail, mail.deliver fail",
    )
    assert pack(*GREEN, bad, mail).held == ()
    recommended = Finding("dns.tls_rpt_missing", "acme.example", "warn", "", "")
    assert pack(*GREEN, recommended, verified=True).held == ()


def test_of_many_open_points_some_are_named_and_the_others_counted() -> None:
    (first, *_others) = pack(verified=True).held
    assert first.count(",") == 3
    assert first.endswith(" more")


@pytest.mark.parametrize(
    ("finding", "held"),
    [
        (Finding("verify.quota", "mx1", "fail", "", ""), ("mx1: verify.quota",)),
        (Finding("verify.mail", "estate", "fail", "", ""), ("estate: verify.mail",)),
        (
            Finding("host.reached", "mx1.hosting.example", "fail", "", ""),
            tuple(
                f"{name}: host.reached fail"
                for name in ("acme.example", "xn--bcher-kva.example", "shop.example")
            ),
        ),
        (Finding("verify.quota", "mx1", "warn", "", ""), ()),
        (Finding("verify.quota", "mx2", "fail", "", ""), ()),
        (Finding("host.reached", "mx2.hosting.example", "fail", "", ""), ()),
    ],
)
def test_a_failed_node_or_part_of_verify_holds_every_pack_of_the_node(
    finding: Finding, held: tuple[str, ...]
) -> None:
    assert pack(*GREEN, finding, verified=True).held == held


def test_language_and_brand_are_those_of_the_owner_s_domain_and_of_each_mailbox() -> None:
    french = dataclasses.replace(
        ACME, locale="fr-CH", mailboxes=(mailbox("jo@acme.example", locale="de"),)
    )
    first = dataclasses.replace(PARKED, name="aaa.example")
    estate = with_tenant(domains=(first, french))
    assert text("letter.txt", estate=estate).startswith("Bienvenue chez Acme Mail\n")
    letter = text("acme.example/mailboxes/jo.txt", estate=estate)
    assert letter.startswith("Ihr Postfach jo@")
    assert letter.endswith("Hilfe: https://hosting.example/help\n")
    assert text("aaa.example/dns.txt", estate=estate).startswith("DNS records of aaa.example\n")
    elsewhere = with_tenant(domains=(first, french), default_owner="it@other.example")
    assert text("letter.txt", estate=elsewhere).startswith("Welcome to Example Hosting\n")


def test_a_page_has_the_brand_and_needs_no_other_file() -> None:
    branding = Branding(colour="#123456", support_url="https://acme.example/help")
    estate = with_domain(branding=branding)
    logos = {"acme": (".svg", b"<svg/>"), "other": (".png", b"x")}
    page = text("letter.html", estate=estate, logos=logos)
    assert "--brand: #123456" in page
    assert 'href="https://acme.example/help"' in page
    assert 'src="data:image/svg+xml;base64,PHN2Zy8+"' in page
    assert 'alt="Example Hosting"' in page
    assert "--paper: #ffffff" in page
    assert "/*" not in page
    assert not [word for word in ("<script", "<link", "url(", "@import") if word in page]


def test_the_palette_is_of_the_guide_and_has_no_rule_for_an_element() -> None:
    palette = _guide.colour.palette(CSS["guide_css"])
    assert "--paper:" in palette
    assert "--mono:" in palette
    assert "box-sizing" not in palette
    assert palette.count("{") == palette.count("}")
    used = {word.partition(")")[0] for word in CSS["css"].split("var(")[1:]} - {"--brand"}
    assert {name for name in used if f"{name}:" not in palette} == set()


def test_no_secret_is_in_a_pack() -> None:
    vault = "$ANSIBLE_VAULT;1.1;AES256"
    boxes = (*ACME.mailboxes, mailbox("v@acme.example", password=Secret(vault, True)))
    files = pack(*GREEN, estate=with_domain(mailboxes=boxes), checked=TIME, contract=CONTRACT).files
    assert "acme.example/mailboxes/v.txt" in files
    content = b"".join(files.values()).decode()
    assert not [
        word for word in (HASH, vault, "{BLF", "VAULT", "repr", "Secret(") if word in content
    ]


class _Parser(html.parser.HTMLParser):
    """Collects the elements, and what could run or load something."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, t.Optional[str]]]) -> None:
        self.elements.add(tag)
        self.attributes.update(name for name, _value in attrs)


def parsed(page: bytes) -> _Parser:
    found = _Parser()
    found.feed(page.decode())
    found.close()
    return found


@given(
    st.text(min_size=1)
    | st.sampled_from(['"><script>x</script>', "</style><b>", "{0}{name}", "%s"])
)
def test_texts_of_tenants_are_never_markup_and_have_no_control_characters(words: str) -> None:
    def made(word: str) -> dict[str, bytes]:
        domain = dataclasses.replace(
            ACME,
            branding=Branding(name=word),
            mailboxes=(mailbox("jo@acme.example", display_name=word),),
        )
        contract = Contract(word, word, payment=word, currency="EUR")
        return pack(
            estate=with_tenant(organisation=word, domains=(domain,)), contract=contract
        ).files

    hostile, plain = made(words), made("word")
    for path, content in hostile.items():
        if path.endswith(".html"):
            assert parsed(content).elements == parsed(plain[path]).elements
            assert parsed(content).attributes == parsed(plain[path]).attributes
        allowed = "\n\t" if path.endswith(".html") else "\n"
        assert not [char for char in UNFIT if char in content.decode() and char not in allowed]


@given(st.lists(st.text("ab \t\n\x00é\u202e", max_size=90), max_size=6))
def test_a_text_keeps_its_width(words: list[str]) -> None:
    document = _welcome.document
    blocks = (
        *(document.Words(one) for one in words),
        document.Items(tuple(words)),
        document.Facts(tuple(("a", one) for one in words)),
        document.Grid(("a", "b"), tuple(("x", one) for one in words)),
    )
    made = document.Document("en", "title", blocks, document.Look("b", "f"))
    lines = text_form.text(made).decode().split("\n")
    assert [
        line
        for line in lines
        if len(line) > text_form.WIDTH and len(max(line.split(), key=len)) < 50
    ] == []
    assert b"\x00" not in html_form.page(made)


def test_a_long_value_is_on_one_line() -> None:
    key = next(
        line
        for line in text("acme.example/dns.txt").splitlines()
        if line.startswith("Value:") and "KEY0" in line
    )
    assert "KEY0" * 100 in key


def read(source: str) -> tuple[dict[str, Contract], list[str]]:
    found, faults = contracts.read("contracts.yml", source.encode(), ESTATE)
    return found, [f"{one.position}: {one.id}" for one in faults]


def test_contracts_are_read() -> None:
    source = """\
contracts:
  - tenant: acme
    client: Acme Ltd, Jo Doe
    product: Business mail
    amount: 49.9
    cycle: monthly
    payment: bank transfer
    due: 2026-12-01
"""
    assert read(source) == ({"acme": CONTRACT}, [])
    assert read(source.replace("amount", "currency: CHF\n    amount"))[0]["acme"].currency == "CHF"
    assert read("") == ({}, [])


def test_every_fault_of_the_contracts_is_named_with_its_place() -> None:
    source = """\
contracts:
  - {tenant: acmee, amuont: 4}
  - tenant: acme
    amount: 4,90
    due: 1.12.2026
  - {tenant: acme}
  - {client: X}
  - text
contract: []
"""
    assert read(source)[1] == [
        "contracts.yml:2:14: unknown-tenant",
        "contracts.yml:2:21: unknown-key",
        "contracts.yml:4:13: unfit-value",
        "contracts.yml:5:10: unfit-value",
        "contracts.yml:6:14: duplicate-contract",
        "contracts.yml:7:5: missing-key",
        "contracts.yml:8:5: wrong-type",
        "contracts.yml:9:1: unknown-key",
    ]
    assert [one.partition(": ")[2] for one in read("contracts: {")[1]] == ["not-yaml"]
    assert read("- x")[1] == ["contracts.yml:1:1: wrong-type"]


@given(st.binary() | st.text("{}[]:,-\n# tenacm").map(str.encode))
def test_any_content_gives_contracts_or_faults(content: bytes) -> None:
    found, faults = contracts.read("contracts.yml", content, ESTATE)
    assert set(found) <= {"acme"} or faults


def test_the_page_has_every_key_of_a_contract() -> None:
    page = (COLLECTION / "docs" / "welcome.md").read_text(encoding="utf-8")
    rows = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]
    keys = list(schema.CONTRACTS.keys["contracts"].type.of.keys)  # type: ignore[union-attr]
    assert [row for row in rows if row in keys] == keys
