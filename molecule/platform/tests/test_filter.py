# SPDX-License-Identifier: GPL-3.0-or-later
"""With the filter, mail is judged before it is accepted: spam, forged senders, attachments. What is
refused is refused in SMTP, and nothing that was accepted gets lost.

The file vars/hosts.yml of the scenario says which forwarder and which domain are exceptions."""

from __future__ import annotations

import contextlib
import email
import email.message
import email.policy
import io
import re
import subprocess
import typing as t
import zipfile
from email.message import EmailMessage

import client
import dkim
import dns.exception
import dns.resolver
import pytest
from client import Flow, Host, Message, Outside, wait_until
from conftest import RESOLVER, STRANGER, Address, Side
from test_delivery import received, submit

GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
ZONE = "relay.example"
"""A domain outside of the estate, whose forwarder is trusted. Its names below get DMARC policies for
these tests."""
POLICIES = {"strict": "reject", "exempt": "reject", "mild": "quarantine", "watched": "none"}
SENDERS = {"softfail": "~all", "fail": "-all"}
"""Names of the zone, by what SPF says of the hosts that send, and the ends of their records."""
TENANTS = {
    "acme.example": "reject",
    "globex.example": "reject",
    "acme-shop.example": "quarantine",
    "initech.example": "quarantine",
}
"""Tenants' domains of both nodes, and their policies for these tests."""
FILTER, REDIS = "rspamd", "redis-server@reseller-mail"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How a compound file begins, such as .doc and .xls."""


def update(zone: str, *lines: str) -> None:
    """Change a zone at its name server."""
    client.Host("dns1").run(
        "knsupdate -k /etc/knot/update.key",
        stdin="\n".join(["server 10.97.0.2", f"zone {zone}.", *lines, "send", ""]),
    )


def resolves(name: str, text: str) -> bool:
    """Return whether the resolver of the nodes has a text in the TXT records of a name."""
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [RESOLVER]
    try:
        return any(text in one.to_text() for one in resolver.resolve(name, "TXT", lifetime=5))
    except dns.exception.DNSException:
        return False


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[bytes]:
    """The private key of the domain outside, whose public half and policies are in DNS."""
    path = tmp_path_factory.mktemp("dkim") / "key.pem"
    subprocess.run(
        ["openssl", "genrsa", "-traditional", "-out", path, "2048"], check=True, capture_output=True
    )
    public = subprocess.run(
        ["openssl", "rsa", "-in", path, "-pubout"], check=True, capture_output=True, text=True
    ).stdout
    encoded = "".join(line for line in public.splitlines() if not line.startswith("-"))
    parts = " ".join(f'"{part}"' for part in (f"v=DKIM1; p={encoded[:200]}", encoded[200:]))
    texts = {f"test._domainkey.{ZONE}": parts}
    for name, policy in POLICIES.items():
        texts[f"_dmarc.{name}.{ZONE}"] = f'"v=DMARC1; p={policy}"'
        texts[f"test._domainkey.{name}.{ZONE}"] = parts
    for name, tail in SENDERS.items():
        texts[f"{name}.{ZONE}"] = f'"v=spf1 {tail}"'
    records = [f"{name}. 5 TXT {text}" for name, text in texts.items()]
    records += [f"{name}.{ZONE}. 5 MX 10 smtp.{ZONE}." for name in SENDERS]
    update(ZONE, *(f"add {record}" for record in records))
    try:
        assert wait_until(lambda: all(resolves(name, "v=") for name in texts), 30)
        yield path.read_bytes()
    finally:
        update(ZONE, *(f"del {record}" for record in records))


def hand_in(
    outside: Outside, side: Side, message: Message, *recipients: str, sender: str = STRANGER
) -> list[t.Any]:
    """Hand a message in on port 25, as an external host; return the last reply."""
    to = list(recipients) or [side.user.name]
    answers = outside.send(side.host, 25, sender, to, message)
    assert answers["data"], answers
    return answers["data"]


def with_attachment(side: Side, name: str, content: bytes) -> Message:
    """A message with one attachment."""
    message = EmailMessage(policy=email.policy.SMTP)
    plain = Message.new(STRANGER, side.user.name)
    for field, value in email.message_from_string(plain.text).items():
        message[field] = value
    message.set_content("Here it is.")
    message.add_attachment(content, "application", "octet-stream", filename=name)
    return Message(plain.token, message.as_string())


def archive(name: str, content: bytes = b"x", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a ZIP archive with one file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as opened:
        opened.writestr(name, content)
    return buffer.getvalue()


def header(raw: bytes) -> email.message.Message:
    return email.message_from_bytes(raw)


def results(raw: bytes, host: str) -> str:
    """Return the Authentication-Results with a host's name, of which there must be one."""
    (field,) = [
        " ".join(value.split())
        for value in header(raw).get_all("Authentication-Results", [])
        if value.split(";")[0].strip() == host
    ]
    return field


