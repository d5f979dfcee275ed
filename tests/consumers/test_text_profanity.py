"""Profane words are found through their disguises, and only they."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.texts import folding, profanity
from consumers.texts.spans import starred
from consumers.texts.wordlist import OWN_FOLDER, word_list
from schemas.errors import ConfigurationError

MEGABYTE = 1_000_000
FRAGMENTS = [
    "fuck", "shit", "sh1t", "a$$", "hole", "s", " ", "-", ".", "_", "!", "\u200b", "\u0301", "ï", "с", "Scunthorpe", "son of a bitch", "傻逼", "İ", "ﬁ",
    "Moby Dick", "f u c k", "1", "@", "\n", "сука", "😀", "👩‍👩‍👧", "चूतिया",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(FRAGMENTS), max_size=10).map("".join) | st.text(max_size=60)
LANGUAGES = st.sampled_from(["und", "en", "de", "ru", "zh"])


def masked(text: str, language: str = "en", folder: Path | None = None) -> str:
    return starred(text, profanity.find(text, language=language, folder=folder))


@pytest.mark.parametrize(
    "written",
    [
        "fuck", "FUCK", "sh1t", "$hit", "5h1t", "a$$hole", "@sshole", "b!tch", "fucklng",  # leetspeak
        "fuсk", "ｆｕｃｋ", "𝓯𝓾𝓬𝓴", "ⓕⓤⓒⓚ", "🅵🆄🅲🅺", "fùçk", "ѕhіt",  # look-alikes: the first has a Cyrillic с
        "f\u200bu\u200bc\u200bk", "f\u00aduck", "f̶u̶c̶k̶", "fu\u0301ck",  # unseen and combining
        "shiiiiit", "fuuuuck", "shiit", "fuckkkk",  # drawn out
        "f u c k", "f.u.c.k", "f-u-c-k", "f_u_c_k", "f*u*c*k",  # spaced
        "assholes", "bitches", "blow job", "blow-job", "son-of-a-bitch", "son of a bitch",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("before", "after"), [("", ""), ("What, ", " again?"), ("#", "..."), ("“", "”"), ("好 ", ""), ("I ", "!")]
)
def test_a_profane_word_is_masked_in_any_disguise(written: str, before: str, after: str) -> None:
    assert masked(before + written + after) == before + "*" * len(written) + after


@pytest.mark.parametrize(
    "innocent",
    [
        "Scunthorpe, Penistone, Lightwater and Clitheroe", "a classic bass passage by Handel", "assess the cockpit of Hitchcock", "shiitake mushrooms",
        "therapist, analysis, Essex, grape, document", "it is soooo goood", "a rapper and a leech", "Kian still tilts", "take the A55 at 4.55",
        "a god, a kill, a vodka, a breast cancer study", "Moby Dick by Melville", "Dick van Dyke", "tit for tat", "gay and lesbian rights", "$455 or 8008",
        "fuckushima", "mishit the ball", "pushit",
    ],
)  # fmt: skip
def test_innocent_words_are_left_alone(innocent: str) -> None:
    assert masked(innocent) == innocent


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("de", "So eine Scheiße, hell und dick!", "So eine *******, hell und dick!"),
        ("de", "SCHEISSE und Sch3isse", "******** und ********"),
        ("fr", "en retard, merde alors", "en retard, ***** alors"),
        ("sv", "full fart mot slut, fy helvete", "full fart mot slut, fy *******"),
        ("ru", "Этот рот! Иди на хуй", "Этот рот! **********"),
        ("ru", "СУКА, х у й", "****, *****"),
        ("el", "ΜΑΛΑΚΑΣ", "*******"),
        ("tr", "Siktir, şık bir ağaç", "******, şık bir ağaç"),
        ("vi", "cô gái bị cúm", "cô gái bị cúm"),
        ("ar", "اِبن الكَلب", "***********"),
        ("hi", "यह हरामी है", "यह ***** है"),
        ("zh", "这他妈的是什么", "这***是什么"),
        ("ja", "クソ野郎め", "****め"),
        ("ko", "씨발 시작", "** 시작"),
        ("th", "สายเหี้ยนี่", "สาย*****นี่"),
        ("und", "merda, scheiße, сука", "*****, *******, ****"),
        ("pl", "what the fuck", "what the ****"),
    ],
)
def test_each_language_has_its_words_and_its_false_friends(language: str, text: str, expected: str) -> None:
    assert masked(text, language) == expected


def test_a_span_is_named_after_the_list_and_indexes_the_original_text() -> None:
    [span] = profanity.find("e\u0301 f\u200bu\u0301ck", language="en")
    assert (span.start, span.end, span.kind) == (3, 9, "fuck")


def test_a_users_folder_adds_words_and_takes_others_off(tmp_path: Path) -> None:
    (tmp_path / "en.txt").write_text("frobnicator  # a rude machine\n!crap\n", encoding="utf-8")
    (tmp_path / "nl.txt").write_text("snotneus\n", encoding="utf-8")
    (tmp_path / "all.txt").write_text("grault\n", encoding="utf-8")
    assert masked("You fr0bnicator, what a crap grault!", "en", tmp_path) == "You ***********, what a crap ******!"
    assert masked("snotneus, grault", "nl", tmp_path) == "********, ******"
    assert masked("snotneus", "en", tmp_path) == "snotneus"
    assert masked("snotneus", "und", tmp_path) == "********"


def test_a_folder_that_is_none_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"HEADRACE_PROFANITY_DIR=.*no such folder"):
        profanity.find("", folder=tmp_path / "nowhere")


def test_a_list_that_is_not_utf_8_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "de.txt").write_bytes("Mist\nbl\u00f6d\n".encode("latin-1"))
    with pytest.raises(ConfigurationError, match=r"de\.txt: not UTF-8 at byte 7"):
        profanity.find("", language="de", folder=tmp_path)


@pytest.mark.parametrize("path", sorted(OWN_FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_every_word_of_every_own_list_is_masked_and_every_allowed_one_is_not(path: Path) -> None:
    lines = [entry for line in path.read_text(encoding="utf-8").splitlines() if (entry := line.split("#")[0].strip())]
    assert lines
    for line in lines:
        word = line.removeprefix("!")
        assert masked(word, path.stem) == (word if line.startswith("!") else "*" * len(word))


@settings(deadline=None)
@given(TEXTS, LANGUAGES)
def test_spans_lie_in_the_text_in_order_and_apart_and_the_mask_is_as_long(text: str, language: str) -> None:
    found = profanity.find(text, language=language)
    places = [place for span in found for place in (span.start, span.end)]
    assert places == sorted(places)
    assert all(0 <= span.start < span.end <= len(text) for span in found)
    hidden = starred(text, found)
    assert len(hidden) == len(text)
    assert all(set(hidden[span.start : span.end]) == {"*"} for span in found)
    assert found == profanity.find(text, language=language)


@settings(deadline=None)
@given(
    st.sampled_from(["fuck", "shit", "asshole", "bitches"]),
    st.integers(0, 8),
    st.sampled_from("\u200b\u0336\u00ad\u2060"),
)
def test_an_unseen_character_anywhere_hides_no_word(word: str, place: int, unseen: str) -> None:
    disguised = word[:place] + unseen + word[place:]
    assert len(profanity.find(disguised, language="en")) == 1


def test_folding_keeps_every_character_one_character() -> None:
    every = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    assert all(len(folding.fold(character)) == 1 for character in every)


def test_small_and_capital_letters_fold_alike() -> None:
    for letter in "абвгдеёжзийклмнопрстуфхцчшщъыьэюяαβγδεζηθικλμνξοπρστυφχψωåäöøłđžşğ":
        assert folding.fold(letter) == folding.fold(letter.upper())


@pytest.mark.parametrize(
    "piece", ["a", "a ", "f u c k ", "1!", "f\u0301", "son of a ", "f.", "$", "傻", "@a", "\u200b"]
)
def test_a_megabyte_made_to_be_slow_is_searched_in_time(piece: str) -> None:
    assert profanity.find((piece * MEGABYTE)[:MEGABYTE], language="en") == []


def test_the_same_list_is_built_once() -> None:
    assert word_list("en") is word_list("en")
