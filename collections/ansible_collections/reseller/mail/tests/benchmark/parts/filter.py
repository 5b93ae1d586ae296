# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail with and without the filter, on node mx1.

Four services of Postfix have the milters of mail from outside and of submissions, each with the
filter and without it. The host `outside` hands them the messages. They drop a message after it is
in the queue, so its delivery is not measured.
"""

from __future__ import annotations

import functools
import typing as t

from .. import lab
from ..measurement import Commands, Measurement, Run, rounds
from ..targets import (
    FILTER_MEMORY,
    INCOMING,
    INCOMING_FILTERED,
    MESSAGES,
    SUBMITTED,
    SUBMITTED_FILTERED,
)

USER = "jo@acme.example"
STRANGER = "someone@stranger.example"
GUARD = "unix:guard/guard.sock"
FILTER = "unix:rspamd/milter.sock"
SIGN = "unix:opendkim/rsa.sock"
SUBMISSION = (
    "-o milter_macro_daemon_name=ORIGINATING -o milter_macro_defaults=auth_type=PLAIN,auth_authen="
    + USER
)


class Service(t.NamedTuple):
    """One service of Postfix and the mail that it gets."""

    port: int
    milters: t.Sequence[str]
    options: str
    sender: str
    recipient: str


SERVICES: t.Final = {
    INCOMING: Service(2527, (GUARD,), "", STRANGER, USER),
    INCOMING_FILTERED: Service(2528, (GUARD, FILTER), "", STRANGER, USER),
    SUBMITTED: Service(2529, (GUARD, SIGN), SUBMISSION, USER, STRANGER),
    SUBMITTED_FILTERED: Service(2530, (GUARD, FILTER, SIGN), SUBMISSION, USER, STRANGER),
}
START = """
postconf -M 10.97.0.3:{port}/inet="10.97.0.3:{port} inet n - n - - smtpd\
 -o smtpd_milters={milters} {options} -o content_filter=discard:\
 -o smtpd_client_restrictions= -o smtpd_helo_restrictions= -o smtpd_sender_restrictions=\
 -o smtpd_recipient_restrictions= -o smtpd_relay_restrictions=permit_mynetworks,reject\
 -o mynetworks=10.97.0.0/24\
 -o smtpd_data_restrictions= -o smtpd_end_of_data_restrictions=\
 -o smtpd_tls_security_level=none -o smtpd_sasl_auth_enable=no\
 -o smtpd_client_connection_rate_limit=0 -o smtpd_client_message_rate_limit=0\
 -o receive_override_options=no_address_mappings"
"""
RELOAD = "postfix reload; sleep 1"  # master(8) reads its services after the command has ended
SEND = (
    "timeout 120 smtp-source -s 10 -m {count} -l 2000 -S test -f {sender} -t {recipient}"
    " -M outside.stranger.example inet:10.97.0.3:{port}"
)
LOGGED = """
journalctl --since=-10min --identifier=opendkim | grep 'field added (s=mx1, d=acme.example)'
journalctl --since=-10min --identifier=rspamd | grep 'user: jo@acme.example, from'
journalctl --since=-10min --identifier=rspamd | grep 'from: <someone@stranger.example>, (default'
"""
"""Fails if messages were not signed or not filtered."""
MEMORY = """
pgrep --full '^rspamd: |redis-reseller-mail' | sed 's|.*|/proc/&/smaps_rollup|' |
    xargs cat | awk '/^Pss:/ {sum += $2} END {print sum}'
"""
"""Prints the memory of the processes in KiB. What several of them share counts once."""


def measure() -> list[Measurement]:
    """Return the times in which Postfix accepts messages, and the memory of the filter."""
    lab.platform_ready()
    lab.on_host("mx1", *(_start(one) for one in SERVICES.values()), RELOAD)
    commands: Commands = {
        (name, MESSAGES): functools.partial(_send, one) for name, one in SERVICES.items()
    }
    found = rounds(commands, most=3)
    memory = int(lab.output("mx1", MEMORY)) * 1024 / 1e6
    lab.on_host("mx1", LOGGED)
    stops = (f"postconf -MX 10.97.0.3:{one.port}/inet" for one in SERVICES.values())
    lab.on_host("mx1", *stops, RELOAD)
    return [*found, Measurement(FILTER_MEMORY, 0, (Run(0, memory_mb=memory),))]


def _start(one: Service) -> str:
    return START.format(port=one.port, milters=",".join(one.milters), options=one.options)


def _send(one: Service) -> Run:
    words = {"port": one.port, "sender": one.sender, "recipient": one.recipient}
    return lab.on_host("outside", SEND.format(count=MESSAGES, **words))[0]
