# SPDX-License-Identifier: GPL-3.0-or-later
"""A dump is read as its database would read it, or refused: no row and no value is lost or
guessed."""

from __future__ import annotations

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._exchange import sql
from hypothesis import given
from hypothesis import strategies as st

MYSQL = "CREATE TABLE `domain` (`domain` varchar(255), `note` text, PRIMARY KEY (`domain`));\n"
SQLITE = (
    "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE domain (domain varchar(255), note"
    " text);\n"
)
POSTGRES = (
    "SET standard_conforming_strings = on;\nCREATE TABLE public.domain (domain text, note text);\n"
)
COPY = POSTGRES + "COPY public.domain (domain, note) FROM stdin;\n"


def _read(text: str) -> sql.Dump:
    return sql.rows(text, ("domain",))


def _cells(dump: sql.Dump) -> list[tuple[str, str]]:
    assert dump.faults == []
    return [(row["domain"], row["note"]) for row in dump.rows.get("domain", [])]


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        pytest.param(
            MYSQL + r"INSERT INTO `domain` VALUES ('a','x\\y\'s\n\"'),('b''s',0x41);",
            [("a", "x\\y's\n\""), ("b's", "A")],
            id="MySQL's escapes",
        ),
        pytest.param(
            MYSQL + 'INSERT INTO domain VALUES ("a","say ""no"""),(NULL,2);',
            [("a", 'say "no"'), ("", "2")],
            id="MySQL's double quotes",
        ),
        pytest.param(
            MYSQL.replace("`", '"') + """INSERT INTO "domain" VALUES ('a','"b"');""",
            [("a", '"b"')],
            id="mysqldump --compatible=ansi",
        ),
        pytest.param(
            MYSQL + "INSERT INTO domain VALUES (_utf8mb4'a',_binary 'b'),(X'62',-1.5e3);",
            [("a", "b"), ("b", "-1.5e3")],
            id="introducers",
        ),
        pytest.param(
            MYSQL
            + "INSERT IGNORE INTO db.domain (note, domain) VALUES ('n','a') ON DUPLICATE KEY UPDATE"
            " note='x';",
            [("a", "n")],
            id="columns in an order of their own",
        ),
        pytest.param(
            "-- it's\n/* '*/# don't\n" + MYSQL + "INSERT INTO domain VALUES ('a;)','b,(');",
            [("a;)", "b,(")],
            id="comments",
        ),
        pytest.param(
            "CREATE TABLE domain (`key` text, `domain` text, `check` text, KEY (`key`));INSERT INTO"
            " domain VALUES ('k','d','c');",
            [("d", "")],
            id="columns that are called as constraints are",
        ),
        pytest.param(
            SQLITE + r"INSERT INTO domain VALUES('NEWCO\jo','Ann \');COMMIT;",
            [("NEWCO\\jo", "Ann \\")],
            id="SQLite's backslash",
        ),
        pytest.param(
            SQLITE + r"INSERT INTO domain"
            r" VALUES('a',replace(replace('x\r\ny','\r',char(13)),'\n',char(10)));COMMIT;",
            [("a", "x\r\ny")],
            id="SQLite's line ends",
        ),
        pytest.param(
            SQLITE + r"INSERT INTO domain VALUES('a',unistr('x\u000ay\\'));COMMIT;",
            [("a", "x\ny\\")],
            id="SQLite's line ends since 3.50",
        ),
        pytest.param(
            SQLITE.replace("domain ", "[domain] ") + "INSERT INTO [domain] VALUES('a','b');COMMIT;",
            [("a", "b")],
            id="brackets around names",
        ),
        pytest.param(
            POSTGRES + r"INSERT INTO public.domain VALUES ('a\b', E'c\td\'');",
            [("a\\b", "c\td'")],
            id="PostgreSQL's two kinds of texts",
        ),
        pytest.param(
            POSTGRES + "INSERT INTO domain VALUES ('a'::character varying(255), $x$it's$x$::text);",
            [("a", "it's")],
            id="PostgreSQL's casts",
        ),
        pytest.param(
            POSTGRES.replace("= on", "= off") + r"INSERT INTO domain VALUES ('a\\b','c');",
            [("a\\b", "c")],
            id="an old PostgreSQL's backslash",
        ),
        pytest.param(
            'CREATE TABLE "public"."domain" ("domain" text, "note" text);\nCOPY "public"."domain"'
            ' ("domain", "note") FROM stdin;\na\tb\n\\.\n',
            [("a", "b")],
            id="pg_dump --quote-all-identifiers",
        ),
        pytest.param(
            COPY + "a\\tb\t\\N\nc\\\\d\t\\x41\\101\\v\n\\.\n",
            [("a\tb", ""), ("c\\d", "AA\v")],
            id="COPY's escapes",
        ),
        pytest.param(
            (COPY + "a\tb\nc\t\n\\.\n").replace("\n", "\r\n"),
            [("a", "b"), ("c", "")],
            id="COPY with CR LF",
        ),
        pytest.param(COPY + "a\tb\rc\td\r\\.\r", [("a", "b"), ("c", "d")], id="COPY with CR"),
        pytest.param(
            POSTGRES
            + "COPY public.log (data) FROM stdin;\nINSERT INTO domain VALUES ('no\n\\.\nCOPY"
            " public.domain (domain, note) FROM stdin;\na\tb\n\\.\n",
            [("a", "b")],
            id="COPY of another table",
        ),
        *(
            pytest.param(MYSQL + f"{words} `domain` VALUES ('a','b');", [("a", "b")], id=words)
            for words in (
                "INSERT DELAYED INTO",
                "INSERT LOW_PRIORITY INTO",
                "INSERT",
                "REPLACE",
                "INSERT OR ROLLBACK INTO",
            )
        ),
        pytest.param(
            2 * ("DROP TABLE IF EXISTS `domain`;" + MYSQL + "INSERT INTO domain VALUES ('a','b');"),
            [("a", "b")],
            id="a newer dump behind",
        ),
        pytest.param(
            MYSQL + "TRUNCATE `domain`;INSERT INTO domain VALUES ('a','b');",
            [("a", "b")],
            id="emptied first",
        ),
        pytest.param(
            "-- phpMyAdmin SQL Dump\nSTART TRANSACTION;\n"
            + MYSQL
            + "INSERT INTO domain VALUES ('a','b');\nCOMMIT;\n\n/*!40101 SET x */;\n",
            [("a", "b")],
            id="phpMyAdmin",
        ),
        pytest.param(
            "-- Adminer 4.8.1 MySQL 8.0.31 dump\n"
            + MYSQL
            + "INSERT INTO domain VALUES ('a','b');\n-- 2023-01-31 09:15:11\n",
            [("a", "b")],
            id="Adminer",
        ),
        pytest.param(
            "--\n-- PostgreSQL database dump\n--\n\\restrict Ab1\n"
            + COPY
            + "a\tb\n\\.\n-- PostgreSQL database dump complete\n\\unrestrict Ab1\n",
            [("a", "b")],
            id="pg_dump with \\restrict",
        ),
        pytest.param(
            "CREATE FUNCTION f() AS $$ it's $$;\n" + COPY + "\\.\n",
            [],
            id="a function's body and an empty table",
        ),
    ],
)
def test_a_dump_is_read_as_its_database_reads_it(text: str, cells: list[tuple[str, str]]) -> None:
    assert _cells(_read(text)) == cells


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (
            MYSQL + "INSERT INTO domain VALUES ('a','never closed",
            2,
            "the text that begins here is not closed",
        ),
        (
            MYSQL + "INSERT INTO domain VALUES ('a','b'),\n('c',",
            3,
            "ends in the middle of this row",
        ),
        (
            MYSQL + "INSERT INTO domain VALUES ('a','b'),\n",
            2,
            "ends in the middle of the rows of domain",
        ),
        (
            MYSQL + "INSERT INTO domain VALUES ('a','b')\n",
            2,
            "ends in the middle of the rows of domain",
        ),
        (MYSQL + "INSERT INTO domain VALUES", 2, "ends in the middle of the rows of domain"),
        (
            MYSQL + "INSERT INTO domain VALUES ('a','the users\\','0');\nINSERT INTO domain VALUES"
            " ('b','');",
            2,
            "a text ends too early",
        ),
        (
            MYSQL + "INSERT INTO domain VALUES ('a','NEWCO\\jo');",
            2,
            "which no tool of MySQL writes",
        ),
        (MYSQL + "INSERT INTO domain VALUES ('a');", 2, "has 1 values for 2 columns"),
        (MYSQL + "INSERT INTO domain VALUES ('a','b','c');", 2, "has 3 values for 2 columns"),
        (MYSQL + "INSERT INTO domain VALUES ('a',concat('b','c'));", 2, "the function concat()"),
        (MYSQL + "INSERT INTO domain VALUES ('a',X'ff');", 2, "no UTF-8 text"),
        (MYSQL + "INSERT INTO domain VALUES ('a',);", 2, "is in the place of a value"),
        (MYSQL + "INSERT INTO domain SELECT * FROM old;", 2, "without VALUES is not read"),
        (MYSQL + "INSERT INTO domain SET domain='a';", 2, "without VALUES is not read"),
        (MYSQL + "UPDATE domain SET note='x';", 2, "UPDATE of the table domain is not read"),
        (
            MYSQL + "DELETE FROM `domain` WHERE domain='x';",
            2,
            "DELETE of the table domain is not read",
        ),
        (MYSQL + "MERGE INTO domain USING x ON 1=1;", 2, "MERGE of the table domain is not read"),
        (
            MYSQL + "LOAD DATA INFILE 'x' INTO TABLE domain;",
            2,
            "LOAD DATA of the table domain is not read",
        ),
        (
            MYSQL + "ALTER TABLE domain2 RENAME TO domain;",
            2,
            "ALTER of the table domain is not read",
        ),
        (MYSQL + "RENAME TABLE domain2 TO domain;", 2, "RENAME of the table domain is not read"),
        (
            "CREATE TABLE domain AS SELECT 'a' AS domain;",
            1,
            "CREATE TABLE domain without its columns",
        ),
        ("-- phpMyAdmin SQL Dump\nSTART TRANSACTION;\n" + MYSQL, 3, "it is incomplete"),
        ("-- Adminer 4.8.1 MySQL 8.0.31 dump\n" + MYSQL, 2, "it is incomplete"),
        ("INSERT INTO domain VALUES ('a','b');", 1, "does not say which columns"),
        ("CREATE TABLE domain (domain text,", 1, "ends in the middle of CREATE TABLE domain"),
        ("-- MySQL dump 10.13\n" + MYSQL, 2, "it is incomplete"),
        ("--\n-- PostgreSQL database dump\n--\n" + POSTGRES, 5, "it is incomplete"),
        (SQLITE, 3, "it is incomplete"),
        (COPY + "a\tb\nc", 3, "ends in the middle of the rows that begin here"),
        (COPY + "a\tb\n\nc\td\te\n\\.\n", 5, "has 1 values for 2 columns"),
        (
            POSTGRES
            + "COPY public.domain (domain, note) FROM stdin WITH (FORMAT csv);\na,b\n\\.\n",
            3,
            "in the text format",
        ),
        (POSTGRES + "COPY public.domain FROM '/tmp/domain';\n", 3, "in the text format"),
    ],
)
def test_what_cannot_be_read_is_a_fault_at_its_line(text: str, line: int, what: str) -> None:
    faults = _read(text).faults
    assert faults[0][0] == line
    assert what in faults[0][1]


