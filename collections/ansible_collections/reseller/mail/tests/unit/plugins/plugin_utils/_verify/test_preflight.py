# SPDX-License-Identifier: GPL-3.0-or-later
"""What preflight finds in the facts of a host and in what the controller sees."""

from __future__ import annotations

import copy
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import Node, OutboundHost
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.finding import Finding
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.preflight import (
    CATALOGUE,
    PROGRAMS,
    SECRETS,
    Limits,
    Outside,
    Settings,
    as_markdown,
    judge,
    own_addresses,
    unreached,
)

NODE = Node("mx1", "mx1.hosting.example", 12, ("192.0.2.10", "2001:db8::10"))
SETTINGS = Settings(outgoing="mail.example.net")
CONVERGED = [
    *({"address": "0.0.0.0", "port": port, "program": name} for port, name in PROGRAMS.items()),
    {"address": "127.0.0.1", "port": 10587, "program": "master"},
    {"address": "127.0.0.1", "port": 12341, "program": "systemd"},
    {"address": "0.0.0.0", "port": 22, "program": "sshd"},
]
SEEN = Outside(
    ["2001:db8::10", "192.0.2.10"],
    {address: ["mx1.hosting.example"] for address in NODE.addresses},
    {(address, port): "" for address in NODE.addresses for port in PROGRAMS},
)
GIB = 1 << 30
FACTS: dict[str, t.Any] = {
    "ours": True,
    "uid": 0,
    "user": "root",
    "release": {"id": "debian", "version_id": "12"},
    "python": "3.11.2",
    "memory": 2 * GIB,
    "filesystems": [
        {"path": "/", "device": 1, "free": 20 * GIB},
        {"path": "/srv/vmail", "device": 2, "free": 90 * GIB},
    ],
    "synchronised": True,
    "packages": {
        "postfix": {"installed": "3.7.11-0+deb12u1", "candidate": "3.7.11-0+deb12u1"},
        "dovecot-core": {"installed": "", "candidate": "1:2.3.19.1+dfsg1-2.1+deb12u7"},
        "opendkim": {"installed": "", "candidate": "2.11.0~beta2-8+deb12u1"},
        "rspamd": {"installed": "", "candidate": "3.4-1"},
        "fail2ban": {"installed": "", "candidate": "1.0.2-2"},
        "nftables": {"installed": "1.0.6-2+deb12u2", "candidate": "1.0.6-2+deb12u2"},
        "nginx-light": {"installed": "", "candidate": "1.22.1-9+deb12u11"},
        "certbot": {"installed": "", "candidate": "2.1.0-4"},
    },
    "listeners": CONVERGED,
    "secrets": [
        {
            "pattern": "dkim/*/*.private",
            "owner": "opendkim",
            "group": "opendkim",
            "mode": 0o600,
            "path": "/var/lib/reseller-mail/dkim/acme.example/mx1.private",
            "number": 3,
        }
    ],
    "foreign": [],
    "mirrors": {"http://mirror.example": ""},
    "resolvers": {"127.0.0.1": ""},
    "acme": "",
    "outgoing": "",
}


def found(
    facts: t.Optional[t.Mapping[str, t.Any]] = None,
    outside: Outside = SEEN,
    skew: float = 0.0,
    settings: Settings = SETTINGS,
    node: Node = NODE,
) -> dict[str, Finding]:
    return {one.id: one for one in judge(facts or FACTS, node, outside, skew, Limits(), settings)}


def with_(**values: t.Any) -> dict[str, t.Any]:
    return {**copy.deepcopy(FACTS), **values}


def listening(port: int, program: str, address: str = "0.0.0.0") -> dict[str, t.Any]:
    others = [one for one in CONVERGED if one["port"] != port]
    return with_(
        listeners=[*others, {"address": address, "port": port, "program": program}],
    )


def test_a_host_that_is_well_has_every_finding_ok_in_the_order_of_the_catalogue() -> None:
    findings = judge(FACTS, NODE, SEEN, 0.0, Limits(), SETTINGS)
    assert [one.id for one in findings] == list(CATALOGUE)
    assert {one.state for one in findings} == {"ok"}, findings
    assert {one.subject for one in findings} == {"mx1.hosting.example"}


def test_a_new_host_has_no_secrets_and_no_control_channels() -> None:
    one = found(with_(ours=False, listeners=[], secrets=[]), replace(SEEN, ports={}))
    assert {id_ for id_, each in one.items() if each.state == "na"} == {
        "preflight.secrets",
        "preflight.control",
        "preflight.reachable",
    }
    assert one["preflight.ports"].found == "all are free"


