# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may change a password, how, and that no run of Ansible takes a change back."""

from __future__ import annotations

import csv
import re
import typing as t
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
from client import PASSWORDS, Host, Outside, ansible, wait_until
from conftest import OUTSIDE, Address, Side
from test_generation import generation
from test_login_limit import guessed  # noqa: F401  a fixture, found by its name

CHOSEN, SECOND, OPERATORS = "Blaue-Kiste-7", "Rote-Kiste-8", "Gelbe-Kiste-9"
COMMON = "Summer2026!"
STORE = "/var/lib/reseller-mail/credentials"


class Answer(t.NamedTuple):
    """What the page answered."""

    status: int
    head: str
    text: str


def request(outside: Outside, url: str, body: str = "", *options: str) -> Answer:
    """Ask for a URL; a body is posted. Passwords go through stdin, not through an argument."""
    words = " ".join([*(f"'{word}'" for word in options), *(["--data @-"] if body else [])])
    told = outside.run(f"curl --silent --include {words} {url}", check=False, stdin=body).stdout
    head, _empty, text = told.partition("\n\n")
    return Answer(int(head.split()[1]) if head else 0, head.lower(), text)


def change(outside: Outside, host: str, user: str, old: str, new: str, **more: str) -> Answer:
    form = urlencode({"user": user, "curpass": old, "newpass": new, **more})
    accept = ["--header", "Accept: text/html"] if more else []
    return request(outside, f"https://{host}/password/change", form, *accept)


def logins(outside: Outside, box: Address, *passwords: str) -> list[bool]:
    return [outside.may_login(box.host, "imap", box.name, password) for password in passwords]


def mail_passwd(node: Host, words: str, *lines: str) -> tuple[int, str]:
    run = node.run(f"mail-passwd {words}", check=False, stdin="".join(f"{x}\n" for x in lines))
    return run.returncode, run.stdout + run.stderr


def handed_over(node: str) -> dict[str, str]:
    """Return the initial passwords of a node's file; the last row of an address counts."""
    with (PASSWORDS / f"{node}.csv").open(newline="", encoding="utf-8") as lines:
        return {row["address"]: row["password"] for row in csv.DictReader(lines)}


@dataclass(frozen=True)
class Changed:
    """What was changed on both nodes before the runs of Ansible, and since when."""

    since: dict[str, str]
    answers: dict[str, Answer]
    printed: dict[str, tuple[int, str]]
    output: str
    initial: dict[str, str]


@pytest.fixture(scope="module")
def changed(
    outside: Outside, sides: dict[str, Side], nodes: dict[str, Host]
) -> t.Iterator[Changed]:
    """A user of each node changes the password, another gets a new initial one, and then tenants
    and the role of generations run."""
    files = {path: path.read_bytes() for path in PASSWORDS.iterdir()}
    since = {name: node.output("date +%s") for name, node in nodes.items()}
    try:
        answers = {
            name: change(outside, side.host, side.colleague.name, side.colleague.password, CHOSEN)
            for name, side in sides.items()
        }
        printed = {
            name: mail_passwd(nodes[name], f"--generate {side.small}")
            for name, side in sides.items()
        }
        run = ansible("ansible-playbook", "playbooks/tenants.yml", "--diff")
        assert run.rc == 0, run.output
        again = generation()
        assert again.rc == 0, again.output
        initial = {name: handed_over(name)[side.small.name] for name, side in sides.items()}
        yield Changed(since, answers, printed, run.output + again.output, initial)
    finally:
        for path, content in files.items():
            path.write_bytes(content)
        for name, side in sides.items():
            for box in (side.colleague, side.small):
                nodes[name].run(f"mail-passwd --operator {box}", stdin=f"{box.password}\n")


def test_a_user_changes_the_password_over_https_and_no_run_takes_it_back(
    outside: Outside, side: Side, changed: Changed
) -> None:
    answer = changed.answers[side.node]
    assert (answer.status, answer.text) == (200, "ok")
    assert logins(outside, side.colleague, CHOSEN, side.colleague.password) == [True, False]


def test_a_generated_password_is_handed_over_by_the_next_run_like_an_initial_one(
    outside: Outside, side: Side, node: Host, changed: Changed
) -> None:
    assert changed.printed[side.node] == (0, ""), "it shows the password to no one"
    assert f"~ credential {side.small} handed over" in changed.output
    new = changed.initial[side.node]
    assert re.fullmatch(r"\w{4}(-\w{4}){4}", new)
    assert logins(outside, side.small, new, side.small.password) == [True, False]
    assert node.run(f"test -e {STORE}/initial_passwords.json", check=False).returncode == 1


def test_an_operator_sets_a_password_that_replaces_one_that_still_waits(
    outside: Outside, side: Side, node: Host, changed: Changed
) -> None:
    assert mail_passwd(node, f"--generate {side.small}")[0] == 0
    assert mail_passwd(node, f"--operator {side.small}", OPERATORS) == (0, "")
    assert logins(outside, side.small, OPERATORS, changed.initial[side.node]) == [True, False]
    assert node.run(f"test -e {STORE}/initial_passwords.json", check=False).returncode == 1


