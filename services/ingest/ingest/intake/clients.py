"""What taking webhooks calls outside: Amazon SNS, for the certificates it signs by and to confirm a subscription."""

import asyncio
import time
from collections import OrderedDict
from typing import Protocol, TypeVar

from ingest.intake.signatures.posted import Untrusted
from shared.runtime.keys import Budget
from shared.runtime.outbound import NoReply, Reply

MOST_KEPT = 32
TIMEOUT_S = 5.0
Kept = TypeVar("Kept")


class Calls(Protocol):
    """The guarded client."""

    async def request(self, method: str, url: str, *, timeout: float) -> Reply: ...  # noqa: ASYNC109  # of the whole call


class AmazonAway(Exception):
    """SNS did not answer: the message may be genuine, and is welcome later."""

    def __init__(self) -> None:
        super().__init__("Amazon SNS did not answer")


class AmazonSns:
    """A certificate is kept by its address, and so is that there is none: forged messages cannot have us ask without end.

    What is new is asked for at most once a second; certificates are not forgotten for what was forged.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._found: OrderedDict[str, bytes] = OrderedDict()
        self._missing: OrderedDict[str, None] = OrderedDict()
        self._fetches = Budget(1.0)
        self._one_at_a_time = asyncio.Lock()

    async def certificate(self, url: str) -> bytes:
        """PEM. Raises `Untrusted` where there is none at this address, `AmazonAway` where nobody can say."""
        if url not in self._found:
            async with self._one_at_a_time:
                await self._look_for(url)
        if url in self._missing:
            raise Untrusted("certificate")
        return self._found[url]

    async def confirm(self, url: str) -> None:
        """Raises `AmazonAway` where the subscription is not confirmed."""
        if (await self._call(url)).status != 200:
            raise AmazonAway

    async def _look_for(self, url: str) -> None:
        if url in self._found or url in self._missing:
            return
        if not self._fetches.take("certificates", at=time.monotonic()):
            raise AmazonAway
        reply = await self._call(url)
        if reply.status >= 500 or reply.status == 429:
            raise AmazonAway
        if reply.status == 200:
            _keep(self._found, url, reply.body)
        else:
            _keep(self._missing, url, None)

    async def _call(self, url: str) -> Reply:
        try:
            return await self._calls.request("GET", url, timeout=TIMEOUT_S)
        except NoReply:
            raise AmazonAway from None


def _keep(kept: OrderedDict[str, Kept], url: str, what: Kept) -> None:
    kept[url] = what
    if len(kept) > MOST_KEPT:
        kept.popitem(last=False)
