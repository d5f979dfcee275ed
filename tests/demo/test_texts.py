"""The demo's texts: many languages, each told right, and something to find in them."""

from collections import Counter
from pathlib import Path

import pytest

from consumers.context import Context, Resources
from consumers.store import ObjectStore, open_store
from consumers.text import analyze
from consumers.texts import profanity
from demo.sentences import SENTENCES
from demo.texts import COUNT, LONG_REFERENCE, language_of, texts
from schemas.records import TextAnalyzed, TextPosted


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("objects")


@pytest.fixture(scope="module")
def store(folder: Path) -> ObjectStore:
    return open_store(str(folder))


@pytest.fixture(scope="module")
def events(store: ObjectStore) -> list[TextPosted]:
    return texts(store)


@pytest.fixture(scope="module")
def results(events: list[TextPosted], folder: Path) -> list[TextAnalyzed]:
    context = Context(resources=Resources(str(folder)))
    return [analyze(event, context) for event in events]


def test_there_are_500_different_texts_in_at_least_ten_languages(events: list[TextPosted]) -> None:
    assert len(events) == len({event.text_id for event in events}) == len({event.event_id for event in events}) == COUNT
    assert len({event.text for event in events}) == COUNT
    languages = Counter(filter(None, map(language_of, events)))
    assert len(languages) >= 10
    assert min(languages.values()) >= 20


def test_they_are_the_same_each_time(events: list[TextPosted], store: ObjectStore) -> None:
    assert texts(store) == events


def test_one_is_empty_and_one_is_long_and_lies_in_the_store(events: list[TextPosted], store: ObjectStore) -> None:
    assert [event.text for event in events].count("") == 1
    [long] = [event for event in events if event.reference]
    assert long.reference == LONG_REFERENCE
    assert 1_000_000 <= len(store.get(LONG_REFERENCE)) <= 1_100_000


def test_every_language_is_told_right(events: list[TextPosted], results: list[TextAnalyzed]) -> None:
    wrong = {
        event.text_id: (result.language, event.text)
        for event, result in zip(events, results, strict=True)
        if language_of(event) not in {None, result.language}
    }
    assert wrong == {}


def test_there_is_something_of_every_kind_to_mask(results: list[TextAnalyzed]) -> None:
    kinds = {span.kind for result in results for span in result.pii_spans}
    assert kinds == {"email", "phone", "card", "iban", "ip", "ssn"}
    assert sum(bool(result.profanity_spans) for result in results) >= 30


@pytest.mark.parametrize("language", SENTENCES)
def test_exactly_the_rude_sentences_are_rude(language: str) -> None:
    sentences = SENTENCES[language]
    polite = (*sentences.openings, *sentences.middles, *sentences.closings)
    assert [sentence for sentence in polite if profanity.find(sentence, language=language)] == []
    assert [sentence for sentence in sentences.rude if not profanity.find(sentence, language=language)] == []
