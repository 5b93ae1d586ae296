# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host `outside` does for the tests: a stranger's mail client, standard library only (but
dkimpy and dnspython where DKIM is verified).

client.py sends this file to `outside` with one call at its end and reads the JSON it prints, so that
everything is asked from outside.
"""

from __future__ import annotations

import base64
import collections
import contextlib
import functools
import hashlib
import imaplib
import itertools
import poplib
import re
import smtplib
import socket
import ssl
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TIMEOUT = 30
MAILDIR = Path("/home/stranger/Maildir")


def _answer(reply):
    code, text = reply
    return [code, text.decode(errors="replace")]


def send(
    host,
    port,
    sender,
    recipients,
    message,
    login=None,
    password=None,
    declare_size=True,
    answers=None,
    greeting="outside.stranger.example",
):
    """One SMTP session, step by step. Answers what the server said to auth, mail, each rcpt and
    data; None where it did not come to it.

    STARTTLS is used wherever the server offers it, and verified when somebody logs in: a password
    goes to nobody unverified. Whoever has to know how far a session came that breaks gives the
    dictionary for the answers.
    """
    answers = {} if answers is None else answers
    answers.update({"auth": None, "mail": None, "rcpt": {}, "data": None, "tls": False})
    body = message.encode()
    connect = smtplib.SMTP_SSL if port == 465 else smtplib.SMTP
    with connect(host, port, local_hostname=greeting, timeout=TIMEOUT) as smtp:
        smtp.ehlo()
        if port == 465:
            answers["tls"] = True
        elif smtp.has_extn("starttls"):
            context = ssl.create_default_context()
            if login is None:
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            smtp.starttls(context=context)
            smtp.ehlo()
            answers["tls"] = True
        if login is not None:
            token = base64.b64encode(f"\0{login}\0{password}".encode()).decode()
            answers["auth"] = _answer(smtp.docmd("AUTH", f"PLAIN {token}"))
            if answers["auth"][0] != 235:
                return answers
        size = [f"SIZE={len(body)}"] if declare_size else []
        answers["mail"] = _answer(smtp.mail(sender, size))
        if answers["mail"][0] != 250:
            return answers
        for recipient in recipients:
            answers["rcpt"][recipient] = _answer(smtp.rcpt(recipient))
        if any(code == 250 for code, _text in answers["rcpt"].values()):
            answers["data"] = [0, "the message was sent, no reply came"]
            answers["data"] = _answer(smtp.data(body))
    return answers


def login(host, protocol, user, password, port=0):
    """Whether the server lets the user in: over IMAP, POP3 (both implicit TLS) or submission
    (STARTTLS, but on 465)."""
    context = ssl.create_default_context()
    try:
        if protocol == "imap":
            with imaplib.IMAP4_SSL(host, port or 993, ssl_context=context, timeout=TIMEOUT) as imap:
                imap.login(user, password)
        elif protocol == "pop3":
            pop = poplib.POP3_SSL(host, port or 995, context=context, timeout=TIMEOUT)
            pop.user(user)
            pop.pass_(password)
            pop.quit()
        elif port == 465:
            with smtplib.SMTP_SSL(host, port, context=context, timeout=TIMEOUT) as smtp:
                smtp.login(user, password)
        else:
            with smtplib.SMTP(host, port or 587, timeout=TIMEOUT) as smtp:
                smtp.starttls(context=context)
                smtp.login(user, password)
    except imaplib.IMAP4.error as error:
        return [False, str(error)]
    except (poplib.error_proto, smtplib.SMTPAuthenticationError) as error:
        return [False, str(error)]
    return [True, ""]


class _Lines:
    """A connection that is spoken line by line: TLS, and for ManageSieve STARTTLS before it."""

    def __init__(self, host, port):
        raw = socket.create_connection((host, port), TIMEOUT)
        if port == 4190:
            self._file = raw.makefile("rwb", buffering=0)
            self.until(b"OK")
            self.ask(b"STARTTLS", b"OK")
        self._secure = ssl.create_default_context().wrap_socket(raw, server_hostname=host)
        self._file = self._secure.makefile("rwb", buffering=0)

    def until(self, *starts):
        """Return the next line that begins with one of the texts."""
        while not (line := self._file.readline()).startswith(starts):
            if not line:
                raise ConnectionError("closed")
        return line

    def ask(self, line, *starts):
        self._file.write(line + b"\r\n")
        return self.until(*starts)

    def close(self):
        self._secure.close()


def _plain(user, password):
    return base64.b64encode(f"\0{user}\0{password}".encode())


def _imap(lines, user, password):
    lines.until(b"* OK")
    return lines.ask(b"a AUTHENTICATE PLAIN " + _plain(user, password), b"a ")


def _imap_literal(lines, user, password):
    lines.until(b"* OK")
    lines.ask(b"a LOGIN {%d}" % len(user.encode()), b"+")
    lines.ask(user.encode() + b" {%d}" % len(password), b"+")
    return lines.ask(password.encode(), b"a ")


def _pop3(lines, user, password):
    lines.until(b"+OK")
    lines.ask(b"USER " + user.encode(), b"+OK", b"-ERR")
    return lines.ask(b"PASS " + password.encode(), b"+OK", b"-ERR")


def _sieve(lines, user, password):
    lines.until(b"OK")
    return lines.ask(
        b'AUTHENTICATE "PLAIN" "' + _plain(user, password) + b'"', b"OK", b"NO", b"BYE"
    )


def _submission_plain(lines, user, password):
    lines.until(b"220 ")
    lines.ask(b"EHLO outside.stranger.example", b"250 ")
    return lines.ask(b"AUTH PLAIN " + _plain(user, password), b"2", b"4", b"5")


def _submission_login(lines, user, password):
    lines.until(b"220 ")
    lines.ask(b"EHLO outside.stranger.example", b"250 ")
    lines.ask(b"AUTH LOGIN", b"334")
    lines.ask(base64.b64encode(user.encode()), b"334")
    return lines.ask(base64.b64encode(password.encode()), b"2", b"4", b"5")


_SASL = {
    "imap": (993, _imap),
    "imap literal": (993, _imap_literal),
    "pop3": (995, _pop3),
    "submissions": (465, _submission_plain),
    "submissions login": (465, _submission_login),
    "sieve": (4190, _sieve),
}


def sasl(host, service, user, password):
    """Return whether a service accepts a login, and its answer.

    The bytes are those of mail programs: names beyond ASCII are UTF-8 (RFC 4616).
    """
    port, log_in = _SASL[service]
    lines = _Lines(host, port)
    answer = log_in(lines, user, password)
    lines.close()
    return [
        answer.startswith((b"a OK", b"+OK", b"OK", b"235")),
        answer.decode(errors="replace").strip(),
    ]


def sasls(asked, at_once=6):
    """What ``sasl`` answers to each host, service, user and password, so many at the same time.

    Each password that is verified takes a core of its host for a while.
    """
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda one: sasl(*one), asked))


def logins(host, protocol, pairs, port=0, at_once=20):
    """What ``login`` answers to each user and password, so many of them at the same time."""
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda pair: login(host, protocol, *pair, port=port), pairs))


def connecting_from(sources, what, **arguments):
    """What a function of this file answers while connections come from these addresses in turn."""
    connect, turns = socket.create_connection, itertools.cycle(sources)
    socket.create_connection = lambda address, timeout=TIMEOUT, *_more, **_named: connect(
        address, timeout, (next(turns), 0)
    )
    return globals()[what](**arguments)


def _guess(host, protocol, port, pair):
    try:
        return "right" if login(host, protocol, *pair, port=port)[0] else "wrong"
    except OSError:  # refused, or closed meanwhile
        return "closed"


def guesses(host, protocol, pairs, port=0, at_once=20):
    """How often the host found each user's password right or wrong, and how often it was closed."""
    context = ssl.create_default_context()
    ssl.create_default_context = lambda: context  # it reads all CAs each time
    with ThreadPoolExecutor(at_once) as pool:
        found = pool.map(functools.partial(_guess, host, protocol, port), pairs)
        return collections.Counter(found)


