# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions to name servers, many at a time. Does input and output; runs on the controller only (needs dnspython).

PRIVATE to the collection.

A name server that does not answer is never read as "there is no such record": see ``Reply.state``.
"""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import socket
import time
import typing as t
from dataclasses import dataclass, field

from ansible_collections.reseller.mail.plugins.module_utils._dns_channel import Channels
from ansible_collections.reseller.mail.plugins.module_utils._names import nearest

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

LAME = "not authoritative for this name (lame delegation)"
BOGUS = "SERVFAIL: what it says fails DNSSEC validation"
NO_TCP = "the answer does not fit UDP, and TCP is refused"
LOOP = "a CNAME that leads back to itself"
TRIES = 2
_A = t.TypeVar("_A")
_B = t.TypeVar("_B")
PATIENCE = 4
"""After this many times without an answer, one after the other, a server is not asked again: an estate has thousands of questions. What
was asked at one time counts once: a server, or this machine, that is busy for some seconds loses fifty answers at once."""
MOST_SERVERS = 32
"""Addresses of a zone's servers that are asked: anybody may name a thousand, and have us ask them all."""


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
    secure: bool = field(default=False, compare=False)
    """Whether the resolver says that it has validated the answer."""
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


@functools.lru_cache(maxsize=1024)
def _query(name: str, rdtype: str, recursive: bool, unchecked: bool) -> tuple[t.Any, bytes]:
    """The question as message and on the wire: every server of a zone gets the same. Raises DNSException or UnicodeError for what can be
    no name: it may be somebody else's text."""
    query = dns.message.make_query(
        name.rstrip(".") + ".", rdtype, use_edns=0, payload=1232, want_dnssec=unchecked
    )
    if recursive:
        query.flags |= dns.flags.CD if unchecked else dns.flags.AD
    else:
        query.flags &= ~dns.flags.RD
    return query, query.to_wire()


