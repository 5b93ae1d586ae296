# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports of strangers: both forms of DMARC reports, TLS reports, in all that they come in; and what hostile ones may not do."""

from __future__ import annotations

import email.message
import gzip
import io
import json
import time
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.module_utils import _evidence, _reports, _reports_unpack
from ansible_collections.reseller.mail.plugins.module_utils._evidence import Row
from ansible_collections.reseller.mail.plugins.module_utils._reports_unpack import MAX_PACKED, MAX_TEXT, Unfit

pytest.importorskip("parsedmarc")
REPORTS = Path(__file__).parents[2] / "fixtures/reports"
GOOGLE = (REPORTS / "google.xml").read_bytes()
TLS = (REPORTS / "google.json").read_bytes()


@pytest.fixture(scope="module")
def reader() -> _reports.Reader:
    return _reports.Reader()


def zipped(*contents: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, content in enumerate(contents):
            archive.writestr(f"google.com!acme.example!{number}.xml", content)
    return file.getvalue()


def mailed(*contents: bytes, kind: str = "application/gzip") -> bytes:
    mail = email.message.EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "noreply@google.com", "reports@hosting.example", "Report domain: acme.example"
    mail.set_content("This is an aggregate report.")
    maintype, subtype = kind.split("/")
    for content in contents:
        mail.add_attachment(content, maintype=maintype, subtype=subtype, filename="report")
    return mail.as_bytes()


def test_a_report_as_google_writes_it(reader: _reports.Reader) -> None:
    [report] = reader.read(GOOGLE)
    assert (report.policy, report.domain, str(report.day), report.reporter) == ("dmarc", "acme.example", "2025-11-20", "google.com")
    assert report.rows == (Row("192.0.2.1", 20, spf=True, dkim=True), Row("198.51.100.77", 7))


def test_a_report_as_outlook_writes_it(reader: _reports.Reader) -> None:
    [report] = reader.read((REPORTS / "outlook.xml").read_bytes())
    assert report.rows == (Row("192.0.2.1", 1, spf=True),)


def test_a_report_of_the_new_form(reader: _reports.Reader) -> None:
    [report] = reader.read((REPORTS / "rfc9990.xml").read_bytes())
    assert report.rows == (Row("192.0.2.1", 123, dkim=True), Row("2001:db8::2", 4), Row("192.0.2.1", 2, passed_on=True))


def test_a_tls_report(reader: _reports.Reader) -> None:
    [report] = reader.read((REPORTS / "rfc8460.json").read_bytes())
    assert (report.policy, report.domain, str(report.day)) == ("mta_sts", "acme.example", "2025-11-20")
    assert report.rows == (
        Row("", 5326), Row("mx1.hosting.example", 100, what="certificate-expired"), Row("mx.stranger.example", 200, what="starttls-not-supported"),
        Row("mx1.hosting.example", 3, what="validation-failure"),
    )  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(GOOGLE), zipped(GOOGLE), mailed(gzip.compress(GOOGLE)), mailed(zipped(GOOGLE), kind="application/zip"), mailed(GOOGLE, kind="text/xml"),
        mailed(zipped(GOOGLE), kind="application/octet-stream"), b"\xef\xbb\xbf" + GOOGLE,
    ],
    ids=["gzip", "zip", "mail with gzip", "mail with zip", "mail with xml", "mail that does not say", "byte order mark"],
)  # fmt: skip
def test_all_that_reports_come_in(reader: _reports.Reader, content: bytes) -> None:
    assert reader.read(content) == reader.read(GOOGLE)


def test_a_tls_report_in_a_mail(reader: _reports.Reader) -> None:
    assert reader.read(mailed(gzip.compress(TLS), kind="application/tlsrpt+gzip")) == reader.read(TLS)


def test_the_same_report_has_the_same_key_and_another_has_another(reader: _reports.Reader) -> None:
    other = GOOGLE.replace(b"9391651994964116463", b"9391651994964116464")
    assert reader.read(GOOGLE)[0].key == reader.read(gzip.compress(GOOGLE))[0].key != reader.read(other)[0].key


