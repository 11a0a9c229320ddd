"""PostgreSQL: the one way to open a transaction, and set-based statements with one JSON parameter."""

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
from shared.runtime.pipeline import Statement, Transaction, ask_the_rested, owe, settle, together
from shared.runtime.wake import Wake
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


@dataclass(slots=True)
class Unit:
    """One transaction: its connection, its time, and the messages it causes."""

    tx: Transaction
    now: datetime
    has_sent: bool = False
    _sent: list[dict[str, object]] = field(default_factory=list)
    _committed: list[Callable[[], object]] = field(default_factory=list)

    def when_committed(self, tell: Callable[[], object]) -> None:
        """Call `tell` once this transaction has committed: what rolls back, and is done again, counts nothing."""
        self._committed.append(tell)

    def committed(self) -> None:
        for tell in self._committed:
            tell()

    def send(self, message: Message, *, key: str | UUID, correlation: str | UUID, encoded: bytes | None = None) -> None:
        """Publish `message` if and when this transaction commits; `encoded` is what it reads encoded, from whoever has it already.

        Per key, messages leave in commit order only if the caller has locked the key's own row (customer, case) before.
        """
        self._owe(type(message), (encoded or message.encode()).decode(), key, correlation=correlation)

    def send_written(self, schema: type[Message], said: Mapping[str, object], *, key: str | UUID, correlation: str | UUID) -> None:
        """The same for one in the form it travels in, of which there are many: making the model costs more than deciding what it says."""
        self._owe(schema, as_json(said), key, correlation=correlation)

    def forget(self, message: type[Message], *, key: str | UUID, correlation: str | UUID) -> None:
        """Publish a null, so that compaction takes away what this topic still says of the key. An empty payload is one."""
        self._owe(message, "", key, correlation=correlation)

    def _owe(self, message: type[Message], payload: str, key: str | UUID, *, correlation: str | UUID) -> None:
        self.has_sent = True
        self._sent.append(
            {
                "place": len(self._sent),
                "shard": shard_of(str(key)),
                "topic": topic_of(message.TYPE),
                "key": str(key),
                "type": message.TYPE,
                "correlation": str(correlation),
                "traceparent": tracing.current(),
                "payload": payload,
            }
        )

    async def flush(self) -> None:
        """Write now what was sent and what is owed."""
        self.owe_messages()
        await settle(self.tx)

    def owe_messages(self) -> None:
        if self._sent:
            owe(self.tx, _INSERT_OUTBOX, rows=as_json(self._sent))
            self._sent.clear()


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
            isolation_level="AUTOCOMMIT",  # `transaction` says begin and commit itself, together with what is asked first and last
            json_deserializer=orjson.loads,
            hide_parameters=True,  # an error's text must not carry what a statement was given
            connect_args={
                "options": f"-c search_path={schema} -c timezone=UTC",
                "application_name": f"aftercall-{schema}",
                "connect_timeout": 5,
            },
        )
        ask_the_rested(self.engine)

    @asynccontextmanager
    async def transaction(self, *first: Statement[Any]) -> AsyncIterator[Unit]:
        """Commits at the end, with the outbox rows of what was sent; rolls back when anything rises.

        `first` is asked in the round trip that begins it; what is owed at the end, and the commit, are another.
        """
        tx = Transaction(self.engine)
        async with tx, tx.begin():
            now = Statement("select now()", _only)
            await together(tx, Statement("begin", len), now, *first)
            unit = Unit(tx, now.result)
            yield unit
            unit.owe_messages()
            await together(tx, Statement("commit", len))
        unit.committed()
        if unit.has_sent:
            self.wake()

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[AsyncConnection]:
        """For one statement that is its own transaction; two statements here are two transactions."""
        async with self.engine.connect() as connection:
            yield connection

    async def close(self) -> None:
        await self.engine.dispose()


def _only(found: list[tuple[Any, ...]]) -> Any:
    ((value,),) = found
    return value


@lru_cache(maxsize=1024)
def _statement(sql: str) -> TextClause:
    return text(sql)


async def rows(tx: AsyncConnection, sql: str, **parameters: object) -> Sequence[RowMapping]:
    await settle(tx)
    return (await tx.execute(_statement(sql), parameters)).mappings().all()


async def tuples(tx: AsyncConnection, sql: str, **parameters: object) -> Sequence[Row[*tuple[Any, ...]]]:
    """Rows by position: for many small ones, where a mapping costs more than it says."""
    await settle(tx)
    return (await tx.execute(_statement(sql), parameters)).all()


async def row(tx: AsyncConnection, sql: str, **parameters: object) -> RowMapping | None:
    """The only row, or None; two rows are a bug and rise."""
    await settle(tx)
    return (await tx.execute(_statement(sql), parameters)).mappings().one_or_none()


async def run(tx: AsyncConnection, sql: str, **parameters: object) -> int:
    """How many rows the statement touched."""
    await settle(tx)
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
_ANOTHER_SCHEMA = (pg.UndefinedColumn, pg.UndefinedTable, pg.UndefinedFunction, pg.InsufficientPrivilege)
"""Not the schema this version knows: a migration is under way, or out of order. No message is at fault, so none becomes a dead letter,
and no service ends: it waits, and says what it lacks, until the schema or the version is mended."""


def worlds_fault(error: BaseException) -> bool:
    """Is it the world's (connection lost, time-out, deadlock, serialization, a migration), so that the same work may pass later?

    A value PostgreSQL refuses arrives as DataError and is the message's fault.
    """
    if isinstance(error, PoolExhausted | InterfaceError | TimeoutError | ConnectionError):
        return True
    if isinstance(error, DBAPIError):
        return (
            error.connection_invalidated
            or isinstance(error.orig, _PASSING + _ANOTHER_SCHEMA)
            or _plan_is_old(error.orig)
            or (isinstance(error, OperationalError) and _lost(error.orig))
        )
    return False


def cause_of(error: BaseException) -> str:
    """What went wrong in one word, without a value: PostgreSQL's own name for it where it was PostgreSQL."""
    return type(error.orig if isinstance(error, DBAPIError) and error.orig else error).__name__


def _plan_is_old(cause: BaseException | None) -> bool:
    """A prepared statement from before a migration; after the roll-back it is prepared anew."""
    return isinstance(cause, pg.FeatureNotSupported) and "cached plan" in str(cause)


def _lost(cause: Any) -> bool:
    """Operational errors of classes 08, 53, 57 and 58, and those without a code: the connection or the server is the matter."""
    state = getattr(cause, "sqlstate", None)
    return state is None or state[:2] in ("08", "53", "57", "58")
