# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports of strangers: both forms of DMARC reports, TLS reports, in all that they come in; and
what hostile ones may not do."""

from __future__ import annotations

import email.message
import gzip
import io
import json
import re
import time
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._promotion import (
    evidence,
    reports,
    unpack,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._promotion.evidence import Row
from ansible_collections.reseller.mail.plugins.plugin_utils._promotion.unpack import (
    MAX_PACKED,
    MAX_TEXT,
    Unfit,
)

pytest.importorskip("parsedmarc")
REPORTS = Path(__file__).parents[3] / "fixtures/reports"
GOOGLE = (REPORTS / "google.xml").read_bytes()
TLS = (REPORTS / "google.json").read_bytes()


@pytest.fixture(scope="module")
def reader() -> reports.Reader:
    return reports.Reader()


def zipped(*contents: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, content in enumerate(contents):
            archive.writestr(f"google.com!acme.example!{number}.xml", content)
    return file.getvalue()


def mailed(*contents: bytes, kind: str = "application/gzip") -> bytes:
    mail = email.message.EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = (
        "noreply@google.com",
        "reports@hosting.example",
        "Report domain: acme.example",
    )
    mail.set_content("This is an aggregate report.")
    maintype, subtype = kind.split("/")
    for content in contents:
        mail.add_attachment(content, maintype=maintype, subtype=subtype, filename="report")
    return mail.as_bytes()


def test_a_report_as_google_writes_it(reader: reports.Reader) -> None:
    [report] = reader.read(GOOGLE)
    assert (report.policy, report.domain, str(report.day), report.reporter) == (
        "dmarc",
        "acme.example",
        "2025-11-20",
        "google.com",
    )
    assert report.rows == (Row("192.0.2.1", 20, spf=True, dkim=True), Row("198.51.100.77", 7))


def test_a_report_as_outlook_writes_it(reader: reports.Reader) -> None:
    [report] = reader.read((REPORTS / "outlook.xml").read_bytes())
    assert report.rows == (Row("192.0.2.1", 1, spf=True),)


def test_a_report_of_the_new_form(reader: reports.Reader) -> None:
    [report] = reader.read((REPORTS / "rfc9990.xml").read_bytes())
    assert report.rows == (
        Row("192.0.2.1", 123, dkim=True),
        Row("2001:db8::2", 4),
        Row("192.0.2.1", 2, passed_on=True),
    )


def test_a_tls_report(reader: reports.Reader) -> None:
    [report] = reader.read((REPORTS / "rfc8460.json").read_bytes())
    assert (report.policy, report.domain, str(report.day)) == (
        "mta_sts",
        "acme.example",
        "2025-11-20",
    )
    assert report.rows == (
        Row("", 5326), Row("mx1.hosting.example", 100, what="certificate-expired"),
        Row("mx.stranger.example", 200, what="starttls-not-supported"),
        Row("mx1.hosting.example", 3, what="validation-failure"),
    )  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(GOOGLE), zipped(GOOGLE), mailed(gzip.compress(GOOGLE)),
        mailed(zipped(GOOGLE), kind="application/zip"), mailed(GOOGLE, kind="text/xml"),
        mailed(zipped(GOOGLE), kind="application/octet-stream"), b"\xef\xbb\xbf" + GOOGLE,
    ],
    ids=["gzip", "zip", "mail with gzip", "mail with zip", "mail with xml",
         "mail that does not say", "byte order mark"],
)  # fmt: skip
def test_all_that_reports_come_in(reader: reports.Reader, content: bytes) -> None:
    assert reader.read(content) == reader.read(GOOGLE)


def test_a_tls_report_in_a_mail(reader: reports.Reader) -> None:
    assert reader.read(mailed(gzip.compress(TLS), kind="application/tlsrpt+gzip")) == reader.read(
        TLS
    )


def test_the_same_report_has_the_same_key_and_another_has_another(reader: reports.Reader) -> None:
    other = GOOGLE.replace(b"9391651994964116463", b"9391651994964116464")
    assert (
        reader.read(GOOGLE)[0].key
        == reader.read(gzip.compress(GOOGLE))[0].key
        != reader.read(other)[0].key
    )


def lzma_bomb() -> bytes:
    """Says that it needs 4 GiB to be unpacked, and is damaged besides: the library raises what is
    no OSError then."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("google.com!acme.example!1.xml", GOOGLE)
    content = bytearray(file.getvalue())
    place = content.index(b"\x09\x04\x05\x00") + 5
    content[place : place + 24] = b"\xff" * 24
    return bytes(content)


