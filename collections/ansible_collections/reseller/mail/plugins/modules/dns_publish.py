#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: dns_publish
short_description: Publish the DNS records of managed domains by RFC 2136 updates
version_added: 0.1.0
description:
  - Computes every record that the estate's managed domains need, asks the primary server what is there, and sends one signed update for
    each zone that differs. The zone of a name is found by asking the server for its SOA record.
  - Changes only what it owns. That is the name and type of every record it publishes; in the TXT records of a domain itself only the
    C(v=spf1) ones; and, when they are no longer wanted and carry the estate's marks, C(_dmarc), C(_mta-sts), C(_smtp._tls), the nodes'
    C(_domainkey) selectors, the SRV records of mail services and the addresses of C(mta-sts). Everything else in the zone stays.
  - The domains of a terminated tenant lose the records that carry the estate's marks, among them the MX.
  - C(_mta-sts) is published or changed only when the policy itself can be fetched over HTTPS as the files say; until then it is reported in
    RV(pending), and the next run publishes it.
  - A DKIM key is published when its node has reported it. Until then a key that is already in the zone stays.
  - Runs on the controller, without a connection to the host.
author: Reseller Mail developers (@reseller-mail)
attributes:
  check_mode:
    description: Asks, plans and probes as a real run does, and sends nothing.
    support: full
  diff_mode:
    description: Shows one line a record, such as C(+ acme.example MX 10 mx1.hosting.example.).
    support: full
requirements:
  - dnspython on the controller.
options:
  estate:
    description: The estate's folder on the controller.
    type: path
    required: true
  server:
    description: The address of the primary server, which takes updates.
    type: str
    required: true
  port:
    description: Its port.
    type: int
    default: 53
  key_name:
    description: The name of the TSIG key; without one updates are not signed.
    type: str
    default: ''
  key_algorithm:
    description: The algorithm of the TSIG key.
    type: str
    choices: [hmac-sha224, hmac-sha256, hmac-sha384, hmac-sha512]
    default: hmac-sha256
  key_secret:
    description: The TSIG secret, base64.
    type: str
    default: ''
  resolver:
    description: The address of the resolver for finding policy hosts and the zones' other servers; by default the controller's own.
    type: str
    default: ''
  ca_file:
    description: A file on the controller with the only CAs that policy hosts' certificates may come from; by default the system's.
    type: str
    default: ''
  wait:
    description: Seconds to wait until all authoritative servers of a changed zone have the new data.
    type: int
    default: 30
seealso:
  - module: reseller.mail.dns_export
  - module: reseller.mail.verify_dns
"""

EXAMPLES = r"""
- name: Publish the managed domains; other records of their zones stay
  reseller.mail.dns_publish:
    estate: "{{ mail_estate_dir }}"
    server: 192.0.2.53
    key_name: publisher.
    key_secret: "{{ vault_publisher_secret }}"
"""

RETURN = r"""
changes:
  description: Every record that goes (C(-)), comes (C(+)) or gets another time to live (C(~)).
  type: list
  elements: str
  returned: always
  sample: ["+ acme.example MX 10 mx1.hosting.example."]
pending:
  description: What is held back, and what it waits for.
  type: list
  elements: str
  returned: always
  sample: ["_mta-sts.acme.example: the policy cannot be fetched: mta-sts.acme.example has no address"]
lagging:
  description: Authoritative servers that did not have the new data in time.
  type: list
  elements: str
  returned: always
  sample: []
"""
