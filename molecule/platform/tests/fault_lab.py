# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones with faults on dns1, beside those of the lab: a signed root, a registry, a provider and a zone
for each case, served by two Knots; an Unbound that validates; nginx with a policy and a certificate
for each name. No claim is made here.
"""

from __future__ import annotations

import base64
import datetime
import io
import json
import sys
import tarfile
import time
import typing as t
from pathlib import Path

import client
import dns.dnssec
import dns.name
import dns.rdatatype
import dns.zone
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from fault_cases import DNS, NODES, PARKED, Case

sys.path.insert(0, str(client.PROJECT / "collections"))
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import autoconfig
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import dns as compile_dns
from ansible_collections.reseller.mail.plugins.plugin_utils._dns.zone_text import rdata
from ansible_collections.reseller.mail.plugins.plugin_utils._load import load
from ansible_collections.reseller.mail.plugins.plugin_utils._model import services

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.plugin_utils._dns.record import Record

PLACE = "/srv/faults"
RESOLVER = "10.97.0.54"
WEB = "10.97.0.8"
WEB6 = "fd97::8"
NAMES = {
    "ns1": "10.97.0.6",
    "ns2": "10.97.0.7",
    "old1": "10.97.0.6",
    "old2": "10.97.0.7",
    "udp1": "10.97.0.9",
    "udp2": "10.97.0.10",
    "lame": "10.97.0.15",
    "lame2": "10.97.0.16",
    "silent": "10.97.0.11",
    "silent2": "10.97.0.13",
}
"""Name servers of hoster.example; the last two are nobody."""
IPV6 = {
    name: f"fd97::{NAMES[name].rpartition('.')[2]}"
    for name in ("ns1", "ns2", "udp1", "udp2", "lame", "lame2", "silent", "silent2")
}
REVERSE = ("97.10.in-addr.arpa", "7.9.d.f.ip6.arpa")
ADDRESSES = sorted(
    {
        *(f"{one}/24" for one in (*NAMES.values(), WEB, RESOLVER)),
        *(f"{one}/64" for one in (*IPV6.values(), WEB6)),
    }
)
TTL = 300
BOTH = ["ns1.hoster.example.", "ns2.hoster.example."]
FOREIGN: t.Final[dict[str, dict[tuple[str, str], list[str]]]] = {
    "relay.example": {("relay.example", "TXT"): ['"v=spf1 ip4:10.97.0.25 -all"']},
    "stranger.example": {},
    "elsewhere.example": {
        (f"{host}.elsewhere.example", "A"): ["192.0.2.9"] for host in ("mx", "imap", "somebody")
    },
}
"""Zones outside of the estate."""
HOSTILE = "\x1b[31mred\x07\0\r\n\xff\xfe{{ 7 * 7 }}' OR 1=1 --"
Sets = t.Dict[t.Tuple[str, str], t.List[str]]
_KEY = ec.derive_private_key(20260101, ec.SECP256R1())
_OTHER = ec.derive_private_key(20260102, ec.SECP256R1())
UDP_ONLY = """
import socket, sys, threading
def serve(address):
    here = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    here.bind((address, 53))
    while True:
        data, peer = here.recvfrom(4096)
        there = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        there.settimeout(2)
        there.sendto(data, ("10.97.0.6", 53))
        try:
            answer = there.recv(65535)
            if answer[12:].startswith(b"\\x0a_domainkey\\x0bdkim-hidden"):  # a server that breaks RFC 8020
                answer = answer[:3] + bytes([answer[3] & 0xF0 | 3]) + answer[4:]
            here.sendto(answer, peer)
        except OSError:
            pass
        there.close()
