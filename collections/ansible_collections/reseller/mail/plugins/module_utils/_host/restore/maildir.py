# SPDX-License-Identifier: GPL-3.0-or-later
"""Mailboxes from a snapshot are merged into those of the host: what is missing is added.

A message has the same name in its folder for its whole life, up to the first comma or colon. After
that come its size and its flags. So a message that is there is not added again.

PRIVATE to the collection. Runs on the host, as the user who owns the mail; standard library only.
"""

from __future__ import annotations

import base64
import os
import re
import typing as t
from dataclasses import dataclass
from pathlib import Path

MAIL = "Maildir"
UIDS = "dovecot-uidlist"
KEYWORDS = "dovecot-keywords"
SUBSCRIPTIONS = "subscriptions"
SPARE_UIDS = 100_000
"""UIDs that are not used again: those of messages that arrived after the snapshot. A mail program
that remembers one of them would take the next message for it (RFC 9051 section 2.3.1.1)."""
_HEADER = re.compile(rb"\A(3 .*?\bN)([0-9]+)")
_LETTERS = re.compile(r":2,([A-Za-z]*)\Z")


@dataclass(frozen=True, slots=True)
class Added:
    """How many messages, folders and Sieve scripts came back to a mailbox."""

    messages: int = 0
    folders: int = 0
    scripts: int = 0

    def __add__(self, other: Added) -> Added:
        return Added(
            self.messages + other.messages,
            self.folders + other.folders,
            self.scripts + other.scripts,
        )

    def __bool__(self) -> bool:
        return bool(self.messages or self.folders or self.scripts)


def directory(folder: str) -> str:
    """Return the name of a folder's directory in the Maildir; empty for INBOX.

    The name of a folder is as mail programs show it, with ``.`` between levels.
    """
    return "" if folder.upper() == "INBOX" else f".{_utf7(folder)}"


def folder_name(name: str) -> str:
    """Return the folder of a directory of the Maildir, as mail programs show it."""
    return _from_utf7(name.removeprefix(".")) if name else "INBOX"


def _utf7(text: str) -> str:
    """Return a text in the modified UTF-7 of mailbox names (RFC 3501 section 5.1.3)."""

    def encoded(match: re.Match[str]) -> str:
        if match[0] == "&":
            return "&-"
        coded = base64.b64encode(match[0].encode("utf-16-be")).decode()
        return f"&{coded.rstrip('=').replace('/', ',')}-"

    return re.sub(r"&|[^\x20-\x7e]+", encoded, text)


def _from_utf7(name: str) -> str:
    """Return the text of a name in modified UTF-7; the name itself if it is none."""

    def decoded(match: re.Match[str]) -> str:
        coded = match[1].replace(",", "/")
        return base64.b64decode(coded + "=" * (-len(coded) % 4)).decode("utf-16-be") or "&"

    try:
        return re.sub(r"&([A-Za-z0-9+,]*)-", decoded, name)
    except ValueError:
        return name


def is_folder(name: str) -> bool:
    """Return whether a directory of a Maildir is one of its folders."""
    return name.startswith(".") and name not in (".", "..")


def has_messages(home: Path, only: t.Optional[str] = None) -> bool:
    """Return whether a mailbox has a message, or one of its folders if ``only`` names it."""
    root = home / MAIL
    folders = [only] if only is not None else ["", *_folders(root)]
    return any(_messages(root / name) for name in folders)


def _folders(root: Path) -> list[str]:
    """Return the directories of a Maildir's folders, without INBOX."""
    if not root.is_dir():
        return []
    return sorted(one.name for one in os.scandir(root) if one.is_dir() and is_folder(one.name))


def _messages(folder: Path) -> dict[str, str]:
    """Return the messages of a folder: by their lasting name, ``cur/`` or ``new/`` and the file."""
    found = {}
    for part in ("new", "cur"):
        path = folder / part
        names = os.listdir(path) if path.is_dir() else []
        found.update(
            {lasting(name): f"{part}/{name}" for name in names if not name.startswith(".")}
        )
    return found


def lasting(name: str) -> str:
    """Return the part of a message's name that never changes."""
    return re.split("[,:]", name, maxsplit=1)[0]


