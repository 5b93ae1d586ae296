# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard's decisions. Its daemon is proved on real hosts."""

from __future__ import annotations

import pathlib
import re
import socket
import threading
import typing as t
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from ansible_collections.reseller.mail.tests.unit.support.programs import program
from hypothesis import example, given
from hypothesis import strategies as st

guard = program("postfix/files/guard.py")

TABLES = {
    "sender_login_maps": {
        "jo@acme.example": "jo@acme.example",
        "office@acme.example": "jo@acme.example it@acme.example",
        "ann@globex.example": "ann@globex.example",
        "nobody@acme.example": "",
    },
    "submission_access": {"stopped@acme.example": "421 4.7.0 This mailbox may not send mail"},
    "virtual_mailbox_domains": {"acme.example": "acme"},
    "virtual_mailbox_maps": {
        "jo@acme.example": "acme",
        "it@acme.example": "acme",
        "stopped@acme.example": "acme",
    },
    "virtual_alias_maps": {
        "hello@acme.example": "jo@acme.example",
        "jo@acme-mail.example": "jo@acme.example",
        "sales@acme.example": "jo@acme.example,ann@globex.example",
        "a@loop.example": "b@loop.example",
        "b@loop.example": "c@loop.example",
        "c@loop.example": "a@loop.example",
        "orders@shop.example": "orders@shop.example",
        "@shop.example": "orders@shop.example",
    },
}


def find(table: str, key: str) -> t.Optional[str]:
    return TABLES[table].get(key)


@pytest.mark.parametrize(
    "value",
    [
        b"jo@acme.example",
        b" jo@acme.example ",
        b"<jo@acme.example>",
        b"Jo Doe <jo@acme.example>",
        b"Jo D. Doe\n <JO@Acme.Example>",
        b'"Doe, Jo (Sales); x@y" <jo@acme.example>',
        b'"a \\"quoted\\" name" <jo@acme.example>',
        b"=?UTF-8?Q?J=C3=B6_Doe?= <jo@acme.example>",
        b"=?UTF-8?B?SsO2?=\r\n =?UTF-8?B?IERvZQ==?= <jo@acme.example>",
        b"jo@acme.example (Jo Doe)",
    ],
)
def test_plain_addresses_are_read(value: bytes) -> None:
    assert guard.one_address(value) == "jo@acme.example"


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"jo",
        b"@acme.example",
        b"jo@",
        b"jo@@acme.example",
        b"jo@acme.example, ann@globex.example",
        b"jo@acme.example ann@globex.example",
        b"<jo@acme.example> <ann@globex.example>",
        b"<<jo@acme.example>>",
        b"Jo <jo@acme.example",
        b"ann@globex.example <jo@acme.example>",  # an unquoted @ in a name: two readings
        # a naive reader takes the first angle brackets
        b'"<ann@globex.example>" <jo@acme.example>',
        b"(<ann@globex.example>) jo@acme.example",
        b"(a (nested) comment) jo@acme.example",
        b"jo@acme.example (ann@globex.example)",
        b"jo(x)@acme.example",
        b"Jo <jo@acme.example> (x)",
        b"Jo <jo@acme.example (x)",
        b'Jo <jo@acme.example "x"',
        b'"a\x01b" <jo@acme.example>',
        b"jo@acme.example (a\x01b)",
        b"friends: jo@acme.example;",
        b"friends: ;",
        b"undisclosed-recipients:;",
        b"<@globex.example:jo@acme.example>",
        b'"jo"@acme.example',
        b'"ann@globex.example"@acme.example',
        b"jo..x@acme.example",
        b".jo@acme.example",
        b"jo.@acme.example",
        b"jo @acme.example",
        b"< jo@acme.example >",
        b"jo@[10.97.0.3]",
        b"jo@acme",
        b"jo@acme..example",
        b"jo@-acme.example",
        b"jo@acme_x.example",
        b"jo@acme.example.",
        b"jo@acme.example\x00ann@globex.example",
        b"jo@acme.example\rFrom: ann@globex.example",
        b"jo@acme.example\nFrom: ann@globex.example",
        b"J\xc3\xb6 <jo@acme.example>",
        b"\xef\xbb\xbfjo@acme.example",
        b"jo@b\xc3\xbccher.example",
        b"Jo\x0b <jo@acme.example>",
        b"Jo\x7f <jo@acme.example>",
        # would show as Ann in some readers
        b"jo+=?utf-8?b?YW5uQGdsb2JleC5leGFtcGxlAA==?=@acme.example",
        b'"unclosed <jo@acme.example>',
        b"Jo \\<ann@globex.example\\> <jo@acme.example>",
        b"jo@" + b"a" * 250 + b".example",
    ],
)
def test_everything_else_is_refused(value: bytes) -> None:
    with pytest.raises(guard.NotOneAddress):
        guard.one_address(value)


