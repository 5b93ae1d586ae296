#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: generation
short_description: Install a node's tenant data as a generation, or switch back to the previous one
version_added: 0.1.0
author: Reseller Mail developers (@reseller-mail)
description:
  - Validates the estate on the controller and compiles everything that Postfix, Dovecot, OpenDKIM
    and the web server look up on one node. Ships it as one compressed file, and installs it on the
    host as a generation.
  - A new generation is staged beside the serving one. A Postfix and a Dovecot that run for this
    purpose only check it. After that the link C(current) is switched and the daemons whose lookups
    changed are reloaded, in one operation.
  - If a domain's DKIM key is gone, damaged or not readable for OpenDKIM, the domain's mail is not
    signed, because OpenDKIM would refuse all of it. Everything else is installed, and then the task
    fails with RV(faults).
  - If anything fails before the switch, the old generation keeps serving. If a reload fails after
    it, the next run reloads again.
  - A generation that would remove more tenants, domains or mailboxes than the estate's
    C(deletion_guard) allows is refused, also in check mode.
  - If the estate has no report of the node's DKIM keys (C(state/<node>.json)), and the host signs
    now, the generation is refused, because it would sign nothing. The role C(opendkim) reads the
    keys first.
  - Mail and passwords of mailboxes that leave the files are kept for the days of C(retention), in a
    place that only root can enter. A mailbox that returns within this time gets both back before
    the switch. Mail of a terminated tenant with C(purge=true) is deleted at once, if
    O(purge_confirmed) names the tenant. If it does not, the generation is refused, also in check
    mode.
  - With an unchanged model nothing is shipped, written, checked or reloaded. Files that were
    altered on the host are repaired.
  - Files that do not change are hard links to those of the generation before. They are not built
    and not checked again, unless the checks or C(postmap) changed since.
extends_documentation_fragment:
  - reseller.mail.attributes.estate_group
  - reseller.mail.host.root
  - reseller.mail.host.mail
options:
  state:
    description:
      - V(present) installs the estate as it is.
      - V(previous) switches back to the generation that was current before. The next run with
        V(present) switches forward again.
      - If files of that generation were altered on the host, it is made anew, as a new generation.
    type: str
    choices: [present, previous]
    default: present
  estate:
    description: The estate's folder on the controller. Required if O(state=present).
    type: path
  node:
    description: The node's name in the estate. Required if O(state=present).
    type: str
  keep:
    description: How many generations to keep. The current one and the one before it are always
      kept.
    type: int
    default: 5
  deletions_accepted:
    description:
      - How many tenants, domains and mailboxes in all may go at most, when that is more than the
        estate's C(deletion_guard) allows.
      - What moves to another node of the estate does not go. A host without a generation loses
        nothing, and O(state=previous) is not guarded.
    type: int
    default: 0
  purge_confirmed:
    description:
      - The names of the terminated tenants whose mail and passwords may be deleted at once, because
        their C(account.yml) has C(purge=true). This cannot be undone.
      - With O(state=previous) no mail is deleted.
    type: list
    elements: str
    default: []
  moving:
    description:
      - The name of the tenant that playbook C(reseller.mail.move) moves to another node. Without it
        the task fails, and changes nothing, if the tenant's mail is on another node than the
        tenant.
      - Only this playbook sets it. It has copied the mail, so nothing is lost.
    type: str
    default: ''
  moving_from:
    description: The node that has served the tenant until now. Without it, the node looks up what
      the files say.
    type: str
    default: ''
  moving_step:
    description:
      - V(arriving) lets the new node defer the tenant's mail, so that it waits with its senders. It
        also prepares the former node.
      - V(leaving) lets the former node pass on the tenant's mail, while users still read theirs.
      - V(arrived) lets the new node serve the tenant.
      - V(moved) is what the files say. The former node still knows the tenant's recipients, for
        sessions of SMTP that began before.
    type: str
    choices: [arriving, leaving, moved, arrived]
    default: moved
  deletion_guard:
    description: The shares, in percent, that the estate allows to go. The controller fills it in.
    type: dict
  keys_reported:
    description: Whether the estate has a report of the node's DKIM keys. The controller fills it
      in.
    type: bool
    default: true
  artefact:
    description: The shipped file on the host. The controller fills it in.
    type: path
  digest:
    description: The digest of what is wanted. If the current generation was made from the same, the
      file is not shipped. The controller fills it in.
    type: str
