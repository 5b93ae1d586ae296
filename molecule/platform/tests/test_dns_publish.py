# SPDX-License-Identifier: GPL-3.0-or-later
"""Publishing into a real Knot: by updates of our own, by octoDNS, by nsupdate. The estate is one of
its own (molecule/platform/dns), its zones are touched by no other test, and every test begins with
zones that hold nothing but somebody else's records.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import typing as t
from pathlib import Path

import client
import pytest

HERE = client.BUILD / "dns"
SERVER, PORT = "10.97.0.2", "53"
ZONES = ("planet.example", "wayne.example")
FOREIGN = (
    'wayne.example. 60 TXT "verification=1"',
    'wayne.example. 60 TXT "v=spf1 include:old.example ~all"',
    "wayne.example. 60 A 192.0.2.80",
    "wayne.example. 60 MX 5 mail.old.example.",
    "www.wayne.example. 60 A 192.0.2.80",
    '_dmarc.wayne.example. 60 TXT "v=DMARC1; p=none"',
    "planet.example. 60 A 192.0.2.81",
)
STAYS = {line for line in FOREIGN if "old.example" not in line and "DMARC1" not in line}
Zone = t.Dict[t.Tuple[str, str], t.Set[str]]


class Names:
    """The zones as dns1 has them, by zone transfer, and updates by somebody else's hand."""

    def __init__(self) -> None:
        self.host = client.Host("dns1")

    def zone(self, name: str) -> Zone:
        key = self.host.output("cat /etc/knot/update.key")
        found: Zone = {}
        for line in self.host.output(
            f"kdig -y {key} @{SERVER} {name} AXFR +noall +answer"
        ).splitlines():
            if line and not line.startswith(";"):
                owner, _ttl, _class, rdtype, value = line.split(None, 4)
                if rdtype not in ("SOA", "NS", "RRSIG", "NSEC", "DNSKEY", "CDS", "CDNSKEY", "DS"):
                    found.setdefault((owner.rstrip("."), rdtype), set()).add(value.strip())
        return found

    def everything(self) -> Zone:
        return {key: values for name in ZONES for key, values in self.zone(name).items()}

    def serials(self) -> list[str]:
        return [self.host.output(f"kdig @{SERVER} {name} SOA +short").split()[2] for name in ZONES]

    def update(self, zone: str, *lines: str) -> None:
        text = "".join(
            f"{line}\n" for line in (f"server {SERVER} {PORT}", f"zone {zone}.", *lines, "send")
        )
        self.host.run("knsupdate -v -k /etc/knot/update.key /dev/stdin", stdin=text)

    def empty(self) -> None:
        for name in ZONES:
            gone = (f"del {owner}. {rdtype}" for owner, rdtype in sorted(self.zone(name)))
            self.update(name, *gone, *(f"add {line}" for line in FOREIGN if f"{name}. " in line))


def foreign(zone: Zone) -> set[str]:
    """Those of the foreign records that are there."""
    return {
        line
        for line in FOREIGN
        if line.split(None, 3)[3] in zone.get((line.split(". ")[0], line.split()[2]), ())
    }


@pytest.fixture
def names() -> Names:
    found = Names()
    found.empty()
    return found


@pytest.fixture
def estate() -> Path:
    shutil.rmtree(HERE, ignore_errors=True)
    shutil.copytree(client.PROJECT / "molecule" / "platform" / "dns", HERE / "estate")
    return HERE / "estate"


def play(
    name: str, estate: Path, *arguments: str, secret: str = "", **variables: t.Any
) -> client.Run:
    more = {"dns_publish_export_dir": str(HERE / "zones"), **variables}
    options = ["--extra-vars", json.dumps(more), *arguments]
    return client.ansible(
        "ansible-playbook",
        f"reseller.mail.{name}",
        *options,
        estate=estate,
        environment={"DNS_SECRET": secret},
    )


def publish(estate: Path, *arguments: str, **variables: t.Any) -> client.Run:
    done = play("dns_publish", estate, *arguments, **variables)
    assert done.rc == 0, done.output
    return done


def book(estate: Path) -> set[tuple[str, str, str]]:
    path = estate / "state" / "published_dns.json"
    return {
        (row["name"], row["type"], row["value"])
        for row in json.loads(path.read_text(encoding="utf-8"))["published"]
    }


