r"""Personal data by their form: email, card, iban, ssn, phone, ip.

Time is linear: every pattern is bounded in length or possessive, so that a start costs a bounded number of steps; a rejected
candidate is left by one character, so that it hides none behind it. The kinds are sought one after another, each in a text in which the
former's finds are blanked. No pattern looks further than the next character for its end, but IP addresses, which come last; so masking
a find uncovers no other, and a masked text has nothing left to find.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator

from consumers.texts.checksums import luhn, mod_97
from consumers.texts.spans import Found, blanked

_BLANK = "\x00"
"""Belongs to no pattern, like the brackets that take its place in the masked text."""

# Latin, Greek and Cyrillic letters: the scripts whose writers set a space before an address.
_LETTERS = "A-Za-z\u00c0-\u024f\u0370-\u052f"
_EMAIL = re.compile(
    rf"(?<![{_LETTERS}0-9])[{_LETTERS}0-9][{_LETTERS}0-9._%+'\-]{{0,63}}+@"
    rf"(?:[{_LETTERS}0-9](?:[{_LETTERS}0-9\-]{{0,62}}+)\.){{1,8}}+[{_LETTERS}]{{2,24}}+(?![{_LETTERS}0-9@])"
    rf"|(?<![{_LETTERS}0-9])[{_LETTERS}0-9][{_LETTERS}0-9._%+'\-]{{0,63}}+@"
    rf"(?:[{_LETTERS}0-9](?:[{_LETTERS}0-9\-]{{0,62}}+)\.){{1,8}}?[{_LETTERS}]{{2,24}}+(?![{_LETTERS}0-9@])"
)

_GAP = r"[ \u00a0\u2009\u202f.\-\u2010-\u2013]"
_START, _END = r"(?<![\dA-Za-z])", r"(?![\dA-Za-z])"
_CARDS = tuple(
    re.compile(f"{_START}{form}{_END}")
    for form in (
        rf"[2-6]\d{{3}}({_GAP})\d{{4}}\1\d{{4}}\1\d{{4}}\1\d{{3}}",
        rf"[2-6]\d{{3}}({_GAP})\d{{4}}\1\d{{4}}\1\d{{1,4}}",
        rf"3\d{{3}}({_GAP})\d{{6}}\1\d{{4,5}}",
        r"[2-6]\d{12,18}",
    )
)

# Length of an IBAN by country: the registry of SWIFT, release 99.
_IBAN_LENGTHS = {
    code: int(length)
    for length, codes in (
        line.split(":")
        for line in (
            "15:NO|16:BE|18:DK FK FI FO GL NL SD|19:MK SI|20:AT BA EE KZ LT LU MN XK|21:CH HR LI LV|22:BG BH CR DE GB GE IE ME RS VA"
            "|23:AE GI IL IQ OM SO TL|24:AD CZ ES MD PK RO SA SE SK TN VG|25:LY PT ST|26:IS TR|27:BI DJ FR GR IT MC MR SM"
            "|28:AL AZ BY CY DO GT HN HU LB NI PL SV|29:BR EG PS QA UA|30:JO KW MU YE|31:MT SC|32:LC|33:RU"
        ).split("|")
    )
    for code in codes.split()
}
_IBAN_START = re.compile(r"(?<![0-9A-Za-z])[A-Za-z]{2}[0-9]{2}(?=[ \u00a0\-]?[0-9A-Za-z])")
_IBAN_REST = {
    length: re.compile(rf"(?:[ \u00a0\-]?[0-9A-Za-z]){{{length - 4}}}(?![0-9A-Za-z])")
    for length in set(_IBAN_LENGTHS.values())
}

_SSN = re.compile(rf"{_START}(?!000|666|9\d\d)[0-9]{{3}}([ \-])(?!00)[0-9]{{2}}\1(?!0000)[0-9]{{4}}{_END}")

# E.164 with +, or 00 before the country; then the national forms that can hardly be anything else.
_PHONES = tuple(
    re.compile(form + _END)
    for form in (
        rf"\+[1-9](?:{_GAP}?[/()]?{_GAP}?\d){{7,14}}",
        rf"{_START}00[1-9](?:{_GAP}?[/()]?{_GAP}?\d){{7,13}}",
        rf"(?:{_START}(?:1[ .\-])?[2-9]\d\d[ .\-]|(?:{_START}1[ .\-]?)?\([2-9]\d\d\) ?)[2-9]\d\d[ .\-]\d{{4}}",  # North America
        rf"{_START}8[ \-]?(?:\(\d{{3}}\)|\d{{3}})[ \-]?\d{{3}}[ \-]\d\d[ \-]\d\d",  # Russia
        rf"\(\d\d\) ?9?\d{{4}}-\d{{4}}",  # Brazil
        rf"{_START}1[3-9]\d([ \-]?)\d{{4}}\1\d{{4}}",  # China, mobile
        rf"{_START}[6-9]\d{{4}}[ \-]\d{{5}}",  # India
        rf"{_START}0[1-9](?:([ .\-])\d\d)(?:\1\d\d){{3}}",  # France: 01 23 45 67 89
        rf"(?:{_START}|(?=\())\(?0\d{{1,2}}\)?[ /\-]\d{{3,4}}[ \-]\d{{4}}",  # 03-1234-5678, 020 7946 0958
        rf"(?:{_START}|(?=\())\(?0\d{{2,4}}\)?[ /\-]\d{{3}}[ \-]?\d{{2}}[ \-]?\d{{1,3}}",  # 0171/1234567, 0532 123 45 67
        rf"{_START}0[1-9]\d{{8,9}}",
    )
)

_IPV6 = re.compile(r"(?<![0-9A-Za-z:.])(?=[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f:.]++(?![0-9A-Za-z])")
_IPV6_LONGEST = 45
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"(?<![0-9A-Za-z.]){_OCTET}(?:\.{_OCTET}){{3}}(?![0-9A-Za-z]|\.[0-9])")


def find(text: str) -> list[Found]:
    """Personal data in the text, in its order, disjoint; kinds: email, card, iban, ssn, phone, ip.

    A phone number is found with + or 00 and the country, or in the national forms of North America, Russia, Brazil, China, India, and
    of the countries that write a leading 0 and groups; eight bare digits are nobody's for certain.
    """
    found: list[Found] = []
    for seek in (_emails, _cards, _ibans, _ssns, _phones, _ipv6, _ipv4):
        fresh = list(seek(text))
        if fresh:
            found += fresh
            text = blanked(text, fresh, blank=_BLANK)
    return sorted(found)
