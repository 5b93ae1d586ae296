# SPDX-License-Identifier: GPL-3.0-or-later
"""Find what keeps a host from being a mail host, before the first run and after upgrades.

PRIVATE to the collection. Pure: no Ansible, no network, no clock. The host's facts
(``_host/preflight.py``) and what the controller sees come in as arguments.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t
from dataclasses import dataclass

from .._model.outgoing import own_addresses
from .._model.sizes import rounded
from .finding import Finding
from .host import Answer

if t.TYPE_CHECKING:
    from .._model.estate import Node

Facts = t.Mapping[str, t.Any]

MEBIBYTE, GIBIBYTE = 1 << 20, 1 << 30
PROGRAMS: t.Final[dict[int, str]] = {
    25: "master",
    80: "nginx",
    443: "nginx",
    465: "master",
    587: "master",
    993: "dovecot",
    995: "dovecot",
    4190: "dovecot",
}
"""The ports that clients and other hosts use, and the program that must have each of them."""
NAMES = {"master": "Postfix", "dovecot": "Dovecot", "nginx": "nginx"}
INTERNAL = ((10587, "master"), (10588, "master"), (10589, "master"))
"""Further ports of these programs, for local clients only: Postfix for what Sieve scripts send, for
SRS, and for mail that it holds."""
MAIL_PROGRAMS = (*NAMES, "opendkim", "doveadm", "rspamd")
VERSIONS: t.Final[dict[str, dict[int, str]]] = {
    "postfix": {12: "3.7", 13: "3.10"},
    "dovecot-core": {12: "2.3", 13: "2.4"},
    "opendkim": {12: "2.11", 13: "2.11"},
    "rspamd": {12: "3.4", 13: "3.12"},
    "fail2ban": {12: "1.0", 13: "1.1"},
    "nftables": {12: "1.0", 13: "1.1"},
    "nginx-light": {12: "1.22", 13: "1.26"},
    "certbot": {12: "2.1", 13: "4.0"},
}
"""The series of each package in Debian 12 and 13. The tests use these."""
PYTHON = (3, 11)
SECRETS: t.Final[dict[str, tuple[str, tuple[str, ...], int]]] = {
    "credentials": ("root", ("dovecot",), 0o750),
    "credentials/credentials.db": ("root", ("dovecot",), 0o640),
    "dkim": ("opendkim", ("opendkim",), 0o700),
    "dkim/*/*.private": ("opendkim", ("opendkim",), 0o600),
    "tls/*/privkey.pem": ("root", ("root", "www-data"), 0o640),
    "tls/*/next.pem": ("root", ("root",), 0o600),
    "sni/sni*": ("root", ("root",), 0o600),
}
"""By pattern below the platform's folder: the owner, the groups, and the widest mode."""

