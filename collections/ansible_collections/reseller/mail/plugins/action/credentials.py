# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import csv
import os
import tempfile
import typing as t

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.reseller.mail.plugins.module_utils._credentials import POLICY, CredentialError, supplied_hash, weaknesses
from ansible_collections.reseller.mail.plugins.module_utils._model.domain import Mailbox
from ansible_collections.reseller.mail.plugins.module_utils._model.values import Secret
from ansible_collections.reseller.mail.plugins.plugin_utils._estate import judged_node

ARGUMENTS = {
    "estate": {"type": "path", "required": True},
    "node": {"type": "str", "required": True},
    "handover": {"type": "path", "required": True},
    "reset": {"type": "list", "elements": "str", "default": []},
    "database": {"type": "path", "default": "/var/lib/reseller-mail/credentials/credentials.db"},
    "group": {"type": "str", "default": "dovecot"},
}


_HEADER = ["address", "password"]


class Handover:
    """The file on the controller that initial passwords are written to, of mailboxes or of what ``header`` says."""

    def __init__(self, path: str, header: t.Sequence[str] = _HEADER) -> None:
        self._path = path
        self._header = list(header)

    def refuse_unwritable(self) -> None:
        """Raises OSError when the file could not be written or is somebody else's. Changes nothing."""
        place = os.path.dirname(os.path.abspath(self._path))
        while not os.path.exists(place):
            place = os.path.dirname(place)
        if not os.path.isdir(place) or not os.access(place, os.W_OK | os.X_OK) or os.path.isdir(self._path):
            raise PermissionError(f"the handover file {self._path} cannot be written below {place}")
        self._read()

    def _read(self) -> dict[str, str]:
        """What the file holds so far. Raises OSError when it is not ours: it would be overwritten."""
        if not os.path.exists(self._path):
            return {}
        try:
            with open(self._path, encoding="utf-8", newline="") as file:
                header, *rows = csv.reader(file, strict=True)
            if header != self._header:
                raise ValueError
            return dict(rows)  # a row of another length is a ValueError
        except (ValueError, csv.Error):
            raise OSError(f"the handover file {self._path} exists and is no list of initial passwords; move it away") from None

    def write(self, passwords: dict[str, str]) -> None:
        """Adds the passwords, or replaces those of the same address, in one step."""
        folder = os.path.dirname(os.path.abspath(self._path))
        os.makedirs(folder, mode=0o700, exist_ok=True)
        rows = self._read()
        descriptor, new = tempfile.mkstemp(dir=folder, prefix=".initial-passwords-")   # mkstemp makes it 0600
        with open(descriptor, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(self._header)
            writer.writerows(sorted((rows | passwords).items()))
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, self._path)


class ActionModule(ActionBase):
    def run(self, tmp: t.Optional[str] = None, task_vars: t.Optional[dict[str, t.Any]] = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        _result, self._args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        self._vars = task_vars
        mailboxes = self._mailboxes()
        reset = sorted({address.lower() for address in self._args["reset"]})
        for address in reset:
            if address not in mailboxes:
                raise AnsibleActionFail(f"{address} is not a mailbox of node {self._args['node']} whose password is kept there")

        planned = self._on_host("plan", addresses=sorted(mailboxes))
        missing = set(planned["missing"])
        reset = [address for address in reset if address not in missing]
        to_do = sorted(missing.union(reset))
        supplied = self._supplied([mailboxes[address] for address in to_do])
        late = sorted(set(planned["waiting"]).difference(to_do))

        lines = [f"{'~' if address in reset else '+'} credential {address} {'supplied' if address in supplied else 'initial'}" for address in to_do]
        lines += [f"~ credential {address} handed over" for address in late]
        result.update(changed=bool(lines), created=sorted(missing), reset=reset, handover="")
        if lines:
            result["diff"] = {"prepared": "".join(f"{line}\n" for line in lines)}
            handover = Handover(self._args["handover"])
            try:
                handover.refuse_unwritable()
                if not self._task.check_mode:
                    initial = self._on_host("create", addresses=to_do, supplied=supplied)["initial"]
                    if initial:
                        handover.write(initial)
                        self._on_host("acknowledge")
                        result["handover"] = self._args["handover"]
            except OSError as error:
                raise AnsibleActionFail(f"initial passwords were not handed over: {error}") from error
        return result

    def _mailboxes(self) -> dict[str, Mailbox]:
        """Those whose passwords are kept here: the others need none."""
        estate, node = judged_node(self._args["estate"], self._args["node"])
        found = (mailbox for _tenant, domain in estate.domains_on(node) for mailbox in domain.mailboxes)
        return {mailbox.address: mailbox for mailbox in found if mailbox.credentials == "local"}

    def _supplied(self, mailboxes: t.Iterable[Mailbox]) -> dict[str, str]:
        """Passwords and hashes that the files give; all that are no good are reported at once, without showing them."""
        supplied: dict[str, str] = {}
        faults: list[str] = []
        for mailbox in mailboxes:
            if mailbox.password is None:
                continue
            where = f"{mailbox.at}: unfit-password: the password of {mailbox.address}"
            try:
                text = self._clear(mailbox.password)
                reasons = [] if supplied_hash(text) else weaknesses(text, mailbox.address)
            except AnsibleError:
                faults.append(f"{where} cannot be decrypted; allowed: a value encrypted with a vault password given to this run")
                continue
            except CredentialError as error:
                faults.append(f"{where} is no good: {error}")
                continue
            faults += [f"{where} {reason}; allowed: {POLICY}" for reason in reasons]
            supplied[mailbox.address] = text
        if faults:
            raise AnsibleActionFail("\n".join(faults))
        return supplied

    def _clear(self, secret: Secret) -> str:
        if not secret.vaulted:
            return secret.text
        # The loader holds the vault's secrets, and its public way to decrypt a value is to read YAML.
        envelope = "".join(f"  {line}\n" for line in secret.text.split())
        # `ansible-vault encrypt_string` fed by echo encrypts the line's end too.
        return str(self._loader.load(f"!vault |\n{envelope}", show_content=False)).rstrip("\r\n")

    def _on_host(self, stage: str, **arguments: t.Any) -> dict[str, t.Any]:
        # From -vvv on a connection prints what a module returns unless its play context says no_log. The task does not say so itself,
        # because its result is made here and has no secrets in it.
        contexts = [self._play_context, self._connection._play_context]
        shown = [context.no_log for context in contexts]
        for context in contexts:
            context.no_log = True
        try:
            answer = self._execute_module(
                module_name="reseller.mail.credentials", module_args={**self._args, "stage": stage, **arguments}, task_vars=self._vars
            )
        finally:
            for context, no_log in zip(contexts, shown, strict=True):
                context.no_log = no_log
        if answer.get("failed"):
            raise AnsibleActionFail(f"{stage} failed on the host: {answer.get('msg', 'no reason given')}")
        return answer
