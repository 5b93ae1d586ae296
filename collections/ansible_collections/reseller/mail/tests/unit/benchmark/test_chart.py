# SPDX-License-Identifier: GPL-3.0-or-later
"""The chart has a point for each measurement, in the right place, and names that can be read."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from ansible_collections.reseller.mail.tests.benchmark import chart

SVG = "{http://www.w3.org/2000/svg}"
SERIES = {
    "validate <cold>": [(1_000, 0.1), (100_000, 10)],
    "events": [(1_000, 0.01), (100_000, 9.9)],
}


def _drawn() -> ElementTree.Element:
    return ElementTree.fromstring(chart.svg(SERIES, "Cost", "mailboxes", "seconds"))


def test_ten_times_the_size_is_the_same_distance_everywhere() -> None:
    axis = chart.axis([3, 4_000], 100, 500)
    assert (axis.low, axis.high) == (0, 4)
    assert [axis.place(10.0**power) for power in axis.ticks()] == [100, 200, 300, 400, 500]


def test_an_axis_of_one_value_is_a_power_of_ten_long() -> None:
    assert chart.axis([10], 0, 1)[:2] == (1, 2)


def test_every_measurement_is_a_point_of_its_line() -> None:
    lines = [line.get("points", "").split() for line in _drawn().iter(f"{SVG}polyline")]
    circles = [f"{one.get('cx')},{one.get('cy')}" for one in _drawn().iter(f"{SVG}circle")]
    assert [len(line) for line in lines] == [2, 2]
    assert circles == [point for line in lines for point in line]
    left, bottom = lines[0][0].split(",")[0], lines[1][0].split(",")[1]
    assert float(left) == chart.LEFT
    assert float(bottom) == chart.HEIGHT - chart.BOTTOM


def test_names_are_whole_and_apart_from_each_other() -> None:
    names = {one.text: float(one.get("y", "0")) for one in _drawn().iter(f"{SVG}text")}
    assert abs(names["validate <cold>"] - names["events"]) >= chart.LABEL
    assert {"Cost", "mailboxes", "seconds", "1,000", "100,000", "0.01"} <= names.keys()


def test_lines_differ_in_colour_and_in_dashes() -> None:
    text = chart.svg(SERIES, "Cost", "mailboxes", "seconds")
    assert len(set(re.findall(r'stroke-dasharray="([^"]*)"', text))) == 2
    assert len(chart.COLOURS) == len(chart.DASHES) == len(set(chart.COLOURS))
