"""What falls due, on real services that restart: once, soon, and not while it is held back."""

import asyncio
import json
import time
from datetime import UTC, datetime

import httpx
import pytest

from tests.support.cases import a_customer, an_answer
from tests.support.checking import settle
from tests.support.fleet import POLICIES, Replica
from tests.support.ledger import scored
from tests.support.outsiders import cookie
from tests.support.scene import Scene
from tests.support.verdicts import VERDICTS

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.slow]

DUE = 1_000
_ESCALATED = "select count({}) from routing.case_history where change = 'escalated'"


async def test_f7_timers_of_two_replicas_that_restart_fire_once(scene: Scene) -> None:
    """A thousand cases fall due while no replica runs. Of the two that start, one is killed in the middle of it and starts again."""
    (alone,) = (await scene.fleet.start_all("routing")).values()
    now = datetime.now(UTC)
    await scene.ledger.publish(scored(an_answer(2, customer=a_customer(), answered_at=now)) for _ in range(DUE))
    await scene.fleet.until("select count(*) from routing.cases where overdue_on is not null", DUE)
    await alone.kill()
    assert await scene.fleet.count(_ESCALATED.format("*")) == 0
    await scene.fleet.run("update routing.cases set overdue_on = now()")
    first, second = await scene.fleet.start("routing"), await scene.fleet.start("routing")
    await scene.fleet.until(f"select least(1, ({_ESCALATED.format('*')}))", 1)
    began = time.monotonic()
    await first.kill()
    scene.fleet.kills += 2
    await (await scene.fleet.start("routing")).ready()
    await scene.fleet.until("select count(*) from routing.cases where overdue", DUE, seconds=25)
    late = round(time.monotonic() - began, 1)
    assert second.alive
    fired, cases = await scene.fleet.count(_ESCALATED.format("*")), await scene.fleet.count(_ESCALATED.format("distinct case_id"))
    told = {"kills": scene.fleet.kills, "all_done_after_s": late}
    VERDICTS.say("F7", events=DUE, lost=DUE - cases, duplicates={"fired_again": fired - cases}, began=scene.began, **told)


async def test_h10_while_sending_is_paused_nothing_leaves_and_afterwards_everything_once(scene: Scene) -> None:
    """Paused in the middle of sending a thousand, with a replica killed and started again meanwhile."""
    waiting = {**POLICIES["tnps"], "delay_s": {"sms": 3_600, "email": 3_600, "chat": 3_600}}
    scene.fleet.variables["SCORING_FIRST_POLICIES"] = json.dumps({**POLICIES, "tnps": waiting})
    running = await scene.fleet.start_all("ingest", "scoring")
    await scene.ledger.tell(range(DUE))
    await scene.fleet.until("select count(*) from scoring.survey where state = 'planned'", DUE)
    await scene.fleet.run("update scoring.survey set send_at = now(), due = now() where state = 'planned'")
    await scene.fleet.until("select least(10, count(*)) from scoring.survey where state = 'sent'", 10)
    await _ask(scene, running["scoring"], "pause")
    await asyncio.sleep(1)
    left, paused = len(scene.gateway.received), time.monotonic()
    await running["scoring"].kill()
    scoring = await (await scene.fleet.start("scoring")).ready()
    while time.monotonic() - paused < 10:
        assert len(scene.gateway.received) == left
        await asyncio.sleep(0.5)
    assert left < DUE
    await _ask(scene, scoring, "resume")
    await settle(scene.fleet, scene.ledger, "ingest", "scoring")
    asked = scene.gateway.asked()
    VERDICTS.say(
        "H10",
        events=scene.ledger.events,
        lost=DUE - len(asked),
        duplicates={"duplicate_surveys": sum(asked.values()) - len(asked)},
        began=scene.began,
        left_before_the_pause=left,
    )


async def _ask(scene: Scene, scoring: Replica, what: str) -> None:
    headers = {"cookie": cookie(scene.fleet, "admin", role="admin"), "origin": scoring.url}
    async with httpx.AsyncClient(timeout=30) as client:
        answer = await client.post(f"{scoring.url}/v1/sending/{what}", json={"scope": "all"}, headers=headers)
    assert answer.status_code == 200, answer.text
