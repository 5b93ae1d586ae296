# SPDX-License-Identifier: GPL-3.0-or-later
"""What the spam filter looks up says for each recipient what the nearest levels of the files say."""

from __future__ import annotations

import bisect
import typing as t

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.generation import lines
from ansible_collections.reseller.mail.plugins.plugin_utils._change.objects import (
    changes,
    estate_objects,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import artefact, spam
from ansible_collections.reseller.mail.plugins.plugin_utils._language import schema
from ansible_collections.reseller.mail.plugins.plugin_utils._language.scalars import Scalar
from ansible_collections.reseller.mail.plugins.plugin_utils._load import build
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import Estate
from ansible_collections.reseller.mail.plugins.plugin_utils._report import explain_table
from ansible_collections.reseller.mail.plugins.plugin_utils._report.explain import explain
from hypothesis import given, settings
from hypothesis import strategies as st

ACCOUNT = """\
organisation: %(name)s
plan: business
state: active
placement: %(node)s
default_owner: it@%(name)s.example
admins: [{address: it@%(name)s.example}]
domains: [%(name)s.example, %(name)s-mail.example]
intake: {expected_mailboxes: 5, dns_contact: it@%(name)s.example, clients: local, smime: false}
"""
LEVELS = ("estate", "plan", "account", "domain", "mailbox")
JO = "jo@acme.example"


def an_estate(of_levels: t.Mapping[str, str]) -> Estate:
    """Two tenants on two nodes. The levels of acme's jo have these spam settings."""

    def key(level: str) -> str:
        return f"spam: {of_levels[level]}" if level in of_levels else "locale: de"

    files = {
        "estate.yml": (
            "provider: {name: Example Hosting, domain: hosting.example}\n"
            "nodes:\n"
            "  - {name: mx1, hostname: mx1.hosting.example, debian: 12, addresses: [192.0.2.1]}\n"
            "  - {name: mx2, hostname: mx2.hosting.example, debian: 13, addresses: [192.0.2.2]}\n"
            f"defaults: {{{key('estate')}}}\n"
        ),
        "plans.yml": (
            "plans:\n"
            "  - name: business\n"
            "    features: [spam_lists, spam_scores]\n"
            "    mailbox_quota: {default: 2G}\n"
            f"    defaults: {{{key('plan')}}}\n"
        ),
        "tenants/acme/account.yml": (
            ACCOUNT % {"name": "acme", "node": "mx1"} + f"defaults: {{{key('account')}}}\n"
        ),
        "tenants/acme/acme.example.yml": (
            f"{key('domain')}\ndomain_aliases: [acme-mail.example]\n"
            f"mailboxes:\n  - name: it\n  - {{name: jo, {key('mailbox')}}}\n"
        ),
        "tenants/globex/account.yml": ACCOUNT % {"name": "globex", "node": "mx2"},
        "tenants/globex/globex.example.yml": "mailboxes: [{name: it}]\n",
    }
    found, faults = build({name: text.encode() for name, text in files.items()}, [])
    assert not faults, faults
    assert found is not None
    return found


class Filter:
    """Looks up what the filter would, by bisection as it does."""

    def __init__(self, estate: Estate) -> None:
        self.files = {
            path: text
            for path, text in artefact(estate, estate.nodes[0]).files.items()
            if path.startswith("filter/")
        }
        for path, text in self.files.items():
            assert not list(lines.faults(path, text.encode(), 12)), path

    def find(self, path: str, key: str) -> str | None:
        rows = self.files[path].splitlines()
        place = bisect.bisect_left(rows, f"{key}\t")
        found = rows[place] if place < len(rows) else ""
        return found.partition("\t")[2] if found.startswith(f"{key}\t") else None

    def settings(self, address: str) -> list[str]:
        for key in (address, f"@{address.rpartition('@')[2]}", "@"):
            found = self.find("filter/settings", key)
            if found:
                return found.split(" ")
        raise AssertionError(address)

    def treats(self, address: str, sender: str) -> str | None:
        """Return what the nearest list that has the sender does with it."""
        domain = sender.rpartition("@")[2]
        for name in self.settings(address)[3:]:
            for key in (sender, f"@{domain}", f"@.{domain}"):
                found = self.find("filter/lists", f"{name} {key}")
                if found:
                    return found
        return None


def test_where_no_level_sets_anything_the_defaults_are_the_only_line() -> None:
    assert Filter(an_estate({})).files == {
        "filter/settings": "@\t60 150 -\n",
        "filter/lists": "",
        "filter/networks": "",
    }


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_sets_the_scores_of_what_is_below_it_and_of_nothing_else(level: str) -> None:
    found = Filter(an_estate({level: "{junk: 4.5, reject: never, greylist: 3}"}))
    changed = ["45", "-", "30"]
    usual = ["60", "150", "-"]
    depth = LEVELS.index(level)
    for address, shares in {
        JO: 5,
        "it@acme.example": 4,
        "it@acme-mail.example": 4,
        "it@globex.example": 2,
    }.items():
        assert found.settings(address) == (changed if depth < shares else usual), address
    assert found.settings("jo@acme-mail.example") == found.settings(JO)


def test_every_node_has_the_lines_of_all_domains() -> None:
    estate = an_estate({"mailbox": "{junk: 4}", "domain": "{block: [shop.example]}"})
    first, second = (spam.lookups(estate, node) for node in estate.nodes)
    assert first == second
    assert "@acme.example\t" in second["filter/settings"]


def test_the_nearest_list_comes_first_and_networks_have_their_own_file() -> None:
    found = Filter(
        an_estate(
            {
                "estate": "{allow: [192.0.2.0/24, shop.example], block: ['2001:db8::/32']}",
                "account": "{block: [.shop.example]}",
                "mailbox": "{allow: [ads@shop.example]}",
            }
        )
    )
    assert found.files["filter/networks"] == "192.0.2.0/24\tallow\n2001:db8::/32\tblock\n"
    assert found.settings(JO)[3:] == [f"m:{JO}", "a:acme", "e"]
    assert found.settings("it@acme.example")[3:] == ["a:acme", "e"]
    assert found.settings("it@globex.example")[3:] == ["e"]
    assert found.treats(JO, "ads@shop.example") == "allow"
    assert found.treats(JO, "jim@shop.example") == "block"
    assert found.treats("it@globex.example", "jim@shop.example") == "allow"


SCORES = st.one_of(
    st.just("never"), st.integers(1, 9999).map(lambda tenths: f"{tenths // 10}.{tenths % 10}")
)
SENDERS = ("ads@shop.example", "shop.example", ".shop.example", "o'x=y@a-1.example", "club.example")
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "junk": SCORES,
        "lists": st.dictionaries(st.sampled_from(SENDERS), st.sampled_from(("allow", "block"))),
    },
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(LEVELS), SETTINGS))
def test_the_nearest_level_decides_in_the_tables_as_in_the_files(
    levels: dict[str, dict[str, t.Any]],
) -> None:
    texts = {}
    for level, own in levels.items():
        lists = {
            kind: [sender for sender, which in own.get("lists", {}).items() if which == kind]
            for kind in ("allow", "block")
        }
        parts = [f"{kind}: {those}" for kind, those in lists.items() if those]
        parts += [f"junk: {own['junk']}"] if "junk" in own else []
        parts += ["reject: never"] if level == "estate" else []
        texts[level] = "{" + ", ".join(parts).replace("'", '"').replace('"o"x', "\"o'x") + "}"
    texts.setdefault("estate", "{reject: never}")
    found = Filter(an_estate({level: text for level, text in texts.items() if text != "{}"}))
    nearest_first = [levels[level] for level in reversed(LEVELS) if level in levels]
    wanted = next((own["junk"] for own in nearest_first if "junk" in own), "6")
    tenths = "-" if wanted == "never" else str(round(float(wanted) * 10))
    assert found.settings(JO)[0] == tenths
    for sender in SENDERS:
        if "@" not in sender:
            continue
        keys = (sender, sender.partition("@")[2], f".{sender.partition('@')[2]}")
        expected = next(
            (
                own["lists"][key]
                for own in nearest_first
                for key in keys
                if key in own.get("lists", {})
            ),
            None,
        )
        assert found.treats(JO, sender) == expected, sender


