#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""reseller-mail-login-limit: limits how fast passwords can be guessed.

Dovecot asks before it verifies a password and reports how it went (its auth policy protocol, JSON
over HTTP). Different wrong passwords are counted for an account, for a network and for both
together; the same wrong password counts once, so a telephone with an old password delays no one. A
password that was right from a network before is never delayed there.

An account is a mailbox under all its names. Dovecot finds out which mailbox a name belongs to after
it asked, so the domain behind each other name of one is remembered from reports. What was asked
before the first of them counts as unfinished for a while.

Each new wrong password is written to the log with its network. fail2ban bans networks by these
lines (role firewall). An account that was logged in to from the network before
has no such line: its user may mistype.

A delay alone does not slow guesses made side by side, so the number of unverified ones at the same
time is limited, too: what is above it is refused without being verified. The delay, Dovecot's
``auth_failure_delay`` and the time for the hash must stay below the 10 seconds that Postfix waits
for Dovecot.

Everything above ``serve`` is pure or takes its surroundings as arguments. Standard library only.
Nothing is written to a disk. Of a password 16 bits of a keyed digest are kept, whose key is made at
the start.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import http.server
import ipaddress
import json
import logging
import re
import secrets
import socket
import threading
import time
import typing as t
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

LOG = logging.getLogger("login-limit")

ALLOWED, REFUSED = 0, -1
LONGEST_DELAY = 3
WINDOW = 3600.0
"""How long a wrong password counts, in seconds."""
PENDING = 20.0
"""How long an attempt is taken for unfinished when Dovecot does not report it."""
REMEMBERED = 30 * 86400.0
"""How long a right password is known for its network."""
MOST_COUNTED = 128
MOST_RIGHT = 8
MOST_KEYS = 50_000
MOST_ALIKE = 20
"""Attempts at the same time with the same password: mail programs open several connections."""
MOST_REPEATED = 5
"""Attempts at the same time with a password that was wrong."""
GUESSED_HERE = 3
"""From so many wrong passwords on a network counts as one that guesses at this account."""


