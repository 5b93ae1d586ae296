# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.reseller.mail.plugins.module_utils._host import one_text
from ansible_collections.reseller.mail.plugins.module_utils._host.common_passwords import (
    chosen_weaknesses,
)
from ansible_collections.reseller.mail.plugins.module_utils._host.credentials import (
    POLICY,
    CredentialError,
    digest,
    is_invented,
    supplied_hash,
)
from ansible_collections.reseller.mail.plugins.module_utils._host.retained.rules import NO_TENANT
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import files, terminal
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import judged_node
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.object_faults import (
    some,
    tell,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.progress import Progress
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.secrets import (
    PasswordFile,
    unlogged,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.domain import Mailbox
from ansible_collections.reseller.mail.plugins.plugin_utils._model.values import Secret

ARGUMENTS = {
    "estate": {"type": "path", "required": True},
    "node": {"type": "str", "required": True},
    "initial_passwords": {"type": "path", "required": True},
    "recipients": {"type": "list", "elements": "str", "default": []},
    "reset": {"type": "list", "elements": "str", "default": []},
    "database": {"type": "path", "default": "/var/lib/reseller-mail/credentials/credentials.db"},
    "group": {"type": "str", "default": "dovecot"},
    "mail": {"type": "path", "default": "/srv/vmail"},
}
REPAIRS = ("~ credential store owner and mode",)
"""Lines of the host about other changes that are accepted."""
BATCH = 500
"""Passwords that the host sets in one step. It takes about half a minute on two processors, and
progress is shown between the steps."""


class ActionModule(ActionBase):
    """Ask the host which mailboxes have no password, send the passwords of the files, and write the
    passwords that the host generated into a file of the controller."""

    def run(
        self, tmp: t.Optional[str] = None, task_vars: t.Optional[dict[str, t.Any]] = None
    ) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        _result, self._args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        self._vars = task_vars
        self._file = PasswordFile(
            self._args["initial_passwords"], recipients=self._args["recipients"]
        )
        mailboxes = self._mailboxes()
        asked = self._asked_to_reset(mailboxes)

        planned = self._on_host("plan", mailboxes=one_text.pack(sorted(mailboxes)))
        # The host decides only about the mailboxes of the request.
        missing = mailboxes.keys() & _words(planned.get("missing"))
        missing -= self._returning(planned.get("retained"))
        reset = [address for address in asked if address not in missing]
        supplied, faults = self._supplied(
            [mailboxes[address] for address in sorted(missing.union(reset))]
        )
        to_do = sorted(missing.union(reset).difference(faults))
        late = sorted(mailboxes.keys() & _words(planned.get("waiting")).difference(to_do))
        repaired = [line for line in _words(planned.get("repaired")) if line in REPAIRS]

        lines = _lines(to_do, reset, supplied, late)
        result.update(store_made=False, initial_passwords="", encrypted="")
        undone: set[str] = set()
        if lines:
            undone = self._hand_over(to_do, supplied, mailboxes, faults, result)
        lines = [line for line in lines if line.split()[2] not in undone] + repaired
        result.update(
            created=sorted(missing.difference(undone, faults)),
            reset=[address for address in reset if address not in faults],
        )
        result["changed"] = bool(lines or result["initial_passwords"])
        if lines:
            result["diff"] = {"prepared": "".join(f"{line}\n" for line in lines)}
        return _with_faults(result, faults)

    def _asked_to_reset(self, mailboxes: t.Container[str]) -> list[str]:
        """Return the addresses of the option ``reset``; each must be a mailbox of the node."""
        reset = sorted({address.lower() for address in self._args["reset"]})
        for address in reset:
            if address not in mailboxes:
                raise AnsibleActionFail(
                    f"{address} is not a mailbox of node {self._args['node']} whose password is"
                    " kept there"
                )
        return reset

    def _hand_over(
        self,
        to_do: list[str],
        supplied: dict[str, str],
        mailboxes: t.Container[str],
        faults: dict[str, str],
        result: dict[str, t.Any],
    ) -> set[str]:
        """Have the host set the passwords, write the initial ones, and confirm those to the host.

        Collect the faults. Return the addresses whose password was not set: those at fault, and
        those that another run gave one meanwhile. The result has the file that was written.
        """
        try:
            self._file.refuse_unwritable()
            if self._task.check_mode:
                return set(faults)
            known: set[str] = set()
            offered: dict[str, str] = {}
            for answer in self._create(to_do, supplied):
                result["store_made"] |= answer.get("made") is True
                faults.update(
                    {
                        address: f"{address}: {why}"
                        for address, why in _texts(answer.get("faults")).items()
                        if address in to_do
                    }
                )
                known |= _words(answer.get("known"))
                offered = _texts(answer.get("initial"))  # the last answer has all that wait
            initial = {
                address: password
                for address, password in offered.items()
                if address in mailboxes and is_invented(password)
            }
            if len(initial) < len(offered):
                terminal.warn(
                    f"{self._args['node']} handed over passwords that no mailbox of it waits for,"
                    " or that it cannot have made; they are left out."
                )
            if initial:
                result["initial_passwords"] = self._file.write(initial)
                if self._args["recipients"]:
                    result["encrypted"] = files.text(Path(result["initial_passwords"]))
                received = {address: digest(text) for address, text in initial.items()}
                self._on_host("acknowledge", received=received)
            return faults.keys() | known
        except OSError as error:
            raise AnsibleActionFail(f"initial passwords were not handed over: {error}") from error

    def _create(
        self, to_do: list[str], supplied: t.Mapping[str, str]
    ) -> t.Iterator[dict[str, t.Any]]:
        """Have the host set the passwords, a batch at a time; yield its answers.

        At least one batch is sent, and the last answer has all passwords that wait on the host,
        also those of earlier runs.
        """
        show = Progress(f"{self._args['node']}: passwords hashed")
        for start in range(0, max(len(to_do), 1), BATCH):
            batch = to_do[start : start + BATCH]
            yield self._on_host(
                "create",
                addresses=batch,
                supplied={name: supplied[name] for name in batch if name in supplied},
                offer=start + BATCH >= len(to_do),
            )
            show(start + len(batch), len(to_do))

    def _mailboxes(self) -> dict[str, Mailbox]:
        """Return the mailboxes of the node whose passwords are in its store, by address."""
        estate, node = judged_node(self._args["estate"], self._args["node"])
        found = [
            (mailbox, tenant.name)
            for tenant, domain in estate.domains_on(node)
            for mailbox in domain.mailboxes
        ]
        self._tenants = {mailbox.address: tenant for mailbox, tenant in found}
        return {
            mailbox.address: mailbox for mailbox, _tenant in found if mailbox.credentials == "local"
        }

    def _returning(self, retained: t.Any) -> set[str]:
        """Return the mailboxes that get the password back that they had when they left the files.

        The generation puts it back, and only for the tenant that had the mailbox.
        """
        rows = retained if isinstance(retained, list) else []
        return {
            row[0]
            for row in rows
            if isinstance(row, list)
            and len(row) == 2
            and isinstance(row[0], str)
            and row[1] in (NO_TENANT, self._tenants.get(row[0]))
        }

    def _supplied(self, mailboxes: t.Iterable[Mailbox]) -> tuple[dict[str, str], dict[str, str]]:
        """Return the passwords and hashes of the files by address, and the faults of unfit ones.

        No fault shows a password.
        """
        supplied: dict[str, str] = {}
        faults: dict[str, str] = {}
        for mailbox in mailboxes:
            if mailbox.password is None:
                continue
            where = (
                f"{mailbox.at.of('password')}: unfit-password: the password of {mailbox.address}"
            )
            try:
                text = self._clear(mailbox.password)
                reasons = [] if supplied_hash(text) else chosen_weaknesses(text, mailbox.address)
            except (AnsibleError, ValueError):  # ValueError: the decrypted value is not UTF-8
                faults[mailbox.address] = (
                    f"{where} cannot be decrypted; allowed: a value encrypted with a vault password"
                    " given to this run"
                )
                continue
            except CredentialError as error:
                faults[mailbox.address] = f"{where} is no good: {error}"
                continue
            if reasons:
                faults[mailbox.address] = f"{where} {', '.join(reasons)}; allowed: {POLICY}"
            else:
                supplied[mailbox.address] = text
        return supplied, faults

    def _clear(self, secret: Secret) -> str:
        if not secret.vaulted:
            return secret.text
        # The loader has the secrets of the vault. Its public way to decrypt a value is to read
        # YAML.
        envelope = "".join(f"  {line}\n" for line in secret.text.split())
        # `echo secret | ansible-vault encrypt_string` also encrypts the end of the line.
        return str(self._loader.load(f"!vault |\n{envelope}", show_content=False)).rstrip("\r\n")

    def _on_host(self, stage: str, **arguments: t.Any) -> dict[str, t.Any]:
        # The task itself has no no_log: its result is made here and has no secrets.
        with unlogged(self):
            answer: dict[str, t.Any] = self._execute_module(
                module_name="reseller.mail.credentials",
                module_args={**self._args, "stage": stage, **arguments},
                task_vars=self._vars,
            )
        if answer.get("failed"):
            raise AnsibleActionFail(
                f"{stage} failed on the host: {answer.get('msg', 'no reason given')}"
            )
        return answer


def _lines(
    to_do: t.Iterable[str],
    reset: t.Container[str],
    supplied: t.Container[str],
    late: t.Iterable[str],
) -> list[str]:
    """Return a line for each password that is set, reset or handed over."""
    lines = []
    for address in to_do:
        sign = "~" if address in reset else "+"
        origin = "supplied" if address in supplied else "initial"
        lines.append(f"{sign} credential {address} {origin}")
    return [*lines, *(f"~ credential {address} handed over" for address in late)]


def _with_faults(result: dict[str, t.Any], faults: t.Mapping[str, str]) -> dict[str, t.Any]:
    """Return the result with the faults of single mailboxes; all other mailboxes are done."""
    result["faults"] = [faults[address] for address in sorted(faults)]
    if faults:
        lines = "\n".join(some(result["faults"]))
        result.update(
            failed=True,
            msg=(
                "These mailboxes have no usable password and cannot log in; all others are"
                f" done:\n{lines}"
            ),
        )
        tell(result)
    return result


def _words(found: t.Any) -> set[str]:
    """Return the texts of a list that came from a host; other items are dropped."""
    return {word for word in found if isinstance(word, str)} if isinstance(found, list) else set()


def _texts(found: t.Any) -> dict[str, str]:
    """Return the pairs of texts of a mapping that came from a host."""
    return (
        {
            name: text
            for name, text in found.items()
            if isinstance(name, str) and isinstance(text, str)
        }
        if isinstance(found, dict)
        else {}
    )
