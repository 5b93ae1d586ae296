# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts that the roles dovecot and postfix must say alike."""

from __future__ import annotations

import pathlib
import typing as t

import yaml

ROLES = (
    next(parent for parent in pathlib.Path(__file__).resolve().parents if parent.name == "mail")
    / "roles"
)


def variables(role: str) -> dict[str, t.Any]:
    return t.cast(
        "dict[str, t.Any]", yaml.safe_load((ROLES / role / "vars" / "main.yml").read_text("utf-8"))
    )


def template(role: str, name: str) -> str:
    return (ROLES / role / "templates" / name).read_text("utf-8")


def test_dovecot_hands_what_scripts_send_to_the_service_that_the_guard_judges() -> None:
    where = variables("dovecot")["__dovecot_submission_host"]
    assert where == variables("postfix")["__postfix_sieve_listener"]
    assert where.startswith("127.0.0.1:")
    for release in ("2.3", "2.4"):
        settings = template("dovecot", f"dovecot-{release}.conf.j2")
        assert settings.count("submission_host = {{ __dovecot_submission_host }}") == 1
    assert "-o milter_macro_daemon_name=SIEVE" in template("postfix", "master.cf.j2")
    assert '== "SIEVE"' in (ROLES / "postfix" / "files" / "guard.py").read_text("utf-8")


def test_both_releases_give_scripts_the_same_extensions() -> None:
    allowed = variables("dovecot")["__dovecot_sieve_extensions"]
    assert len(set(allowed)) == len(allowed)
    assert not {
        name
        for name in allowed
        if "notify" in name or "environment" in name or name.startswith("vnd.")
    }
    for release in ("2.3", "2.4"):
        settings = template("dovecot", f"dovecot-{release}.conf.j2")
        assert (
            settings.count("sieve_extensions = {{ __dovecot_sieve_extensions | join(' ') }}") == 1
        )
        assert settings.count("sieve_extensions") == 2, "one place says it"
