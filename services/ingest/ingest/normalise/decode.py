"""Strict JSON: what PostgreSQL cannot hold, or two readers could understand differently, is refused."""

from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Iterator
from hashlib import blake2b

import jiter
import orjson
from pydantic import JsonValue

from ingest.normalise.unreadable import Unreadable

Document = dict[str, JsonValue]

LARGEST = 2**63 - 1
SMALLEST = -(2**63)
_DIGITS_ALIKE = bytes.maketrans(b"123456789", b"000000000")
_LONG_RUN = b"0" * 19
_EVERY_FOURTH, _LEFT_OF_A_LONG_RUN = slice(None, None, 4), b"0" * 4
_BEFORE_A_NUMBER = b" \t\r\n:,[-"
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_COMPLAINTS = (
    ("recursion limit", "too_deep"),
    ("Detected duplicate key", "duplicate_key"),
    ("hex escape", "lone_surrogate"),
    ("surrogate", "lone_surrogate"),
    ("unicode", "not_utf8"),
    ("out of range", "number_too_large"),
)


def decode(body: bytes) -> JsonValue:
    """The JSON value in `body`, at most 200 levels deep.

    Raises `Unreadable` for what is no JSON and for a byte order mark, NaN, a key given twice, an integer beyond 64 bit,
    NUL in a text and half a surrogate pair.
    """
    try:
        value: JsonValue = jiter.from_json(body, allow_inf_nan=False, cache_mode="keys", catch_duplicate_keys=True)
    except ValueError as fault:
        raise Unreadable(_code_of(str(fault), body)) from None
    if (b"\\" in body and b"\\u0000" in body) or _holds_a_long_number(body):
        _look_at_every_scalar(value)
    return value


def decode_base64(text: JsonValue, path: str | None) -> bytes:
    if not isinstance(text, str):
        raise Unreadable("wrong_type" if text is not None else "missing", path)
    try:
        return a2b_base64(text.encode("ascii"), strict_mode=True)
    except (Base64Error, UnicodeEncodeError):
        raise Unreadable("invalid_base64", path) from None


def digest(document: Document) -> bytes:
    """16 bytes that differ with the content, not with the white space or with the envelope it came in."""
    return blake2b(orjson.dumps(document), digest_size=16).digest()


def _code_of(complaint: str, body: bytes) -> str:
    if body.startswith(_BYTE_ORDER_MARKS):
        return "byte_order_mark"
    if not body.strip():
        return "empty"
    return next((code for words, code in _COMPLAINTS if words in complaint), "invalid_json")


def _holds_a_long_number(body: bytes) -> bool:
    """One that is no text, as ids of twenty digits are: a number stands after a mark or a space, a text after its quote.

    Of nineteen digits in a row every fourth byte shows four, which hardly any payload does: few are searched whole.
    """
    if _LEFT_OF_A_LONG_RUN not in body[_EVERY_FOURTH].translate(_DIGITS_ALIKE):
        return False
    alike = body.translate(_DIGITS_ALIKE)
    at = alike.find(_LONG_RUN)
    while at > 0 and alike[at - 1] not in _BEFORE_A_NUMBER:
        at = alike.find(_LONG_RUN, at + len(_LONG_RUN))
    return at >= 0


def _look_at_every_scalar(value: JsonValue) -> None:
    for scalar in _scalars(value):
        if isinstance(scalar, str) and "\x00" in scalar:
            raise Unreadable("nul_character")
        if isinstance(scalar, int) and not SMALLEST <= scalar <= LARGEST:
            raise Unreadable("number_too_large")


def _scalars(value: JsonValue) -> Iterator[JsonValue]:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting.extend(one.keys())
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
        else:
            yield one
