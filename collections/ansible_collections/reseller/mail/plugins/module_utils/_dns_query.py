# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions to name servers, many at a time. Does input and output; runs on the controller only (needs dnspython).

PRIVATE to the collection.

A name server that does not answer is never read as "there is no such record": see ``Reply.state``.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import typing as t
from dataclasses import dataclass, field

try:
    import dns.asyncquery
    import dns.exception
    import dns.flags
    import dns.message
    import dns.name
    import dns.rcode
    import dns.rdataclass
    import dns.rdatatype
    import dns.resolver
except ImportError as exc:
    DNSPYTHON_IMPORT_ERROR: t.Optional[ImportError] = exc
else:
    DNSPYTHON_IMPORT_ERROR = None

TRIES = 2
PATIENCE = 6
"""After this many unanswered questions in a row a server is not asked again: an estate has thousands of questions."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What one server said. ``state`` is ``answer``, ``none`` (it says there is nothing of that name and type) or ``silent`` (it did not
    say: timeout, SERVFAIL, REFUSED, not authoritative; ``why`` tells). ``alias`` is the CNAME's target when the name is one."""

    server: str
    state: str
    values: frozenset[str] = frozenset()
    ttl: int = 0
    why: str = ""
    alias: str = ""
    raw: tuple[tuple[str, t.Any], ...] = field(default=(), compare=False, repr=False)
    """Each value with the library's record data: somebody else's record must go back exactly as it came."""


@dataclass(frozen=True, slots=True)
class Server:
    """A name server, by one of its addresses."""

    name: str
    address: str
    port: int = 53

    def __str__(self) -> str:
        return f"{self.name} ({self.address})" if self.name != self.address else self.address


def server_at(address: str, port: int = 53) -> Server:
    """A server known by its address only."""
    return Server(address, address, port)


def system_resolver() -> str:
    """The address of the resolver that this machine uses."""
    return str(dns.resolver.Resolver().nameservers[0])


def value_text(rdata: t.Any) -> str:
    """Record data as the model writes it: a TXT is one string, everything else as in a zone file, in lower case."""
    if rdata.rdtype == dns.rdatatype.TXT:
        return b"".join(rdata.strings).decode("utf-8", "backslashreplace")
    return str(rdata.to_text()).lower()


