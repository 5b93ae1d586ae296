# SPDX-License-Identifier: GPL-3.0-or-later
"""A mail program that knows an address and a password finds its settings, and they work."""

from __future__ import annotations

import shlex
import typing as t
import uuid
from xml.etree import ElementTree as ET

import dns.resolver
from client import Host, Outside
from conftest import RESOLVER, Address, Side

POX = "{http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a}"
QUESTION = """\
<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006">
  <Request>
    <EMailAddress>{address}</EMailAddress>
    <AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema>
  </Request>
</Autodiscover>
"""
PROTOCOLS = {"imap": "imap", "pop3": "pop3", "smtp": "submission"}
CLIENT_HOSTS = {"acme.example": "mail.acme.example", "globex.example": "mx2.hosting.example"}


class Server(t.NamedTuple):
    """One server of the settings, ready to be used."""

    kind: str
    host: str
    port: int
    security: str
    user: str


def thunderbird(outside: Outside, address: str) -> list[Server]:
    """What Thunderbird makes of the answer to its question."""
    local, _at, domain = address.partition("@")
    status, kind, text = outside.call(
        "get", url=f"https://autoconfig.{domain}/mail/config-v1.1.xml?emailaddress={address}"
    )
    assert (status, kind) == (200, "text/xml")
    words = {"%EMAILADDRESS%": address, "%EMAILLOCALPART%": local, "%EMAILDOMAIN%": domain}
    found = []
    for server in ET.fromstring(text).iterfind("emailProvider/*[hostname]"):
        said = {part.tag: part.text or "" for part in server}
        for word, value in words.items():
            said["username"] = said["username"].replace(word, value)
        assert said["authentication"] == "password-cleartext"
        found.append(
            Server(
                server.attrib["type"],
                said["hostname"],
                int(said["port"]),
                said["socketType"],
                said["username"],
            )
        )
    return found


def outlook(outside: Outside, url: str, address: str) -> list[Server]:
    """What Outlook makes of the answer to what it posts."""
    status, kind, text = outside.call("get", url=url, post=QUESTION.format(address=address))
    assert (status, kind) == (200, "text/xml")
    found = []
    for protocol in ET.fromstring(text).iterfind(f"{POX}Response/{POX}Account/{POX}Protocol"):
        said = {part.tag.removeprefix(POX): part.text or "" for part in protocol}
        user = (
            f"{address.partition('@')[0]}@{said['DomainName']}" if "DomainName" in said else address
        )
        found.append(
            Server(
                said["Type"].lower(),
                said["Server"],
                int(said["Port"]),
                {"on": "SSL"}[said["SSL"]],
                user,
            )
        )
    return found


def refused(outside: Outside, servers: t.Iterable[Server], person: Address) -> list[Server]:
    """Servers that do not let the person in."""
    return [
        one
        for one in servers
        if not outside.may_login(one.host, PROTOCOLS[one.kind], one.user, person.password, one.port)
    ]


def curl(*arguments: str) -> tuple[int, str]:
    """From the stranger's host: exit status, and HTTP status (000: none)."""
    done = Host("outside").run(
        shlex.join(
            ["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", *arguments]
        ),
        check=False,
    )
    return done.returncode, done.stdout


def test_thunderbird_finds_settings_and_gets_in_with_each_of_them(
    outside: Outside, side: Side
) -> None:
    servers = thunderbird(outside, side.user.name)
    host = CLIENT_HOSTS[side.user.domain]
    assert servers == [
        Server("imap", host, 993, "SSL", side.user.name),
        Server("pop3", host, 995, "SSL", side.user.name),
        Server("smtp", host, 465, "SSL", side.user.name),
        Server("smtp", host, 587, "STARTTLS", side.user.name),
    ]
    assert refused(outside, servers, side.user) == []