def test_a_host_that_cannot_be_asked_is_one_failure() -> None:
    findings = unreached("mx1.hosting.example", "no connection: timed out")
    assert [one.id for one in findings] == list(CATALOGUE)
    assert [one.state for one in findings] == ["fail", *["blocked"] * (len(CATALOGUE) - 1)]
    assert findings[0].found == "no connection: timed out"


def packages(**versions: str) -> dict[str, t.Any]:
    changed = {
        name.replace("_", "-"): {"installed": version, "candidate": version}
        for name, version in versions.items()
    }
    return with_(packages={**FACTS["packages"], **changed})


def secret(pattern: str, owner: str, group: str, mode: int) -> dict[str, t.Any]:
    row = {"pattern": pattern, "owner": owner, "group": group, "mode": mode}
    return with_(secrets=[{**row, "path": "/p", "number": 1}])


def space(free: int) -> dict[str, t.Any]:
    return with_(filesystems=[{"path": "/", "device": 1, "free": free}])


TROUBLE: dict[str, tuple[dict[str, t.Any], str, str, str, str]] = {
    "no root": (with_(uid=1000, user="debian"), "become", "fail", "debian", "ansible_become"),
    "another mail server": (
        with_(foreign=["Postfix (/etc/postfix/main.cf)"]),
        "configuration",
        "fail",
        "/etc/postfix/main.cf",
        "-e base_adopt=true",
    ),
    "another release": (
        with_(release={"id": "debian", "version_id": "13"}),
        "release",
        "fail",
        "debian 13",
        "set debian: 13",
    ),
    "a release that is not supported": (
        with_(release={"id": "debian", "version_id": "11"}),
        "release",
        "fail",
        "debian 11",
        "install that release",
    ),
    "another system": (
        with_(release={"id": "ubuntu", "version_id": "24.04"}),
        "release",
        "fail",
        "ubuntu 24.04",
        "install that release",
    ),
    "an old Python": (
        with_(python="3.9.2"),
        "python",
        "fail",
        "3.9.2",
        "ansible_python_interpreter",
    ),
    "another Dovecot": (
        packages(dovecot_core="1:2.4.1+dfsg1-6"),
        "versions",
        "fail",
        "dovecot-core 2.4.1+dfsg1-6",
        "apt-cache policy dovecot-core",
    ),
    "another Postfix": (
        packages(postfix="3.70.1"),
        "versions",
        "warn",
        "postfix 3.70.1",
        "apt-cache policy postfix",
    ),
    "no mirror, and packages are missing": (
        with_(mirrors={"http://mirror.example": "timed out"}),
        "packages",
        "fail",
        "http://mirror.example: timed out; not installed: certbot, dovecot-core",
        "sources.list",
    ),
    "no mirror, and all packages are installed": (
        {
            **packages(
                dovecot_core="2.3",
                opendkim="2.11",
                rspamd="3.4",
                fail2ban="1.0",
                nginx_light="1.22",
                certbot="2.1",
            ),
            "mirrors": {"http://mirror.example": "timed out"},
        },
        "packages",
        "warn",
        "all packages are installed",
        "sources.list",
    ),
    "apt without mirrors": (with_(mirrors={}), "packages", "fail", "no mirrors", "sources.list"),
    "memory is short": (with_(memory=899 << 20), "memory", "warn", "899 MiB", "more memory"),
    "too little memory": (with_(memory=599 << 20), "memory", "fail", "599 MiB", "more memory"),
    "space is short": (space(10 * GIB - 1), "disk", "warn", "/: 10G are free", "make room"),
    "too little space": (space(2 * GIB - 1), "disk", "fail", "/: 2G are free", "make room"),
    "a clock that nothing synchronises": (
        with_(synchronised=False),
        "clock",
        "warn",
        "not synchronised",
        "systemd-timesyncd or chrony",
    ),
    "a clock of which nothing is known": (
        with_(synchronised=None),
        "clock",
        "warn",
        "not synchronised",
        "timedatectl",
    ),
    "another program at a port": (
        listening(443, "apache2"),
        "ports",
        "fail",
        "apache2 has port 443",
        "ss -ltnp",
    ),
    "a program without a name at a port": (
        listening(25, ""),
        "ports",
        "fail",
        "an unknown program has port 25",
        "ss -ltnp",
    ),
    "an Exim for the Internet": (
        listening(25, "exim4"),
        "ports",
        "fail",
        "exim4 has port 25",
        "ss -ltnp",
    ),
    "a resolver without DNSSEC": (
        with_(resolvers={"192.0.2.53": "not validated"}),
        "resolver",
        "warn",
        "192.0.2.53: not validated",
        "unbound",
    ),
    "a dead resolver": (
        with_(resolvers={"192.0.2.53": "no answer", "127.0.0.1": ""}),
        "resolver",
        "fail",
        "192.0.2.53: no answer",
        "/etc/resolv.conf",
    ),
    "no CA": (with_(acme="timed out"), "acme", "fail", "timed out", "tls_acme_directory"),
    "port 25 is closed for outgoing mail": (
        with_(outgoing="timed out"),
        "outgoing",
        "fail",
        "timed out",
        "provider to open port 25",
    ),
    "a key that others can read": (
        secret("dkim/*/*.private", "opendkim", "opendkim", 0o644),
        "secrets",
        "fail",
        "/p: opendkim:opendkim 0644, not opendkim:opendkim 0600",
        "reseller.mail.site",
    ),
    "passwords of another group": (
        secret("credentials/credentials.db", "root", "users", 0o640),
        "secrets",
        "fail",
        "/p: root:users 0640, not root:dovecot 0640",
        "reseller.mail.site",
    ),
    "a key of another owner": (
        secret("tls/*/next.pem", "www-data", "root", 0o600),
        "secrets",
        "fail",
        "/p: www-data:root 0600",
        "reseller.mail.site",
    ),
    "doveadm over TCP": (
        listening(24245, "dovecot", "127.0.0.1"),
        "control",
        "fail",
        "dovecot listens on 127.0.0.1 port 24245",
        "remove the listener",
    ),
    "a milter over TCP": (
        listening(8891, "opendkim", "::1"),
        "control",
        "fail",
        "opendkim listens on ::1 port 8891",
        "remove the listener",
    ),
    "an internal port for others": (
        listening(10587, "master", "0.0.0.0"),
        "control",
        "fail",
        "master listens on 0.0.0.0 port 10587",
        "remove the listener",
    ),
}


