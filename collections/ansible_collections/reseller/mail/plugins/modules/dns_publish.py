#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: dns_publish
short_description: Publish the DNS records of managed domains
version_added: 0.1.0
description:
  - Computes every record that the estate's managed domains need, compares it with DNS, and
    publishes the differences. It sends RFC 2136 updates itself, or runs octoDNS.
  - Changes only what it owns, which is the name and type of every record that it publishes. Among
    the TXT records of a name, it changes only those of the same kind. It recognises them by their
    version, such as C(v=spf1) or C(v=DMARC1). Everything else in the zone stays, with its time to
    live.
  - Never replaces an MX record set of other people at the provider's domain. It reports the set in
    RV(pending).
  - Keeps a list of the records that it published, C(state/published_dns.json) in the estate, with
    one record per line. Commit it. A record in the list that is no longer wanted is removed, value
    by value, for example if a domain left the estate, a branding host got another name, or a DKIM
    key was removed. If the list has no entry of a domain, the domain is searched for records that
    name something of the estate, such as its hosts, addresses or selectors.
  - If a domain is served, but the provider no longer manages its DNS, its records stay, and the
    list no longer contains it.
  - Refuses to remove the records of more names than the estate's C(deletion_guard) allows.
  - C(_mta-sts) is published or changed only when the policy for the files can be fetched over
    HTTPS. Until then it is reported in RV(pending), and the next run looks again.
  - A DKIM key is published when its node has reported it. Until then, a key that is already in the
    zone stays. A TLSA record is published in a signed zone only.
  - Runs on the controller, without a connection to the host.
author: Reseller Mail developers (@reseller-mail)
attributes:
  check_mode:
    description:
      - Asks DNS, plans, and fetches policies as a normal run does, but sends nothing. With
        O(driver=octodns) the files for octoDNS are written, because octoDNS plans from them.
    support: full
  diff_mode:
    description: Shows one line per record, such as C(+ acme.example MX 10 mx1.hosting.example.).
    support: full
requirements:
  - dnspython on the controller.
  - octoDNS and the package of its provider on the controller, when O(octodns_sync) is given.
extends_documentation_fragment:
  - reseller.mail.estate
  - reseller.mail.attributes.estate_group
options:
  driver:
    description:
      - How records are published. V(rfc2136) sends one signed update to O(server) for each zone
        that differs. It sends several for a very large zone, and one for each domain if the server
        refused the domains of a zone together. It transfers each zone from O(server) by AXFR. If
        O(server) does not allow that, it asks about each record set, and RV(notes) has a note.
      - V(octodns) writes a configuration for octoDNS into O(octodns_dir). A processor in it keeps
        octoDNS from changing records of other people. If O(octodns_sync) is set, it is run. The
        zone of each name is asked from O(resolver).
    type: str
    choices: [rfc2136, octodns]
    default: rfc2136
  server:
    description: The address of the primary server, to which updates are sent. Required for
      O(driver=rfc2136).
    type: str
    default: ''
  port:
    description: The port of O(server).
    type: int
    default: 53
  key_name:
    description: The name of the TSIG key for updates and transfers. If it is empty, they are not
      signed.
    type: str
    default: ''
  key_algorithm:
    description: The algorithm of the TSIG key.
    type: str
    choices: [hmac-sha224, hmac-sha256, hmac-sha384, hmac-sha512]
    default: hmac-sha256
  key_secret:
    description: The secret of the TSIG key, in base64.
    type: str
    default: ''
  octodns_dir:
    description: The folder on the controller for octoDNS's configuration. A relative path begins in
      the folder in which Ansible was started.
    type: path
    default: build/octodns
  octodns_target:
    description:
      - The provider of DNS to which octoDNS publishes, as octoDNS's documentation of this provider
        describes it. Required for O(driver=octodns).
      - It is written to a file. Give secrets as C(env/NAME). octoDNS then takes them from its
        environment.
    type: dict
    default: {}
  octodns_sync:
    description:
      - The program C(octodns-sync). It is run in O(octodns_dir), with C(--doit) except in check
        mode.
      - If it is empty, only the files are written. Run octoDNS in O(octodns_dir) then, with
        C(PYTHONPATH=.).
    type: path
    default: ''
  resolver:
    description: The address of the resolver that is asked for the hosts of policies and for the
      other servers of zones. The default is the controller's resolver.
    type: str
    default: ''
  ca_file:
    description: A file on the controller with the CAs that are trusted for the hosts of policies.
      The default is the CAs of the system.
    type: str
    default: ''
  wait:
    description: For how many seconds to wait until all authoritative servers of a changed zone have
      the new data.
    type: int
    default: 30
  deletions_accepted:
    description: For how many names the records may be removed, if this is more than the estate's
      C(deletion_guard) allows.
    type: int
    default: 0
  faults:
    description:
      - What happens if there are RV(faults). V(fail) fails after everything else was published.
        V(warn) only warns. Use it if later tasks go on with the published domains, and one of them
        fails at the end.
    type: str
    choices: [fail, warn]
    default: fail
  tenant:
    description:
      - The name of a tenant. Only the records of its domains are published. What was published for
        others stays in DNS and in the list of published records.
      - Its domains are those of its files, and those that its account lists.
      - The default is all tenants and the provider.
    type: str
    default: ''
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
    - Every record that is removed (C(-)), added (C(+)) or gets another time to live (C(~)). With
      O(driver=octodns), the lines of octoDNS's plan.
  type: list
  elements: str
  returned: always
  sample: ["+ acme.example MX 10 mx1.hosting.example."]
pending:
  description: Records that are not published yet, and what they wait for.
  type: list
  elements: str
  returned: always
  sample: ["_mta-sts.acme.example: the policy cannot be fetched: mta-sts.acme.example has no
    address"]
notes:
  description: Other facts, such as a domain whose records stay because the provider no longer
    manages its DNS, or a server that does not transfer zones.
  type: list
  elements: str
  returned: always
  sample: []
lagging:
  description: Authoritative servers that did not have the new data after O(wait) seconds, and what
    they have.
  type: list
  elements: str
  returned: always
  sample: ["acme.example: ns2.hosting.example (192.0.2.54) has serial 2026112101, the primary
    2026112102"]
remembered:
  description: For how long resolvers may have old records, for each zone.
  type: list
  elements: str
  returned: always
  sample: ["acme.example: resolvers may have old records for another 3571 s (acme.example MX)"]
faults:
  description: What went wrong, with the domain. All other domains are published.
  type: list
  elements: str
  returned: always
  sample: []
"""
