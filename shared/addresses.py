"""Phone numbers and e-mail addresses: one canonical form each, or the reason why there is none.

The canonical form is what HMAC refs are made of and what gateways are given. Nothing that is refused here may reach either.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import normalize

from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    NumberParseException,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
    format_number,
    is_possible_number_with_reason,
    number_type,
    parse,
)
from phonenumbers.phonenumberutil import is_number_type_geographical
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_geographical_number, time_zones_for_number

from shared.codes import as_code

LONGEST_PHONE = 64
LONGEST_EMAIL = 254
LONGEST_SHORT_CODE = 6
MAILBOX = re.compile(
    r"([^\s@\"(),:;<>\[\\\]\x00-\x1f\x7f]{1,64})@((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9])"
)


@dataclass(frozen=True)
class Address:
    """A canonical address. `can`: voice, sms, email; what it is usable for as far as its form tells."""

    kind: str
    value: str
    can: tuple[str, ...]


@dataclass(frozen=True)
class Unusable:
    """Why something is not an address of a person, as a code; the value itself is not kept."""

    reason: str


USES = {
    PhoneNumberType.MOBILE: ("voice", "sms"),
    PhoneNumberType.FIXED_LINE_OR_MOBILE: ("voice", "sms"),
    PhoneNumberType.FIXED_LINE: ("voice",),
    PhoneNumberType.PERSONAL_NUMBER: ("voice",),
    PhoneNumberType.VOIP: ("voice",),
}
NOBODYS = {
    PhoneNumberType.PREMIUM_RATE: "premium_rate",
    PhoneNumberType.SHARED_COST: "premium_rate",
    PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.UAN: "company_number",
    PhoneNumberType.PAGER: "pager",
    PhoneNumberType.VOICEMAIL: "voicemail",
}
NOT_POSSIBLE = {
    ValidationResult.TOO_LONG: "too_long",
    ValidationResult.TOO_SHORT: "too_short",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "area_code_missing",
    ValidationResult.INVALID_COUNTRY_CODE: "unknown_country",
}
NOT_PARSED = {
    NumberParseException.INVALID_COUNTRY_CODE: "unknown_country",
    NumberParseException.TOO_LONG: "too_long",
    NumberParseException.TOO_SHORT_NSN: "too_short",
    NumberParseException.TOO_SHORT_AFTER_IDD: "too_short",
}


def phone(text: str, country: str | None = None) -> Address | Unusable:
    """A number in any form as E.164; one without a country's prefix is read as of `country` (ISO 3166). Also takes `tel:` links.

    With an extension it is a switchboard: it can be called, but a text message would reach nobody.
    """
    return phone_of(text.strip(), country) if len(text) <= LONGEST_PHONE else Unusable("too_long")


@lru_cache(maxsize=65_536)
def phone_of(text: str, country: str | None) -> Address | Unusable:
    """Remembered: parsing and checking a number takes as long as all else that is done for a contact."""
    try:
        number = parse(text, country)
    except NumberParseException as refused:
        return Unusable(NOT_PARSED.get(refused.error_type, "not_a_number"))
    e164 = str(format_number(number, PhoneNumberFormat.E164))
    kind = kind_of(e164)
    if kind == PhoneNumberType.UNKNOWN:
        return Unusable(why_invalid(number, text))
    if kind not in USES:
        return Unusable(NOBODYS.get(kind, "unknown_use"))
    return Address("phone", e164, ("voice",) if number.extension else USES[kind])


@lru_cache(maxsize=65_536)
def kind_of(e164: str) -> int:
    """What a number is used for, UNKNOWN where nobody has it. Remembered, because its zones depend on it too."""
    number = number_in(e164)
    return number_type(number) if number else PhoneNumberType.UNKNOWN


def number_in(e164: str) -> PhoneNumber | None:
    """A number in its canonical form, which needs no parsing; None where no country has it. The zeros it begins with belong to it."""
    digits = e164.removeprefix("+")
    if digits == e164 or not (digits.isascii() and digits.isdecimal()):
        return None
    size = next((size for size in (1, 2, 3) if int(digits[:size]) in COUNTRY_CODE_TO_REGION_CODE), len(digits))
    national = digits[size:]
    zeros = len(national[:-1]) - len(national[:-1].lstrip("0"))
    if not national:
        return None
    return PhoneNumber(int(digits[:size]), int(national), italian_leading_zero=zeros > 0, number_of_leading_zeros=zeros or None)


def why_invalid(number: PhoneNumber, text: str) -> str:
    if len(str(number.national_number)) <= LONGEST_SHORT_CODE and not text.startswith("+"):
        return "short_code"
    return NOT_POSSIBLE.get(is_possible_number_with_reason(number), "not_in_use")


def email(text: str) -> Address | Unusable:
    """A mailbox in lower case with its domain in ASCII (IDNA). Lower case merges mailboxes that no provider keeps apart."""
    mailbox, at, domain = normalize("NFC", text.strip().removeprefix("mailto:")).lower().rpartition("@")
    try:
        canonical = mailbox + at + domain.encode("idna").decode("ascii")
    except UnicodeError:
        return Unusable("not_a_mailbox")
    if len(canonical) > LONGEST_EMAIL:
        return Unusable("too_long")
    return Address("email", canonical, ("email",)) if MAILBOX.fullmatch(canonical) else Unusable("not_a_mailbox")


def classify(kind: str, value: str, *, country: str | None = None) -> Address | Unusable:
    """An address of the kind that somebody says it is; other kinds (a chat handle) are kept as they are and usable for that kind."""
    if kind == "phone":
        return phone(value, country)
    if kind == "email":
        return email(value)
    code = as_code(kind)
    return Address(code, value.strip(), (code,)) if code and value.strip() else Unusable("empty")


def masked(value: str) -> str:
    """For people's eyes: enough to recognise an address by, too little to use it. At most two characters at either end."""
    mailbox, at, domain = value.partition("@")
    if at:
        return f"{mailbox[:1]}•••@{domain[:1]}•••.{domain.rpartition('.')[2]}"
    return f"{value[:2]}•••{value[-2:]}" if len(value) > 6 else "•••"


@lru_cache(maxsize=65_536)
def zones_of_number(e164: str) -> tuple[str, ...]:
    """Every zone that a number's prefix covers; none where the prefix does not tell. A mobile number may have moved since."""
    number, kind = number_in(e164), kind_of(e164)
    if number is None:
        return ()
    by_place = is_number_type_geographical(kind, number.country_code or 0)
    found = time_zones_for_geographical_number(number) if by_place else time_zones_for_number(number)
    return tuple(zone for zone in found if zone != UNKNOWN_TIMEZONE)