def test_outlook_posts_its_question_and_gets_in(outside: Outside, side: Side) -> None:
    host = f"https://autodiscover.{side.user.domain}"
    servers = outlook(outside, f"{host}/Autodiscover/Autodiscover.xml", side.user.name)
    assert [(one.kind, one.port) for one in servers] == [
        ("imap", 993),
        ("pop3", 995),
        ("smtp", 465),
    ]
    assert outlook(outside, f"{host}/autodiscover/autodiscover.xml", side.user.name) == servers
    assert refused(outside, servers, side.user) == []
    assert outside.call("get", url=f"{host}/AutoDiscover/AutoDiscover.xml")[:2] == [200, "text/xml"]


def test_the_srv_record_leads_to_a_host_that_answers_under_its_name(
    outside: Outside, side: Side
) -> None:
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [RESOLVER]
    (record,) = resolver.resolve(f"_autodiscover._tcp.{side.user.domain}", "SRV", lifetime=10)
    url = f"https://{record.target.to_text(omit_final_dot=True)}:{record.port}/autodiscover/autodiscover.xml"
    assert refused(outside, outlook(outside, url, side.user.name), side.user) == []


def test_who_uses_an_alias_of_the_domain_is_told_where_the_mailbox_is(
    outside: Outside, sides: dict[str, Side]
) -> None:
    """On mx1, whose tenant's alias is in the lab's DNS."""
    side = sides["mx1"]
    alias = side.domain_alias.partition("@")[2]
    for servers in (
        thunderbird(outside, side.domain_alias),
        outlook(
            outside,
            f"https://autodiscover.{alias}/autodiscover/autodiscover.xml",
            side.domain_alias,
        ),
    ):
        assert {one.user for one in servers} == {side.user.name}
        assert refused(outside, servers, side.user) == []


def test_strangers_get_nothing(side: Side, node: Host) -> None:
    address = node.output("hostname -I").split()[0]
    domain, path = side.user.domain, "/mail/config-v1.1.xml"
    for name in (
        "autoconfig.unknown.example",
        "autodiscover.unknown.example",
        "autoconfig..",
        "autoconfig",
    ):
        status, answer = curl(
            "--insecure", "--connect-to", f"::{address}:443", f"https://{name}{path}"
        )
        assert status != 0, name
        assert answer == "000", name
    ours = f"https://autoconfig.{domain}"
    for url in (
        "/",
        "/mail/",
        "/mail/config-v1.1.xml/",
        "/../../activated.json",
        "/autodiscover/autodiscover.xml",
        f"/mail/{domain}.xml",
    ):
        assert curl("--path-as-is", f"{ours}{url}")[1] in ("400", "404"), url
    for header in ("autoconfig.unknown.example", "autoconfig.../../../activated", "autoconfig."):
        assert curl("--header", f"Host: {header}", f"{ours}{path}")[1] in ("400", "404", "421"), (
            header
        )
    assert curl("--request", "POST", f"{ours}{path}") == (0, "405")
    assert curl(
        "--request", "DELETE", f"https://autodiscover.{domain}/autodiscover/autodiscover.xml"
    ) == (0, "403")


def test_nothing_is_said_in_the_clear(side: Side) -> None:
    """Whoever can change such an answer on its way names a server of their own."""
    for url in (
        f"autoconfig.{side.user.domain}/mail/config-v1.1.xml",
        f"autodiscover.{side.user.domain}/autodiscover/autodiscover.xml",
    ):
        assert curl(f"http://{url}") == (0, "404")


def test_no_log_holds_the_addresses_that_programs_send_along(
    outside: Outside, side: Side, node: Host
) -> None:
    token = uuid.uuid4().hex
    for path in ("mail/config-v1.1.xml", "nothing.xml"):
        curl(
            f"https://autoconfig.{side.user.domain}/{path}?emailaddress={token}@{side.user.domain}"
        )
    curl(
        "--header",
        "Host: autoconfig.unknown.example",
        f"https://autoconfig.{side.user.domain}/mail/config-v1.1.xml?emailaddress={token}@x.example",
    )
    assert (
        node.run(
            f"grep -r {token} /var/log/nginx; journalctl --quiet --since=-2min | grep {token}",
            check=False,
        ).stdout
        == ""
    )