class Rule(t.NamedTuple):
    """How an account, a network, or both together, is limited."""

    free: int
    """Every so many wrong passwords add a second of delay."""
    many: int
    """From so many on only ``few`` are verified at the same time."""
    most: int
    few: int

    def delay(self, wrong: int) -> int:
        """Return the seconds that an attempt waits before it is verified."""
        return min(LONGEST_DELAY, wrong // self.free)

    def is_full(self, wrong: int, pending: int) -> bool:
        """Return whether no further attempt is verified at the same time."""
        return pending >= (self.few if wrong >= self.many else self.most)


# Only an attacker has that many different passwords under way for one account.
PAIR = Rule(free=5, many=20, most=5, few=1)
# What others do in other networks keeps no user from an account: this limit is only for networks
# that guessed at it themselves.
ACCOUNT = Rule(free=10, many=40, most=16, few=2)
# As many as Postfix takes connections from one address. An office has one address.
NETWORK = Rule(free=20, many=100, most=50, few=4)


class Guess(t.NamedTuple):
    """One password for one account from one network."""

    login: str
    network: str
    digest: str
    name: str = ""
    """The domain that was typed, where it is another name of the account's."""


@dataclass
class Counter:
    """What is known about an account, a network, or both together."""

    wrong: OrderedDict[Guess, float] = field(default_factory=OrderedDict)
    pending: dict[Guess, list[float]] = field(default_factory=dict)

    def forget(self, now: float) -> None:
        """Drop what no longer counts."""
        while self.wrong and (
            len(self.wrong) > MOST_COUNTED or next(iter(self.wrong.values())) <= now - WINDOW
        ):
            self.wrong.popitem(last=False)
        for guess, times in list(self.pending.items()):
            times[:] = [at for at in times if at > now - PENDING]
            if not times:
                del self.pending[guess]


V = t.TypeVar("V")


def kept(table: OrderedDict[t.Any, V], key: t.Any, make: t.Callable[[], V]) -> V:
    """Return the entry of a key; make it if it is missing.

    If there are more than ``MOST_KEYS``, the entry that was not used for longest is removed.
    """
    entry = table.setdefault(key, make())
    table.move_to_end(key)
    if len(table) > MOST_KEYS:
        table.popitem(last=False)
    return entry


class Limiter:
    """What is remembered of guesses, and what follows for the next. The caller gives the time."""

    def __init__(self) -> None:
        self._right: OrderedDict[tuple[str, str], dict[str, float]] = OrderedDict()
        self._counters: tuple[OrderedDict[t.Any, Counter], ...] = (
            OrderedDict(),
            OrderedDict(),
            OrderedDict(),
        )

    def before(self, guess: Guess, now: float) -> int:
        """Return the seconds that the attempt has to wait, or REFUSED."""
        if (
            self._right.get((guess.login, guess.network), {}).get(guess.digest, -REMEMBERED)
            > now - REMEMBERED
        ):
            return ALLOWED
        counters = self._counters_of(guess, now)
        if is_too_much(guess, *counters):
            return REFUSED
        delay = max(
            rule.delay(suspected(counter, guess))
            for rule, counter in zip((PAIR, ACCOUNT, NETWORK), counters, strict=True)
        )
        for counter in counters:
            counter.pending.setdefault(guess, []).append(now)
        return delay

    def asked_as(self, guess: Guess, name: str) -> Guess:
        """Return the oldest guess under another name that a report may be about, or the guess.

        Dovecot's digest depends on the login, so the digest of the report is another one.
        """
        pair = self._counters[0].get((guess.login, guess.network), Counter())
        return next((one for one in pair.pending if one.name == name), guess)

    def after(self, guess: Guess, success: bool, now: float, refused: bool = False) -> bool:
        """Note how an attempt ended that was verified; return whether it counts for a ban.

        A new wrong password counts, unless the account was logged in to from the network before.

        ``refused`` means that the password was right and the protocol was not allowed. It counts
        like a wrong password, so that no client can distinguish them. But what is known to be right
        for another protocol stays known.
        """
        counters = self._counters_of(guess, now)
        known = self._right.get((guess.login, guess.network), {})
        is_guess = not (refused or guess in counters[-1].wrong) and not any(
            at > now - REMEMBERED for at in known.values()
        )
        if not refused:
            known.pop(guess.digest, None)
        for counter in counters:
            counter.wrong.pop(guess, None)
            times = counter.pending.get(guess, [])
            if len(times) > 1:
                times.pop(0)
            else:
                counter.pending.pop(guess, None)
            if not success:
                counter.wrong[guess] = now
        if success:
            known = kept(self._right, (guess.login, guess.network), dict)
            known[guess.digest] = now
            if len(known) > MOST_RIGHT:
                del known[next(iter(known))]
            return False
        for rule, counter, what in zip(
            (PAIR, ACCOUNT, NETWORK), counters, self._names(guess), strict=True
        ):
            if len(counter.wrong) == rule.many and next(reversed(counter.wrong)) == guess:
                LOG.warning(
                    "%d wrong passwords within an hour %s: at most %d at the same time are"
                    " verified",
                    rule.many,
                    what,
                    rule.few,
                )
        return is_guess

    def _counters_of(self, guess: Guess, now: float) -> tuple[Counter, ...]:
        """Return the counters of a guess: of both together, of its account, of its network."""
        keys = ((guess.login, guess.network), guess.login, guess.network)
        found = tuple(
            kept(table, key, Counter) for table, key in zip(self._counters, keys, strict=True)
        )
        for counter in found:
            counter.forget(now)
        return found

    @staticmethod
    def _names(guess: Guess) -> tuple[str, ...]:
        """Return what each of these counters counts, as text."""
        return (
            f"for {guess.login} from {guess.network}",
            f"for {guess.login}",
            f"from {guess.network}",
        )


def is_too_much(guess: Guess, pair: Counter, account: Counter, network: Counter) -> bool:
    """Return whether too many attempts are being verified for one more."""
    alike = len(pair.pending.get(guess, ()))
    if guess in pair.wrong:
        # It is verified again, since the password may have been changed to it; it tells a guesser
        # nothing new.
        return alike >= MOST_REPEATED
    others = len([one for one in pair.pending if one not in pair.wrong])
    return (
        alike >= MOST_ALIKE
        or (not alike and PAIR.is_full(len(pair.wrong), others))
        or NETWORK.is_full(len(network.wrong), attempts(network))
        or (
            len(pair.wrong) >= GUESSED_HERE
            and ACCOUNT.is_full(len(account.wrong), attempts(account))
        )
    )


def attempts(counter: Counter) -> int:
    """Return how many attempts are being verified with passwords that are not known to be wrong."""
    return sum(len(times) for guess, times in counter.pending.items() if guess not in counter.wrong)


def suspected(counter: Counter, guess: Guess) -> int:
    """Return how many wrong passwords there were, or will be when all others that are being
    verified are wrong."""
    return len({*counter.wrong, *counter.pending} - {guess})


def network_of(address: str) -> str:
    """Return the network that counts for an address: an IPv4 address itself, or the /64 of an IPv6
    address; empty for a text that is no address."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address):
        mapped = found.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((int(found), 64), strict=False))
    return str(found)


def protocol_of(service: object) -> str:
    """Return the protocol of a service of Dovecot, as the estate's files name it."""
    name = re.sub(r"[^a-z0-9-]", "?", str(service or "")[:20])
    return "submission" if name == "smtp" else name


def domain_of(login: object) -> str:
    """Return the domain of a login."""
    return str(login or "")[:254].lower().rpartition("@")[2]


def guess_of(
    asked: t.Mapping[str, t.Any], domains: t.Mapping[str, str], key: bytes
) -> Guess | None:
    """Return what Dovecot asks about, or None for what comes from no network (doveadm on the
    host)."""
    network = network_of(str(asked.get("remote") or ""))
    # A user can type anything as a login, of any length, even a password by mistake.
    local, at, domain = str(asked.get("login") or "")[:254].lower().rpartition("@")
    login = re.sub(r"[^!-~]", "?", f"{local}{at}{domains.get(domain, domain)}")
    digest = hmac.new(key, str(asked.get("pwhash") or "").encode(), hashlib.sha256).hexdigest()[:4]
    return Guess(login, network, digest, domain if domain in domains else "") if network else None


@dataclass
class Service:
    """Answers Dovecot's questions. Several connections may ask at the same time."""

    token: str = field(repr=False)
    clock: t.Callable[[], float] = time.monotonic
    limiter: Limiter = field(default_factory=Limiter)
    domains: OrderedDict[str, str] = field(default_factory=OrderedDict)
    """The domain behind each that logins had and that is another name of it."""
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, command: str, token: str, body: bytes) -> dict[str, t.Any] | None:
        """Return the answer to a question, or None for one that is none of Dovecot's."""
        if not hmac.compare_digest(token.encode(), self.token.encode()):
            return None
        try:
            asked = json.loads(body.decode("utf-8", "replace"))
            domain, typed = (
                domain_of(asked.get("login")),
                domain_of(asked.get("typed") or asked.get("login")),
            )
        except (ValueError, AttributeError):
            return None
        status = ALLOWED
        with self._lock:
            guess = guess_of(asked, self.domains, self._key)
            if guess is not None and command == "allow":
                status = self.limiter.before(guess, self.clock())
            elif guess is not None and not asked.get("policy_reject"):
                if typed != domain:
                    guess = self.limiter.asked_as(guess, typed)
                self._learn(typed, domain)
                success = asked.get("success") is True
                refused = (
                    not success and asked.get("refused") == asked.get("other_service") == "yes"
                )
                if self.limiter.after(guess, success, self.clock(), refused):
                    # fail2ban reads this line (role firewall).
                    LOG.info("wrong password from %s for %s", guess.network, guess.login)
                if refused:
                    LOG.warning(
                        "<%s> from %s: refused, the mailbox may not use %s",
                        guess.login,
                        asked["remote"],  # an address, or else there was no guess
                        protocol_of(asked.get("service")),
                    )
        return {
            "status": status,
            "msg": "Too many wrong passwords, try again later" if status == REFUSED else "",
        }

    def _learn(self, typed: str, domain: str) -> None:
        """Remember which domain a report has for the one that was typed."""
        self.domains.pop(typed, None)
        if typed != domain:
            self.domains[typed] = domain
        if len(self.domains) > MOST_KEYS:
            self.domains.popitem(last=False)


