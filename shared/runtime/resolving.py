"""What an admin does with one dead letter: look (masked), replay as it is or mended, discard; and let a stopped topic go on."""

import json
import re
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from shared.runtime import dead_letters
from shared.runtime.audit import Actor, audit
from shared.runtime.clearing import Outcome, Replays, hand_in
from shared.runtime.database import Unit, rows, run
from shared.runtime.sealing import Sealer

_MASK = "•••"
_DEEPEST = 50
_UNOPENED = "sealed with a key that is not here: add it to AFTERCALL_SEAL_KEYS, after the first"
_FIELD = re.compile(r"[A-Za-z_$][A-Za-z_$.:/-]*(?:\d{1,4}[A-Za-z_$.:/-]+)*\d{0,4}")


class Look(BaseModel):
    """Keys and types of the body, values masked; `size` in bytes."""

    reason: str
    path: str | None
    state: str
    headers: list[str]
    size: int
    body: Any


async def look_at(unit: Unit, letter: UUID, sealer: Sealer, *, who: Actor) -> Look | None:
    """Masked, and still written to the audit log."""
    found = await dead_letters.body(unit.tx, letter, sealer)
    if found is None:
        return None
    await audit(unit.tx, who, "dead-letter.look", subject=letter)
    kept, body = found
    shown = {"size": len(body), "body": _masked_body(body)} if body is not None else {"size": 0, "body": _UNOPENED}
    names = [name for name, _ in kept["headers"]]
    return Look(reason=kept["reason"], path=kept["path"], state=kept["state"], headers=names, **shown)


async def replay_one(replays: Replays, letter: UUID, mended: str | None, *, who: Actor) -> Outcome | None:
    """Hand the message in again, or the mended one. What is settled already stays so; None where there is no such letter."""
    async with replays.database.transaction() as unit:
        found = await dead_letters.body(unit.tx, letter, replays.sealer)
        if found is None:
            return None
        await audit(unit.tx, who, "dead-letter.replay", subject=letter, detail={"mended": mended is not None})
    kept, body = found
    if kept["state"] != "waiting":
        return Outcome(taken=kept["state"] == "replayed", reason=kept["state"])
    outcome = await hand_in(replays, kept, mended.encode() if mended is not None else body)
    if outcome.taken:
        async with replays.database.transaction() as unit:
            await dead_letters.settle(unit.tx, letter, state="replayed")
    return outcome


async def discard_one(unit: Unit, letter: UUID, *, reason: str, who: Actor) -> str | None:
    """Its state: discarded, or replayed where that came first."""
    state = await dead_letters.state(unit.tx, letter)
    if state != "waiting":
        return state
    await dead_letters.settle(unit.tx, letter, state="discarded")
    await audit(unit.tx, who, "dead-letter.discard", subject=letter, detail={"reason": reason})
    return "discarded"


async def resume_topic(unit: Unit, topic: str, *, who: Actor) -> bool:
    """Was it stopped?"""
    if not await run(unit.tx, "delete from topic_cap where topic = :topic", topic=topic):
        return False
    await audit(unit.tx, who, "dead-letters.resume", subject=topic)
    return True


async def stopped_topics(unit: Unit) -> list[str]:
    return [each["topic"] for each in await rows(unit.tx, "select topic from topic_cap order by topic")]


def _masked_body(body: bytes) -> Any:
    try:
        return masked(json.loads(body))
    except (ValueError, RecursionError):
        return f"{len(body)} bytes that are not JSON"


def masked(value: Any, depth: int = 0) -> Any:
    """The tree of a JSON value: names of fields stay, values become their type; a key that may be somebody's data is masked too."""
    if depth > _DEEPEST:
        return _MASK
    if isinstance(value, dict):
        return {_name(key, place): masked(each, depth + 1) for place, (key, each) in enumerate(value.items(), start=1)}
    if isinstance(value, list):
        return [masked(each, depth + 1) for each in value]
    return None if value is None else f"{_MASK} ({type(value).__name__})"


def _name(key: str, place: int) -> str:
    return key if _FIELD.fullmatch(key) else f"{_MASK} {place}"
