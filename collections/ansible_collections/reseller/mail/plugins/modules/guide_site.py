#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: guide_site
short_description: Put the guide's pages on a node, to each tenant its own
version_added: 0.1.0
description:
  - Makes the pages of M(reseller.mail.guide) for the tenants placed on the node and installs them where the role C(guide) has nginx serve them.
  - Each tenant has one user name, the tenant's name, and one password for the pages of all its domains. The password is made once and handed over in a
    file on the controller. The node keeps a hash. What is not the estate's any more is removed.
author: Reseller Mail developers (@reseller-mail)
attributes:
  check_mode:
    description: Says what it would do.
    support: full
  diff_mode:
    description: Names the files, links and passwords that change.
    support: full
extends_documentation_fragment: [reseller.mail.estate]
options:
  node:
    description: The node's name in the estate.
    type: str
    required: true
  handover:
    description: The CSV file on the controller that new passwords are added to, C(tenant,password), mode 0600.
    type: path
    required: true
  reset:
    description: Tenants that get a new password. Not idempotent, it is given for one run.
    type: list
    elements: str
    default: []
  report:
    description: The last report of M(reseller.mail.verify_report). Without one, everything is shown as not checked.
    type: path
    default: build/verify/report.json
  findings:
    description: Findings instead of those of O(report).
    type: list
    elements: dict
  checked:
    description: When the findings were made, in UTC. Default is when O(report) was written.
    type: str
    default: ""
  logos:
    description: A folder of pictures on the controller, see M(reseller.mail.guide).
    type: path
  root:
    description: The folder on the node.
    type: path
    default: /var/lib/reseller-mail/guide
  group:
    description: The group that the web server runs in.
    type: str
    default: www-data
  pages:
    description: The shipped file on the host. The controller fills it in.
    type: path
  tenants:
    description: The domains with their tenants. The controller fills it in.
    type: dict
    default: {}
  passwords:
    description: New passwords by tenant. The controller fills it in.
    type: dict
    default: {}
  plan:
    description: Only ask who needs a password. The controller fills it in.
    type: bool
    default: false
seealso:
  - module: reseller.mail.guide
"""

EXAMPLES = r"""
- name: Install the guide
  reseller.mail.guide_site:
    estate: "{{ mail_estate_dir }}"
    node: "{{ mail_node }}"
    handover: build/guide-passwords/{{ mail_node }}.csv
"""

RETURN = r"""
passwords_for:
  description: Tenants that got a password in this run.
  type: list
  elements: str
  returned: success
  sample: [acme]
