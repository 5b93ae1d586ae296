# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.reseller.mail.plugins.module_utils._credentials import (
    POLICY,
    CredentialError,
    is_invented,
    supplied_hash,
    weaknesses,
)
from ansible_collections.reseller.mail.plugins.module_utils._model.domain import Mailbox
from ansible_collections.reseller.mail.plugins.module_utils._model.values import Secret
from ansible_collections.reseller.mail.plugins.plugin_utils import _terminal
from ansible_collections.reseller.mail.plugins.plugin_utils._estate import judged_node
from ansible_collections.reseller.mail.plugins.plugin_utils._faults import some, tell
from ansible_collections.reseller.mail.plugins.plugin_utils._secrets import Handover, unlogged

ARGUMENTS = {
    "estate": {"type": "path", "required": True},
    "node": {"type": "str", "required": True},
    "handover": {"type": "path", "required": True},
    "reset": {"type": "list", "elements": "str", "default": []},
    "database": {"type": "path", "default": "/var/lib/reseller-mail/credentials/credentials.db"},
    "group": {"type": "str", "default": "dovecot"},
}
REPAIRS = ("~ credential store owner and mode",)
"""What the host may have done besides, in its own words."""


class ActionModule(ActionBase):
    """Asks the host who lacks a credential, sends what the files give, and hands over what the host invented."""

    def run(
        self, tmp: t.Optional[str] = None, task_vars: t.Optional[dict[str, t.Any]] = None
    ) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        _result, self._args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        self._vars = task_vars
        mailboxes = self._mailboxes()
        reset = sorted({address.lower() for address in self._args["reset"]})
        for address in reset:
            if address not in mailboxes:
                raise AnsibleActionFail(
                    f"{address} is not a mailbox of node {self._args['node']} whose password is kept there"
                )

        planned = self._on_host("plan", addresses=sorted(mailboxes))
        # The host decides for nobody but the mailboxes that it was asked about.
        missing = mailboxes.keys() & _words(planned.get("missing"))
        reset = [address for address in reset if address not in missing]
        supplied, faults = self._supplied(
            [mailboxes[address] for address in sorted(missing.union(reset))]
        )
        to_do = sorted(missing.union(reset).difference(faults))
        late = sorted(mailboxes.keys() & _words(planned.get("waiting")).difference(to_do))
        repaired = [line for line in _words(planned.get("repaired")) if line in REPAIRS]

        lines = [
            f"{'~' if address in reset else '+'} credential {address} {'supplied' if address in supplied else 'initial'}"
            for address in to_do
        ]
        lines += [f"~ credential {address} handed over" for address in late]
        result["store_made"] = False
        done = bool(lines) and self._hand_over(to_do, supplied, mailboxes, faults, result)
        lines = [line for line in lines if line.split()[2] not in faults] + repaired
        result.update(
            created=sorted(missing.difference(faults)),
            reset=[address for address in reset if address not in faults],
            handover=self._args["handover"] if done else "",
        )
        result["changed"] = bool(lines)
        if lines:
            result["diff"] = {"prepared": "".join(f"{line}\n" for line in lines)}
        return _told(result, faults)

    def _hand_over(
        self,
        to_do: list[str],
        supplied: dict[str, str],
        mailboxes: t.Container[str],
        faults: dict[str, str],
        result: dict[str, t.Any],
    ) -> bool:
        """Have the host make what is to do, and note what went wrong; return whether the hand-over file got passwords."""
        handover = Handover(self._args["handover"])
        try:
            handover.refuse_unwritable()
            if self._task.check_mode:
                return False
            answer = self._on_host("create", addresses=to_do, supplied=supplied)
            result["store_made"] = answer.get("made") is True
            faults.update(
                {
                    address: f"{address}: {why}"
                    for address, why in _texts(answer.get("faults")).items()
                    if address in to_do
                }
            )
            offered = _texts(answer.get("initial"))
            initial = {
                address: password
                for address, password in offered.items()
                if address in mailboxes and is_invented(password)
            }
            if len(initial) < len(offered):
                _terminal.warn(
                    f"{self._args['node']} handed over passwords that no mailbox of it waits for, or that it cannot have made; they are left out."
                )
            if initial:
                handover.write(initial)
            if offered:
                self._on_host("acknowledge")
            return bool(initial)
        except OSError as error:
            raise AnsibleActionFail(f"initial passwords were not handed over: {error}") from error

    def _mailboxes(self) -> dict[str, Mailbox]:
        """Those whose passwords are kept here: the others need none."""
        estate, node = judged_node(self._args["estate"], self._args["node"])
        found = (
            mailbox for _tenant, domain in estate.domains_on(node) for mailbox in domain.mailboxes
        )
        return {mailbox.address: mailbox for mailbox in found if mailbox.credentials == "local"}

    def _supplied(self, mailboxes: t.Iterable[Mailbox]) -> tuple[dict[str, str], dict[str, str]]:
        """Return the passwords and hashes that the files give, and by address what is wrong with those that are no good,
        without showing them."""
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
                reasons = [] if supplied_hash(text) else weaknesses(text, mailbox.address)
            except (AnsibleError, ValueError):  # ValueError: what was encrypted is no text
                faults[mailbox.address] = (
                    f"{where} cannot be decrypted; allowed: a value encrypted with a vault password given to this run"
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
        # The loader holds the vault's secrets, and its public way to decrypt a value is to read YAML.
        envelope = "".join(f"  {line}\n" for line in secret.text.split())
        # `ansible-vault encrypt_string` fed by echo encrypts the line's end too.
        return str(self._loader.load(f"!vault |\n{envelope}", show_content=False)).rstrip("\r\n")

    def _on_host(self, stage: str, **arguments: t.Any) -> dict[str, t.Any]:
        # The task does not say no_log itself, because its result is made here and has no secrets in it.
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


def _told(result: dict[str, t.Any], faults: t.Mapping[str, str]) -> dict[str, t.Any]:
    """Return the result with what is wrong with single mailboxes; all others have been seen to."""
    result["faults"] = [faults[address] for address in sorted(faults)]
    if faults:
        lines = "\n".join(some(result["faults"]))
        result.update(
            failed=True,
            msg=f"These mailboxes have no usable password and cannot log in; all others were seen to:\n{lines}",
        )
        tell(result)
    return result


def _words(found: t.Any) -> set[str]:
    """Return the texts of a list that came from a host; whatever else is in it is dropped."""
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
