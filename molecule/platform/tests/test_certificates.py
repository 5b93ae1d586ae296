# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps one name from its certificate keeps no other from theirs, by certbot of both releases
and a real ACME server."""

from __future__ import annotations

import contextlib
import json
import typing as t

import pytest
from client import Host, Outside, ansible
from conftest import Side

CA = "/etc/ssl/certs/ca-certificates.crt"
STOPS = (
    "too many certificates already issued, ConnectionError, rateLimited, Another instance of"
    " Certbot is already running."
)
"""What a tenant's web server says to the ACME server, which quotes it."""
ANSWER = f"""
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{STOPS}')
http.server.HTTPServer(('', 80), Handler).serve_forever()
"""


@pytest.fixture
def names(side: Side, node: Host, outside: Outside) -> t.Iterator[tuple[str, str]]:
    """Two names that need a certificate: that of a tenant's own web server, and, behind it in the
    alphabet, one of the node."""
    dns1 = Host("dns1")
    bad, good = f"a-{side.node}.hosting.example", f"z-{side.node}.hosting.example"
    records = {
        bad: outside.output("hostname -I").split()[0],
        good: node.output("hostname -I").split()[0],
    }

    def publish(change: str) -> None:
        lines = "".join(
            f"update delete {name}. A\n" + change.format(name=name, address=address)
            for name, address in records.items()
        )
        dns1.run(
            "knsupdate -k /etc/knot/update.key",
            stdin=f"server 10.97.0.2\nzone hosting.example\n{lines}send\nquit\n",
        )

    publish("update add {name}. 5 A {address}\n")
    outside.run('systemd-run --quiet --unit=tenants-web-server python3 -c "$(cat)"', stdin=ANSWER)
    try:
        yield bad, good
    finally:
        outside.run("systemctl stop tenants-web-server")
        publish("")
        node.run(f"certbot delete -n --cert-name {good}", check=False)
        node.run(
            f"rm -rf /var/lib/reseller-mail/tls/{{{bad},{good},attempts.json}};"
            " reseller-mail-certificates"
        )


def get(side: Side, *names: str) -> dict[str, dict[str, str]]:
    """Return what the module says of each name. A name of which only an address is asked may lead
    to a host that is not the node's."""
    arguments = {"names": names, "hostname": side.host, "ca_bundle": CA}
    run = ansible(
        "ansible",
        side.node,
        "-m",
        "reseller.mail.certificates",
        "-a",
        json.dumps(arguments),
        environment={"ANSIBLE_CALLBACK_RESULT_FORMAT": "json"},
    )
    found = json.loads(run.output[run.output.index("=> {") + 3 :])
    return {one["name"]: one for one in found["certificates"]}


def test_a_tenant_s_web_server_cannot_stop_the_names_behind_it(
    side: Side, names: tuple[str, str]
) -> None:
    bad, good = names
    found = get(side, bad, good)
    assert "too many certificates already issued" in found[bad]["reason"], (
        "the ACME server does not quote what the test is about"
    )
    assert (found[bad]["state"], found[good]["state"]) == ("blocked", "issued"), found


@contextlib.contextmanager
def without_account(node: Host) -> t.Iterator[None]:
    """certbot has an account that the ACME server does not know."""
    node.run(
        "cp -a /etc/letsencrypt/accounts /root/accounts; grep -rl my-account"
        " /etc/letsencrypt/accounts | xargs sed -i 's#my-account/#my-account/0#'"
    )
    try:
        yield
    finally:
        node.run("rm -rf /etc/letsencrypt/accounts; mv /root/accounts /etc/letsencrypt/accounts")


def test_an_error_of_the_account_ends_the_run_and_the_next_one_begins_with_what_was_left(
    side: Side, node: Host, names: tuple[str, str]
) -> None:
    bad, good = names
    with without_account(node):
        found = get(side, bad, good)
    assert "does not exist" in found[bad]["reason"], found
    assert found[good]["reason"].startswith(f"not tried after {bad}: "), found
    with without_account(node):
        found = get(side, bad, good)
    assert found[bad]["reason"].startswith(f"not tried after {good}: "), found