CATALOGUE: t.Final[dict[str, str]] = {
    "preflight.reached": "the controller reaches the host by SSH and can read its facts",
    "preflight.become": "Ansible works as root, directly or with `become`",
    "preflight.configuration": (
        "the host has no mail configuration that is not ours; `warn` if `base_adopt` is set"
    ),
    "preflight.release": "the host has the Debian release of the estate",
    "preflight.python": "the host has Python 3.11 or newer",
    "preflight.versions": (
        "Postfix, Dovecot, OpenDKIM, rspamd, fail2ban, nftables, nginx and certbot, installed or to"
        " be installed, are of the series in Debian; `fail` for Dovecot, whose settings differ"
        " between series, otherwise `warn`"
    ),
    "preflight.packages": (
        "the package mirrors answer; `warn` if all packages are installed; `na` if"
        " `base_package_lists_max_age` is 0"
    ),
    "preflight.memory": (
        "the host has memory: `warn` below 900 MiB, with `filter_antivirus` below 4,000 MiB"
        " (`preflight_memory_warn`), `fail` below 600 MiB, without the filter below 450 MiB"
        " (`preflight_memory_fail`)"
    ),
    "preflight.disk": (
        "the file systems of root and mail have free space: `warn` below 10 GiB"
        " (`preflight_disk_warn`), `fail` below 2 GiB (`preflight_disk_fail`)"
    ),
    "preflight.clock": (
        "its clock is within 60 s (`preflight_clock_skew`) of the controller's; `warn` if no"
        " program synchronises it"
    ),
    "preflight.ports": (
        "ports 25, 80, 443, 465, 587, 993, 995 and 4190 are free, or Postfix, Dovecot and nginx"
        " have them"
    ),
    "preflight.reachable": (
        "these ports answer at each address of the node when the controller connects; free ones"
        " answer for a few seconds; `na` if nothing listens (check mode); `warn` if only IPv6 does"
        " not answer; `blocked` for an address to which the controller has no route"
    ),
    "preflight.address": (
        "the host's name has the addresses of the estate in DNS, and no others; `warn` if some are"
        " missing before the first run"
    ),
    "preflight.reverse": "each of these addresses has a PTR record with the host's name",
    "preflight.resolver": (
        "the host's resolvers answer; `warn` if they do not validate by DNSSEC, which DANE needs"
    ),
    "preflight.acme": (
        "the host can read the ACME directory of the CA; `na` if certificates come from files"
    ),
    "preflight.outgoing": (
        "port 25 of a mail server outside answers (`preflight_outgoing`): many providers close it;"
        " `na` without such a server"
    ),
    "preflight.secrets": (
        "files with passwords and private keys have their owner, group and mode; `na` before the"
        " first run"
    ),
    "preflight.control": (
        "Postfix, Dovecot and OpenDKIM have no further TCP port: every control channel is a UNIX"
        " socket; `na` before the first run"
    ),
}
"""What each finding of preflight verifies."""
_SSH = "SSH takes the controller's login, and the host's facts can be read"


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a host: MiB of memory, GiB of space, seconds."""

    memory_warn: int = 900
    memory_fail: int = 600
    disk_warn: int = 10
    disk_fail: int = 2
    clock_skew: int = 60


@dataclass(frozen=True, slots=True)
class Outside:
    """What the controller sees of a node.

    Attributes:
        addresses: The addresses of its name in DNS; an error as text if DNS does not answer.
        reverse: By address the names of its PTR records, or an error as text.
        ports: By address and port why it does not answer; empty if it does. None without a route.
    """

    addresses: t.Union[t.Sequence[str], str]
    reverse: t.Mapping[str, t.Union[t.Sequence[str], str]]
    ports: t.Mapping[tuple[str, int], t.Optional[str]]


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of the run that change what is expected.

    Attributes:
        adopt: Whether a host with another mail configuration is taken over.
        login_limit: The port of Dovecot's login limit, for local clients only.
        outgoing: The mail server outside.
    """

    adopt: bool = False
    login_limit: int = 12341
    outgoing: str = ""


def unreached(host: str, why: str) -> list[Finding]:
    """Return the findings about a host that could not be asked."""
    remedy = f"look at {host}: power, network, SSH login, Python 3.11 or newer"
    return [
        Finding("preflight.reached", host, "fail", _SSH, why, remedy),
        *(
            Finding(id_, host, "blocked", "", "not asked: preflight.reached failed")
            for id_ in CATALOGUE
            if id_ != "preflight.reached"
        ),
    ]