def in_junk(outside: Outside, mailbox: Address, message: Message) -> bytes:
    """Return the message as it is in Junk."""
    (raw,) = outside.fetch(
        mailbox.host, mailbox.name, mailbox.password, message.token, folder="Junk"
    )
    return raw


def is_nowhere(outside: Outside, mailbox: Address, message: Message) -> bool:
    """Return whether a message is neither in the inbox nor in Junk, when a later one has come."""
    where = (mailbox.host, mailbox.name, mailbox.password)
    later = Message.new(STRANGER, mailbox.name)
    outside.send(mailbox.host, 25, STRANGER, [mailbox.name], later)
    received(outside, mailbox, later)
    return not any(
        outside.fetch(*where, message.token, folder=folder, seconds=0)
        for folder in ("INBOX", "Junk")
    )


def test_spam_is_refused_at_the_end_of_data_with_a_reason_and_never_delivered(
    outside: Outside, side: Side
) -> None:
    message = Message.new(STRANGER, side.user.name)
    spam = Message(message.token, f"{message.text}\r\n{GTUBE}\r\n")
    code, text = hand_in(outside, side, spam)
    assert (code, text) == (554, "5.7.1 Gtube pattern")
    assert is_nowhere(outside, side.user, spam)


def test_what_users_submit_is_judged_too(outside: Outside, side: Side) -> None:
    user, message = side.user, Message.new(side.user.name, STRANGER)
    spam = Message(message.token, f"{message.text}\r\n{GTUBE}\r\n")
    program = with_attachment(side, "invoice.exe", b"MZ")
    for one in (spam, Message(program.token, program.text.replace(STRANGER, user.name, 1))):
        answers = outside.send(
            side.host, 587, user.name, [STRANGER], one, login=user.name, password=user.password
        )
        assert answers["data"][0] == 554, answers


def test_every_message_from_outside_gets_the_results_of_its_authentication(
    outside: Outside, side: Side, key: bytes
) -> None:
    author = f"boss@strict.{ZONE}"
    message = Message.new(STRANGER, side.user.name, header_from=author)
    signature = dkim.sign(
        message.text.encode(), b"test", f"strict.{ZONE}".encode(), key, include_headers=[b"from"]
    )
    message = Message(message.token, signature.decode() + message.text)
    assert hand_in(outside, side, message)[0] == 250
    found = results(received(outside, side.user, message), side.host)
    assert f"dkim=pass header.d=strict.{ZONE}" in found
    assert "spf=pass" in found
    assert f"smtp.mailfrom={STRANGER}" in found
    assert f"dmarc=pass (policy=reject) header.from=strict.{ZONE}" in found


def test_forged_results_and_marks_are_removed_and_those_of_other_hosts_stay(
    outside: Outside, side: Side
) -> None:
    message = Message.new(STRANGER, side.user.name)
    forged = (
        f"Authentication-Results: {side.host}; dmarc=pass header.from=bank.example\r\n"
        f"Authentication-Results: {side.host.upper()} 1; dkim=pass\r\n"
        "Authentication-Results: other.example; dkim=pass header.d=list.example\r\n"
        "X-Spam-Tenths: 0\r\nX-Spam-Flag: NO\r\n"
        f"X-Spam-Allow: <{side.user.name}>\r\nX-Spam-Block: <{side.user.name}>\r\n"
    )
    assert hand_in(outside, side, Message(message.token, forged + message.text))[0] == 250
    raw = received(outside, side.user, message)
    assert "bank.example" not in results(raw, side.host)
    others = header(raw).get_all("Authentication-Results", [])
    assert [one for one in others if one.startswith("other.example")]
    assert len(others) == 2
    (tenths,) = header(raw).get_all("X-Spam-Tenths", [])
    assert 0 < int(tenths) < 60, "the filter's own"
    for name in ("X-Spam-Flag", "X-Spam-Allow", "X-Spam-Block"):
        assert name not in header(raw), name