"""

import grp
import os
import shutil
import tarfile
import typing as t
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

Plan = t.List[t.Tuple[str, str]]
"""(+, ~ or -, what), in the order of the diff."""


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "estate": {"type": "path"},
            "node": {"type": "str", "required": True},
            "handover": {"type": "path", "required": True},
            "reset": {"type": "list", "elements": "str", "default": []},
            "report": {"type": "path", "default": "build/verify/report.json"},
            "findings": {"type": "list", "elements": "dict"},
            "checked": {"type": "str", "default": ""},
            "logos": {"type": "path"},
            "root": {"type": "path", "default": "/var/lib/reseller-mail/guide"},
            "group": {"type": "str", "default": "www-data"},
            "pages": {"type": "path"},
            "tenants": {"type": "dict", "default": {}},
            "passwords": {"type": "dict", "default": {}, "no_log": True},
            "plan": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    site = Site(module)
    if module.params["plan"]:
        module.exit_json(changed=False, missing=site.missing())
    try:
        module.exit_json(**site.converge(module.check_mode))
    except (OSError, tarfile.TarError) as error:
        module.fail_json(msg=str(error))


class Site:
    """The folder: shared/, access/<tenant> (nginx's password files), domains/<domain>/{access -> the tenant's, pages/}."""

    def __init__(self, module: AnsibleModule) -> None:
        self._module = module
        self._root = Path(module.params["root"])
        self._tenants: dict[str, str] = module.params["tenants"]

    def missing(self) -> list[str]:
        """Tenants that need a password."""
        known = {
            tenant
            for tenant in self._tenants.values()
            if (self._root / "access" / tenant).is_file()
        }
        return sorted(
            set(self._tenants.values()).difference(known).union(self._module.params["reset"])
        )

    def converge(self, check_mode: bool) -> dict[str, t.Any]:
        wanted = self._wanted()
        there = self._there()
        links = {
            f"domains/{domain}/access": f"../../access/{tenant}"
            for domain, tenant in self._tenants.items()
        }
        linked = {
            path: os.readlink(self._root / path)
            for path in there
            if (self._root / path).is_symlink()
        }
        passwords = self._module.params["passwords"]
        keep = {*wanted, *links, *(f"access/{tenant}" for tenant in self._tenants.values())}
        stale = sorted(there.difference(keep))
        relink = sorted(path for path, target in links.items() if linked.get(path) != target)
        rewrite = sorted(
            path
            for path, content in wanted.items()
            if path not in there or (self._root / path).read_bytes() != content
        )
        lines = [
            f"{'~' if f'access/{tenant}' in there else '+'} password of {tenant}"
            for tenant in sorted(passwords)
        ]
        lines += [f"{'~' if path in linked else '+'} {path} -> {links[path]}" for path in relink]
        lines += [f"{'~' if path in there else '+'} {path}" for path in rewrite] + [
            f"- {path}" for path in stale
        ]
        if lines and not check_mode:
            self._folders()
            for tenant, password in passwords.items():
                self._put(f"access/{tenant}", f"{tenant}:{self._hash(password)}\n".encode())
            for path in (
                relink
            ):  # before the pages: whoever had the domain before must not see the new ones
                self._link(path, links[path])
            for path in rewrite:
                self._put(path, wanted[path])
            self._remove(stale)
        return {
            "changed": bool(lines),
            "passwords_for": sorted(passwords),
            "diff": {"prepared": "".join(f"{line}\n" for line in lines)},
        }

    def _wanted(self) -> dict[str, bytes]:
        with tarfile.open(self._module.params["pages"]) as packed:
            found = ((member.name, packed.extractfile(member)) for member in packed)
            return {name: file.read() for name, file in found if file}

    def _there(self) -> set[str]:
        found = (
            path
            for part in ("shared", "access", "domains")
            for path in (self._root / part).rglob("*")
        )
        return {
            str(path.relative_to(self._root))
            for path in found
            if path.is_symlink() or not path.is_dir()
        }

    def _hash(self, password: str) -> str:
        """Its strength is the password's: 144 random bits. nginx asks crypt(3) at every request, so it must not be slow."""
        return str(
            self._module.run_command(
                ["openssl", "passwd", "-6", "-stdin"], data=password, check_rc=True
            )[1]
        ).strip()

    def _folders(self) -> None:
        for path in (self._root, *(self._root / part for part in ("shared", "access", "domains"))):
            path.mkdir(exist_ok=True)
            self._own(path, 0o750)

    def _own(self, path: Path, mode: int) -> None:
        os.chown(path, 0, grp.getgrnam(self._module.params["group"]).gr_gid)
        path.chmod(mode)

    def _parents(self, path: Path) -> None:
        for folder in reversed(path.parents):
            if self._root in folder.parents and not folder.is_dir():
                folder.mkdir()
                self._own(folder, 0o750)

    def _put(self, name: str, content: bytes) -> None:
        path = self._root / name
        self._parents(path)
        draft = path.with_name(f".{path.name}.new")
        draft.touch(0o600)
        draft.write_bytes(content)
        self._own(draft, 0o640)
        draft.replace(path)

    def _link(self, name: str, target: str) -> None:
        path = self._root / name
        self._parents(path)
        draft = path.with_name(".access.new")
        draft.unlink(missing_ok=True)
        draft.symlink_to(target)
        draft.replace(path)

    def _remove(self, names: t.Iterable[str]) -> None:
        for name in names:
            (self._root / name).unlink()
        for folder in (self._root / "domains").iterdir():
            if folder.name not in self._tenants:
                shutil.rmtree(folder)


if __name__ == "__main__":
    main()