@given(st.binary(max_size=200))
def test_any_bytes_give_an_address_or_a_reason(value: bytes) -> None:
    try:
        address = guard.one_address(value)
    except guard.NotOneAddress:
        return
    assert address.count("@") == 1
    assert address.encode("ascii") in value.lower()


@given(st.text(alphabet='jo@acme.xplgb<>()",;: \t\\=?+\n', max_size=40))
def test_what_is_accepted_holds_no_second_address_outside_quotes(value: str) -> None:
    try:
        address = guard.one_address(value.encode())
    except guard.NotOneAddress:
        return
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', "", value)
    assert outside.count("@") == 1
    assert address in outside.replace("\n", "").lower()


@given(st.text(st.characters(exclude_categories=["C", "Z"]), max_size=30))
def test_what_mail_programs_write_is_read(name: str) -> None:
    """Python's own generator stands for a mail program: any name it writes is quoted or encoded."""
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(re.sub(r'[<>\\"]', "", name), addr_spec="jo@acme.example")
    raw = message.as_bytes().split(b"From:", 1)[1].rsplit(b"\r\n\r\n", 1)[0].rstrip(b"\r\n")
    assert guard.one_address(raw) == "jo@acme.example"


def judge(login: str, *fields: tuple[str, str]) -> t.Any:
    return guard.judge_identity(login, [(name, value.encode()) for name, value in fields], find)


@pytest.mark.parametrize(
    "fields",
    [
        [("From", "Jo <jo@acme.example>")],
        [("FROM", "jo+list@acme.example")],
        [("From", "office@acme.example"), ("Sender", "jo@acme.example")],
        [
            ("From", "jo@acme.example"),
            ("Resent-From", "office@acme.example"),
            ("Resent-From", "jo@acme.example"),
        ],
    ],
)
def test_a_login_sends_as_what_it_owns(fields: list[tuple[str, str]]) -> None:
    assert judge("jo@acme.example", *fields) is None
    assert judge("JO@ACME.example", *fields) is None


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ([], "exactly one From field and has 0"),
        (
            [("From", "jo@acme.example"), ("from", "jo@acme.example")],
            "exactly one From field and has 2",
        ),
        (
            [("From", "ann@globex.example")],
            "From <ann@globex.example> is not an address that jo@acme.example may send as",
        ),
        ([("From", "unknown@acme.example")], "may send as"),
        ([("From", "nobody@acme.example")], "may send as"),
        ([("From", "jo@elsewhere.example")], "may send as"),
        (
            [("From", "jo@acme.example"), ("Sender", "ann@globex.example")],
            "Sender <ann@globex.example>",
        ),
        (
            [
                ("From", "jo@acme.example"),
                ("Sender", "jo@acme.example"),
                ("Sender", "jo@acme.example"),
            ],
            "at most one Sender",
        ),
        (
            [("From", "jo@acme.example"), ("Resent-From", "ann@globex.example")],
            "Resent-From <ann@globex.example>",
        ),
        ([("From", "jo@acme.example"), ("Resent-Sender", "x: ;")], "Resent-Sender is not"),
        ([("From", "jo@acme.example")] + [("Resent-From", "jo@acme.example")] * 60, "too many"),
    ],
)
def test_a_login_does_not_send_as_another(fields: list[tuple[str, str]], text: str) -> None:
    refusal = judge("jo@acme.example", *fields)
    assert refusal[:2] == ("550", "5.7.1")
    assert text in refusal.text