def test_a_plan_changes_nothing_the_run_does_what_it_says_and_a_second_run_nothing(
    names: Names, estate: Path
) -> None:
    before = names.serials()
    planned = publish(estate, "--check", "--diff")
    assert (names.serials(), (estate / "state").exists()) == (before, False)
    done = publish(estate, "--diff")
    said = [
        [line for line in run.output.splitlines() if line.startswith(("+ ", "- ", "~ "))]
        for run in (planned, done)
    ]
    assert said[0] == said[1]
    assert "+ wayne.example MX 10 post.planet.example." in said[1]
    assert "- wayne.example TXT v=spf1 include:old.example ~all" in said[1]
    zone, after = names.everything(), names.serials()
    assert publish(estate).changed("localhost") == 0
    assert names.serials() == after
    assert foreign(zone) == STAYS
    assert zone["wayne.example", "MX"] == {"10 post.planet.example.", "30 alt.planet.example."}
    assert zone["wayne.example", "TXT"] == {
        '"verification=1"',
        '"v=spf1 include:planet.example include:stranger.example ~all"',
    }
    assert zone["planet.example", "TXT"] == {'"v=spf1 ip4:10.97.0.4 ip4:10.97.0.14 -all"'}
    assert zone["_dmarc.post.planet.example", "TXT"] == {
        '"v=DMARC1; p=reject; rua=mailto:reports@planet.example"'
    }
    assert zone["idle.wayne.example", "MX"] == {"0 ."}
    assert zone["wayne.example._report._dmarc.planet.example", "TXT"] == {'"v=DMARC1"'}
    assert zone["mail.wayne.example", "CAA"] == {
        '0 issue "acme.hosting.example"',
        '0 issuewild ";"',
    }


def test_what_left_the_files_leaves_dns_and_nothing_else_does(names: Names, estate: Path) -> None:
    publish(estate)
    names.update(
        "wayne.example",
        'add cave.wayne.example. 60 TXT "verification=2"',
        "add cam.cave.wayne.example. 60 A 192.0.2.82",
    )
    wayne = estate / "tenants" / "wayne"
    (wayne / "cave.wayne.example.yml").unlink()
    own = (wayne / "wayne.example.yml").read_text(encoding="utf-8")
    (wayne / "wayne.example.yml").write_text(
        own.replace("mail.wayne.example", "post.wayne.example"), encoding="utf-8"
    )
    done = publish(estate, "--diff")
    assert "- mail.wayne.example A 10.97.0.4" in done.output
    zone = names.everything()
    left = {key: values for key, values in zone.items() if key[0].endswith("cave.wayne.example")}
    assert left == {
        ("cave.wayne.example", "TXT"): {'"verification=2"'},
        ("cam.cave.wayne.example", "A"): {"192.0.2.82"},
    }
    assert not [
        key
        for key in zone
        if key[0] == "mail.wayne.example" or ("cave" in key[0] and "_report" in key[0])
    ]
    assert zone["post.wayne.example", "A"] == {"10.97.0.4"}
    assert foreign(zone) == STAYS
    assert not [row for row in book(estate) if "cave.wayne" in row[0]]
    assert publish(estate).changed("localhost") == 0


def test_a_hand_that_changed_our_records_is_put_right(names: Names, estate: Path) -> None:
    publish(estate)
    names.update(
        "wayne.example",
        "del wayne.example. MX",
        "add wayne.example. 60 MX 1 mail.wrong.example.",
        "del _dmarc.wayne.example. TXT",
    )
    done = publish(estate, "--diff")
    assert "- wayne.example MX 1 mail.wrong.example." in done.output
    assert "note: wayne.example: resolvers may remember" in done.output or names.everything()[
        "wayne.example", "MX"
    ] == {
        "10 post.planet.example.",
        "30 alt.planet.example.",
    }
    assert ("_dmarc.wayne.example", "TXT") in names.everything()


