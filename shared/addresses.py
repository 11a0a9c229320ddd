"""Phone numbers and e-mail addresses: one canonical form each, or the reason why there is none.

The canonical form is what HMAC refs are made of and what gateways are given. Nothing that is refused here may reach either.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import normalize

from phonenumbers import (
    NumberParseException,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
    format_number,
    is_possible_number_with_reason,
    is_valid_number,
    number_type,
    parse,
)
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number

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
    return usable(number) if is_valid_number(number) else Unusable(why_invalid(number, text))


def usable(number: PhoneNumber) -> Address | Unusable:
    """A number that is in use, by what it is used for."""
    kind = number_type(number)
    if kind not in USES:
        return Unusable(NOBODYS.get(kind, "unknown_use"))
    uses = ("voice",) if number.extension else USES[kind]
    return Address("phone", str(format_number(number, PhoneNumberFormat.E164)), uses)


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
    try:
        found = time_zones_for_number(parse(e164))
    except NumberParseException:
        return ()
    return tuple(zone for zone in found if zone != UNKNOWN_TIMEZONE)