def judge(
    facts: Facts,
    node: Node,
    outside: Outside,
    skew: float,
    limits: Limits,
    settings: Settings,
) -> list[Finding]:
    """Return the findings about one host, in the catalogue's order."""
    answers = {
        "preflight.reached": Answer("ok", _SSH, "asked"),
        "preflight.become": _become(facts),
        "preflight.configuration": _configuration(facts["foreign"], settings.adopt),
        "preflight.release": _release(facts["release"], node.debian),
        "preflight.python": _python(facts["python"]),
        "preflight.versions": _versions(facts["packages"], node.debian),
        "preflight.packages": _packages(facts["packages"], facts["mirrors"]),
        "preflight.memory": _memory(facts["memory"], limits),
        "preflight.disk": _disk(facts["filesystems"], limits),
        "preflight.clock": _clock(skew, facts["synchronised"], limits),
        "preflight.ports": _ports(facts["listeners"], settings.adopt),
        "preflight.reachable": _reachable(outside.ports),
        "preflight.address": _address(outside.addresses, node, bool(facts["ours"])),
        "preflight.reverse": _reverse(outside.reverse, node),
        "preflight.resolver": _resolver(facts["resolvers"]),
        "preflight.acme": _acme(facts["acme"]),
        "preflight.outgoing": _outgoing(facts["outgoing"], settings.outgoing),
        "preflight.secrets": _secrets(facts["secrets"]) if facts["ours"] else _NOT_YET,
        "preflight.control": (
            _control(facts["listeners"], settings.login_limit) if facts["ours"] else _NOT_YET
        ),
    }
    return [
        Finding(id_, node.hostname, one.state, one.expected, one.found, one.remedy)
        for id_, one in answers.items()
    ]


_NOT_YET = Answer("na", "", "this host has not been configured yet")


def _become(facts: Facts) -> Answer:
    """Return the answer about the user that Ansible works as."""
    if facts["uid"] == 0:
        return Answer("ok", "Ansible works as root", "root")
    return Answer(
        "fail",
        "Ansible works as root",
        f"it works as {facts['user']}",
        "set ansible_user to root, or ansible_become to true, for the group mail_nodes; what only"
        " root can read is missing in the other findings",
    )


def _configuration(foreign: t.Sequence[str], adopt: bool) -> Answer:
    """Return the answer about a mail configuration of somebody."""
    expected = "no mail configuration that is not ours"
    if not foreign:
        return Answer("ok", expected, "none")
    if adopt:
        return Answer(
            "warn", expected, ", ".join(foreign), "the next run copies it aside and replaces it"
        )
    return Answer(
        "fail",
        expected,
        ", ".join(foreign),
        "use another host, or remove these programs with their configuration; or let the next run"
        " copy it aside and replace it: ansible-playbook reseller.mail.site -e base_adopt=true with"
        " --limit for this node",
    )


def _release(found: t.Mapping[str, str], debian: int) -> Answer:
    """Return the answer about the Debian release."""
    version = found["version_id"].partition(".")[0]
    expected = f"Debian {debian}, as in estate.yml"
    name = f"{found['id'] or 'an unknown system'} {found['version_id']}".strip()
    if (found["id"], version) == ("debian", str(debian)):
        return Answer("ok", expected, name)
    remedy = "install that release"
    if found["id"] == "debian" and version in ("12", "13"):
        remedy += f", or set debian: {version} for the node in estate.yml"
    return Answer("fail", expected, name, remedy)


def _python(version: str) -> Answer:
    """Return the answer about Python on the host."""
    expected = f"{'.'.join(map(str, PYTHON))} or newer"
    if tuple(map(int, version.split(".")[:2])) >= PYTHON:
        return Answer("ok", expected, version)
    return Answer("fail", expected, version, "set ansible_python_interpreter to a newer one")


def _upstream(version: str) -> str:
    """Return a package's version without its epoch."""
    return version.partition(":")[2] or version


def _is_of(version: str, series: str) -> bool:
    """Return whether a version belongs to a series."""
    return re.match(rf"{re.escape(series)}(?![0-9])", _upstream(version)) is not None


