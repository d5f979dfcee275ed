"""Personal data by their form: email, iban, card, ssn, phone, ip.

Time is linear: every pattern is possessive or bounded in length, so that a start costs a bounded number of steps, and a rejected
candidate is left by one character, so that it hides none behind it. The forms are sought one after another, each in a text in which the
former's finds are blanked. No form looks further than the next character on either side, but IP addresses, which come last; so masking a
find uncovers no other, and a masked text has nothing left to find.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator
from functools import partial

from consumers.texts.checksums import luhn, mod_97
from consumers.texts.spans import Found, blanked

_BLANK = "\x00"
"""Belongs to no form, like the brackets that take its place in the masked text."""

_LETTERS = "A-Za-z\u00c0-\u024f\u0370-\u052f"  # Latin, Greek, Cyrillic: their writers set a space before an address
_START, _END = rf"(?<![\d{_LETTERS}])", rf"(?![\d{_LETTERS}])"
"""The same on all forms: were a neighbour of one the end of another, masking that would uncover this."""
_EMAIL = re.compile(
    rf"{_START}[{_LETTERS}0-9][{_LETTERS}0-9._%+'\-]{{0,63}}+@"
    rf"(?:[{_LETTERS}0-9][{_LETTERS}0-9\-]{{0,62}}+\.){{1,8}}[{_LETTERS}]{{2,24}}+{_END}"
)

_GAP = r"[ \u00a0\u2009\u202f.\-\u2010-\u2013]"
_ALONE = rf"(?<![\d{_LETTERS}.])"
"""The start of bare digits: after a dot they are a fraction."""
_FIRST = "[2-6٢-٦۲-۶]"
_CARDS = tuple(
    re.compile(form + _END)
    for form in (
        rf"{_START}{_FIRST}\d{{3}}({_GAP})\d{{4}}\1\d{{4}}\1\d{{4}}\1\d{{3}}",
        rf"{_START}{_FIRST}\d{{3}}({_GAP})\d{{4}}\1\d{{4}}\1\d{{1,4}}",
        rf"{_START}[3٣۳]\d{{3}}({_GAP})\d{{6}}\1\d{{4,5}}",
        rf"{_ALONE}{_FIRST}\d{{12,18}}",
    )
)
_NOT_DIGIT = re.compile(r"\D")
_DIGITS = re.compile(r"\d++")
_LEAST_DIGITS = 8
"""A phone number has eight, an SSN nine; a text of fewer in all holds none."""

# Length of an IBAN by country, from SWIFT's IBAN registry.
_IBAN_COUNTRIES = {
    15: "NO", 16: "BE", 18: "DK FK FI FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU MN XK", 21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "LY PT ST",
    26: "IS TR", 27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HN HU LB NI PL SV", 29: "BR EG PS QA UA",
    30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
}  # fmt: skip
_IBAN_LENGTHS = {code: length for length, codes in _IBAN_COUNTRIES.items() for code in codes.split()}
_IBAN_START = re.compile(rf"{_START}[A-Za-z]{{2}}[0-9]{{2}}(?=[ \u00a0\-]?[0-9A-Za-z])")
_IBAN_REST = {length: re.compile(rf"(?:[ \u00a0\-]?[0-9A-Za-z]){{{length - 4}}}{_END}") for length in _IBAN_COUNTRIES}
_IBAN_GAP = re.compile(r"[ \u00a0\-]")

_SSN = re.compile(rf"{_START}(?!000|666|9\d\d)[0-9]{{3}}([ \-])(?!00)[0-9]{{2}}\1(?!0000)[0-9]{{4}}{_END}")

_DIGIT = rf"{_GAP}?(?:[/()]{_GAP}?)?\d"
_PHONES = tuple(
    re.compile(form + _END)
    for form in (
        rf"\+[1-9](?:{_DIGIT}){{7,14}}",  # E.164
        rf"{_START}00[1-9](?:{_DIGIT}){{7,13}}",
        rf"(?:{_START}(?:1[ .\-])?[2-9]\d\d[ .\-]|(?:{_START}1 ?)?\([2-9]\d\d\) ?)[2-9]\d\d[ .\-]\d{{4}}",  # North America
        rf"{_START}8[ \-]?(?:\(\d{{3}}\)|\d{{3}})[ \-]?\d{{3}}[ \-]\d\d[ \-]\d\d",  # Russia
        r"\(\d\d\) ?9?\d{4}-\d{4}",  # Brazil
        rf"{_ALONE}1[3-9]\d([ \-]?)\d{{4}}\1\d{{4}}",  # China, mobile
        rf"{_START}[6-9]\d{{4}}[ \-]\d{{5}}",  # India
        rf"{_START}0[1-9](?:([ .\-])\d\d)(?:\1\d\d){{3}}",  # 01 23 45 67 89
        rf"(?:\(0\d{{1,2}}\)|{_START}0\d{{1,2}})[ /\-]\d{{3,4}}[ \-]\d{{4}}",  # 03-1234-5678, 020 7946 0958
        rf"(?:\(0\d{{2,4}}\)|{_START}0\d{{2,4}})[ /\-]\d{{3}}[ \-]?\d{{2}}[ \-]?\d{{1,3}}",  # 0171/1234567, 0532 123 45 67
        rf"{_ALONE}0[1-9][ \-]?\d{{8,9}}",
    )
)

_IPV6 = re.compile(rf"(?<![\d{_LETTERS}:.])(?=[0-9A-Fa-f]{{0,4}}:)[0-9A-Fa-f:.]++{_END}")
_IPV6_LONGEST = 45
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"(?<!::){_ALONE}{_OCTET}(?:\.{_OCTET}){{3}}{_END}(?!\.[0-9]|::)")


def find(text: str) -> list[Found]:
    """Personal data in the text, in its order, disjoint.

    A phone number is found with + or 00 and the country, or in the national forms of North America, Russia, Brazil, China, India, and
    of the countries that write a leading 0; eight bare digits may be anything. Cards pass Luhn, IBANs mod 97 and their country's length.
    An SSN has its hyphens or spaces.
    """
    found: list[Found] = []
    for seek in _seekers(text):
        fresh = list(seek(text))
        if fresh:
            found += fresh
            text = blanked(text, fresh, blank=_BLANK)
    return sorted(found)


def _seekers(text: str) -> Iterator[Callable[[str], Iterator[Found]]]:
    """The searches that can find something at all in this text; most texts have neither @ nor digits."""
    if "@" in text:
        yield partial(_matches, "email", _EMAIL)
    digits = _DIGITS.findall(text)
    if sum(map(len, digits)) >= _LEAST_DIGITS:
        yield _ibans
        yield from (partial(_cards, form) for form in _CARDS)
        yield partial(_matches, "ssn", _SSN)
        yield from (partial(_matches, "phone", form) for form in _PHONES)
    if digits and ":" in text:
        yield _ipv6
    if digits and "." in text:
        yield partial(_matches, "ip", _IPV4)


def _matches(kind: str, form: re.Pattern[str], text: str) -> Iterator[Found]:
    return (Found(match.start(), match.end(), kind) for match in form.finditer(text))


def _accepted(form: re.Pattern[str], text: str, span_of: Callable[[re.Match[str]], Found | None]) -> Iterator[Found]:
    """The candidates that prove true; after a rejected one the search goes on at its second character."""
    at = 0
    while match := form.search(text, at):
        span = span_of(match)
        at = match.start() + 1 if span is None else span.end
        if span:
            yield span


def _cards(form: re.Pattern[str], text: str) -> Iterator[Found]:
    def card(match: re.Match[str]) -> Found | None:
        return Found(match.start(), match.end(), "card") if luhn(_NOT_DIGIT.sub("", match[0])) else None

    return _accepted(form, text, card)


def _ibans(text: str) -> Iterator[Found]:
    def iban(match: re.Match[str]) -> Found | None:
        length = _IBAN_LENGTHS.get(match[0][:2].upper())
        rest = _IBAN_REST[length].match(text, match.end()) if length else None
        if rest is None or not mod_97(_IBAN_GAP.sub("", match[0] + rest[0])):
            return None
        return Found(match.start(), rest.end(), "iban")

    return _accepted(_IBAN_START, text, iban)


def _ipv6(text: str) -> Iterator[Found]:
    def address(match: re.Match[str]) -> Found | None:
        written = match[0].rstrip(".")
        if not _is_ipv6(written):
            return None
        return Found(match.start(), match.start() + len(written), "ip")

    return _accepted(_IPV6, text, address)


def _is_ipv6(written: str) -> bool:
    """Whether it is an address; one without a digit is more likely C++, such as a::b."""
    if len(written) > _IPV6_LONGEST or written.count(":") < 2 or not _DIGITS.search(written):
        return False
    try:
        ipaddress.IPv6Address(written)
    except ValueError:
        return False
    return True
