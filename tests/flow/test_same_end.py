"""Whatever order platforms and outsiders speak in, and however often, the product ends in the same state."""

import asyncio
import hashlib
import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from deploy.demo import center
from deploy.demo.emission import Contact
from deploy.demo.people import person
from deploy.demo.stack import Stack, running
from shared.runtime.broker import Outgoing
from shared.schemas import SurveyAnswered

TELLERS = (center.transferred_call, center.chat, center.visit, center.short_call, center.abandoned_call)
CONTACTS = 10

# Ids, times, random draws and the words of a sealed value differ between any two runs; nothing else may.
INTERACTIONS = """
select distinct on (id) root, standing, purpose, episode, payload - array['interaction_id', 'revision', 'received_at', 'customer']
from ingest.interaction order by id, revision desc"""
DECISIONS = """
select ref, kind, outcome, reason, cell, rate, channel, (select jsonb_agg(v -> 0) from jsonb_array_elements(verdicts) v)
from scoring.decision where kind = 'tnps'"""
SURVEYS = """
select s.contact ->> 'ref', s.kind, s.channel, s.state, a.score, a.counted, a.resolved, a.callback from scoring.survey s
left join scoring.feedback a on a.survey_id = s.id where s.kind = 'tnps'"""
CASES = """
select c.state, c.route, c.priority, c.level, c.team, c.reasons, a.score from routing.cases c join routing.answer a on a.case_id = c.id"""
PARTS = {"interactions": INTERACTIONS, "decisions": DECISIONS, "surveys": SURVEYS, "cases": CASES}


def told(ended: datetime) -> list[Contact]:
    return [TELLERS[n % len(TELLERS)](person(n + 1), ended=ended, rng=random.Random(n)) for n in range(CONTACTS)]


def answer(number: int, contact: Contact) -> Outgoing:
    """An outsider's answer that names the contact: unhappy, happy, indifferent in turn."""
    named = {"platform": contact.platform, "account": contact.account, "ref": contact.ref}
    message = {"answer_id": f"answer-{number}", "contact": named, "channel": "sms", "score": (1, 9, 7)[number % 3], "resolved": "no"}
    headers = {"ce_id": f"answer-{number}", "ce_source": "/bridge", "ce_type": SurveyAnswered.TYPE}
    return Outgoing(
        "survey.responses", contact.ref.encode(), json.dumps(message).encode(), tuple((k, v.encode()) for k, v in headers.items())
    )


def events(contacts: Sequence[Contact]) -> list[Outgoing]:
    return [
        Outgoing(e.topic, e.key.encode(), e.value, tuple((name, value.encode()) for name, value in e.headers))
        for contact in contacts
        for e in contact.emissions
    ]


def rows(database: str, sql: str) -> list[str]:
    with psycopg.connect(database.replace("+psycopg", "")) as connection:
        return sorted(json.dumps(row, default=str, sort_keys=True) for row in connection.execute(sql).fetchall())


async def fed(messages: Sequence[Outgoing], *, surveys: int, cases: int) -> dict[str, list[str]]:
    """The product started from nothing, fed, and left alone until everything that was owed is there."""
    async with running("memory") as stack:
        for message in messages:
            await stack.broker.publish([message])
        await _until(stack, cases=cases, surveys=surveys)
        return {name: rows(stack.database_url, sql) for name, sql in PARTS.items()}


async def _until(stack: Stack, *, surveys: int, cases: int) -> None:
    wanted = [
        ("select count(*) from scoring.decision where kind = 'tnps'", CONTACTS),
        ("select count(*) from scoring.feedback where kind = 'tnps'", surveys),
        ("select count(*) from routing.cases", cases),
        ("select count(*) from scoring.survey where kind = 'tnps' and state not in ('sent', 'unsent')", 0),
    ]
    found: dict[str, list[str]] = {}
    for _ in range(300):
        found = {sql: await asyncio.to_thread(rows, stack.database_url, sql) for sql, _ in wanted}
        if found == {sql: [json.dumps([count])] for sql, count in wanted}:
            return
        await asyncio.sleep(0.2)
    raise AssertionError(found)


def digest(found: dict[str, list[str]]) -> str:
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()


@pytest.mark.slow
async def test_events_and_answers_twice_reversed_and_interleaved_end_in_the_same_rows() -> None:
    contacts = told(datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=2))
    asked = [contact for n, contact in enumerate(contacts) if TELLERS[n % len(TELLERS)] in (center.transferred_call, center.short_call)]
    answers = [answer(n, contact) for n, contact in enumerate(asked)]
    straight = [*events(contacts), *answers]
    shuffled = straight * 2
    random.Random(20260302).shuffle(shuffled)
    orders = {"straight": straight, "twice": [*straight, *straight], "reversed": straight[::-1], "interleaved twice": shuffled}
    unhappy = len(asked[::3])

    ends = {name: await fed(order, surveys=len(asked), cases=unhappy) for name, order in orders.items()}

    assert len(ends["straight"]["interactions"]) == CONTACTS
    for name, end in ends.items():
        assert end == ends["straight"], name
    print(json.dumps({name: digest(end) for name, end in ends.items()}))
