# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the quotas of the files with those of Dovecot, its usage, the disk and the limits.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness.
"""

from __future__ import annotations

import typing as t

from .._judge.ledger import Account, ledger
from .._model.sizes import rounded, size
from .._model.tenant import COUNTERS
from .finding import Finding

if t.TYPE_CHECKING:
    from .._model.domain import Domain, Mailbox
    from .._model.estate import Estate
    from .._model.values import Limit

KIB = 1024


class Live(t.NamedTuple):
    """What Dovecot reports about one mailbox: bytes, which it counts in KiB, and messages."""

    limit: Limit
    used: int
    messages_limit: Limit
    messages: int
    disk: t.Optional[int] = None
    disk_messages: t.Optional[int] = None

    @property
    def is_counted(self) -> bool:
        """Return whether the mail on the disk was counted."""
        return self.disk is not None

    @property
    def agrees(self) -> bool:
        """Return whether Dovecot counts what the disk has. Dovecot rounds up to KiB."""
        return (self.used, self.messages) == (-(-(self.disk or 0) // KIB) * KIB, self.disk_messages)


def _limit(mailbox: Mailbox, live: t.Optional[Live], node: str) -> t.Optional[Finding]:
    """Return the finding about a quota that Dovecot does not enforce; None if it does."""
    most = mailbox.mailbox_limits.messages
    expected = f"quota {size(mailbox.quota)}, {most} messages"
    if live is None:
        found, remedy = "Dovecot does not have the mailbox", f"converge {node}"
    elif live.limit != (None if mailbox.quota is None else mailbox.quota // KIB * KIB):
        found, remedy = f"Dovecot enforces {size(live.limit)}", f"converge {node}"
    elif live.messages_limit != most:
        found, remedy = (
            (
                "Dovecot enforces"
                f" {'unlimited' if live.messages_limit is None else live.messages_limit} messages"
            ),
            f"converge {node}",
        )
    else:
        return None
    return Finding("quota.limit", mailbox.address, "fail", expected, found, remedy)


def _usage(mailbox: Mailbox, live: t.Optional[Live], warn_at: int) -> t.Optional[Finding]:
    """Return the finding about a mailbox that is ``warn_at`` % full; None if it is not.

    Of the bytes and the messages, the one that is fuller counts.
    """
    if live is None:
        return None
    fills = (
        [
            (
                live.used * 100 // live.limit,
                live.used > live.limit,
                size(live.limit),
                rounded(live.used),
                "quota",
            )
        ]
        if live.limit
        else []
    )
    if live.messages_limit:
        whole, shown = f"{live.messages_limit} messages", f"{live.messages} messages"
        fills.append(
            (
                live.messages * 100 // live.messages_limit,
                live.messages > live.messages_limit,
                whole,
                shown,
                "mailbox_limits",
            )
        )
    percent, is_over, whole, shown, key = max(fills, default=(0, False, "", "", ""))
    if percent < warn_at:
        return None
    remedy = (
        f"raise the {key} of {mailbox.address} in its domain's file, or let its user delete mail"
    )
    return Finding(
        "quota.usage",
        mailbox.address,
        "fail" if is_over else "warn",
        f"below {warn_at} % of {whole}",
        f"{shown}, {percent} %",
        remedy,
    )


def _disk(mailbox: Mailbox, live: t.Optional[Live], node: str) -> t.Optional[Finding]:
    """Return the finding about a mailbox with other mail on the disk than Dovecot counts."""
    if live is None or not live.is_counted or live.agrees:
        return None
    return Finding(
        "quota.disk",
        mailbox.address,
        "warn",
        f"Dovecot counts what is on the disk: {live.disk} bytes, {live.disk_messages} messages",
        f"it counts {live.used} bytes, {live.messages} messages",
        f"systemctl start reseller-mail-quota on {node}, which happens every night, too",
    )


def _domain(domain: Domain, live: t.Mapping[str, Live], node: str, warn_at: int) -> list[Finding]:
    """Return a finding for each mailbox with a problem, and one for all others of the domain."""
    limits = [_limit(mailbox, live.get(mailbox.address), node) for mailbox in domain.mailboxes]
    usages = [_usage(mailbox, live.get(mailbox.address), warn_at) for mailbox in domain.mailboxes]
    disks = [_disk(mailbox, live.get(mailbox.address), node) for mailbox in domain.mailboxes]
    findings = [finding for finding in (*limits, *usages, *disks) if finding]
    well = limits.count(None)
    if well:
        findings.append(
            Finding(
                "quota.limit",
                domain.name,
                "ok",
                "Dovecot enforces every quota of the files",
                f"{well} mailboxes",
            )
        )
    if well and usages.count(None):
        used = sum(
            live[mailbox.address].used for mailbox in domain.mailboxes if mailbox.address in live
        )
        findings.append(
            Finding(
                "quota.usage",
                domain.name,
                "ok",
                f"below {warn_at} %",
                f"{usages.count(None)} mailboxes, {rounded(used)} used in the domain",
            )
        )
    counted = [
        live[mailbox.address]
        for mailbox, finding in zip(domain.mailboxes, disks, strict=True)
        if finding is None and mailbox.address in live and live[mailbox.address].is_counted
    ]
    if counted:
        findings.append(
            Finding(
                "quota.disk",
                domain.name,
                "ok",
                "Dovecot counts what is on the disk",
                f"{len(counted)} mailboxes, {rounded(sum(one.disk or 0 for one in counted))}",
            )
        )
    return findings


def _allotted(account: Account) -> Finding:
    """Return the finding about what is allotted to an account, against its limits."""
    over = [
        f"{key} {_count(key, used)} of {_count(key, allowed)}"
        for key, used, allowed in account.over()
    ]
    limited = [key for key in COUNTERS if getattr(account.limits, key) is not None]
    shown = [
        f"{key} {_count(key, getattr(account.used, key))} of"
        f" {_count(key, getattr(account.limits, key))}"
        for key in limited
    ]
    subject = account.name if account.kind == "owner" else f"{account.kind} {account.name}"
    expected = "allotted within the limits"
    if over:
        return Finding(
            "quota.allotted",
            subject,
            "fail",
            expected,
            ", ".join(over),
            "lower what is allotted, or raise the limit in account.yml",
        )
    if not limited:
        return Finding("quota.allotted", subject, "na", expected, "no limit is set")
    return Finding("quota.allotted", subject, "ok", expected, ", ".join(shown))


def _count(key: str, number: Limit) -> str:
    """Return a number as text, storage as a size."""
    return size(number) if key == "storage" else str(number)


def node_findings(
    estate: Estate, node: str, live: t.Mapping[str, Live], warn_at: int = 80
) -> list[Finding]:
    """Return the findings about every mailbox on the node."""
    return [
        finding
        for _tenant, domain in estate.domains_on(estate.node(node))
        for finding in _domain(domain, live, node, warn_at)
    ]


def ledger_findings(estate: Estate, node: str) -> list[Finding]:
    """Return the findings about the accounts of the tenants on the node."""
    here = {tenant.name for tenant in estate.tenants if tenant.served and tenant.placement == node}
    return [
        _allotted(account)
        for account in ledger(estate).accounts()
        if account.tenant in here and account.kind != "domain"
    ]
