# SPDX-License-Identifier: GPL-3.0-or-later
"""Signed mail with one domain and with many, on node mx1.

Beside the OpenDKIM of role `opendkim`, two others run with the same settings and other tables. They
sign what comes from the host itself. A service of Postfix for each hands it the messages, and drops a
message after it is in the queue.
"""

from __future__ import annotations

import functools

from .. import lab
from ..measurement import Commands, Measurement, Run, rounds
from ..targets import MANY_DOMAINS, SIGNED

SERVICES = {1: 2525, MANY_DOMAINS: 2526}
"""The port of Postfix for each number of domains."""
DOMAIN = "domain0.example"
TABLES = """
folder=/var/lib/benchmark/{port}
socket=/var/spool/postfix/benchmark
install -d -o opendkim -g postfix -m 2750 $socket
install -d -o opendkim -g opendkim -m 0700 $folder
install -o opendkim -g opendkim -m 0600 \
    "$(cut -d: -f3 /var/lib/reseller-mail/current/opendkim/key_table | head -1)" $folder/key
seq 0 {last} | sed "s|.*|key&\\tdomain&.example:key:$folder/key|" >$folder/key_table
seq 0 {last} | sed "s|.*|domain&.example\\tkey&|" >$folder/signing_table
sed "s|^KeyTable .*|KeyTable file:$folder/key_table|
    s|^SigningTable .*|SigningTable file:$folder/signing_table|
    s|^InternalHosts .*|InternalHosts 127.0.0.1|
    s|^Socket .*|Socket local:$socket/{port}|" /etc/opendkim/rsa.conf >$folder/conf
chown -R opendkim: $folder
systemctl reset-failed benchmark-{port} 2>/dev/null || true
systemctl stop benchmark-{port} 2>/dev/null || true
rm -f $socket/{port}
systemd-run --quiet --unit=benchmark-{port} --uid=opendkim --gid=opendkim \
    opendkim -f -x $folder/conf
timeout 60 sh -c "until test -S $socket/{port}; do sleep 0.1; done"
"""
SERVICE = """
postconf -M 127.0.0.1:{port}/inet="127.0.0.1:{port} inet n - n - - smtpd\
 -o smtpd_milters=unix:/var/spool/postfix/benchmark/{port}\
 -o mynetworks=127.0.0.0/8 -o content_filter=discard:\
 -o smtpd_client_restrictions= -o smtpd_helo_restrictions= -o smtpd_sender_restrictions=\
 -o smtpd_recipient_restrictions= -o smtpd_relay_restrictions=permit_mynetworks,reject\
 -o smtpd_data_restrictions= -o smtpd_end_of_data_restrictions=\
 -o smtpd_tls_security_level=none -o smtpd_sasl_auth_enable=no\
 -o smtpd_client_connection_rate_limit=0 -o smtpd_client_message_rate_limit=0\
 -o receive_override_options=no_address_mappings"
postfix reload
sleep 1
"""
SEND = (
    "smtp-source -s 10 -m 2000 -l 2000 -f box0@{domain} -t someone@stranger.example"
    " inet:127.0.0.1:{port}"
)
IS_SIGNED = "journalctl --since=-10min --unit=benchmark-{port} | grep 'field added'"
REMOVE = """
systemctl stop benchmark-{port}
postconf -MX 127.0.0.1:{port}/inet
postfix reload
"""


def measure() -> list[Measurement]:
    """Return the time in which Postfix accepts 2,000 messages that are signed."""
    lab.platform_ready()
    for count, port in SERVICES.items():
        words = {"port": port, "last": count - 1}
        lab.on_host("mx1", TABLES.format(**words), SERVICE.format(**words))
    commands: Commands = {
        (SIGNED, count): functools.partial(_send, port) for count, port in SERVICES.items()
    }
    found = rounds(commands)
    for port in SERVICES.values():
        lab.on_host("mx1", IS_SIGNED.format(port=port), REMOVE.format(port=port))
    return found


def _send(port: int) -> Run:
    return lab.on_host("mx1", SEND.format(domain=DOMAIN, port=port))[0]