def open_ports(host, ports):
    """The ports that take a connection."""
    found = []
    for port in ports:
        with contextlib.suppress(OSError), socket.create_connection((host, port), 5):
            found.append(port)
    return found


def flood(host, port, many, running):
    """Open so many connections, and keep those that the host takes until the file `running` goes.

    Their number is written into the file.
    """
    with contextlib.ExitStack() as stack:
        found = []
        for _connection in range(many):
            with contextlib.suppress(OSError):
                found.append(stack.enter_context(socket.create_connection((host, port), 5)))
        Path(running).write_text(str(len(found)), encoding="ascii")
        deadline = time.monotonic() + 60
        while Path(running).exists() and time.monotonic() < deadline:
            time.sleep(0.1)


def attacks_on_port_25(host, domain, times):
    """Sessions that no mail server has, four kinds of them: a login, too many unknown recipients,
    HTTP, and commands without waiting for the greeting."""

    def talk(*lines):
        with socket.create_connection((host, 25), TIMEOUT) as raw, raw.makefile("rwb") as file:
            file.readline()
            for line in lines:
                file.write(line + b"\r\n")
                file.flush()
                while file.readline()[3:4] == b"-":
                    pass

    greeting = b"EHLO outside.stranger.example"
    unknown = [f"RCPT TO:<nobody-{number}@{domain}>".encode() for number in range(12)]

    def attack(_time):
        talk(greeting, b"AUTH PLAIN AGpvAHdyb25n", b"QUIT")
        with contextlib.suppress(OSError):
            talk(greeting, b"MAIL FROM:<someone@stranger.example>", *unknown)
        with contextlib.suppress(OSError):
            talk(b"GET / HTTP/1.1", b"Host: x")
        with contextlib.suppress(OSError):
            talk(greeting + b"\r\nMAIL FROM:<someone@stranger.example>\r\nRSET\r\nNOOP", b"QUIT")

    with ThreadPoolExecutor(times) as pool:
        list(pool.map(attack, range(times)))


