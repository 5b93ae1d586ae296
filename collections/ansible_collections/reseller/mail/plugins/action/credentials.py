# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.reseller.mail.plugins.module_utils._credentials import POLICY, CredentialError, supplied_hash, weaknesses
from ansible_collections.reseller.mail.plugins.module_utils._model.domain import Mailbox
from ansible_collections.reseller.mail.plugins.module_utils._model.values import Secret
from ansible_collections.reseller.mail.plugins.plugin_utils._estate import judged_node
from ansible_collections.reseller.mail.plugins.plugin_utils._secrets import Handover, unlogged

ARGUMENTS = {
    "estate": {"type": "path", "required": True},
    "node": {"type": "str", "required": True},
    "handover": {"type": "path", "required": True},
    "reset": {"type": "list", "elements": "str", "default": []},
    "database": {"type": "path", "default": "/var/lib/reseller-mail/credentials/credentials.db"},
    "group": {"type": "str", "default": "dovecot"},
}


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
        # The task does not say no_log itself, because its result is made here and has no secrets in it.
        with unlogged(self):
            answer = self._execute_module(
                module_name="reseller.mail.credentials", module_args={**self._args, "stage": stage, **arguments}, task_vars=self._vars
            )
        if answer.get("failed"):
            raise AnsibleActionFail(f"{stage} failed on the host: {answer.get('msg', 'no reason given')}")
        return answer