BOMB = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">' + b"".join(
    b'<!ENTITY %c "%s">' % (98 + number, b"&%c;" % (97 + number) * 10) for number in range(9)
) + b"]>" + GOOGLE.partition(b"?>")[2].replace(b"google.com", b"&j;")  # fmt: skip


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (gzip.compress(b"<" + b"a" * (MAX_TEXT + 1)), "unpacks to more"),
        (zipped(b"<" + b"a" * (MAX_TEXT + 1)), "unpacks to more"),
        (zipped(*[b"<" + b"a" * (MAX_TEXT // 4)] * 5), "unpacks to more"),
        (zipped(*[b"<a/>"] * 11), "more than 10 files"),
        (gzip.compress(gzip.compress(GOOGLE)), "neither XML nor JSON"),
        (gzip.compress(GOOGLE)[:-20], "its end is missing"),
        (b"\x1f\x8b" + b"\xff" * 50, "no gzip"),
        (b"PK\x03\x04" + b"\xff" * 50, "no zip"),
        (b"<" + b" " * MAX_PACKED, "more than 4,194,304 bytes"),
        (lzma_bomb(), "stored or deflated"),
        (BOMB, "entities"),
        (BOMB.decode().encode("utf-16-le"), "entities"),
        (BOMB.replace(b'?>', b' encoding="utf-7"?>', 1).replace(b"<!", b"+ADwAIQ-"),
            "no DMARC report"),
        (GOOGLE.replace(b"<feedback>", b'<!DOCTYPE f SYSTEM "file:///etc/passwd"><feedback>'),
            "entities"),
        (b"<feedback>" + b"<record/>" * 10_000 + b"</feedback>", "no DMARC report"),
        (b"<feedback>" + b"<x/>" * 300_000 + b"</feedback>", "more than 300,000 tags"),
        (b"<a>" * 200_000, "more than 20 deep"),
        (b'{"a":' * 100_000, "no TLS report"),
        (b"[" * 100_000, "neither a report nor a mail"),
        (GOOGLE.replace(b"1763683199", b"99999999999999999999"), "no DMARC report"),
        (GOOGLE.replace(b"1763596800", b"0"), "longer than a week"),
        (GOOGLE.replace(b"1763683199", b"1763596799"), "ends"),
        (GOOGLE.replace(b"<count>20<", b"<count>-20<"), "no number"),
        (GOOGLE.replace(b"<domain>acme.example</domain>\n    <adkim>",
                        b"<domain>acme example</domain>\n    <adkim>"), "no DMARC report"),
        (TLS.replace(b'"sts"', b'["sts"]'), "no TLS report"),
        (b"Subject: hello\n\nNo report.", "neither a report nor a mail"),
        (b"\x00\xff\xfe" * 100, "neither a report nor a mail"),
        (b"", "neither a report nor a mail"),
        (b"Content-Type: multipart/mixed; boundary=a\n\n" + b"--a\nContent-Type: multipart/mixed; boundary=a\n\n" * 50_000, "nested parts"),
    ],
)  # fmt: skip
def test_hostile_ones_are_unfit(reader: reports.Reader, content: bytes, why: str) -> None:
    before = time.monotonic()
    tracemalloc.start()
    try:
        with pytest.raises(Unfit, match=why):
            reader.read(content)
        assert tracemalloc.get_traced_memory()[1] < 200 * 2**20
    finally:
        tracemalloc.stop()
    assert time.monotonic() - before < 20


def test_a_zip_file_that_lies_about_its_size(reader: reports.Reader) -> None:
    content = bytearray(zipped(b"<" + b"a" * (MAX_TEXT + 1)))
    place = content.rindex(b"PK\x01\x02")
    content[place + 24 : place + 28] = (100).to_bytes(4, "little")
    with pytest.raises(Unfit):
        reader.read(bytes(content))


def test_names_that_others_choose_are_short_and_printable(reader: reports.Reader) -> None:
    [report] = reader.read(
        GOOGLE.replace(b"<org_name>google.com", b"<org_name>&#x9b;31m" + b"evil " * 100)
    )
    assert report.reporter.isprintable()
    assert len(report.reporter) <= 60


def test_a_mail_with_a_good_and_a_bad_attachment_gives_the_good_one() -> None:
    assert unpack.texts(mailed(b"\x1f\x8bnonsense", gzip.compress(GOOGLE))) == [GOOGLE.decode()]


def test_counts_have_an_end(reader: reports.Reader) -> None:
    many = json.loads(TLS)
    many["policies"][0]["summary"]["total-successful-session-count"] = 10**30
    assert reader.read(json.dumps(many).encode())[0].rows == (Row("", evidence.MAX_COUNT),)


def test_a_gzip_file_of_several_members_is_all_of_them(reader: reports.Reader) -> None:
    parts = [GOOGLE[:200], GOOGLE[200:700], b"", GOOGLE[700:]]
    members = b"".join(gzip.compress(part) for part in parts)
    assert reader.read(members) == reader.read(GOOGLE)
    assert reader.read(members + b"\0\0 behind the last member") == reader.read(GOOGLE)
    with pytest.raises(Unfit, match="its end is missing"):
        reader.read(members[:-5])
    with pytest.raises(Unfit, match="unpacks to more than"):
        reader.read(gzip.compress(b"<" + b" " * (MAX_TEXT // 2)) * 2 + gzip.compress(b"x" * 9))
    with pytest.raises(Unfit, match="more than 100 members"):
        reader.read(gzip.compress(GOOGLE) + gzip.compress(b"") * 100)


NAMESPACE = "urn:ietf:params:xml:ns:dmarc-2.0"


@pytest.mark.parametrize(
    "root",
    [
        f'<d:feedback xmlns:d="{NAMESPACE}">',
        f"<d:feedback xmlns:d = '{NAMESPACE}' xmlns:x='urn:x'>",
        f'<feedback xmlns="{NAMESPACE}">',
    ],
)
def test_a_prefix_is_as_good_as_a_default_namespace(root: str, reader: reports.Reader) -> None:
    text = GOOGLE.decode().replace("<feedback>", root)
    if "<d:" in root:
        text = text.replace("</feedback>", "</d:feedback>")
    assert reader.read(text.encode())[0].rows == reader.read(GOOGLE)[0].rows


def test_two_prefixes_of_one_namespace_are_one(reader: reports.Reader) -> None:
    text = (
        GOOGLE.decode()
        .replace("<feedback>", f'<d:feedback xmlns:d="{NAMESPACE}" xmlns:e="{NAMESPACE}">')
        .replace("</feedback>", "</d:feedback>")
    )
    text = text.replace("<record>", "<e:record>").replace("</record>", "</e:record>")
    assert reader.read(text.encode())[0].rows == reader.read(GOOGLE)[0].rows


@pytest.mark.parametrize(
    "encoding", ["utf-16", "utf-16-le", "utf-16-be", "iso-8859-1", "windows-1252"]
)
def test_xml_is_read_in_the_encoding_that_it_has(encoding: str, reader: reports.Reader) -> None:
    text = GOOGLE.decode().replace("google.com", "Gr\u00fcn GmbH")
    text = (
        f'<?xml version="1.0" encoding="{encoding[:6] if "16" in encoding else encoding}"?>\n'
        + text.partition("?>")[2].lstrip()
    )
    [report] = reader.read(text.encode(encoding))
    assert (report.reporter, report.rows) == ("Gr\u00fcn GmbH", reader.read(GOOGLE)[0].rows)


def _tls(**policy: object) -> dict[str, object]:
    return {
        "policy": {
            "policy-type": "sts",
            "policy-domain": "acme.example",
            "policy-string": None,
            "mx-host": None,
        },
        "summary": {"total-successful-session-count": 7, "total-failure-session-count": 0},
        "failure-details": None,
        **policy,
    }


def _tls_report(*policies: object) -> bytes:
    span = {"start-datetime": "2026-11-20T00:00:00Z", "end-datetime": "2026-11-20T23:59:59Z"}
    report = {
        "organization-name": "Stranger",
        "date-range": span,
        "contact-info": "x@stranger.example",
        "report-id": "1",
        "policies": policies or None,
    }
    return json.dumps(report).encode()


FAILED = {"total-successful-session-count": 0, "total-failure-session-count": 3}


def test_null_stands_for_an_empty_list(reader: reports.Reader) -> None:
    [report] = reader.read(_tls_report(_tls()))
    assert report.rows == (Row("", 7),)
    [report] = reader.read(_tls_report(_tls(), None))
    assert report.rows == (Row("", 7),)
    assert reader.read(_tls_report()) == []


@pytest.mark.parametrize("contact", ['"contact-info": null, ', ""])
def test_a_tls_report_may_say_nobody_to_ask(contact: str, reader: reports.Reader) -> None:
    text = _tls_report(_tls()).decode()
    found = re.sub(r'"contact-info": "[^"]*", ?', contact, text)
    assert found != text
    [report] = reader.read(found.encode())
    assert report.rows == (Row("", 7),)


@pytest.mark.parametrize(
    "bad",
    [
        _tls(policy={"policy-type": "no-policy-found"}), _tls(policy=None),
        _tls(policy={"policy-type": "unheard-of", "policy-domain": "acme.example"}),
        _tls(summary={"total-successful-session-count": "41", "total-failure-session-count": 0}),
        _tls(summary={"total-successful-session-count": 1e400, "total-failure-session-count": 0}),
        _tls(summary={"total-successful-session-count": 0, "total-failure-session-count": True}),
        _tls(summary={}),
        _tls(**{"failure-details": [{"result-type": "x"}]}), "not a policy", 7,
    ],
)  # fmt: skip
def test_a_policy_that_cannot_be_read_does_not_hide_another_one(
    bad: object, reader: reports.Reader
) -> None:
    good = _tls(summary=FAILED)
    for policies in ((bad, good), (good, bad)):
        [report] = reader.read(_tls_report(*policies))
        assert (report.domain, report.rows) == (
            "acme.example",
            (Row("", 3, what="without a reason"),),
        )
    with pytest.raises(Unfit, match="it is no TLS report"):
        reader.read(_tls_report(bad))
