# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may make a change. Each refusal here is somebody trying to get something that is not
theirs."""

from __future__ import annotations

import base64
import typing as t

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._change import rights, summary
from ansible_collections.reseller.mail.plugins.plugin_utils._change.revision import (
    EXECUTABLE,
    FILE,
    LINK,
    PIN,
    Entry,
    Revision,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._load import build
from ansible_collections.reseller.mail.tests.unit.support import plan_estate as e

Files = dict[str, str]
BOSS, OPS, IT, ANN, DOM, DEL, JO, GLOBEX = (
    "boss",
    "ops",
    "it-acme",
    "ann@acme.example",
    "dom@acme.example",
    "del@acme.example",
    "jo@acme.example",
    "ann@globex.example",
)


def refusals(
    who: str,
    after: Files | Revision,
    before: Files | Revision | None = None,
    groups: tuple[str, ...] = (),
    approvers: tuple[str, ...] = (),
) -> list[str]:
    sides = [
        side if isinstance(side, Revision) else e.revision(side)
        for side in (e.FILES if before is None else before, after)
    ]
    plan = summary.compare(*sides, summary.Actor(who, groups, approvers), 1000)
    assert not plan.faults, [str(fault) for fault in plan.faults]
    return [
        f"{refusal.position.file}:{refusal.position.line} {refusal.what}"
        for refusal in plan.refusals
    ]


def test_the_estate_of_these_tests_is_without_fault() -> None:
    assert [
        str(fault) for fault in build({path: text.encode() for path, text in e.FILES.items()})[1]
    ] == []


def edit(path: str, *replacements: tuple[str, str]) -> Files:
    return t.cast(Files, e.changed(e.FILES, path, *replacements))


KEY = base64.b64encode(bytes(294)).decode()
JO_GROWS = edit(e.ACME, ("quota: 5G", "quota: 6G"))
NEW_BOX = edit(e.ACME, ("  - name: small\n", "  - name: small\n  - {name: lee, owner: WHO}\n"))
SMIME = "  - name: {}\n    smime: {{certificate: CERT, uploaded_by: {}}}\n"
TENANT = {
    "tenants/hooli/account.yml": (
        e.FILES["tenants/globex/account.yml"].replace("globex", "hooli").replace("Globex", "Hooli")
    ),
    "tenants/hooli/hooli.example.yml": "mailboxes: [{name: ann}]\n",
}


def new_box(owner: str) -> Files:
    return e.changed(NEW_BOX, e.ACME, ("WHO", owner))


@pytest.mark.parametrize(
    ("who", "after"),
    [
        (BOSS, {**e.FILES, **TENANT}),
        (
            BOSS,
            e.without(e.FILES, *[path for path in e.FILES if path.startswith("tenants/globex/")]),
        ),
        (
            BOSS,
            edit(e.ACCOUNT, ("default_owner: it@", "limits: {storage: 100G}\ndefault_owner: ann@")),
        ),
        (BOSS, edit("plans.yml", ("monthly: 10", "monthly: 12"))),
        (BOSS, edit("estate.yml", ("identity: ops", "identity: ops2"))),
        (BOSS, JO_GROWS),
        (
            OPS,
            edit(
                "estate.yml",
                ("[mail.stranger.example]", "[mail.stranger.example, new.stranger.example]"),
            ),
        ),
        (OPS, edit("estate.yml", ("addresses: [192.0.2.1]", "addresses: [192.0.2.9]"))),
        (OPS, edit(e.ACCOUNT, ("placement: mx1", "placement: mx2"))),
        (
            OPS,
            edit(
                "state/mx1.json",
                ("[]", '[{"domain": "acme.example", "selector": "mx1", "public": "' + KEY + '"}]'),
            ),
        ),
        (IT, JO_GROWS),
        (IT, new_box("it@acme.example")),
        (
            IT,
            edit(e.ACME, ("  - name: small\n", "  - name: small\n  - name: lee\n")),
        ),  # the account's default owner
        (ANN, new_box("ann@acme.example")),
        (ANN, edit(e.ACME, ("  - name: small\n", ""))),
        (
            ANN,
            JO_GROWS,
        ),  # somebody else's mailbox: its owner's counter moves, its owner does not (S1-12)
        (IT, {**e.FILES, "tenants/acme/acme-new.example.yml": "mailboxes: [{name: x}]\n"}),
        (IT, e.without(e.FILES, e.SHOP)),
        (
            IT,
            edit(e.ACME, ("to: [jo]", "to: [jo, ann@globex.example]")),
        ),  # mail may go to a neighbour
        (IT, {**e.FILES, "tenants/acme/README.md": "ours\n"}),
        (IT, edit(e.ACME, ("mailboxes:", "# a comment\nmailboxes:"))),
        (IT, edit(e.ACME, ("  - name: jo\n", "  - name: jo\n    domain_admin: true\n"))),
        (DOM, JO_GROWS),
        (DOM, new_box("dom@acme.example")),
        (DEL, JO_GROWS),
        (
            JO,
            edit(
                e.ACME,
                (
                    "    quota: 5G\n",
                    (
                        "    quota: 5G\n    display_name: Jo\n    forward: {to:"
                        " [me@elsewhere.example]}\n"
                    ),
                ),
            ),
        ),
        (GLOBEX, edit(e.GLOBEX, ("name: bob", "name: rob"))),
    ],
)
def test_what_is_allowed(who: str, after: Files) -> None:
    assert refusals(who, after) == []


@pytest.mark.parametrize(
    ("who", "after", "expected"),
    [
        # the provider's own people keep apart what S3 keeps apart
        (
            BOSS,
            edit("estate.yml", ("[mail.stranger.example]", "[evil.example]")),
            ["estate.yml:5 boss may not change approved_hosts"],
        ),
        (
            BOSS,
            edit(
                "state/mx1.json",
                ("[]", '[{"domain": "acme.example", "selector": "mx1", "public": "' + KEY + '"}]'),
            ),
            ["state/mx1.json:1"],
        ),
        (
            OPS,
            {**e.FILES, **TENANT},
            [
                "tenants/hooli/account.yml:1 ops may not add this file",
                "tenants/hooli/hooli.example.yml:1 ops may not add this file",
            ],
        ),
        (OPS, JO_GROWS, [f"{e.ACME}:7 ops may not change quota of jo"]),
        (
            OPS,
            edit(
                "estate.yml",
                ("{identity: ops, role: operator}", "{identity: ops, role: super_admin}"),
            ),
            ["estate.yml:9 ops may not change role of ops"],
        ),
        # a tenant admin who wants more than the tenant
        (
            IT,
            edit(
                "estate.yml",
                ("role: tenant_admin, tenant: acme, address: it@acme.example", "role: super_admin"),
            ),
            [
                "estate.yml:11 it-acme may not change role of it-acme",
                "estate.yml:11 it-acme may not remove tenant, address of it-acme",
            ],
        ),
        (
            IT,
            {
                **edit(
                    "estate.yml",
                    (
                        "address: it@acme.example}\n",
                        "address: it@acme.example}\n  - {identity: it-acme, role: super_admin}\n",
                    ),
                ),
                **TENANT,
            },
            [
                "estate.yml:12 it-acme may not add identity, role of it-acme",
                "tenants/hooli/account.yml:1",
                "tenants/hooli/hooli.example.yml:1",
            ],
        ),
        (
            IT,
            edit(
                "tenants/globex/account.yml", ("admins: [", "admins: [{address: it@acme.example}, ")
            ),
            ["tenants/globex/account.yml:6 it-acme may not add address of it@acme.example"],
        ),
        (
            IT,
            edit(e.ACCOUNT, ("plan: business\n", "plan: business\nlimits: {storage: 400G}\n")),
            [f"{e.ACCOUNT}:3 it-acme may not add limits.storage"],
        ),
        (
            IT,
            edit(e.ACCOUNT, ("acme-new.example]", "acme-new.example, more.example]")),
            [f"{e.ACCOUNT}:10 it-acme may not change domains"],
        ),
        (
            IT,
            edit("plans.yml", ("max: 20G", "max: 90G")),
            ["plans.yml:5 it-acme may not change mailbox_quota.max of business"],
        ),
        (
            IT,
            edit(e.GLOBEX, ("- name: bob", "- name: bob\n    forward: {to: [it@acme.example]}")),
            [f"{e.GLOBEX}:4 it-acme may not add forward.to of bob"],
        ),
        (
            IT,
            {
                **e.FILES,
                e.GLOBEX: e.FILES[e.GLOBEX] + "aliases: [{name: it, to: [it@acme.example]}]\n",
            },
            [f"{e.GLOBEX}:4 it-acme may not add name, to of it"],
        ),
        (
            IT,
            {
                **edit(
                    "tenants/globex/account.yml",
                    ("[globex.example]", "[globex.example, more.example]"),
                ),
                **{"x": ""},
            },
            ["tenants/globex/account.yml:7", "x:1 it-acme may not add this file"],
        ),
        # moving a file, renaming a folder
        (
            IT,
            {
                **e.without(
                    e.changed(
                        edit(e.ACCOUNT, ("acme-shop.example, ", "")),
                        "tenants/globex/account.yml",
                        ("[globex.example]", "[globex.example, acme-shop.example]"),
                    ),
                    e.SHOP,
                ),
                "tenants/globex/acme-shop.example.yml": e.FILES[e.SHOP],
            },
            [
                f"{e.ACCOUNT}:10",
                "tenants/globex/account.yml:7",
                "tenants/globex/acme-shop.example.yml:1 it-acme may not add this file",
            ],
        ),
        (
            IT,
            {
                path.replace("tenants/acme/", "tenants/acme2/"): text
                for path, text in edit("estate.yml", ("tenant: acme,", "tenant: acme2,")).items()
            },
            ["estate.yml"]
            + ["tenants/acme/account.yml:1 it-acme may not remove this file"]
            + ["tenants/acme2/"] * 3,
        ),
        # charging somebody else
        (
            IT,
            edit(e.ACME, ("owner: ann@", "owner: it@")),
            [
                "may not move the mailbox ann@acme.example from the account of ann@acme.example to"
                " the account of it@acme.example"
            ],
        ),
        (
            IT,
            edit(e.ACME, ("    owner: ann@acme.example\n", "")),
            ["may not move the mailbox ann@acme.example"],
        ),
        (
            ANN,
            edit(e.ACME, ("mailboxes:", "owner: ann@acme.example\nmailboxes:")),
            ["may not move the domain acme.example from the account of it@acme.example"],
        ),
        (
            ANN,
            new_box("it@acme.example"),
            ["may not charge the new mailbox lee@acme.example to it@acme.example"],
        ),
        (
            ANN,
            edit(e.ACME, ("  - name: small\n", "  - name: small\n  - name: lee\n")),
            ["may not charge the new mailbox lee@acme.example to it@acme.example"],
        ),
        (
            ANN,
            {**e.FILES, "tenants/acme/acme-new.example.yml": "mailboxes: []\n"},
            ["may not charge the new domain acme-new.example"],
        ),
        # a domain admin who wants the tenant
        (
            DOM,
            edit(e.SHOP, ("orders", "order")),
            [
                f"{e.SHOP}:2 dom@acme.example may not charge the new mailbox order@",
                "may not add name of order as",
                "may not remove name of orders",
            ],
        ),
        (
            DOM,
            e.without(e.FILES, e.ACME, e.SHOP) | {e.ACME: e.FILES[e.ACME]},
            [f"{e.SHOP}:1 dom@acme.example may not remove this file"],
        ),
        (
            DOM,
            edit(e.ACME, ("  - name: jo\n", "  - name: jo\n    domain_admin: true\n")),
            [f"{e.ACME}:7 dom@acme.example may not add domain_admin of jo"],
        ),
        (
            DEL,
            edit(e.ACME, ("    domain_admin: true\n", "    domain_admin: false\n")),
            [f"{e.ACME}:9 del@acme.example may not change domain_admin of del"],
        ),
        (
            DEL,
            edit(e.ACME, ("dmarc:", "domain_aliases: [acme-mail.example]\ndmarc:")),
            ["may not add domain_aliases", "may not charge the new domain alias"],
        ),
        # a user who wants more than a mailbox
        (
            JO,
            edit(e.ACME, ("quota: 5G", "quota: 20G")),
            [f"{e.ACME}:7 jo@acme.example may not change quota of jo"],
        ),
        (
            JO,
            edit(e.ACME, ("  - name: small\n", "  - name: small\n    display_name: Tiny\n")),
            ["jo@acme.example may not add display_name of small"],
        ),
        (
            JO,
            edit(e.ACME, ("to: [jo]", "to: [jo, small]")),
            ["jo@acme.example may not change to of sales"],
        ),
        # no role at all
        (
            "newcomer",
            JO_GROWS,
            [
                "newcomer may not change quota of jo: before this change, no role belongs to"
                " this name"
            ],
        ),
        ("acme.example", JO_GROWS, ["no role belongs to this name"]),
        ("ıt-acme", JO_GROWS, ["no role belongs to this name"]),
        ("it-acme\u200b", JO_GROWS, ["no role belongs to this name"]),
    ],
)
def test_what_is_refused(who: str, after: Files, expected: list[str]) -> None:
    found = refusals(who, after)
    assert len(found) == len(expected), found
    for part, refused in zip(expected, found, strict=True):
        assert part in refused, found


def test_identities_know_no_case_and_groups_give_roles() -> None:
    assert refusals("IT-Acme", JO_GROWS) == []
    assert refusals("ANN@acme.example", new_box("ann@acme.example")) == []
    nodes = edit("estate.yml", ("addresses: [192.0.2.1]", "addresses: [192.0.2.9]"))
    assert refusals("somebody", nodes)
    assert refusals("somebody", nodes, groups=("hosting/operators",)) == []


def test_an_owner_who_approves_may_be_charged() -> None:
    change = edit(e.ACME, ("owner: ann@", "owner: it@"))
    assert refusals(IT, change)
    assert refusals(IT, change, approvers=("boss",))
    assert refusals(IT, change, approvers=(ANN,)) == []


def test_a_suspended_mailbox_has_no_rights() -> None:
    after = edit(e.ACME, ("    quota: 5G\n", "    quota: 5G\n    display_name: Jo\n"))
    assert refusals(JO, after) == []
    suspended = edit(e.ACME, ("    quota: 5G\n", "    quota: 5G\n    state: suspended\n"))
    both = edit(
        e.ACME, ("    quota: 5G\n", "    quota: 5G\n    state: suspended\n    display_name: Jo\n")
    )
    assert refusals(JO, both, suspended) == [
        f"{e.ACME}:9 {JO} may not add display_name of jo: before this change, no role belongs to"
        " this name"
    ]


def test_letters_beyond_ascii_are_not_folded_into_others() -> None:
    """The Kelvin sign's lower case is the k of ASCII, so that somebody could register it."""
    estate, _faults = build(
        {
            path: text.encode()
            for path, text in edit("estate.yml", ("identity: ops", "identity: kate")).items()
        }
    )
    assert estate is not None
    assert rights.of_actor(estate, "KATE").grants
    assert not rights.of_actor(estate, "\u212aate").grants


