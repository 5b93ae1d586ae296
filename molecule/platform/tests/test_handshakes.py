# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenSSL's own client asks every port of both nodes for handshakes of today and for those that no
server may take part in."""

from __future__ import annotations

import re

import pytest
from client import Host, Outside
from conftest import Side

PORTS = {25: "smtp", 465: "", 587: "smtp", 993: "", 995: "", 4190: "sieve", 443: ""}
REFUSED = {
    "SHA-1 in TLS 1.2 signatures (RFC 9155)": (
        "-tls1_2 -sigalgs ECDSA+SHA1:RSA+SHA1 -cipher ALL:@SECLEVEL=0"
    ),
    "finite fields in TLS 1.2": "-tls1_2 -cipher DHE:@SECLEVEL=0",
    "finite fields in TLS 1.3": "-tls1_3 -groups ffdhe2048:ffdhe3072",
    "a curve that is not listed": "-tls1_3 -groups P-521",
    "TLS 1.1": "-tls1_1 -cipher ALL:@SECLEVEL=0",
}
TAKEN = {"TLS 1.2": "-tls1_2", "TLS 1.3": "-tls1_3", "P-256": "-groups P-256"}
ANSWER = re.compile(r"^(\d+)\|(.*?)\|(.*)$", re.MULTILINE)


def ask(asker: Host, side: Side, cases: dict[str, str]) -> dict[tuple[int, str], str]:
    """Return what openssl says of the handshake, by port and case."""
    page = f"mta-sts.{side.user.domain}"
    script = (
        'ask() { echo Q | timeout 15 openssl s_client "$@" 2>&1 | grep -E \'Cipher'
        " is|digest|TLS1.3 group' | tr '\\n' ' '; echo; }\n"
    )
    for port, protocol in PORTS.items():
        target = (
            f"-connect {side.host}:{port} -servername {page if port == 443 else side.host}"
            f" {f'-starttls {protocol}' if protocol else ''}"
        )
        script += "".join(
            f"echo -n '{port}|{case}|'; ask {target} {options}\n" for case, options in cases.items()
        )
    answers = {
        (int(port), case): said
        for port, case, said in ANSWER.findall(asker.run("bash -s", stdin=script).stdout)
    }
    assert len(answers) == len(PORTS) * len(cases)
    assert all("Cipher is" in said for said in answers.values()), answers
    return answers


def test_no_port_takes_part_in_a_handshake_of_yesterday(outside: Outside, side: Side) -> None:
    agreed = {
        question: said
        for question, said in ask(outside, side, REFUSED).items()
        if "Cipher is (NONE)" not in said
    }
    assert agreed == {}


def test_every_port_takes_part_in_handshakes_of_today(outside: Outside, side: Side) -> None:
    answers = ask(outside, side, TAKEN)
    assert {
        question: said
        for question, said in answers.items()
        if "Peer signing digest: SHA256" not in said or "(NONE)" in said
    } == {}


def test_keys_are_exchanged_in_hybrid_where_openssl_can(side: Side, nodes: dict[str, Host]) -> None:
    """Debian 13 has ML-KEM. Its own client asks, because that of the stranger's host cannot."""
    wanted = {"mx1": "NONE", "mx2": "Negotiated TLS1.3 group: X25519MLKEM768"}[side.node]
    answers = ask(nodes["mx2"], side, {"ML-KEM alone": "-tls1_3 -groups X25519MLKEM768"})
    assert {question: said for question, said in answers.items() if wanted not in said} == {}


@pytest.mark.parametrize("name", ["mta-sts", "autoconfig", "autodiscover"])
def test_every_name_of_the_web_has_the_same_settings(
    outside: Outside, side: Side, name: str
) -> None:
    """The settings of nginx's default server count for some of a handshake, those of the name that
    is asked for, for others."""
    for options in REFUSED.values():
        command = (
            f"echo Q | timeout 15 openssl s_client -connect {side.host}:443 -servername"
            f" {name}.{side.user.domain} {options} 2>&1"
        )
        assert "Cipher is (NONE)" in outside.run(command, check=False).stdout, options