def _versions(packages: t.Mapping[str, t.Mapping[str, str]], debian: int) -> Answer:
    """Return the answer about the versions of the packages, installed or to be installed."""
    expected = ", ".join(f"{name} {series[debian]}" for name, series in VERSIONS.items())
    known = {
        name: found["installed"] or found["candidate"]
        for name, found in packages.items()
        if found["installed"] or found["candidate"]
    }
    wrong = [name for name, version in known.items() if not _is_of(version, VERSIONS[name][debian])]
    if wrong:
        return Answer(
            "fail" if "dovecot-core" in wrong else "warn",
            expected,
            ", ".join(f"{name} {_upstream(known[name])}" for name in wrong),
            f"install the packages of Debian {debian}: apt-cache policy {' '.join(wrong)} shows"
            " which source they are from",
        )
    if not known:
        return Answer("na", expected, "the host has no package lists yet; the first run gets them")
    return Answer(
        "ok", expected, ", ".join(f"{name} {_upstream(known[name])}" for name in sorted(known))
    )


def _packages(
    packages: t.Mapping[str, t.Mapping[str, str]], mirrors: t.Optional[t.Mapping[str, str]]
) -> Answer:
    """Return the answer about the package mirrors."""
    expected = "the package mirrors answer"
    if mirrors is None:
        return Answer("na", expected, "not asked: base_package_lists_max_age is 0")
    remedy = "look at /etc/apt/sources.list, sources.list.d, the proxy and the firewall"
    silent = [f"{mirror}: {why}" for mirror, why in mirrors.items() if why]
    missing = sorted(name for name, found in packages.items() if not found["installed"])
    if not mirrors:
        silent = ["apt has no mirrors"]
    if silent and missing:
        return Answer(
            "fail", expected, f"{'; '.join(silent)}; not installed: {', '.join(missing)}", remedy
        )
    if silent:
        return Answer("warn", expected, f"{'; '.join(silent)}; all packages are installed", remedy)
    return Answer("ok", expected, ", ".join(mirrors))


def _memory(found: int, limits: Limits) -> Answer:
    """Return the answer about memory."""
    expected = f"{limits.memory_warn} MiB"
    text = f"{found // MEBIBYTE} MiB"
    state = _level(found, limits.memory_warn * MEBIBYTE, limits.memory_fail * MEBIBYTE)
    return Answer(state, expected, text, "give the host more memory" if state != "ok" else "")


def _level(found: int, warn: int, fail: int) -> str:
    """Return the state of something of which there must be enough."""
    return "fail" if found < fail else "warn" if found < warn else "ok"


def _disk(filesystems: t.Sequence[t.Mapping[str, t.Any]], limits: Limits) -> Answer:
    """Return the answer about free space."""
    expected = f"{limits.disk_warn} GiB are free"
    devices: dict[int, list[t.Mapping[str, t.Any]]] = {}
    for one in filesystems:
        devices.setdefault(one["device"], []).append(one)
    text = "; ".join(
        f"{', '.join(one['path'] for one in ones)}: {rounded(ones[0]['free'])} are free"
        for ones in devices.values()
    )
    least = min(one["free"] for one in filesystems)
    state = _level(least, limits.disk_warn * GIBIBYTE, limits.disk_fail * GIBIBYTE)
    remedy = "make room: du -xsh there, or a larger file system"
    return Answer(state, expected, text, remedy if state != "ok" else "")


def _clock(skew: float, synchronised: t.Optional[bool], limits: Limits) -> Answer:
    """Return the answer about the clock."""
    expected = f"synchronised, and within {limits.clock_skew} s of the controller's clock"
    apart = f"{abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}"
    remedy = "install systemd-timesyncd or chrony; look at timedatectl status"
    if abs(skew) > limits.clock_skew:
        return Answer("fail", expected, apart, f"{remedy}, and at the controller's clock as well")
    if not synchronised:
        return Answer("warn", expected, f"{abs(skew):.0f} s apart, not synchronised", remedy)
    return Answer("ok", expected, f"{abs(skew):.0f} s apart")


def _is_local(address: str) -> bool:
    """Return whether only the host itself reaches an address."""
    return ipaddress.ip_address(address).is_loopback


