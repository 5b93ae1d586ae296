# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import io
import os
import secrets
import tarfile
import tempfile
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import guide
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import judged_node
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.secrets import (
    PasswordFile,
    unlogged,
)

ARGUMENTS = {
    "estate": {"type": "path"},
    "node": {"type": "str", "required": True},
    "initial_passwords": {"type": "path", "required": True},
    "recipients": {"type": "list", "elements": "str", "default": []},
    "reset": {"type": "list", "elements": "str", "default": []},
    "root": {"type": "path", "default": "/var/lib/reseller-mail/guide"},
    "group": {"type": "str", "default": "www-data"},
    **guide.ARGUMENTS,
}


class ActionModule(ActionBase):
    """Make the pages on the controller, install them on the host, and write new passwords."""

    def run(
        self, tmp: t.Optional[str] = None, task_vars: t.Optional[dict[str, t.Any]] = None
    ) -> dict[str, t.Any]:
        """Return the result of the module on the host."""
        super().run(tmp, task_vars)
        _spec, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        self._vars = task_vars
        password_file = PasswordFile(
            args["initial_passwords"], ("tenant", "password"), args["recipients"]
        )
        estate, node = judged_node(args["estate"], args["node"])
        made = guide.guide(estate, args, node.name)
        tenants = {sheet.name: sheet.tenant.name for sheet in made.sheets}
        unknown = sorted(set(args["reset"]).difference(tenants.values()))
        if unknown:
            raise AnsibleActionFail(
                f"{unknown[0]} is no tenant with pages on {node.name}; allowed:"
                f" {', '.join(sorted(set(tenants.values())))}"
            )
        files = {f"shared/{name}": content for name, content in made.shared.items()}
        files.update(
            {
                f"domains/{name}/pages/{file}": content
                for name, ours in made.domains.items()
                for file, content in ours.items()
            }
        )
        try:
            kept = {
                key: args[key]
                for key in ("estate", "node", "initial_passwords", "reset", "root", "group")
            }
            self._on_host = {**kept, "pages": self._ship(files), "tenants": tenants}
            return self._converge(password_file, bool(self._task.check_mode))
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)

    def _converge(self, password_file: PasswordFile, check_mode: bool) -> dict[str, t.Any]:
        """Ask the host which tenants need a password, make these passwords and install the pages.

        A password is written on the controller before the host gets it, so that none is lost.
        """
        missing = self._execute(plan=True)
        if missing.get("failed") or not missing["missing"]:
            return self._execute() if not missing.get("failed") else missing
        passwords = {tenant: secrets.token_urlsafe(18) for tenant in missing["missing"]}
        try:
            password_file.refuse_unwritable()
            if not check_mode:
                password_file.write(passwords)
        except OSError as error:
            raise AnsibleActionFail(
                f"the passwords of the guide were not written: {error}"
            ) from error
        return self._execute(passwords=passwords)

    def _execute(self, **arguments: t.Any) -> dict[str, t.Any]:
        """Run the module on the host with more arguments; its arguments are not logged."""
        with unlogged(self):
            return dict(
                self._execute_module(
                    module_name="reseller.mail.guide_site",
                    module_args={**self._on_host, **arguments},
                    task_vars=self._vars,
                )
            )

    def _ship(self, files: t.Mapping[str, bytes]) -> str:
        """Copy all files as one archive into the temporary folder of the task; return its path.

        This is done in check mode, too, because the host compares contents.
        """
        if not self._connection._shell.tmpdir:
            self._make_tmp_path()
        remote = self._connection._shell.join_path(self._connection._shell.tmpdir, "pages.tar.gz")
        with tempfile.NamedTemporaryFile(prefix="reseller-mail-") as local:
            with tarfile.open(fileobj=local, mode="w:gz") as packed:
                for name, content in sorted(files.items()):
                    member = tarfile.TarInfo(name)
                    member.size = len(content)
                    packed.addfile(member, io.BytesIO(content))
            local.flush()
            os.fchmod(local.fileno(), 0o600)
            self._transfer_file(local.name, remote)
        self._fixup_perms2((self._connection._shell.tmpdir, remote))
        return str(remote)