@pytest.mark.parametrize(
    ("debian", "field"),
    [(0, "userdb_sieve_env_spam_junk"), (1, "userdb_sieve_environment/spam_junk")],
)
def test_dovecot_gets_the_score_of_junk_of_each_mailbox(debian: int, field: str) -> None:
    estate = an_estate({"plan": "{junk: 5}", "mailbox": "{junk: never}"})
    files = artefact(estate, estate.nodes[debian]).files
    name = ("acme", "globex")[debian]
    rows = dict(row.split(":", 1) for row in files[f"dovecot/users/{name}.example"].splitlines())
    assert rows[f"it@{name}.example"].endswith(f" {field}=50")
    assert "spam" not in rows.get(JO, "")
    path = f"dovecot/users/{name}.example"
    assert not list(lines.faults(path, files[path].encode(), (12, 13)[debian]))


def test_explain_names_the_level_of_a_score_and_of_each_sender() -> None:
    estate = an_estate(
        {"plan": "{junk: 5, allow: [shop.example]}", "domain": "{allow: [a@b.example]}"}
    )
    found = {one.key: one for one in explain(estate, JO)}
    assert (found["spam.junk"].value, found["spam.junk"].level) == ("5", "plan")
    assert (found["spam.reject"].value, found["spam.reject"].level) == ("15", "default")
    shown = explain_table.shown(found["spam.allow"])
    assert shown == "shop.example (plan), a@b.example (domain)"
    assert explain_table.shown(found["spam.block"]) == "-"