def test_nobody_logged_in_owns_nothing() -> None:
    assert judge("", ("From", "jo@acme.example")) is not None
    assert judge("", ("From", "nobody@acme.example")) is not None


def test_a_part_of_an_owners_name_is_not_the_owner() -> None:
    assert judge("o@acme.example", ("From", "jo@acme.example")) is not None
    assert judge("jo@acme.example it@acme.example", ("From", "office@acme.example")) is not None


def test_the_first_key_that_exists_counts_as_in_postfix() -> None:
    table = {
        "sales+eu@acme.example": "ann",
        "sales@acme.example": "jo",
        "@acme.example": "it",
        "none@acme.example": "",
    }

    def seek(_table: str, key: str) -> t.Optional[str]:
        return table.get(key)

    assert guard.lookup(seek, "x", "sales+eu@acme.example") == "ann"
    assert guard.lookup(seek, "x", "sales+us+x@acme.example") == "jo"
    assert guard.lookup(seek, "x", "+sales@acme.example") == "it"
    assert guard.lookup(seek, "x", "none@acme.example") == ""
    assert guard.lookup(seek, "x", "sales@globex.example") is None


@pytest.mark.parametrize(
    ("recipient", "mailbox"),
    [
        ("jo@acme.example", "jo@acme.example"),
        ("Hello+x@acme.example", "jo@acme.example"),
        ("jo@acme-mail.example", "jo@acme.example"),
        ("sales@acme.example", "sales@acme.example"),
        ("a@loop.example", "a@loop.example"),
        ("anything@shop.example", "orders@shop.example"),
        ("", ""),
    ],
)
def test_an_alias_of_one_mailbox_is_judged_by_that_mailbox(recipient: str, mailbox: str) -> None:
    assert guard.mailbox_of(recipient, find) == mailbox


KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=1, max_size=12)
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=8)


@given(st.dictionaries(KEYS, VALUES), KEYS, st.booleans())
def test_bisection_finds_what_a_dict_finds(
    table: dict[str, str], other: str, last_newline: bool
) -> None:
    data = "".join(f"{key}\t{table[key]}\n" for key in sorted(table)).encode()
    data = data if last_newline else data.rstrip(b"\n")
    for key in [*table, other, other + "!"]:
        found = guard.find_line(data, key.encode())
        assert (None if found is None else found.decode()) == table.get(key)


@pytest.mark.parametrize(
    ("action", "refusal"),
    [
        ("DUNNO", None),
        ("OK", None),
        ("", None),
        ("552 5.2.2 Mailbox is full", ("552", "5.2.2", "Mailbox is full")),
        ("452 4.2.2 Later ", ("452", "4.2.2", "Later")),
        ("552 Mailbox is full", None),
        ("250 2.0.0 fine", None),
    ],
)
def test_a_policy_answer_is_a_refusal_or_nothing(
    action: str, refusal: t.Optional[tuple[str, str, str]]
) -> None:
    assert guard.judge_answer(action) == refusal


def _policy_server(path: str, answer: bytes) -> tuple[threading.Thread, list[bytes]]:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen(1)
    asked: list[bytes] = []

    def serve() -> None:
        link, _peer = listener.accept()
        with link, listener:
            data = b""
            while b"\n\n" not in data:
                data += link.recv(4096)
            asked.append(data)
            for byte in range(0, len(answer), 5):
                link.sendall(answer[byte : byte + 5])

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return thread, asked


