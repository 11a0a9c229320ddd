"""What platforms, customers and networks send that they should not, to the real services."""

import asyncio
import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from deploy.demo.people import person
from shared.runtime.broker import Outgoing
from shared.schemas import ProfileGiven, SurveyAnswered
from tests.support.cases import a_customer, an_answer
from tests.support.checking import judged, settle
from tests.support.ledger import Told, native_of, response, scored
from tests.support.scene import Scene
from tests.support.verdicts import VERDICTS

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.slow]

PHONE = "interactions.phone"
CANARY = "canary-7f3a"
_LETTERS = "select reason, path, count from ingest.dead_letter order by first_at"


async def test_a10_one_bad_record_in_a_batch_costs_the_others_nothing(scene: Scene) -> None:
    """Published before ingest starts, so that the batches are full."""
    told = [scene.ledger.note(native_of(number, ref=f"call-{number}", number=number)) for number in range(166)]
    records = [record for each in told for record in each.records]
    await scene.ledger.publish([*records[:250], Outgoing(PHONE, b"bad", b'{"contact": ', ()), *records[250:]])
    ingest = (await scene.fleet.start_all("ingest"))["ingest"]
    await settle(scene.fleet, scene.ledger, "ingest")
    letters = await scene.fleet.rows(_LETTERS)
    assert [each["count"] for each in letters] == [1]
    assert await scene.fleet.count("select count(*) from ingest.event") == len(records)
    assert ingest.alive
    await judged("A10", scene.fleet, scene.ledger, "ingest", began=scene.began, records=len(records) + 1, dead_letters=len(letters))


BAD_JSON = {
    "invalid": b'{"id": "x", ',
    "nan": b'{"id": "x", "contact": "c", "event": "ended", "at": NaN, "channel": "phone"}',
    "twice": b'{"id": "x", "id": "y", "contact": "c", "event": "ended", "at": "2026-03-02T15:00:00Z", "channel": "phone"}',
    "deep": b"[" * 10_000 + b"]" * 10_000,
    "huge": b'{"id": "x", "contact": "c", "event": "ended", "at": 99999999999999999999999, "channel": "phone"}',
    "marked": b"\xef\xbb\xbf" + b'{"id": "x", "contact": "c", "event": "ended", "at": "2026-03-02T15:00:00Z", "channel": "phone"}',
    "not_utf8": b'{"id": "\xff"}',
}


async def test_d1_what_is_not_json_as_we_read_it_becomes_a_dead_letter_with_a_reason(scene: Scene) -> None:
    """Between good records."""
    ingest = (await scene.fleet.start_all("ingest"))["ingest"]
    told = [scene.ledger.note(native_of(number, ref=f"call-{number}", number=number)) for number in range(20)]
    bad = [Outgoing(PHONE, name.encode(), body, ()) for name, body in BAD_JSON.items()]
    await scene.ledger.publish([*(record for each in told[:10] for record in each.records), *bad])
    await scene.ledger.publish(record for each in told[10:] for record in each.records)
    await settle(scene.fleet, scene.ledger, "ingest")
    await scene.fleet.until("select coalesce(sum(count), 0) from ingest.dead_letter", len(bad))
    reasons = Counter(str(each["reason"]) for each in await scene.fleet.rows(_LETTERS))
    assert not any(reason.startswith("failed:") for reason in reasons), reasons
    assert ingest.alive
    await judged("D1", scene.fleet, scene.ledger, "ingest", began=scene.began, bad=len(bad), reasons=dict(reasons))


async def test_d3_a_required_field_that_is_missing_or_wrong_is_named_and_its_value_never_shown(scene: Scene) -> None:
    ingest = (await scene.fleet.start_all("ingest"))["ingest"]
    good: dict[str, Any] = {"id": "x", "account": "d3", "contact": "c", "event": "ended", "at": "2026-03-02T15:00:00Z", "channel": "phone"}
    missing = [{**{k: v for k, v in good.items() if k != name}, "agent": {"name": CANARY}} for name in ("id", "event", "at", "channel")]
    wrong = [{**good, name: {"of": CANARY}} for name in ("id", "contact", "event", "at", "channel")]
    await scene.ledger.publish(Outgoing(PHONE, b"k", json.dumps(each).encode(), ()) for each in (*missing, *wrong))
    await scene.ledger.tell(range(30))
    await settle(scene.fleet, scene.ledger, "ingest")
    letters = await scene.fleet.rows(_LETTERS)
    named = [str(each["path"]) for each in letters if each["path"]]
    assert len(letters) == len(named) == len(missing) + len(wrong), letters
    assert CANARY not in json.dumps(letters, default=str) + ingest.log.read_text()
    await judged("D3", scene.fleet, scene.ledger, "ingest", began=scene.began, bad=len(letters), named=dict(Counter(named)))


