# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of the S/MIME certificate that the files have for a mailbox (S3-40).

PRIVATE to the collection. Pure. Needs cryptography to read certificates; ansible-core depends on
it.
"""

from __future__ import annotations

import typing as t

from .subject import Known, Step

try:
    from cryptography import x509
    from cryptography.x509.oid import NameOID
except ImportError as exc:
    CRYPTOGRAPHY_IMPORT_ERROR: t.Optional[ImportError] = exc
else:
    CRYPTOGRAPHY_IMPORT_ERROR = None

NONE = "the files have no certificate for it"


def _certificate(known: Known) -> t.Any:
    """Return the mailbox's certificate, None if there is none or it cannot be read."""
    mailbox = known.subject.mailbox
    if mailbox is None or mailbox.smime is None or CRYPTOGRAPHY_IMPORT_ERROR is not None:
        return None
    try:
        return x509.load_pem_x509_certificate(mailbox.smime.certificate.encode())
    except ValueError:
        return None


def _not_asked(id_: str, asks: str) -> Step:
    """Return the step that has nothing to read."""
    why = (
        "needs the Python package cryptography on the controller"
        if CRYPTOGRAPHY_IMPORT_ERROR is not None
        else NONE
    )
    return Step(id_, asks, "na", "files", why)


def has_certificate(known: Known) -> Step:
    """Return whether the files have a certificate for the mailbox."""
    asks = "it has a certificate"
    mailbox = known.subject.mailbox
    if mailbox is not None and mailbox.smime is not None:
        return Step(
            "smime.certificate",
            asks,
            "ok",
            "files",
            f"uploaded by {mailbox.smime.uploaded_by} ({known.subject.at.of('smime')})",
        )
    return Step(
        "smime.missing",
        asks,
        "fail",
        "files",
        f"{known.subject.domain.at.file} has none for {known.subject.text}",
        "add smime: {certificate: …, uploaded_by: …} to the mailbox in"
        f" {known.subject.domain.at.file}",
    )


def is_readable(known: Known) -> Step:
    """Return whether the certificate can be read. Its private key is on the user's device only."""
    asks = "the certificate can be read"
    mailbox = known.subject.mailbox
    if mailbox is None or mailbox.smime is None or CRYPTOGRAPHY_IMPORT_ERROR is not None:
        return _not_asked("smime.certificate", asks)
    certificate = _certificate(known)
    if certificate is None:
        return Step(
            "smime.unreadable",
            asks,
            "fail",
            "files",
            f"not an X.509 certificate ({known.subject.at.of('smime', 'certificate')})",
            "replace it by the certificate in PEM, as the certificate authority issued it",
        )
    return Step(
        "smime.certificate",
        asks,
        "ok",
        "files",
        f"{certificate.subject.rfc4514_string()}; only the user has the private key, so only the"
        " mail program shows whether certificate and key match",
    )


def is_valid_now(known: Known) -> Step:
    """Return whether the time of the run is between the certificate's first and last second."""
    asks = "it is valid now"
    certificate = _certificate(known)
    if certificate is None:
        return _not_asked("smime.valid", asks)
    first, last = (_date(certificate, name) for name in ("not_valid_before", "not_valid_after"))
    text = f"valid from {first} to {last}"
    if known.timestamp and not first <= known.timestamp <= last:
        return Step(
            "smime.expired" if known.timestamp > last else "smime.not_yet",
            asks,
            "fail",
            "files",
            text,
            "replace it by a certificate that is valid now",
        )
    return Step("smime.valid", asks, "ok", "files", text)


def _date(certificate: t.Any, name: str) -> str:
    """Return a date of the certificate in UTC, as 2026-11-21T14:00:00Z.

    Versions of cryptography before 42 have no ``…_utc``.
    """
    value = getattr(certificate, f"{name}_utc", None) or getattr(certificate, name)
    return str(value.strftime("%Y-%m-%dT%H:%M:%SZ"))


def is_for_address(known: Known) -> Step:
    """Return whether the certificate names the address.

    Mail programs accept it only for the addresses that it names (RFC 8550 section 3).
    """
    asks = "it is for this address"
    certificate = _certificate(known)
    if certificate is None:
        return _not_asked("smime.address", asks)
    names = _addresses_of(certificate)
    if known.subject.address in names:
        return Step("smime.address", asks, "ok", "files", known.subject.address)
    return Step(
        "smime.other_address",
        asks,
        "fail",
        "files",
        f"it is for {', '.join(names) or 'no address'}",
        f"get a certificate for {known.subject.address}",
    )


def _addresses_of(certificate: t.Any) -> list[str]:
    """Return the addresses in subjectAltName and in the subject, in lower case."""
    try:
        names = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        ).value.get_values_for_type(x509.RFC822Name)
    except x509.ExtensionNotFound:
        names = []
    in_subject = certificate.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS)
    return [str(one).lower() for one in (*names, *(each.value for each in in_subject))]


def mail_program(_known: Known) -> Step:
    """Return the step that names what no host can check: signing and decrypting."""
    return Step(
        "smime.runtime",
        "the mail program signs and decrypts",
        "na",
        "host",
        "the user's mail program does both; hosts pass S/MIME on unchanged",
    )
