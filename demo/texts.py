"""500 texts in 21 languages: reviews and posts, some rude, some with personal data, one empty, one of about 1 MB by reference."""

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING

from demo.sentences import SENTENCES, Sentences
from schemas.event import derived_event_id
from schemas.records import TextPosted

if TYPE_CHECKING:
    from consumers.store import ObjectStore

COUNT = 500
LONG_REFERENCE = "demo/texts/long.txt"
_LONG_CHARACTERS = 1_000_000
_SEED = 20_261_123
_SPACING_US = 1_000_000
_DEFAULT_START_US = 1_760_000_000_000_000
_RUDE, _CONTACT, _EMOJI, _PAYMENT = 0.12, 0.10, 0.15, 0.05
"""Shares of the texts that have one of these."""

# Reserved for examples: domains (RFC 2606), networks' test cards, the registry's sample IBANs, numbers kept for fiction.
_EMAILS = ("ana.lopez@example.com", "m.weber@mail.example.org", "kim+shop@example.net", "o_petrova@post.example")
_PHONES = {
    "en": "(212) 555-0143", "de": "+49 30 23125 014", "fr": "01 99 00 12 34", "es": "+34 612 345 678", "it": "+39 06 5550 1234",
    "pt": "(11) 95550-1234", "nl": "+31 20 555 0143", "pl": "+48 512 555 014", "sv": "+46 70 174 06 05", "tr": "0532 555 01 43",
    "ru": "8 (495) 555-01-43", "uk": "+380 44 555 01 43", "el": "+30 210 555 0143", "ar": "+966 50 555 0143", "he": "+972 3-555-0143",
    "hi": "98765 00143", "zh": "13800138000", "ja": "03-5550-0143", "ko": "010-5550-0143", "th": "+66 2 555 0143", "vi": "+84 28 5550 143",
}  # fmt: skip
_PAYMENTS = (
    "4111 1111 1111 1111", "5555-5555-5555-4444", "378282246310005", "DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432",
    "FR14 2004 1010 0505 0001 3M02 606",
)  # fmt: skip
_EMOJIS = (" 😀", " 👍🏽", " ❤️", " 🎧🔋", " 👩‍👩‍👧", " 🇳🇴")

# What a reader of the demo may look for.
_SPECIAL = (
    "",
    "😀😀😀",
    "The museum of Scunthorpe shows a classic shiitake dish, Hitchcock's cockpit and an essay on the bass analysis of Handel.",
    "Read this: fuсk, with a Cyrillic letter in it, and ｓｈｉｔ in wide ones, and b\u200bi\u200bt\u200bc\u200bh with hidden spaces.",
    "Spaced f u c k, drawn out shiiiiit, dressed up 𝓯𝓾𝓬𝓴 and struck f̶u̶c̶k̶: a moderator has seen it all.",
    "The server answers at 192.0.2.17 and at 2001:db8::ff00:42:8329, but my number 1234 5678 9012 3456 is no card at all.",
    "My form says 123-45-6789, which is nobody's, and the bill is 4111 1111 1111 1112, which has a slip of the pen.",
    "ABSOLUTELY LOVE IT!!! Best purchase of the year, my whole family adores these wonderful headphones :)",
)


def texts(store: "ObjectStore", *, start_us: int = _DEFAULT_START_US) -> list[TextPosted]:
    """The 500 events, the same each time; the long text is written to the store.

    Args:
        store: where the long text goes.
        start_us: time of the first event, in microseconds since the epoch; the others follow at one a second.

    Raises:
        Unavailable: if the object store doesn't answer.
    """
    store.put(LONG_REFERENCE, long_text().encode())
    contents = [*_SPECIAL, *_reviews(COUNT - len(_SPECIAL) - 1)]
    events = [_event(index, start_us, text=content) for index, content in enumerate(contents)]
    return [*events, _event(COUNT - 1, start_us, reference=LONG_REFERENCE)]


def long_text() -> str:
    """About a million characters of English reviews."""
    chance = random.Random(_SEED + 1)
    parts: list[str] = []
    length = 0
    while length < _LONG_CHARACTERS:
        parts.append(_review(chance, "en"))
        length += len(parts[-1]) + 1
    return "\n".join(parts)


def language_of(event: TextPosted) -> str | None:
    """The language a demo text was written in; None for those that are in none for certain."""
    language = event.text_id.split("-")[1]
    return language if language in SENTENCES else None


def _reviews(count: int) -> Iterator[str]:
    chance = random.Random(_SEED)
    languages = list(SENTENCES)
    seen: set[str] = set()
    for index in range(count):
        language = languages[index % len(languages)]
        review = _review(chance, language)
        while review in seen:
            review = _review(chance, language)
        seen.add(review)
        yield review


def _review(chance: random.Random, language: str) -> str:
    sentences = SENTENCES[language]
    parts = [chance.choice(sentences.openings), chance.choice(sentences.middles), chance.choice(sentences.closings)]
    if chance.random() < _RUDE:
        parts.insert(2, chance.choice(sentences.rude))
    if chance.random() < _CONTACT:
        parts.append(_contact(chance, language, sentences))
    if chance.random() < _PAYMENT:
        parts.append(f"({chance.choice(_PAYMENTS)})")
    between = "" if language in {"zh", "ja"} else " "
    return between.join(parts) + (chance.choice(_EMOJIS) if chance.random() < _EMOJI else "")


def _contact(chance: random.Random, language: str, sentences: Sentences) -> str:
    return sentences.contact.format(email=chance.choice(_EMAILS), phone=_PHONES[language])


def _event(index: int, start_us: int, *, text: str | None = None, reference: str | None = None) -> TextPosted:
    occurred_at = start_us + index * _SPACING_US
    place = index - len(_SPECIAL)
    languages = list(SENTENCES)
    label = "long" if reference else "special" if place < 0 else languages[place % len(languages)]
    text_id = f"text-{label}-{index:03d}"
    return TextPosted(
        text_id=text_id,
        text=text,
        reference=reference,
        author_id=f"author-{index * 7 % 83:02d}",
        event_id=derived_event_id(occurred_at_us=occurred_at, source=text_id, agent="demo", index=0),
        occurred_at=occurred_at,
    )
