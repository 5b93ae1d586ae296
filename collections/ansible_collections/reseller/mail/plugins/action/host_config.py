# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.reseller.mail.plugins.module_utils._host.host_config import options
from ansible_collections.reseller.mail.plugins.module_utils._host.host_config.contents import pack
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.secrets import unlogged

ARGUMENTS = options.OPTIONS


class ActionModule(ActionBase):
    """Render templates and read files on the controller, and let the host apply them.

    The contents travel with the module's options, so that one connection is enough.
    """

    TRANSFERS_FILES = False

    def run(
        self, tmp: t.Optional[str] = None, task_vars: t.Optional[dict[str, t.Any]] = None
    ) -> dict[str, t.Any]:
        """Return the result of the module. If packages are missing, install them in between."""
        super().run(tmp, task_vars)
        _spec, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        self._vars = task_vars or {}
        args["name"] = args["name"] or (self._task._role and self._task._role.get_name(False))
        if faults := options.faults(args):
            raise AnsibleActionFail("\n".join(faults))
        contents = {file["dest"]: self._content(file) for file in args["files"]}
        on_host = {
            **args,
            "files": [
                {key: value for key, value in file.items() if key not in options.SOURCES}
                for file in args["files"]
            ],
            # A module refuses None for an option that has choices.
            "units": [
                {key: value for key, value in unit.items() if value is not None}
                for unit in args["units"]
            ],
            "contents": pack(contents),
        }
        result = self._execute(on_host)
        missing = result.get("packages")
        return self._with_packages(result, on_host, missing) if missing else result

    def _execute(self, args: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        """Run the module on the host. Contents and options are not logged."""
        with unlogged(self):
            return dict(
                self._execute_module(
                    module_name="reseller.mail.host_config",
                    module_args=dict(args),  # _execute_module adds entries of its own
                    task_vars=self._vars,
                )
            )

    def _with_packages(
        self, result: dict[str, t.Any], args: dict[str, t.Any], missing: list[str]
    ) -> dict[str, t.Any]:
        """Install the packages and run the module again. In check mode, ask apt whether it can."""
        for installed in self._installed(args, missing):
            if installed.get("failed"):
                return installed
        if not self._task.check_mode:
            result = self._execute(args)
            if result.get("failed"):
                return result
            if result["packages"]:
                raise AnsibleActionFail(
                    f"apt succeeded, but dpkg has no package {', '.join(result['packages'])}; write"
                    " the names of real packages, not of virtual ones"
                )
        result.update(changed=True, packages=missing)
        if "diff" in result:
            result["diff"] = [_packages_diff(missing), *result["diff"]]
        return result

    def _installed(
        self, args: t.Mapping[str, t.Any], missing: t.Container[str]
    ) -> t.Iterator[dict[str, t.Any]]:
        """Answer the questions of missing packages and install them; yield each result."""
        for answer in args["debconf"]:
            if answer["name"] in missing:
                yield self._builtin("debconf", answer)
        age = args["package_lists_max_age"]
        yield self._builtin(
            "apt",
            {
                "name": args["packages"],
                "install_recommends": False,
                **({"update_cache": True, "cache_valid_time": age} if age else {}),
            },
        )

    def _builtin(self, module: str, args: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        """Run a module of Ansible itself on the host."""
        return dict(
            self._execute_module(
                module_name=f"ansible.builtin.{module}",
                module_args=dict(args),
                task_vars=self._vars,
            )
        )

    def _content(self, file: t.Mapping[str, t.Any]) -> bytes:
        """Return the content of a file: rendered, read or given."""
        if file["template"] is not None:
            return self._rendered(file["template"])
        if file["src"] is not None:
            path = self._loader.get_real_file(self._find_needle("files", file["src"]))
            return Path(path).read_bytes()
        return str(file["content"]).encode()

    def _rendered(self, template: str) -> bytes:
        """Render a template as ansible.builtin.template does, with its variables and defaults."""
        lookup = self._shared_loader_obj.lookup_loader.get(
            "ansible.builtin.template", loader=self._loader, templar=self._templar
        )
        (text,) = lookup.run([template], variables=self._vars)
        return str(text).encode()


def _packages_diff(missing: t.Iterable[str]) -> dict[str, str]:
    """Return a diff that adds packages."""
    return {
        "before_header": "packages",
        "after_header": "packages",
        "before": "",
        "after": "".join(f"{name}\n" for name in missing),
    }