def test_the_policy_is_asked_as_at_rcpt_with_the_size_that_arrived(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "quota")
    thread, asked = _policy_server(path, b"action=552 5.2.2 Mailbox is full\n\n")
    assert (
        guard.ask_policy(path, "jo@acme.example", "small@acme.example", 4711)
        == "552 5.2.2 Mailbox is full"
    )
    thread.join(5)
    lines = asked[0].decode().split("\n")
    assert lines[0] == "request=smtpd_access_policy"
    assert {
        "protocol_state=RCPT",
        "recipient=small@acme.example",
        "sender=jo@acme.example",
        "size=4711",
    } <= set(lines)


def test_a_policy_without_an_answer_is_an_error(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "quota")
    _policy_server(path, b"nonsense\n\n")
    with pytest.raises(ValueError, match="no action"):
        guard.ask_policy(path, "", "small@acme.example", 1)
    with pytest.raises(FileNotFoundError):
        guard.ask_policy(str(tmp_path / "absent"), "", "small@acme.example", 1)


def test_no_line_is_injected_into_the_policy_protocol(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ValueError, match="control character"):
        guard.ask_policy(str(tmp_path / "quota"), "", "small@acme.example\nsize=0", 1)


def test_tables_follow_the_current_link(tmp_path: pathlib.Path) -> None:
    for number, owner in (("1", "jo"), ("2", "ann")):
        (tmp_path / number).mkdir()
        (tmp_path / number / "sender_login_maps").write_text(f"x@acme.example\t{owner}\n", "utf-8")
        (tmp_path / number / "virtual_alias_maps").write_text("", "utf-8")
    link = tmp_path / "current"
    link.symlink_to("1")
    tables = guard.Tables(str(link))
    assert tables.find("sender_login_maps", "x@acme.example") == "jo"
    assert tables.find("virtual_alias_maps", "x@acme.example") is None
    (tmp_path / "next").symlink_to("2")
    (tmp_path / "next").rename(link)
    assert tables.find("sender_login_maps", "x@acme.example") == "ann"


def test_a_missing_table_is_an_error_not_an_empty_one(tmp_path: pathlib.Path) -> None:
    with pytest.raises(FileNotFoundError):
        guard.Tables(str(tmp_path)).find("sender_login_maps", "x@acme.example")


@example("100 % of \r\n" + "x" * 1000)
@given(st.text())
def test_replies_are_one_line_that_libmilter_takes(text: str) -> None:
    shown = guard.printable(text)
    assert len(shown) <= 400
    assert all(" " <= character <= "~" and character != "%" for character in shown)


def generated(sender: str, *fields: tuple[str, str]) -> t.Any:
    return guard.judge_generated(sender, [(name, value.encode()) for name, value in fields], find)


@pytest.mark.parametrize(
    ("sender", "fields"),
    [
        ("jo@acme.example", [("From", "<jo@acme.example>")]),
        ("JO+list@acme.example", [("From", "Office <office@acme.example>")]),
        ("", [("From", "Postmaster <postmaster@acme.example>")]),
    ],
)
def test_what_a_script_sends_speaks_for_its_owner(
    sender: str, fields: list[tuple[str, str]]
) -> None:
    assert generated(sender, *fields) is None


