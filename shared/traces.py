"""What a person's handles look like in bytes we could not read: written in any way, quoted, escaped, wrapped in base64."""

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import unquote_plus

from phonenumbers import NumberParseException, parse

SHORTEST_ID, SHORTEST_NUMBER = 3, 5
"""A shorter id is found in everything: it says nothing by itself. One of digits only needs to be longer still."""
DEEPEST = 4
BETWEEN_DIGITS = r"[\s().\-/]*"
WRAPPED = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")

Traces = frozenset[tuple[str, str]]
"""Kind (phone, email, id, contact) and value; numbers and mailboxes are canonical, a contact is what `of_contact` makes of it."""


def of_private(said: object) -> Traces:
    """Of what stands sealed in a snapshot of a customer, or of one address that stands sealed by itself."""
    match said:
        case {"addresses": dict() as addresses, **others}:
            values = [*addresses.values(), others.get("member_id")]
        case {"member_id": member}:
            values = [member]
        case _:
            values = [said]
    return frozenset((_kind(value), value) for value in values if value and isinstance(value, str))


def of_contact(platform: str, ref: str) -> tuple[str, str]:
    """A platform's own id of a contact, which says nothing without the platform's name."""
    return "contact", json.dumps([platform, ref])


def finder(traces: Traces) -> Callable[[Iterable[bytes | None]], bool]:
    """Says whether one of several byte strings (a key, header values, a body) holds any of these."""
    ids = frozenset(value for kind, value in traces if kind == "id" and _tells_enough(value))
    patterns = [_phone(value) for kind, value in traces if kind == "phone"]
    patterns += [_mailbox(value) for kind, value in traces if kind == "email"]
    patterns += [rf"(?<![\w-]){re.escape(value)}(?![\w-])" for value in ids]
    patterns += [_contact(*json.loads(value)) for kind, value in traces if kind == "contact"]
    if not patterns:
        return lambda _: False
    pattern = re.compile("|".join(sorted(patterns)), re.IGNORECASE)
    return lambda parts: any(pattern.search(text) for part in parts if part for text in texts(part.decode(errors="replace")))


def _kind(value: str) -> str:
    return "email" if "@" in value else "phone" if value.startswith("+") else "id"


def _contact(platform: str, ref: str) -> str:
    """Both as JSON strings, in any order."""
    name, own = (re.escape(json.dumps(value, ensure_ascii=False)) for value in (platform, ref))
    return rf"{own}(?=[\s\S]*{name})|{name}(?=[\s\S]*{own})"


def _tells_enough(value: str) -> bool:
    return len(value) >= (SHORTEST_NUMBER if value.isdigit() else SHORTEST_ID)


def _phone(e164: str) -> str:
    """With or without the country's prefix, and with whatever people put between digits."""
    try:
        number = parse(e164)
    except NumberParseException:
        return re.escape(e164)
    national = BETWEEN_DIGITS.join(str(number.national_number))
    prefix = BETWEEN_DIGITS.join(str(number.country_code))
    return rf"(?<!\d)(?:0|00|011)?(?:{prefix}{BETWEEN_DIGITS}(?:\(0\))?{BETWEEN_DIGITS})?{national}(?!\d)"


def _mailbox(value: str) -> str:
    return rf"(?<![\w.+%-]){re.escape(value)}(?![\w-])"


def texts(text: str, depth: int = 0) -> Iterator[str]:
    """The text, percent-decoded, and what its JSON strings and base64 hold, a few layers deep."""
    yield text
    if "%" in text:
        yield unquote_plus(text)
    if depth == DEEPEST:
        return
    for inner in (*_strings(text), *_unwrapped(text)):
        yield from texts(inner, depth + 1)


def _strings(text: str) -> list[str]:
    """Of a JSON document that has anything escaped in it; its other strings are seen as they stand."""
    if "\\" not in text:
        return []
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return list(_leaves(found))


def _leaves(value: object) -> Iterator[str]:
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str() as text:
                yield text
            case dict() as members:
                waiting += [*members.keys(), *members.values()]
            case list() as items:
                waiting += items
            case _:  # numbers and the like are seen in the text as they stand
                pass


def _unwrapped(text: str) -> Iterator[str]:
    for found in WRAPPED.findall(text):
        plain = found.translate(str.maketrans("-_", "+/"))
        try:
            yield base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True).decode()
        except (binascii.Error, ValueError):
            continue
