"""Logs as JSON lines that cannot carry a person: only the event's words, allow-listed extras, and ids."""

import json
import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TextIO

from shared.runtime.errors import AftercallError

message_id: ContextVar[str | None] = ContextVar("message_id", default=None)
correlation_id: ContextVar[str | None] = ContextVar("correlation_id", default=None)
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

_NAMES = """
alert_id attempt case_id cause channel code count customer_id dead_letter_id decision_id error gateway group host interaction_id
key_id lag message_type method offset partition path platform policy_version port reason revision route schema seconds service shard
state status survey_id task team timer topic version
"""
EXTRAS = frozenset(_NAMES.split())
"""The only extras a log line shows. A name outside it appears in `left_out`, its value nowhere."""

SPEAKS_PLAINLY = ("aiokafka", "uvicorn.error", "alembic")
"""Libraries whose arguments are hosts, topics and revisions; of everything else the first line of the words, no argument."""

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class JsonLines(logging.Formatter):
    """One record, one line of JSON."""

    def __init__(self, extras: frozenset[str] = EXTRAS) -> None:
        super().__init__()
        self._extras = extras

    def format(self, record: logging.LogRecord) -> str:
        given = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage() if record.name.startswith(SPEAKS_PLAINLY) else str(record.msg).partition("\n")[0],
            "message_id": message_id.get(),
            "correlation_id": correlation_id.get(),
            "request_id": request_id.get(),
            **{name: value for name, value in given.items() if name in self._extras},
            "left_out": sorted(name for name in given if name not in self._extras) or None,
        }
        if record.exc_info and record.exc_info[1] is not None:
            line |= told(record.exc_info[1])
        return json.dumps({name: value for name, value in line.items() if value is not None}, default=str)


def told(error: BaseException) -> dict[str, object]:
    """An error without its words, which may quote a row: class and frames; our own errors keep their sentence."""
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    ours = [frame for frame in frames if "site-packages" not in frame]
    because = error.__cause__ or error.__context__
    return {
        "error": type(error).__name__,
        "sentence": str(error) if isinstance(error, AftercallError) else None,
        "because": type(because).__name__ if because else None,
        "errors": [told(each) for each in error.exceptions] if isinstance(error, BaseExceptionGroup) else None,
        "where": ours[-8:] or frames[-8:],
    }


@contextmanager
def about(message: str | None, correlation: str | None) -> Iterator[None]:
    """Log lines inside carry these ids."""
    tokens = message_id.set(message), correlation_id.set(correlation)
    try:
        yield
    finally:
        message_id.reset(tokens[0])
        correlation_id.reset(tokens[1])


def configure(level: str = "INFO", *, extras: frozenset[str] = frozenset(), stream: TextIO | None = None) -> None:
    """Send everything this process logs to `stream` (standard error) as JSON lines. Called once, by the process."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(EXTRAS | extras))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
