# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import base64
import os
import re
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.secrets import unlogged

_NAME = re.compile(r"[0-9a-f]{24}\.eml")
MAX_RUN = 24 * 2**20
"""Bytes of mails in one answer; the same as in the module."""


class Mail(t.NamedTuple):
    """One fetched mail: its file's name here, and when it arrived, in seconds since 1970."""

    name: str
    content: bytes
    arrived: int


class ActionModule(ActionBase):
    """Fetch the mails that the controller does not have yet, and write them there."""

    TRANSFERS_FILES = False

    def run(
        self, tmp: t.Any = None, task_vars: t.Optional[dict[str, t.Any]] = None
    ) -> dict[str, t.Any]:
        """Return the host's answer, and how many mails were written."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        args = dict(self._task.args)
        folder = args.pop("dest", None) or "build/reports"
        known = sorted(
            name
            for name in (os.listdir(folder) if os.path.isdir(folder) else ())
            if _NAME.fullmatch(name)
        )
        answer = self._ask({**args, "known": known}, task_vars)
        mails = valid_mails(answer.pop("mails", []))
        result.update(answer)
        if result.get("failed"):
            return result
        if not self._task.check_mode:
            try:
                self._write(folder, mails)
            except OSError as error:
                raise AnsibleActionFail(f"{error.filename}: {error.strerror}") from error
        result.update(changed=bool(mails), fetched=len(mails), dest=folder)
        return result

    def _ask(
        self, args: dict[str, t.Any], task_vars: t.Optional[dict[str, t.Any]]
    ) -> dict[str, t.Any]:
        """Run the module on the host. The mails are private, so its result is not logged."""
        with unlogged(self):
            answer: dict[str, t.Any] = self._execute_module(
                module_name="reseller.mail.report_mails", module_args=args, task_vars=task_vars
            )
        return answer

    def _write(self, folder: str, mails: t.Iterable[Mail]) -> None:
        """Write each mail to a file with the time of its arrival. Raises OSError."""
        os.makedirs(folder, mode=0o700, exist_ok=True)
        for mail in mails:
            path = os.path.join(folder, mail.name)
            draft = os.path.join(folder, f".{mail.name}.new")
            with open(
                os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb"
            ) as file:
                file.write(mail.content)
            # evidence ignores files that are too old, by this time.
            os.utime(draft, (mail.arrived, mail.arrived))
            os.replace(draft, path)


def valid_mails(mails: t.Any) -> list[Mail]:
    """Return the mails of a host's answer that have the form and the size that our module sends.

    A host that was broken into cannot choose the path or the amount of what is written.
    """
    found, size = [], 0
    for one in mails if isinstance(mails, list) else []:
        try:
            mail = Mail(
                str(one["name"]),
                base64.b64decode(one["content"], validate=True),
                int(one["arrived"]),
            )
        except (LookupError, TypeError, ValueError):
            continue
        size += len(mail.content)
        if _NAME.fullmatch(mail.name) and 0 <= mail.arrived < 2**32 and size <= MAX_RUN:
            found.append(mail)
    return found
