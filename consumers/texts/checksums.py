"""The check digits by which a card or account number is told from any other."""

_LUHN_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn(digits: str) -> bool:
    """Whether the digits, of any script, pass the Luhn check (ISO/IEC 7812-1, annex B)."""
    values = [int(digit) for digit in reversed(digits)]
    return (sum(values[::2]) + sum(_LUHN_DOUBLED[value] for value in values[1::2])) % 10 == 0


def mod_97(iban: str) -> bool:
    """Whether letters and digits, without spaces, pass the check of ISO 13616 (ISO/IEC 7064, MOD 97-10)."""
    return int("".join(str(int(character, 36)) for character in iban[4:] + iban[:4])) % 97 == 1