def fetch(host, user, password, token, folder="INBOX", seconds=60):
    """The messages that carry the token, as soon as there is one; none when it does not come in
    time."""
    deadline = time.monotonic() + seconds
    with imaplib.IMAP4_SSL(host, ssl_context=ssl.create_default_context(), timeout=TIMEOUT) as imap:
        imap.login(user, password)
        while True:
            found = []
            if imap.select(folder, readonly=True)[0] == "OK":
                _state, (numbers,) = imap.search(None, "HEADER", "X-Token", token)
                for number in numbers.split():
                    _state, parts = imap.fetch(number.decode(), "(BODY.PEEK[])")
                    found.append(base64.b64encode(parts[0][1]).decode())
            if found or time.monotonic() > deadline:
                return found
            time.sleep(0.2)


def imap_append(host, user, password, times):
    """The server's answers to a client that puts small messages into INBOX."""
    answers = []
    with imaplib.IMAP4_SSL(host, ssl_context=ssl.create_default_context(), timeout=TIMEOUT) as imap:
        imap.login(user, password)
        for _number in range(times):
            state, (text,) = imap.append(
                "INBOX", None, None, b"From: a@b.example\r\nSubject: kept\r\n\r\nHello.\r\n"
            )
            answers.append([state, text.decode()])
    return answers


def imap_copy(host, user, password, source, target, prefix):
    """The server's answer to a client that copies the messages whose tokens begin with the prefix."""
    with imaplib.IMAP4_SSL(host, ssl_context=ssl.create_default_context(), timeout=TIMEOUT) as imap:
        imap.login(user, password)
        imap.select(source)
        _state, (numbers,) = imap.search(None, "HEADER", "X-Token", prefix)
        return imap.copy(numbers.decode().replace(" ", ","), target)[0]


def imap_create(host, user, password, folder):
    """The server's answer to a client that makes a folder."""
    with imaplib.IMAP4_SSL(host, ssl_context=ssl.create_default_context(), timeout=TIMEOUT) as imap:
        imap.login(user, password)
        state, (text,) = imap.create(folder)
        return [state, text.decode()]


def stored(token, seconds=60, header="X-Token"):
    """The messages with the token that came to the stranger: all mail for this host's domains ends
    in one Maildir."""
    deadline = time.monotonic() + seconds
    wanted = f"{header}: {token}".encode()
    while True:
        contents = (path.read_bytes() for path in MAILDIR.glob("new/*"))
        found = [base64.b64encode(content).decode() for content in contents if wanted in content]
        if found or time.monotonic() > deadline:
            return found
        time.sleep(0.2)


def managesieve(host, user, password, commands):
    """Log in by ManageSieve (RFC 5804) over STARTTLS and give the commands. Answers the server's
    last line to each."""
    with socket.create_connection((host, 4190), timeout=TIMEOUT) as connection:
        stream = connection.makefile("rb")

        def reply():
            while line := stream.readline().decode():
                if line.startswith(("OK", "NO", "BYE")):
                    return line.strip()
            return ""

        def ask(command):
            connection.sendall(f"{command}\r\n".encode())
            return reply()

        reply()
        assert ask("STARTTLS").startswith("OK")
        connection = ssl.create_default_context().wrap_socket(connection, server_hostname=host)
        stream = connection.makefile("rb")
        reply()  # the server tells once more what it can do
        token = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
        assert ask(f'AUTHENTICATE "PLAIN" "{token}"').startswith("OK")
        return [ask(command) for command in commands]