def test_a_forged_sender_is_treated_as_the_policy_of_its_domain_asks(
    outside: Outside, side: Side, key: bytes
) -> None:
    assert key

    def forged(name: str) -> Message:
        return Message.new(STRANGER, side.user.name, header_from=f"boss@{name}.{ZONE}")

    strict, mild, watched = forged("strict"), forged("mild"), forged("watched")
    code, text = hand_in(outside, side, strict)
    assert code == 554
    assert f"strict.{ZONE}, whose DMARC policy asks to refuse it" in text
    assert is_nowhere(outside, side.user, strict)
    assert hand_in(outside, side, mild)[0] == 250
    raw = in_junk(outside, side.user, mild)
    assert "dmarc=fail reason" in results(raw, side.host)
    assert hand_in(outside, side, watched)[0] == 250
    assert "(policy=none)" in results(received(outside, side.user, watched), side.host)


@pytest.fixture(scope="module")
def tenants() -> t.Iterator[None]:
    """The tenants' domains have DMARC policies that act. Afterwards they have those of their files."""
    dns1 = client.Host("dns1")
    names = {domain: f"_dmarc.{domain}" for domain in TENANTS}
    before = {
        domain: dns1.output(f"dig +noall +answer @10.97.0.2 {name} TXT").splitlines()
        for domain, name in names.items()
    }
    try:
        for domain, policy in TENANTS.items():
            record = f'add {names[domain]}. 5 TXT "v=DMARC1; p={policy}"'
            update(domain, f"del {names[domain]}. TXT", record)
        assert wait_until(lambda: all(resolves(names[d], f"p={TENANTS[d]}") for d in TENANTS), 60)
        yield
    finally:
        for domain, lines in before.items():
            update(domain, f"del {names[domain]}. TXT", *(f"add {line}" for line in lines))


@pytest.mark.usefixtures("tenants")
def test_a_forged_tenant_is_treated_as_the_policy_of_its_domain_asks(
    outside: Outside, side: Side
) -> None:
    """Also for a recipient of the same domain: who sends from outside is no tenant."""
    mild = {"mx1": "acme-shop.example", "mx2": "initech.example"}[side.node]
    forged = Message.new(STRANGER, side.user.name, header_from=side.colleague.name)
    code, text = hand_in(outside, side, forged)
    assert code == 554
    assert f"{side.user.domain}, whose DMARC policy asks to refuse it" in text
    assert is_nowhere(outside, side.user, forged)
    forged = Message.new(STRANGER, side.user.name, header_from=f"boss@{mild}")
    assert hand_in(outside, side, forged)[0] == 250
    found = results(in_junk(outside, side.user, forged), side.host)
    assert "dmarc=fail" in found
    assert f"header.from={mild} (policy=quarantine)" in found
    received(outside, side.colleague, submit(outside, side.user, side.colleague.name))


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize("result", SENDERS)
def test_a_host_that_spf_does_not_allow_is_noted_and_this_alone_refuses_nothing(
    outside: Outside, side: Side, result: str
) -> None:
    sender = f"someone@{result}.{ZONE}"
    message = Message.new(sender, side.user.name)
    assert hand_in(outside, side, message, sender=sender)[0] == 250
    raw = received(outside, side.user, message)
    found = results(raw, side.host)
    assert f"spf={result} " in found
    assert f"smtp.mailfrom={sender}" in found
    assert ("R_SPF_FAIL" in header(raw)["X-Spam-Status"]) is (result == "fail")


def list_post(side: Side, key: bytes, domain: str, sealer: str) -> Message:
    """Return what a mailing list makes of a signed message: it adds a footer, which breaks the
    signature, and may seal the result."""
    plain = Message.new(STRANGER, side.user.name, header_from=f"boss@{domain}")
    signature = dkim.sign(
        plain.text.encode(), b"test", domain.encode(), key, include_headers=[b"from"]
    )
    text = b"".join(
        (
            b"List-Id: <all.lists.example>\r\nPrecedence: list\r\n",
            f"Authentication-Results: {sealer or 'lists.example'}; dkim=pass;".encode(),
            f" dmarc=pass header.from={domain}\r\n".encode(),
            signature + plain.text.encode(),
            b"--\r\nThis came by the list.\r\n",
        )
    )
    if sealer:
        text = b"".join(dkim.arc_sign(text, b"test", sealer.encode(), key, sealer.encode())) + text
    return Message(plain.token, text.decode())


@pytest.mark.parametrize(
    ("name", "sealer", "folder"),
    [
        ("watched", "", "INBOX"),
        ("mild", "", "Junk"),
        ("strict", "", None),
        ("strict", f"strict.{ZONE}", None),
        ("strict", ZONE, "INBOX"),
        ("exempt", "", "INBOX"),
    ],
    ids=[
        "policy-none",
        "policy-quarantine",
        "policy-reject",
        "another-seal",
        "trusted-seal",
        "exempt",
    ],
)
def test_what_a_list_changed_counts_as_its_author_s_policy_and_trusted_seals_say(
    outside: Outside, side: Side, key: bytes, name: str, sealer: str, folder: str | None
) -> None:
    """Anybody can make a seal, and write into it that the message was fine."""
    post = list_post(side, key, f"{name}.{ZONE}", sealer)
    code, reply = hand_in(outside, side, post)
    if folder is None:
        assert (code, "DMARC" in reply) == (554, True)
        return
    assert code == 250, reply
    raw = (received if folder == "INBOX" else in_junk)(outside, side.user, post)
    found = results(raw, side.host)
    assert "dkim=fail" in found
    assert "dmarc=fail" in found
    assert ("arc=pass" in found) is (sealer == ZONE)


