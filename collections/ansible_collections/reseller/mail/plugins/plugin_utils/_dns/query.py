# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask name servers many questions at the same time.

PRIVATE to the collection. Does input and output. Runs on the controller only (needs dnspython).

If a name server does not answer, this never counts as "there is no such record": see
``Reply.state``.
"""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import socket
import time
import typing as t
from dataclasses import dataclass, field, replace

from .._model.names import nearest
from .sockets import Channels

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
BOGUS = "SERVFAIL: the answer fails DNSSEC validation"
NO_TCP = "the answer does not fit UDP, and TCP is refused"
LOOP = "a CNAME that leads back to itself"
TRIES = 2
"""Attempts for one question."""
_A = t.TypeVar("_A")
_B = t.TypeVar("_B")
PATIENCE = 4
"""Timeouts in a row after which a server is not asked again: an estate has thousands of questions.

Questions that were sent before the last timeout do not count: when a server or this machine is busy
for a few seconds, fifty answers are lost at once.
"""
MOST_SERVERS = 32
"""Addresses of a zone's servers that are asked. A zone could name a thousand."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply of one server to one question.

    Attributes:
        server: The server, as text for messages.
        state: ``answer``; ``none`` if nothing exists with that name and type; or ``silent`` if the
            server gave no usable answer: timeout, SERVFAIL, REFUSED, not authoritative.
        values: The data of each record, as the model writes it.
        ttl: The time to live in seconds.
        why: The reason for ``none`` or ``silent``.
        alias: The target of the CNAME, if the name is one.
        secure: Whether the resolver has validated the answer.
        zone: For a question about SOA the zone that contains the name, if the reply shows it.
        raw: Each value with the library's record data. Records of other people must be written back
            exactly as they were.
    """

    server: str
    state: str
    values: frozenset[str] = frozenset()
    ttl: int = 0
    why: str = ""
    alias: str = ""
    secure: bool = field(default=False, compare=False)
    zone: t.Optional[str] = field(default=None, compare=False)
    raw: tuple[tuple[str, t.Any], ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Server:
    """A name server, at one of its addresses."""

    name: str
    address: str
    port: int = 53

    def __str__(self) -> str:
        return f"{self.name} ({self.address})" if self.name != self.address else self.address


def server_at(address: str, port: int = 53) -> Server:
    """Return a server of which only the address is known."""
    return Server(address, address, port)


def system_resolver() -> str:
    """Return the address of the resolver that this machine uses."""
    return str(dns.resolver.Resolver().nameservers[0])


def value_text(rdata: t.Any) -> str:
    """Return record data as the model writes it.

    A TXT is one string. Other data is as in a zone file, in lower case.
    """
    if rdata.rdtype == dns.rdatatype.TXT:
        return b"".join(rdata.strings).decode("utf-8", "backslashreplace")
    return str(rdata.to_text()).lower()


@functools.lru_cache(maxsize=1024)
def _query(name: str, rdtype: str, recursive: bool, unchecked: bool) -> tuple[t.Any, bytes]:
    """Return the question as a message and as bytes, which all servers of a zone get.

    Raise DNSException or UnicodeError if ``name`` cannot be a name: a tenant may have written it.
    """
    query = dns.message.make_query(
        name.rstrip(".") + ".", rdtype, use_edns=0, payload=1232, want_dnssec=unchecked
    )
    if recursive:
        query.flags |= dns.flags.CD if unchecked else dns.flags.AD
    else:
        query.flags &= ~dns.flags.RD
    return query, query.to_wire()


def _is_reachable(address: str) -> bool:
    """Return whether this machine has a route to the address.

    A controller without IPv6 must not report a name server as down. A machine with only a local
    IPv6 address (RFC 4193) cannot reach the Internet, also if it has a route.
    """
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


async def gather_limited(
    at_once: int, of: t.Iterable[_A], work: t.Callable[[_A], t.Awaitable[_B]]
) -> list[_B]:
    """Return the result of ``work`` for each item, in their order.

    At most ``at_once`` items are worked on at the same time.
    """
    gate = asyncio.Semaphore(at_once)

    async def one(thing: _A) -> _B:
        async with gate:
            return await work(thing)

    return await asyncio.gather(*map(one, of))


class Asker:
    """A client of DNS that finds servers by the resolver, asks them, and keeps all answers.

    Attributes:
        resolver: The resolver.
        silences: By zone and server, the reasons why it gave no usable answer; the empty text for
            each usable one.
    """

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
        self.silences: dict[str, dict[str, set[str]]] = {}

    async def _remembered(
        self, key: t.Any, work: t.Callable[[], t.Coroutine[t.Any, t.Any, t.Any]]
    ) -> t.Any:
        """Return the result of the work with this key. The work is done once, then kept."""
        if key not in self._memory:
            self._memory[key] = asyncio.ensure_future(work())
        return await self._memory[key]

    async def _exchange(
        self, server: Server, name: str, rdtype: str, recursive: bool, unchecked: bool = False
    ) -> t.Any:
        """Return the response message, or a text with the reason why there is none.

        ``recursive`` asks a resolver. ``unchecked`` asks a validating resolver for what it has,
        with signatures, also if these are wrong.
        """
        try:
            query, wire = _query(name, rdtype, recursive, unchecked)
        except (dns.exception.DNSException, UnicodeError) as exc:
            return f"{name!r} cannot be a name in DNS: {exc}"
        why = ""
        for _try in range(TRIES):
            async with self._gate:
                if self._is_given_up(server):
                    return f"no answer within {self._timeout:g} s"
                response = await self._attempt(server, query, wire, recursive)
            if isinstance(response, str):
                why = response
                continue
            self._unanswered.pop(server, None)
            if response.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
                return response
            why = str(dns.rcode.to_text(response.rcode()))
            is_checked = recursive and not unchecked and why == "SERVFAIL"
            if is_checked and await self.unchecked(name, rdtype, server) is not None:
                return BOGUS
        return why

    async def _attempt(self, server: Server, query: t.Any, wire: bytes, recursive: bool) -> t.Any:
        """Send the query once by UDP, and by TCP if the answer is truncated.

        Return the response message, or a text with the reason why there is none.
        """
        sent = time.monotonic()
        try:
            response = await self._channels.udp(
                query, wire, server.address, self._timeout, server.port
            )
        except TimeoutError:
            # A resolver may be slow for one name and fast for the next, so it is never given up.
            if not recursive:
                self._count_timeout(server, sent)
            return f"no answer within {self._timeout:g} s"
        except (OSError, dns.exception.DNSException) as exc:
            return f"no answer: {exc or type(exc).__name__}"
        if not response.flags & dns.flags.TC:
            return response
        try:
            return await dns.asyncquery.tcp(query, server.address, self._timeout, server.port)
        except dns.exception.Timeout:
            return f"no answer over TCP within {self._timeout:g} s"
        except (OSError, EOFError, dns.exception.DNSException):
            return NO_TCP

    def _is_given_up(self, server: Server) -> bool:
        """Return whether the server did not answer ``PATIENCE`` times in a row."""
        missed, _since = self._unanswered.get(server, (0, 0.0))
        return missed >= PATIENCE

    def _count_timeout(self, server: Server, sent: float) -> None:
        """Count a timeout of the server, unless the query was sent before the last one."""
        missed, since = self._unanswered.get(server, (0, 0.0))
        if sent >= since:
            self._unanswered[server] = (missed + 1, time.monotonic())

    async def unchecked(self, name: str, rdtype: str, resolver: t.Optional[Server] = None) -> t.Any:
        """Return the response message with its signatures, also if these are wrong, or ``None``.

        The ``resolver`` is asked not to validate; without one, the resolver of this object is used.
        """
        response = await self._exchange(resolver or self.resolver, name, rdtype, True, True)
        return None if isinstance(response, str) else response

    async def ask(self, server: Server, name: str, rdtype: str, recursive: bool = False) -> Reply:
        """Return the reply of this server. ``recursive`` asks a resolver."""
        response = await self._exchange(server, name, rdtype, recursive)
        if isinstance(response, str):
            return Reply(str(server), "silent", why=response)
        if not recursive and not response.flags & dns.flags.AA:
            return Reply(str(server), "silent", why=LAME)
        return _reply(str(server), response, name, rdtype)

    async def look_up(self, name: str, rdtype: str) -> Reply:
        """Return the resolver's reply, which mail servers outside would also get."""
        return t.cast(
            Reply,
            await self._remembered(
                ("look_up", name, rdtype),
                lambda: self.ask(self.resolver, name, rdtype, recursive=True),
            ),
        )

    async def addresses(self, name: str) -> list[str]:
        """Return the addresses of a host name to which this machine has a route.

        ``name`` may be an address. The list is empty if the name has no address.
        """
        try:
            return [str(ipaddress.ip_address(name))]
        except ValueError:
            replies = await asyncio.gather(self.look_up(name, "A"), self.look_up(name, "AAAA"))
        return [
            address
            for reply in replies
            for address in sorted(reply.values)
            if _is_reachable(address)
        ]

    async def zone_of(self, name: str, server: t.Optional[Server] = None) -> t.Optional[str]:
        """Return the zone that contains a name, or ``None`` if the server does not answer.

        ``server`` is the server to ask; without one, the resolver is asked.
        """
        return t.cast(
            "t.Optional[str]",
            await self._remembered(("zone", server, name), lambda: self._zone_of(name, server)),
        )

    async def _zone_of(self, name: str, server: t.Optional[Server]) -> t.Optional[str]:
        """Do the work of ``zone_of`` once: ask for the SOA record of the name."""
        if server is None:
            reply = await self.look_up(name, "SOA")
        else:
            reply = await self.ask(server, name, "SOA")
        parent = name.partition(".")[2]
        if reply.why == "SERVFAIL" and server is None and parent:
            # The name may be a CNAME in a loop. Its zone is that of the name above.
            return await self.zone_of(parent)
        if reply.state == "silent":
            return None
        if reply.zone is not None:
            if server is None:
                self._zones.add(reply.zone)
            return reply.zone
        return await self.zone_of(parent, server) if parent else None

    async def servers_of(self, zone: str) -> list[Server]:
        """Return every authoritative server of a zone, at every address that can be reached."""
        return t.cast(
            "list[Server]",
            await self._remembered(("servers", zone), lambda: self._servers_of(zone)),
        )

    async def _servers_of(self, zone: str) -> list[Server]:
        """Do the work of ``servers_of`` once: look up the NS records and their addresses."""
        reply = await self.look_up(zone, "NS")
        names = sorted(value.rstrip(".") for value in reply.values)[:MOST_SERVERS]
        found = await asyncio.gather(*(self.addresses(name) for name in names))
        servers = [
            Server(name, address, self.resolver.port)
            for name, addresses in zip(names, found, strict=True)
            for address in addresses
        ]
        return servers[:MOST_SERVERS]

    def _closest_zone(self, name: str) -> t.Optional[str]:
        """Return the closest known zone that may contain a name, or ``None``."""
        return name if name in self._zones else nearest(name, self._zones)

    async def authoritative(self, name: str, rdtype: str) -> list[Reply]:
        """Return the reply of every authoritative server of the name's zone.

        The list is empty if no server was found.
        """
        return t.cast(
            "list[Reply]",
            await self._remembered(
                ("all", name, rdtype), lambda: self._authoritative(name, rdtype)
            ),
        )

    async def _authoritative(self, name: str, rdtype: str) -> list[Reply]:
        """Do the work of ``authoritative`` once, and note which servers did not answer."""
        near, replies = self._closest_zone(name), []
        # The closest zone that is known is probably the name's zone, unless it is a registry's. If
        # it is not, its server refers to another zone, or serves that zone too and answers.
        if near is not None and "." in near:
            replies = [
                await self.ask(server, name, rdtype) for server in (await self.servers_of(near))[:1]
            ]
        zone = near if replies and replies[0].state != "silent" else await self.zone_of(name)
        servers = await self.servers_of(zone) if zone is not None else []
        replies = replies if zone == near else []
        replies += await asyncio.gather(
            *(self.ask(server, name, rdtype) for server in servers[len(replies) :])
        )
        # The library's record data of all names would take most of the memory.
        replies = [replace(reply, raw=()) for reply in replies]
        for reply in replies:
            whys = self.silences.setdefault(zone or "", {}).setdefault(reply.server, set())
            whys.add(reply.why if reply.state == "silent" else "")
        return replies

    async def one_authoritative(self, name: str, rdtype: str) -> t.Optional[Reply]:
        """Return the reply of the first authoritative server that gives one, or ``None``.

        Use it where the other servers would tell nothing that is worth a question to each.
        """
        near = self._closest_zone(name)
        for server in await self.servers_of(near) if near is not None and "." in near else []:
            reply = await self.ask(server, name, rdtype)
            if reply.state != "silent":
                return replace(reply, raw=())
        # The name may be in a zone below.
        replies = await self.authoritative(name, rdtype)
        return next((reply for reply in replies if reply.state != "silent"), None)

    async def delegation(self, name: str) -> list[Server]:
        """Return the servers to which the zone above delegates a zone of this name.

        They may not serve it. The list is empty if the servers of both zones are the same.
        """
        return t.cast(
            "list[Server]",
            await self._remembered(("delegation", name), lambda: self._delegation(name)),
        )

    async def _delegation(self, name: str) -> list[Server]:
        """Do the work of ``delegation`` once: ask the servers above for the NS records."""
        above = await self.zone_of(name.partition(".")[2]) if "." in name else None
        for server in await self.servers_of(above) if above is not None else []:
            response = await self._exchange(server, name, "NS", recursive=False)
            if not isinstance(response, str):
                return [
                    Server(one, address, self.resolver.port)
                    for one in _delegated_names(response, name)
                    for address in await self.addresses(one) or _glue(response, one)
                ]
        return []


