"""The demo's page: everything is in it, nothing of the input can act in it."""

from html.parser import HTMLParser

import pytest

from consumers.store import open_store
from demo import page
from demo.chart import activity_chart
from demo.outcome import Letter, Made, Row

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>'\""


class Tags(HTMLParser):
    """Collects every tag with its attributes."""

    def __init__(self):
        super().__init__()
        self.tags = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


@pytest.fixture
def written(tmp_path):
    store = open_store(str(tmp_path / "objects"))
    store.put("thumbnail.png", b"\x89PNG not really")
    variant = {"reference": "thumbnail.png", "format": "png", "size_bytes": 1}
    image = {
        "image_id": EVIL,
        "format": "png",
        "width": 1,
        "height": 2,
        "frames": 3,
        "variants": [variant],
        "dominant_colors": ["#ffffff"],
    }
    found = [{"kind": "email", "start": 0, "end": 3}]
    text = {
        "text_id": "t",
        "language": EVIL,
        "language_confidence": 0.5,
        "keywords": [EVIL],
        "sentiment": None,
        "pii_spans": found,
        "profanity_spans": [],
    }
    made = Made(
        [image], [text], {"t": f"a@b {EVIL}"}, [], [Letter("images", EVIL, EVIL, EVIL, "1")], str(tmp_path / "objects")
    )
    page.write(tmp_path / "demo.html", [Row(EVIL, 1, 1, 0, 1.0, None, 2.0)], made)
    return (tmp_path / "demo.html").read_text()


def test_nothing_of_the_input_can_act_in_the_page(written):
    parsed = Tags()
    parsed.feed(written)
    assert [tag for tag, _ in parsed.tags if tag == "script"] == []
    assert [attrs for _, attrs in parsed.tags if any(name.startswith("on") for name in attrs)] == []


def test_the_page_needs_no_network(written):
    parsed = Tags()
    parsed.feed(written)
    sources = [value for _, attrs in parsed.tags for name, value in attrs.items() if name in {"src", "href"}]
    assert sources
    assert [source for source in sources if not source.startswith("data:")] == []


def test_personal_data_is_not_given_away(written):
    assert "a@b" not in written
    assert "[email]" in written


def test_the_chart_stacks_the_kinds_and_names_the_busiest_minute():
    minute = 1_795_341_600_000_000
    figures = {
        "distinct_users": 1,
        "duration_p50_ms": 1.0,
        "duration_p95_ms": 2.0,
        "duration_p99_ms": 3.0,
        "top_url": "/",
    }
    windows = [
        {"window_start": minute + number * 60_000_000, "kind": kind, "count": count, **figures}
        for number, count in enumerate((10, 20))
        for kind in ("view", "click")
    ]
    chart = activity_chart(windows)
    assert chart.count("<rect") == 2 * 4 + 4
    assert ">40<" in chart
    assert chart.count("<td>20</td>") == 2