def test_the_owner_of_a_role_address_gets_what_others_refuse(
    outside: Outside, side: Side, key: bytes
) -> None:
    assert key
    postmaster = f"postmaster@{side.user.domain}"
    for message in (
        Message.new(STRANGER, postmaster, header_from=f"boss@strict.{ZONE}"),
        with_attachment(side, "sample.exe", b"MZ"),
    ):
        assert hand_in(outside, side, message, postmaster)[0] == 250
    # In one message with other recipients, such content is refused for all of them.
    both = (postmaster, side.user.name)
    assert hand_in(outside, side, with_attachment(side, "sample.exe", b"MZ"), *both)[0] == 554


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("invoice.exe", b"MZ", ".exe"),
        ("invoice.pdf .SCR", b"MZ", ".scr"),
        ("invoice.zip", archive("invoice.js"), ".js"),
        ("invoice.doc", archive("x/invoice.exe"), ".exe"),
    ],
    ids=["program", "double-extension", "in-archive", "archive-with-another-name"],
)
def test_attachments_that_run_are_refused(
    outside: Outside, side: Side, name: str, content: bytes, says: str
) -> None:
    code, text = hand_in(outside, side, with_attachment(side, name, content))
    assert (code, text) == (
        554,
        f"5.7.1 Message refused: attachments of type {says} are not accepted",
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plan.docm", archive("word/document.xml")),
        ("plan.docx", archive("word/vbaProject.bin")),
        ("plan.doc", OLE + bytes(600) + "_VBA_PROJECT".encode("utf-16-le")),
    ],
    ids=["by-name", "in-archive", "in-compound-file"],
)
def test_documents_with_macros_go_into_junk(
    outside: Outside, side: Side, name: str, content: bytes
) -> None:
    message = with_attachment(side, name, content)
    assert hand_in(outside, side, message)[0] == 250
    assert header(in_junk(outside, side.user, message))["X-Spam-Flag"] == "YES"


def test_a_document_without_macros_arrives(outside: Outside, side: Side) -> None:
    message = with_attachment(side, "plan.docx", archive("word/document.xml"))
    assert hand_in(outside, side, message)[0] == 250
    received(outside, side.user, message)


def test_mail_inside_the_estate_is_no_forgery(outside: Outside, side: Side) -> None:
    """Neither to a neighbour on the same node, nor to a tenant on the other one."""
    for recipient in (side.colleague, side.other_user):
        raw = received(outside, recipient, submit(outside, side.user, recipient.name))
        assert [name for name in header(raw) if name.lower().startswith("x-spam")] == []


def hostile() -> dict[str, tuple[str, set[int]]]:
    """Return messages that are hard to read, and which replies are fine."""
    many = "".join(f"--b\r\nContent-Type: text/plain\r\n\r\n{n}\r\n" for n in range(1000))
    nested = "".join(
        f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(300)
    )
    mixed = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    return {
        "broken": (
            'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b\r\n'
            "Content-Transfer-Encoding: base64\r\n\r\n--b\r\n\xff\xfe====\r\n",
            {250},
        ),
        "parts": (f"{mixed}{many}--b--\r\n", {250}),
        "nested": (f"MIME-Version: 1.0\r\n{nested}", {550}),
        "header": ("".join(f"X-{n}: {'y' * 900}\r\n" for n in range(1100)) + "\r\nx\r\n", {552}),
        "bomb": ("", {250}),
    }


@pytest.mark.parametrize("kind", ["broken", "parts", "nested", "header", "bomb"])
def test_mail_that_is_hard_to_read_stops_nothing_and_is_not_lost(
    outside: Outside, side: Side, node: Host, kind: str
) -> None:
    before = node.output("systemctl show -P NRestarts -P MainPID rspamd; pgrep -f rspamd_proxy")
    text, fine = hostile()[kind]
    plain = Message.new(STRANGER, side.user.name)
    head = plain.text.partition("\r\n\r\n")[0]
    message = Message(plain.token, f"{head}\r\n{text}")
    if kind == "bomb":
        inner = archive("zeros", bytes(50_000_000))
        message = with_attachment(side, "bomb.zip", archive("inner.zip", inner))
    code, reply = hand_in(outside, side, message)
    assert code in fine, reply
    if code == 250:
        where = (side.host, side.user.name, side.user.password, message.token)
        assert wait_until(
            lambda: any(
                outside.fetch(*where, folder=folder, seconds=0) for folder in ("INBOX", "Junk")
            )
        )
    after = node.output("systemctl show -P NRestarts -P MainPID rspamd; pgrep -f rspamd_proxy")
    assert after == before