def _reachable(address: str) -> bool:
    """Whether this machine has a way to the address at all: a controller without IPv6 must not call a name server dead. With a local
    address of its own alone (RFC 4193) it has none into the world, whatever its routes say."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 53))  # sends nothing; asks the kernel for a route
            source = ipaddress.ip_address(probe.getsockname()[0].partition("%")[0])
    except OSError:
        return False
    return (
        family == socket.AF_INET or source.is_global or not ipaddress.ip_address(address).is_global
    )


async def in_turn(
    at_once: int, of: t.Iterable[_A], work: t.Callable[[_A], t.Awaitable[_B]]
) -> list[_B]:
    """What the work makes of each, in their order; no more than so many are under way."""
    gate = asyncio.Semaphore(at_once)

    async def one(thing: _A) -> _B:
        async with gate:
            return await work(thing)

    return await asyncio.gather(*map(one, of))


class Asker:
    """Asks the resolver for the way and the authoritative servers for the answer; remembers both."""

    def __init__(
        self, resolver: str = "", timeout: float = 4.0, at_once: int = 50, port: int = 53
    ) -> None:
        self.resolver = server_at(resolver or system_resolver(), port)
        self._timeout = timeout
        self._gate = asyncio.Semaphore(at_once)
        self._memory: dict[t.Any, asyncio.Task[t.Any]] = {}
        self._unanswered: dict[Server, tuple[int, float]] = {}
        self._zones: set[str] = set()
        self._channels = Channels()
        self.heard: dict[str, dict[str, set[str]]] = {}
        """By zone and server why it did not answer; empty: it did."""

    async def _once(
        self, key: t.Any, work: t.Callable[[], t.Coroutine[t.Any, t.Any, t.Any]]
    ) -> t.Any:
        """The result of a question that was asked before, or is being asked just now, or is asked herewith."""
        if key not in self._memory:
            self._memory[key] = asyncio.ensure_future(work())
        return await self._memory[key]

    async def _exchange(
        self, server: Server, name: str, rdtype: str, recursive: bool, unchecked: bool = False
    ) -> t.Any:
        """The response message, or a text saying why there is none. Truncated answers are asked again over TCP. ``unchecked`` asks a
        validating resolver for what it has, whether it believes it or not, with signatures."""
        try:
            query, wire = _query(name, rdtype, recursive, unchecked)
        except (dns.exception.DNSException, UnicodeError) as exc:
            return f"{name!r} can be no name in DNS: {exc}"
        why = ""
        for _try in range(TRIES):
            async with self._gate:
                if self._unanswered.get(server, (0, 0.0))[0] >= PATIENCE:
                    return f"no answer within {self._timeout:g} s"
                sent = time.monotonic()
                try:
                    response = await self._channels.udp(
                        query, wire, server.address, self._timeout, server.port
                    )
                except TimeoutError:
                    why = f"no answer within {self._timeout:g} s"
                    missed, since = self._unanswered.get(server, (0, 0.0))
                    if (
                        not recursive and sent >= since
                    ):  # a resolver is slow about one name and quick about the next
                        self._unanswered[server] = (missed + 1, time.monotonic())
                    continue
                except (OSError, dns.exception.DNSException) as exc:
                    why = f"no answer: {exc or type(exc).__name__}"
                    continue
                if response.flags & dns.flags.TC:
                    try:
                        response = await dns.asyncquery.tcp(
                            query, server.address, self._timeout, server.port
                        )
                    except dns.exception.Timeout:
                        why = f"no answer over TCP within {self._timeout:g} s"
                        continue
                    except (OSError, EOFError, dns.exception.DNSException):
                        why = NO_TCP
                        continue
            self._unanswered.pop(server, None)
            if response.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
                return response
            why = str(dns.rcode.to_text(response.rcode()))
            if (
                recursive
                and not unchecked
                and why == "SERVFAIL"
                and not isinstance(await self._exchange(server, name, rdtype, True, True), str)
            ):
                return BOGUS
        return why

    async def unchecked(self, name: str, rdtype: str) -> t.Any:
        """The response message with its signatures as the resolver has it, though it may not validate; None when there is none."""
        response = await self._exchange(self.resolver, name, rdtype, True, True)
        return None if isinstance(response, str) else response

    async def ask(self, server: Server, name: str, rdtype: str, recursive: bool = False) -> Reply:
        """What this server says about the name and type."""
        response = await self._exchange(server, name, rdtype, recursive)
        if isinstance(response, str):
            return Reply(str(server), "silent", why=response)
        if not recursive and not response.flags & dns.flags.AA:
            return Reply(str(server), "silent", why=LAME)
        owner, kind = dns.name.from_text(name), dns.rdatatype.from_text(rdtype)
        alias, ttl, seen, secure = "", 0, {owner}, bool(response.flags & dns.flags.AD)
        while kind != dns.rdatatype.CNAME:
            link = response.get_rrset(
                response.answer, owner, dns.rdataclass.IN, dns.rdatatype.CNAME
            )
            if link is None:
                break
            owner, ttl = link[0].target, ttl or link.ttl
            alias = alias or owner.to_text().rstrip(".").lower()
            if owner in seen:
                return Reply(str(server), "none", ttl=link.ttl, why=LOOP, alias=alias)
            seen.add(owner)
        found = response.get_rrset(response.answer, owner, dns.rdataclass.IN, kind)
        if found is None:
            return Reply(
                str(server),
                "none",
                ttl=ttl,
                why=dns.rcode.to_text(response.rcode()),
                alias=alias,
                secure=secure,
            )
        raw = tuple((value_text(one), one) for one in found)
        return Reply(
            str(server),
            "answer",
            frozenset(text for text, _one in raw),
            found.ttl,
            alias=alias,
            secure=secure,
            raw=raw,
        )

    async def look_up(self, name: str, rdtype: str) -> Reply:
        """What the resolver says, as any mail server in the world would hear it."""
        return t.cast(
            Reply,
            await self._once(
                ("look_up", name, rdtype),
                lambda: self.ask(self.resolver, name, rdtype, recursive=True),
            ),
        )

    async def addresses(self, name: str) -> list[str]:
        """The addresses of a host name (an address is its own), those this machine has a route to; none when it has none."""
        try:
            return [str(ipaddress.ip_address(name))]
        except ValueError:
            replies = await asyncio.gather(self.look_up(name, "A"), self.look_up(name, "AAAA"))
        return [
            address for reply in replies for address in sorted(reply.values) if _reachable(address)
        ]

    async def zone_of(self, name: str, server: t.Optional[Server] = None) -> t.Optional[str]:
        """The zone that a name lies in, as the resolver or the given server sees it; None when it does not say."""
        return t.cast(
            "t.Optional[str]",
            await self._once(("zone", server, name), lambda: self._zone_of(name, server)),
        )

    async def _zone_of(self, name: str, server: t.Optional[Server]) -> t.Optional[str]:
        response = await self._exchange(
            server or self.resolver, name, "SOA", recursive=server is None
        )
        if response == "SERVFAIL" and server is None and "." in name:
            # A name that leads in a circle, say: its zone is that of the name above.
            return await self.zone_of(name.partition(".")[2])
        if isinstance(response, str) or (server is not None and not response.flags & dns.flags.AA):
            return None
        for rrset in (*response.answer, *response.authority):
            # After a CNAME the SOA may be the target's zone; only a zone above the name counts.
            if rrset.rdtype == dns.rdatatype.SOA and dns.name.from_text(name).is_subdomain(
                rrset.name
            ):
                zone = str(rrset.name.to_text()).rstrip(".").lower()
                if server is None:
                    self._zones.add(zone)
                return zone
        parent = name.partition(".")[2]
        return await self.zone_of(parent, server) if parent else None

    async def servers_of(self, zone: str) -> list[Server]:
        """Every authoritative server of a zone, by every address that can be reached from here."""
        return t.cast(
            "list[Server]", await self._once(("servers", zone), lambda: self._servers_of(zone))
        )

    async def _servers_of(self, zone: str) -> list[Server]:
        reply = await self.look_up(zone, "NS")
        names = sorted(value.rstrip(".") for value in reply.values)[:MOST_SERVERS]
        found = await asyncio.gather(*(self.addresses(name) for name in names))
        servers = [
            Server(name, address, self.resolver.port)
            for name, addresses in zip(names, found, strict=True)
            for address in addresses
        ]
        return servers[:MOST_SERVERS]

    async def authoritative(self, name: str, rdtype: str) -> list[Reply]:
        """What every authoritative server of the name's zone says; empty when no server could be found."""
        return t.cast(
            "list[Reply]",
            await self._once(("all", name, rdtype), lambda: self._authoritative(name, rdtype)),
        )

    async def _authoritative(self, name: str, rdtype: str) -> list[Reply]:
        near, replies = name if name in self._zones else nearest(name, self._zones), []
        if near is not None and "." in near:  # a registry would only refer to somebody else
            # Its zone most likely, too. If not, they say so, unless they serve that one as well; then they know.
            replies = [
                await self.ask(server, name, rdtype) for server in (await self.servers_of(near))[:1]
            ]
        zone = near if replies and replies[0].state != "silent" else await self.zone_of(name)
        servers = await self.servers_of(zone) if zone is not None else []
        replies = replies if zone == near else []
        replies += await asyncio.gather(
            *(self.ask(server, name, rdtype) for server in servers[len(replies) :])
        )
        for reply in replies:
            whys = self.heard.setdefault(zone or "", {}).setdefault(reply.server, set())
            whys.add(reply.why if reply.state == "silent" else "")
        return replies

    async def delegation(self, name: str) -> list[Server]:
        """The servers that the zone above names for a zone of this name, though none of them may know it; none where the servers of
        both are the same ones."""
        return t.cast(
            "list[Server]", await self._once(("delegation", name), lambda: self._delegation(name))
        )

    async def _delegation(self, name: str) -> list[Server]:
        above = await self.zone_of(name.partition(".")[2]) if "." in name else None
        owner = dns.name.from_text(name)
        for server in await self.servers_of(above) if above is not None else []:
            response = await self._exchange(server, name, "NS", recursive=False)
            if not isinstance(response, str):
                found = response.get_rrset(
                    response.authority, owner, dns.rdataclass.IN, dns.rdatatype.NS
                )
                names = sorted(one.target.to_text().rstrip(".").lower() for one in found or ())[
                    :MOST_SERVERS
                ]
                return [
                    Server(one, address, self.resolver.port)
                    for one in names
                    for address in await self.addresses(one) or _glue(response, one)
                ]
        return []


def _glue(response: t.Any, name: str) -> list[str]:
    """A server's addresses that only the zone above knows: resolvers follow them, too."""
    owner = dns.name.from_text(name)
    return sorted(
        str(one.address)
        for rrset in response.additional
        if rrset.name == owner and rrset.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA)
        for one in rrset
        if _reachable(one.address)
    )
