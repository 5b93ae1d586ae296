# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the files is said before any host hears of it, and tenants' text is never
anything but text."""

from __future__ import annotations

import base64
import itertools
import json
import re
import shutil
import typing as t
from pathlib import Path

import pytest
from client import ESTATE, Host, ansible, site
from conftest import NODES

HERE = Path(__file__).parent.parent


def estate_with(folder: Path, overlay: str) -> Path:
    """The scenario's estate with another folder laid over it."""
    shutil.copytree(ESTATE, folder / "estate")
    shutil.copytree(HERE / overlay, folder / "estate", dirs_exist_ok=True)
    return folder / "estate"


def noted_faults(overlay: Path) -> set[tuple[str, int, str]]:
    """File, line and id of each fault, as the bad files themselves name them behind the line."""
    found = set()
    for path in sorted(overlay.rglob("*.yml")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            found |= {
                (str(path.relative_to(overlay)), number, fault)
                for fault in re.findall(r"# fault: (\S+)", line)
            }
    return found


def test_a_bad_estate_gives_all_its_faults_at_once_and_no_host_is_touched(
    tmp_path: Path, nodes: dict[str, Host]
) -> None:
    wanted = noted_faults(HERE / "bad")
    assert len(wanted) >= 12
    before = {
        name: node.output("readlink /var/lib/reseller-mail/current") for name, node in nodes.items()
    }
    run = site(estate=estate_with(tmp_path, "bad"))
    assert run.rc == 2, run.output
    said = re.findall(r"(tenants/\S+?):(\d+):(\d+): ([a-z-]+): .+", run.output)
    assert {(file, int(line), fault) for file, line, _column, fault in said} == wanted, run.output
    assert not set(run.recap) & set(NODES), "a host was asked"
    assert before == {
        name: node.output("readlink /var/lib/reseller-mail/current") for name, node in nodes.items()
    }


def test_validate_and_render_refuse_a_bad_estate_too(tmp_path: Path) -> None:
    bad = estate_with(tmp_path, "bad")
    rendered = tmp_path / "rendered"
    assert ansible("ansible-playbook", "reseller.mail.validate", estate=bad).rc == 2
    assert (
        ansible(
            "ansible-playbook", "reseller.mail.render", "-e", f"render_dest={rendered}", estate=bad
        ).rc
        == 2
    )
    assert not rendered.exists()


def inventory_of(estate: Path, folder: Path) -> dict[str, t.Any]:
    """All hosts, groups and variables, without the estate's own place.

    The number of managed domains is of the files that could be read, so it is left out, too.
    """
    run = ansible(
        "ansible-inventory", "--list", "--output", f"{folder}/inventory.json", estate=estate
    )
    assert run.rc == 0, run.output
    return json.loads(
        (folder / "inventory.json").read_text(encoding="utf-8").replace(str(estate), "ESTATE"),
        object_hook=lambda table: {
            name: value for name, value in table.items() if name != "mail_managed_domains"
        },
    )


def test_a_hostile_tenant_file_changes_neither_the_inventory_nor_a_host(
    tmp_path: Path, nodes: dict[str, Host]
) -> None:
    """Jinja in every string, inventory keys, newlines in addresses: whatever of it is allowed text
    stays text."""
    trap = tmp_path / "pwned"
    hostile = estate_with(tmp_path, "hostile")
    for path in (hostile / "tenants").rglob("*.yml"):
        path.write_text(
            path.read_text(encoding="utf-8").replace("TRAP", str(trap)), encoding="utf-8"
        )
    before = {
        name: node.output("readlink /var/lib/reseller-mail/current") for name, node in nodes.items()
    }
    assert inventory_of(hostile, tmp_path) == inventory_of(ESTATE, tmp_path)
    run = site(estate=hostile)
    assert run.rc == 2, run.output
    assert not trap.exists()
    assert before == {
        name: node.output("readlink /var/lib/reseller-mail/current") for name, node in nodes.items()
    }
    for node in nodes.values():
        assert node.run("test ! -e /tmp/pwned").returncode == 0


FREE_TEXTS = {
    "tenants/acme/acme.example.yml": ["Jo Doe", "Acme Mail"],
    "tenants/acme/account.yml": ["Acme Corporation"],
}


def readable(file: str, data: bytes) -> bytes:
    """Without what may be an abridgement, and as a reader of the file's format understands it."""
    if file.endswith(".vcf"):
        return data.replace(rb"\,", b",")  # RFC 6350 section 3.4
    data = re.sub(  # RFC 2047
        rb"=\?utf-8\?b\?([A-Za-z0-9+/=]+)\?=", lambda found: base64.b64decode(found[1]), data
    )
    return re.sub(rb"<displayShortName>.*?</displayShortName>", b"", data)


def rendered(estate: Path, folder: Path) -> dict[str, bytes]:
    """Return the files that render makes of an estate for mx1, by their paths."""
    run = ansible(
        "ansible-playbook",
        "reseller.mail.render",
        "--limit",
        "mx1",
        "-e",
        f"render_dest={folder}",
        estate=estate,
    )
    assert run.rc == 0, run.output
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the scenario's estate becomes."""
    return rendered(ESTATE, tmp_path_factory.mktemp("plain"))


@pytest.mark.parametrize(
    "text",
    [
        "{{ 7 * 191 }}",
        "{% raw %}x{% endraw %}",
        "{{ lookup('pipe', 'id') }}",
        "{{ undefined_name }}",
    ],
)
def test_jinja_in_a_free_text_is_a_text_like_any_other(
    tmp_path: Path, plain: dict[str, bytes], text: str
) -> None:
    """Names of people, organisations and brands may hold anything. The estate is fit, and they stay
    what they are."""
    shutil.copytree(ESTATE, tmp_path / "estate")
    for name, free in FREE_TEXTS.items():
        content = (tmp_path / "estate" / name).read_text(encoding="utf-8")
        for words in free:
            assert words in content
            content = content.replace(words, f'"{text}"')
        (tmp_path / "estate" / name).write_text(content, encoding="utf-8")
    jinja = rendered(tmp_path / "estate", tmp_path / "jinja")
    shown = [file for file, data in plain.items() if b"Acme Mail" in data]
    assert "mx1/autoconfig/acme.example.xml" in shown
    for file, data in plain.items():
        if "manifest" not in file:
            expected = readable(file, data)
            for words in itertools.chain(*FREE_TEXTS.values()):
                expected = expected.replace(words.encode(), text.encode())
            assert readable(file, jinja[file]) == expected, file
    assert jinja.keys() == plain.keys()
