# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways to spoil an estate, from single bytes to whole files. Each takes the files and a source of
chance, and changes the files in place."""

from __future__ import annotations

import json
import re
import typing as t
from random import Random

from ansible_collections.reseller.mail.plugins.plugin_utils._language import schema
from ansible_collections.reseller.mail.plugins.plugin_utils._language.scalars import Scalar
from ansible_collections.reseller.mail.plugins.plugin_utils._language.schema import Many, Table

Files = dict[str, bytes]

# Texts that have ended badly elsewhere: in YAML, in Unicode, in numbers, in names, in what is
# compiled from the files.
NASTY = (
    "", "~", "null", "true", "no", "0", "-0", "-1", "1e309", "0x10", "010", "١٢",
    "9223372036854775807", "9223372036854775808", "1" * 400, "nan", ".inf",
    "unlimited", "5G", "5 GB", "0G", "99999999T", "1B", "2026-02-30", "2026-01-01", "0000-00-00",
    "1.5", "100.001", "#1a6b3c", "https://x.example/",
    "https://x.example/\"><script>", "https://", "javascript:alert(1)", "en", "de_DE", "EUR",
    "-all", "*", "**", "&a", "*a", "&a x", "<<",
    "!!python/object:os.system x",
    "!vault |\n      $ANSIBLE_VAULT;1.1;AES256\n      6162", "!vault x",
    "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$c29tZXNhbHQ$aGFzaGhhc2hoYXNo",
    "{{ x }}", "{% if %}",
    "[", "]", "{", "}", "[]", "{}", "[[]]", "[{}]", "{a: b}", "|", ">", "|\n    x", "'", '"', "\\",
    "#", "%", "@", "`", "?", ":", "-", "- -", "---",
    "...", "%YAML 1.2",
    "\x00", "\t", "\r", "\n", "\r\n", "\x1b[31m", "\x7f", "\x85", "\u2028", "\u202e", "\ufeff",
    "\U0001f600", "\ud7ff", "ß", "ſ", "K", "İ", "ǅ", "́",
    "x\u200dy",
    "it@acme.example", "it", "jo+x", "IT@ACME.EXAMPLE.", "a@b@c.example", "@", "a@", "@b.example",
    '"a b"@c.example', "postmaster", "abuse@acme.example",
    "acme.example", "globex.example", "shop.acme.example", "example", ".", "..", "a..b", "xn--",
    "xn--bcher-kva.example", "xn--99999.example",
    "bücher.example",
    "hosting.example", "mx1.hosting.example", "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1",
    "fe80::1%eth0", "mx1", "mx2", "mx9", "business",
    "starter", "gold",
    "a" * 63, "a" * 64, "a" * 65, ".".join(["a" * 60] * 4) + ".example", "../../etc/passwd",
    "jo\nall: x", "jo\\nall", "require \"fileinto\";", "x" * 70_000,
    "-----BEGIN CERTIFICATE-----\n    AAAA\n    -----END CERTIFICATE-----",
)  # fmt: skip
TOKEN = re.compile(r"[^\s,:{}\[\]]+")
HOMES = (
    "estate.yml", "plans.yml", "tenants/acme/account.yml", "tenants/acme/acme.example.yml",
    "tenants/acme/shop.acme.example.yml",
    "state/mx1.json", "state/mx9.json", "tenants/globex/account.yml",
    "tenants/globex/acme.example.yml", "tenants/zzz/account.yml",
    "tenants/zzz/xn--bcher-kva.example.yml",
)  # fmt: skip


def _texts(files: Files, random: Random) -> tuple[str, str]:
    path = random.choice(sorted(files))
    return path, files[path].decode("utf-8", "surrogateescape")


def _put(files: Files, path: str, text: str) -> None:
    files[path] = text.encode(
        "utf-8",
        "surrogateescape" if not any("\ud800" <= char < "\udc80" for char in text) else "replace",
    )


def change_bytes(files: Files, random: Random) -> None:
    """Flips, inserts, deletes, doubles or moves a few bytes."""
    path = random.choice(sorted(files))
    content = bytearray(files[path])
    at, to = sorted(random.randrange(len(content) + 1) for _end in range(2))
    kind = random.randrange(5)
    if kind == 0 and at < len(content):
        content[at] ^= 1 << random.randrange(8)
    elif kind == 1:
        content[at:at] = random.randbytes(random.randrange(1, 5))
    elif kind == 2:
        del content[at : min(to, at + 40)]
    elif kind == 3:
        content[at:at] = content[at:to][:2000]
    else:
        del content[at:]
    files[path] = bytes(content)


def change_lines(files: Files, random: Random) -> None:
    """Deletes, doubles, swaps, indents lines, or takes some from another file."""
    path, text = _texts(files, random)
    lines = text.split("\n")
    one, other = random.randrange(len(lines)), random.randrange(len(lines))
    kind = random.randrange(6)
    if kind == 0:
        del lines[one]
    elif kind == 1:
        lines.insert(other, lines[one])
    elif kind == 2:
        lines[one], lines[other] = lines[other], lines[one]
    elif kind == 3:
        lines[one] = " " * random.randrange(1, 5) + lines[one]
    elif kind == 4:
        lines[one] = lines[one][random.randrange(1, 5) :]
    else:
        more = _texts(files, random)[1].split("\n")
        begin = random.randrange(len(more))
        lines[one:one] = more[begin : begin + random.randrange(1, 8)]
    _put(files, path, "\n".join(lines))


def change_words(files: Files, random: Random) -> None:
    """Replaces a word by a nasty one, by another of the estate, or by itself in other letters."""
    path, text = _texts(files, random)
    words = list(TOKEN.finditer(text))
    if not words:
        return
    word = random.choice(words)
    kind = random.randrange(4)
    if kind < 2:
        new = random.choice(NASTY)
        new = json.dumps(new) if kind else new
    elif kind == 2:
        new = random.choice(TOKEN.findall(_texts(files, random)[1]) or ["x"])
    else:
        new = random.choice(
            (
                word[0].upper(),
                word[0] + ".",
                f'"{word[0]}"',
                f"[{word[0]}]",
                f"{{{word[0]}: {word[0]}}}",
                word[0] * 2,
                f"!!str {word[0]}",
                f"&a {word[0]}",
                "*a",
            )
        )
    _put(files, path, text[: word.start()] + new + text[word.end() :])


def add_key(files: Files, random: Random) -> None:
    """Writes one more key into a file, of this schema or another, with a value that fits it or does
    not."""
    path, text = _texts(files, random)
    table = random.choice(list(schema.FILES.values()))
    name = random.choice(list(table.keys))
    value = _value(table.keys[name].type, random, 0.1)
    line = f"{name}: {value}\n"
    _put(files, path, line + text if random.random() < 0.5 else text.rstrip("\n") + "\n" + line)


def write_file(files: Files, random: Random) -> None:
    """A whole file from the schema, with few faults or with many."""
    path = random.choice((*HOMES, *sorted(files)))
    table = _table_of(path)
    faults = random.choice((0.0, 0.02, 0.3))
    text = "".join(
        f"{name}: {_value(key.type, random, faults)}\n"
        for name, key in table.keys.items()
        if key.required or random.random() < 0.4
    )
    _put(files, path, text)


def change_files(files: Files, random: Random) -> None:
    """Deletes, swaps, copies or empties files."""
    one, other = random.choice(sorted(files)), random.choice((*HOMES, *sorted(files)))
    kind = random.randrange(4)
    if kind == 0 and len(files) > 1:
        del files[one]
    elif kind == 1:
        files[one] = b""
    elif kind == 2 and other in files:
        files[one], files[other] = files[other], files[one]
    else:
        files[other] = files[one]


OPERATIONS: tuple[t.Callable[[Files, Random], None], ...] = (
    change_bytes,
    change_lines,
    change_words,
    change_words,
    add_key,
    write_file,
    change_files,
)


def _table_of(path: str) -> Table:
    if path.startswith("state/"):
        return schema.STATE
    if path in ("estate.yml", "plans.yml"):
        return schema.FILES[path]
    return schema.ACCOUNT if path.endswith("/account.yml") else schema.DOMAIN_FILE


FITTING = (
    "it", "jo", "ann", "sales", "it@acme.example", "jo@acme.example", "ann@globex.example",
    "x@elsewhere.example", "acme.example", "globex.example",
    "mail.acme.example",
    "acme-mail.example", "mx1", "mx2", "business", "starter", "mx1.hosting.example",
    "mail.stranger.example", "hosting.example", "192.0.2.1",
    "2001:db8::1", "1", "2", "10",
    "25", "30", "100", "86400", "5G", "20G", "1M", "unlimited", "1.50", "4", "true", "false",
    "Acme", "https://help.example/", "en", "de", "EUR",
    "2026-03-01", '"#1a6b3c"',
    "archive", "mobile", '"keep;\\n"', "0",
)  # fmt: skip


def _value(kind: t.Any, random: Random, faults: float) -> str:
    if random.random() < faults:
        return random.choice(
            (
                json.dumps(random.choice(NASTY)),
                random.choice(NASTY).partition("\n")[0],
                "[]",
                "{}",
                "~",
                "[~]",
                "{a: [b]}",
            )
        )
    if isinstance(kind, Many):
        return (
            "["
            + ", ".join(_value(kind.of, random, faults) for _item in range(random.randrange(4)))
            + "]"
        )
    if isinstance(kind, Table):
        if kind.free is not None:
            return f"{{whmcs: {_value(kind.free, random, faults)}}}"
        keys = {
            name: key for name, key in kind.keys.items() if key.required or random.random() < 0.4
        }
        return (
            "{"
            + ", ".join(f"{name}: {_value(key.type, random, faults)}" for name, key in keys.items())
            + "}"
        )
    assert isinstance(kind, Scalar)
    words = getattr(kind, "words", ())
    return random.choice(words) if words else _fitting(kind, random)


def _fitting(kind: Scalar, random: Random) -> str:
    for word in random.sample(FITTING, len(FITTING)):
        try:
            kind.read(word.strip('"').replace("\\n", "\n"))
        except ValueError:
            continue
        return word
    return "x"
