"""What two replicas, two people or a hundred requests do at the same moment, on the real services."""

import asyncio
import json
from collections import Counter
from uuid import uuid4

import httpx
import pytest

from deploy.demo.forms import visit
from deploy.demo.people import person
from shared.runtime.broker import Outgoing
from shared.schemas import SurveyAnswered
from tests.support.cases import a_customer, an_answer
from tests.support.checking import settle
from tests.support.fleet import POLICIES
from tests.support.ledger import native_of, response, scored
from tests.support.outsiders import cookie
from tests.support.scene import Scene
from tests.support.verdicts import VERDICTS
from tests.support.whole import read_all

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.slow]

CUSTOMERS = 40


async def test_d7_five_contacts_of_one_customer_at_once_on_two_replicas_are_asked_about_once(scene: Scene) -> None:
    """Ingest tells of all under the customer's key; here each is told again under a key of its own, so that both replicas have some."""
    await scene.fleet.start("ingest")
    told = [scene.ledger.note(native_of(who, ref=f"call-{who}-{n}", number=who * 5 + n)) for who in range(CUSTOMERS) for n in range(5)]
    await scene.ledger.publish(record for each in told for record in each.records)
    await settle(scene.fleet, scene.ledger, "ingest")
    wire = await read_all(scene.ledger.broker, "interactions.completed")
    scene.fleet.prefix = await scene.another_prefix()
    await asyncio.gather(*(replica.ready() for replica in [await scene.fleet.start("scoring"), await scene.fleet.start("scoring")]))
    await scene.both_have_partitions("scoring", "interactions.completed")
    again = scene.fleet.broker()
    await again.publish([Outgoing(each.topic, uuid4().bytes, each.value, _kept(each.headers)) for each in wire])
    await again.stop()
    await scene.fleet.until("select count(*) from scoring.decision where kind = 'tnps'", len(told))
    await scene.fleet.until("select count(*) from scoring.survey where state = 'sent'", CUSTOMERS)
    reasons = Counter(str(each["reason"]) for each in await scene.fleet.rows("select reason from scoring.decision"))
    assert reasons["eligible"] == CUSTOMERS
    asked = scene.gateway.asked()
    VERDICTS.say(
        "D7",
        events=scene.ledger.events,
        lost=CUSTOMERS - len(asked),
        duplicates={"duplicate_surveys": sum(asked.values()) - len(asked)},
        began=scene.began,
        customers=CUSTOMERS,
        contacts=len(told),
    )


async def test_d8_who_opts_out_between_decision_and_send_is_not_asked(scene: Scene) -> None:
    """Every other customer says STOP while the survey waits for its moment; the moment is then moved to now."""
    waiting = {**POLICIES["tnps"], "delay_s": {"sms": 3_600, "email": 3_600, "chat": 3_600}}
    scene.fleet.variables["SCORING_FIRST_POLICIES"] = json.dumps({**POLICIES, "tnps": waiting})
    await scene.fleet.start_all("ingest", "scoring")
    await scene.ledger.tell(range(100))
    await scene.fleet.until("select count(*) from scoring.survey where state = 'planned'", 100)
    stopping = [number for number in range(100) if number % 2]
    said = [SurveyAnswered(answer_id=f"stop-{n}", address=person(n).phone, channel="sms", text="Please stop") for n in stopping]
    await scene.ledger.publish(response(each) for each in said)
    await scene.fleet.until("select count(*) from scoring.consent where state = 'refused'", len(stopping))
    await scene.fleet.run("update scoring.survey set send_at = now(), due = now() where state = 'planned'")
    await scene.fleet.until("select count(*) from scoring.survey where state in ('sent', 'unsent')", 100)
    asked = scene.gateway.asked()
    against_their_will = sum(asked[person(n).phone] for n in stopping)
    assert against_their_will == 0
    VERDICTS.say(
        "D8",
        events=scene.ledger.events + len(said),
        lost=100 - len(stopping) - len(asked),
        duplicates={"duplicate_surveys": sum(asked.values()) - len(asked)},
        began=scene.began,
        opted_out=len(stopping),
        asked_against_their_will=against_their_will,
    )