def sieve_extensions(host):
    """What ManageSieve says that scripts may use (RFC 5804 section 1.7)."""
    with socket.create_connection((host, 4190), timeout=TIMEOUT) as connection:
        stream = connection.makefile("rb")
        while not (line := stream.readline().decode()).startswith("OK"):
            name, _space, value = line.strip().partition(" ")
            if name == '"SIEVE"':
                return value.strip('"').split()
    return []


class _Session:
    """An SMTP session by hand: texts are sent exactly as they are given."""

    def __init__(self, host, port, stack):
        self._host, self._stack = host, stack
        self._context = ssl.create_default_context()
        self._use(socket.create_connection((host, port), timeout=TIMEOUT))

    def _use(self, connection):
        self._connection = self._stack.enter_context(connection)
        self._stream = self._connection.makefile("rb")

    def secure(self):
        self._use(self._context.wrap_socket(self._connection, server_hostname=self._host))

    def reply(self):
        """Return one reply with all its lines; empty when the server closed the connection."""
        text = b""
        while True:
            try:
                line = self._stream.readline()
            except ConnectionResetError:  # a server that closes before it has read everything
                line = b""
            text += line
            if not line or line[3:4] != b"-":
                return text.decode(errors="replace")

    def ask(self, line):
        self._connection.sendall(line.encode())
        return self.reply()

    def log_in(self, port, user, password):
        if port == 587:
            self.ask("EHLO outside.stranger.example\r\n")
            assert self.ask("STARTTLS\r\n").startswith("220")
            self.secure()
        self.ask("EHLO outside.stranger.example\r\n")
        assert self.ask(f"AUTH PLAIN {_plain(user, password).decode()}\r\n").startswith("235")


def converse(host, port, lines, login=None, password=None):
    """Send each text exactly as it is, read one reply after each, return the replies.

    On 465 and, with a login, on 587 TLS comes first. The replies to TLS and to the login are not
    among them.
    """
    with contextlib.ExitStack() as stack:
        session = _Session(host, port, stack)
        if port == 465:
            session.secure()
        replies = [session.reply()]
        if login is not None:
            session.log_in(port, login, password)
        for line in lines:
            try:
                replies.append(session.ask(line))
            except OSError:
                break
            if not replies[-1]:
                break
    return replies


def over_ipv6(what, **arguments):
    """What a function of this file answers while names have no IPv4 address."""
    look_up = socket.getaddrinfo
    socket.getaddrinfo = lambda host, port, _family=0, *more: look_up(
        host, port, socket.AF_INET6, *more
    )
    return globals()[what](**arguments)


def get(url, post=""):
    """A web page by verified HTTPS: status, type and text; with something to post, the answer to
    that."""
    asked = urllib.request.Request(
        url, post.encode() or None, {"Content-Type": "text/xml"} if post else {}
    )
    with urllib.request.urlopen(
        asked, timeout=TIMEOUT, context=ssl.create_default_context()
    ) as page:
        return [page.status, page.headers.get_content_type(), page.read().decode()]


def _attempt(host, port, sender, recipient, text, **login):
    """Send one message; return the last reply.

    Its code is 0 where there was none, and 1 where the message was out by then.
    """
    answers = {}
    try:
        send(host, port, sender, [recipient], text, answers=answers, **login)
    except smtplib.SMTPResponseException as error:
        return [error.smtp_code, str(error.smtp_error)]
    except (OSError, smtplib.SMTPException) as error:
        return [1 if answers.get("data") else 0, repr(error)]
    return answers["data"] or answers["rcpt"].get(recipient) or answers["mail"] or answers["auth"]