@functools.lru_cache(maxsize=1024)
def _absolute(name: str) -> t.Any:
    """Return a name as the library has it."""
    return dns.name.from_text(name)


def _reply(server: str, response: t.Any, name: str, rdtype: str) -> Reply:
    """Return the reply that a response message contains for a name and type, after its CNAMEs."""
    owner, kind = _absolute(name), dns.rdatatype.from_text(rdtype)
    zone = _zone_shown(response, owner) if rdtype == "SOA" else None
    alias, ttl, seen, secure = "", 0, {owner}, bool(response.flags & dns.flags.AD)
    while kind != dns.rdatatype.CNAME:
        link = response.get_rrset(response.answer, owner, dns.rdataclass.IN, dns.rdatatype.CNAME)
        if link is None:
            break
        owner, ttl = link[0].target, ttl or link.ttl
        alias = alias or owner.to_text().rstrip(".").lower()
        if owner in seen:
            return Reply(server, "none", ttl=link.ttl, why=LOOP, alias=alias, zone=zone)
        seen.add(owner)
    found = response.get_rrset(response.answer, owner, dns.rdataclass.IN, kind)
    if found is None:
        why = dns.rcode.to_text(response.rcode())
        return Reply(server, "none", ttl=ttl, why=why, alias=alias, secure=secure, zone=zone)
    raw = tuple((value_text(one), one) for one in found)
    values = frozenset(text for text, _one in raw)
    return Reply(server, "answer", values, found.ttl, "", alias, secure, zone, raw)


def _zone_shown(response: t.Any, owner: t.Any) -> t.Optional[str]:
    """Return the zone that contains the name, by the SOA record of a response, or ``None``.

    After a CNAME the SOA may be that of the target's zone. Only a zone that contains the name
    counts.
    """
    for rrset in (*response.answer, *response.authority):
        if rrset.rdtype == dns.rdatatype.SOA and owner.is_subdomain(rrset.name):
            return str(rrset.name.to_text()).rstrip(".").lower()
    return None


def _delegated_names(response: t.Any, name: str) -> list[str]:
    """Return the names of the servers to which a response refers for the name, sorted."""
    owner = dns.name.from_text(name)
    found = response.get_rrset(response.authority, owner, dns.rdataclass.IN, dns.rdatatype.NS)
    return sorted(one.target.to_text().rstrip(".").lower() for one in found or ())[:MOST_SERVERS]


def _glue(response: t.Any, name: str) -> list[str]:
    """Return the addresses of a server that only the zone above has. Resolvers use them, too."""
    owner = dns.name.from_text(name)
    return sorted(
        str(one.address)
        for rrset in response.additional
        if rrset.name == owner and rrset.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA)
        for one in rrset
        if _is_reachable(one.address)
    )
