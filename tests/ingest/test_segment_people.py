"""Segment's `identify` is a word of the member directory, by the topic and by a webhook that was told to be one."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.normalise.segment.people import identified
from ingest.normalise.unreadable import Unreadable
from shared.schemas import ProfileGiven, Sealed
from tests.ingest.test_webhooks_http import posting
from tests.support.ingest import EMAIL, PHONE, Json, Running, ingest
from tests.support.signing import a_source, segment

OTHER_EMAIL = "ana.new@example.com"
SAMPLE: Json = json.loads((Path(__file__).parent / "fixtures/segment/identify.json").read_bytes())
MEMBER = "M-10442"


def identify(*, at: str = "2026-11-01T10:00:00.000Z", **traits: Any) -> Json:
    return {"type": "identify", "messageId": f"m-{at}", "userId": MEMBER, "timestamp": at, "sentAt": at, "traits": traits}


def said(document: Json) -> ProfileGiven:
    found = identified(document, {"state", "product_line"})
    assert found is not None
    return found


def test_it_is_a_profile_of_the_member_with_nothing_that_was_not_asked_for() -> None:
    found = said(SAMPLE)

    assert (found.member_id, found.at) == (MEMBER, datetime(2027, 5, 11, 14, 0, 0, 111_000, tzinfo=UTC))
    assert (found.name, found.postal_code, found.traits, found.segment) == ("Ana L.", "62701", None, None)
    assert [(each.kind, each.value) for each in found.addresses or ()] == [("email", "someone@example.com")]
    assert found.address_kinds == ("email",)


def test_allowed_traits_and_the_words_of_a_profile_are_kept() -> None:
    found = said(
        identify(firstName="Ana", lastName="Lopez", state="OR", plan="gold", language="es", segment="family", timezone="America/Denver")
    )

    assert (found.name, found.traits, found.language, found.segment, found.zone) == (
        "Ana Lopez", {"state": "OR"}, "es", "family", "America/Denver",
    )  # fmt: skip
    assert (found.addresses, found.address_kinds) == (None, None)


@pytest.mark.parametrize(
    "changed",
    [
        {"userId": None},
        {"userId": ""},
        {"userId": " "},
        {"userId": "ana@example.com"},
        {"userId": ["M-1"]},
        {"type": "track"},
        {"type": None},
    ],
)
def test_who_is_no_member_is_nobody_of_the_directory(changed: Json) -> None:
    assert identified(SAMPLE | changed, ()) is None


def test_without_any_time_nobody_knows_what_is_newer() -> None:
    with pytest.raises(Unreadable, match="timestamp"):
        identified({name: value for name, value in SAMPLE.items() if name not in ("timestamp", "sentAt", "receivedAt")}, ())


@pytest.mark.parametrize("odd", [7, ["x"], {"a": 1}, True, "x" * 10_000])
def test_a_trait_that_is_no_text_or_too_long_for_one_says_nothing(odd: object) -> None:
    found = said(identify(name=odd, language=odd, segment=odd, timezone=odd, address=odd, state=odd if isinstance(odd, str) else None))

    assert (found.name, found.language, found.segment, found.zone, found.postal_code, found.traits) == (None,) * 6


async def test_traits_add_up_and_an_empty_one_clears(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        await running.say("customers.profiles", identify(email=EMAIL, phone=PHONE, name="Ana Lopez"))
        await running.say("customers.profiles", identify(at="2026-11-02T10:00:00.000Z", email=OTHER_EMAIL))
        assert await _addresses(running) == {OTHER_EMAIL, PHONE}

        await running.say("customers.profiles", identify(at="2026-11-03T10:00:00.000Z", phone=""))
        assert await _addresses(running) == {OTHER_EMAIL}

        await running.say("customers.profiles", {"profile_id": "crm", "member_id": MEMBER, "at": "2026-11-04T10:00:00Z", "addresses": []})
        assert await _addresses(running) == set()
        assert await running.rows("select count(*) from holding where kind in ('phone', 'email')") == [{"count": 0}]
        assert len({each["customer"]["customer_id"] for each in await running.sent("customers.changed")}) == 1


async def test_of_everything_else_that_segment_puts_on_the_topic_nothing_is_ours(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        track = {"type": "track", "event": "Signed Up", "messageId": "m-1", "userId": MEMBER, "timestamp": "2026-11-01T10:00:00Z"}
        timeless = {"type": "identify", "userId": MEMBER, "messageId": "m-2", "traits": {}}
        await running.say("customers.profiles", track, {**identify(), "userId": None}, timeless, identify(name="Ana"))

        assert await running.rows("select reason, path from dead_letter") == [{"reason": "missing", "path": "timestamp"}]
        assert len(await running.sent("customers.changed")) == 1


async def test_one_delivered_twice_is_no_dead_letter(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        await running.say("customers.profiles", identify(name="Ana"))
        await running.say("customers.profiles", identify(name="Ana") | {"sentAt": "2026-11-01T10:05:00.000Z"})

        assert await running.rows("select count(*) from dead_letter") == [{"count": 0}]
        assert len(await running.sent("customers.changed")) == 1


async def test_a_webhook_is_the_directory_where_its_source_says_so(ingest_database: str) -> None:
    directory, website = a_source("segment", profiles=True, name="crm"), a_source("segment", name="site")
    body = json.dumps(SAMPLE).encode()
    async with posting(ingest_database, directory, website) as hooks:
        taken = [(await hooks.send(segment(source, body=body))).json() for source in (website, directory, directory)]

        assert [(each["accepted"], each["ignored"]) for each in taken] == [(0, 1), (1, 0), (1, 0)]
        assert await _addresses(hooks.running) == {"someone@example.com"}
        assert len(await hooks.running.sent("customers.changed")) == 1


async def test_a_webhook_hears_what_is_wrong_with_a_profile(ingest_database: str) -> None:
    directory = a_source("segment", profiles=True)
    timeless = json.dumps({"type": "identify", "userId": MEMBER, "messageId": "m-1"}).encode()
    async with posting(ingest_database, directory) as hooks:
        answer = await hooks.send(segment(directory, body=timeless))

        assert (answer.status_code, answer.json()["errors"]) == (422, [{"path": "timestamp", "reason": "missing"}])


async def _addresses(running: Running) -> set[str]:
    *_, last = await running.sent("customers.changed")
    opened: Json = running.deps.desk.sealer.unseal(Sealed(**last["customer"]["private"]))
    return set(opened["addresses"].values())
