"""From readings to rows: an event's identity, what rests of whom it names, and one that cannot be written among many that can."""

from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any
from uuid import UUID, uuid5

import orjson
from hypothesis import given
from hypothesis import strategies as st

from ingest.contacts.model import Patience
from ingest.intake.personal import keep
from ingest.intake.sorting import Came, Rules, event_id, sort
from ingest.normalise.model import Event, Handles, Kind
from ingest.people.canonical import Naming
from shared.runtime.database import as_json
from shared.runtime.sealing import Sealer

KEYS = ("a:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "b:YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODk=")
PHONE = "+12125550142"
EVENTS = UUID("5f0c0a54-5d1e-5c1b-9d0a-6f5c2b9f4a11")


def event(name: str, *, content: bytes = b"0" * 16, **changes: Any) -> Event:
    made: dict[str, Any] = {
        "envelope": "bare", "index": 0, "platform": "native", "account": "main", "source": "native/main", "id": name, "version": "",
        "hash": content, "root": "c-1", "leg": "c-1", "kind": Kind.STARTED, "at": datetime(2026, 3, 2, 9, tzinfo=UTC),
        "facts": {"channel": "phone"}, "handles": Handles(phone=PHONE),
    }  # fmt: skip
    return Event(**{**made, **changes})


def rules(sealer: Sealer, remembered: int = 100) -> Rules:
    return Rules(lru_cache(remembered)(partial(keep, seal=sealer.seal, naming=Naming(sealer.ref, "US"))), Patience(), as_json)


@given(st.text(alphabet=st.characters(codec="utf-8")), st.text(alphabet=st.characters(codec="utf-8")))
def test_an_events_id_is_the_uuid_of_its_source_its_id_and_its_version(name: str, version: str) -> None:
    assert event_id(event(name, version=version)) == str(uuid5(EVENTS, f"native/main\x1f{name}\x1f{version}"))


def test_the_rows_hold_every_event_in_its_order() -> None:
    came = [Came([event("e-1"), event("e-2")], "interactions.phone", 3), Came([event("e-3")], "interactions.phone", 3)]

    found = sort(came, rules(Sealer(KEYS[0], "pepper")))

    rows = orjson.loads(found.rows)
    assert [row["id"] for row in rows] == list(found.taken) == [event_id(event(name)) for name in ("e-1", "e-2", "e-3")]
    assert [each.place for each in found.taken.values()] == [0, 0, 1]
    assert {(row["topic"], row["partition"], row["hold"], row["hash"]) for row in rows} == {
        ("interactions.phone", 3, 43_200.0, "\\x" + "30" * 16)
    }


def test_an_event_that_cannot_be_written_is_at_fault_alone() -> None:
    nul, half = event("e-2", root="c\x00"), event("e-3", handles=Handles(name="\ud800"))

    found = sort([Came([event("e-1"), nul]), Came([half, event("e-4")])], rules(Sealer(KEYS[0], "pepper")))

    assert list(found.taken) == [event_id(event("e-1")), event_id(event("e-4"))]
    assert len(orjson.loads(found.rows)) == 2
    assert [(fault.place, fault.reason) for fault in found.faults] == [(0, "nul_character"), (1, "lone_surrogate")]


def test_the_handles_of_a_contact_are_sealed_once_while_they_are_remembered() -> None:
    sealer, written = Sealer(KEYS[0], "pepper"), (("phone", PHONE),)
    kept = lru_cache(2)(partial(keep, seal=sealer.seal, naming=Naming(sealer.ref, "US")))

    first = kept(written, "native", "main")
    assert kept(written, "native", "main") is first
    assert first.refs == [sealer.ref("phone", "", PHONE)]
    for number in range(2):
        kept((("phone", f"+1212555014{number}"),), "native", "main")
    assert kept(written, "native", "main").handles != first.handles


def test_a_contact_id_is_remembered_for_its_account_alone() -> None:
    sealer = Sealer(KEYS[0], "pepper")
    kept = lru_cache(10)(partial(keep, seal=sealer.seal, naming=Naming(sealer.ref, "US")))

    assert kept((("contact_id", "7"),), "native", "main").refs != kept((("contact_id", "7"),), "native", "other").refs


def test_what_one_deployment_remembers_another_one_with_other_keys_does_not() -> None:
    ours, theirs = (orjson.loads(sort([Came([event("e-1")])], rules(Sealer(key, "pepper"))).rows)[0]["handles"] for key in KEYS)

    assert (ours["k"], theirs["k"]) == ("a", "b")