def _ports(listeners: t.Iterable[t.Mapping[str, t.Any]], adopt: bool) -> Answer:
    """Return the answer about the ports that other programs have.

    apt removes Exim when it installs Postfix: always that of Debian, which listens for local
    clients, and another one on a host that is adopted.
    """
    expected = f"ports {', '.join(map(str, PROGRAMS))} are free, or used by our programs"
    others = [
        f"{one['program'] or 'an unknown program'} has port {one['port']}"
        for one in listeners
        if one["port"] in PROGRAMS
        and one["program"] != PROGRAMS[one["port"]]
        and not (one["program"] == "exim4" and (adopt or _is_local(one["address"])))
    ]
    if others:
        return Answer(
            "fail",
            expected,
            ", ".join(dict.fromkeys(others)),
            "remove these programs, or let them use other ports: ss -ltnp shows them",
        )
    ours = sorted({one["port"] for one in listeners if one["port"] in PROGRAMS})
    return Answer("ok", expected, f"used: {', '.join(map(str, ours))}" if ours else "all are free")


def _reachable(ports: t.Mapping[tuple[str, int], t.Optional[str]]) -> Answer:
    """Return the answer about the ports as the controller sees them."""
    expected = "each port answers at each address of the node"
    if not ports:
        return Answer("na", expected, "nothing listens, so nothing was asked")
    closed = {pair: why for pair, why in ports.items() if why}
    if closed:
        by_text: dict[str, list[str]] = {}
        for (address, port), why in closed.items():
            by_text.setdefault(f"{address}: {why}", []).append(str(port))
        return Answer(
            "warn" if all(":" in address for address, _port in closed) else "fail",
            expected,
            "; ".join(f"{text} at {', '.join(numbers)}" for text, numbers in by_text.items()),
            "let the firewalls of the host and of its provider pass these ports, or look for a"
            " second host with the same address",
        )
    far = sorted({address for (address, _port), why in ports.items() if why is None})
    if far:
        return Answer("blocked", expected, f"there is no route from here to {', '.join(far)}")
    numbers = sorted({port for _address, port in ports})
    return Answer("ok", expected, f"answer: {', '.join(map(str, numbers))}")


def _sorted(addresses: t.Iterable[str]) -> list[str]:
    """Return addresses in the form that they are compared in."""
    return sorted({str(ipaddress.ip_address(address)) for address in addresses})


def _address(found: t.Union[t.Sequence[str], str], node: Node, is_ours: bool) -> Answer:
    """Return the answer about the addresses of the host's name.

    The first run publishes what is missing, but the CA must find the host before.
    """
    wanted = _sorted(own_addresses(node))
    expected = f"{node.hostname} has {', '.join(wanted)}"
    if isinstance(found, str):
        return Answer("blocked", expected, found)
    if _sorted(found) == wanted:
        return Answer("ok", expected, ", ".join(wanted))
    is_incomplete = not is_ours and found and set(_sorted(found)) <= set(wanted)
    return Answer(
        "warn" if is_incomplete else "fail",
        expected,
        ", ".join(_sorted(found)) or "no address",
        "\n".join(
            f"{node.hostname}. {'AAAA' if ':' in address else 'A'} {address}" for address in wanted
        ),
    )


def _reverse(found: t.Mapping[str, t.Union[t.Sequence[str], str]], node: Node) -> Answer:
    """Return the answer about the PTR records of the node's addresses."""
    expected = f"the PTR record of each address is {node.hostname}"
    errors = [names for names in found.values() if isinstance(names, str)]
    wrong = {
        address: names
        for address, names in found.items()
        if not isinstance(names, str) and node.hostname not in names
    }
    if wrong:
        return Answer(
            "fail",
            expected,
            "; ".join(
                f"{address}: {', '.join(names) or 'none'}" for address, names in wrong.items()
            ),
            "\n".join(
                f"{ipaddress.ip_address(address).reverse_pointer}. PTR {node.hostname}."
                for address in wrong
            )
            + "\n(at the provider of the addresses)",
        )
    if errors:
        return Answer("blocked", expected, errors[0])
    return Answer("ok", expected, ", ".join(found))


