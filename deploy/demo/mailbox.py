"""What the development inbox was given, read on from where the last look ended."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

CHANNELS = {"sms": "SMS", "email": "e-mail"}


@dataclass(frozen=True, slots=True)
class Bubble:
    """One message as a phone shows it; `link` is cut out of its words so that it can be pressed."""

    at: datetime
    channel: str
    subject: str | None
    before: str
    link: str | None
    after: str

    @property
    def clock(self) -> str:
        return self.at.astimezone().strftime("Today %H:%M")


@dataclass(slots=True)
class Mailbox:
    """`url` is scoring's inbox; the client carries a session that may read it."""

    client: httpx.AsyncClient
    url: str
    _by_address: dict[str, list[Bubble]] = field(default_factory=dict)
    _newest: str | None = None

    async def to(self, *addresses: str) -> list[Bubble]:
        """Everything sent to these addresses, oldest first."""
        await self._read_on()
        return sorted((bubble for address in addresses for bubble in self._by_address.get(address, ())), key=lambda bubble: bubble.at)

    async def _read_on(self) -> None:
        fresh = await self._unread()
        for message in fresh:
            self._by_address.setdefault(message["to"], []).append(_bubble(message))
        self._newest = fresh[0]["id"] if fresh else self._newest

    async def _unread(self) -> list[Mapping[str, Any]]:
        """The newest first, down to the one that was the newest last time."""
        found: list[Mapping[str, Any]] = []
        before: dict[str, str] = {}
        while True:
            answer = await self.client.get(self.url, params={"limit": "100", **before})
            answer.raise_for_status()
            page = answer.json()
            for message in page["messages"]:
                if message["id"] == self._newest:
                    return found
                found.append(message)
            if "next" not in page:
                return found
            before = {"before": page["next"]}


def _bubble(message: Mapping[str, Any]) -> Bubble:
    before, link, after = cut(message["body"])
    channel = CHANNELS.get(message["channel"], message["channel"])
    return Bubble(datetime.fromisoformat(message["received_at"]), channel, message.get("subject"), before, link, after)


def cut(body: str) -> tuple[str, str | None, str]:
    """The words before the survey's address, the address, the words after it."""
    found = re.search(r"https?://\S+/s/[\w-]+", body)
    return (body[: found.start()], found[0], body[found.end() :]) if found else (body, None, "")
