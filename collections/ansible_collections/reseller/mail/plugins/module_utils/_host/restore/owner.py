# SPDX-License-Identifier: GPL-3.0-or-later
"""Work that is done as another user of the host.

PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import json
import os
import pwd
import typing as t


def as_user(name: str, work: t.Callable[[], t.Any]) -> t.Any:
    """Do a piece of work as another user and return its result, which JSON must hold.

    Users own folders in which root works here. As root, a link that one of them made would lead
    anywhere. Raise OSError with the message if the work fails.
    """
    user = pwd.getpwnam(name)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reader)
            os.setgroups([])
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)
            os.umask(0o077)
            with os.fdopen(writer, "w", encoding="utf-8") as pipe:
                json.dump(_answer(work), pipe)
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    answer = json.loads(text) if text else {"error": f"the work as user {name} ended early"}
    if "error" in answer:
        raise OSError(answer["error"])
    return answer["result"]


def _answer(work: t.Callable[[], t.Any]) -> dict[str, t.Any]:
    """Return the result of the work, or why it failed."""
    try:
        return {"result": work()}
    except (OSError, ValueError) as error:
        return {"error": str(error)}
