# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts as a mail configuration that is not ours.

The files are those that Debian's packages write: each one was compared with an installed package.
"""

from __future__ import annotations

import hashlib
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host import foreign_mail
from ansible_collections.reseller.mail.plugins.module_utils._host.foreign_mail import (
    Foreign,
    Host,
    find,
    folders_to_keep,
    is_ours,
)

PLATFORM = "/var/lib/reseller-mail"
MAIN_CF = "/etc/postfix/main.cf"
MASTER_CF = "smtp inet n - y - - smtpd\n"
LOCAL_ONLY = {
    "12": """\
# See /usr/share/postfix/main.cf.dist for a commented, more complete version
smtpd_banner = $myhostname ESMTP $mail_name (Debian/GNU)
biff = no
append_dot_mydomain = no
readme_directory = no
compatibility_level = 3.6
smtpd_tls_cert_file=/etc/ssl/certs/ssl-cert-snakeoil.pem
smtpd_tls_key_file=/etc/ssl/private/ssl-cert-snakeoil.key
smtpd_tls_security_level=may
smtp_tls_CApath=/etc/ssl/certs
smtp_tls_security_level=may
smtp_tls_session_cache_database = btree:${data_directory}/smtp_scache
smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination
myhostname = vm
alias_maps = hash:/etc/aliases
alias_database = hash:/etc/aliases
mydestination = localdomain, $myhostname, localhost, localhost.localdomain, localhost
relayhost =
mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128
mailbox_size_limit = 0
recipient_delimiter = +
inet_interfaces = loopback-only
default_transport = error
relay_transport = error
inet_protocols =
""",
    "13": """\
compatibility_level = 3.9
myorigin = $myhostname
smtpd_banner = $myhostname ESMTP $mail_name (Debian)
inet_protocols =
mynetworks_style = host
mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128
mydestination = localdomain, $myhostname, localhost, localhost.localdomain, localhost
mailbox_size_limit = 0
mailbox_command =
alias_maps = hash:/etc/aliases
alias_database = hash:/etc/aliases
biff = no
recipient_delimiter = +
relayhost =
cyrus_sasl_config_path = /etc/postfix/sasl
smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination
myhostname = vm
inet_interfaces = loopback-only
default_transport = error
relay_transport = error
""",
}
"""What Debian's Postfix package writes for the answer "Local only"."""
EXIM = "dc_eximconfig_configtype='{}'\ndc_local_interfaces='127.0.0.1 ; ::1'\ndc_smarthost=''\n"