@contextlib.contextmanager
def stopped(node: Host, unit: str) -> t.Iterator[None]:
    """Stop a unit for a while."""
    node.run(f"systemctl stop {unit}")
    try:
        yield
    finally:
        node.run(f"systemctl start {unit}")


def test_no_message_gets_lost_while_the_filter_and_redis_are_down_in_turn(
    outside: Outside, side: Side, node: Host
) -> None:
    """Without the filter mail waits at its sender. Without Redis it is judged and arrives."""
    with Flow(outside, side.host, side.user.name, side.user.password) as flow:
        with stopped(node, FILTER):
            lines = [f"EHLO {STRANGER.partition('@')[2]}\r\n", f"MAIL FROM:<{STRANGER}>\r\n"]
            replies = outside.call("converse", host=side.host, port=25, lines=lines)
            assert replies[-1].startswith("451 "), replies
        with stopped(node, REDIS):
            message = Message.new(STRANGER, side.user.name)
            assert hand_in(outside, side, message)[0] == 250
            assert header(received(outside, side.user, message))["X-Spam-Tenths"]
    account = flow.account([node])
    assert account.wrong == [], account
    assert account.deferred, "the flow must meet the filter while it is down"


def test_every_control_channel_is_a_unix_socket(node: Host) -> None:
    assert node.output("ss -ltnpH | grep -E 'rspamd|redis' || true") == ""
    assert node.output("stat -c '%a %U:%G' /run/rspamd/controller.sock") == "660 _rspamd:vmail"


def test_the_metrics_of_the_page_are_there(node: Host) -> None:
    """The command is the one of docs/filter.md."""
    page = client.PROJECT / "collections/ansible_collections/reseller/mail/docs/filter.md"
    text = page.read_text(encoding="utf-8")
    (command,) = re.findall(r"^# (curl .*/metrics)$", text, re.M)
    assert re.search(r"^rspamd_scanned_total [0-9]+$", node.output(command), re.M)


def set_up(**variables: t.Any) -> None:
    """Apply the roles that know the filter, with these variables, to both nodes."""
    done = client.site("--tags", "opendkim,filter,postfix,dovecot", variables=variables)
    assert done.rc == 0, done.output


def test_the_filter_can_be_turned_off_and_on_again_and_no_message_gets_lost(
    outside: Outside, sides: dict[str, Side], nodes: dict[str, Host], key: bytes
) -> None:
    def state(node: Host) -> str:
        return node.output("postconf -n; doveconf -n; cat /etc/opendkim/rsa.conf")

    def signed(side: Side) -> bytes:
        """Return a signed message from outside, as it arrived."""
        author = f"boss@watched.{ZONE}"
        message = Message.new(STRANGER, side.user.name, header_from=author)
        signature = dkim.sign(
            message.text.encode(),
            b"test",
            f"watched.{ZONE}".encode(),
            key,
            include_headers=[b"from"],
        )
        message = Message(message.token, signature.decode() + message.text)
        assert hand_in(outside, side, message)[0] == 250
        return received(outside, side.user, message)

    before = {name: state(node) for name, node in nodes.items()}
    flows = [Flow(outside, s.host, s.second.name, s.second.password) for s in sides.values()]
    with flows[0], flows[1]:
        try:
            set_up(mail_filter=False)
            for name, node in nodes.items():
                assert "rspamd" not in state(node)
                assert node.output(f"systemctl is-active {FILTER} {REDIS} || true").split() == [
                    "inactive",
                    "inactive",
                ]
                raw = signed(sides[name])
                assert "X-Spam-Tenths" not in header(raw)
                assert "dkim=pass" in results(raw, sides[name].host), "OpenDKIM verifies"
        finally:
            set_up()
    for name, node in nodes.items():
        assert state(node) == before[name]
        assert node.output(f"systemctl is-active {FILTER} {REDIS}").split() == ["active", "active"]
        assert header(signed(sides[name]))["X-Spam-Tenths"]
    for flow in flows:
        account = flow.account(nodes.values())
        assert account.wrong == [], account
