# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import ipaddress
import secrets
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible.plugins.action import ActionBase
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import packages
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import judged_node
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.host_answer import answer_of
from ansible_collections.reseller.mail.plugins.plugin_utils._dns import query
from ansible_collections.reseller.mail.plugins.plugin_utils._model.outgoing import own_addresses
from ansible_collections.reseller.mail.plugins.plugin_utils._verify import ping, preflight
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.connect import (
    Connector,
    Lines,
    ProbeBlocked,
    ProbeFailure,
    has_route,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.finding import as_dicts
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.host import skew

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import Node
    from ansible_collections.reseller.mail.plugins.plugin_utils._verify.finding import Finding

_LIMITS = preflight.Limits()
TIMEOUT = 5.0
"""Seconds for each connection of the controller."""
PROBE_SECONDS = 12.0
"""For so long free ports of the host answer, at most. Connections begin when the module has
returned, all at the same time."""
ARGUMENTS = {
    "estate": {"type": "path"},
    "node": {"type": "str", "required": True},
    "root": {"type": "path", "default": "/var/lib/reseller-mail"},
    "mail": {"type": "path", "default": "/srv/vmail"},
    "adopt": {"type": "bool", "default": False},
    "resolver": {"type": "str", "default": ""},
    "ca_file": {"type": "str", "default": ""},
    "signed_name": {"type": "str", "default": "."},
    "acme": {"type": "str", "default": ""},
    "acme_ca": {"type": "str", "default": ""},
    "outgoing": {"type": "str", "default": ""},
    "mirrors": {"type": "bool", "default": True},
    "login_limit_port": {"type": "int", "default": 12341},
    "ping_only": {"type": "bool", "default": False},
    **{
        name: {"type": "int", "default": getattr(_LIMITS, name)}
        for name in preflight.Limits.__dataclass_fields__
    },
}


class ActionModule(ActionBase):
    """Compare what a host and the controller see with what a mail host needs."""

    TRANSFERS_FILES = False

    def run(
        self, tmp: t.Any = None, task_vars: t.Optional[dict[str, t.Any]] = None
    ) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        packages.need("reseller.mail.preflight", {"dnspython": query.DNSPYTHON_IMPORT_ERROR})
        _spec, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        _estate, node = judged_node(args["estate"], args["node"])
        token = secrets.token_hex(8)
        begun = time.time()
        facts, why = answer_of(
            self._execute_module,
            "reseller.mail.preflight_info",
            asked_of_host(args, node, token),
            task_vars,
            "host",
        )
        ended = time.time()
        connector = Connector(args["resolver"], args["ca_file"], TIMEOUT)
        if facts is None:
            found = [*preflight.unreached(node.hostname, why), *ping.unreached(node.hostname)]
        elif args["ping_only"]:
            found = ping.findings(connector, node, facts)
        else:
            found = [
                *preflight.judge(
                    facts,
                    node,
                    seen(connector, node, facts, token),
                    skew(facts["now"], begun, ended),
                    preflight.Limits(
                        **{name: args[name] for name in preflight.Limits.__dataclass_fields__}
                    ),
                    preflight.Settings(args["adopt"], args["login_limit_port"], args["outgoing"]),
                ),
                *ping.findings(connector, node, facts),
            ]
        result.update(changed=False, findings=as_dicts(_chosen(found, args["ping_only"])))
        return result


def asked_of_host(args: t.Mapping[str, t.Any], node: Node, token: str) -> dict[str, t.Any]:
    """Return the arguments of the module on the host."""
    same = ("root", "mail", "signed_name", "acme", "acme_ca", "outgoing", "mirrors", "ping_only")
    return {
        **{name: args[name] for name in same},
        "packages": list(preflight.VERSIONS),
        "secrets": list(preflight.SECRETS),
        "probe": list(preflight.PROGRAMS),
        "probe_token": token,
        "probe_addresses": sum(map(has_route, node.addresses)),
        "probe_seconds": PROBE_SECONDS,
    }


def _chosen(found: list[Finding], ping_only: bool) -> list[Finding]:
    """Return the findings to report: with ``ping_only`` those of the connection test, and the cause
    if it could not be made."""
    if not ping_only:
        return found
    return [one for one in found if one.id in ("preflight.reached", *ping.CATALOGUE)]


def seen(
    connector: Connector, node: Node, facts: t.Mapping[str, t.Any], token: str
) -> preflight.Outside:
    """Return what the controller sees of a node in DNS and at its ports."""
    taken = {
        one["port"]
        for one in facts["listeners"]
        if preflight.PROGRAMS.get(one["port"]) == one["program"]
    }
    asked = [
        (address, port)
        for address in node.addresses
        for port in preflight.PROGRAMS
        if port in taken or port in facts["probed"]
    ]

    def answer(pair: tuple[str, int]) -> t.Optional[str]:
        address, port = pair
        return port_answer(connector, address, port, token if port in facts["probed"] else "")

    with ThreadPoolExecutor(max(1, len(asked))) as pool:
        ports = dict(zip(asked, pool.map(answer, asked), strict=True))
    return preflight.Outside(
        addresses_of(connector, node.hostname),
        {address: names_of(connector, address) for address in own_addresses(node)},
        ports,
    )


def port_answer(connector: Connector, address: str, port: int, token: str) -> t.Optional[str]:
    """Return why a port does not answer as this host does; empty if it does, None without a
    route."""
    if not has_route(address):
        return None
    try:
        with Lines(connector.dial(address, port)) as talk:
            return "" if not token or talk.read() == token else "another host answers"
    except (OSError, ProbeFailure) as error:
        return (getattr(error, "strerror", None) or str(error)).lower()


def addresses_of(connector: Connector, host: str) -> t.Union[list[str], str]:
    """Return the addresses of a name, or why they are not known."""
    try:
        rows = [*connector.records(host, "A"), *connector.records(host, "AAAA")]
    except ProbeBlocked as error:
        return str(error)
    return [str(row.address) for row in rows]


def names_of(connector: Connector, address: str) -> t.Union[list[str], str]:
    """Return the names of an address, or why they are not known."""
    try:
        rows = connector.records(ipaddress.ip_address(address).reverse_pointer, "PTR")
    except ProbeBlocked as error:
        return str(error)
    return [str(row.target).rstrip(".").lower() for row in rows]