class _Flow:
    """Messages that are sent one after the other, and again while they are deferred."""

    def __init__(self, running, deliver, pause, patience):
        self._running, self._deliver = Path(running), deliver
        self._pause, self._patience = pause, patience
        self._count, self._waiting, self._lock = itertools.count(), [], threading.Lock()
        self.replies = {}

    def work(self):
        while self._running.exists():
            self._attempt(f"{self._running.name}-{next(self._count)}")
            self._attempt_due()
            time.sleep(self._pause)
        deadline = time.monotonic() + self._patience
        while self._waiting and time.monotonic() < deadline:
            if not self._attempt_due():
                time.sleep(0.1)

    def _attempt(self, token):
        reply = self._deliver(token)
        with self._lock:
            self.replies.setdefault(token, []).append(reply)
            if reply[0] != 250 and not 500 <= reply[0] < 600:
                self._waiting.append((time.monotonic() + 1, token))

    def _attempt_due(self):
        """Send the oldest message that is due again; return whether there was one."""
        with self._lock:
            if not self._waiting or self._waiting[0][0] > time.monotonic():
                return False
            _time, token = self._waiting.pop(0)
        self._attempt(token)
        return True


def flow(
    host, port, sender, recipient, text, running, connections=1, pause=0.05, patience=60, **login
):
    """Send messages one after the other for as long as the file `running` exists, over `connections`
    connections.

    As a mail host does, a message that is deferred (4xx, or no reply) is sent again, a second
    later, until it is taken, refused for good or `patience` seconds have passed since the file
    went. Return each message's token and all replies to it.
    """

    def deliver(token):
        return _attempt(host, port, sender, recipient, text.replace("TOKEN", token), **login)

    messages = _Flow(running, deliver, pause, patience)
    threads = [threading.Thread(target=messages.work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return list(messages.replies.items())


def bounced(prefix, host=None, user=None, password=None):
    """Return the tokens of a flow's messages that came back to their sender, as often as they did.

    A bounce carries what it is about. The sender is the stranger, or has a mailbox at `host`.
    """
    if host is None:
        contents = [path.read_bytes() for path in MAILDIR.glob("new/*")]
    else:
        contents = []
        with imaplib.IMAP4_SSL(
            host, ssl_context=ssl.create_default_context(), timeout=TIMEOUT
        ) as imap:
            imap.login(user, password)
            imap.select("INBOX", readonly=True)
            _state, (numbers,) = imap.search(None, "FROM", "MAILER-DAEMON", "TEXT", prefix)
            if numbers:
                _state, parts = imap.fetch(numbers.decode().replace(" ", ","), "(BODY.PEEK[])")
                contents = [part[1] for part in parts if isinstance(part, tuple)]
    wanted = re.compile(rb"X-Token: (" + prefix.encode() + rb"-\d+)")
    return [token.decode() for content in contents for token in wanted.findall(content)]


def tokens(host, user, password, prefix):
    """The tokens of a flow's messages in the mailbox, as often as they are there."""
    with imaplib.IMAP4_SSL(host, ssl_context=ssl.create_default_context(), timeout=TIMEOUT) as imap:
        imap.login(user, password)
        imap.select("INBOX", readonly=True)
        _state, (numbers,) = imap.search(None, "HEADER", "X-Token", prefix)
        if not numbers:
            return []
        _state, parts = imap.fetch(
            numbers.decode().replace(" ", ","), "(BODY.PEEK[HEADER.FIELDS (X-TOKEN)])"
        )
    return [part[1].decode().partition(":")[2].strip() for part in parts if isinstance(part, tuple)]


def txt_now(name, server="10.97.0.2"):
    """The TXT record that the authoritative server has at this moment: no cache between. None when
    there is none."""
    import dns.message
    import dns.query

    answer = dns.query.udp(
        dns.message.make_query(name, "TXT", use_edns=0, payload=1232), server, timeout=TIMEOUT
    )
    return b"".join(answer.answer[0][0].strings).decode() if answer.answer else None


def key_in_dns(name, timeout=5):
    """The same for dkimpy."""
    return (txt_now(name.decode()) or "").encode()


def signatures(raw):
    """Each signature of a message: its domain, selector, algorithm and whether it verifies now."""
    import dkim

    found = []
    message = dkim.DKIM(raw)
    for number in range(sum(name.lower() == b"dkim-signature" for name, _value in message.headers)):
        try:
            good = message.verify(idx=number, dnsfunc=key_in_dns)
        except dkim.DKIMException:
            good = False
        fields = message.signature_fields
        found.append([fields[b"d"].decode(), fields[b"s"].decode(), fields[b"a"].decode(), good])
    return found


def verdicts(raws):
    """Of each message: whether each of its signatures verifies now."""
    return [[good for *_whose, good in signatures(raw)] for raw in raws]


def signed_flow(senders, recipient, running, pause=0.2):
    """Each of the senders [host, login, password] submits one message after the other for as long
    as the file `running` exists; every message is verified when it arrives. Answers of each: token,
    sender, the last reply, its signatures (None: it never arrived).
    """
    prefix, sent, seen, read = Path(running).name, {}, {}, set()

    def submit(host, user, password):
        count = 0
        while Path(running).exists():
            token, count = f"{prefix}-{user}-{count}", count + 1
            text = (
                f"From: {user}\r\nTo: {recipient}\r\nSubject: {token}\r\nX-Token:"
                f" {token}\r\nMessage-ID: <{token}>\r\n\r\nHello.\r\n"
            )
            answers = send(host, 587, user, [recipient], text, login=user, password=password)
            sent[token] = [
                user,
                answers["data"]
                or answers["rcpt"].get(recipient)
                or answers["mail"]
                or answers["auth"],
            ]
            time.sleep(pause)

    def arrived():
        for path in MAILDIR.glob("new/*"):
            if path.name not in read:
                read.add(path.name)
                raw = path.read_bytes()
                token = raw.partition(b"X-Token: ")[2].partition(b"\n")[0].strip().decode()
                if token.startswith(prefix):
                    seen[token] = signatures(raw)

    threads = [threading.Thread(target=submit, args=sender) for sender in senders]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        arrived()
        time.sleep(0.1)
    deadline = time.monotonic() + TIMEOUT
    while not seen.keys() >= sent.keys() and time.monotonic() < deadline:
        arrived()
        time.sleep(0.1)
    return [[token, user, reply, seen.get(token)] for token, (user, reply) in sent.items()]


def _submission(host, login, password, mails, ready, logins):
    """Log in, wait for all others, then send each mail (sender, recipients, From); return the last
    reply to each."""
    answers = []
    with smtplib.SMTP(host, 587, timeout=TIMEOUT) as smtp:
        smtp.starttls(context=ssl.create_default_context())
        with logins:  # a host verifies few passwords at the same time
            smtp.login(login, password)
        ready.wait(4 * TIMEOUT)
        for sender, recipients, author in mails:
            smtp.mail(sender)
            for recipient in recipients:
                smtp.rcpt(recipient)
            head = f"From: {author}\r\nTo: undisclosed-recipients:;\r\nSubject: counted\r\n\r\n"
            try:
                answers.append(_answer(smtp.data(f"{head}Hello.\r\n")))
            except smtplib.SMTPDataError as error:  # the reply to DATA itself
                answers.append(_answer((error.smtp_code, error.smtp_error)))
                smtp.rset()
    return answers


def submissions(host, login, password, mails, connections=1):
    """Send the mails on each of several connections at the same time; return all replies."""
    ready, logins = threading.Barrier(connections), threading.Lock()
    with ThreadPoolExecutor(connections) as pool:
        sessions = [
            pool.submit(_submission, host, login, password, mails, ready, logins)
            for _connection in range(connections)
        ]
        return [answer for session in sessions for answer in session.result()]


def _asked(host, addresses):
    """What the server says at RCPT to each address, in one session without a message."""
    with smtplib.SMTP(host, 25, local_hostname="outside.stranger.example", timeout=TIMEOUT) as smtp:
        smtp.ehlo()
        smtp.mail("someone@stranger.example")
        return [_answer(smtp.rcpt(address)) for address in addresses]


def recipients(host, addresses, at_once=8):
    """What the server says at RCPT to each address. A session has few errors, or it is ended."""
    parts = [addresses[start : start + at_once] for start in range(0, len(addresses), at_once)]
    with ThreadPoolExecutor(4) as pool:
        found = itertools.chain.from_iterable(pool.map(lambda part: _asked(host, part), parts))
        return dict(zip(addresses, found, strict=True))


def _login(host, protocol, pair):
    return login(host, protocol, *pair)


def may_read(host, pairs):
    """Whether each user may log in over IMAP, and over POP3 as well."""
    with ThreadPoolExecutor(8) as pool:
        found = [
            [found for found, _why in pool.map(functools.partial(_login, host, protocol), pairs)]
            for protocol in ("imap", "pop3")
        ]
    return [
        imap if imap == pop3 else f"imap {imap}, pop3 {pop3}"
        for imap, pop3 in zip(*found, strict=True)
    ]


def _may_send(host, user, password):
    with smtplib.SMTP(host, 587, timeout=TIMEOUT) as smtp:
        smtp.starttls(context=ssl.create_default_context())
        try:
            smtp.login(user, password)
        except smtplib.SMTPAuthenticationError:
            return False
        smtp.mail(user)
        return smtp.rcpt("someone@stranger.example")[0] == 250


def may_send(host, pairs):
    """Whether each user may log in at submission and name a recipient."""
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda pair: _may_send(host, *pair), pairs))