def token_of(settings: str) -> str:
    """Return the token in the settings that Dovecot reads."""
    found = re.search(r"^auth_policy_server_api_header = X-Token: *(\S+)$", settings, re.M)
    if found is None:
        raise ValueError("there is no auth_policy_server_api_header = X-Token: ... in the settings")
    return found[1]


def serve(service: Service, listener: socket.socket) -> None:
    """Answer until SIGTERM."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1
        timeout = 60

        def do_POST(self) -> None:
            """Answer one question of Dovecot, or 403 when it is none."""
            length = self.headers.get("Content-Length", "")
            body = self.rfile.read(int(length)) if re.fullmatch("[0-9]{1,5}", length) else b""
            command = "allow" if self.path.endswith("?command=allow") else "report"
            answer = service.answer(command, self.headers.get("X-Token", ""), body)
            text = json.dumps(answer or {}).encode()
            self.send_response(200 if answer is not None else 403)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_words: t.Any) -> None:
            """Keep silent: Dovecot logs each login."""

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

    server = Server(listener.getsockname(), Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    server.serve_forever()


def main() -> None:
    """Read the command line and answer on the socket that systemd opened."""
    parser = argparse.ArgumentParser(
        description="Limits how fast passwords are guessed. Systemd gives the listening socket."
    )
    parser.add_argument(
        "--settings", required=True, help="file with Dovecot's auth_policy_server_api_header"
    )
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    service = Service(token_of(Path(options.settings).read_text(encoding="utf-8")))
    serve(service, socket.socket(fileno=3))  # sd_listen_fds(3): the first one is number 3


if __name__ == "__main__":
    main()
