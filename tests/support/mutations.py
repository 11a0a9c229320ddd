"""Payloads changed by chance, and what must hold of every one. A name and a number make the same change again:
`python -m tests.support.mutations 4711:4712 zendesk/invented-created-closed` looks at just that one."""

import json
import random
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from copy import deepcopy
from pathlib import Path
from typing import Any

from ingest.contacts.fold import fold
from ingest.normalise import read
from ingest.normalise.explain import captured, explained
from ingest.normalise.model import Event, Ignored, Raw, Reading, Refused
from tests.support.contacts import minutes
from tests.support.readings import LONG_AFTER, payload, payloads, stored

NOISE = "noise"
"""Among the names: bytes by chance, of no payload."""

FIELDS = ("event", "id", "specversion", "Records", "detail-type")
BROKEN = (b"\\u0000", b"\\ud800", b"\xff", b'"', b"{", b"[", b"}", b"1e999", b"\xef\xbb\xbf", b"99999999999999999999")
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**63 - 1, 1e300, 0.1, "", " ", "\u202e", "😀", "9" * 400, "1970-01-01T00:00:00Z", "2027-05-11T25:00:00Z",
    [], {}, [[]], [None], {"": ""}, {"a": {"a": {"a": []}}}, "{}", "[]", "eyJhIjoxfQ==", "contact.ended", "DISCONNECTED", "transferred",
)  # fmt: skip
HEADERS = ("content-type", "ce_id")
Look = Callable[[bytes, random.Random], list[Reading]]
"""Changes a payload by the dice, reads it and says what came of it; raises where a promise is broken."""


class Failed(AssertionError):
    """Says which change to make again, and where it failed."""

    def __init__(self, name: str, number: int, error: Exception) -> None:
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(place.filename).name}:{place.lineno}"
        super().__init__(f"{name}, mutation {number}: {type(error).__name__} in {where}: {error}")


def names() -> list[str]:
    return [*(f"{path.parent.name}/{path.stem}" for path in payloads()), NOISE]


def meanings(name: str, numbers: Iterable[int], look: Look | None = None) -> Counter[str]:
    """How often each step, `ignored` or `refused` came of these mutations of a payload. The first that breaks a promise is raised."""
    original, found = b"" if name == NOISE else payload(name), Counter[str]()
    look = look or (_noise if name == NOISE else _mutation)
    for number in numbers:
        try:
            found.update(_meaning(reading) for reading in look(original, random.Random(f"{name} {number}")))
        except Exception as error:
            raise Failed(name, number, error) from error
    return found


def _mutation(original: bytes, dice: random.Random) -> list[Reading]:
    """It has a meaning, the same for who asks for an explanation; its facts can be stored and folded, in any order, soon and late."""
    body = mutated(original, dice)
    readings = [reading for raw in captured(body) for reading in read(Raw(raw.body, raw.headers, zone="America/New_York"))]
    assert readings
    assert len(explained("a file", body)) == len(readings)
    arrived, looked = dice.choice((0, LONG_AFTER)), dice.choice((0, LONG_AFTER))
    told = [stored(reading, received=arrived) for reading in readings if isinstance(reading, Event)]
    events = list({event.id: event for event in reversed(told)}.values())  # of an id the first, as the inbox keeps it
    verdict = fold(events, now=minutes(arrived + looked))
    assert len(events) < 2 or verdict == fold(events[::-1], now=minutes(arrived + looked))
    assert all(json.dumps(reading.facts) for reading in readings if isinstance(reading, Event))
    assert all(reading.code for reading in readings if isinstance(reading, Refused))
    return readings


def _noise(_: bytes, dice: random.Random) -> list[Reading]:
    """Short enough to be read twenty times in the time of a payload."""
    found = [read(Raw(dice.randbytes(dice.randint(0, 40)), {dice.choice(HEADERS): "application/cloudevents"})) for _ in range(20)]
    assert all(found)
    return [reading for readings in found for reading in readings]


def _meaning(reading: Reading) -> str:
    if isinstance(reading, Event):
        return reading.kind.value
    return "ignored" if isinstance(reading, Ignored) else "refused"


def mutated(original: bytes, dice: random.Random) -> bytes:
    return _changed_value(json.loads(original), dice) if dice.random() < 0.7 else _changed_bytes(original, dice)


def _changed_value(document: Any, dice: random.Random) -> bytes:
    """One to three places emptied, replaced, doubled or renamed; now and then in a document within a text."""
    for _ in range(dice.randint(1, 3)):
        found = _places(document)
        if not found:
            break
        holder, key = dice.choice(found)
        value = holder[key]
        if isinstance(value, str) and value.startswith("{") and dice.random() < 0.8:
            holder[key] = _changed_text(value, dice)
        elif dice.random() < 0.25:
            del holder[key]
        elif isinstance(holder, dict) and dice.random() < 0.2:
            holder[dice.choice([str(key).lower(), str(key).upper(), *FIELDS])] = holder.pop(key)
        else:
            holder[key] = deepcopy(dice.choice([*ODD, [value], {"value": value}, [value] * 3]))
    return json.dumps(document).encode()


def _places(document: Any) -> list[tuple[Any, Any]]:
    """Every (holder, key) within."""
    found: list[tuple[Any, Any]] = []
    holders = [document]
    for holder in holders:
        if isinstance(holder, dict | list):
            keys = holder.keys() if isinstance(holder, dict) else range(len(holder))
            found += ((holder, key) for key in keys)
            holders += holder.values() if isinstance(holder, dict) else holder
    return found


def _changed_text(text: str, dice: random.Random) -> str:
    """A document within a text; one that a template was to fill in is none."""
    try:
        return _changed_value(json.loads(text), dice).decode("utf-8", "replace")
    except json.JSONDecodeError:
        return text[1:]


def _changed_bytes(body: bytes, dice: random.Random) -> bytes:
    octets = bytearray(body)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(octets) + 1)
        match dice.randrange(3):
            case 0:
                octets[at:at] = bytes([dice.randrange(256)])
            case 1:
                del octets[at : at + dice.randint(1, 9)]
            case _:
                octets[at : at + 1] = dice.choice(BROKEN)
    return bytes(octets)


def _main(numbers: str, *chosen: str) -> None:
    """A JSON line per name, as soon as it is through."""
    first, end = map(int, numbers.split(":"))
    for name in chosen:
        try:
            said: dict[str, object] = {"meanings": meanings(name, range(first, end))}
        except Failed as failed:
            said = {"failed": str(failed)}
        print(json.dumps({"name": name, **said}), flush=True)


if __name__ == "__main__":
    _main(*sys.argv[1:])