attributes:
  check_mode:
    support: full
    description:
      - Compares contents only. No daemon is asked, so RV(judged) is V(false) and the last line of
        the diff says C(not judged).
  diff_mode:
    support: full
    description: Shows the objects that change, in the words of the tenants' files, never a secret.
      Shows whose mail is kept, returns or is deleted.
"""

EXAMPLES = r"""
- name: Install what the tenants' files say
  reseller.mail.generation:
    estate: "{{ mail_estate_dir }}"
    node: "{{ mail_node }}"

- name: Install it although 37 tenants, domains and mailboxes in all leave the node
  reseller.mail.generation:
    estate: "{{ mail_estate_dir }}"
    node: "{{ mail_node }}"
    deletions_accepted: 37

- name: Delete the mail of a terminated tenant at once
  reseller.mail.generation:
    estate: "{{ mail_estate_dir }}"
    node: "{{ mail_node }}"
    purge_confirmed: [vandelay]

- name: Switch back to the generation before
  reseller.mail.generation:
    state: previous
"""

RETURN = r"""
generation:
  description: The generation that is current after the task; in check mode the one that is current
    now.
  returned: always
  type: str
  sample: 000002-3f1c9a7be210
previous:
  description: The generation that was current before the task, empty if there was none.
  returned: always
  type: str
judged:
  description: Whether daemons checked a new generation in this run.
  returned: always
  type: bool