def _reachable(address: str) -> bool:
    """Whether this machine has a route to the address at all (a controller without IPv6 must not call a name server dead)."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 53))    # sends nothing; asks the kernel for a route
    except OSError:
        return False
    return True


class Asker:
    """Asks the resolver for the way and the authoritative servers for the answer; remembers both."""

    def __init__(self, resolver: str = "", timeout: float = 4.0, at_once: int = 50, port: int = 53) -> None:
        self.resolver = server_at(resolver or system_resolver(), port)
        self._timeout = timeout
        self._gate = asyncio.Semaphore(at_once)
        self._memory: dict[t.Any, asyncio.Task[t.Any]] = {}
        self._unanswered: dict[Server, int] = {}

    async def _once(self, key: t.Any, work: t.Callable[[], t.Coroutine[t.Any, t.Any, t.Any]]) -> t.Any:
        """The result of a question that was asked before, or is being asked just now, or is asked herewith."""
        if key not in self._memory:
            self._memory[key] = asyncio.ensure_future(work())
        return await self._memory[key]

    async def _exchange(self, server: Server, name: str, rdtype: str, recursive: bool) -> t.Any:
        """The response message, or a text saying why there is none. Truncated answers are asked again over TCP."""
        query = dns.message.make_query(name.rstrip(".") + ".", rdtype, use_edns=0, payload=1232)
        if not recursive:
            query.flags &= ~dns.flags.RD
        why = ""
        for _try in range(TRIES):
            try:
                async with self._gate:
                    if self._unanswered.get(server, 0) >= PATIENCE:
                        return f"no answer within {self._timeout:g} s"
                    response, _used_tcp = await dns.asyncquery.udp_with_fallback(query, server.address, self._timeout, server.port)
            except dns.exception.Timeout:
                why = f"no answer within {self._timeout:g} s"
                self._unanswered[server] = self._unanswered.get(server, 0) + 1
            except (OSError, EOFError, dns.exception.DNSException) as exc:
                why = f"no answer: {exc}"
            else:
                self._unanswered[server] = 0
                if response.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
                    return response
                why = str(dns.rcode.to_text(response.rcode()))
        return why

    async def ask(self, server: Server, name: str, rdtype: str, recursive: bool = False) -> Reply:
        """What this server says about the name and type."""
        response = await self._exchange(server, name, rdtype, recursive)
        if isinstance(response, str):
            return Reply(str(server), "silent", why=response)
        if not recursive and not response.flags & dns.flags.AA:
            return Reply(str(server), "silent", why="not authoritative for this name (lame delegation)")
        owner, kind = dns.name.from_text(name), dns.rdatatype.from_text(rdtype)
        alias = ""
        for _link in range(len(response.answer)):
            link = response.get_rrset(response.answer, owner, dns.rdataclass.IN, dns.rdatatype.CNAME)
            if link is None or kind == dns.rdatatype.CNAME:
                break
            owner = link[0].target
            alias = alias or owner.to_text().rstrip(".").lower()
        found = response.get_rrset(response.answer, owner, dns.rdataclass.IN, kind)
        if found is None:
            return Reply(str(server), "none", why=dns.rcode.to_text(response.rcode()), alias=alias)
        return Reply(str(server), "answer", frozenset(map(value_text, found)), found.ttl, alias=alias, raw=tuple((value_text(one), one) for one in found))

    async def look_up(self, name: str, rdtype: str) -> Reply:
        """What the resolver says, as any mail server in the world would hear it."""
        return t.cast(Reply, await self._once(("look_up", name, rdtype), lambda: self.ask(self.resolver, name, rdtype, recursive=True)))

    async def addresses(self, name: str) -> list[str]:
        """The addresses of a host name (an address is its own), those this machine has a route to; none when it has none."""
        try:
            return [str(ipaddress.ip_address(name))]
        except ValueError:
            replies = await asyncio.gather(self.look_up(name, "A"), self.look_up(name, "AAAA"))
        return [address for reply in replies for address in sorted(reply.values) if _reachable(address)]

    async def zone_of(self, name: str, server: t.Optional[Server] = None) -> t.Optional[str]:
        """The zone that a name lies in, as the resolver or the given server sees it; None when it does not say."""
        return t.cast("t.Optional[str]", await self._once(("zone", server, name), lambda: self._zone_of(name, server)))

    async def _zone_of(self, name: str, server: t.Optional[Server]) -> t.Optional[str]:
        response = await self._exchange(server or self.resolver, name, "SOA", recursive=server is None)
        if isinstance(response, str) or (server is not None and not response.flags & dns.flags.AA):
            return None
        for rrset in (*response.answer, *response.authority):
            # After a CNAME the SOA may be the target's zone; only a zone above the name counts.
            if rrset.rdtype == dns.rdatatype.SOA and dns.name.from_text(name).is_subdomain(rrset.name):
                return str(rrset.name.to_text()).rstrip(".").lower()
        parent = name.partition(".")[2]
        return await self.zone_of(parent, server) if parent else None

    async def servers_of(self, zone: str) -> list[Server]:
        """Every authoritative server of a zone, by every address that can be reached from here."""
        return t.cast("list[Server]", await self._once(("servers", zone), lambda: self._servers_of(zone)))

    async def _servers_of(self, zone: str) -> list[Server]:
        reply = await self.look_up(zone, "NS")
        names = sorted(value.rstrip(".") for value in reply.values)
        found = await asyncio.gather(*(self.addresses(name) for name in names))
        return [Server(name, address, self.resolver.port) for name, addresses in zip(names, found, strict=True) for address in addresses]

    async def authoritative(self, name: str, rdtype: str) -> list[Reply]:
        """What every authoritative server of the name's zone says; empty when no server could be found."""
        return t.cast("list[Reply]", await self._once(("all", name, rdtype), lambda: self._authoritative(name, rdtype)))

    async def _authoritative(self, name: str, rdtype: str) -> list[Reply]:
        zone = await self.zone_of(name)
        servers = await self.servers_of(zone) if zone is not None else []
        return list(await asyncio.gather(*(self.ask(server, name, rdtype) for server in servers)))