threads = [threading.Thread(target=serve, args=(one,)) for one in sys.argv[1:]]
[one.start() for one in threads]
"""


def _public(bits: int) -> str:
    key = rsa.generate_private_key(65537, bits).public_key()
    return base64.b64encode(
        key.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    ).decode()


class FaultZones:
    """The estate that verify reads, and zones that differ from it.

    ``domains`` and ``hosts`` are the cases.
    """

    def __init__(
        self,
        folder: Path,
        domains: t.Sequence[Case] = DNS,
        hosts: t.Sequence[Case] = NODES,
        provider: t.Sequence[str] = (),
    ) -> None:
        self.folder, self.domains, self.hosts, self.provider = folder, domains, hosts, provider
        self.estate = folder / "estate"
        self.keys = {"key": _public(2048), "other": _public(2048), "short": _public(1024)}
        raw = (
            ed25519.Ed25519PrivateKey.generate()
            .public_key()
            .public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        )
        self.ed25519 = base64.b64encode(raw).decode()
        self._write_estate()
        found, faults = load(str(self.estate))
        assert found is not None, faults
        self.records = [*compile_dns.records(found), *compile_dns.reverse_records(found)]
        self.answers = {
            f"{label}.{domain.name}": autoconfig.answer(
                label, found.provider, domain, found.node_of(tenant), domain.name
            )
            for tenant, domain in found.served_domains()
            if services.finds_settings(domain)
            for label in services.SETTINGS
        }
        self._certificates()

    # the estate

    def _write_estate(self) -> None:
        nodes = [
            {
                "name": "post",
                "hostname": "post.hoster.example",
                "debian": 13,
                "addresses": [WEB, WEB6],
            }
        ]
        nodes += [
            {
                "name": one.name,
                "hostname": f"{one.name}.hoster.example",
                "debian": 13,
                "addresses": [f"10.97.0.{30 + number}", f"fd97::{30 + number}"][
                    : 2 if one.ipv6 else 1
                ],
            }
            for number, one in enumerate(self.hosts)
        ]
        self._yaml(
            "estate.yml",
            {
                "provider": {
                    "name": "Hoster",
                    "domain": "hoster.example",
                    "contact": "admin@good.example",
                },
                "nodes": nodes,
                "caa": ["letsencrypt.org"],
                "backup_mx": [
                    {
                        "hostname": "alt.hoster.example",
                        "addresses": ["10.97.0.12", "fd97::12"],
                        "priority": 20,
                    }
                ],
                "premium_relay": {
                    "host": "smtp.relay.example",
                    "port": 587,
                    "spf_include": "relay.example",
                },
            },
        )
        self._yaml(
            "plans.yml",
            {
                "plans": [
                    {
                        "name": "all",
                        "features": ["branding"],
                        "mailbox_quota": {"default": "1G"},
                        "limits": {"domains": "unlimited", "mailboxes": "unlimited"},
                    }
                ]
            },
        )
        for tenant, premium in (("many", False), ("some", True)):
            mine = [one for one in self.domains if one.premium is premium]
            names = [f"{one.name}.example" for one in mine]
            owner = "admin@good.example" if not premium else "jo@spf-premium.example"
            if mine:
                self._yaml(
                    f"tenants/{tenant}/account.yml",
                    {
                        "organisation": tenant,
                        "plan": "all",
                        "state": "active",
                        "placement": "post",
                        "default_owner": owner,
                        "admins": [{"address": owner}],
                        "defaults": {"premium_relay": premium},
                        "intake": {
                            "expected_mailboxes": 1,
                            "dns_contact": owner,
                            "clients": "local",
                            "smime": False,
                        },
                        "domains": names,
                    },
                )
            for one in mine:
                text = json.dumps(one.domain).replace("{d}", f"{one.name}.example")
                self._yaml(f"tenants/{tenant}/{one.name}.example.yml", json.loads(text))
        self._state()

    def _state(self) -> None:
        since = "2026-01-01T00:00:00Z"
        keys = [
            {"domain": f"{one.name}.example", "selector": "post", "public": self.keys["key"]}
            for one in self.domains
            if one.reported and one.domain is not PARKED
        ]
        for one in self.domains:
            for selector, (algorithm, state) in one.keys.items():
                public = self.ed25519 if algorithm == "ed25519" else self.keys["other"]
                keys.append(
                    {
                        "domain": f"{one.name}.example",
                        "selector": selector,
                        "public": public,
                        "algorithm": algorithm,
                        "state": state,
                        "since": since,
                    }
                )
        (self.estate / "state").mkdir()
        for name in ("post", *(one.name for one in self.hosts)):
            tls = [{"name": f"{name}.hoster.example", "current": "aa" * 32, "next": "bb" * 32}]
            own = {"domain": f"{name}.hoster.example", "selector": name, "public": self.keys["key"]}
            found = {"node": name, "dkim": [*(keys if name == "post" else []), own], "tls": tls}
            (self.estate / "state" / f"{name}.json").write_text(json.dumps(found), encoding="utf-8")

    def _yaml(self, path: str, content: t.Any) -> None:
        (self.estate / path).parent.mkdir(parents=True, exist_ok=True)
        (self.estate / path).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")

    # zones

    def _sets(self, of: t.Iterable[Record]) -> Sets:
        found: Sets = {}
        for record in of:
            found.setdefault((record.name, record.type), []).append(
                rdata(record.type, record.value)
            )
        return found

    def _edited(self, sets: Sets, base: str, edits: t.Iterable[str], reverse: str = "") -> Sets:
        words = {
            "d": base,
            **self.keys,
            "hostile": HOSTILE,
            "long": "x" * 3000,
            "giant": "A" * 30000,
        }
        for edit in edits:
            sign, name, *rest = edit.split(" ", 3)
            if name == "PTR":
                name, rest = reverse, ["PTR", *rest]
                rest = [rest[0], " ".join(rest[1:])] if len(rest) > 1 else rest
            else:
                name = base if name == "@" else f"{name}.{base}"
            key = (name, rest[0])
            if sign in "-=":
                sets.pop(key, None)
            if sign in "+=":
                value = rest[1]
                for word, text in words.items():
                    value = value.replace(f"{{{word}}}", text)
                sets.setdefault(key, []).append(_quoted(value) if rest[0] == "TXT" else value)
        return sets

    def zones(self, second: bool = False) -> dict[str, str]:
        """Return zone files by zone, as the first Knot has them, or where the second has others."""
        self.delegations = {
            f"{one.name}.example": [f"{server}.hoster.example." for server in one.servers]
            for one in self.domains
        }
        found = {
            f"{one.name}.example": self._domain(one, second)
            for one in self.domains
            if _is_here(one) and (one.second or not second)
        }
        if second:
            return found
        found["hoster.example"] = self._hoster()
        found.update({zone: self._reverse(zone) for zone in REVERSE})
        found.update({name: _zone(name, sets, BOTH) for name, sets in FOREIGN.items()})
        found["example"] = _zone("example", self._registry(found), BOTH)
        found["_spf.google.com"] = _zone(
            "_spf.google.com",
            {("_spf.google.com", "TXT"): ['"v=spf1 ip4:192.0.2.55 -all"']},
            BOTH,
            "unsigned",
        )
        found["."] = _zone(".", _root(), BOTH)
        return found

    def _domain(self, one: Case, second: bool) -> str:
        name = f"{one.name}.example"
        sets = self._sets(record for record in self.records if record.domain == name)
        sets = self._edited(sets, name, one.edits)
        if second and one.second:
            sets = self._edited(sets, name, one.second)
        return _zone(name, sets, self.delegations[name], one.signing)

    def _registry(self, zones: t.Container[str]) -> Sets:
        """Return what the zone ``example`` delegates, and to whom."""
        sets: Sets = {
            (name, "NS"): servers for name, servers in self.delegations.items() if servers
        }
        others = [name for name in ("hoster.example", *FOREIGN) if name in zones]
        sets.update({(name, "NS"): BOTH for name in others})
        sets["cname-apex.example", "CNAME"] = ["good.example."]
        signed = [
            f"{one.name}.example"
            for one in self.domains
            if one.signing not in ("unsigned", "no_ds") and _is_here(one)
        ]
        for name in (*signed, *others):
            sets[name, "DS"] = [_ds(name).split(None, 2)[2]]
        return sets

    def _hoster(self) -> str:
        sets = self._sets(
            record
            for record in self.records
            if record.name.endswith("hoster.example") and record.type != "PTR"
        )
        for name, address in NAMES.items():
            sets[f"{name}.hoster.example", "A"] = [address]
            if name in IPV6:
                sets[f"{name}.hoster.example", "AAAA"] = [IPV6[name]]
        sets = self._edited(sets, "hoster.example", self.provider)
        for one in self.hosts:
            sets = self._edited(
                sets,
                f"{one.name}.hoster.example",
                [edit for edit in one.edits if edit.split()[1] != "PTR"],
            )
        return _zone("hoster.example", sets, BOTH)

    def _reverse(self, zone: str) -> str:
        sets = self._sets(
            record for record in self.records if record.type == "PTR" and record.name.endswith(zone)
        )
        for number, one in enumerate(self.hosts) if zone == REVERSE[0] else ():
            sets = self._edited(
                sets,
                "",
                [edit for edit in one.edits if edit.split()[1] == "PTR"],
                f"{30 + number}.0.97.10.in-addr.arpa",
            )
        return _zone(zone, sets, BOTH)

    # the web

    def _certificates(self) -> None:
        ca, ca_key = _certificate("Faults CA", [], None, 3650)
        bad, bad_key = _certificate("Nobody's CA", [], None, 3650)
        (self.folder / "ca.pem").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
        names = {
            one.name: f"mta-sts.{one.name}.example"
            for one in self.domains
            if "mta_sts" in one.domain
        }
        self.policies = {one.name: one.policy for one in self.domains if one.name in names}
        good = [
            *self.answers,
            *(
                host
                for name, host in names.items()
                if self.policies[name] not in ("expired", "name", "untrusted")
            ),
        ]
        self.files: dict[str, bytes] = {}
        for file, hosts, issuer, days in (
            ("good", good, (ca, ca_key), 90),
            ("expired", [names.get("sts-expired", "x.example")], (ca, ca_key), -1),
            ("name", ["elsewhere.example"], (ca, ca_key), 90),
            ("untrusted", [names.get("sts-untrusted", "x.example")], (bad, bad_key), 90),
        ):
            made, key = _certificate(file, hosts, issuer, days)
            private = key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            self.files[f"{file}.pem"] = made.public_bytes(serialization.Encoding.PEM) + private
        wrong = {f"{one.name}.example" for one in self.domains if one.settings == "wrong"}
        for host, text in self.answers.items():
            said = (
                text.replace("post.hoster", "elsewhere")
                if host.partition(".")[2] in wrong
                else text
            )
            self.files[f"settings/{host}"] = said.encode()

    def _nginx(self) -> str:
        text = (
            "version: STSv1\\r\\nmode: testing\\r\\nmx: post.hoster.example\\r\\nmx:"
            " alt.hoster.example\\r\\nmax_age: 86400\\r\\n"
        )
        answers = {
            "unreachable": "return 444;",
            "redirect": "return 301 https://elsewhere.example/;",
            "status": "return 404;",
            "type": f'return 200 "{text}";',
            "lines": 'return 200 "' + text.replace("\\r\\n", "\\r") + '";',
            "syntax": 'return 200 "hello\\r\\n";',
            "mx": 'return 200 "' + text.replace("mx: post", "mx: other") + '";',
            "mode": 'return 200 "' + text.replace("testing", "enforce") + '";',
            "max_age": 'return 200 "' + text.replace("86400", "60") + '";',
        }
        listen = f"listen {WEB}:443 ssl; listen [{WEB6}]:443 ssl;"
        pem = f"{PLACE}/good.pem"
        answer = f'return 200 "{text}";'
        servers = [
            f"server {{ {listen.replace(';', ' default_server;')} ssl_certificate {pem};"
            f" ssl_certificate_key {pem}; return 404; }}"
        ]
        away = [
            f"{label}.{one.name}.example"
            for one in self.domains
            if one.settings == "unreachable"
            for label in services.SETTINGS
        ]
        for name, place in (
            (
                "~^auto(config|discover)[.]",
                (
                    "error_page 405 = $uri; types { } default_type text/xml; alias"
                    f" {PLACE}/settings/$host;"
                ),
            ),
            *((name, "return 444;") for name in away),
        ):
            servers.append(
                f"server {{ {listen} server_name {name}; ssl_certificate {pem}; ssl_certificate_key"
                f" {pem};\nlocation ~ ^(.*)$ {{ {place} }} }}"
            )
        for name, kind in self.policies.items():
            media = "html" if kind == "type" else "plain"
            pem = f"{PLACE}/{kind if kind in ('expired', 'name', 'untrusted') else 'good'}.pem"
            servers.append(
                f"server {{ {listen} server_name mta-sts.{name}.example; ssl_certificate {pem};"
                f" ssl_certificate_key {pem};\nlocation = /.well-known/mta-sts.txt {{ default_type"
                f" text/{media}; {answers.get(kind, answer)} }} }}"
            )
        head = (
            f"daemon off; pid {PLACE}/nginx.pid; error_log stderr;\nevents {{}}\nhttp {{ access_log"
            " off; server_names_hash_bucket_size 128;\n"
        )
        return head + "\n".join(servers) + "\n}\n"

    def _files(self) -> dict[str, bytes]:
        """Return the settings and zones of all servers, by path."""
        files = dict(self.files)
        first = self.zones()
        lost = {f"{one.name}.example" for one in self.domains if one.second == ()}
        both = {**first, **self.zones(second=True)}
        other = {name: text for name, text in both.items() if name not in lost}
        lame = {"relay.example": first["relay.example"]}
        places = ((1, ["ns1"], first), (2, ["ns2"], other), (3, ["lame", "lame2"], lame))
        for number, names, zones in places:
            for name, text in zones.items():
                files[f"{number}/{_file(name)}"] = text.encode()
            addresses = [of[name] for name in names for of in (NAMES, IPV6)]
            files[f"knot{number}.conf"] = _knot(number, addresses, zones).encode()
        files["unbound.conf"] = _unbound().encode()
        files["nginx.conf"] = self._nginx().encode()
        files["udp.py"] = UDP_ONLY.encode()
        return files

    # on dns1

    def start(self, host: client.Host) -> None:
        """Serve it all. Everything that an earlier run left goes first."""
        self.stop(host)
        host.run(
            f"mkdir -p {PLACE}/1/db {PLACE}/2/db {PLACE}/3/db && base64 -d | tar -xzC {PLACE}",
            stdin=base64.b64encode(_packed(self._files())).decode(),
        )
        gone = (NAMES["silent2"], IPV6["silent2"])
        host.run(
            "; ".join(
                f"ip addr add {one} dev host0 nodad"
                for one in ADDRESSES
                if one.partition("/")[0] not in gone
            )
        )
        udp = " ".join(of[name] for name in ("udp1", "udp2") for of in (NAMES, IPV6))
        units = {
            "knot1": f"knotd -c {PLACE}/knot1.conf",
            "knot2": f"knotd -c {PLACE}/knot2.conf",
            "knot3": f"knotd -c {PLACE}/knot3.conf",
            "unbound": f"unbound -d -p -c {PLACE}/unbound.conf",
            "nginx": f"nginx -c {PLACE}/nginx.conf",
            "udp": f"python3 {PLACE}/udp.py {udp}",
        }
        host.run(
            " && ".join(
                f"systemd-run -q --collect --unit=faults-{unit} {command}"
                for unit, command in units.items()
            )
        )
        ready = (
            f"kdig +short +timeout=1 @{RESOLVER} good.example SOA | grep -q hoster && curl -sko"
            f" /dev/null https://{WEB}/"
        )
        assert client.wait_until(lambda: host.run(ready, check=False).returncode == 0, 30), (
            host.output("journalctl -n 40 -u 'faults-*' --no-pager")
        )

    def stop(self, host: client.Host) -> None:
        units = " ".join(
            f"faults-{unit}" for unit in ("knot1", "knot2", "knot3", "unbound", "nginx", "udp")
        )
        gone = "; ".join(f"ip addr del {one} dev host0 2>/dev/null" for one in ADDRESSES)
        host.run(f"systemctl stop {units} 2>/dev/null; {gone}; rm -rf {PLACE}", check=False)


def _is_here(one: Case) -> bool:
    """Return whether the lab's name servers have the zone of a case."""
    return bool(one.servers) and not one.name.endswith(("all-lame", "all-silent"))