faults:
  description: For each DKIM key that cannot be used what is wrong. The task fails where there is
    one, after everything else is done.
  returned: always
  type: list
  elements: str
  sample: ["acme.example is not signed with mx1._domainkey.acme.example:
    /var/lib/reseller-mail/dkim/acme.example/mx1.private: No such file or directory"]
uncertified:
  description: The names of the tenants that need a certificate and have none on the host yet.
  returned: O(state=present)
  type: list
  elements: str
  sample: [mta-sts.acme.example]
unneeded_certificates:
  description: The names that leave the node with this generation and have a certificate on the
    host.
  returned: always
  type: list
  elements: str
  sample: [mta-sts.vandelay.example]
reloaded:
  description: Services that were reloaded after the switch.
  returned: always
  type: list
  elements: str
  sample: [opendkim, postfix]
"""

import contextlib
import json
import time
import typing as t
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.reseller.mail.plugins.module_utils._host import deletion_guard, generation

MOVING_STEPS = ["arriving", "leaving", "moved", "arrived"]

NOTE = "deletions.json"
"""File in the platform's folder: deletions that were accepted for a run that may have failed."""


class LacksArtefactError(Exception):
    """The host needs the file that the controller has not shipped."""


def main() -> None:
    """Install a generation or switch back; fail if a DKIM key cannot be used."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "previous"], "default": "present"},
            "estate": {"type": "path"},
            "node": {"type": "str"},
            "root": {"type": "path", "default": "/var/lib/reseller-mail"},
            "keep": {"type": "int", "default": 5},
            "deletions_accepted": {"type": "int", "default": 0},
            "mail": {"type": "path", "default": "/srv/vmail"},
            "purge_confirmed": {"type": "list", "elements": "str", "default": []},
            "moving": {"type": "str", "default": ""},
            "moving_from": {"type": "str", "default": ""},
            "moving_step": {"type": "str", "choices": MOVING_STEPS, "default": "moved"},
            "deletion_guard": {"type": "dict"},
            "keys_reported": {"type": "bool", "default": True},
            "artefact": {"type": "path"},
            "digest": {"type": "str"},
        },
        required_if=[("state", "present", ("digest",))],
        supports_check_mode=True,
    )
    try:
        result = run(module)
    except LacksArtefactError:
        module.exit_json(changed=False, lacks_artefact=True)
    except (generation.GenerationError, OSError) as error:
        module.fail_json(msg=str(error))
    if result["faults"]:
        module.fail_json(
            msg=(
                "Everything is installed but for these DKIM keys, so the mail of their domains"
                " leaves unsigned. The role opendkim makes successors; a key that comes back is"
                " used again:\n"
            )
            + "\n".join(result["faults"]),
            **result,
        )
    module.exit_json(**result)


def run(module: AnsibleModule) -> dict[str, t.Any]:
    """Do what the parameters ask for, and return the module's result."""
    store = generation.Store(Path(module.params["root"]))
    with contextlib.nullcontext() if module.check_mode else store.lock():
        if module.params["state"] == "previous":
            return switched_back(module, store)
        return installed(module, store)


def installed(module: AnsibleModule, store: generation.Store) -> dict[str, t.Any]:
    """Install what is wanted, and return the module's result."""
    before = store.current()
    content = wanted(store, module.params)
    if not module.params["keys_reported"]:
        refuse_unsigned(store, content.node)
    guard(store, content, module.params, module.check_mode)
    after = generation.Known(content.files.get)
    generation.refuse_unmoved(
        generation.known(store, before), after, content.node, module.params["moving"]
    )
    retention = retention_of(store, module.params, module.params["purge_confirmed"])
    mail = retention.plan(after)
    retention.refuse_unconfirmed(mail, content.node)
    content, faults = generation.with_usable_keys(
        store, content, module.run_command, module.check_mode
    )
    steps = generation.plan(store, content).with_mail(mail.lines(int(time.time())))
    outcome = generation.Outcome(before or "", False, ())
    if steps and not module.check_mode:
        outcome = generation.apply(
            store,
            content,
            steps,
            module.run_command,
            module.params["keep"],
            retention=retention,
        )
    return {
        **result(module, before, steps, outcome),
        "faults": faults,
        "uncertified": uncertified(store, content),
        "unneeded_certificates": unneeded(store, before, content),
    }


def switched_back(module: AnsibleModule, store: generation.Store) -> dict[str, t.Any]:
    """Switch back to the previous generation, and return the module's result."""
    before = store.current()
    retention = retention_of(store, module.params, confirmed=())
    after = generation.known(store, generation.previous(store))
    # The name of the host, as no estate is read here.
    generation.refuse_unmoved(generation.known(store, before), after, "this host")
    mail = retention.plan(after)
    steps = generation.plan_rollback(store).with_mail(mail.lines(int(time.time())))
    outcome = generation.Outcome(before or "", False, ())
    if not module.check_mode:
        outcome = generation.roll_back(store, steps, module.run_command, retention=retention)
    return {
        **result(module, before, steps, outcome),
        "faults": [],
        "uncertified": [],
        "unneeded_certificates": [],
    }


def retention_of(
    store: generation.Store, params: dict[str, t.Any], confirmed: t.Iterable[str]
) -> generation.Retention:
    """Return what keeps and brings back the mail of mailboxes."""
    return generation.Retention(store, Path(params["mail"]), frozenset(confirmed))


def result(
    module: AnsibleModule,
    before: t.Optional[str],
    steps: generation.Transition,
    outcome: generation.Outcome,
) -> dict[str, t.Any]:
    """Return what the module returns for both states."""
    return {
        "changed": bool(steps),
        "generation": outcome.generation,
        "previous": before or "",
        "judged": outcome.judged,
        "reloaded": list(outcome.reloaded),
        "diff": {"prepared": steps.diff(module.check_mode)},
    }


def wanted(store: generation.Store, params: dict[str, t.Any]) -> generation.Content:
    """Return the content to install: what was shipped, or else what the current generation was made
    from.

    Raise LacksArtefactError if nothing was shipped and that is not the same.
    """
    if params["artefact"]:
        return generation.unpack(Path(params["artefact"]).read_bytes())
    current = store.current()
    try:
        # The manifest is small; the artefact of a large node takes seconds to read.
        if current is None or store.manifest(current).get("digest") != params["digest"]:
            raise LacksArtefactError
        content = store.content(current)
    except generation.GenerationError:  # the copy on the host is damaged
        raise LacksArtefactError from None
    if content.digest != params["digest"]:
        raise LacksArtefactError
    return content


def uncertified(store: generation.Store, content: generation.Content) -> list[str]:
    """Return the names of the content that have no certificate on the host yet."""
    names = content.files["tls/names"].splitlines()
    return [name for name in names if not (store.root / "tls" / name / "fullchain.pem").exists()]


def unneeded(
    store: generation.Store, before: t.Optional[str], content: generation.Content
) -> list[str]:
    """Return the names of the generation before that the content lacks, with a certificate."""
    try:
        names = (store.folder(before or "") / "tls/names").read_text("utf-8").splitlines()
    except OSError:
        return []
    gone = sorted(set(names) - set(content.files["tls/names"].splitlines()))
    return [name for name in gone if (store.root / "tls" / name).exists()]


def refuse_unsigned(store: generation.Store, node: str) -> None:
    """Raise GenerationError if the host signs mail now.

    Without a report of its keys, the next generation would sign nothing.
    """
    current = store.current()
    tables = store.folder(current).glob("opendkim*/signing_table") if current else ()
    if any(table.stat().st_size for table in tables):
        raise generation.GenerationError(
            f"the estate has no report of the DKIM keys of {node} (state/{node}.json), so its mail"
            " would leave unsigned; apply the role reseller.mail.opendkim in the same run, as site"
            " does: it reads the keys from the host"
        )


def guard(
    store: generation.Store, content: generation.Content, params: dict[str, t.Any], check_mode: bool
) -> None:
    """Raise GenerationError if the content removes more than the estate allows.

    What is served now is read from the model's file on the host, as it is.
    """
    current = store.current()
    if current is None or not params["deletion_guard"]:
        return
    model = store.model(current)
    if model == content.model:  # nothing goes
        before = after = deletion_guard.Served()
    else:
        before, after = deletion_guard.here(model), deletion_guard.known(content.files)
    where = f"on {content.node} this change"
    reason = deletion_guard.refusal(
        before,
        after,
        params["deletion_guard"],
        params["deletions_accepted"],
        where,
        passed(store, current),
    )
    if reason:
        raise generation.GenerationError(reason)
    if not check_mode:
        note(store, current, before.without(after))


def passed(store: generation.Store, current: str) -> deletion_guard.Served:
    """Return the deletions that an earlier run was allowed to make in the current generation.

    That run failed afterwards.
    """
    try:
        noted = json.loads((store.root / NOTE).read_bytes())
        return (
            deletion_guard.from_data(noted["gone"])
            if noted["generation"] == current
            else deletion_guard.Served()
        )
    except (OSError, ValueError, KeyError, TypeError):
        return deletion_guard.Served()


def note(store: generation.Store, current: str, gone: deletion_guard.Served) -> None:
    """Write which deletions may be made in the current generation.

    What came back into the files is not among them, and counts again if it goes.
    """
    path = store.root / NOTE
    if not gone:
        path.unlink(missing_ok=True)
        return
    new = store.root / f".{NOTE}.new"
    new.touch(mode=0o600)
    new.write_text(
        json.dumps({"generation": current, "gone": gone.as_data()}) + "\n", encoding="utf-8"
    )
    new.replace(path)


if __name__ == "__main__":
    main()
