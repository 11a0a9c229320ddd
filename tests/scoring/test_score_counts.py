"""However answers come, the kept counts equal a recount of the scores."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from tests.support.listening import Listening, listening, person


@pytest.fixture
async def scoring(scoring_database: str) -> AsyncIterator[Listening]:
    async with listening(scoring_database) as made:
        yield made


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_after_random_answers_changes_and_late_ones_at_once_the_counts_equal_a_recount(scoring: Listening, seed: int) -> None:
    chance = random.Random(seed)
    people = [
        person(number, at=f"+1202555{140 + number:04}", number=number, segment=chance.choice(["family", "individual"]))
        for number in range(1, 9)
    ]
    tokens = [await scoring.asked(who, team=chance.choice(["birch", "cedar"]), moment=chance.choice(["payment", None])) for who in people]
    for token in chance.sample(tokens, 2):
        await scoring.pass_time_of(token, days=chance.choice([1, 8]))

    async def answer(number: int) -> None:
        at = chance.randrange(len(tokens))
        score, revision = chance.randrange(11), chance.randrange(3)
        if number % 4:
            await scoring.post(f"/s/{tokens[at]}", score=score, revision=revision)
        else:
            await scoring.sms(str(score), sender=f"+1202555{141 + at:04}", message_id=f"SM{number}")

    for _ in range(4):
        await asyncio.gather(*(answer(number) for number in range(20)))

    assert await scoring.counts_are_right()
    revisions: dict[object, list[int]] = {}
    for told in await scoring.told():
        revisions.setdefault(told.survey_id, []).append(told.revision)
    assert all(given == list(range(1, len(given) + 1)) for given in revisions.values()), (
        "per survey, revisions leave in order without a gap"
    )
