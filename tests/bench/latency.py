"""From the message that a contact is over to its decision, while contacts end at a steady rate."""

import asyncio
import time
from collections.abc import Callable, Sequence

import jiter

from shared.runtime.broker import Broker
from tests.bench.goals import Figure, Goal, percentile
from tests.bench.load import SCORING
from tests.bench.plan import Plan
from tests.bench.rounds import seeded
from tests.bench.servers import Servers
from tests.bench.stage import ASKING, Meter, offer, put, stage

GOAL_S = Goal(2, at_most=True)
WARM = 200


class Missing(AssertionError):
    def __init__(self, what: str, missing: int) -> None:
        super().__init__(f"{missing} {what} never came")


def over_to_decision(servers: Servers, plan: Plan, said: Callable[[str], None]) -> list[Figure]:
    events = plan.per_second * plan.seconds
    waits = asyncio.run(_waits(servers, seeded(servers, "scoring", events=events), plan))
    said(f"decisions: {len(waits):,} at {plan.per_second:,}/s")
    facts = {"per_second": plan.per_second, "events": events, "p50_ms": round(percentile(waits, 0.5) * 1e3)}
    meaning = f"from when a contact's message was due, {plan.per_second:,} a second, to its decision as a reader of the topic gets it"
    return [Figure("over to decision p99", percentile(waits, 0.99), "s", GOAL_S, meaning, facts)]


async def _waits(servers: Servers, url: str, plan: Plan) -> list[float]:
    records = list(SCORING.records(WARM + plan.per_second * plan.seconds))
    async with stage(servers, url, "scoring", settings=ASKING) as fleet:
        await (await fleet.start("scoring")).ready()
        broker, heard = fleet.broker(), Heard()
        listening = asyncio.create_task(heard.listen(broker))
        await Meter(fleet, "scoring", SCORING.topic).shared_by(1)
        await put(broker, records[:WARM])
        await heard.some(WARM)
        due = await offer(broker, records[WARM:], per_second=plan.per_second)
        await heard.some(len(records))
        listening.cancel()
        await broker.stop()
    return heard.after([jiter.from_json(each.value or b"")["interaction_id"] for each in records[WARM:]], due)


class Heard:
    """When each interaction's decision came in from its topic."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}

    async def listen(self, broker: Broker) -> None:
        async for record in broker.tail(SCORING.owes):
            self.at.setdefault(jiter.from_json(record.value or b"")["anchor"], time.time())

    async def some(self, count: int, *, within: float = 60) -> None:
        try:
            async with asyncio.timeout(within):
                while len(self.at) < count:  # noqa: ASYNC110  # another task fills it
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise Missing("decisions", count - len(self.at)) from None

    def after(self, interactions: Sequence[str], due: Sequence[float]) -> list[float]:
        return [self.at[interaction] - at for interaction, at in zip(interactions, due, strict=True)]
