# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.generation import lines

POLICY = b"version: STSv1\r\nmode: testing\r\nmx: mx1.hosting.example\r\nmax_age: 86400\r\n"


def faults(path: str, data: bytes, debian: int = 12) -> list[str]:
    return list(lines.faults(path, data, debian))


@pytest.mark.parametrize(
    ("path", "data"),
    [
        (
            "postfix/virtual_alias_maps",
            b"@a.example\tx@a.example\njo@a.example\tx@a.example, y+z@b.example\n",
        ),
        ("postfix/sender_login_maps", b"a@a.example\tb@a.example c@a.example\n"),
        ("postfix/transport_maps", b"a.example\tsmtp:[mx.b.example]:25\n"),
        ("postfix/transport_maps", b"a.example\tnodes:[mx.b.example]:25\n"),
        ("postfix/tls_policy_maps", b"[mx.b.example]:25\tsecure match=nexthop\n"),
        ("dovecot/users/a.example", b"jo@a.example:::::::userdb_quota_rule=*:storage=5G\n"),
        (
            "dovecot/users/a.example",
            b"jo@a.example:::::::userdb_quota_rule=*:storage=5G:messages=500000\n",
        ),
        ("dovecot/logins/imap", b""),
        ("dovecot/mailboxes", b"@:::::::\njo@acme.example:::::::\njo@acme.example.org:::::::\n"),
        (
            "dovecot/login_domains",
            b"0815.example:::::::noauthenticate domain=a.example\n@:::::::noauthenticate"
            b" store=logins\n" + "bücher.example:::::::noauthenticate domain=a.example\n".encode(),
        ),
        (
            "opendkim/key_table",
            b"mx1._domainkey.a.example\ta.example:mx1:/r/dkim/a.example/mx1.private\n",
        ),
        ("mta_sts/a.example.txt", POLICY),
        ("autoconfig/a.example.xml", b'<?xml version="1.0"?><clientConfig version="1.1"/>'),
        (
            "autodiscover/a.example.xml",
            (
                b"<Autodiscover"
                b' xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"/>'
            ),
        ),
        ("tls/names", b"mta-sts.a.example\n"),
        (
            "quota_warnings/names",
            b"a.example\tA Mail\nb.example\t=?utf-8?b?w58=?= =?utf-8?q?=2C?=\n",
        ),
        ("model.txt", b"whatever\n"),
    ],
)
def test_good_files(path: str, data: bytes) -> None:
    assert faults(path, data) == []


@pytest.mark.parametrize(
    ("path", "data", "fault"),
    [
        (
            "postfix/virtual_alias_maps",
            b"a@a.example\tx@a.example\nb@a.example nobody\n",
            ":2: not a line of this file: 'b@a.example nobody'",
        ),
        ("postfix/virtual_alias_maps", b"a@a.example\tx\n", ":1: not a line"),
        (
            "postfix/virtual_mailbox_maps",
            b"b@a.example\tt\na@a.example\tt\n",
            ":2: a@a.example is out of order",
        ),
        (
            "postfix/virtual_mailbox_maps",
            b"a@a.example\tt\na@a.example\tt\n",
            ":2: a@a.example is here twice",
        ),
        ("postfix/virtual_mailbox_maps", b"a@a.example\tt", ": the last line is cut off"),
        ("postfix/virtual_mailbox_maps", b"A@a.example\tt\n", ":1: not a line"),
        ("postfix/virtual_mailbox_maps", b"a@a.example\tt\n\n", ":2: not a line"),
        ("postfix/transport_maps", b"a.example\tpipe:sh\n", ":1: not a line"),
        (
            "dovecot/users/a.example",
            b"jo@b.example:::::::userdb_quota_rule=*:storage=5G\n",
            ":1: 'jo@b.example' is not of this domain",
        ),
        (
            "dovecot/users/a.example",
            b"jo@a.example:::::::userdb_quota_storage_size=5G\n",
            ":1: not a line",
        ),
        (
            "dovecot/users/a.example",
            b"jo@a.example:{PLAIN}x::::::userdb_quota_rule=*:storage=5G\n",
            ":1: not a line",
        ),
        (
            "dovecot/users/a.example",
            b"jo@a.example:::::::userdb_quota_rule=*:storage=5G userdb_uid=0\n",
            ":1: not a line",
        ),
        (
            "dovecot/users/a.example",
            b"jo@a.example:::::::userdb_quota_rule=*:storage=5G:messages=\n",
            ":1: not a line",
        ),
        ("dovecot/login_domains", b"b.example:::::::domain=a.example\n", ":1: not a line"),
        (
            "dovecot/login_domains",
            b"b.example:::::::noauthenticate domain=a.example nopassword\n",
            ":1: not a line",
        ),
        (
            "dovecot/login_domains",
            b"b.example:::::::noauthenticate user=jo@a.example\n",
            ":1: not a line",
        ),
        (
            "dovecot/login_domains",
            b"b.example:::::::noauthenticate store=logins\n",
            ":1: not a line",
        ),
        ("dovecot/login_domains", b"@:::::::noauthenticate domain=a.example\n", ":1: not a line"),
        ("dovecot/login_domains", b"@:::::::noauthenticate store=credentials\n", ":1: not a line"),
        (
            "dovecot/login_domains",
            b"B.example:::::::noauthenticate domain=a.example\n",
            ":1: not a line",
        ),
        ("dovecot/users/../x", b"", ": no file of a generation"),
        ("opendkim/key_table", b"garbage\n", ":1: not a line"),
        ("mta_sts/a.example.txt", POLICY.replace(b"\r\n", b"\n"), ": not an MTA-STS policy"),
        ("autoconfig/a.example.xml", b"<clientConfig><a>&</a></clientConfig>", ": not well-formed"),
        ("autoconfig/a.example.xml", b"", ": no element found"),
        ("autodiscover/a.example.xml", b"<clientConfig/>", ": not settings of mail programs"),
        ("dovecot/logins/imap", b"\xff\n", ": 'utf-8'"),
        ("dovecot/logins/lmtp", b"", ": no file of a generation"),
        ("quota_warnings/names", b"a.example\t$(x)\n", ":1: not a line"),
        ("quota_warnings/names", b"a.example\tx\rBcc: y\n", ":1: not a line"),
        ("quota_warnings/names", b"a.example\t=?utf-8?q?a b?=\n", ":1: not a line"),
        ("postfix/other", b"", ": no file of a generation"),
    ],
)
def test_bad_files_are_told_with_line_and_key(path: str, data: bytes, fault: str) -> None:
    assert any(found.startswith(path + fault) for found in faults(path, data)), faults(path, data)


def test_the_dialect_is_the_hosts() -> None:
    for counts in (b"", b" userdb_quota_message_count=500000 userdb_quota_mailbox_count=1000"):
        line = b"jo@a.example:::::::userdb_quota_storage_size=5G" + counts + b"\n"
        assert faults("dovecot/users/a.example", line, 13) == []
        assert faults("dovecot/users/a.example", line, 12) != []