def open_sessions(host, user, password, recipient, seconds=90):
    """Open sessions that do nothing until the server ends IMAP; what became of each of them."""
    context = ssl.create_default_context()
    imap = imaplib.IMAP4_SSL(host, 993, ssl_context=context, timeout=TIMEOUT)
    imap.login(user, password)
    imap.select()
    pop = poplib.POP3_SSL(host, 995, context=context, timeout=TIMEOUT)
    pop.user(user)
    pop.pass_(password)
    smtp = smtplib.SMTP(host, 587, timeout=TIMEOUT)
    smtp.starttls(context=context)
    smtp.login(user, password)
    found, deadline = {}, time.monotonic() + seconds
    while "imap" not in found and time.monotonic() < deadline:
        try:
            imap.noop()
            time.sleep(0.5)
        except (imaplib.IMAP4.abort, OSError):
            found["imap"] = "closed"
    try:
        pop.noop()
    except (poplib.error_proto, OSError):
        found["pop3"] = "closed"
    try:
        smtp.mail(user)
        found["submission"] = _answer(smtp.rcpt(recipient))
    except smtplib.SMTPServerDisconnected:
        found["submission"] = [0, "disconnected"]
    return found


def imap_fill(host, user, password):
    """Make what a mailbox of years has: folders, a subscription, flags, keywords, dates, and gaps in
    the UIDs."""
    with imaplib.IMAP4_SSL(host, ssl_context=ssl.create_default_context(), timeout=TIMEOUT) as imap:
        imap.login(user, password)
        for folder in ("Projects", "Projects.2026", "&ANw-bung"):
            imap.create(folder)
        imap.subscribe("Projects.2026")
        for folder, flags, day in (
            ("INBOX", "(\\Seen)", "01-Feb-2019"),
            ("INBOX", "(\\Flagged $Label1)", "02-Feb-2020"),
            ("INBOX", "(\\Deleted)", "03-Feb-2021"),
            ("Projects.2026", "(\\Answered \\Seen Invoice)", "04-Feb-2022"),
            ("&ANw-bung", "(\\Draft)", "05-Feb-2023"),
        ):
            text = f"From: a@stranger.example\r\nSubject: {day}\r\n\r\n{day}\r\n".encode()
            imap.append(folder, flags, f'"{day} 10:00:00 +0000"', text)
        imap.select("INBOX")
        imap.expunge()  # the next UID is not the last one and one more
        imap.append("INBOX", "", '"06-Feb-2024 10:00:00 +0000"', b"Subject: last\r\n\r\nlast\r\n")