@pytest.mark.usefixtures("guessed")
def test_without_the_old_password_nothing_changes_and_the_guess_counts(
    outside: Outside, side: Side, node: Host, changed: Changed
) -> None:
    since = node.output("date +%s")
    wrong = change(outside, side.host, side.colleague.name, "wrong-password", SECOND)
    unknown = change(outside, side.host, f"no-{side.colleague}", "wrong-password", SECOND)
    assert (wrong.status, wrong.text) == (403, unknown.text)
    assert unknown.status == 403
    log = f"journalctl -t reseller-mail-login-limit -o cat --no-pager --since @{since}"
    networks = "|".join(map(re.escape, (OUTSIDE[0], "fd97::/64")))
    line = rf"wrong password from ({networks}) for {side.colleague}\b"
    assert wait_until(lambda: re.search(line, node.output(log)), 5), node.output(log)
    assert logins(outside, side.colleague, CHOSEN, SECOND) == [True, False]


def test_a_common_password_is_refused_for_users_and_operators_alike(
    outside: Outside, side: Side, node: Host, changed: Changed
) -> None:
    answer = change(outside, side.host, side.colleague.name, CHOSEN, COMMON, again=COMMON)
    assert (answer.status, "text/html" in answer.head) == (422, True)
    assert "is a common password" in answer.text
    assert '<form method="post"' in answer.text, "the user can try again"
    for words, lines in ((f"--operator {side.colleague}", ()), (str(side.colleague), (CHOSEN,))):
        status, told = mail_passwd(node, words, *lines, COMMON)
        assert (status, "is a common password" in told, COMMON in told) == (1, True, False), told
    assert logins(outside, side.colleague, CHOSEN) == [True]


def test_a_user_may_type_another_name_of_the_domain(
    outside: Outside, sides: dict[str, Side], nodes: dict[str, Host]
) -> None:
    """On the node whose tenant has a mailbox under a domain alias."""
    side, box = sides["mx2"], sides["mx2"].second
    try:
        assert change(outside, side.host, side.domain_alias, box.password, SECOND).status == 200
        assert logins(outside, box, SECOND) == [True]
    finally:
        nodes["mx2"].run(f"mail-passwd --operator {box}", stdin=f"{box.password}\n")


def test_the_page_is_served_by_tls_only_and_lets_no_other_page_in(
    outside: Outside, side: Side
) -> None:
    page = request(outside, f"https://{side.host}/password")
    assert page.status == 200
    assert '<form method="post" action="/password/change">' in page.text
    for header in ("frame-ancestors 'none'", "cache-control: no-store", "strict-transport-"):
        assert header in page.head
    assert request(outside, f"https://{side.host}/password/style.css").status == 200
    assert request(outside, f"https://{side.host}/password/page.html").status == 404
    sent_wrong = f"https://{side.host}/password/change?curpass=wrong-password"
    assert request(outside, sent_wrong).status == 403
    assert request(outside, sent_wrong, "x").status == 400
    assert request(outside, sent_wrong, "x" * 5000).status == 413
    assert request(outside, f"https://{side.host}/password/change").status == 403
    for path in ("/password", "/password/change"):
        assert request(outside, f"http://{side.host}{path}").status == 404


def test_no_log_no_file_and_no_output_has_a_password(
    side: Side, node: Host, changed: Changed
) -> None:
    words = [CHOSEN, SECOND, OPERATORS, COMMON, "wrong-password", changed.initial[side.node]]
    assert not any(word in changed.output for word in words)
    patterns = "\n".join([*words, *(urlencode({"x": word})[2:] for word in words)])
    journal = f"journalctl --no-pager --since @{changed.since[side.node]} -o json"
    found = node.run(
        f"cat >/run/patterns; {journal} | grep -Ff /run/patterns; grep -rlFf /run/patterns"
        f" {STORE} /var/log /var/lib/nginx /etc/nginx; rm /run/patterns",
        check=False,
        stdin=patterns,
    )
    assert found.stdout == ""
    told = node.output(
        f"journalctl -t mail-passwd -t reseller-mail-password -o cat --no-pager"
        f" --since @{changed.since[side.node]}"
    )
    assert f"<{side.small}> has a new initial password" in told
    assert re.search(rf"<{side.colleague}> has a new password, set with the old one from", told)


def test_many_requests_from_one_address_are_refused(outside: Outside, side: Side) -> None:
    """The last one here: the next request is only answered after a while."""
    url = f"https://{side.host}/password/change"
    found = [request(outside, url, "nothing").status for _number in range(9)]
    assert set(found) == {400, 429}
    assert found[-1] == 429


def test_the_program_sees_nothing_but_its_store(node: Host) -> None:
    """Asked with the unit's own settings, and another program in it."""
    unit, since = "/run/systemd/system/reseller-mail-test.service", node.output("date +%s.%N")
    probe = "import os; print(sorted(os.listdir('/')), os.listdir('/var/lib/reseller-mail'))"
    node.run(
        "sed -e '/^Standard/d' -e '/^ExecStart/d' -e '/^CollectMode/d'"
        " /etc/systemd/system/reseller-mail-password@.service"
        f" >{unit}; printf '%s\\n' 'Type=oneshot' >>{unit}"
    )
    try:
        node.run(
            f"cat >>{unit}; systemctl daemon-reload; systemctl start reseller-mail-test",
            stdin=f'ExecStart=/usr/bin/python3 -I -c "{probe}"\n',
        )
        told = node.output(f"journalctl -u reseller-mail-test -o cat --no-pager --since @{since}")
        assert "['credentials']" in told, told
        found = re.search(r"^(\[.*?\]) \['credentials'\]$", told, re.M)
        assert found, told
        assert not {"srv", "home", "root", "boot"} & {*re.findall(r"\w+", found[1])}
    finally:
        node.run(f"rm -f {unit}; systemctl daemon-reload; systemctl reset-failed || true")