def _root() -> Sets:
    """Return the records of the root zone."""
    signed = ("example", *REVERSE)
    sets: Sets = {(zone, "NS"): BOTH for zone in (*signed, "_spf.google.com")}
    sets.update({(zone, "DS"): [_ds(zone).split(None, 2)[2]] for zone in signed})
    sets.update({(f"{name}.hoster.example", "A"): [NAMES[name]] for name in ("ns1", "ns2")})
    return sets


def _unbound() -> str:
    """Return the settings of the resolver that validates."""
    return f"""server:
  interface: {RESOLVER}
  access-control: 10.97.0.0/24 allow
  username: ""
  chroot: ""
  directory: {PLACE}
  pidfile: ""
  trust-anchor: "{_ds(".")}"
  local-zone: "10.in-addr.arpa." nodefault
  local-zone: "d.f.ip6.arpa." nodefault
  do-ip6: no
  use-syslog: no
  num-threads: 1
stub-zone:
  name: "."
  stub-addr: {NAMES["ns1"]}
remote-control:
  control-enable: no
"""


def _packed(files: t.Mapping[str, bytes]) -> bytes:
    """Return the files as a compressed tar archive."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for path, content in files.items():
            info = tarfile.TarInfo(path)
            info.size, info.mtime = len(content), int(time.time())
            archive.addfile(info, io.BytesIO(content))
    return packed.getvalue()


def _file(name: str) -> str:
    return f"{'root' if name == '.' else name}.zone"


def _knot(number: int, addresses: t.Sequence[str], zones: t.Iterable[str]) -> str:
    place = f"{PLACE}/{number}"
    listen = ", ".join(addresses)
    listed = "".join(f'  - domain: "{name}"\n    file: {_file(name)}\n' for name in zones)
    return (
        f"server:\n  rundir: {place}\n  listen: [ {listen} ]\n  tcp-workers: 1\n  udp-workers: 1\n "
        f" background-workers: 1\ndatabase:\n  storage: {place}/db\nlog:\n  - target: stderr\n   "
        f" any: error\ntemplate:\n  - id: default\n    storage: {place}\n    semantic-checks: off\n"
        f"    zonefile-sync: -1\n    journal-content: none\nzone:\n{listed}"
    )


def _quoted(text: str) -> str:
    """A TXT's bytes, whatever they are, as a zone file has them."""
    raw = text.encode("latin-1")
    pieces = [raw[place : place + 255] for place in range(0, len(raw), 255)] or [b""]
    return " ".join(
        '"'
        + "".join(
            chr(one) if 32 <= one < 127 and one not in b'"\\;' else f"\\{one:03d}" for one in piece
        )
        + '"'
        for piece in pieces
    )