def test_a_suspended_tenant_s_people_have_no_rights() -> None:
    before = edit(e.ACCOUNT, ("state: active", "state: suspended"))
    after = e.changed(before, e.ACME, ("quota: 5G", "quota: 6G"))
    assert refusals(IT, after, before)
    assert refusals(BOSS, after, before) == []


@pytest.mark.parametrize(
    "path",
    [
        "tenants/ACME/acme.example.yml",
        "tenants/acme/ACME-NEW.example.yml",
        "tenants/acme/.gitlab-ci.yml",
        "tenants/acme/.gitattributes",
        "tenants/acme/CODEOWNERS",
        "CODEOWNERS",
        "tenants/acme/sub/acme.example.yml",
        "tenants/notes",
    ],
)
def test_files_that_no_playbook_reads_are_refused_too(path: str) -> None:
    assert refusals(IT, e.revision(e.FILES, around={path: Entry(FILE, "x")})) != []


@pytest.mark.parametrize("kind", [LINK, EXECUTABLE, PIN, "special file"])
def test_a_file_that_becomes_something_else_is_refused(kind: str) -> None:
    after = e.revision(e.FILES, around={e.ACME: Entry(kind, "x")})
    assert refusals(IT, after) == [
        f"{e.ACME}:1 it-acme may not change this {kind} as tenant_admin of acme; no playbook reads it"
    ]