def test_a_plan_of_a_change_shows_scores_and_lists_where_they_change() -> None:
    before = estate_objects(an_estate({}))
    after = estate_objects(an_estate({"domain": "{junk: 4, block: [shop.example]}"}))
    found = [(str(one.subject), [str(key) for key in one.keys]) for one in changes(before, after)]
    assert (
        "domain acme.example",
        ["spam.junk 6 → 4", "spam.block nothing → domain: shop.example"],
    ) in [(name, [key for key in keys if key.startswith("spam")]) for name, keys in found]
    assert not [name for name, _keys in found if name.startswith("mailbox")]


def test_the_words_about_a_node_show_scores_and_a_mark_for_each_list() -> None:
    node = an_estate({}).nodes[0]
    assert list(spam.described(an_estate({}), node)) == []
    (of_alias, scores, first) = spam.described(
        an_estate({"mailbox": "{junk: 4, greylist: 2.5, allow: [shop.example]}"}), node
    )
    *_scores, second = spam.described(an_estate({"mailbox": "{allow: [club.example]}"}), node)
    assert scores == f"spam scores of {JO}: junk 4, reject 15, greylist 2.5"
    assert of_alias == scores.replace("acme.", "acme-mail.")
    assert first.startswith(f"spam list m:{JO}: 1 entries ")
    assert first != second


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("settings", "@\t60 150"),
        ("settings", "@\t0 150 -"),
        ("settings", "@\t6.5 150 -"),
        ("settings", "acme.example\t60 150 -"),
        ("settings", f"{JO}\t60 150 - x:y"),
        ("lists", "e shop.example\tallow"),
        ("lists", "e @shop.example\tmaybe"),
        ("lists", f"m:{JO}\tallow"),
        ("networks", "192.0.2.1\tallow"),
    ],
)
def test_lines_of_another_form_are_faults(path: str, line: str) -> None:
    assert list(lines.faults(f"filter/{path}", f"{line}\n".encode(), 13))


def test_networks_are_for_the_estate_only() -> None:
    tables = {
        level: t.cast(schema.Table, schema.policy.standing_at(level)["spam"].type)
        for level in LEVELS
    }
    kinds = {level: t.cast(schema.Many, tables[level].keys["allow"].type).of for level in LEVELS}
    for level, kind in kinds.items():
        read = t.cast(Scalar, kind).read
        if level == "estate":
            assert read("192.0.2.0/24") == "192.0.2.0/24"
        else:
            with pytest.raises(ValueError, match=r"192\.0\.2\.0/24"):
                read("192.0.2.0/24")
