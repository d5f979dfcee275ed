"""The text agent's handler: language, profanity, personal data, sentiment, keywords and counts of one text.

It wants a process, not a thread: all but the language model is Python and regular expressions, which hold the GIL. Models
and lists are loaded at the first text, once a process; several threads may share them.

HEADRACE_PROFANITY_DIR names a folder of further word lists; its form is told in `consumers.texts.wordlist`.
"""

import hashlib
import os
from pathlib import Path

from consumers.context import Context
from consumers.errors import Reject, Retry
from consumers.store import InvalidPathError, ObjectNotFoundError, ObjectTooLargeError
from consumers.texts import counts, language, pii, profanity, sentiment
from consumers.texts.keywords import keywords
from consumers.texts.spans import Found, blanked, disjoint, labelled, starred
from schemas.records import Span, TextAnalyzed, TextPosted

MAX_TEXT_BYTES = 2 * 1024 * 1024
"""Of a text by reference, in UTF-8: worked on in about 10 seconds at worst, a third of the agent's deadline."""
MAX_INLINE_BYTES = 256 * 1024
"""A masked text of more bytes goes to the object store, and its path into the result."""
MAX_SPANS = 8_192
"""The first so many spans of either kind are listed, so that a result stays below a broker's 1 MiB; all of them are masked."""
_CERTAIN = 0.5
"""A language of less confidence chooses no word list: profanity is then sought in all languages."""
PROFANITY_FOLDER_VARIABLE = "HEADRACE_PROFANITY_DIR"


def analyze(text: TextPosted, context: Context) -> TextAnalyzed:
    """What is in a text; the same event gives an equal result.

    Raises:
        Reject: if neither or both of text and reference are set, the reference is no path, or the text is no UTF-8 or too long.
        Retry: if there is no object under the reference yet.
        Unavailable: if the object store doesn't answer.
        MissingExtraError: if a library of the extra "text" is not installed.
        ConfigurationError: if HEADRACE_PROFANITY_DIR is wrong.
    """
    content = _content(text, context)
    spoken = language.detect(content)
    personal = pii.find(content)
    profane = profanity.find(content, language=_list_language(spoken), folder=profanity_folder())
    # Keywords travel on as if harmless: they are taken from what is left when both are out.
    harmless = blanked(content, disjoint([*personal, *profane]), blank="\x00")
    sizes = counts.count(content)
    profanity_inline, profanity_reference = _claim_check(starred(content, profane), context)
    pii_inline, pii_reference = _claim_check(labelled(content, personal), context)
    return TextAnalyzed(
        text_id=text.text_id,
        source_event_id=text.event_id,
        language=spoken.code,
        language_confidence=spoken.confidence,
        profanity_spans=_spans(profane),
        profanity_masked_text=profanity_inline,
        profanity_masked_reference=profanity_reference,
        pii_spans=_spans(personal),
        pii_masked_text=pii_inline,
        pii_masked_reference=pii_reference,
        sentiment=sentiment.score(content) if spoken.code == "en" else None,
        keywords=keywords(harmless, language=spoken.code),
        characters=sizes.characters,
        words=sizes.words,
        sentences=sizes.sentences,
    )


def warm() -> None:
    """Load models and lists now, about a second, rather than at the first text; a wrong word list shows itself here."""
    language.warm()
    sentiment.warm()
    profanity.find("", folder=profanity_folder())


def profanity_folder() -> Path | None:
    """The folder of a user's word lists, if HEADRACE_PROFANITY_DIR names one."""
    named = os.environ.get(PROFANITY_FOLDER_VARIABLE)
    return Path(named) if named else None


def _content(text: TextPosted, context: Context) -> str:
    if (text.text is None) == (text.reference is None):
        wrong = "neither text nor reference" if text.text is None else "both text and reference"
        raise Reject(f"the event has {wrong}: set exactly one")
    if text.text is not None:
        return _checked(text.text)
    return _fetched(text.reference or "", context)


def _checked(text: str) -> str:
    """The text as it is; a lone surrogate, which a Python string can hold, is no character."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Reject(f"the text is not Unicode: a lone surrogate at character {error.start}") from error
    return text


def _fetched(reference: str, context: Context) -> str:
    try:
        content = context.store.get(reference, max_bytes=MAX_TEXT_BYTES)
        return content.decode()
    except (InvalidPathError, ObjectTooLargeError) as error:
        raise Reject(str(error)) from error
    except ObjectNotFoundError as error:
        raise Retry(f"{error}; its upload may be late") from error
    except UnicodeDecodeError as error:
        raise Reject(f"{reference} is not UTF-8: {error.reason} at byte {error.start}") from error


def _list_language(spoken: language.Language) -> str:
    return spoken.code if spoken.confidence >= _CERTAIN else language.UNDETERMINED


def _claim_check(masked: str, context: Context) -> tuple[str | None, str | None]:
    """The masked text, or else where it is stored: a path of its content, so that a second time writes the same there."""
    content = masked.encode()
    if len(content) <= MAX_INLINE_BYTES:
        return masked, None
    path = f"texts/masked/{hashlib.sha256(content).hexdigest()}.txt"
    context.store.put(path, content)
    return None, path


def _spans(found: list[Found]) -> tuple[Span, ...]:
    return tuple(Span(kind=span.kind, start=span.start, end=span.end) for span in found[:MAX_SPANS])
