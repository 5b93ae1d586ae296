#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: dns_publish
short_description: Publish the DNS records of managed domains
version_added: 0.1.0
description:
  - Computes every record that the estate's managed domains need, looks what is there, and publishes what differs, by RFC 2136 updates of its own
    or by having octoDNS do it.
  - Changes only what it owns. That is the name and type of every record it publishes; among the TXT records of a name only those of the same kind
    as ours, known by their version, such as C(v=spf1) or C(v=DMARC1). Everything else in the zone stays, with its time to live.
  - Keeps a book of what it published, C(state/published_dns.json) in the estate, one record a line and fit to commit. What stands in it and is not
    wanted any more goes, value by value, whether a domain left, a branding host got another name or a DKIM key was removed. A domain that is not in
    the book is searched for records that carry the estate's marks.
  - A domain that is served and no longer managed keeps its records, and leaves the book.
  - Refuses to remove the records of more names than the estate's C(deletion_guard) allows.
  - C(_mta-sts) is published or changed only when the policy itself can be fetched over HTTPS as the files say; until then it is reported in
    RV(pending), and the next run publishes it.
  - A DKIM key is published when its node has reported it. Until then a key that is already in the zone stays. A TLSA record is published in
    a signed zone only.
  - Runs on the controller, without a connection to the host.
author: Reseller Mail developers (@reseller-mail)
attributes:
  check_mode:
    description:
      - Asks, plans and probes as a real run does, and sends nothing. With O(driver=octodns) its configuration is written, for it plans from that.
    support: full
  diff_mode:
    description: Shows one line a record, such as C(+ acme.example MX 10 mx1.hosting.example.).
    support: full
requirements:
  - dnspython on the controller.
  - octoDNS and the package of its provider on the controller, when O(octodns_sync) is given.
extends_documentation_fragment: [reseller.mail.estate]
options:
  driver:
    description:
      - What publishes. V(rfc2136) sends one signed update for each zone that differs (several for a very large one, and one for each domain in
        a zone where the server did not take them together) to O(server), and finds the zone of a name by asking it.
      - V(octodns) writes a configuration for octoDNS into O(octodns_dir), with a processor that keeps octoDNS from touching what is not ours, and
        runs O(octodns_sync) when that is given. It finds the zone of a name by asking O(resolver).
    type: str
    choices: [rfc2136, octodns]
    default: rfc2136
  server:
    description: The address of the primary server, which takes updates. Required for O(driver=rfc2136).
    type: str
    default: ''
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
  octodns_dir:
    description: The folder on the controller for octoDNS's configuration; relative to the folder that Ansible was started in.
    type: path
    default: build/octodns
  octodns_target:
    description:
      - The provider that octoDNS publishes to, as the provider's own documentation has it. Required for O(driver=octodns).
      - It is written to a file. Give secrets as C(env/NAME), which octoDNS takes from its environment.
    type: dict
    default: {}
  octodns_sync:
    description:
      - The program C(octodns-sync), run in O(octodns_dir), with C(--doit) outside check mode.
      - When empty, octoDNS is left to somebody else, who runs it there with C(PYTHONPATH=.).
    type: path
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
  deletions_accepted:
    description: How many names' records may go at most, when that is more than the estate's C(deletion_guard) allows.
    type: int
    default: 0
  faults:
    description:
      - What RV(faults) come to. V(fail) fails, once all that can be published is; V(warn) warns, where more is to be done for those that
        are published and a later task fails.
    type: str
    choices: [fail, warn]
    default: fail
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

- name: Have octoDNS publish to a provider of DNS
  reseller.mail.dns_publish:
    estate: "{{ mail_estate_dir }}"
    driver: octodns
    octodns_sync: /opt/octodns/bin/octodns-sync
    octodns_target:
      class: octodns_powerdns.PowerDnsProvider
      host: 192.0.2.53
      port: 8081
      api_key: env/POWERDNS_API_KEY
"""

RETURN = r"""
changes:
  description:
    - Every record that goes (C(-)), comes (C(+)) or gets another time to live (C(~)). With O(driver=octodns), the lines of octoDNS's plan.
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
notes:
  description: What is worth knowing, such as a domain whose records stay because its DNS is not ours to write any more.
  type: list
  elements: str
  returned: always
  sample: []
lagging:
  description: Authoritative servers that did not have the new data in time, and what they have.
  type: list
  elements: str
  returned: always
  sample: ["acme.example: ns2.hosting.example (192.0.2.54) has serial 2026112101, the primary 2026112102"]
remembered:
  description: For how long resolvers may still tell old records, zone by zone.
  type: list
  elements: str
  returned: always
  sample: ["acme.example: resolvers may remember old records for another 3571 s (acme.example MX)"]
faults:
  description: What went wrong, with the domain. All others are published nevertheless.
  type: list
  elements: str
  returned: always
  sample: []
"""
