# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses
import typing as t
from xml.etree import ElementTree as ET

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.generation import lines
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import autoconfig, dns, tls
from ansible_collections.reseller.mail.plugins.plugin_utils._model.domain import Branding, Domain
from ansible_collections.reseller.mail.plugins.plugin_utils._model.services import SETTINGS
from ansible_collections.reseller.mail.tests.unit.support.sample_estate import (
    ACME,
    ESTATE,
    LEGACY,
    MX1,
    MX2,
    with_domain,
    with_tenant,
)
from hypothesis import given
from hypothesis import strategies as st

AUTOCONFIG = """\
<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1">
  <emailProvider id="acme.example">
    <domain>acme.example</domain>
    <displayName>Acme Mail</displayName>
    <displayShortName>Acme Mail</displayShortName>
    <incomingServer type="imap">
      <hostname>mail.acme.example</hostname>
      <port>993</port>
      <socketType>SSL</socketType>
      <authentication>password-cleartext</authentication>
      <username>%EMAILADDRESS%</username>
    </incomingServer>
    <incomingServer type="pop3">
      <hostname>mail.acme.example</hostname>
      <port>995</port>
      <socketType>SSL</socketType>
      <authentication>password-cleartext</authentication>
      <username>%EMAILADDRESS%</username>
    </incomingServer>
    <outgoingServer type="smtp">
      <hostname>mail.acme.example</hostname>
      <port>465</port>
      <socketType>SSL</socketType>
      <authentication>password-cleartext</authentication>
      <username>%EMAILADDRESS%</username>
    </outgoingServer>
    <outgoingServer type="smtp">
      <hostname>mail.acme.example</hostname>
      <port>587</port>
      <socketType>STARTTLS</socketType>
      <authentication>password-cleartext</authentication>
      <username>%EMAILADDRESS%</username>
    </outgoingServer>
  </emailProvider>
</clientConfig>
"""
AUTODISCOVER = """\
<?xml version="1.0" encoding="UTF-8"?>
<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006">
  <Response xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a">
    <Account>
      <AccountType>email</AccountType>
      <Action>settings</Action>
      <Protocol>
        <Type>IMAP</Type>
        <Server>mx2.hosting.example</Server>
        <Port>993</Port>
        <DomainRequired>off</DomainRequired>
        <SPA>off</SPA>
        <SSL>on</SSL>
        <AuthRequired>on</AuthRequired>
      </Protocol>
      <Protocol>
        <Type>SMTP</Type>
        <Server>mx2.hosting.example</Server>
        <Port>465</Port>
        <DomainRequired>off</DomainRequired>
        <SPA>off</SPA>
        <SSL>on</SSL>
        <AuthRequired>on</AuthRequired>
        <UsePOPAuth>on</UsePOPAuth>
        <SMTPLast>off</SMTPLast>
      </Protocol>
    </Account>
  </Response>
</Autodiscover>
"""
HOSTILE = """</displayName><incomingServer type="imap"><hostname>evil.example</hostname>&xxe; ]]> {{ 7 * 7 }} %EMAILADDRESS% ' " <!--"""


def of(domain: Domain) -> dict[str, str]:
    return autoconfig.lookups(with_tenant(ESTATE, "acme", domains=(domain,)), MX1)


def texts(document: str, path: str) -> list[str]:
    return [found.text or "" for found in ET.fromstring(document.encode()).iterfind(path)]


def test_what_programs_of_mozillas_kind_are_told() -> None:
    assert autoconfig.lookups(ESTATE, MX1)["autoconfig/acme.example.xml"] == AUTOCONFIG


def test_what_outlook_is_told_where_the_domain_has_no_name_of_its_own_and_no_pop3() -> None:
    files = autoconfig.lookups(
        with_domain(ESTATE, "globex.example", protocols=("imap", "submission")), MX2
    )
    assert files["autodiscover/globex.example.xml"] == AUTODISCOVER
    assert texts(files["autoconfig/globex.example.xml"], ".//incomingServer/port") == ["993"]


