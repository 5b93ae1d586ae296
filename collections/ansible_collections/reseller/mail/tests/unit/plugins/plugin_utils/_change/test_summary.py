# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change means, in words, as a comment and for programs."""

from __future__ import annotations

import json
import re

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._change import edits, summary
from ansible_collections.reseller.mail.plugins.plugin_utils._change.data import data
from ansible_collections.reseller.mail.plugins.plugin_utils._change.markdown import (
    LIMIT,
    MARK,
    markdown,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._change.summary import ChangeSummary
from ansible_collections.reseller.mail.plugins.plugin_utils._change.text import headline, text
from ansible_collections.reseller.mail.tests.unit.support import plan_estate as e

Files = dict[str, str]
VAULT = "!vault |\n      $ANSIBLE_VAULT;1.1;AES256\n      {}\n"


def plan(after: Files, before: Files | None = None, accepted: int = 1000) -> ChangeSummary:
    return summary.compare(
        e.revision(e.FILES if before is None else before, "before"),
        e.revision(after, "after"),
        accepted=accepted,
    )


def summary_of(after: Files, before: Files | None = None) -> list[str]:
    found = plan(after, before)
    assert not found.faults, [str(fault) for fault in found.faults]
    return text(found).splitlines()


def acme(*replacements: tuple[str, str]) -> Files:
    return dict(e.changed(e.FILES, e.ACME, *replacements))


def account(*replacements: tuple[str, str]) -> Files:
    return dict(e.changed(e.FILES, e.ACCOUNT, *replacements))


def moved() -> Files:
    """Return the files after a move: the new node has reported a key of the tenant."""
    key = {"domain": "acme.example", "selector": "mx2", "public": "MIIB" + 97 * "abcd"}
    report = json.dumps({"node": "mx2", "dkim": [key]})
    return {**account(("placement: mx1", "placement: mx2")), "state/mx2.json": report}


def test_a_placement_that_was_changed_by_hand_is_refused_and_a_move_is_not() -> None:
    found = plan(account(("placement: mx1", "placement: mx2")))
    assert not found.faults
    assert [fault.id for fault in found.unmoved] == data(found)["unmoved"][0]["id"].split()
    assert "Refused because mail has to be moved first" in text(found)
    assert "-e move_tenant=acme -e move_to=mx2" in " ".join(text(found).split())
    assert "Refused" in markdown(found)
    assert plan(moved()).unmoved == ()
    assert "placement-moves" in [mark.id for mark in plan(moved()).risks]


def test_no_change_is_one_sentence() -> None:
    assert summary_of(e.FILES) == ["before → after: nothing changes"]
    assert data(plan(e.FILES))["sections"] == []


def test_comments_change_nothing_and_are_listed() -> None:
    assert summary_of(acme(("mailboxes:", "# hello\nmailboxes:")) | {"README.md": "x"}) == [
        "Changed without effect",
        "  ~ README.md: added",
        "  ~ tenants/acme/acme.example.yml: changed in comments or layout",
        "",
        "before → after: nothing changes; 2 files changed without effect",
    ]


def test_a_plan_as_people_read_it() -> None:
    after = acme(
        ("quota: 5G", "quota: 10G"),
        (
            "  - name: small\n",
            "  - name: lee\n    quota: 3G\n    display_name: Lee\n    addons: [eas]\n",
        ),
        ("stage: observe", "stage: reject"),
    )
    assert (
        summary_of(after)
        == """\
tenant acme (Acme Corporation)
    ~ domain acme.example: dmarc.stage observe → reject
    ~ mailbox jo@acme.example: quota 5G → 10G
    + mailbox lee@acme.example: quota 3G, display_name Lee, addons eas
    - mailbox small@acme.example
  ledger
    ~ tenant acme: storage 17G → 23G of 500G
    ~ owner it@acme.example: storage 15G → 21G
    ~ domain acme.example: storage 15G → 21G
  stored mail and passwords
    ~ kept for 30 days, then deleted: 1 mailbox (small@acme.example)
  month EUR 24.50 → EUR 29.50
    - 2 × storage tranche of 10G at EUR 2.00: EUR 4.00
    + 1 × add-on eas at EUR 3.00: EUR 3.00
    + 3 × storage tranche of 10G at EUR 2.00: EUR 6.00

Risks
  ! acme: dmarc-tightens: domain acme.example: dmarc.stage observe → reject: receivers refuse more mail that does not pass DMARC
  ! acme: mailbox-leaves: mailbox small@acme.example: the mailbox and its mail are no longer served; the host keeps the mail for a time

before → after: 1 added, 2 changed, 1 removed; 1 tenant touched; 2 risks""".splitlines()
    )


def test_a_rename_is_one_that_goes_and_one_that_comes() -> None:
    lines = summary_of(acme(("name: small", "name: tiny")))
    assert "    + mailbox tiny@acme.example: quota 2G" in lines
    assert "    - mailbox small@acme.example" in lines


def test_many_that_change_alike_are_listed_once_and_what_is_inherited_once_above() -> None:
    lines = summary_of(dict(e.changed(e.FILES, "plans.yml", ("default: 2G", "default: 3G"))))
    assert (
        "    ~ 6 mailboxes: quota 2G → 3G (orders@acme-shop.example, it@acme.example,"
        " ann@acme.example and 3 more)" in lines
    )
    lines = summary_of(acme(("mailboxes:", "locale: de\nmailboxes:")))
    assert [line for line in lines if "locale" in line] == [
        "    ~ domain acme.example: locale en → de"
    ]
    lines = summary_of(acme(("mailboxes:", "rate_limits: {messages_per_hour: 9}\nmailboxes:")))
    assert [line for line in lines if "messages" in line] == [
        "    ~ domain acme.example: rate_limits.messages_per_hour nothing → 9"
    ]


def test_limits_of_sending_are_listed_with_their_effect() -> None:
    lines = summary_of(
        account(
            (
                "state: active",
                "state: active\nsending_limits: {messages_per_hour: 300}\n"
                "domain_limits: [{name: acme.example, messages_per_hour: 100}]",
            )
        )
    )
    assert [line for line in lines if "messages_per_hour" in line] == [
        "    ~ tenant acme: sending_limits.messages_per_hour unlimited → 300",
        "    + domain limits acme.example: messages_per_hour 100",
    ]


def test_another_contact_is_listed_with_its_records() -> None:
    named = dict(
        e.changed(
            e.FILES,
            "estate.yml",
            ("domain: hosting.example}", "domain: hosting.example, contact: jo@acme.example}"),
        )
    )
    lines = summary_of(named)
    assert "    ~ provider: provider.contact nothing → jo@acme.example" in lines
    assert "    + hosting.example MX 10 mx1.hosting.example." in lines
    moved = summary_of(
        {**named, "estate.yml": named["estate.yml"].replace("contact: jo@", "contact: it@")}, named
    )
    assert "    ~ provider: provider.contact jo@acme.example → it@acme.example" in moved


def test_several_keys_of_one_object_are_below_it() -> None:
    lines = summary_of(acme(("    quota: 5G\n", "    quota: 6G\n    display_name: Jo\n")))
    at = lines.index("    ~ mailbox jo@acme.example")
    assert lines[at + 1 : at + 3] == [
        "    ~     quota 5G → 6G",
        "    ~     display_name nothing → Jo",
    ]


@pytest.mark.parametrize("output", [text, markdown, lambda found: json.dumps(data(found))])
def test_no_secret_is_shown(output: object) -> None:
    before = acme(("    quota: 5G\n", f"    quota: 5G\n    password: {VAULT.format('61626364')}"))
    after = acme(("    quota: 5G\n", f"    quota: 5G\n    password: {VAULT.format('65666768')}"))
    for old, new, word in (
        (before, after, "changes"),
        (e.FILES, after, "set"),
        (before, e.FILES, "removed"),
    ):
        found = plan(new, old)
        printed = output(found)
        assert "6566" not in printed
        assert "6162" not in printed
        assert f"password {word}" in text(found)
    assert "password-changes" in text(plan(after, before))


@pytest.mark.parametrize(
    ("after", "before", "risk"),
    [
        (
            {path: words for path, words in e.FILES.items() if "globex" not in path},
            e.FILES,
            "tenant-leaves",
        ),
        (e.without(e.FILES, e.SHOP), e.FILES, "domain-leaves"),
        (acme(("  - name: small\n", "")), e.FILES, "mailbox-leaves"),
        (
            e.FILES,
            acme(("dmarc:", "domain_aliases: [acme-mail.example]\ndmarc:")),
            "domain-alias-leaves",
        ),
        (acme(("stage: observe", "stage: test")), e.FILES, "dmarc-tightens"),
        (
            acme(("dmarc:", "mta_sts: {mode: enforce}\ndmarc:")),
            acme(("dmarc:", "mta_sts: {mode: testing}\ndmarc:")),
            "mta-sts-tightens",
        ),
        (acme(("dmarc:", "mta_sts: {mode: enforce}\ndmarc:")), e.FILES, "mta-sts-tightens"),
        (
            acme(("stage: observe", "stage: test, override: {reason: now}")),
            acme(("stage: observe", "stage: test")),
            "dmarc-tightens",
        ),
        (account(("state: active", "state: suspended")), e.FILES, "suspension"),
        (account(("state: active", "state: terminated")), e.FILES, "termination"),
        (
            account(("state: active", "state: terminated\npurge: true")),
            account(("state: active", "state: terminated")),
            "purge",
        ),
        (account(("placement: mx1", "placement: mx2")), e.FILES, "placement-moves"),
        (acme(("owner: ann@", "owner: it@")), e.FILES, "owner-changes"),
        (acme(("quota: 5G", "state: suspended")), e.FILES, "suspension"),
        (acme(("quota: 5G", "credentials: external")), e.FILES, "login-leaves"),
        (acme(("quota: 5G", "domain_admin: true")), e.FILES, "rights-grow"),
        (
            account(("state: active", "state: active\nsuspended_domains: [acme.example]")),
            e.FILES,
            "suspension",
        ),
        (
            account(("state: active", "state: active\ndefaults: {retention: 5}")),
            e.FILES,
            "retention-shortens",
        ),
    ],
)
def test_risks_are_marked_and_their_opposite_is_none(
    after: Files, before: Files, risk: str
) -> None:
    found = plan(after, before)
    assert not found.faults, [str(fault) for fault in found.faults]
    assert risk in [mark.id for mark in found.risks]
    assert (
        risk not in [mark.id for mark in plan(before, after).risks]
        or risk == "owner-changes"
        or risk == "placement-moves"
    )


def test_the_target_and_the_step_are_different_changes() -> None:
    wants = acme(("stage: observe", "stage: reject"))
    lines = summary_of(wants)
    assert "    ~ domain acme.example: dmarc.stage observe → reject" in lines
    assert not [line for line in lines if "TXT" in line], "nothing was promoted"

    def carried(step: str) -> Files:
        state = {
            "promoted": [
                {
                    "domain": "acme.example",
                    "tenant": "acme",
                    "policy": "dmarc",
                    "step": step,
                    "since": "2026-03-31",
                }
            ]
        }
        return {**wants, "state/promoted_domains.json": json.dumps(state)}

    assert summary_of(carried("quarantine"), carried("test"))[:4] == [
        "tenant acme (Acme Corporation)",
        "    ~ promotion of dmarc of acme.example: step test → quarantine",
        "  DNS",
        (
            "    ~ _dmarc.acme.example TXT v=DMARC1; p=quarantine; t=y → v=DMARC1; p=quarantine  "
            " (not the provider's zone)"
        ),
    ]


def test_saying_what_holds_anyway_tightens_nothing() -> None:
    found = plan(
        acme(("stage: observe", "stage: observe, subdomains: observe, nonexistent: observe")),
        e.FILES,
    )
    assert not found.faults, [str(fault) for fault in found.faults]
    assert not found.risks


def test_faults_in_the_new_files_refuse_and_those_in_the_old_ones_do_not() -> None:
    broken = acme(("quota: 5G", "quota: lots"))
    refused = plan(broken)
    assert refused.refused
    assert headline(refused) == "before → after: refused, because the new files have 1 fault"
    repaired = plan(e.FILES, broken)
    assert not repaired.refused
    assert "before has 1 fault itself; compared with what could be read of it" in text(repaired)
    empty = plan(e.FILES, {})
    assert not empty.refused
    assert empty.counts()["added"] > 15
    assert "+ mailbox jo@acme.example: quota 5G" in text(empty)


def test_a_broken_estate_before_never_breaks_the_plan() -> None:
    """Every file left out, or cut off somewhere: whatever could be read is compared."""
    for path in e.FILES:
        assert text(plan(e.FILES, e.without(e.FILES, path)))
        for cut in (1, 20, 90):
            found = plan(e.FILES, {**e.FILES, path: e.FILES[path][:cut]})
            assert text(found)
            assert json.dumps(data(found))


def test_the_guard_judges_the_estate_and_each_node_by_the_shares_before() -> None:
    boxes = "".join(f"  - name: box{number}\n    quota: 1G\n" for number in range(15))
    before = acme(("  - name: small\n", boxes))
    refused = plan(e.FILES, before, accepted=0)
    assert refused.deletions.startswith(
        "this change removes 15 of 23 mailboxes (box0@acme.example, box10@acme.example,"
        " box11@acme.example and 12 more)"
    )
    assert refused.refused
    assert not plan(e.FILES, before, accepted=15).refused
    loose = dict(
        e.changed(e.FILES, "estate.yml", ("billing:", "deletion_guard: {mailboxes: 100}\nbilling:"))
    )
    assert plan(loose, before, accepted=0).refused, "a change cannot loosen the guard for itself"
    gone = account(("state: active", "state: terminated"))
    assert plan(gone, accepted=0).deletions.startswith("on mx1 this change removes 1 of 1 tenants")
    assert not plan(moved(), accepted=0).refused
    by_hand = plan(account(("placement: mx1", "placement: mx2")), accepted=0)
    assert (by_hand.deletions, by_hand.refused) == ("", True)


def without_acme() -> Files:
    role = "  - {identity: it-acme, role: tenant_admin, tenant: acme, address: it@acme.example}\n"
    files = e.changed(e.FILES, "estate.yml", (role, ""))
    return {path: text for path, text in files.items() if not path.startswith("tenants/acme/")}


def test_a_long_change_that_is_refused_has_one_line_for_each_tenant() -> None:
    gone = without_acme()
    accepted, refused = text(plan(gone)), text(plan(gone, accepted=0))
    assert "\ntenant acme (Acme Corporation)\n    - tenant acme\n" in f"\n{accepted}"
    assert refused.splitlines()[:5] == [
        "provider: 1 removed",
        ("tenant acme (Acme Corporation): 14 removed, 26 DNS records, month EUR 24.50 → EUR 0.00"),
        "The files of plan_markdown and plan_json have every change.",
        "",
        "Refused by the deletion guard",
    ]
    assert len(refused.splitlines()) < 20 < len(accepted.splitlines())
    assert "    - mailbox small@acme.example" in text(
        plan(acme(("  - name: small\n", "")), accepted=0)
    ), "a short change is shown whole"


def hostile() -> Files:
    name = (
        '"``` </details> @everyone <img src=x> [x](http://evil.example) /approve &amp; ````` {{ 7*7'
        ' }} ✅"'
    )
    return acme(("quota: 5G", f"display_name: {name}"))


def test_text_of_tenants_stays_in_its_block() -> None:
    comment = markdown(plan(hostile()))
    assert comment.startswith(MARK)
    outside = re.sub(r"(?m)^(`{3,})diff\n(?:.*\n)*?\1\n", "", comment)
    for word in ("everyone", "evil", "img", "approve", "7*7", "Acme Corporation"):
        assert word not in outside
        assert word in comment
    assert "\n``````diff\n" in comment, "a fence longer than any in the text"
    assert not [line for line in comment.splitlines() if line.startswith("/")]


def test_a_long_section_is_folded_and_a_comment_never_too_long() -> None:
    boxes = "".join(
        f"  - name: box{number:03}\n    quota: 1G\n    display_name: {'x' * 90}\n"
        for number in range(90)
    )
    after = dict(
        e.changed(acme(("  - name: small\n", boxes)), e.GLOBEX, ("name: bob", "name: rob"))
    )
    found = plan(after)
    comment = markdown(found)
    assert "<details><summary><code>acme</code>:" in comment
    assert "### `globex`" in comment
    for limit in (1500, 3000, 10_000):
        short = markdown(found, limit)
        assert len(short) <= limit
        assert (
            "*Shortened: 1 section not shown. The whole summary is in the pipeline's artefact.*"
            in short
        )
    many = plan(e.without(after, e.ACME), after)
    assert len(markdown(many)) <= LIMIT
    assert len(markdown(plan({}, e.FILES), 800)) <= 800


def test_json_is_what_the_text_says() -> None:
    found = data(plan(acme(("quota: 5G", "quota: 10G"))))
    assert found["counts"] == {"added": 0, "changed": 1, "removed": 0}
    section = found["sections"][0]
    assert section["changes"] == [
        {
            "action": "changed",
            "kind": "mailbox",
            "name": "jo@acme.example",
            "keys": [{"key": "quota", "before": "5G", "after": "10G"}],
            "file": e.ACME,
            "line": 7,
            "column": 12,
        }
    ]
    assert section["bill"]["after"] == "26.50"
    assert {entry["counter"] for entry in section["ledger"]} == {"storage"}


def test_every_key_of_the_files_is_listed() -> None:
    """One change of each kind of key, so that nothing of the language is silent in a plan."""
    provider = dict(
        e.changed(
            e.FILES,
            "estate.yml",
            ("name: Example Hosting", "name: Other"),
            ("currency: EUR", "currency: CHF"),
            ("identity: ops", "identity: ops2"),
            ("192.0.2.1", "192.0.2.7"),
        )
    )
    lines = "\n".join(summary_of(provider))
    for part in (
        "provider.name Example Hosting → Other",
        "currency EUR → CHF",
        "+ role operator for ops2",
        "- role operator for ops",
        "addresses 192.0.2.1 → 192.0.2.7",
    ):
        assert part in lines
    plans = "\n".join(
        summary_of(
            dict(
                e.changed(
                    e.FILES,
                    "plans.yml",
                    ("max: 20G", "max: 30G"),
                    ("price: 3", "price: 5"),
                    ("price: 6", "price: 7"),
                    ("price: 2", "price: 1"),
                )
            )
        )
    )
    for part in (
        "mailbox_quota.max 20G → 30G",
        "add-on eas: price 3 → 5",
        "add-on bundle eas + mapi: price 6 → 7",
        "prices.storage.price 2 → 1",
    ):
        assert part in plans


def test_edits_of_lists_are_by_name_not_by_place() -> None:
    after = acme(("  - name: it\n", "  - name: aaa\n  - name: it\n"))
    found = edits.edits(e.revision(e.FILES), e.revision(after))
    assert [(edit.path, edit.what, edit.text) for edit in found] == [
        (("mailboxes", ":aaa", "name"), "added", "aaa")
    ]
    moved = acme(("  - name: small\n", ""), ("  - name: it\n", "  - name: small\n  - name: it\n"))
    assert [edit.what for edit in edits.edits(e.revision(e.FILES), e.revision(moved))] == [
        "changed in comments or layout"
    ]


@pytest.mark.parametrize(
    ("after", "before", "line"),
    [
        (
            account(("state: active", "state: terminated")),
            e.FILES,
            r"  ~ kept for 30 days, then deleted: \d+ mailboxes \(ann@acme\.example, .* more\)",
        ),
        (
            account(("state: active", "state: terminated\ndefaults: {retention: 1}")),
            e.FILES,
            r"  ~ kept for 1 day, then deleted: \d+ mailboxes .*",
        ),
        (
            account(("state: active", "state: terminated\npurge: true")),
            e.FILES,
            r"  - deleted at once by a run with -e mail_purge_confirmed=acme: \d+ mailboxes .*",
        ),
        (
            account(("state: active", "state: terminated\npurge: true")),
            account(("state: active", "state: terminated")),
            r"  - deleted at once by a run with -e mail_purge_confirmed=acme: \d+ mailboxes .*",
        ),
        (
            e.FILES,
            account(("state: active", "state: terminated")),
            r"  \+ returns, if the node still keeps it: \d+ mailboxes .*",
        ),
    ],
)
def test_the_stored_mail_that_a_run_touches_is_announced(
    after: Files, before: Files, line: str
) -> None:
    lines = summary_of(after, before)
    assert any(re.fullmatch(f"  {line}", each) for each in lines), lines
    section = next(one for one in data(plan(after, before))["sections"] if one["tenant"] == "acme")
    assert "jo@acme.example" in section["mail"][0]["mailboxes"]


@pytest.mark.parametrize(
    "change",
    [("state: active", "state: pending"), ("placement: mx1", "placement: mx2")],
    ids=["the tenant waits", "another node serves it"],
)
def test_mail_that_stays_where_it_is_is_not_announced(change: tuple[str, str]) -> None:
    sections = data(plan(account(change)))["sections"]
    assert [section["mail"] for section in sections if section["tenant"] == "acme"] == [[]]
