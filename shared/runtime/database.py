"""PostgreSQL: the one way to open a transaction, and set-based statements with one JSON parameter."""

import asyncio
import re
import zlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from psycopg import errors as pg
from pydantic import BaseModel
from sqlalchemy import Row, RowMapping, TextClause, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shared.runtime import tracing
from shared.runtime.errors import Unprocessable
from shared.schemas import Message
from shared.topics import topic_of

SHARDS = 16
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")

_INSERT_OUTBOX = """
insert into outbox (shard, topic, key, type, correlation, traceparent, payload)
select shard, topic, key, type, correlation, traceparent, payload
from jsonb_to_recordset(cast(:rows as jsonb)) as m(place int, shard smallint, topic text, key text, type text, correlation text,
  traceparent text, payload text)
order by place"""


class Wake:
    """Tells the relay in this process that rows were committed; polling is the fallback for those of other processes."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def __call__(self) -> None:
        self._event.set()

    async def wait(self, seconds: float) -> None:
        """Return after a commit, or after `seconds` without one."""
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except TimeoutError:
            return
        finally:
            self._event.clear()


@dataclass(slots=True)
class Unit:
    """One transaction: its connection, its time, and the messages it causes."""

    tx: AsyncConnection
    now: datetime
    _sent: list[dict[str, object]] = field(default_factory=list)
    _committed: list[Callable[[], object]] = field(default_factory=list)

    def when_committed(self, tell: Callable[[], object]) -> None:
        """Call `tell` once this transaction has committed: what rolls back, and is done again, counts nothing."""
        self._committed.append(tell)

    def committed(self) -> None:
        for tell in self._committed:
            tell()

    def send(self, message: Message, *, key: str | UUID, correlation: str | UUID) -> None:
        """Publish `message` if and when this transaction commits.

        Per key, messages leave in commit order only if the caller has locked the key's own row (customer, case) before.
        """
        self._sent.append(
            {
                "place": len(self._sent),
                "shard": shard_of(str(key)),
                "topic": topic_of(message.TYPE),
                "key": str(key),
                "type": message.TYPE,
                "correlation": str(correlation),
                "traceparent": tracing.current(),
                "payload": message.encode().decode(),
            }
        )

    async def flush(self) -> bool:
        """Write the outbox rows; True when there were any."""
        if not self._sent:
            return False
        await run(self.tx, _INSERT_OUTBOX, rows=as_json(self._sent))
        self._sent.clear()
        return True


class Database:
    """A pool of connections whose search path is the service's own schema."""

    def __init__(self, url: str, *, schema: str, pool_size: int = 10, pool_wait: float = 5.0) -> None:
        self.schema = schema
        self.wake = Wake()
        self.engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=pool_wait,
            pool_pre_ping=True,
            json_deserializer=orjson.loads,
            hide_parameters=True,  # an error's text must not carry what a statement was given
            connect_args={
                "options": f"-c search_path={schema} -c timezone=UTC",
                "application_name": f"aftercall-{schema}",
                "connect_timeout": 5,
            },
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Unit]:
        """Commits at the end, with the outbox rows of what was sent; rolls back when anything rises."""
        async with self.engine.begin() as tx:
            unit = Unit(tx, await database_time(tx))
            yield unit
            owed = await unit.flush()
        unit.committed()
        if owed:
            self.wake()

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[AsyncConnection]:
        """For one statement that is its own transaction; two statements here are two transactions."""
        async with self.engine.connect() as connection:
            yield await connection.execution_options(isolation_level="AUTOCOMMIT")

    async def close(self) -> None:
        await self.engine.dispose()


async def database_time(tx: AsyncConnection) -> datetime:
    """The transaction's time, aware, UTC."""
    now: datetime = (await tx.execute(_statement("select now()"))).scalar_one()
    return now


@lru_cache(maxsize=1024)
def _statement(sql: str) -> TextClause:
    return text(sql)


async def rows(tx: AsyncConnection, sql: str, **parameters: object) -> Sequence[RowMapping]:
    return (await tx.execute(_statement(sql), parameters)).mappings().all()


async def tuples(tx: AsyncConnection, sql: str, **parameters: object) -> Sequence[Row[Any]]:
    """Rows by position: for many small ones, where a mapping costs more than it says."""
    return (await tx.execute(_statement(sql), parameters)).all()


async def row(tx: AsyncConnection, sql: str, **parameters: object) -> RowMapping | None:
    """The only row, or None; two rows are a bug and rise."""
    return (await tx.execute(_statement(sql), parameters)).mappings().one_or_none()


async def run(tx: AsyncConnection, sql: str, **parameters: object) -> int:
    """How many rows the statement touched."""
    return (await tx.execute(_statement(sql), parameters)).rowcount


def as_json(value: object) -> str:
    """One JSON parameter for a set of rows. What PostgreSQL cannot store (a NUL, half a surrogate pair) is the message's fault."""
    try:
        written = orjson.dumps(value, default=_plain, option=orjson.OPT_PASSTHROUGH_DATACLASS).decode()
    except orjson.JSONEncodeError as error:
        if "surrogates" in str(error):
            raise Unprocessable("lone_surrogate") from None
        raise
    if "\\u0000" in written and _NUL.search(written):
        raise Unprocessable("nul_character")
    return written


def _plain(value: object) -> object:
    match value:
        case bytes():
            return "\\x" + value.hex()
        case BaseModel():
            return orjson.Fragment(value.__pydantic_serializer__.to_json(value, by_alias=True))
        case frozenset() | set():
            return sorted(value)
        case Mapping():
            return dict(value)
        case _:
            raise TypeError(f"{type(value).__name__} cannot be written as JSON for the database")


def shard_of(key: str) -> int:
    """Which of the 16 outbox shards a key's messages leave by: stable over processes and versions."""
    return zlib.crc32(key.encode()) % SHARDS


_PASSING = (pg.DeadlockDetected, pg.SerializationFailure, pg.QueryCanceled, pg.LockNotAvailable, pg.IdleInTransactionSessionTimeout)


def worlds_fault(error: BaseException) -> bool:
    """Is it the world's (connection lost, time-out, deadlock, serialization), so that the same work may pass later?

    A value PostgreSQL refuses arrives as DataError and is the message's fault.
    """
    if isinstance(error, PoolExhausted | InterfaceError | TimeoutError | ConnectionError):
        return True
    if isinstance(error, DBAPIError):
        return (
            error.connection_invalidated or isinstance(error.orig, _PASSING) or (isinstance(error, OperationalError) and _lost(error.orig))
        )
    return False


def _lost(cause: Any) -> bool:
    """Operational errors of classes 08, 53, 57 and 58, and those without a code: the connection or the server is the matter."""
    state = getattr(cause, "sqlstate", None)
    return state is None or state[:2] in ("08", "53", "57", "58")
