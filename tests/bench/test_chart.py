"""The chart."""

import xml.etree.ElementTree as ET

from bench.chart import svg

BARE = {
    "name": "bare",
    "title": "bare <loop>",
    "machine": "2 cores",
    "events_per_s": {"min": 90.0, "median": 1e5, "max": 2e5},
}
GONE = {"name": "quix", "title": "Quix", "machine": "2 cores", "events_per_s": None}


def point(value, rate):
    spread = None if rate is None else {"min": rate, "median": rate, "max": rate}
    return {"series": "keys", "title": "keys", "value": value, "events_per_s": spread}


def texts_of(chart):
    return [element.text for element in ET.fromstring(chart).iter("{http://www.w3.org/2000/svg}text")]


def test_each_row_that_has_a_figure_is_drawn():
    texts = texts_of(svg([BARE, GONE], []))
    assert "bare <loop>" in texts
    assert "100,000" in texts
    assert "Quix" not in texts


def test_a_line_has_its_points_and_leaves_out_those_that_could_not_be_measured():
    texts = texts_of(svg([BARE], [point(1, 2_000.0), point(100, None), point(10_000, 150_000.0)]))
    assert {"keys", "1", "100", "10,000", "2.0 k", "150 k"} <= set(texts)
