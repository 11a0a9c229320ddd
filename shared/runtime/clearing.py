"""Dead letters taken up again: one by one, or many as a run. A run is a row, so it outlives the process that began it."""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.runtime import dead_letters
from shared.runtime.applying import Apply
from shared.runtime.audit import Actor, audit
from shared.runtime.causes import Cause
from shared.runtime.database import Database, Unit, as_json, row, rows, run
from shared.runtime.errors import Unprocessable
from shared.runtime.patience import Patience, Stopped, passing
from shared.runtime.sealing import Sealer

log = logging.getLogger("aftercall.clearing")

Action = Literal["replay", "discard"]
STEP = 20
WHOLE = "cause"

_OF_RUN = """
state = 'waiting' and topic = :topic and reason = :reason and coalesce(path, '') = :path
  and (cast(:chosen as jsonb) is null or cast(:chosen as jsonb) ? cast(id as text))"""
_BEGIN = f"""
insert into dead_letter_run (action, topic, reason, path, scope, chosen, note, by_kind, by_ref, total)
select :action, :topic, :reason, :path, :scope, cast(:chosen as jsonb), :note, :by_kind, :by_ref,
  (select count(*) from dead_letter where {_OF_RUN})
on conflict (action, topic, reason, path, scope) where finished is null do update set action = excluded.action
returning new.id, old.id is null as fresh, new.total"""  # noqa: S608  # no value is in it
_CLAIM = "select * from dead_letter_run where finished is null order by id limit 1 for update skip locked"
_NEXT = f"""
select * from dead_letter
where {_OF_RUN} and first_at <= :started and (cast(:after as uuid) is null or id > :after) order by id limit :limit"""  # noqa: S608
_ADVANCE = """
update dead_letter_run set taken = taken + :taken, left_waiting = left_waiting + :left, after = coalesce(:after, after),
  finished = case when :over then clock_timestamp() end
where id = :id"""


@dataclass(frozen=True, slots=True)
class Replays:
    """`applies`: what stores the records of each topic; the process fills it in."""

    database: Database
    sealer: Sealer
    applies: Mapping[str, Apply]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`taken`: it took effect, or had before; otherwise `reason` says what is still wrong and it keeps waiting."""

    taken: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """What to do with all letters of a cause, or with the `chosen` among them; `note` says why they are discarded."""

    action: Action
    cause: Cause
    chosen: Sequence[UUID] = ()
    note: str | None = None

    @property
    def scope(self) -> str:
        """The same selection in any order is the same scope."""
        named = "\n".join(sorted(map(str, self.chosen)))
        return hashlib.sha256(named.encode()).hexdigest() if named else WHOLE


@dataclass(frozen=True, slots=True)
class Progress:
    """Of one run: `done` of `total` letters were handed in again or discarded, `left_waiting` of them are still at fault."""

    id: UUID
    action: str
    cause: Cause
    total: int
    taken: int
    left_waiting: int
    started: datetime
    finished: datetime | None

    @property
    def done(self) -> int:
        return self.taken + self.left_waiting


async def hand_in(replays: Replays, letter: RowMapping, body: bytes | None) -> Outcome:
    """The message again, or a mended one; doing it twice has no second effect. What the world does wrong rises."""
    if body is None:
        return Outcome(taken=False, reason="sealing_key_missing")
    apply = replays.applies.get(letter["topic"])
    if apply is None:
        return Outcome(taken=False, reason="nobody_reads_this_topic")
    try:
        applied = await apply([dead_letters.record(letter, body)], None, again=True)
    except Unprocessable as fault:
        return Outcome(taken=False, reason=fault.code)
    except Exception as fault:
        if passing(fault):
            raise
        log.exception("a replayed record failed", extra={"topic": letter["topic"]})
        return Outcome(taken=False, reason=f"failed:{type(fault).__name__}")
    return Outcome(taken=False, reason="still_at_fault") if applied.dead else Outcome(taken=True)


async def begin(unit: Unit, order: Order, *, who: Actor) -> UUID:
    """Start a run. While the same one is under way, its id is the answer and nothing new begins."""
    found = await row(
        unit.tx,
        _BEGIN,
        action=order.action,
        scope=order.scope,
        note=order.note,
        by_kind=who.kind,
        by_ref=who.ref,
        **_letters_of(order.cause, as_json(list(order.chosen)) if order.chosen else None),
    )
    assert found is not None
    begun: UUID = found["id"]
    if found["fresh"]:
        about = {"topic": order.cause.topic, "reason": order.cause.reason, "path": order.cause.path or None, "note": order.note}
        await audit(unit.tx, who, f"dead-letters.{order.action}", subject=begun, detail={**about, "letters": found["total"]})
    return begun


async def progress(tx: AsyncConnection, run_id: UUID) -> Progress | None:
    found = await row(tx, "select * from dead_letter_run where id = :id", id=run_id)
    return _progress(found) if found else None


async def latest(tx: AsyncConnection, limit: int = 5) -> list[Progress]:
    """The runs begun last, newest first."""
    return [_progress(each) for each in await rows(tx, "select * from dead_letter_run order by id desc limit :limit", limit=limit)]


class Clearing:
    """The task that does the runs, a few letters at a time; with many replicas one of them does a run at a time."""

    def __init__(self, replays: Replays, *, interval: float) -> None:
        self._replays, self._interval = replays, interval

    async def run(self, stop: asyncio.Event) -> None:
        patience = Patience(stop)
        with contextlib.suppress(Stopped):
            while not stop.is_set():
                if not await patience.insist(self.once):
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(stop.wait(), self._interval)

    async def once(self) -> int:
        """The next letters of the oldest run; how many. The row's lock keeps other replicas off, the letters stay unlocked to be taken."""
        async with self._replays.database.transaction() as unit:
            claimed = await row(unit.tx, _CLAIM)
            if claimed is None:
                return 0
            letters = await rows(unit.tx, _NEXT, started=claimed["started"], after=claimed["after"], limit=STEP, **_claimed(claimed))
            taken = [await self._one(unit, claimed["action"], letter) for letter in letters]
            after = letters[-1]["id"] if letters else None
            over, left = len(letters) < STEP, len(taken) - sum(taken)
            await run(unit.tx, _ADVANCE, id=claimed["id"], taken=sum(taken), left=left, after=after, over=over)
        return len(letters) or 1

    async def _one(self, unit: Unit, action: Action, letter: RowMapping) -> bool:
        if action == "replay":
            outcome = await hand_in(self._replays, letter, dead_letters.opened(letter, self._replays.sealer))
            if not outcome.taken:
                return False
        await dead_letters.settle(unit.tx, letter["id"], state="replayed" if action == "replay" else "discarded")
        return True


def _letters_of(cause: Cause, chosen: str | None) -> dict[str, str | None]:
    return {"topic": cause.topic, "reason": cause.reason, "path": cause.path, "chosen": chosen}


def _claimed(found: RowMapping) -> dict[str, str | None]:
    chosen = as_json(found["chosen"]) if found["chosen"] is not None else None
    return _letters_of(Cause(found["topic"], found["reason"], found["path"]), chosen)


def _progress(found: RowMapping) -> Progress:
    cause = Cause(found["topic"], found["reason"], found["path"])
    counts = {name: found[name] for name in ("total", "taken", "left_waiting", "started", "finished")}
    return Progress(found["id"], found["action"], cause, **counts)