@pytest.mark.parametrize(
    ("sender", "fields"),
    [
        ("jo@acme.example", []),
        ("jo@acme.example", [("From", "it@acme.example")]),
        ("jo@acme.example", [("From", "jo@acme.example"), ("From", "it@acme.example")]),
        ("jo@acme.example", [("From", "jo@acme.example"), ("Sender", "it@acme.example")]),
        ("jo@acme.example", [("From", "jo@acme.example"), ("Resent-From", "it@acme.example")]),
        ("jo@acme.example", [("From", "postmaster@acme.example")]),
        ("it@acme.example", [("From", "jo@acme.example")]),
        ("ann@globex.example", [("From", "ann@globex.example")]),  # no mailbox of this host
        (
            "office@acme.example",
            [("From", "office@acme.example")],
        ),  # an alias receives nothing itself
        ("", []),
        ("", [("From", "jo@acme.example")]),
        ("", [("From", "postmaster@globex.example")]),
        ("", [("From", "postmaster@acme.example"), ("Sender", "jo@acme.example")]),
        ("", [("From", "postmaster@acme.example, jo@acme.example")]),
    ],
)
def test_what_a_script_sends_speaks_for_nobody_else(
    sender: str, fields: list[tuple[str, str]]
) -> None:
    refusal = generated(sender, *fields)
    assert refusal[:2] == ("550", "5.7.1")


@pytest.mark.parametrize(
    ("head", "redirect"),
    [
        (["X-Sieve", "X-Sieve-Redirected-From", "Received"], True),
        (["x-sieve", "x-sieve-redirected-from"], True),
        (["X-Sieve", "Message-ID", "X-Sieve-Redirected-From"], False),
        (["Message-ID", "X-Sieve", "X-Sieve-Redirected-From"], False),
        (["X-Sieve-Redirected-From", "X-Sieve"], False),
        (["X-Sieve"], False),
        ([], False),
    ],
)
def test_only_the_first_two_fields_make_a_redirect(head: list[str], redirect: bool) -> None:
    assert guard.is_redirect(head) is redirect


@pytest.mark.parametrize(
    ("header_from", "left"),
    [
        ("x@stranger.example", "jo@acme.example"),
        ("=?utf-8?q?J=C3=B6?= <x@stranger.example>", "jo@acme.example"),
        (
            "J\u00f6 <x@stranger.example>",
            "jo@acme.example",
        ),  # sloppy, and no reader finds another domain
        ("x@stranger.example, y@stranger.example", "jo@acme.example"),
        ("x@notacme.example", "jo@acme.example"),
        ("x@hosting.example", "jo@acme.example"),
        ("ann@globex.example", "jo@acme.example"),
        ("jo@acme.example", ""),  # an external host may have written it; her own has a signature
        ("it@acme.example", ""),
        ("it@sub.acme.example", ""),
        ("boss: it@ACME.example;", ""),
        ("it@acme.example, x@stranger.example", ""),
        ('"it@acme"."example" <x@stranger.example', ""),
        ("it@ac (a (nested) comment) me . example", ""),
        ("(it@acme.example) x", ""),
        ("it@acme.example, x@mx1.hosting.example", None),
        ("x@\u00e4cme.example", None),  # readers differ in what domain that is
        ("=?utf-8?q?it=40acme=2Eexample?=, x@stranger.example", None),
    ],
)
def test_a_redirect_leaves_with_an_envelope_that_does_not_align(
    header_from: str, left: t.Optional[str]
) -> None:
    """RFC 7489 section 3.1.2. The null sender aligns as the host's own name does."""
    found = guard.redirect_sender("jo@acme.example", "mx1.hosting.example", [header_from.encode()])
    assert found == left


def test_a_redirected_bounce_keeps_the_null_sender_or_is_kept() -> None:
    helo = "mx1.hosting.example"
    assert guard.redirect_sender("", helo, [b"MAILER-DAEMON@stranger.example"]) == ""
    assert guard.redirect_sender("", helo, [b"MAILER-DAEMON@mx2.hosting.example"]) is None
    fields = [("From", b"MAILER-DAEMON@mx2.hosting.example")]
    assert "confirmed" in guard.judge_redirect("", helo, fields, find).text


