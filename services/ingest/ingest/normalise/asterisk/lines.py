"""Lines of the queue log, `time|callid|queue|agent|EVENT|…`, as rows of its table have them."""

import re

from ingest.normalise.decode import Document

_LINE = re.compile(r"\d{10}(?:\.\d{1,9})?\|[^|]{1,256}\|[^|]{0,256}\|[^|]{0,256}\|[A-Z]{2,40}(?:\|[^\x00-\x1f]{0,1000})?\Z", re.ASCII)
_NAMES = ("time", "callid", "queuename", "agent", "event")


def row_of(line: str) -> Document | None:
    """None for any other text."""
    line = line.strip()
    if _LINE.match(line) is None:
        return None
    fields = line.split("|")
    named: Document = dict(zip(_NAMES, fields, strict=False))
    return named | {f"data{n}": value for n, value in enumerate(fields[len(_NAMES) :], start=1)}


def rows_in(body: bytes) -> list[Document | None]:
    """Of a text that begins with such a line, each line's row, None for those that are no such line; else nothing."""
    if not body[:10].isdigit() or b"|" not in body[:31]:
        return []
    try:
        lines = [line for line in body.decode().splitlines() if line.strip()]
    except UnicodeDecodeError:
        return []
    return [row_of(line) for line in lines] if row_of(lines[0]) else []
