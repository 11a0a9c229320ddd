"""One recovery survey per case, two weeks after its opening answer."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.schemas import CallbackChanged
from tests.support.asking import Scoring, case, completed, customer


@pytest.fixture
async def scoring(scoring_database: str) -> AsyncIterator[Scoring]:
    made = Scoring(scoring_database)
    yield made
    await made.close()


@dataclass(frozen=True)
class Opened:
    """A case opened by the answer to a sent survey."""

    case_id: UUID
    message: CallbackChanged


async def opened(scoring: Scoring, **changes: Any) -> Opened:
    await scoring.deliver(completed(customer()))
    await scoring.send()
    (survey,) = await scoring.rows("select * from survey where kind = 'tnps'")
    message = case("open", revision=1, survey_ids=[survey["id"]], **changes)
    await scoring.deliver(message)
    return Opened(message.case_id, message)


async def test_a_case_gets_one_recovery_survey_two_weeks_after_its_opening_answer(scoring: Scoring) -> None:
    made = await opened(scoring)
    assert await scoring.turn("recovery decisions") == 0
    (callback,) = await scoring.rows("select * from callback")
    assert callback["recovery_due"] == callback["answered_at"] + timedelta(days=14)

    await scoring.move("callback", "recovery_due", seconds=15 * 86_400)
    assert await scoring.turn("recovery decisions") == 1
    assert await scoring.turn("recovery decisions") == 0
    await scoring.send()

    (survey,) = await scoring.rows("select * from survey where kind = 'recovery'")
    assert (survey["anchor"], survey["state"], survey["policy_version"]) == (made.case_id, "sent", 2)
    assert survey["contact"]["team"] == "birch"
    assert len(scoring.gateway.delivered) == 2
    assert scoring.gateway.delivered[0].body != scoring.gateway.delivered[1].body


async def test_a_held_out_case_is_asked_too_and_a_later_revision_asks_no_second_time(scoring: Scoring) -> None:
    made = await opened(scoring, route="hold_out", arm="hold_out")
    await scoring.move("callback", "recovery_due", seconds=15 * 86_400)
    await scoring.turn("recovery decisions")

    await scoring.deliver(made.message.model_copy(update={"revision": 2, "state": "closed"}))

    assert await scoring.turn("recovery decisions") == 0
    assert len(await scoring.rows("select 1 from survey where kind = 'recovery'")) == 1


async def test_a_case_opened_by_a_recovery_answer_gets_no_recovery_survey(scoring: Scoring) -> None:
    await opened(scoring)
    await scoring.move("callback", "recovery_due", seconds=15 * 86_400)
    await scoring.turn("recovery decisions")
    (recovery,) = await scoring.rows("select id from survey where kind = 'recovery'")

    await scoring.deliver(case("open", revision=1, case_id=uuid4(), survey_ids=[recovery["id"]]))

    assert len(await scoring.rows("select 1 from callback where recovery_due is not null")) == 0


async def test_a_merged_case_is_not_asked_about(scoring: Scoring) -> None:
    made = await opened(scoring)

    await scoring.deliver(made.message.model_copy(update={"revision": 2, "state": "merged"}))

    assert await scoring.rows("select 1 from callback where recovery_due is not null") == []
