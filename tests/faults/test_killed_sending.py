"""Scoring killed after a gateway took an invitation and before that was stored: what customers got, by the gateway's own log."""

import asyncio
import json
import os
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import pytest

from tests.support.asking import KEYS, PEPPER, Scoring, completed, customer, phone
from tests.support.verdicts import VERDICTS
from tests.support.wire import Wire, answers, wire

pytestmark = [pytest.mark.fault, pytest.mark.short]

SURVEYS = int(os.environ.get("FAULT_SURVEYS", "60"))
OK = b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\n{}"


@dataclass
class Ledger:
    """`calls` are the keys the gateway was called with, in order; `began` by the monotonic clock."""

    url: str
    gateway: Wire
    keeps_keys: bool
    kills: int = 0
    began: float = field(default_factory=time.monotonic)

    @property
    def calls(self) -> Counter[str]:
        found = (re.search(rb"idempotency-key: ([\w-]+)", request) for request in self.gateway.received)
        return Counter(match[1].decode() for match in found if match)

    @asynccontextmanager
    async def process(self, failpoints: str = "") -> AsyncIterator[asyncio.subprocess.Process]:
        environment = {
            **os.environ,
            "AFTERCALL_FAILPOINTS": failpoints,
            "AFTERCALL_DATABASE_URL": self.url,
            "AFTERCALL_BROKER": "memory",
            "AFTERCALL_SEAL_KEYS": KEYS,
            "AFTERCALL_PEPPER": PEPPER,
            "AFTERCALL_OUTBOUND_ALLOW": self.gateway.host,
            "AFTERCALL_TIMER_INTERVAL": "0.1",
            "AFTERCALL_LOG_LEVEL": "ERROR",
            "SCORING_PUBLIC_PORT": "0",
            "SCORING_INTERNAL_PORT": "0",
            "SCORING_GATEWAYS": json.dumps({"sms": "webhook"}),
            "SCORING_WEBHOOK_URL": self.gateway.url,
            "SCORING_WEBHOOK_KEEPS_KEYS": str(self.keeps_keys),
            "SCORING_GATEWAY_TIMEOUT_S": "1",
            "SCORING_SEND_LEASE_S": "2",
            "SCORING_SEND_WAITS_S": json.dumps([0.1] * 20),
        }
        started = await asyncio.create_subprocess_exec(sys.executable, "-m", "scoring", "run", env=environment)
        try:
            yield started
        finally:
            if started.returncode is None:
                started.kill()
                await started.wait()

    async def die(self, *, times: int) -> None:
        for _ in range(times):
            async with self.process("scoring.after_gateway_accepted=kill@3") as process:
                assert await asyncio.wait_for(process.wait(), 60) == -signal.SIGKILL
                self.kills += 1

    async def finish(self, scoring: Scoring) -> Counter[str]:
        """A process nobody kills does the rest; how many surveys ended in which state."""
        async with self.process() as process:
            async with asyncio.timeout(60):
                await settled(scoring)
            process.terminate()
            assert await asyncio.wait_for(process.wait(), 30) == 0
        return Counter(each["state"] for each in await scoring.surveys())

    def tell(self, states: Counter[str]) -> None:
        """A survey is lost that is in no final state. A gateway that keeps keys delivers a second call under a key to nobody."""
        calls = self.calls
        again = sum(count - 1 for count in calls.values())
        VERDICTS.say(
            "A5",
            events=SURVEYS,
            lost=SURVEYS - states["sent"] - states["unknown"],
            duplicates={"duplicate_messages": 0 if self.keeps_keys else again},
            began=self.began,
            mode="keys, without Kafka" if self.keeps_keys else "no keys, without Kafka",
            kills=self.kills,
            calls=sum(calls.values()),
            keys=len(calls),
            called_again=again,
            never_called=SURVEYS - len(calls),
            **states,
        )


async def settled(scoring: Scoring) -> None:
    """Wait until nothing is due and no lease runs."""
    while True:
        if not await scoring.rows("select 1 from survey where due is not null or lease_until is not null"):
            return
        await asyncio.sleep(0.2)


@asynccontextmanager
async def ledger(url: str, *, keeps_keys: bool) -> AsyncIterator[tuple[Ledger, Scoring]]:
    scoring = Scoring(url)
    people = [customer(customer_id=uuid4(), points=(phone(f"p{n}"),)) for n in range(SURVEYS)]
    await scoring.deliver(*(completed(person, point_ref=person.points[0].ref) for person in people))
    async with wire(answers(OK)) as gateway:
        yield Ledger(url, gateway, keeps_keys), scoring
    await scoring.close()


async def test_a5_a_gateway_that_keeps_keys_delivers_every_invitation_once(scoring_database: str) -> None:
    async with ledger(scoring_database, keeps_keys=True) as (made, scoring):
        await made.die(times=3)
        states = await made.finish(scoring)
        made.tell(states)

    assert states == {"sent": SURVEYS}
    assert len(made.calls) == SURVEYS, "every survey reached the gateway, under one key each"


async def test_a5_a_gateway_without_keys_is_never_called_twice_and_what_is_unknown_is_seen(scoring_database: str) -> None:
    async with ledger(scoring_database, keeps_keys=False) as (made, scoring):
        await made.die(times=3)
        states = await made.finish(scoring)
        made.tell(states)

    assert max(made.calls.values()) == 1
    assert states["unknown"] >= made.kills
    assert states["sent"] + states["unknown"] == SURVEYS