def _resolver(found: t.Optional[t.Mapping[str, str]]) -> Answer:
    """Return the answer about the host's resolvers."""
    expected = "the host's resolvers answer, and validate by DNSSEC"
    if found is None:
        return Answer("na", expected, "not asked: preflight_signed_name is empty")
    wrong = {server: why for server, why in found.items() if why}
    if not wrong:
        return Answer("ok", expected, ", ".join(found))
    text = "; ".join(f"{server}: {why}" for server, why in wrong.items())
    if all(why == "not validated" for why in wrong.values()):
        return Answer(
            "warn",
            expected,
            text,
            "install unbound on the host and set nameserver 127.0.0.1 in /etc/resolv.conf: without"
            " it, outgoing mail is not protected by DANE",
        )
    return Answer("fail", expected, text, "look at /etc/resolv.conf and the firewall")


def _acme(found: t.Optional[str]) -> Answer:
    """Return the answer about the CA."""
    expected = "the host can read the CA's ACME directory"
    if found is None:
        return Answer("na", expected, "certificates come from files")
    if found:
        return Answer(
            "fail",
            expected,
            found,
            "let the host connect to the CA by HTTPS; look at tls_acme_directory and"
            " tls_acme_ca_bundle",
        )
    return Answer("ok", expected, "it answers")


def _outgoing(found: t.Optional[str], server: str) -> Answer:
    """Return the answer about outgoing mail."""
    expected = f"port 25 of {server or 'a mail server outside'} greets"
    if found is None:
        return Answer("na", expected, "not asked: preflight_outgoing is empty")
    if found:
        return Answer(
            "fail", expected, found, "ask the host's provider to open port 25 for outgoing mail"
        )
    return Answer("ok", expected, "it greets")


def _secrets(rows: t.Iterable[t.Mapping[str, t.Any]]) -> Answer:
    """Return the answer about files with passwords and private keys."""
    expected = "files with passwords and private keys have their owner, group and mode"
    wrong, number = [], 0
    for row in rows:
        owner, groups, widest = SECRETS[row["pattern"]]
        number += row["number"]
        if row["owner"] != owner or row["group"] not in groups or row["mode"] & ~widest:
            more = f" and {row['number'] - 1} more" if row["number"] > 1 else ""
            wrong.append(
                f"{row['path']}{more}: {row['owner']}:{row['group']} {row['mode']:04o}, not"
                f" {owner}:{' or '.join(groups)} {widest:04o}"
            )
    if wrong:
        return Answer(
            "fail",
            expected,
            "; ".join(wrong),
            "find out who changed them and what was read, then converge the host: ansible-playbook"
            " reseller.mail.site",
        )
    return Answer("ok", expected, f"{number} files and folders")


def _control(listeners: t.Iterable[t.Mapping[str, t.Any]], login_limit: int) -> Answer:
    """Return the answer about further TCP ports of the mail programs."""
    expected = "every control channel is a UNIX socket"
    local = {*INTERNAL, (login_limit, "systemd")}
    wrong = []
    for one in listeners:
        pair = (one["port"], one["program"])
        if one["program"] not in MAIL_PROGRAMS or PROGRAMS.get(one["port"]) == one["program"]:
            continue
        if pair not in local or not _is_local(one["address"]):
            wrong.append(f"{one['program']} listens on {one['address']} port {one['port']}")
    if wrong:
        return Answer(
            "fail",
            expected,
            ", ".join(wrong),
            "remove the listener from its configuration, or converge the host: ansible-playbook"
            " reseller.mail.site",
        )
    return Answer("ok", expected, "no further TCP port")


def as_markdown() -> str:
    """Return the table of docs/findings.md about preflight."""
    rows = [f"| `{id_}` | {asks} |" for id_, asks in CATALOGUE.items()]
    return "\n".join(["| id | what it verifies |", "|---|---|", *rows]) + "\n"