@pytest.mark.parametrize("name", TROUBLE)
def test_a_trouble_of_a_host_is_one_finding_with_a_remedy(name: str) -> None:
    facts, id_, state, text, remedy = TROUBLE[name]
    findings = found(facts)
    assert {each for each, one in findings.items() if one.state != "ok"} == {f"preflight.{id_}"}
    one = findings[f"preflight.{id_}"]
    assert one.state == state
    assert text in one.found
    assert remedy in one.remedy


@pytest.mark.parametrize(
    ("facts", "id_"),
    [
        (with_(mirrors=None), "packages"),
        (with_(acme=None), "acme"),
        (with_(outgoing=None), "outgoing"),
        (with_(resolvers=None), "resolver"),
        (packages(), "packages"),
    ],
)
def test_what_is_not_asked_does_not_apply(facts: dict[str, t.Any], id_: str) -> None:
    state = "ok" if facts["mirrors"] is not None and id_ == "packages" else "na"
    assert found(facts)[f"preflight.{id_}"].state == state


def test_a_host_without_package_lists_has_no_versions_yet() -> None:
    none = {name: {"installed": "", "candidate": ""} for name in FACTS["packages"]}
    assert found(with_(packages=none))["preflight.versions"].state == "na"


def test_debians_local_exim_does_not_occupy_a_port() -> None:
    facts = listening(25, "exim4", "127.0.0.1")
    assert found(facts)["preflight.ports"].state == "ok"


def test_an_exim_does_not_occupy_a_port_of_a_host_that_is_adopted() -> None:
    facts, adopted = listening(25, "exim4"), replace(SETTINGS, adopt=True)
    assert found(facts, settings=adopted)["preflight.ports"].state == "ok"


def test_a_host_that_the_next_run_adopts_is_a_warning() -> None:
    facts = with_(foreign=["Dovecot (/etc/dovecot/local.conf)"])
    one = found(facts, settings=replace(SETTINGS, adopt=True))["preflight.configuration"]
    assert (one.state, one.found) == ("warn", "Dovecot (/etc/dovecot/local.conf)")


@pytest.mark.parametrize(("skew", "text"), [(61.0, "61 s ahead"), (-75.0, "75 s behind")])
def test_a_wrong_clock_fails_although_it_is_synchronised(skew: float, text: str) -> None:
    one = found(skew=skew)["preflight.clock"]
    assert (one.state, one.found) == ("fail", text)


def ports(**texts: str | None) -> Outside:
    changed: dict[tuple[str, int], str | None] = {}
    for name, why in texts.items():
        family, port = name.split("_")
        changed[NODE.addresses[family == "v6"], int(port)] = why
    return replace(SEEN, ports={**SEEN.ports, **changed})


