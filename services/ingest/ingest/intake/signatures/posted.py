"""A request as it came, and what every check asks of it."""

import base64
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl

WINDOW_S = 300
"""How far a signed time may be from ours, both ways, in seconds; exactly so far still counts."""
MOST_FIELDS = 1_000
_SECONDS = re.compile(r"\d{1,12}", re.ASCII)
_PRINTABLE = re.compile(r"[!-~](?:[ -~]*[!-~])?", re.ASCII)


class Untrusted(Exception):
    """Why a request is not believed, as a code. Counted, never told: every sender hears the same."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Posted:
    """`path` and `query` are as sent, percent-encoding and all; of each header (lower-case name) every value, in order."""

    body: bytes
    headers: Mapping[str, Sequence[str]]
    path: str
    query: str = ""

    def header(self, name: str) -> str:
        """The one value of a header. Raises `Untrusted` where it is missing, repeated, empty or beyond printable ASCII."""
        values = self.headers.get(name, ())
        if len(values) != 1:
            raise Untrusted("header_repeated" if values else "header_missing")
        if not _PRINTABLE.fullmatch(values[0]):
            raise Untrusted("header_malformed")
        return values[0]

    def has(self, name: str) -> bool:
        return name in self.headers

    def url(self, base: str) -> str:
        """The address as the platform was told it: `base` stands before the path."""
        return f"{base}{self.path}" + (f"?{self.query}" if self.query else "")

    def fields(self) -> list[tuple[str, str]]:
        """The body as a form, spaces and blank values kept. Raises `Untrusted` for what is not UTF-8 and for too many fields."""
        try:
            return parse_qsl(self.body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
        except ValueError:
            raise Untrusted("malformed") from None


def check_equal(given: str, expected: Iterable[str]) -> None:
    """One of them, compared in constant time each. Raises `Untrusted`."""
    if sum(hmac.compare_digest(given.encode(), each.encode()) for each in expected) == 0:
        raise Untrusted("signature")


def canonical_base64(text: str) -> bytes:
    """The bytes, where `text` is their one spelling: others differ in bits that mean nothing. Raises `Untrusted`."""
    try:
        found = base64.b64decode(text, validate=True)
    except ValueError:
        raise Untrusted("signature") from None
    if base64.b64encode(found).decode() != text:
        raise Untrusted("signature")
    return found


def seconds_in(stamp: str) -> int:
    """Unix seconds written with digits alone. Raises `Untrusted` for anything else."""
    if not _SECONDS.fullmatch(stamp):
        raise Untrusted("header_malformed")
    return int(stamp)


def check_window(signed: float, at: datetime) -> None:
    """`signed` in Unix seconds. Raises `Untrusted` where it is too far from `at`."""
    if abs(at.timestamp() - signed) > WINDOW_S:
        raise Untrusted("time")
