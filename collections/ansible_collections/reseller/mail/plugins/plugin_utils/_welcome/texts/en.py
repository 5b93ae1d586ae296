# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts in English."""

from __future__ import annotations

TEXTS = {
    # forms of values
    "label": "{name}:",
    "date": "{day} {month} {year}",
    "first": "1",
    "months": (
        "January February March April May June July August September October November December"
    ),
    "decimal_mark": ".",
    "unlimited": "unlimited",
    # the letter to the client
    "welcome": "Welcome to {brand}",
    "hello": "Hello {name},",
    "hello_someone": "Hello,",
    "welcome_why": "Your mail is set up. This letter has what you need to use it.",
    "contract": "Your contract",
    "client": "Client",
    "product": "Product",
    "amount": "Amount",
    "cycle": "Billing cycle",
    "cycle_monthly": "every month",
    "cycle_quarterly": "every three months",
    "cycle_half_yearly": "every six months",
    "cycle_yearly": "every year",
    "payment": "Payment",
    "due": "Next payment due",
    "domains": "Your domains",
    "mail_server": "Mail server",
    "another_name": "another name for {domain}",
    "relayed": "we pass mail on to {host}",
    "no_addresses": "has no addresses",
    "addresses": "Your addresses",
    "address": "Address",
    "what": "What it is",
    "is_mailbox": "mailbox",
    "is_mailbox_of": "mailbox of {name}",
    "is_alias": "delivered to {to}",
    "is_sender": "sender address of {mailbox}",
    "is_catch_all": "all other addresses, delivered to {to}",
    "login": "Logging in",
    "login_how": (
        "The user name is the complete address of the mailbox. This letter has no password. The"
        " password of each mailbox comes separately."
    ),
    "enclosed": "With this letter",
    "enclosed_mailboxes": "for each mailbox, a letter to its user",
    "enclosed_clients": "for each domain, the settings for mail programs",
    "enclosed_dns": "for each domain, its DNS records",
    "enclosed_golive": "for each domain, the go-live report",
    # the letter to a user
    "mailbox_title": "Your mailbox {address}",
    "mailbox_why": "Your mailbox at {brand} is ready.",
    "mailbox": "Your mailbox",
    "storage": "Storage",
    "also_from": "Also gets mail to",
    "also_as": "Also under the domain",
    "password": "Password",
    "password_separate": "comes separately",
    "never_ask": (
        "We never ask for your password. If a mail asks for it, the mail is a fraud: do not answer."
    ),
    # the sheets
    "clients_of": "Settings for mail programs: {domain}",
    "dns_of": "DNS records of {domain}",
    "golive_of": "Go-live report of {domain}",
    "zone_lines": "As lines of a zone file",
}
