"""The whole service over the in-memory broker: an answer comes in by topic, its case goes out by topic."""

import asyncio
import json
from uuid import uuid4

from deploy.guardian import free_ports
from routing.app import build
from routing.settings import Settings
from shared.runtime.broker import Outgoing
from shared.runtime.memory import MemoryBroker
from shared.runtime.process import serve
from shared.schemas import Message
from shared.topics import DEAD_TOPICS, TOPICS
from tests.support.cases import a_customer, an_answer
from tests.support.whole import read_all

WITHIN_S = 20.0


async def test_an_answer_on_the_topic_becomes_a_case_on_the_topic(routing_database: str) -> None:
    broker = MemoryBroker()
    await broker.create([*TOPICS.values(), *DEAD_TOPICS.values()])
    public, internal = free_ports(2)
    service = build(Settings(database_url=routing_database, public_port=public, internal_port=internal), broker=broker)
    stop = asyncio.Event()
    serving = asyncio.create_task(serve([service], stop=stop))
    try:
        answer = an_answer(2, customer=a_customer())
        await broker.publish([_outgoing("feedback.scored", answer, key=str(answer.survey_id))] * 2)
        changed = await _eventually(broker, "callbacks.changed")
        asked = await _eventually(broker, "callbacks.requested")
    finally:
        stop.set()
        code = await serving

    assert code == 0
    assert [(each["change"], each["survey_ids"]) for each in changed] == [("opened", [str(answer.survey_id)])]
    assert [(each["standing"], each["case_id"]) for each in asked] == [("wanted", changed[0]["case_id"])]


async def _told(broker: MemoryBroker, topic: str) -> list[dict[str, object]]:
    return [json.loads(record.value or b"") for record in await read_all(broker, topic)]


async def _eventually(broker: MemoryBroker, topic: str) -> list[dict[str, object]]:
    """What is on the topic once something is."""
    async with asyncio.timeout(WITHIN_S), broker.appended:
        await broker.appended.wait_for(lambda: any(log for (name, _), log in broker.logs.items() if name == topic))
    return await _told(broker, topic)


def _outgoing(topic: str, message: Message, *, key: str) -> Outgoing:
    headers = {"ce_id": str(uuid4()), "ce_type": message.TYPE, "ce_source": "/aftercall/scoring", "content-type": "application/json"}
    return Outgoing(topic, key.encode(), message.encode(), tuple((name, value.encode()) for name, value in headers.items()))
