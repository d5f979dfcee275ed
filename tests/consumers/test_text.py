"""The text agent: one event in, one result out, the same each time."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.context import Context, Resources
from consumers.errors import Reject, Retry
from consumers.runtime.local import run_agent
from consumers.store import ObjectStore
from consumers.text import MAX_INLINE_BYTES, MAX_SPANS, MAX_TEXT_BYTES, analyze
from schemas.codec import Codec
from schemas.records import TextAnalyzed, TextPosted
from schemas.schema_set import SchemaSet
from schemas.settings import Settings

MOST_BYTES = 1024 * 1024


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(resources=Resources(str(tmp_path)))


@pytest.fixture
def store(context: Context) -> ObjectStore:
    return context.store


def posted(text: str | None = None, *, reference: str | None = None) -> TextPosted:
    return TextPosted(text_id="a", text=text, reference=reference, event_id="e", occurred_at=1)


def same(one: TextAnalyzed, other: TextAnalyzed) -> bool:
    """Equal but for what the runtime stamps."""
    return msgspec.structs.replace(one, event_id="", occurred_at=0) == msgspec.structs.replace(
        other, event_id="", occurred_at=0
    )


def test_a_review_is_analyzed_in_every_respect(context: Context) -> None:
    result = analyze(posted("I love this lamp. The sh1t cable broke, mail ana@example.com!"), context)
    assert (result.text_id, result.source_event_id) == ("a", "e")
    assert result.language == "en"
    assert result.profanity_masked_text == "I love this lamp. The **** cable broke, mail ana@example.com!"
    assert result.pii_masked_text == "I love this lamp. The sh1t cable broke, mail [email]!"
    assert [(span.kind, span.start, span.end) for span in result.profanity_spans] == [("shit", 22, 26)]
    assert [(span.kind, span.start, span.end) for span in result.pii_spans] == [("email", 45, 60)]
    assert result.sentiment is not None
    assert (result.characters, result.words, result.sentences) == (61, 11, 2)


def test_keywords_give_away_neither_rude_words_nor_addresses(context: Context) -> None:
    result = analyze(posted("Shit lamp! Write to petronella@example.com about this lamp."), context)
    assert result.keywords == ("lamp", "write")


def test_an_empty_text_has_an_empty_result(context: Context) -> None:
    result = analyze(posted(""), context)
    assert (result.language, result.language_confidence, result.sentiment) == ("und", 0.0, None)
    assert (result.profanity_masked_text, result.pii_masked_text, result.keywords) == ("", "", ())
    assert (result.characters, result.words, result.sentences) == (0, 0, 0)


def test_other_languages_than_english_have_no_sentiment(context: Context) -> None:
    assert analyze(posted("Ich liebe diese wunderbare Lampe, sie ist herrlich."), context).sentiment is None


def test_a_text_by_reference_is_fetched(context: Context, store: ObjectStore) -> None:
    store.put("texts/one.txt", "Guten Morgen, ihr lieben Leute 👋".encode())
    inline = analyze(posted("Guten Morgen, ihr lieben Leute 👋"), context)
    assert same(analyze(posted(reference="texts/one.txt"), context), inline)
    assert inline.language == "de"


@pytest.mark.parametrize(
    ("text", "reference", "reason"),
    [
        (None, None, "neither text nor reference"),
        ("a", "b.txt", "both text and reference"),
        ("lone \ud800", None, "a lone surrogate at character 5"),
        (None, "../etc/passwd", "is no path of an object"),
        (None, "", "is no path of an object"),
        (None, "latin.txt", r"latin.txt is not UTF-8: .* at byte 2"),
        (None, "surrogate.txt", r"surrogate.txt is not UTF-8"),
        (None, "huge.txt", r"huge.txt has .* bytes, more than"),
    ],
)
def test_what_can_never_be_analyzed_is_rejected_with_its_reason(
    context: Context, store: ObjectStore, text: str | None, reference: str | None, reason: str
) -> None:
    store.put("latin.txt", "Gr\u00fc\u00dfe".encode("latin-1"))
    store.put("surrogate.txt", b"\xed\xa0\x80")
    store.put("huge.txt", b"a" * (MAX_TEXT_BYTES + 1))
    with pytest.raises(Reject, match=reason):
        analyze(posted(text, reference=reference), context)


def test_a_text_that_is_not_there_yet_is_tried_again(context: Context) -> None:
    with pytest.raises(Retry, match=r"no object at late\.txt"):
        analyze(posted(reference="late.txt"), context)


def test_large_masked_texts_go_to_the_store_under_the_hash_of_their_content(
    context: Context, store: ObjectStore
) -> None:
    text = "This fucking lamp, mail a@example.com now. " * 25_000
    store.put("long.txt", text.encode())
    result = analyze(posted(reference="long.txt"), context)
    assert (result.profanity_masked_text, result.pii_masked_text) == (None, None)
    assert result.profanity_masked_reference
    assert result.pii_masked_reference
    assert store.get(result.profanity_masked_reference).decode() == text.replace("fucking", "*******")
    assert store.get(result.pii_masked_reference).decode() == text.replace("a@example.com", "[email]")
    assert len(result.profanity_spans) == len(result.pii_spans) == MAX_SPANS
    assert same(analyze(posted(reference="long.txt"), context), result)


@pytest.mark.parametrize("piece", ["shit a@b.co ", "😀", "漢字", "a"])
def test_no_text_makes_a_result_too_large_for_the_broker(context: Context, store: ObjectStore, piece: str) -> None:
    codec = Codec(SchemaSet.load())
    for size in (MAX_INLINE_BYTES, 1_000_000):
        store.put("long.txt", (piece * (size // len(piece.encode()))).encode())
        result = analyze(posted(reference="long.txt"), context)
        assert len(codec.encode(result, topic="texts.analyzed")) < MOST_BYTES


def test_right_to_left_combining_and_emoji_texts_keep_their_indices(context: Context) -> None:
    text = "👩‍👩‍👧 e\u0301 שלום לכולם, זה חרא אמיתי, כתבו אל a@example.com היום"
    result = analyze(posted(text), context)
    [rude], [mail] = result.profanity_spans, result.pii_spans
    assert text[rude.start : rude.end] == "חרא"
    assert text[mail.start : mail.end] == "a@example.com"


@settings(deadline=None)
@given(st.text(max_size=120))
def test_the_same_event_gives_an_equal_result(text: str) -> None:
    event, context = posted(text), Context()
    assert same(analyze(event, context), analyze(event, context))


def test_threads_that_begin_together_agree(tmp_path: Path) -> None:
    context = Context(resources=Resources(str(tmp_path)))
    event = posted("Die Lampe ist Scheiße, ruft mich an: 030 1234567")
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda _: analyze(event, context), range(32)))
    assert all(same(result, results[0]) for result in results)


def test_a_users_word_lists_are_taken_from_the_environment(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "all.txt").write_text("lampshade\n", encoding="utf-8")
    monkeypatch.setenv("HEADRACE_PROFANITY_DIR", str(tmp_path))
    assert analyze(posted("You old lampshade, you!"), context).profanity_masked_text == "You old *********, you!"


def test_the_agent_of_the_catalogue_handles_a_text_without_a_broker(tmp_path: Path) -> None:
    ran = run_agent("text", posted("What a wonderful morning, everybody!"), settings=Settings(store_url=str(tmp_path)))
    assert ran.failure is None
    [(name, fields)] = ran.results
    assert name == "headrace.TextAnalyzed"
    assert fields["language"] == "en"