def imap_state(host, user, password):
    """Return all that IMAP says of a mailbox: each folder with its numbers and its messages by UID,
    and the subscriptions."""
    found = {}
    with imaplib.IMAP4_SSL(host, ssl_context=ssl.create_default_context(), timeout=TIMEOUT) as imap:
        imap.login(user, password)
        found["subscriptions"] = sorted(line.decode() for line in imap.lsub()[1] if line)
        lines = sorted(line.decode() for line in imap.list()[1])
        for name in [line.split(" ")[-1].strip('"') for line in lines]:
            status = imap.status(f'"{name}"', "(UIDVALIDITY UIDNEXT)")[1][0].decode()
            imap.select(f'"{name}"', readonly=True)
            parts = imap.uid("FETCH", "1:*", "(FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])")[1]
            messages = {}
            for head, body in (part for part in parts if isinstance(part, tuple)):
                flags = sorted(flag.decode() for flag in imaplib.ParseFlags(head))
                rest = [re.search(pattern, head).group() for pattern in (rb'E "[^"]*"', rb"ZE \d+")]
                messages[re.search(rb"UID (\d+)", head)[1].decode()] = [
                    [flag for flag in flags if flag != "\\Recent"],
                    *(one.decode() for one in rest),
                    hashlib.sha256(body).hexdigest(),
                ]
            found[name] = {"status": status.rpartition("(")[2], "messages": messages}
    return found