async def test_e2_a_hundred_first_answers_at_once_on_one_token_leave_one_score(scene: Scene) -> None:
    """Two replicas serve the page. Every request gets a page; the ones that were not first see what is stored."""
    await scene.fleet.start("ingest")
    replicas = [await scene.fleet.start("scoring"), await scene.fleet.start("scoring")]
    await asyncio.gather(*(replica.ready() for replica in replicas))
    await scene.ledger.tell(range(1))
    await settle(scene.fleet, scene.ledger, "ingest", "scoring")
    link = scene.gateway.delivered[0].body.partition("/s/")[2].split()[0].rstrip(".")
    limits = httpx.Limits(max_connections=40)
    async with httpx.AsyncClient(follow_redirects=True, timeout=60, limits=limits) as client:
        pages = [await visit(client, f"{replica.url}/s/{link}") for replica in replicas]
        forms = [page.form("score") for page in pages]
        shown = await asyncio.gather(*(pages[n % 2].send(forms[n % 2], score=str(n % 11)) for n in range(100)))
    stored = await scene.fleet.rows("select score, revision, published from scoring.feedback")
    became = Counter(str(each["became"]) for each in await scene.fleet.rows("select became from scoring.answer"))
    (only,) = stored
    assert (only["revision"], only["published"]) == (1, 1)
    assert became["first"] == 1
    assert became["amended"] == 0
    assert len(shown) == 100
    await scene.fleet.until("select count(*) from scoring.outbox", 0)
    published = await read_all(scene.ledger.broker, "feedback.scored")
    VERDICTS.say(
        "E2",
        events=100,
        lost=0,
        duplicates={"duplicate_scores": len(stored) - 1, "duplicate_messages": len(published) - 1},
        began=scene.began,
        became=dict(became),
    )


async def test_f6_of_two_supervisors_who_claim_at_once_one_wins_and_the_other_sees_who(scene: Scene) -> None:
    replicas = [await scene.fleet.start("routing"), await scene.fleet.start("routing")]
    await asyncio.gather(*(replica.ready() for replica in replicas))
    await scene.ledger.publish(scored(an_answer(2, customer=a_customer())) for _ in range(20))
    await scene.fleet.until("select count(*) from routing.cases", 20)
    cookies = {ref: cookie(scene.fleet, ref, role="supervisor") for ref in ("ana", "maria")}
    winners: Counter[str] = Counter()
    async with httpx.AsyncClient(timeout=30) as client:
        for case in await scene.fleet.rows("select number, revision from routing.cases order by number"):
            tries = [
                client.post(
                    f"{replica.url}/v1/cases/{case['number']}/claim",
                    json={"revision": case["revision"]},
                    headers={"cookie": cookies[ref], "origin": replica.url},
                )
                for replica, ref in zip(replicas, cookies, strict=True)
            ]
            answers = dict(zip(cookies, await asyncio.gather(*tries), strict=True))
            won = [ref for ref, answer in answers.items() if answer.status_code == 200]
            refused = [answer for answer in answers.values() if answer.status_code == 409]
            assert (len(won), len(refused)) == (1, 1), [answer.text for answer in answers.values()]
            assert refused[0].json()["by"] == won[0].title()
            assert refused[0].json()["at"]
            winners[won[0]] += 1
    owners = await scene.fleet.count("select count(*) from routing.cases where owner is not null and state = 'assigned'")
    claims = await scene.fleet.count("select count(*) from routing.case_history where change = 'assigned'")
    VERDICTS.say("F6", events=40, lost=20 - owners, duplicates={"duplicate_claims": claims - 20}, began=scene.began, winners=dict(winners))


async def test_h7_two_unhappy_answers_of_one_customer_on_two_replicas_share_one_case(scene: Scene) -> None:
    """Each answer under a key of its own, so that both replicas have some."""
    await asyncio.gather(*(replica.ready() for replica in [await scene.fleet.start("routing"), await scene.fleet.start("routing")]))
    await scene.both_have_partitions("routing", "feedback.scored")
    customers = [a_customer() for _ in range(CUSTOMERS)]
    await scene.ledger.publish(scored(an_answer(score, customer=who)) for score in (1, 3) for who in customers)
    await scene.fleet.until("select count(*) from routing.answer where case_id is not null", 2 * CUSTOMERS)
    cases = await scene.fleet.rows(
        "select customer_id, count(*) as n, sum(jsonb_array_length(survey_ids)) as answers from routing.cases group by 1"
    )
    assert {int(str(each["answers"])) for each in cases} == {2}
    VERDICTS.say(
        "H7",
        events=2 * CUSTOMERS,
        lost=CUSTOMERS - len(cases),
        duplicates={"duplicate_cases": sum(int(str(each["n"])) - 1 for each in cases)},
        began=scene.began,
        customers=CUSTOMERS,
    )


def _kept(headers: tuple[tuple[str, bytes | None], ...]) -> tuple[tuple[str, bytes], ...]:
    return tuple((name, value or b"") for name, value in headers)