def test_a_wrong_key_and_a_silent_server_change_nothing(names: Names, estate: Path) -> None:
    before = names.serials()
    refused = play("dns_publish", estate, dns_publish_key_secret="bm90IHRoZSBrZXk=")
    assert refused.rc != 0
    assert (
        "10.97.0.2 did not accept the update: it has another secret for the TSIG key lab"
        in " ".join(refused.output.split())
    )
    assert "bm90IHRoZSBrZXk=" not in refused.output
    silent = play("dns_publish", estate, dns_publish_server="10.97.0.99")
    assert silent.rc != 0
    assert "10.97.0.99 gave no usable answer for" in silent.output
    assert (names.serials(), (estate / "state").exists()) == (before, False)


def test_a_domain_that_cannot_be_published_is_told_and_all_others_are(
    names: Names, estate: Path
) -> None:
    names.update("wayne.example", "add mail.wayne.example. 60 CNAME elsewhere.example.")
    warned = play("dns_publish", estate, dns_publish_faults="warn")
    failed = play("dns_publish", estate)
    assert (warned.rc == 0, failed.rc == 0) == (True, False), warned.output
    for run in (warned, failed):
        assert "mail.wayne.example is a CNAME to elsewhere.example; remove it" in " ".join(
            run.output.split()
        ), run.output
    zone = names.everything()
    assert zone["wayne.example", "MX"] == {"5 mail.old.example."}
    assert zone["cave.wayne.example", "MX"] == {"10 post.planet.example.", "30 alt.planet.example."}
    assert ("planet.example", "TXT") in zone
    assert not [row for row in book(estate) if row[:2] == ("wayne.example", "MX")]


def _target(**more: t.Any) -> dict[str, t.Any]:
    return {
        "class": "octodns_bind.Rfc2136Provider",
        "host": SERVER,
        "key_name": "lab",
        "key_algorithm": "hmac-sha256",
        "key_secret": "env/DNS_SECRET",
        **more,
    }


def _secret() -> str:
    lab = os.environ.get("LAB_HOSTS_DIR", "/var/lib/reseller-mail-lab")
    return Path(lab, "tsig.key").read_text(encoding="utf-8").strip()


def test_octodns_publishes_the_same_and_leaves_what_is_not_ours(names: Names, estate: Path) -> None:
    publish(estate)
    by_update = names.everything()
    names.empty()
    shutil.rmtree(estate / "state")
    options = {
        "dns_publish_driver": "octodns",
        "dns_publish_octodns_dir": str(HERE / "octodns"),
        "dns_publish_octodns_target": _target(),
        "dns_publish_octodns_sync": str(client.PROJECT / ".venv" / "bin" / "octodns-sync"),
    }
    before = names.serials()
    publish(estate, "--check", secret=_secret(), **options)
    assert names.serials() == before
    done = publish(estate, secret=_secret(), **options)
    assert done.changed("localhost") == 1
    assert names.everything() == by_update
    after = names.serials()
    assert publish(estate, secret=_secret(), **options).changed("localhost") == 0
    assert names.serials() == after
    assert _secret() not in (HERE / "octodns" / "config.yaml").read_text(encoding="utf-8")
    # What left goes, and only that; then our own updates find nothing to do.
    (estate / "tenants" / "wayne" / "cave.wayne.example.yml").unlink()
    names.update("wayne.example", 'add cave.wayne.example. 60 TXT "verification=2"')
    publish(estate, secret=_secret(), **options)
    zone = names.everything()
    assert {key: zone[key] for key in zone if key[0].endswith("cave.wayne.example")} == {
        ("cave.wayne.example", "TXT"): {'"verification=2"'}
    }
    assert foreign(zone) == STAYS
    assert publish(estate).changed("localhost") == 0


def test_octodns_takes_the_export_validates_it_and_dumps_what_it_read(
    names: Names, estate: Path
) -> None:
    publish(estate)
    done = play(
        "dns_export",
        estate,
        dns_export_dir=str(HERE / "export"),
        dns_export_formats=["octodns"],
        dns_export_octodns_target=_target(),
    )
    assert done.rc == 0, done.output
    folder = HERE / "export" / "octodns"

    def octodns(program: str, *arguments: str) -> str:
        environment = {**os.environ, "PYTHONPATH": ".", "DNS_SECRET": _secret()}
        command = [
            client.PROJECT / ".venv" / "bin" / f"octodns-{program}",
            "--config-file",
            "config.yaml",
            *arguments,
        ]
        run = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stderr
        return run.stdout + run.stderr

    octodns("validate")
    assert "No changes were planned" in octodns("sync")
    octodns("dump", "--output-dir", "dumped", "wayne.example.", "records")
    read = [
        json.dumps(_yaml(folder / name / "wayne.example.yaml"), sort_keys=True)
        for name in ("zones", "dumped")
    ]
    assert read[0] == read[1]