def lzma_bomb() -> bytes:
    """Says that it needs 4 GiB to be unpacked, and is damaged besides: the library raises what is no OSError then."""
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
        (lzma_bomb(), "packed in a way"),
        (BOMB, "entities"),
        (BOMB.decode().encode("utf-16-le"), "more than 20 deep"),
        (BOMB.replace(b'?>', b' encoding="utf-7"?>', 1).replace(b"<!", b"+ADwAIQ-"), "no DMARC report"),
        (GOOGLE.replace(b"<feedback>", b'<!DOCTYPE f SYSTEM "file:///etc/passwd"><feedback>'), "entities"),
        (b"<feedback>" + b"<record/>" * 10_000 + b"</feedback>", "no DMARC report"),
        (b"<feedback>" + b"<x/>" * 300_000 + b"</feedback>", "more than 300,000 tags"),
        (b"<a>" * 200_000, "more than 20 deep"),
        (b'{"a":' * 100_000, "no TLS report"),
        (b"[" * 100_000, "neither a report nor a mail"),
        (GOOGLE.replace(b"1763683199", b"99999999999999999999"), "no DMARC report"),
        (GOOGLE.replace(b"1763596800", b"0"), "longer than a week"),
        (GOOGLE.replace(b"1763683199", b"1763596799"), "ends"),
        (GOOGLE.replace(b"<count>20<", b"<count>-20<"), "no number"),
        (GOOGLE.replace(b"<domain>acme.example</domain>\n    <adkim>", b"<domain>acme example</domain>\n    <adkim>"), "no DMARC report"),
        (TLS.replace(b"41", b'"41"'), "no number"),
        (TLS.replace(b"41", b"1e400"), "no number"),
        (TLS.replace(b'"sts"', b'["sts"]'), "no TLS report"),
        (b"Subject: hello\n\nNo report.", "neither a report nor a mail"),
        (b"\x00\xff\xfe" * 100, "neither a report nor a mail"),
        (b"", "neither a report nor a mail"),
        (b"Content-Type: multipart/mixed; boundary=a\n\n" + b"--a\nContent-Type: multipart/mixed; boundary=a\n\n" * 50_000, "nested parts"),
    ],
)  # fmt: skip
def test_hostile_ones_are_unfit(reader: _reports.Reader, content: bytes, why: str) -> None:
    before = time.monotonic()
    tracemalloc.start()
    try:
        with pytest.raises(Unfit, match=why):
            reader.read(content)
        assert tracemalloc.get_traced_memory()[1] < 200 * 2**20
    finally:
        tracemalloc.stop()
    assert time.monotonic() - before < 20


def test_a_zip_file_that_lies_about_its_size(reader: _reports.Reader) -> None:
    content = bytearray(zipped(b"<" + b"a" * (MAX_TEXT + 1)))
    place = content.rindex(b"PK\x01\x02")
    content[place + 24 : place + 28] = (100).to_bytes(4, "little")
    with pytest.raises(Unfit):
        reader.read(bytes(content))


def test_names_that_others_choose_are_short_and_printable(reader: _reports.Reader) -> None:
    [report] = reader.read(GOOGLE.replace(b"<org_name>google.com", b"<org_name>&#x9b;31m" + b"evil " * 100))
    assert report.reporter.isprintable()
    assert len(report.reporter) <= 60


def test_a_mail_with_a_good_and_a_bad_attachment_gives_the_good_one() -> None:
    assert _reports_unpack.texts(mailed(b"\x1f\x8bnonsense", gzip.compress(GOOGLE))) == [GOOGLE.decode()]


def test_counts_have_an_end(reader: _reports.Reader) -> None:
    many = json.loads(TLS)
    many["policies"][0]["summary"]["total-successful-session-count"] = 10**30
    assert reader.read(json.dumps(many).encode())[0].rows == (Row("", _evidence.MAX_COUNT),)
