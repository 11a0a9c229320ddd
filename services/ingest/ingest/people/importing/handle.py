"""A file of profiles, however long: a batch of lines at a time, each in its own transaction, with the lines' own marks in the inbox.

Killed anywhere it has lost nothing: the same command goes on, because a line that was taken is known by its hash.
"""

import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from ingest.errors import ImportStopped
from ingest.people.handle import Desk
from ingest.people.importing.progress import Count
from ingest.people.receive import Refusal, Taken, take_lines
from shared.runtime import inbox
from shared.runtime.database import Database, worlds_fault
from shared.runtime.inbox import Identity, Seen

SOURCE = "/import"
AT_ONCE = 500
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Fault:
    """What was wrong with a line, counted from 1, and where in it; never what it says. `taken`: only that part was left out."""

    line: int
    path: str | None
    reason: str
    taken: bool

    def as_json(self) -> dict[str, object]:
        return {"line": self.line, "path": self.path, "reason": self.reason, "taken": self.taken}


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    body: bytes

    @property
    def identity(self) -> Identity:
        return SOURCE, hashlib.sha256(self.body).hexdigest()


async def import_profiles(
    database: Database, desk: Desk, source: BinaryIO, *, longest: int, count: Count, at_once: int = AT_ONCE
) -> AsyncIterator[list[Fault]]:
    """The faults of each batch once it is stored; `count` grows with it. Raises ImportStopped when the database does not answer."""
    for batch in _batches(source, longest, count, at_once=at_once):
        whole = [line for line in batch if len(line.body) <= longest]
        answers = dict(zip(whole, await _stored(database, desk, whole) if whole else [], strict=True))
        faults: list[Fault] = []
        for line in batch:
            answer = answers[line] if line in answers else Taken(None, Refusal(None, "too_large"))
            _count(count, answer)
            faults += _faults(line, answer)
        count.lines = batch[-1].number
        yield faults


def _batches(source: BinaryIO, longest: int, count: Count, *, at_once: int) -> Iterator[list[Line]]:
    batch: list[Line] = []
    number = 0
    while body := source.readline(longest + 2):
        number += 1
        count.read += len(body)
        if not body.endswith(b"\n"):
            count.read += _skip_rest(source, longest)
        body = body.removeprefix(BOM) if number == 1 else body
        if body.strip():
            batch.append(Line(number, body.strip() if len(body) <= longest + 1 else body))
        if len(batch) == at_once:
            yield batch
            batch = []
    if batch:
        yield batch


def _skip_rest(source: BinaryIO, longest: int) -> int:
    """To the end of a line that is too long to be kept; how many bytes that were."""
    skipped = 0
    while rest := source.readline(longest):
        skipped += len(rest)
        if rest.endswith(b"\n"):
            break
    return skipped


async def _stored(database: Database, desk: Desk, lines: Sequence[Line]) -> list[Taken | None]:
    """What became of each; None for one that an earlier run took. Where the batch fails each line is tried by itself."""
    try:
        return await _store(database, desk, lines)
    except Exception as error:
        if worlds_fault(error):
            raise ImportStopped(lines[0].number) from error
        if len(lines) == 1:
            return [Taken(None, Refusal(None, f"failed:{type(error).__name__}"))]
    return [answer for line in lines for answer in await _stored(database, desk, [line])]


async def _store(database: Database, desk: Desk, lines: Sequence[Line]) -> list[Taken | None]:
    async with database.transaction() as unit:
        seen = await inbox.claim(unit.tx, [(line.identity, line.body) for line in lines])
        fresh = [line for line, known in zip(lines, seen, strict=True) if known is Seen.NEW]
        taken = dict(zip(fresh, await take_lines(unit, desk, [line.body for line in fresh]), strict=True))
        refused = {line.identity: answer for line, answer in taken.items() if answer.refused}
        await inbox.release(unit.tx, list(refused))
    return [taken.get(line) or refused.get(line.identity) for line in lines]


def _count(count: Count, answer: Taken | None) -> None:
    if answer is None:
        count.known += 1
    elif answer.refused:
        count.bad += 1
    else:
        count.taken += 1
        count.left += len(answer.left)


def _faults(line: Line, answer: Taken | None) -> list[Fault]:
    if answer is None:
        return []
    refused = [Fault(line.number, answer.refused.path, answer.refused.reason, taken=False)] if answer.refused else []
    return refused + [Fault(line.number, each.path, each.reason, taken=True) for each in answer.left]