def _yaml(path: Path) -> t.Any:
    """A zone as octoDNS writes it: single entries bare, single values without a list, the default
    TTL unsaid, semicolons escaped."""
    import yaml

    found = {}
    for name, entries in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        found[name] = []
        for entry in entries if isinstance(entries, list) else [entries]:
            values = entry["values"] if "values" in entry else [entry["value"]]
            plain = [
                value.replace("\\;", ";") if isinstance(value, str) else value for value in values
            ]
            found[name].append(
                {"type": entry["type"], "ttl": entry.get("ttl", 3600), "values": plain}
            )
    return found


@pytest.mark.parametrize("program", ["knsupdate", "nsupdate"])
def test_the_script_for_nsupdate_does_the_same_and_the_second_time_nothing(
    names: Names, estate: Path, program: str
) -> None:
    publish(estate)
    by_update = names.everything()
    names.empty()
    done = play(
        "dns_export", estate, dns_export_dir=str(HERE / "export"), dns_export_formats=["nsupdate"]
    )
    assert done.rc == 0, done.output
    algorithm, key, secret = names.host.output("cat /etc/knot/update.key").split(":")
    serials = []
    for _time in range(2):
        for name in ZONES:
            script = (HERE / "export" / "nsupdate" / name).read_text(encoding="utf-8")
            names.host.run(
                f"{program} -v /dev/stdin",
                stdin=f"server {SERVER} {PORT}\nkey {algorithm}:{key} {secret}\n{script}",
            )
        serials.append(names.serials())
    assert serials[0] == serials[1]
    expected = {place: set(values) for place, values in by_update.items()}
    # A script cannot look: somebody's old SPF record is to it one of his other texts.
    expected["wayne.example", "TXT"].add('"v=spf1 include:old.example ~all"')
    assert names.everything() == expected


def test_the_mail_of_the_provider_s_domain_is_never_taken_over(names: Names, estate: Path) -> None:
    """By an update, by octoDNS, by the files for nsupdate: where somebody else's MX stands it
    stays, and the run says so."""
    settings = (estate / "estate.yml").read_text(encoding="utf-8")
    settings = settings.replace(
        "  domain: planet.example\n", "  domain: planet.example\n  contact: bruce@wayne.example\n"
    )
    (estate / "estate.yml").write_text(settings, encoding="utf-8")
    names.update("planet.example", "add planet.example. 60 MX 5 mail.old.example.")
    octodns = {
        "dns_publish_driver": "octodns",
        "dns_publish_octodns_dir": str(HERE / "octodns"),
        "dns_publish_octodns_target": _target(),
        "dns_publish_octodns_sync": str(client.PROJECT / ".venv" / "bin" / "octodns-sync"),
    }
    for variables in ({}, octodns):
        done = publish(estate, secret=_secret(), **variables)
        assert "planet.example MX: records of other people stay: 5 mail.old.example." in " ".join(
            done.output.split()
        )
        zone = names.zone("planet.example")
        assert zone["planet.example", "MX"] == {"5 mail.old.example."}
        assert ("planet.example", "TXT") in zone
    exported = play(
        "dns_export",
        estate,
        dns_export_formats=["nsupdate", "octodns"],
        dns_export_domains="all",
        dns_export_dir=str(HERE / "zones"),
    )
    assert exported.rc == 0, exported.output
    assert "planet.example. MX" not in (HERE / "zones" / "nsupdate" / "planet.example").read_text(
        encoding="utf-8"
    )
    names.update("planet.example", "del planet.example. MX")
    publish(estate)
    assert names.zone("planet.example")["planet.example", "MX"] == {"10 post.planet.example."}
    assert publish(estate).changed("localhost") == 0
    publish(estate, secret=_secret(), **octodns)
    assert names.zone("planet.example")["planet.example", "MX"] == {"10 post.planet.example."}
