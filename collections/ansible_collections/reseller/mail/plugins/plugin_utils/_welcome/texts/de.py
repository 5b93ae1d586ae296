# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts in German."""

from __future__ import annotations

TEXTS = {
    "label": "{name}:",
    "date": "{day}. {month} {year}",
    "first": "1",
    "months": (
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember"
    ),
    "decimal_mark": ",",
    "unlimited": "unbegrenzt",
    "welcome": "Willkommen bei {brand}",
    "hello": "Guten Tag {name},",
    "hello_someone": "Guten Tag,",
    "welcome_why": (
        "Ihre E-Mail ist eingerichtet. In diesem Brief steht, was Sie zum Benutzen brauchen."
    ),
    "contract": "Ihr Vertrag",
    "client": "Kunde",
    "product": "Produkt",
    "amount": "Betrag",
    "cycle": "Abrechnung",
    "cycle_monthly": "jeden Monat",
    "cycle_quarterly": "alle drei Monate",
    "cycle_half_yearly": "alle sechs Monate",
    "cycle_yearly": "jedes Jahr",
    "payment": "Zahlung",
    "due": "Nächste Zahlung fällig",
    "domains": "Ihre Domains",
    "mail_server": "Mailserver",
    "another_name": "ein anderer Name für {domain}",
    "relayed": "E-Mail wird an {host} weitergegeben",
    "no_addresses": "hat keine Adressen",
    "addresses": "Ihre Adressen",
    "address": "Adresse",
    "what": "Was sie ist",
    "is_mailbox": "Postfach",
    "is_mailbox_of": "Postfach von {name}",
    "is_alias": "wird zugestellt an {to}",
    "is_sender": "Absenderadresse von {mailbox}",
    "is_catch_all": "alle anderen Adressen, zugestellt an {to}",
    "login": "Anmelden",
    "login_how": (
        "Der Benutzername ist die vollständige Adresse des Postfachs. Dieser Brief enthält kein"
        " Passwort. Das Passwort jedes Postfachs kommt getrennt."
    ),
    "enclosed": "Zu diesem Brief gehören",
    "enclosed_mailboxes": "für jedes Postfach ein Brief an seinen Benutzer",
    "enclosed_clients": "für jede Domain die Einstellungen für E-Mail-Programme",
    "enclosed_dns": "für jede Domain ihre DNS-Einträge",
    "enclosed_golive": "für jede Domain der Bericht zum Betriebsbeginn",
    "mailbox_title": "Ihr Postfach {address}",
    "mailbox_why": "Ihr Postfach bei {brand} ist bereit.",
    "mailbox": "Ihr Postfach",
    "storage": "Speicherplatz",
    "also_from": "Bekommt auch E-Mail an",
    "also_as": "Auch unter der Domain",
    "password": "Passwort",
    "password_separate": "kommt getrennt",
    "never_ask": (
        "Wir fragen nie nach Ihrem Passwort. Eine E-Mail, die danach fragt, ist Betrug: Antworten"
        " Sie nicht."
    ),
    "clients_of": "Einstellungen für E-Mail-Programme: {domain}",
    "dns_of": "DNS-Einträge von {domain}",
    "golive_of": "Bericht zum Betriebsbeginn von {domain}",
    "zone_lines": "Als Zeilen einer Zonendatei",
}