class Machine:
    """A host in a folder, with packages."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.packages: dict[str, tuple[str, str, dict[str, str]]] = {}

    def write(self, path: str, text: str) -> None:
        target = self.top / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def install(
        self,
        package: str,
        provides: str = "",
        files: t.Mapping[str, str] | None = None,
        status: str = "installed",
    ) -> None:
        """Install a package with its files in /etc."""
        digests = {}
        for path, text in (files or {}).items():
            self.write(path, text)
            digests[path] = hashlib.md5(text.encode()).hexdigest()
        self.packages[package] = (status, provides, digests)

    def run(self, command: list[str]) -> tuple[int, str, str]:
        assert command[0] == "dpkg-query"
        lines = []
        for package, (status, provides, files) in self.packages.items():
            lines.append(f"{package}\t{status}\t{provides}")
            lines += [f" {path} {digest}" for path, digest in files.items()] or [""]
        return 0, "\n".join(lines) + "\n", ""

    @property
    def host(self) -> Host:
        return Host(self.run, self.top)

    @property
    def found(self) -> list[str]:
        return [str(one) for one in find(self.host)]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_new_debian_has_nothing(machine: Machine) -> None:
    assert machine.found == []


@pytest.mark.parametrize("release", LOCAL_ONLY)
def test_a_postfix_for_local_mail_only_is_not_somebodys(machine: Machine, release: str) -> None:
    machine.write(MAIN_CF, LOCAL_ONLY[release])
    machine.write("/usr/share/postfix/master.cf.dist", MASTER_CF)
    machine.write("/etc/postfix/master.cf", MASTER_CF)
    assert machine.found == []


@pytest.mark.parametrize(
    "change",
    [
        ("inet_interfaces = loopback-only", "inet_interfaces = all"),
        ("inet_interfaces = loopback-only\n", ""),
        ("relayhost =", "relayhost = [smtp.example.net]:587"),
        ("relayhost =", "relayhost =\n  [smtp.example.net]:587"),
        ("biff = no", "biff = no\nvirtual_alias_maps = hash:/etc/postfix/virtual"),
    ],
    ids=["internet site", "interfaces by default", "relay", "relay in a second line", "aliases"],
)
def test_a_postfix_that_somebody_set_up_is_found(machine: Machine, change: tuple[str, str]) -> None:
    machine.write(MAIN_CF, LOCAL_ONLY["12"].replace(*change))
    assert machine.found == ["Postfix (/etc/postfix/main.cf)"]


def test_services_that_somebody_added_to_postfix_are_found(machine: Machine) -> None:
    machine.write("/etc/postfix/master.cf.proto", MASTER_CF)
    machine.write("/etc/postfix/master.cf", MASTER_CF + "465 inet n - y - - smtpd\n")
    assert machine.found == ["Postfix (/etc/postfix/master.cf)"]


def exim(machine: Machine, kind: str) -> None:
    machine.install("exim4-daemon-light", "mail-transport-agent, default-mta")
    machine.install("exim4-config", files={"/etc/exim4/conf.d/acl/30_check": "accept\n"})
    machine.write("/etc/exim4/update-exim4.conf.conf", EXIM.format(kind))
    machine.write("/etc/exim4/passwd.client", "# target.mail.server.example:login:password\n")


@pytest.mark.parametrize("kind", ["local", "none"])
def test_the_exim_of_a_new_debian_is_not_somebodys(machine: Machine, kind: str) -> None:
    exim(machine, kind)
    assert machine.found == []


@pytest.mark.parametrize("kind", ["internet", "smarthost", "satellite"])
def test_an_exim_that_somebody_set_up_is_found(machine: Machine, kind: str) -> None:
    exim(machine, kind)
    assert machine.found == ["Exim (/etc/exim4/update-exim4.conf.conf)"]


@pytest.mark.parametrize(
    ("path", "text", "why"),
    [
        ("/etc/exim4/exim4.conf", "acl_smtp_rcpt = accept\n", "/etc/exim4/exim4.conf"),
        ("/etc/exim4/conf.d/acl/30_check", "deny\n", "/etc/exim4/conf.d/acl/30_check"),
        ("/etc/exim4/passwd.client", "*:user:secret\n", "/etc/exim4/passwd.client"),
        ("/var/spool/exim4/input/1abc-H", "x\n", "1 messages in /var/spool/exim4"),
    ],
    ids=["own file", "changed file", "password", "queue"],
)
def test_what_somebody_wrote_for_a_local_exim_is_found(
    machine: Machine, path: str, text: str, why: str
) -> None:
    exim(machine, "local")
    machine.write(path, text)
    assert machine.found == [f"Exim ({why})"]


def test_what_a_removed_exim_left_is_no_mail_server(machine: Machine) -> None:
    exim(machine, "internet")
    machine.install("exim4-daemon-light", status="config-files")
    assert machine.found == []


def test_unchanged_files_of_dovecot_are_known_by_ucf(machine: Machine) -> None:
    path, text = "/etc/dovecot/conf.d/10-mail.conf", "mail_driver = mbox\n"
    machine.write(path, text)
    assert machine.found == [f"Dovecot ({path})"]
    machine.write("/var/lib/ucf/hashfile", f"{hashlib.md5(text.encode()).hexdigest()}  {path}\n")
    machine.write(f"{path}.ucf-dist", "mail_driver = maildir\n")
    assert machine.found == []
    machine.write(path, "mail_driver = maildir\n")
    machine.write("/etc/dovecot/local.conf", "protocols = imap\n")
    assert machine.found == [f"Dovecot ({path}, /etc/dovecot/local.conf)"]


def test_keys_of_another_opendkim_are_found(machine: Machine) -> None:
    machine.install("opendkim", files={"/etc/opendkim.conf": "Syslog yes\n"})
    assert machine.found == []
    machine.write("/etc/dkimkeys/acme.private", "key\n")
    machine.write("/etc/opendkim.conf", "Domain acme.example\n")
    assert machine.found == ["OpenDKIM (/etc/dkimkeys/acme.private, /etc/opendkim.conf)"]


def test_a_default_site_of_somebody_is_found(machine: Machine) -> None:
    available, enabled = "/etc/nginx/sites-available/default", "/etc/nginx/sites-enabled/default"
    machine.install("nginx-common", files={available: "server {}\n"})
    link = machine.top / enabled.lstrip("/")
    link.parent.mkdir(parents=True)
    link.symlink_to(available)
    assert machine.found == []
    machine.write(available, "server { server_name shop.example; }\n")
    assert machine.found == [f"nginx ({available})"]
    link.unlink()
    machine.write(enabled, "server {}\n")
    assert machine.found == [f"nginx ({enabled})"]


def test_another_mail_server_is_found_and_what_apt_does_not_remove_must_go_first(
    machine: Machine,
) -> None:
    machine.install("nullmailer", "mail-transport-agent")
    machine.install("cyrus-imapd", "imap-server")
    machine.install("postfix", "mail-transport-agent")
    machine.install("dovecot-imapd", "imap-server")
    machine.install("mutt", "mail-reader, imap-client")
    found = find(machine.host)
    assert [(one.name, one.remove) for one in found] == [
        ("cyrus-imapd", "cyrus-imapd"),
        ("nullmailer", ""),
    ]
    assert "apt-get remove cyrus-imapd" in foreign_mail.refusal(found)
    assert "base_adopt" not in foreign_mail.refusal(found)


def test_a_refusal_says_what_was_found_and_what_to_do() -> None:
    text = foreign_mail.refusal([Foreign("Dovecot", tuple("abcde"), ("/etc/dovecot",))])
    assert "Dovecot (a, b, c and 2 more). Nothing was changed." in text
    assert "-e base_adopt=true" in text
    assert "--limit" in text


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (f"{PLATFORM}/mail-home", "/srv/vmail\n"),
        (f"{PLATFORM}/current/manifest.json", "{}"),
        (MAIN_CF, "# The role reseller.mail.postfix writes this file.\n"),
        ("/etc/dovecot/dovecot.conf", "x = 1\n# The role reseller.mail.dovecot writes this.\n"),
    ],
)
def test_a_host_that_we_configured_is_ours(machine: Machine, path: str, text: str) -> None:
    machine.write(MAIN_CF, "inet_interfaces = all\n")
    assert not is_ours(machine.host, PLATFORM)
    machine.write(path, text)
    assert is_ours(machine.host, PLATFORM)


def test_the_main_files_of_our_roles_have_the_note_that_shows_it() -> None:
    roles = Path(__file__).parents[5] / "roles"
    for file in (
        "postfix/templates/main.cf.j2",
        "dovecot/templates/dovecot-2.3.conf.j2",
        "dovecot/templates/dovecot-2.4.conf.j2",
    ):
        assert foreign_mail.OURS in (roles / file).read_text()[:1000], file


def run(command: list[str]) -> tuple[int, str, str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_a_copy_has_each_file_at_its_path_with_its_mode(tmp_path: Path) -> None:
    source, target = tmp_path / "etc/postfix", tmp_path / "backups/20261129T030000Z"
    source.mkdir(parents=True)
    (source / "sasl_passwd").write_text("secret")
    (source / "sasl_passwd").chmod(0o600)
    (source / "link").symlink_to("/nowhere")
    foreign_mail.copy_aside(run, [str(source)], str(target))
    copy = target / str(source).lstrip("/")
    assert (copy / "sasl_passwd").read_text() == "secret"
    assert (copy / "sasl_passwd").stat().st_mode & 0o777 == 0o600
    assert (copy / "link").readlink() == Path("/nowhere")
    assert {path.stat().st_mode & 0o777 for path in (target, target.parent)} == {0o700}


def test_a_copy_that_fails_ends_the_adoption(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="the copy of /nowhere failed"):
        foreign_mail.copy_aside(run, ["/nowhere"], str(tmp_path / "backups/now"))


def test_only_folders_that_exist_are_kept_each_once(machine: Machine) -> None:
    machine.write("/etc/aliases", "root: jo\n")
    machine.write(MAIN_CF, "inet_interfaces = all\n")
    exim(machine, "internet")
    host = machine.host
    assert folders_to_keep(host, find(host)) == ["/etc/postfix", "/etc/aliases", "/etc/exim4"]


def test_a_folder_of_copies_is_named_by_the_time() -> None:
    assert foreign_mail.place("/b", 1795921200) == "/b/20261129T030000Z"
