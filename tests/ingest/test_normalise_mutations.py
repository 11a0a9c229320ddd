"""Nothing a payload can turn into makes reading or folding fail."""

import json
import os
import random
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from ingest.contacts.fold import fold
from ingest.normalise import read
from ingest.normalise.explain import captured, explained
from ingest.normalise.model import Event, Raw, Refused
from tests.support.contacts import minutes
from tests.support.readings import payloads, stored

ROUNDS = int(os.environ.get("MUTATIONS", "60"))
"""Per payload; `MUTATIONS=10000` is the long run."""

NAMES = ("event", "id", "specversion", "Records", "detail-type")
BROKEN = (b"\\u0000", b"\\ud800", b"\xff", b'"', b"{", b"[", b"}", b"1e999", b"\xef\xbb\xbf", b"99999999999999999999")
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**63 - 1, 1e300, 0.1, "", " ", "\u202e", "😀", "9" * 400, "1970-01-01T00:00:00Z", "2027-05-11T25:00:00Z",
    [], {}, [[]], [None], {"": ""}, {"a": {"a": {"a": []}}}, "{}", "[]", "eyJhIjoxfQ==", "contact.ended", "DISCONNECTED", "transferred",
)  # fmt: skip


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (holder, key) within."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in list(keys):
        yield value, key
        yield from places(value[key])


def changed_value(document: Any, dice: random.Random) -> bytes:
    """One to three places emptied, replaced, doubled or renamed; now and then in a document within a text."""
    for _ in range(dice.randint(1, 3)):
        found = list(places(document))
        if not found:
            break
        holder, key = dice.choice(found)
        value = holder[key]
        if isinstance(value, str) and value.startswith("{") and dice.random() < 0.8:
            holder[key] = changed_text(value, dice)
        elif dice.random() < 0.25:
            del holder[key]
        elif isinstance(holder, dict) and dice.random() < 0.2:
            holder[dice.choice([str(key).lower(), str(key).upper(), *NAMES])] = holder.pop(key)
        else:
            holder[key] = deepcopy(dice.choice([*ODD, [value], {"value": value}, [value] * 3]))
    return json.dumps(document).encode()


def changed_text(text: str, dice: random.Random) -> str:
    """A document within a text; one that a template was to fill in is none."""
    try:
        return changed_value(json.loads(text), dice).decode("utf-8", "replace")
    except json.JSONDecodeError:
        return text[1:]


def changed_bytes(body: bytes, dice: random.Random) -> bytes:
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


@pytest.mark.parametrize("path", payloads(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_mutation_of_a_payload_makes_reading_or_folding_fail(path: Path) -> None:
    dice = random.Random(path.stem)  # seeded, so that a failure can be repeated
    original = path.read_bytes()
    for _ in range(ROUNDS):
        body = changed_value(json.loads(original), dice) if dice.random() < 0.7 else changed_bytes(original, dice)
        readings = [reading for raw in captured(body) for reading in read(Raw(raw.body, raw.headers, zone="America/New_York"))]
        assert readings
        assert len(explained("a file", body)) == len(readings)
        events = [stored(reading, received=0) for reading in readings if isinstance(reading, Event)]
        assert fold(events, now=minutes(0)) == fold(events[::-1], now=minutes(0))
        for reading in readings:
            assert json.dumps(reading.facts) if isinstance(reading, Event) else True
            assert not isinstance(reading, Refused) or reading.code


def test_random_bytes_are_refused_or_ignored_never_an_error() -> None:
    dice = random.Random(7)  # seeded, so that a failure can be repeated
    for _ in range(ROUNDS * 20):
        assert read(Raw(dice.randbytes(dice.randint(0, 40)), {dice.choice(["content-type", "ce_id"]): "application/cloudevents"}))