def merge(staged: Path, home: Path, only: t.Optional[str] = None) -> Added:
    """Add to a mailbox what it lacks of the one in a snapshot; return what was added.

    ``only`` is the directory of one folder, empty for INBOX. Then nothing else comes back.
    """
    if not home.exists() and only is None:
        added = _whole(staged)
        home.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        staged.rename(home)
        return added
    root = home / MAIL
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = ["", *_folders(staged / MAIL)] if only is None else [only]
    back = [name for name in names if (staged / MAIL / name).is_dir()]
    added = Added()
    for name in back:
        added += _merge_folder(staged / MAIL / name, root / name)
    _subscribe(staged / MAIL / SUBSCRIPTIONS, root / SUBSCRIPTIONS, back)
    return added if only is not None else added + _merge_scripts(staged, home)


def _whole(staged: Path) -> Added:
    """Prepare a mailbox that comes back whole, and return what is in it."""
    root = staged / MAIL
    names = ["", *_folders(root)]
    for name in names:
        keep_uids(root / name / UIDS)
    return Added(
        sum(len(_messages(root / name)) for name in names),
        len(names) - 1,
        len(list((staged / "sieve").glob("*.sieve"))),
    )


def keep_uids(path: Path) -> None:
    """Let a folder that comes back use none of the UIDs that it gave after the snapshot."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return
    whole = text[: text.rfind(b"\n") + 1]  # Dovecot may have been writing the last line
    raised = _HEADER.sub(lambda found: found[1] + b"%d" % (int(found[2]) + SPARE_UIDS), whole)
    new = path.with_name(f"{path.name}.restored")
    new.write_bytes(raised)
    new.replace(path)


def _merge_folder(staged: Path, target: Path) -> Added:
    """Add the messages that a folder lacks; add the folder if there is none."""
    saved = _messages(staged)
    if not target.exists():
        keep_uids(staged / UIDS)
        staged.rename(target)
        return Added(len(saved), 1)
    if not (target / KEYWORDS).exists() and (staged / KEYWORDS).exists():
        (staged / KEYWORDS).rename(target / KEYWORDS)
        letters: dict[str, str] = {}
    else:
        letters = _translation(_keywords(staged), _keywords(target))
    for part in ("cur", "new", "tmp"):
        (target / part).mkdir(mode=0o700, exist_ok=True)
    present = _messages(target)
    added = 0
    for name, path in saved.items():
        if name not in present:
            (staged / path).rename(target / _translated(path, letters))
            added += 1
    return Added(added)


def _keywords(folder: Path) -> dict[str, str]:
    """Return the keywords of a folder by their letter in the names of messages."""
    try:
        lines = (folder / KEYWORDS).read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return {}
    rows = (line.partition(" ") for line in lines)
    return {
        chr(ord("a") + int(number)): word
        for number, _space, word in rows
        if number.isdigit() and int(number) < 26
    }


def _translation(saved: t.Mapping[str, str], now: t.Mapping[str, str]) -> dict[str, str]:
    """Return the letter of each saved keyword in the folder as it is now; empty if it has none."""
    letters = {word: letter for letter, word in now.items()}
    return {letter: letters.get(word, "") for letter, word in saved.items()}


def _translated(path: str, letters: t.Mapping[str, str]) -> str:
    """Return the path of a message with the letters of its keywords replaced, sorted."""
    flags = _LETTERS.search(path)
    if not flags or not letters:
        return path
    new = sorted({letters.get(letter, letter) for letter in flags[1]} - {""})
    return f"{path[: flags.start(1)]}{''.join(new)}"


def _subscribe(saved: Path, now: Path, back: t.Collection[str]) -> None:
    """Subscribe to the folders that came back and that were subscribed to in the snapshot.

    Both files begin with the version of their form. Levels of folders are parted by tabs.
    """
    present = _lines(now) or _lines(saved)[:2]
    missing = [
        line
        for line in _lines(saved)[2:]
        if f".{line}".replace("\t", ".") in back and line not in present
    ]
    if missing:
        new = now.with_name(f".{SUBSCRIPTIONS}.restored")
        new.write_text("".join(f"{line}\n" for line in [*present, *missing]), "utf-8")
        new.replace(now)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8", "surrogateescape").splitlines()
    except FileNotFoundError:
        return []


def _merge_scripts(staged: Path, home: Path) -> Added:
    """Add the Sieve scripts that a mailbox lacks. If it has none in use, so is the saved one."""
    scripts = sorted((staged / "sieve").glob("*.sieve"))
    (home / "sieve").mkdir(mode=0o700, exist_ok=True)
    added = 0
    for script in scripts:
        target = home / "sieve" / script.name
        if not target.exists():
            script.rename(target)
            added += 1
    link = staged / ".dovecot.sieve"
    if link.is_symlink() and not (home / link.name).is_symlink():
        link.rename(home / link.name)
    return Added(scripts=added)