def test_a_redirect_is_a_mailbox_s_of_this_host() -> None:
    fields = [("From", b"x@stranger.example")]
    judge = guard.judge_redirect
    assert judge("jo+list@acme.example", "mx1.hosting.example", fields, find) is None
    assert judge("ann@globex.example", "mx1.hosting.example", fields, find) is not None
    assert judge("jo@acme.example", "mx1.hosting.example", fields * 60, find) is not None
    stopped = judge("stopped+list@acme.example", "mx1.hosting.example", fields, find)
    assert "may not send mail" in stopped.text


@given(st.binary(max_size=120))
def test_a_from_with_the_domain_s_own_letters_always_aligns(noise: bytes) -> None:
    """Whatever stands around it, a redirect is not sent with that domain."""
    froms = [noise + b" <it@acme.example>"]
    assert guard.redirect_sender("jo@acme.example", "mx1.hosting.example", froms) in ("", None)


CONNECTIONS = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:295B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100
   1: 0100007F:C350 0100007F:295B 01 00000000:00000000 00:00000000 00000000  5000        0 2 1 0 20
   2: 0100007F:295B 0100007F:C350 01 00000000:00000000 00:00000000 00000000   102        0 3 1 0 20
   3: 0300610A:C351 0300610A:0019 01 00000000:00000000 00:00000000 00000000    33        0 4 1 0 20