async def test_d6_a_transfer_over_three_agents_in_any_order_is_asked_about_once(scene: Scene) -> None:
    """Attributed to the last human leg."""
    await scene.fleet.start_all("ingest", "scoring")
    rng, ended = random.Random(6), datetime.now(UTC)
    contacts = [scene.ledger.note(_three_agents(number, ended=ended, rng=rng)) for number in range(60)]
    await scene.ledger.publish(record for told in contacts for record in told.records)
    await settle(scene.fleet, scene.ledger, "ingest", "scoring")
    wrong = "select count(*) from (select distinct on (id) payload from ingest.interaction order by id, revision desc) i"
    misattributed = await scene.fleet.count(f"{wrong} where payload->>'agent' <> 'agent-3' or payload->>'transfers' <> '2'")
    assert misattributed == 0
    await judged("D6", scene.fleet, scene.ledger, "ingest", "scoring", began=scene.began, misattributed=misattributed)


async def test_e1_looking_at_a_survey_a_hundred_times_records_nothing(scene: Scene) -> None:
    """As browsers, prefetchers and link scanners do."""
    running = await scene.fleet.start_all("ingest", "scoring")
    await scene.ledger.tell(range(1))
    await settle(scene.fleet, scene.ledger, "ingest", "scoring")
    link = f"{running['scoring'].url}/s/{scene.gateway.delivered[0].body.partition('/s/')[2].split()[0].rstrip('.')}"
    before = await scene.fleet.rows("select * from scoring.survey")
    statuses: Counter[int] = Counter()
    async with httpx.AsyncClient(timeout=30) as client:
        for n in range(100):
            for method, path in (("GET", ""), ("HEAD", ""), ("OPTIONS", ""), ("GET", "?score=9"), ("GET", "/stop")):
                headers = {"purpose": "prefetch", "sec-purpose": "prefetch"} if n % 2 else {"user-agent": "LinkScanner/1.0"}
                statuses[(await client.request(method, link + path, headers=headers)).status_code] += 1
    recorded = await scene.fleet.count("select (select count(*) from scoring.answer) + (select count(*) from scoring.consent)")
    assert await scene.fleet.rows("select * from scoring.survey") == before
    assert not [status for status in statuses if status >= 500]
    told = {"statuses": {str(status): count for status, count in statuses.items()}}
    VERDICTS.say("E1", events=500, lost=0, duplicates={"recorded_by_looking": recorded}, began=scene.began, **told)


async def test_f1_the_same_score_three_times_opens_one_case(scene: Scene) -> None:
    """Under another message id each time, and at another offset."""
    await scene.fleet.start_all("routing")
    answers = [an_answer(2, customer=a_customer()) for _ in range(60)]
    read = "select coalesce(sum(next), 0) from routing.consumer_offset where topic = 'feedback.scored'"
    changes = []
    for times in (1, 2, 3):
        await scene.ledger.publish(scored(each) for each in answers)
        await scene.fleet.until(read, 60 * times)
        changes.append(await scene.fleet.rows("select case_id, revision, change from routing.case_history order by 1, 2"))
    cases = await scene.fleet.count("select count(*) from routing.cases")
    duplicates = {"duplicate_cases": max(0, cases - 60), "duplicate_changes": len(changes[2]) - len(changes[0])}
    VERDICTS.say(
        "F1",
        events=180,
        lost=60 - cases,
        duplicates=duplicates,
        began=scene.began,
        changes=dict(Counter(str(each["change"]) for each in changes[2])),
    )


