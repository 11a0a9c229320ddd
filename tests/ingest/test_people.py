"""Who it is, over a real PostgreSQL: households, provisional people who become known, profiles and consents in any order."""

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.schemas import Sealed
from tests.support.ingest import EMAIL, OTHER_PHONE, PHONE, Json, Running, call, ingest
from tests.support.postgres import Databases

START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3)
BORN = "2026-11-01T10:00:00.000Z"


def profile(member: str, *, name: str | None = None, at: str = BORN, phone: str | None = PHONE, **more: Any) -> Json:
    said = {"profile_id": f"{member}@{at}", "member_id": member, "at": at, **more}
    if phone:
        said["addresses"] = [{"kind": "phone", "value": phone}]
    return said | ({"name": name} if name else {})


async def test_a_number_of_three_members_names_nobody(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        await running.say("customers.profiles", profile("M-1"), profile("M-2"), profile("M-3"))
        await running.feed(*call("c-1", start=START, customer={"phone": PHONE}))
        await running.close()

        (told,) = await running.sent("interactions.completed")
        assert told["no_customer"] == "ambiguous"
        assert len({each["customer"]["customer_id"] for each in await running.sent("customers.changed")}) == 3


async def test_a_member_id_beside_a_household_number_decides(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        await running.say("customers.profiles", profile("M-1"), profile("M-2", name="Bo Lopez"))
        await running.feed(*call("c-1", start=START, customer={"phone": PHONE, "member_id": "M-2"}))
        await running.close()

        (told,) = await running.sent("interactions.completed")
        assert _private(running, told["customer"])["given_name"] == "Bo"


async def test_a_provisional_customer_becomes_known_once_by_the_import(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        await running.feed(*call("c-1", start=START, customer={"phone": PHONE}))
        await running.close()
        await running.say("customers.profiles", profile("M-1", name="Ana Lopez"))
        await running.feed(*call("c-2", start=START + timedelta(hours=5), customer={"phone": PHONE}))
        await running.close()

        first, second = (each["customer"] for each in await running.sent("interactions.completed"))
        assert first["customer_id"] == second["customer_id"]
        assert (first["known"], second["known"]) == (False, True)
        assert second["version"] > first["version"]
        assert (await running.sent("interactions.completed"))[1]["contacts_7d"] == 2


async def test_two_placeholders_of_one_member_merge_and_their_history_is_one(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        await running.feed(*call("c-1", start=START, customer={"phone": PHONE}))
        await running.feed(*call("c-2", start=START + timedelta(hours=1), customer={"email": EMAIL}))
        await running.close()
        email = [{"kind": "email", "value": EMAIL}, {"kind": "phone", "value": PHONE}]
        await running.say("customers.profiles", profile("M-1") | {"addresses": email})
        await running.feed(*call("c-3", start=START + timedelta(hours=2), customer={"member_id": "M-1"}))
        await running.close()

        changes = await running.sent("customers.changed")
        merged = changes[-1]
        assert merged["change"] == "merged"
        assert len(merged["supersedes"]) == 1
        *_, last = await running.sent("interactions.completed")
        assert last["customer"]["customer_id"] == merged["customer"]["customer_id"]
        assert last["contacts_7d"] == 3
        nulls = await running.rows("select key from outbox where topic = 'customers.changed' and payload = ''")
        assert [each["key"] for each in nulls] == merged["supersedes"]


async def test_one_event_that_carries_both_merges_a_platforms_contact_into_the_member(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        await running.say("customers.profiles", profile("M-1", phone=None))
        await running.feed(*call("c-1", start=START, customer={"contact_id": "ext-5"}))
        await running.close()
        await running.feed(*call("c-2", start=START, customer={"contact_id": "ext-5", "member_id": "M-1"}))
        await running.close()

        first, second = await running.sent("interactions.completed")
        assert (await running.sent("customers.changed"))[-1]["supersedes"] == [first["customer"]["customer_id"]]
        assert second["customer"]["known"]


async def test_two_callers_of_one_new_number_judged_at_once_on_two_replicas_are_one_customer(ingest_database: str) -> None:
    async with ingest(ingest_database, close_batch=1) as one, ingest(ingest_database, close_batch=1) as two:
        for n in range(6):
            await one.feed(*call(f"c-{n}", start=START, customer={"phone": PHONE}))
        await one.pass_time(timedelta(hours=1))

        async def work(running: Running) -> None:
            while await running.judge():
                pass

        await asyncio.gather(work(one), work(two))

        told = await one.sent("interactions.completed")
        assert len(told) == 6
        assert len({each["customer"]["customer_id"] for each in told}) == 1


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_profiles_in_any_order_and_twice_end_in_one_customer(databases: Databases, order: tuple[int, ...]) -> None:
    said = [
        profile("M-1", name="Ana", at="2026-11-01T10:00:00Z", phone=PHONE, zone="America/Denver"),
        profile("M-1", name="Ana Maria", at="2026-11-02T10:00:00Z", phone=None, language="es"),
        profile("M-1", at="2026-11-03T10:00:00Z", phone=OTHER_PHONE, zone=""),
    ]
    url = databases.fresh("ingest")
    async with ingest(url) as running:
        for n in (*order, *order):
            await running.say("customers.profiles", said[n])

        *_, last = await running.sent("customers.changed")
        customer = last["customer"]
        assert (customer["language"], _private(running, customer)["given_name"]) == ("es", "Ana")
        assert list(_private(running, customer)["addresses"].values()) == [OTHER_PHONE]
        assert await running.rows("select count(*) from holding where kind = 'phone'") == [{"count": 1}]
    databases.drop(url)


async def test_a_field_that_is_empty_clears_and_one_that_is_missing_says_nothing(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        await running.say("customers.profiles", profile("M-1", segment="family", flags=["vip"], language="es"))
        await running.say("customers.profiles", profile("M-1", at="2026-11-05T10:00:00Z", language="", flags=[]))

        *_, last = await running.sent("customers.changed")
        assert (last["customer"]["segment"], last["customer"]["flags"], last["customer"].get("language")) == ("family", [], None)


async def test_a_profile_with_a_zone_that_does_not_exist_is_a_dead_letter(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        await running.say("customers.profiles", profile("M-1", zone="Mars/Olympus"))

        assert await running.rows("select reason, path from dead_letter") == [{"reason": "unknown_zone", "path": "zone"}]
        assert await running.sent("customers.changed") == []


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_consents_in_any_order_and_twice_end_in_the_same_refusal(databases: Databases, order: tuple[int, ...]) -> None:
    states = [("granted", "2026-11-01T10:00:00Z"), ("granted", "2026-11-02T10:00:00Z"), ("refused", "2026-11-02T10:00:00Z")]
    url = databases.fresh("ingest")
    async with ingest(url) as running:
        await running.say("customers.profiles", profile("M-1"))
        (customer,) = [each["customer"] for each in await running.sent("customers.changed")]
        said = [
            {
                "consent": {
                    "channel": "sms",
                    "purpose": "any",
                    "state": state,
                    "at": at,
                    "source": "t",
                    "address_ref": customer["points"][0]["ref"],
                }
            }
            for state, at in states
        ]
        for n in (*order, *order):
            await running.say("consents.changed", said[n])

        *_, last = await running.sent("customers.changed")
        assert [(each["state"], each["at"]) for each in last["customer"]["consents"]] == [("refused", "2026-11-02T10:00:00.000Z")]
    databases.drop(url)


@pytest.mark.parametrize("order", ["before", "after", "both"])
async def test_what_a_caller_refused_binds_the_member_they_turn_out_to_be(ingest_database: str, order: str) -> None:
    async with ingest(ingest_database) as running:
        await running.say("customers.profiles", profile("M-1", phone=None))
        await running.feed(*call("c-1", start=START, customer={"contact_id": "ext-5"}))
        await running.close()
        (caller,) = [each["customer"]["customer_id"] for each in await running.sent("interactions.completed")]
        said = {"channel": "voice", "purpose": "callback", "at": "2026-11-02T10:00:00Z", "source": "guide", "customer_id": caller}
        granted = {**said, "state": "granted", "at": "2026-11-01T10:00:00Z"}
        if order != "after":
            await running.say("consents.changed", {"consent": {**said, "state": "refused"}})
        await running.feed(*call("c-2", start=START, customer={"contact_id": "ext-5", "member_id": "M-1"}))
        await running.close()
        if order != "before":
            await running.say("consents.changed", {"consent": {**said, "state": "refused"}})
        await running.say("consents.changed", {"consent": granted})

        latest = (await running.sent("customers.changed"))[-1]["customer"]
        assert latest["known"]
        assert [(each["state"], each["customer_id"]) for each in latest["consents"]] == [("refused", latest["customer_id"])]


async def test_a_consent_for_an_address_reaches_everybody_who_holds_it(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        await running.say("customers.profiles", profile("M-1"), profile("M-2"))
        ref = running.deps.desk.sealer.ref("phone", "", PHONE)
        stop = {"channel": "sms", "purpose": "any", "state": "refused", "at": BORN, "source": "sms", "address_ref": ref}
        await running.say("consents.changed", {"consent": stop})

        latest = {each["customer"]["customer_id"]: each["customer"] for each in await running.sent("customers.changed")}
        assert [len(each["consents"]) for each in latest.values()] == [1, 1]


async def test_consents_of_a_profile_are_told_to_the_other_services(ingest_database: str) -> None:
    consent = {"channel": "email", "purpose": "survey", "state": "granted", "at": BORN, "source": "crm"}
    async with ingest(ingest_database) as running:
        await running.say("customers.profiles", profile("M-1", consents=[consent]))

        (told,) = await running.sent("consents.changed")
        (changed,) = await running.sent("customers.changed")
        assert told["consent"]["customer_id"] == changed["customer"]["customer_id"]
        assert len(changed["customer"]["consents"]) == 1


async def test_a_consent_of_a_customer_we_never_had_is_a_dead_letter(ingest_database: str) -> None:
    consent = {
        "channel": "sms",
        "purpose": "any",
        "state": "refused",
        "at": BORN,
        "source": "t",
        "customer_id": "7c1f7f64-6a5f-4bb4-8f0c-3a2f9d7f0001",
    }
    async with ingest(ingest_database) as running:
        await running.say("consents.changed", {"consent": consent})

        assert await running.rows("select reason from dead_letter") == [{"reason": "unknown_customer"}]


def _private(running: Running, customer: Json) -> Json:
    opened: Json = running.deps.desk.sealer.unseal(Sealed(**customer["private"]))
    return opened
