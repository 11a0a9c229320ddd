"""From a record's bytes to one of our messages: CloudEvents 1.0 in Kafka's binary or structured mode. Bytes are decoded only here."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import ValidationError

from shared.runtime.broker import Record
from shared.runtime.errors import Unprocessable
from shared.schemas import Message

M = TypeVar("M", bound=Message)
_PLAIN = ("traceparent", "content-type")


class Delivery(NamedTuple, Generic[M]):
    """A message as a handler gets it; (`source`, `id`) is its identity."""

    message: M
    id: str
    source: str
    correlation: str | None
    traceparent: str | None
    record: Record


class Envelope(NamedTuple):
    """`data` is the message's own JSON."""

    attributes: Mapping[str, str]
    data: bytes


def envelope(record: Record) -> Envelope:
    """Raises Unprocessable for a null value, headers that are not UTF-8, and a structured event that is none."""
    if record.value is None:
        raise Unprocessable("null_value")
    said = _headers(record)
    if said.get("content-type", "").lower().startswith("application/cloudevents"):
        return _structured(record.value)
    return Envelope(said, record.value)


def _headers(record: Record) -> dict[str, str]:
    """The first of each name, as text: the event's attributes by their own names, and the two others we know."""
    said: dict[str, str] = {}
    name = ""
    try:
        for name, value in record.headers:
            text, known = (value or b"").decode(), name.lower()
            if known.startswith("ce_"):
                said.setdefault(known[3:], text)
            elif known in _PLAIN:
                said.setdefault(known, text)
    except UnicodeDecodeError:
        raise Unprocessable("not_utf8", f"headers.{name}") from None
    return said


def _structured(value: bytes) -> Envelope:
    try:
        event = json.loads(value)
    except (ValueError, RecursionError):
        raise Unprocessable("json_invalid") from None
    if not isinstance(event, dict) or "data" not in event:
        raise Unprocessable("missing", "data")
    attributes = {name: text for name, text in event.items() if isinstance(text, str)}
    return Envelope(attributes, json.dumps(event["data"]).encode())


def type_of(envelope: Envelope, known: Mapping[str, type[Message]]) -> type[Message] | None:
    """The schema the event names; the topic's only one where it names none; None for a type this reader does not read."""
    named = envelope.attributes.get("type")
    if named is None and len(known) == 1:
        return next(iter(known.values()))
    if named is None:
        raise Unprocessable("missing", "headers.ce_type")
    return known.get(named)


def decode(record: Record, envelope: Envelope, *, schema: type[M], identity: Callable[[Any], str] | None) -> Delivery[M]:
    """Raises Unprocessable naming the field, never the value."""
    try:
        message = schema.model_validate_json(envelope.data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        raise Unprocessable(first["type"], ".".join(map(str, first["loc"])) or None) from None
    name = identity(message) if identity else envelope.attributes.get("id")
    if not name:
        raise Unprocessable("missing", "headers.ce_id")
    said = envelope.attributes
    return Delivery(message, name, said.get("source", f"/{record.topic}"), said.get("correlationid"), said.get("traceparent"), record)
