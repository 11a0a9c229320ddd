"""What we would make of a captured file, line by line, without storing anything.

A capture is a request body, JSON lines, or a message written down as an object: `headers` and `value`, as Kafka tools
print it, or `ContextAttributes` and `Data`, as the CloudEvents conformance suite does.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypedDict

from pydantic import JsonValue
from pydantic_core import to_json

from ingest.normalise.decode import Document, decode
from ingest.normalise.model import Event, Ignored, Raw, Reading
from ingest.normalise.reading import read
from ingest.normalise.unreadable import Unreadable

NOBODY_ASKED = Raw(None)


class Explanation(TypedDict):
    """One event found in a file. `meaning` is its step, or `ignored`, or `refused`; then `reason` says why. Holds nothing personal."""

    file: str
    envelope: str
    platform: str
    meaning: str
    reason: str | None
    account: str | None
    contact: str | None
    leg: str | None
    channel: str | None
    at: str | None


def explained(file: str, content: bytes, settings: Raw = NOBODY_ASKED) -> list[Explanation]:
    """One explanation per event in `content`. `settings` holds the source's account, zone and default channel."""
    return [_explanation(file, reading) for raw in captured(content) for reading in read(_with(raw, settings))]


def table(found: Sequence[Explanation]) -> list[str]:
    """File, platform and meaning, in columns."""
    rows = [("file", "platform", "meaning"), *((one["file"], one["platform"], _meant(one)) for one in found)]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return [f"{file:<{widths[0]}}  {platform:<{widths[1]}}  {meaning}".rstrip() for file, platform, meaning in rows]


def _meant(one: Explanation) -> str:
    return one["meaning"] if one["reason"] is None else f"{one['meaning']} ({one['reason']})"


def _with(raw: Raw, settings: Raw) -> Raw:
    return replace(settings, body=raw.body, headers=raw.headers)


def captured(content: bytes) -> Iterator[Raw]:
    try:
        value = decode(content)
    except Unreadable:
        yield from _lines(content)
        return
    yield _written_down(value) or Raw(content)


def _lines(content: bytes) -> Iterator[Raw]:
    """JSON lines, if every line but blank ones begins like an object; else the content as it is, for its fault to be named."""
    lines = [line for line in content.splitlines() if line.strip()]
    if len(lines) > 1 and all(line.lstrip().startswith(b"{") and line.rstrip().endswith(b"}") for line in lines):
        for line in lines:
            yield from _captured_line(line)
    else:
        yield Raw(content)


def _captured_line(line: bytes) -> Iterator[Raw]:
    try:
        yield _written_down(decode(line)) or Raw(line)
    except Unreadable:
        yield Raw(line)


def _written_down(value: JsonValue) -> Raw | None:
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("headers"), dict) and "value" in value:
        return Raw(_bytes(value["value"]), _texts(value["headers"]))
    if isinstance(value.get("ContextAttributes"), dict):
        return _conformance_sample(value)
    return None


def _conformance_sample(value: Document) -> Raw:
    """Told to be in binary mode, or free to be in either: then as a structured event."""
    attributes = dict(value["ContextAttributes"]) if isinstance(value["ContextAttributes"], dict) else {}
    extensions = attributes.pop("Extensions", None)
    context = {**attributes, **(extensions if isinstance(extensions, dict) else {})}
    data = value.get("Data")
    if value.get("Mode") == "binary":
        kind = context.pop("datacontenttype", "application/json")
        return Raw(_bytes(data), {f"ce_{name}": text for name, text in _texts(context).items()} | {"content-type": str(kind)})
    return Raw(to_json({**context, "data": data}), {"content-type": "application/cloudevents+json"})


def _bytes(value: JsonValue) -> bytes | None:
    """A message's value: text as it is, anything else as JSON; none is a record without one."""
    if value is None:
        return None
    return value.encode() if isinstance(value, str) else to_json(value)


def _texts(values: JsonValue) -> Mapping[str, str]:
    held = values if isinstance(values, dict) else {}
    return {name.lower(): value if isinstance(value, str) else to_json(value).decode() for name, value in held.items() if value is not None}


def _explanation(file: str, reading: Reading) -> Explanation:
    if isinstance(reading, Event):
        return Explanation(
            file=file, envelope=reading.envelope, platform=reading.platform, meaning=reading.kind.value, reason=_doubt(reading),
            account=reading.account, contact=reading.root, leg=reading.leg, channel=reading.facts.get("channel"), at=_written(reading),
        )  # fmt: skip
    meaning, reason = ("ignored", reading.reason) if isinstance(reading, Ignored) else ("refused", _fault(reading.code, reading.path))
    return Explanation(
        file=file, envelope=reading.envelope, platform=reading.platform, meaning=meaning, reason=reason,
        account=None, contact=None, leg=None, channel=None, at=None,
    )  # fmt: skip


def _doubt(event: Event) -> str | None:
    clock = event.facts.get("clock")
    return None if clock is None else f"time_{clock}"


def _fault(code: str, path: str | None) -> str:
    return code if path is None else f"{code}: {path}"


def _written(event: Event) -> str | None:
    return None if event.at is None else event.at.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