@pytest.mark.parametrize(
    ("outside", "state", "text"),
    [
        (ports(v4_25="timed out", v4_993="timed out"), "fail", "192.0.2.10: timed out at 25, 993"),
        (ports(v6_25="connection refused"), "warn", "2001:db8::10: connection refused at 25"),
        (ports(v4_25="another host answers"), "fail", "192.0.2.10: another host answers at 25"),
        (ports(v6_25=None), "blocked", "no route from here to 2001:db8::10"),
    ],
    ids=["firewall", "IPv6 only", "another host", "no route"],
)
def test_ports_that_the_controller_does_not_reach(outside: Outside, state: str, text: str) -> None:
    one = found(outside=outside)["preflight.reachable"]
    assert one.state == state
    assert text in one.found


def test_another_address_in_dns_fails_and_the_remedy_is_the_records() -> None:
    one = found(outside=replace(SEEN, addresses=["192.0.2.99"]))["preflight.address"]
    assert (one.state, one.found) == ("fail", "192.0.2.99")
    assert one.remedy == (
        "mx1.hosting.example. A 192.0.2.10\nmx1.hosting.example. AAAA 2001:db8::10"
    )
    assert found(outside=replace(SEEN, addresses=[]))["preflight.address"].found == "no address"


def test_an_address_may_be_missing_before_the_first_run() -> None:
    some, new = replace(SEEN, addresses=["192.0.2.10"]), with_(ours=False)
    none = replace(SEEN, addresses=[])
    assert found(new, some)["preflight.address"].state == "warn"
    assert found(new, none)["preflight.address"].state == "fail"
    assert found(FACTS, some)["preflight.address"].state == "fail"


def test_a_missing_ptr_record_fails_and_the_remedy_is_the_record() -> None:
    reverse = {"192.0.2.10": [], "2001:db8::10": ["mx1.hosting.example"]}
    one = found(outside=replace(SEEN, reverse=reverse))["preflight.reverse"]
    assert (one.state, one.found) == ("fail", "192.0.2.10: none")
    assert one.remedy.startswith("10.2.0.192.in-addr.arpa. PTR mx1.hosting.example.")


def test_a_ptr_record_of_another_name_fails() -> None:
    reverse = {"192.0.2.10": ["static-10.provider.example"]}
    one = found(outside=replace(SEEN, reverse=reverse))["preflight.reverse"]
    assert (one.state, one.found) == ("fail", "192.0.2.10: static-10.provider.example")


def test_dns_that_does_not_answer_blocks_and_is_no_missing_record() -> None:
    silent = replace(SEEN, addresses="timeout", reverse={"192.0.2.10": "timeout"})
    findings = found(outside=silent)
    assert {findings[f"preflight.{id_}"].state for id_ in ("address", "reverse")} == {"blocked"}


def test_addresses_for_outgoing_mail_belong_to_the_name() -> None:
    node = replace(NODE, outbound_addresses=("192.0.2.11",))
    assert own_addresses(node) == ("192.0.2.10", "2001:db8::10", "192.0.2.11")
    assert found(node=node)["preflight.address"].state == "fail"
    named = replace(node, outbound_hosts=(OutboundHost("out1.example", ("192.0.2.11",)),))
    assert own_addresses(named) == ("192.0.2.10", "2001:db8::10"), "it has a name of its own"


def test_every_secret_with_the_widest_mode_is_fine() -> None:
    rows = [
        {
            "pattern": pattern,
            "owner": owner,
            "group": groups[-1],
            "mode": mode,
            "path": "/p",
            "number": 1,
        }
        for pattern, (owner, groups, mode) in SECRETS.items()
    ]
    assert found(with_(secrets=rows))["preflight.secrets"].state == "ok"
    assert all(mode & 0o007 == 0 for _owner, _groups, mode in SECRETS.values())


def test_the_page_has_the_catalogue() -> None:
    page = Path(__file__).parents[5] / "docs" / "findings.md"
    assert as_markdown() in page.read_text(encoding="utf-8")


def test_the_limits_in_the_catalogue_are_the_defaults() -> None:
    limits, text = Limits(), " ".join(CATALOGUE.values())
    for words in (
        f"`warn` below {limits.memory_warn} MiB",
        f"`fail` below {limits.memory_fail} MiB",
        f"`warn` below {limits.disk_warn} GiB",
        f"`fail` below {limits.disk_fail} GiB",
        f"within {limits.clock_skew} s",
    ):
        assert words in text
