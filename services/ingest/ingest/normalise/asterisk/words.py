"""Asterisk's words in ours, and what its sources have in common."""

import re
from dataclasses import dataclass

from pydantic import JsonValue

from ingest.normalise import telling
from ingest.normalise.decode import Document, digest
from ingest.normalise.envelopes import Letter
from ingest.normalise.fields import FEWEST_OUTSIDE_DIGITS, LONGEST_ID, outside_number_in, text
from ingest.normalise.model import Event, Facts, Handles, Ignored, Kind, Raw
from ingest.normalise.times import Moment

PLATFORM = "asterisk"
FROM_INSIDE = "from-internal"
"""The context in which FreePBX lets the house's own lines dial."""

_NUMBERED, _HEX = range(6, 9), "0123456789abcdef"
"""A channel's own number, which its name ends with."""
_EXTENSION = re.compile(rf"\d{{1,{FEWEST_OUTSIDE_DIGITS - 1}}}\Z", re.ASCII)


@dataclass(slots=True)  # not frozen: there is one for every event
class Told:
    """What one record, line or event says. `stream` is which of the sources it is of; without an `id` its content is the id."""

    stream: str
    id: str | None
    kind: Kind
    moment: Moment
    root: str
    leg: str
    facts: Facts
    handles: Handles


def account_of(letter: Letter, raw: Raw) -> str:
    """Nothing of Asterisk's names the server: the source's setting does."""
    return letter.account or raw.account or "-"


def event(letter: Letter, raw: Raw, told: Told) -> Event:
    content = digest(letter.document)
    whole = telling.Told(
        platform=PLATFORM, account=None, stream=told.stream, id=told.id or content.hex(), version="", hash=content, root=told.root,
        leg=told.leg, kind=told.kind, moment=told.moment, facts={**told.facts, "channel": "phone"}, handles=told.handles,
    )  # fmt: skip
    return telling.event(letter, raw, whole)


def ignored(letter: Letter, reason: str) -> Ignored:
    return telling.ignored(letter, PLATFORM, reason)


def endpoint(channel: JsonValue) -> str | None:
    """Whose line a channel or a queue's member is, whatever it is reached by: `1001` of `PJSIP/1001-0000002a` and of
    `Local/1001@from-queue/n`. A member's plain name stays as it is."""
    whole = text(channel, LONGEST_ID)
    if whole is None:
        return None
    technology, slash, rest = whole.partition("/")
    if not slash or not technology.replace("-", "").isalnum():
        rest = whole
    name = rest.partition("@")[0].partition(";")[0]
    line, dash, number = name.rpartition("-")
    return (line if dash and len(number) in _NUMBERED and not number.strip(_HEX) else name) or whole


def is_extension(value: JsonValue) -> bool:
    return isinstance(value, str) and _EXTENSION.match(value) is not None


def sides(source: JsonValue, dialled: JsonValue, context: JsonValue = None) -> tuple[Facts, Handles]:
    """Direction, purpose and the customer's number, by who called whom."""
    inside = is_extension(source)
    calls_out = inside or (isinstance(context, str) and context.startswith(FROM_INSIDE))
    if calls_out and (number := outside_number_in(dialled)):
        return {"direction": "outbound"}, {"phone": number}
    if inside:
        return {"purpose": "internal"}, {}
    if number := outside_number_in(source):
        return {"direction": "inbound"}, {"phone": number}
    return {}, {}


def whole(value: JsonValue) -> int | None:
    """Seconds, which every source but ARI writes as a text; up to a year."""
    written = text(value, LONGEST_ID)
    seconds = int(written) if written and len(written) <= 8 and written.isascii() and written.isdecimal() else None
    return seconds if seconds is not None and seconds <= 31_536_000 else None


def before(moment: Moment, *lengths: int | None) -> int | None:
    """So many seconds before, in epoch ms; None where a length is not known."""
    known = [length for length in lengths if length is not None]
    return moment.ms - sum(known) * 1000 if moment.ms is not None and len(known) == len(lengths) else None


def add(facts: Facts, **found: object) -> None:
    """What of `found`, named as facts are, is there."""
    facts |= telling.facts_of(**found)


def lowered(document: Document) -> Document:
    return {name.lower(): value for name, value in document.items()}
