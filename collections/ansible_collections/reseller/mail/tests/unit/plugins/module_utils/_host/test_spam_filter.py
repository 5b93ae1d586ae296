# SPDX-License-Identifier: GPL-3.0-or-later
"""What rspamd answers about its symbols, over a unix socket."""

from __future__ import annotations

import json
import socketserver
import threading
import typing as t
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host import spam_filter

GROUPS: list[dict[str, t.Any]] = [
    {
        "group": "headers",
        "rules": [
            {"symbol": "MISSING_DATE", "weight": 1.0, "description": "Date is missing"},
            {"symbol": "NO_DESCRIPTION", "weight": 1.0},
        ],
    }
]


def answers(path: Path, body: bytes) -> dict[str, str]:
    """Return what is read from a server at the socket that answers with this body."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/symbols" else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            pass

        def address_string(self) -> str:
            return ""

    with socketserver.UnixStreamServer(str(path), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        try:
            return spam_filter.descriptions(str(path))
        finally:
            thread.join()


def test_each_symbol_with_a_description_is_returned(tmp_path: Path) -> None:
    found = answers(tmp_path / "socket", json.dumps(GROUPS).encode())
    assert found == {"MISSING_DATE": "Date is missing"}


@pytest.mark.parametrize("body", [b"no json", b"[1]", b'{"error": "no"}', b""])
def test_an_answer_that_cannot_be_read_is_none(tmp_path: Path, body: bytes) -> None:
    assert answers(tmp_path / "socket", body) == {}


def test_a_filter_that_does_not_run_has_no_answer(tmp_path: Path) -> None:
    assert spam_filter.descriptions(str(tmp_path / "nothing")) == {}