def test_who_asks_by_an_alias_logs_in_where_the_mailbox_is() -> None:
    files = autoconfig.lookups(ESTATE, MX1)
    asked = files["autoconfig/acme-mail.example.xml"]
    assert texts(asked, ".//domain") == ["acme-mail.example"]
    assert set(texts(asked, ".//username")) == {"%EMAILLOCALPART%@acme.example"}
    assert set(texts(files["autodiscover/acme-mail.example.xml"], ".//{*}DomainName")) == {
        "acme.example"
    }
    assert texts(files["autodiscover/acme.example.xml"], ".//{*}DomainName") == []


@pytest.mark.parametrize("name", ["xn--bcher-kva.example", "mail.xn--strae-oqa.de"])
def test_who_types_letters_beyond_ascii_logs_in_with_the_name_that_dovecot_knows(name: str) -> None:
    domain = dataclasses.replace(ACME, name=name, domain_aliases=())
    answers = of(domain)
    assert set(texts(answers[f"autoconfig/{name}.xml"], ".//username")) == {
        f"%EMAILLOCALPART%@{name}"
    }
    assert f"<DomainName>{name}</DomainName>" in answers[f"autodiscover/{name}.xml"]
    assert "<DomainRequired>off</DomainRequired>" not in answers[f"autodiscover/{name}.xml"]


def test_an_answer_stands_wherever_the_names_are_published_and_nowhere_else() -> None:
    assert set(autoconfig.lookups(ESTATE, MX2)) == {
        f"{label}/{name}.xml" for label in SETTINGS for name in ("globex.example", "globex.test")
    }
    for estate in (
        ESTATE,
        with_tenant(ESTATE, "acme", state="suspended"),
        with_domain(ESTATE, "acme.example", autodiscover=False),
    ):
        asked = {
            record.name
            for record in dns.records(estate)
            if record.purpose in ("autoconfig", "autodiscover") and record.type == "A"
        }
        files = {path for node in estate.nodes for path in autoconfig.lookups(estate, node)}
        assert {path.removesuffix(".xml").replace("/", ".") for path in files} == asked
        assert asked <= {name for node in estate.nodes for name in tls.names(estate, node)}


@pytest.mark.parametrize(
    "changes",
    [
        {"autodiscover": False},
        {"mailboxes": (), "aliases": (), "sender_addresses": (), "catch_all": None},
        {"verified": False},
    ],
    ids=["not wanted", "nobody", "not verified"],
)
def test_domains_that_say_nothing(changes: dict[str, t.Any]) -> None:
    assert of(dataclasses.replace(ACME, **changes)) == {}


def test_nobody_reads_mail_in_a_relay_domain() -> None:
    assert of(LEGACY) == {}


@pytest.mark.parametrize("state", ["terminated", "pending"])
def test_tenants_that_are_not_served_say_nothing(state: str) -> None:
    assert autoconfig.lookups(with_tenant(ESTATE, "acme", state=state), MX1) == {}


def test_hostile_words_stay_words() -> None:
    answer = of(dataclasses.replace(ACME, branding=Branding("mail.acme.example", HOSTILE)))[
        "autoconfig/acme.example.xml"
    ]
    assert texts(answer, ".//displayName") == [f"{HOSTILE[:59].rstrip()}…"]
    assert set(texts(answer, ".//hostname")) == {"mail.acme.example"}


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=200).filter(str.isprintable))
def test_every_text_that_the_files_may_hold_comes_out_as_it_went_in(name: str) -> None:
    files = of(dataclasses.replace(ACME, branding=Branding(None, name)))
    assert [
        fault for path, text in files.items() for fault in lines.faults(path, text.encode(), 12)
    ] == []
    for kind, most in (("displayName", 60), ("displayShortName", 20)):
        (shown,) = texts(files["autoconfig/acme.example.xml"], f".//{kind}")
        assert (
            shown == name
            if len(name) <= most
            else shown.endswith("…") and name.startswith(shown[:-1])
        )
        assert len(shown) <= most
