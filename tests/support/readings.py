"""The captured payloads under tests/ingest/fixtures, and readings as plain JSON to compare with what stands beside each."""

import json
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from ingest.contacts.model import StoredEvent
from ingest.normalise import read
from ingest.normalise.model import Event, Ignored, Raw, Reading
from tests.support.contacts import minutes

FIXTURES = Path(__file__).parents[1] / "ingest" / "fixtures"
EXPECTED = ".expected.json"


def payloads() -> list[Path]:
    return [path for path in sorted(FIXTURES.glob("*/*.json")) if not path.name.endswith(EXPECTED)]


def payload(name: str) -> bytes:
    """`amazon-connect/invented-queued`, as its bytes."""
    return (FIXTURES / f"{name}.json").read_bytes()


def expected(path: Path) -> Any:
    return json.loads(path.with_name(path.stem + EXPECTED).read_text())


def as_told(reading: Reading) -> dict[str, Any]:
    """All of it but the hash."""
    where = {"envelope": reading.envelope, "index": reading.index, "platform": reading.platform}
    if isinstance(reading, Ignored):
        return {**where, "ignored": reading.reason}
    if not isinstance(reading, Event):
        return {**where, "refused": reading.code, "path": reading.path}
    names = ("account", "source", "id", "version", "root", "leg", "kind", "facts", "handles")
    return {**where, **{name: getattr(reading, name) for name in names}, "at": reading.at and reading.at.isoformat()}


def stored(reading: Reading, *, received: float) -> StoredEvent:
    """As the database gives an event back, received so many minutes after the test's morning."""
    assert isinstance(reading, Event), reading
    return StoredEvent(
        id=uuid5(NAMESPACE_OID, f"{reading.source}\n{reading.id}\n{reading.version}"), leg=reading.leg, kind=reading.kind, at=reading.at,
        received=minutes(received), facts=reading.facts, handles=reading.handles,
    )  # fmt: skip


LONG_AFTER = 60 * 24 * 500
"""The fixtures' day, in minutes after the tests' morning: nothing is from the future when it arrives."""


def heard(name: str, *, minute: float = 0) -> list[StoredEvent]:
    """What a payload says, received so many minutes into the fixtures' day; without what is ignored of it."""
    readings = (reading for reading in read(Raw(payload(name))) if not isinstance(reading, Ignored))
    return [stored(reading, received=LONG_AFTER + minute) for reading in readings]