def test_a_pin_that_moves_is_judged_by_the_files_behind_it() -> None:
    pin = {"tenants/acme": Entry(PIN, "1")}, {"tenants/acme": Entry(PIN, "2")}
    assert (
        refusals(IT, e.revision(JO_GROWS, around=pin[1]), e.revision(e.FILES, around=pin[0])) == []
    )
    assert (
        refusals(GLOBEX, e.revision(JO_GROWS, around=pin[1]), e.revision(e.FILES, around=pin[0]))
        != []
    )
    assert refusals(IT, e.revision(e.FILES, around=pin[1]), e.FILES) != []


@pytest.mark.parametrize(
    ("path", "ops"),
    [
        (".gitlab-ci.yml", 1),
        (".github/workflows/mail.yml", 1),
        ("docs/CODEOWNERS", 1),
        (".gitmodules", 1),
        ("site.yml", 0),
    ],
)
def test_what_is_around_the_estate(path: str, ops: int) -> None:
    before, after = (
        e.revision(e.FILES, prefix="estates/example/", around={path: Entry(FILE, digest)})
        for digest in "12"
    )
    assert len(refusals(IT, after, before)) == 1
    assert len(refusals(OPS, after, before)) == ops
    assert refusals(BOSS, after, before) == []


def test_certificates_of_other_people(certificate: str) -> None:
    """S3-8, S3-9: one's own, or a regular user's of the tenant; a super admin anybody's, an
    operator and a domain admin none."""

    def brings(who: str, name: str, uploaded_by: str) -> list[str]:
        indented = certificate.replace("\n", "\n        ")
        text = (
            f"  - name: {name}\n    smime:\n      uploaded_by: {uploaded_by}\n      certificate:"
            f" |\n        {indented}\n"
        )
        plan = summary.compare(
            e.revision(e.FILES),
            e.revision(edit(e.ACME, (f"  - name: {name}\n", text))),
            summary.Actor(who),
        )
        return [fault.what for fault in (*plan.faults, *plan.refusals)]

    assert brings(IT, "jo", "it@acme.example") == []
    assert brings(IT, "it", "it@acme.example") == []
    for name, uploaded_by in (
        ("ann", "it@acme.example"),
        ("del", "it@acme.example"),
        ("ann", "root@hosting.example"),
        ("jo", "ann@acme.example"),
    ):
        assert "may not" in brings(IT, name, uploaded_by)[0]
    assert brings(BOSS, "ann", "root@hosting.example") == []
    assert brings(OPS, "jo", "it@acme.example") != []
    assert brings(DOM, "jo", "it@acme.example") != []
    assert brings(JO, "jo", "it@acme.example") != []