async def test_h1_a_household_is_nobody_and_its_stop_binds_everybody(scene: Scene) -> None:
    """One number, three members in the directory. A call from it without a member id is nobody's; a STOP from it binds all three."""
    running = await scene.fleet.start_all("ingest", "scoring")
    household, members = person(7).phone, ("H-1", "H-2", "H-3")
    await scene.ledger.publish(_profile(member, household) for member in members)
    await scene.fleet.until("select count(*) from ingest.customer where known", 3)
    await scene.ledger.publish(_call("call-nobody", household, member=None))
    await scene.fleet.until("select count(*) from scoring.decision", 1)
    (nobody,) = await scene.fleet.rows("select outcome, reason from scoring.decision")
    assert (nobody["outcome"], nobody["reason"]) == ("suppressed", "no_customer")
    assert await scene.fleet.count("select count(*) from ingest.interaction where payload->>'no_customer' = 'ambiguous'") == 1
    await scene.ledger.publish([response(SurveyAnswered(answer_id="stop", address=household, channel="sms", text="STOP"))])
    await scene.fleet.until("select count(*) from scoring.consent where state = 'refused'", 1)
    for member in members:
        await scene.ledger.publish(_call(f"call-{member}", household, member=member))
    await scene.fleet.until("select count(*) from scoring.decision", 4)
    await asyncio.sleep(1)
    asked = sum(scene.gateway.asked().values())
    reasons = Counter(
        str(each["reason"]) for each in await scene.fleet.rows("select reason from scoring.decision where customer_id is not null")
    )
    assert sum(reasons.values()) == 3
    assert all(replica.alive for replica in running.values())
    VERDICTS.say(
        "H1", events=12 + len(members) + 1, lost=0, duplicates={"asked_against_their_will": asked}, began=scene.began, reasons=dict(reasons)
    )


def _three_agents(number: int, *, ended: datetime, rng: random.Random) -> Told:
    ref, who, began = f"three-{number}", person(number), ended - timedelta(seconds=300)
    steps = [(leg, event, leg * 90 + after) for leg in range(3) for event, after in (("started", 0), ("connected", 5), ("ended", 85))]
    records = []
    for leg, event, after in steps:
        last = "transferred" if event == "ended" and leg < 2 else event
        said: dict[str, Any] = {
            "id": f"{ref}-{leg}-{event}",
            "account": "three",
            "contact": ref,
            "leg": f"{ref}-{leg}",
            "event": last,
            "at": (began + timedelta(seconds=after)).isoformat(),
            "channel": "phone",
            "direction": "inbound",
            "customer": {"member_id": who.member_id, "phone": who.phone},
        }
        if event == "connected":
            said["agent"] = {"id": f"agent-{leg + 1}", "name": f"Agent {leg + 1}"}
        records.append(Outgoing(PHONE, ref.encode(), json.dumps(said).encode(), ()))
    rng.shuffle(records)
    return Told(number, "native", "three", ref, who.phone, tuple(records))


def _call(ref: str, phone: str, *, member: str | None) -> list[Outgoing]:
    ended = datetime.now(UTC)
    customer = {"phone": phone} | ({"member_id": member} if member else {})
    steps = (("started", 300), ("connected", 280), ("ended", 0))
    said = [
        {
            "id": f"{ref}-{event}",
            "account": "home",
            "contact": ref,
            "event": event,
            "channel": "phone",
            "direction": "inbound",
            "customer": customer,
        }
        | {"at": (ended - timedelta(seconds=ago)).isoformat()}
        | ({"agent": {"id": "agent-1", "name": "Ana"}} if event == "connected" else {})
        for event, ago in steps
    ]
    return [Outgoing(PHONE, ref.encode(), json.dumps(each).encode(), ()) for each in said]


def _profile(member: str, phone: str) -> Outgoing:
    said = {
        "profile_id": f"p-{member}",
        "member_id": member,
        "at": datetime.now(UTC).isoformat(),
        "addresses": [{"kind": "phone", "value": phone}],
    }
    headers = {"ce_specversion": "1.0", "ce_id": f"p-{member}", "ce_source": "/crm", "ce_type": ProfileGiven.TYPE}
    return Outgoing("customers.profiles", member.encode(), json.dumps(said).encode(), tuple((k, v.encode()) for k, v in headers.items()))
