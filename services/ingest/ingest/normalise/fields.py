"""Single fields of a platform's document, taken with distrust."""

import re
from collections.abc import Iterable
from functools import lru_cache

from pydantic import JsonValue

from ingest.normalise.decode import Document
from ingest.normalise.unreadable import Unreadable
from shared.codes import as_code

LONGEST_ID = 256
"""Characters; three of them still fit one index row of PostgreSQL."""
LONGEST_TEXT = 1_000
LONGEST_PERSONAL = 320
LONGEST_NUMBER = 32
"""Characters, as people write one."""
FEWEST_OUTSIDE_DIGITS = 7
"""Fewer are an extension within a house."""

PURPOSES = frozenset({"service", "callback", "survey", "internal"})
HANDLE_NAMES = ("member_id", "contact_id", "phone", "email", "name", "language", "postal_code")

code = lru_cache(maxsize=4096)(as_code)
"""`as_code`, remembered: platforms use few words, and use them all day."""


def required_text(document: Document, name: str) -> str:
    """A text that identity or root stands on. Raises `Unreadable` naming the field."""
    value = document.get(name)
    if value is None:
        raise Unreadable("missing", name)
    if not isinstance(value, str):
        raise Unreadable("wrong_type", name)
    if not value or value.isspace():  # every contact without a name would be one
        raise Unreadable("missing", name)
    if len(value) > LONGEST_ID:
        raise Unreadable("too_long", name)
    return value


def required_inside(document: Document, name: str, prefix: str) -> str:
    """As above, of an object within the document: `prefix` leads to it in the complaint."""
    try:
        return required_text(document, name)
    except Unreadable as fault:
        raise Unreadable(fault.code, f"{prefix}{name}") from None


def required_id(document: Document, name: str, prefix: str = "") -> str:
    """The same of an id that may be a whole number. What a template left in its braces is none."""
    value = document.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    found = required_inside(document, name, prefix)
    if found.startswith("{{"):
        raise Unreadable("placeholder", f"{prefix}{name}")
    return found


def text(value: JsonValue, longest: int = LONGEST_TEXT) -> str | None:
    """A text, or a whole number written as one; None for anything else, for nothing, and for what is absurdly long."""
    if isinstance(value, str):
        return value if value and len(value) <= longest else None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def code_in(value: JsonValue) -> str | None:
    return code(value) if isinstance(value, str) and len(value) <= LONGEST_TEXT else None


def number_in(value: JsonValue) -> str | None:
    """A telephone number, also out of `tel:`, `sip:…@host` or `whatsapp:`; None for what holds none, such as a client's name."""
    whole = text(value, LONGEST_PERSONAL)
    if whole is None:
        return None
    scheme, colon, rest = whole.partition(":")
    bare = (rest if colon else scheme).split("@", 1)[0].split(";", 1)[0].strip()
    return bare if len(bare) <= LONGEST_NUMBER and _DIALLED.fullmatch(bare) else None


def outside_number_in(value: JsonValue) -> str | None:
    """A telephone number that is none of a house's own extensions."""
    number = number_in(value)
    return number if number and sum(sign.isdigit() for sign in number) >= FEWEST_OUTSIDE_DIGITS else None


def mail_in(value: JsonValue) -> str | None:
    """An e-mail address, also out of `mailto:`; None for other addresses that hold an @, such as those of SIP."""
    whole = text(value, LONGEST_PERSONAL)
    bare = whole.removeprefix("mailto:") if whole else ""
    return bare if "@" in bare and ":" not in bare else None


def part(document: Document, name: str) -> Document:
    """An object inside `document`, empty where there is none."""
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def seconds(value: JsonValue) -> int | None:
    """A length in seconds, up to a year."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value <= 31_536_000 else None


def flag(value: JsonValue) -> bool | None:
    return value if isinstance(value, bool) else None


def kept(attributes: Document, names: Iterable[str]) -> dict[str, str]:
    """Of a contact's free attributes only those somebody allowed: the rest may hold anything, also personal."""
    found = ((name, text(attributes.get(name))) for name in names if name in attributes)
    return {name: value for name, value in found if value is not None}


def purpose_in(attributes: Document) -> str | None:
    purpose = code_in(attributes.get("purpose"))
    return purpose if purpose in PURPOSES else None


def channel_and_medium(word: str) -> tuple[str, str | None]:
    """Our channel for a platform's word, and the word itself where it says more: `whatsapp` is chat, by WhatsApp."""
    if word in _CHANNELS:
        return word, None
    return _CHANNEL_OF.get(word, "other"), word


_DIALLED = re.compile(r"\+?(?:[ ().-]*\d){3}[\d ().-]*", re.ASCII)
"""At least three digits: fewer dial nobody."""
_CHANNELS = frozenset({"phone", "chat", "web", "email", "other"})
_CHANNEL_OF = {
    "voice": "phone", "call": "phone", "telephony": "phone", "sms": "chat", "whatsapp": "chat", "webchat": "chat", "message": "chat",
    "messaging": "chat", "mail": "email",
}  # fmt: skip