"""


@pytest.mark.parametrize(("port", "owner"), [(50000, 5000), (50001, None), (1, None), (0, None)])
def test_who_connected_is_read_from_the_host_s_connections(
    port: int, owner: t.Optional[int]
) -> None:
    assert guard.owner_of_connection(CONNECTIONS, port) == owner


@pytest.mark.parametrize("name", ["X-Spam", "x-spam-flag", "X-SPAM-Status", "X-Spamd-Result"])
def test_a_filter_s_fields_are_known(name: str) -> None:
    assert guard.is_spam_mark(name)
    assert not guard.is_spam_mark("X-Token")


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("<>", ""),
        ("<jo@acme.example>", ""),
        ('<"jo doe"@acme.example>', ""),
        ("<j\u00f6@acme.example>", "5.6.7"),
        ("<j\udcf6@acme.example>", "5.6.7"),  # what is left of a byte that is no UTF-8
        ("<jo@\u00e4cme.example>", "5.6.7"),
        ("<jo\x07@acme.example>", "5.1.3"),
        ('<"jo\t"@acme.example>', "5.1.3"),
        ("<jo\x7f@acme.example>", "5.1.3"),
    ],
)
def test_an_envelope_address_is_printable_ascii(address: str, status: str) -> None:
    refusal = guard.judge_address(address, "5.1.3")
    assert (refusal.code, refusal.status) == ("553", status) if refusal else not status


def test_a_header_is_refused_for_good_when_it_is_larger_than_others_take() -> None:
    total, longest = guard.HEADER_BYTES, guard.FIELD_BYTES
    assert guard.judge_header(total, longest) is None
    for size in ((total + 1, longest), (total, longest + 1)):
        refusal = guard.judge_header(*size)
        assert (refusal.code, refusal.status) == ("552", "5.3.4")


class FixedTables:
    """Tables with the contents of TABLES."""

    find = staticmethod(find)


def session(
    sender: str = "<jo@acme.example>",
    login: str = "",
    daemon: str = "smtpd",
    client: str = "192.0.2.1",
    fields: t.Sequence[tuple[str, str]] = (),
) -> t.Any:
    host = guard.Surroundings(
        FixedTables(), "/nonexistent", 65534, frozenset({"192.0.2.25"}), 65533
    )
    begun = guard.Session(host, (client, 12345))
    begun.begin(sender, login, daemon, "mx1.hosting.example")
    for name, value in fields:
        begun.add_field(name, value.encode())
    return begun


def test_a_login_is_bound_to_its_from() -> None:
    neighbour = [("From", "ann@globex.example")]
    assert session(login="jo@acme.example", fields=neighbour).judge_head().status == "5.7.1"
    own = [("From", "jo@acme.example")]
    assert session(login="jo@acme.example", fields=own).judge_head() is None
    assert session(fields=neighbour).judge_head() is None


def test_spam_marks_are_removed_unless_a_node_wrote_them_or_a_script_redirects_them() -> None:
    marks = [("X-Spam-Flag", "YES"), ("X-Spam-Flag", "NO")]
    removed = [("x-spam-flag", 2), ("x-spam-flag", 1)]
    assert session(fields=marks).marks_to_remove() == removed
    assert session(fields=marks, client="192.0.2.25").marks_to_remove() == []
    assert session(fields=marks, client="127.0.0.1").marks_to_remove() == []
    redirect = [("X-Sieve", "Pigeonhole"), ("X-Sieve-Redirected-From", "jo@acme.example"), *marks]
    assert session(fields=redirect, daemon="SIEVE").marks_to_remove() == []
    assert session(fields=marks, daemon="SIEVE").marks_to_remove() == removed, "a script's own"
    own = session(fields=marks, client="192.0.2.25", login="jo@acme.example")
    assert own.marks_to_remove() == removed


def test_a_redirect_that_would_align_leaves_with_the_null_sender() -> None:
    head = [("X-Sieve", "Pigeonhole"), ("X-Sieve-Redirected-From", "jo@acme.example")]
    redirect = session(daemon="SIEVE", fields=[*head, ("From", "boss@acme.example")])
    assert redirect.new_sender() == ""
    redirect = session(daemon="SIEVE", fields=[*head, ("From", "ann@globex.example")])
    assert redirect.new_sender() is None
    assert session(daemon="SIEVE", fields=[("From", "boss@acme.example")]).new_sender() is None


def test_a_size_counts_for_one_recipient_alone() -> None:
    begun = session()
    begun.add_recipient("<jo@acme.example>")
    assert begun.add_body(10)
    begun.add_recipient("<it@acme.example>")
    assert not begun.add_body(10)
    assert begun.judge_size() is None


def test_what_cannot_be_checked_is_refused_for_now() -> None:
    def broken() -> t.Any:
        raise OSError("no table")

    refusal = session().decide("4cXyZ", broken)
    assert (refusal.code, refusal.status) == ("451", "4.3.0")
    assert (
        session().decide("4cXyZ", lambda: guard.Refusal("550", "5.7.1", "no\n%s")).text == "no??s"
    )
    assert session().decide("4cXyZ", lambda: None) is None


INTERNAL = {"staff@acme.example": "acme", "staff@acme-mail.example": "acme"}


def find_internal(table: str, key: str) -> t.Optional[str]:
    return INTERNAL.get(key) if table == "internal_aliases" else find(table, key)


@pytest.mark.parametrize(
    "recipient",
    [
        "<staff@acme.example>",
        "<STAFF@Acme-Mail.Example>",
        "<staff+x@acme.example>",
        '<"staff"@acme.example>',
        '<"st\\aff"@acme.example>',
        "<@mx1.hosting.example:staff@acme.example>",
        "<@a.example,@b.example:staff@acme.example>",
        "<staff@acme.example.>",
        "staff@acme.example",
    ],
)
def test_an_internal_alias_is_for_users_of_its_tenant_in_every_form(recipient: str) -> None:
    assert guard.judge_internal(recipient, "acme", find_internal) is None
    for tenant in ("globex", None, ""):
        refusal = guard.judge_internal(recipient, tenant, find_internal)
        assert refusal.status == "5.7.1"
        assert "Only users of the same organisation" in refusal.text


def test_other_addresses_are_for_everybody() -> None:
    for recipient in ("jo@acme.example", "staff@globex.example", "xstaff@acme.example"):
        assert guard.judge_internal(recipient, None, find_internal) is None


@pytest.mark.parametrize(
    ("daemon", "sender", "login", "fields", "is_allowed"),
    [
        ("ORIGINATING", "<jo@acme.example>", "jo@acme.example", [], True),
        ("ORIGINATING", "<>", "jo@acme.example", [], True),
        ("ORIGINATING", "<jo@acme.example>", "ann@globex.example", [], False),
        ("ORIGINATING", "<jo@acme.example>", "", [], False),
        ("smtpd", "<jo@acme.example>", "", [], True),
    ],
)
def test_a_submission_is_judged_by_the_tenant_of_its_login(
    monkeypatch: pytest.MonkeyPatch,
    daemon: str,
    sender: str,
    login: str,
    fields: t.Any,
    is_allowed: bool,
) -> None:
    """Port 25 has no login. Postfix refuses these aliases there."""
    monkeypatch.setattr(FixedTables, "find", staticmethod(find_internal))
    begun = session(sender=sender, login=login, daemon=daemon, fields=fields)
    begun.add_recipient("<jo@acme.example>")
    assert begun.judge_recipient() is None
    begun.add_recipient("<staff@acme.example>")
    assert (begun.judge_recipient() is None) == is_allowed


REDIRECTED = [("X-Sieve", "Pigeonhole"), ("X-Sieve-Redirected-From", "jo@acme.example")]


@pytest.mark.parametrize(
    ("sender", "fields", "is_allowed"),
    [
        ("<jo@acme.example>", [("From", "jo@acme.example")], True),
        ("<jo@acme.example>", [*REDIRECTED, ("From", "ann@globex.example")], False),
        ("<>", [("From", "postmaster@acme.example")], False),
    ],
)
def test_a_script_replies_to_an_internal_alias_and_redirects_nothing_to_it(
    monkeypatch: pytest.MonkeyPatch, sender: str, fields: t.Any, is_allowed: bool
) -> None:
    monkeypatch.setattr(FixedTables, "find", staticmethod(find_internal))
    monkeypatch.setattr(guard.Session, "_uid", lambda self: 65534)
    begun = session(sender=sender, daemon="SIEVE", fields=fields)
    begun.add_recipient("<staff@acme.example>")
    refusal = begun.judge_head()
    assert (refusal is None) == is_allowed, refusal


NAMES = {"jo@acme.example": '"Jo Doe"', "jo@long.example": " ".join(["=?utf-8?b?SsO2?="] * 9)}


def find_named(table: str, key: str) -> t.Optional[str]:
    return NAMES.get(key) if table == "display_names" else find(table, key)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"jo@acme.example", '"Jo Doe" <jo@acme.example>'),
        (b" <JO@acme.example> ", '"Jo Doe" <JO@acme.example>'),
        (b"jo+x@acme.example", '"Jo Doe" <jo+x@acme.example>'),
        (b"Jo <jo@acme.example>", None),
        (b'"" <jo@acme.example>', None),
        (b"jo@acme.example (Jo)", None),
        (b"it@acme.example", None),
    ],
)
def test_a_from_without_a_name_gets_that_of_its_user(
    value: bytes, expected: t.Optional[str]
) -> None:
    assert guard.named_from([("From", value)], find_named) == expected


def test_a_long_name_is_written_in_several_lines() -> None:
    written = guard.named_from([("From", b"jo@long.example")], find_named)
    assert max(map(len, written.split("\n"))) <= 75
    assert guard.one_address(written.encode()) == "jo@long.example"


def test_from_stays_if_it_is_signed_or_of_another_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FixedTables, "find", staticmethod(find_named))
    own = ("From", "jo@acme.example")
    user = "jo@acme.example"
    assert session(login=user, fields=[own]).new_from() == '"Jo Doe" <jo@acme.example>'
    assert session(fields=[own]).new_from() is None
    assert session(login=user, fields=[("DKIM-Signature", "v=1"), own]).new_from() is None
    resent = [("Resent-From", "jo@acme.example"), own]
    assert session(login=user, fields=resent).new_from() is None
