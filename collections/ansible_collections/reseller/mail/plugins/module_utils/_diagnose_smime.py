# SPDX-License-Identifier: GPL-3.0-or-later
"""S3-40: what can be known of a user's S/MIME from the certificate in the files.

PRIVATE to the collection. Pure. Reading a certificate needs cryptography, which ansible-core brings.
"""

from __future__ import annotations

import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._diagnose import Known, Step

try:
    from cryptography import x509
    from cryptography.x509.oid import NameOID
except ImportError as exc:
    CRYPTOGRAPHY_IMPORT_ERROR: t.Optional[ImportError] = exc
else:
    CRYPTOGRAPHY_IMPORT_ERROR = None

NONE = "the files have no certificate for it"


def _certificate(known: Known) -> t.Any:
    mailbox = known.subject.mailbox
    if mailbox is None or mailbox.smime is None or CRYPTOGRAPHY_IMPORT_ERROR is not None:
        return None
    try:
        return x509.load_pem_x509_certificate(mailbox.smime.certificate.encode())
    except ValueError:
        return None


def _na(id_: str, asks: str, known: Known) -> Step:
    why = (
        "needs the Python package cryptography on the controller"
        if CRYPTOGRAPHY_IMPORT_ERROR is not None
        else NONE
    )
    return Step(id_, asks, "na", "files", why)


def there(known: Known) -> Step:
    """Asked when S/MIME is what somebody complains about: without a certificate there is nothing else to ask."""
    asks = "it has a certificate"
    mailbox = known.subject.mailbox
    if mailbox is not None and mailbox.smime is not None:
        return Step(
            "smime.certificate",
            asks,
            "ok",
            "files",
            f"brought by {mailbox.smime.uploaded_by} ({known.subject.at.of('smime')})",
        )
    return Step(
        "smime.missing",
        asks,
        "fail",
        "files",
        f"{known.subject.domain.at.file} has none for {known.subject.text}",
        f"add smime: {{certificate: …, uploaded_by: …}} to the mailbox in {known.subject.domain.at.file}",
    )


def pair(known: Known) -> Step:
    """The certificate can be read; its private key is the user's own, and nowhere here."""
    asks = "the certificate can be read"
    mailbox = known.subject.mailbox
    if mailbox is None or mailbox.smime is None or CRYPTOGRAPHY_IMPORT_ERROR is not None:
        return _na("smime.certificate", asks, known)
    if _certificate(known) is None:
        return Step(
            "smime.unreadable",
            asks,
            "fail",
            "files",
            f"not an X.509 certificate ({known.subject.at.of('smime', 'certificate')})",
            "replace it by the certificate in PEM, as its authority gave it",
        )
    whose = _certificate(known).subject.rfc4514_string()
    return Step(
        "smime.certificate",
        asks,
        "ok",
        "files",
        f"{whose}; the private key is its user's alone: only the mail program sees whether they are a pair",
    )


def valid(known: Known) -> Step:
    asks = "it is valid now"
    certificate = _certificate(known)
    if certificate is None:
        return _na("smime.valid", asks, known)
    first, last = (_moment(certificate, name) for name in ("not_valid_before", "not_valid_after"))
    text = f"valid from {first} to {last}"
    if known.moment and not first <= known.moment <= last:
        return Step(
            "smime.expired" if known.moment > last else "smime.not_yet",
            asks,
            "fail",
            "files",
            text,
            "replace it by a certificate that is valid now",
        )
    return Step("smime.valid", asks, "ok", "files", text)


def _moment(certificate: t.Any, name: str) -> str:
    value = getattr(certificate, f"{name}_utc", None) or getattr(certificate, name)
    return str(value.strftime("%Y-%m-%dT%H:%M:%SZ"))


def address(known: Known) -> Step:
    """Mail programs take a certificate for the addresses only that stand in it (RFC 8550 section 3)."""
    asks = "it is the address's own"
    certificate = _certificate(known)
    if certificate is None:
        return _na("smime.address", asks, known)
    try:
        names = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        ).value.get_values_for_type(x509.RFC822Name)
    except x509.ExtensionNotFound:
        names = []
    names = [
        str(one).lower()
        for one in (
            *names,
            *(
                each.value
                for each in certificate.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS)
            ),
        )
    ]
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


def runtime(known: Known) -> Step:
    return Step(
        "smime.runtime",
        "what signs and decrypts is there",
        "na",
        "host",
        "the user's mail program does both; hosts pass S/MIME through unchanged",
    )