def _dnskey(key: ec.EllipticCurvePrivateKey) -> t.Any:
    return dns.dnssec.make_dnskey(key.public_key(), dns.dnssec.Algorithm.ECDSAP256SHA256, flags=257)


def _ds(name: str) -> str:
    owner = "." if name == "." else f"{name}."
    return f"{owner} DS {dns.dnssec.make_ds(owner, _dnskey(_KEY), 'SHA256').to_text()}"


def _zone(name: str, sets: Sets, servers: t.Sequence[str], signing: str = "signed") -> str:
    origin = "." if name == "." else f"{name}."
    rows = [
        f"{origin} {TTL} IN SOA ns1.hoster.example. hostmaster.hoster.example. 1 3600 600 86400 60"
    ]
    rows += [f"{origin} {TTL} IN NS {server}" for server in servers]
    rows += [
        f"{owner}. {TTL} IN {rdtype} {value}"
        for (owner, rdtype), values in sorted(sets.items())
        for value in dict.fromkeys(values)
    ]
    zone = dns.zone.from_text(
        "\n".join(rows) + "\n",
        origin=origin,
        relativize=False,
        check_origin=False,
        allow_include=False,
    )
    if signing not in ("unsigned", "no_key"):
        key = _OTHER if signing == "bogus" else _KEY
        now = int(time.time())
        begin, end = (
            (now - 864000, now - 86400) if signing == "expired" else (now - 3600, now + 864000)
        )
        with zone.writer() as txn:
            dns.dnssec.sign_zone(
                zone,
                txn,
                keys=[(key, _dnskey(key))],
                dnskey_ttl=TTL,
                inception=begin,
                expiration=end,
            )
    return zone.to_text(relativize=False)


def _certificate(
    name: str, hosts: t.Sequence[str], issuer: t.Any, days: int
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
    )
    builder = (
        builder.serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(30))
        .not_valid_after(now + datetime.timedelta(days))
    )
    builder = builder.add_extension(x509.BasicConstraints(issuer is None, None), critical=True)
    if hosts:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False
        )
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256()), key
