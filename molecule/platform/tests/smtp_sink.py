# SPDX-License-Identifier: GPL-3.0-or-later
"""A relay on the host `outside`: SMTP with TLS and a login. It keeps what it takes, one JSON line a
message. Standard library only.

Usage: smtp_sink.py FOLDER PORT CERTIFICATE, with a JSON object of users and passwords on stdin. On
port 465 TLS comes first. Without a login it takes nothing, as relays do.
"""

import base64
import json
import socketserver
import ssl
import sys
from pathlib import Path

FOLDER, PORT, CERTIFICATE = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
USERS = json.load(sys.stdin)
CONTEXT = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
CONTEXT.load_cert_chain(CERTIFICATE)


class Session(socketserver.BaseRequestHandler):
    """One SMTP session."""

    def handle(self):
        self.secure = self.user = self.sender = self.greeting = ""
        self.recipients = []
        self.use(self.request)
        try:
            if PORT == 465:
                self.secure_now()
            self.say("220 smtp.relay.example ESMTP")
            while line := self.stream.readline().decode().strip():
                if self.answer(line) is False:
                    return
        except OSError:
            return

    def use(self, connection):
        self.connection, self.stream = connection, connection.makefile("rb")

    def secure_now(self):
        self.use(CONTEXT.wrap_socket(self.connection, server_side=True))
        self.secure = self.connection.version()

    def say(self, text):
        self.connection.sendall(f"{text}\r\n".encode())

    def answer(self, line):
        verb, _space, rest = line.partition(" ")
        verb = verb.upper()
        if verb == "EHLO":
            self.greeting = rest
            more = "250 AUTH PLAIN" if self.secure else "250 STARTTLS"
            self.say(f"250-smtp.relay.example\r\n250-8BITMIME\r\n{more}")
        elif verb == "STARTTLS":
            self.say("220 go on")
            self.secure_now()
        elif verb == "AUTH":
            self.log_in(rest.split())
        elif verb == "QUIT":
            self.say("221 bye")
            return False
        elif verb in ("MAIL", "RCPT", "DATA") and not self.user:
            self.say("530 5.7.0 Authentication required")
        elif verb == "MAIL":
            self.sender, self.recipients = rest, []
            self.say("250 yes")
        elif verb == "RCPT":
            self.recipients.append(rest)
            self.say("250 yes")
        elif verb == "DATA":
            self.say("354 go on")
            self.store()
            self.say("250 yes")
        else:
            self.say("250 yes" if verb in ("RSET", "NOOP") else "500 no")
        return True

    def log_in(self, words):
        if not self.secure or words[0].upper() != "PLAIN" or len(words) != 2:
            self.say("504 5.5.4 no")
            return
        _role, user, password = base64.b64decode(words[1]).decode().split("\0")
        if USERS.get(user) == password:
            self.user = user
            self.say("235 yes")
        else:
            self.say("535 5.7.8 wrong")

    def store(self):
        lines = []
        while (line := self.stream.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b"..") else line)
        kept = {
            "client": self.client_address[0].removeprefix("::ffff:"),
            "greeting": self.greeting,
            "tls": self.secure,
            "user": self.user,
            "sender": self.sender,
            "recipients": self.recipients,
            "data": base64.b64encode(b"".join(lines)).decode(),
        }
        with (FOLDER / f"{PORT}.json").open("a") as file:
            file.write(json.dumps(kept) + "\n")


class Server(socketserver.ThreadingTCPServer):
    address_family = socketserver.socket.AF_INET6
    allow_reuse_address = daemon_threads = True


Server(("::", PORT), Session).serve_forever()