def test_another_admin_s_certificate_is_not_exchanged_either(certificate: str) -> None:
    """Neither where it says who brought it already, nor behind a file that was something else
    before."""

    def with_certificate(name: str, body: str) -> Files:
        indented = body.replace("\n", "\n        ")
        lines = (
            f"  - name: {name}\n    smime:\n      uploaded_by: {ANN}\n      certificate: |\n       "
            f" {indented}\n"
        )
        return edit(e.ACME, (f"  - name: {name}\n", lines))

    before, after = (
        with_certificate("ann", certificate),
        with_certificate("ann", certificate.replace("MII", "MIJ")),
    )
    assert [what.split(" as ")[0] for what in refusals(IT, after, before)] == [
        f"{e.ACME}:6 it-acme may not change smime.certificate of ann"
    ]
    assert refusals(ANN, after, before) == []
    assert refusals(IT, after, e.revision(before, around={e.ACME: Entry(EXECUTABLE, "x")})) != []
    assert refusals(IT, e.FILES, before) == [], "a tenant_admin may take it away"


def test_a_domain_is_given_before_its_file_comes() -> None:
    files = {
        **edit(e.ACCOUNT, ("acme-new.example]", "acme-new.example, more.example]")),
        "tenants/acme/more.example.yml": "mailboxes: [{name: x}]\n",
    }
    refused = refusals(IT, files)
    assert len(refused) == 2
    assert "tenants/acme/more.example.yml:1 it-acme may not add this file" in refused[1]
    assert "the provider has not given this domain to the tenant" in refused[1]


@pytest.fixture(name="certificate")
def _certificate() -> str:
    body = "\n".join(["MIIBszCCAVmgAwIBAgIUbmFtZQ" + "A" * 38] * 2 + ["AAAA"])
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----"


def test_every_row_of_the_table_names_what_exists() -> None:
    places = {
        "*",
        "estate.yml",
        "plans.yml",
        "state",
        "account.yml",
        "<domain>.yml",
        "notes",
        "outside",
        "pipeline",
        "stray",
    }
    for row in rights.TABLE:
        assert row.role in rights.ROLES
        assert row.place in places
        assert row.when in rights.WHEN
        assert row.rows