def test_every_row_of_another_length_is_named() -> None:
    dump = _read(MYSQL + "INSERT INTO domain VALUES ('a'),('b','c'),\n('d','e','f');")
    assert [line for line, _what in dump.faults] == [2, 3]


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=5))
def test_whatever_text_a_standard_dump_holds_is_read_back(cells: list[tuple[str, str]]) -> None:
    rows = "".join(
        "INSERT INTO domain VALUES ({});\n".format(
            ",".join("'" + cell.replace("'", "''") + "'" for cell in row)
        )
        for row in cells
    )
    assert _cells(_read(SQLITE + rows + "COMMIT;\n")) == cells


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=5))
def test_whatever_text_a_mysql_dump_holds_is_read_back(cells: list[tuple[str, str]]) -> None:
    escapes = str.maketrans(
        {"\\": "\\\\", "'": "\\'", '"': '\\"', "\n": "\\n", "\r": "\\r", "\x1a": "\\Z"}
    )
    rows = "".join(
        "INSERT INTO domain VALUES ({});\n".format(
            ",".join(f"'{cell.translate(escapes)}'" for cell in row)
        )
        for row in cells
    )
    assert _cells(_read(MYSQL + rows)) == cells


@given(st.integers(0, 400))
def test_no_part_of_a_dump_passes_for_the_whole(length: int) -> None:
    whole = (
        "-- MySQL dump 10.13\n"
        + MYSQL
        + "INSERT INTO `domain` VALUES ('a','it\\'s'),('b','c');\n-- Dump completed\n"
    )
    part = whole[: min(length, len(whole))]
    if "-- MySQL dump 10.13" in part and "-- Dump completed" not in part:
        assert _read(part).faults
