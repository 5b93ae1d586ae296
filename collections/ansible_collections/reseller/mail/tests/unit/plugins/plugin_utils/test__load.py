# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory → the estate, or every fault of every file at once."""

from __future__ import annotations

import gc
import os
import shutil
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils import _cache, _load
from ansible_collections.reseller.mail.plugins.plugin_utils._language import source, yaml_nodes
from ansible_collections.reseller.mail.plugins.plugin_utils._model.domain import (
    Alias,
    Branding,
    Dmarc,
    Domain,
    DomainAlias,
    DomainLimits,
    Mailbox,
    MtaSts,
    RateLimits,
    SenderAddress,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import (
    DkimKey,
    NodeState,
    Provider,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.tenant import Limits
from ansible_collections.reseller.mail.plugins.plugin_utils._model.values import Secret
from ansible_collections.reseller.mail.tests.benchmark import estates

HASH = "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$c29tZXNhbHQ$aGFzaGhhc2hoYXNo"
FIXTURES = Path(__file__).parents[2] / "fixtures"
BASE = FIXTURES / "estate"
ACME = "tenants/acme/acme.example.yml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BASE, tmp_path / "estate"))


def lines(folder: Path) -> list[str]:
    estate, faults = _load.load(str(folder))
    assert (estate is None) == bool(faults)
    return [str(fault) for fault in faults]


def ids(folder: Path) -> list[str]:
    return [":".join(line.split(":")[:1]) + " " + line.split(": ")[1] for line in lines(folder)]


def append(folder: Path, path: str, text: str) -> None:
    with (folder / path).open("a", encoding="utf-8") as stream:
        stream.write(text)


def test_the_whole_model(folder: Path) -> None:
    (folder / "state").mkdir()
    (folder / "state/mx1.json").write_text(
        '{"node": "mx1", "dkim": [{"domain": "acme.example", "selector": "mx1", "public": "%s"}]}'
        % ("A" * 40),
        encoding="utf-8",
    )
    append(
        folder,
        "tenants/acme/account.yml",
        "domain_limits: [{name: acme.example, mailbox_storage: 1G}]\nmanaged_domains:"
        " [acme.example, acme-mail.example]\n",
    )
    append(
        folder,
        ACME,
        """
  - {name: help, to: [it, "Ann+X@Globex.Example."], may_send: true}
sender_addresses: [{name: noreply, mailbox: jo}]
domain_aliases: [ACME-mail.example]
catch_all: it
dmarc: {stage: reject, reports_to: it}
mta_sts: {mode: enforce, max_age: 604800}
tls_rpt: {reports_to: it}
branding: {hostname: Mail.Acme.example, name: Acmé Mail}
""",
    )
    path = folder / ACME
    path.write_text(
        path.read_text(encoding="utf-8").replace(
            "quota: 5G", "quota: 10M\n    state: suspended\n    password: '" + HASH + "'"
        ),
        encoding="utf-8",
    )
    estate, faults = _load.load(str(folder))
    assert faults == []
    assert estate is not None
    assert estate.provider == Provider("Example Hosting", "hosting.example")
    assert estate.node("mx2").addresses == ("192.0.2.2", "2001:db8::2")
    assert estate.states == (NodeState("mx1", (DkimKey("acme.example", "mx1", "A" * 40),)),)
    acme, globex = estate.tenants
    owner = "it@acme.example"
    rates = RateLimits(messages_per_hour=200)  # the estate's default
    assert acme.limits == Limits(
        domains=2, domain_aliases=1, mailboxes=4, aliases=5, storage=20 * 2**30, domain_admins=2
    )
    assert acme.external_ids == (("whmcs", "1042"),)
    assert acme.domains == (
        Domain(
            name="acme.example",
            type="mail",
            owner=owner,
            mailboxes=(
                Mailbox("it", "acme.example", 2**30, owner, rate_limits=rates),
                Mailbox(
                    "jo",
                    "acme.example",
                    10 * 2**20,
                    owner,
                    "Jo Doe",
                    "suspended",
                    Secret(HASH, vaulted=False),
                    rate_limits=rates,
                ),
            ),
            aliases=(
                Alias("sales", "acme.example", ("jo@acme.example",), owner),
                Alias(
                    "help",
                    "acme.example",
                    ("it@acme.example", "ann+x@globex.example"),
                    owner,
                    may_send=True,
                ),
            ),
            sender_addresses=(SenderAddress("noreply", "acme.example", "jo@acme.example", owner),),
            domain_aliases=(DomainAlias("acme-mail.example", owner, managed=True),),
            catch_all=owner,
            managed=True,
            dmarc=Dmarc(
                "observe", owner, target=Dmarc("reject", owner)
            ),  # nothing was promoted yet
            mta_sts=MtaSts("testing", 604800, target=MtaSts("enforce", 604800)),
            tls_reports_to=owner,
            branding=Branding("mail.acme.example", "Acmé Mail"),
            limits=DomainLimits("acme.example", mailbox_storage=2**30),
            rate_limits=rates,
        ),
    )
    assert globex.domains[0].mailboxes[0].quota is None, "the plan's default is unlimited"
    assert "argon2id$v" not in repr(estate), "a secret never shows"
    assert str(acme.domains[0].mailboxes[1].at.of("quota")) == f"{ACME}:5:12"


def test_a_vaulted_password_stays_as_it_is(folder: Path) -> None:
    envelope = "$ANSIBLE_VAULT;1.1;AES256\n3132\n3334\n"
    indented = envelope.replace("\n", "\n        ").rstrip()
    append(
        folder, "tenants/globex/globex.example.yml", f"    password: !vault |\n        {indented}\n"
    )
    estate, faults = _load.load(str(folder))
    assert faults == []
    assert estate is not None
    assert estate.tenants[1].domains[0].mailboxes[0].password == Secret(envelope, vaulted=True)
    assert "3132" not in repr(estate)


@pytest.mark.parametrize(
    "value",
    [
        "hunter2",
        "!vault hunter2",
        "'{PLAIN}hunter2hunter2hunter2'",
        "'{ARGON2ID}$argon2:hunter2hunter2'",
    ],
)
def test_a_password_that_others_could_read_is_refused_and_not_shown(
    folder: Path, value: str
) -> None:
    append(folder, "tenants/globex/globex.example.yml", f"    password: {value}\n")
    (line,) = lines(folder)
    assert line.startswith("tenants/globex/globex.example.yml:3:15: unfit-value: ")
    assert "hunter2" not in line


def test_a_quota_at_fault_does_not_become_unlimited(folder: Path) -> None:
    path = folder / ACME
    path.write_text(path.read_text(encoding="utf-8").replace("5G", "5 gigabytes"), encoding="utf-8")
    estate, faults = _load.draft(str(folder))
    assert [fault.id for fault in faults] == ["unfit-value"]
    assert estate.tenants[0].domains[0].mailboxes[1].quota == 2 * 2**30


def test_no_estate_at_all(tmp_path: Path) -> None:
    assert lines(tmp_path / "nothing") == [
        (
            ".:1:1: unreadable: the estate cannot be read: No such file or directory; allowed: a"
            " directory with estate.yml, plans.yml, tenants/"
        ),
    ]
    assert len(lines(tmp_path)) == 2


def test_files_that_may_lie_around(folder: Path) -> None:
    for path in (
        "README.md",
        ".gitignore",
        "tenants/CODEOWNERS",
        "tenants/acme/README.md",
        "tenants/acme/.hidden.yml",
        "notes.txt",
    ):
        (folder / path).write_text("{{ not read }}", encoding="utf-8")
    (folder / "state").mkdir()
    assert lines(folder) == []


def test_names_of_files_and_folders(folder: Path) -> None:
    for path in (
        "extra.yml", "plans.yaml", "tenants/note.txt", "tenants/acme/shop.yaml",
        "tenants/acme/Shop.example.yml", "tenants/acme/shop.yml",
        "tenants/acme/bücher.example.yml", "tenants/acme/a\nb.example.yml",
        "tenants/acme/{{x}}.example.yml", "state/MX1.json", "state/mx1.yml",
    ):  # fmt: skip
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text("", encoding="utf-8")
    for path in ("tenants/Acme", "tenants/a_b", "tenants/all{{x}}", "tenants/empty"):
        (folder / path).mkdir()
    os.mkdir(os.fsencode(folder) + b"/tenants/\xff")
    assert ids(folder) == [
        "'tenants/\\udcff' unfit-name",
        "'tenants/acme/a\\nb.example.yml' unfit-name",
        "extra.yml stray-file",
        "plans.yaml stray-file",
        "state/MX1.json unfit-name",
        "state/mx1.yml stray-file",
        "tenants/Acme unfit-name",
        "tenants/a_b unfit-name",
        "tenants/acme/Shop.example.yml unfit-name",
        "tenants/acme/bücher.example.yml unfit-name",
        "tenants/acme/shop.yaml stray-file",
        "tenants/acme/shop.yml unfit-name",
        "tenants/acme/{{x}}.example.yml unfit-name",
        "tenants/all{{x}} unfit-name",
        "tenants/empty empty-folder",
        "tenants/note.txt not-a-folder",
    ]
    assert all("\n" not in line for line in lines(folder))


def test_links_pipes_devices_and_giants(folder: Path) -> None:
    acme = folder / "tenants/acme"
    (acme / "link.example.yml").symlink_to("../globex/account.yml")
    (acme / "out.example.yml").symlink_to("/etc/passwd")
    (acme / "dangling.example.yml").symlink_to("nothing")
    os.mkfifo(acme / "pipe.example.yml")
    (acme / "folder.example.yml").mkdir()
    (acme / "giant.example.yml").write_bytes(b"#" * (_load.MAX_BYTES + 1))
    (acme / "large.example.yml").write_bytes(b"#" * _load.MAX_BYTES)
    (folder / "tenants/linked").symlink_to("globex")
    account = (acme / "account.yml").read_text(encoding="utf-8")
    (acme / "account.yml").write_text(
        account.replace("domains: [", "domains: [large.example, "), encoding="utf-8"
    )
    assert ids(folder) == [
        "tenants/acme/dangling.example.yml symlink",
        "tenants/acme/folder.example.yml unreadable",
        "tenants/acme/giant.example.yml too-large",
        "tenants/acme/link.example.yml symlink",
        "tenants/acme/out.example.yml symlink",
        "tenants/acme/pipe.example.yml unreadable",
        "tenants/linked not-a-folder",
    ]


def test_what_may_not_be_opened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Permissions do not bind root, so the refusal is the system call's own."""
    system_open, system_scandir = os.open, os.scandir

    def refuse_file(path: str, flags: int) -> int:
        if path.endswith("plans.yml"):
            raise PermissionError(13, "Permission denied")
        return system_open(path, flags)

    def refuse_folder(path: str) -> object:
        if path.endswith("globex"):
            raise PermissionError(13, "Permission denied")
        return system_scandir(path)

    monkeypatch.setattr(os, "open", refuse_file)
    monkeypatch.setattr(os, "scandir", refuse_folder)
    assert ids(folder) == ["plans.yml unreadable", "tenants/globex unreadable"]


def test_a_folder_that_is_a_file(folder: Path) -> None:
    shutil.rmtree(folder / "tenants")
    (folder / "tenants").write_text("", encoding="utf-8")
    (folder / "state").symlink_to("/tmp")
    assert ids(folder) == ["state not-a-folder", "tenants not-a-folder"]


def test_one_fault_draws_no_others(folder: Path) -> None:
    """Nothing is missing in the estate but what was in the broken places."""
    (folder / ACME).write_text("mailboxes: [", encoding="utf-8")
    assert ids(folder) == [f"{ACME} not-yaml"]
    (folder / "plans.yml").write_text("plans: 5\n", encoding="utf-8")
    (folder / "estate.yml").write_text(
        "provider: {name: x, domain: hosting.example}\nnodes: {}\n", encoding="utf-8"
    )
    append(
        folder,
        "tenants/globex/globex.example.yml",
        "aliases: [{name: all, to: [ann, tom]}, {name: two, to: [bob]}]\nmanaged: true\n",
    )
    path = folder / "tenants/globex/globex.example.yml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("name: ann", "name: ann+"), encoding="utf-8"
    )
    append(folder, "tenants/globex/account.yml", "plan: x\n")
    assert ids(folder) == [
        "estate.yml wrong-type",
        "plans.yml wrong-type",
        f"{ACME} not-yaml",
        "tenants/globex/account.yml duplicate-key",
        "tenants/globex/globex.example.yml unfit-value",
        "tenants/globex/globex.example.yml unknown-key",
    ]


def test_a_draft_holds_what_could_be_read(folder: Path) -> None:
    (folder / "plans.yml").unlink()
    (folder / "tenants/acme/account.yml").write_text("{{ all }}: hosts", encoding="utf-8")
    estate, faults = _load.draft(str(folder))
    assert [node.name for node in estate.nodes] == ["mx1", "mx2"]
    assert [tenant.name for tenant in estate.tenants] == ["globex"]
    assert {fault.id for fault in faults} == {"missing-file", "not-a-key"}


@pytest.mark.parametrize("before", [True, False])
def test_the_collector_is_left_as_it_was(folder: Path, before: bool) -> None:
    try:
        (gc.enable if before else gc.disable)()
        _load.load(str(folder))
        assert gc.isenabled() is before
    finally:
        gc.enable()


def test_the_bad_estate_gives_all_its_faults_at_once() -> None:
    expected = (FIXTURES / "bad_estate.txt").read_text(encoding="utf-8").splitlines()
    assert lines(FIXTURES / "bad_estate") == expected
    assert len({line.split(": ")[1] for line in expected}) >= 12
    assert len({line.split(":")[0] for line in expected}) >= 6


def test_without_libyaml_all_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """But for what the two parsers say of something that is no YAML at all."""

    def all_of_it() -> object:
        return [
            line.partition(":3:4: not-yaml")[0] for line in lines(FIXTURES / "bad_estate")
        ], _load.load(str(BASE))

    fast = all_of_it()
    monkeypatch.setattr(yaml_nodes, "CParser", None)
    assert all_of_it() == fast


def test_no_place_is_looked_for_while_there_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file would be read a second time, and its nodes would stay in memory."""

    def parse(file: str, content: bytes) -> t.NoReturn:
        raise AssertionError(f"{file} is read again")

    estates.write(tmp_path, estates.files(30, 20))
    monkeypatch.setattr(source, "parse", parse)
    assert _load.load(str(tmp_path))[0] is not None


def test_files_that_are_known_are_not_read_again(folder: Path) -> None:
    known: _load.Known = {}
    files, _faults = _load.read_files(str(folder))
    first = _load.build(files, known=known)
    assert {path for path, _content in known} == set(files), "no file here has a fault"
    path = "tenants/acme/acme.example.yml"
    values, unused = known[path, files[path]]
    known[path, files[path]] = {**values, "state": "suspended"}, unused
    estate = _load.build(files, known=known)[0]
    assert [one.state for one in estate.tenants[0].domains if one.name == "acme.example"] == [
        "suspended"
    ]
    files[path] += b"# a comment\n"
    assert _load.build(files, known=known) == first, "another content is another file"


def test_a_file_with_a_fault_is_never_known(folder: Path) -> None:
    known: _load.Known = {}
    files, _faults = _load.read_files(str(folder))
    path = "tenants/acme/acme.example.yml"
    files[path] = b"state: asleep\n"
    first = _load.build(files, known=known)
    assert not any(name == path for name, _content in known)
    assert _load.build(files, known=known) == first


def test_an_estate_whose_files_are_the_same_is_made_once(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(_cache.OFF, raising=False)
    monkeypatch.setattr(_cache, "LEAST", 0)
    monkeypatch.setattr(_load, "_LAST", [])
    first = _load.draft(str(folder))
    assert _load.draft(str(folder))[0] is first[0]
    append(folder, "tenants/acme/acme.example.yml", "# a comment\n")
    second = _load.draft(str(folder))
    assert second[0] is not first[0]
    assert second == first
    path = "tenants/acme/acme.example.yml"
    assert _load.draft(str(folder), {path: b"state: asleep\n"})[1]
    assert _load.draft(str(folder)) == first
