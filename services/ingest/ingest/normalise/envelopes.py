"""What carries the documents: CloudEvents, EventBridge, SNS, Kinesis, MSK, Firehose, arrays, or nothing at all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from pydantic import JsonValue

from ingest.normalise import cloudevents
from ingest.normalise.asterisk.lines import rows_in
from ingest.normalise.aws import Item, items_in
from ingest.normalise.decode import Document, decode, decode_base64
from ingest.normalise.fields import part, text
from ingest.normalise.forms import form_in
from ingest.normalise.model import Ignored, Refused
from ingest.normalise.unreadable import Unreadable

DEEPEST = 6
"""Envelopes within envelopes; more is an attack or a mistake."""
UNKNOWN = "unknown"
NO_EVENTS = "no_events"
"""An array, a batch or an envelope that holds nothing."""


@dataclass(slots=True)  # not frozen: there is one for every event, and it would take three times as long to make
class Letter:
    """A platform's document out of its envelope, and what the envelope said of it.

    `prefix` leads from the carrier's own document to this one in the paths of complaints.
    """

    envelope: str
    index: int
    document: Document
    prefix: str = ""
    id: str | None = None
    source: str | None = None
    type: str | None = None
    time: JsonValue = None
    account: str | None = None


Opened = Letter | Ignored | Refused


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the payload we are. `envelope` is the outermost name given so far."""

    envelope: str | None = None
    index: int = 0
    prefix: str = ""
    depth: int = 0
    account: str | None = None

    def within(self, envelope: str | None, prefix: str) -> "_Place":
        return _Place(self.envelope or envelope, self.index, self.prefix + prefix, self.depth + 1, self.account)

    def at(self, index: int, envelope: str | None = None, prefix: str = "") -> "_Place":
        return replace(self.within(envelope, prefix), index=index)

    @property
    def name(self) -> str:
        return self.envelope or "bare"


_TOP = _Place()


def opened(body: bytes | None, headers: Mapping[str, str]) -> list[Opened]:
    """Everything in one record or request body, in order; at least one. Never raises; what cannot be opened is `Refused` in its place."""
    return _record(body, headers, _TOP) or [Ignored("bare", 0, UNKNOWN, NO_EVENTS)]


def _record(body: bytes | None, headers: Mapping[str, str], place: _Place) -> list[Opened]:
    structured = cloudevents.says_structured(headers)
    attributes = None if structured else cloudevents.binary_attributes(headers)
    if body is None:
        return [Ignored(place.name if attributes is None else "cloudevents-binary", place.index, UNKNOWN, "no_value")]
    if attributes is not None:
        return [_cloud(attributes, lambda: cloudevents.data_in(body) if body else None, place.within("cloudevents-binary", ""))]
    return _decoded(body, place, structured=structured)


def _decoded(body: bytes, place: _Place, *, structured: bool) -> list[Opened]:
    try:
        value = decode(body)
        return [_structured(value, place)] if structured and isinstance(value, dict) else _any(value, place)
    except Unreadable as fault:
        return _text(body, place) or [_refused(place, fault)]


def _text(body: bytes, place: _Place) -> list[Opened]:
    """What is no JSON and yet known: a form, or lines of Asterisk's queue log. Empty for anything else."""
    if (form := form_in(body)) is not None:
        return [Letter(place.envelope or "form", place.index, form, place.prefix)]
    log = place.within("queue-log", "")
    return [
        _refused(log.at(index), Unreadable("no_queue_log_line")) if row is None else Letter(log.name, index, row, log.prefix)
        for index, row in enumerate(rows_in(body), start=place.index)
    ]


def _any(value: JsonValue, place: _Place) -> list[Opened]:
    if place.depth > DEEPEST:
        raise Unreadable("too_many_envelopes")
    if isinstance(value, dict):
        return _guarded(value, place)
    if isinstance(value, list):
        return [opened for index, one in enumerate(value) for opened in _of_array(one, index, place)]
    raise Unreadable("not_an_object")


def _of_array(value: JsonValue, index: int, place: _Place) -> list[Opened]:
    batch = isinstance(value, dict) and cloudevents.is_structured(value)
    here = place.at(index, "cloudevents-batch" if batch else None)
    return _guarded(value, here) if isinstance(value, dict) else [Refused(here.name, index, UNKNOWN, "not_an_object")]


def _guarded(document: Document, place: _Place) -> list[Opened]:
    try:
        return _object(document, place)
    except Unreadable as fault:
        return [_refused(place, fault)]


def _object(document: Document, place: _Place) -> list[Opened]:
    """The envelope by its shape; most specific first."""
    if cloudevents.is_structured(document):
        return [_structured(document, place)]
    if isinstance(document.get("detail-type"), str):
        return [_eventbridge(document, place.within("eventbridge", "detail."))]
    if "TopicArn" in document and "Type" in document:
        return _sns(document, place.within("sns", "Message."))
    if (batch := items_in(document)) is not None:
        return [
            opened for index, item in enumerate(batch) for opened in _item(item, place.at(place.index + index, item.envelope, item.path))
        ]
    return [Letter(place.name, place.index, document, place.prefix, account=place.account)]


def _structured(document: Document, place: _Place) -> Opened:
    inside = place.within("cloudevents-structured", "")
    try:
        cloudevents.check(document)
    except Unreadable as fault:
        return _refused(inside, fault)
    return _cloud(document, lambda: cloudevents.data_of(document), place.within("cloudevents-structured", "data."))


def _cloud(attributes: Document, data_of: Callable[[], JsonValue], place: _Place) -> Opened:
    """Only of a type meant for us must the data be readable. An EventBridge event inside is opened too: bridges write such."""
    if cloudevents.is_foreign(attributes):
        return Ignored(place.name, place.index, UNKNOWN, "unknown_type")
    try:
        data = cloudevents.as_object(data_of())
    except Unreadable as fault:
        wanted = cloudevents.must_be_readable(attributes)
        return _refused(place, fault) if wanted else Ignored(place.name, place.index, UNKNOWN, "unknown_type")
    if isinstance(data.get("detail-type"), str):
        return _eventbridge(data, place.within(None, "detail."))
    return Letter(
        place.name, place.index, data, place.prefix, text(attributes.get("id")), text(attributes.get("source")),
        text(attributes.get("type")), attributes.get("time"), place.account,
    )  # fmt: skip


def _eventbridge(document: Document, place: _Place) -> Opened:
    detail = document.get("detail")
    if not isinstance(detail, dict):
        return Refused(place.name, place.index, UNKNOWN, "missing" if detail is None else "wrong_type", place.prefix[:-1])
    return Letter(
        place.name, place.index, detail, place.prefix, text(document.get("id")), text(document.get("source")),
        text(document.get("detail-type")), document.get("time"), place.account,
    )  # fmt: skip


def _sns(document: Document, place: _Place) -> list[Opened]:
    """The instance named in the message's attributes is the account of what a Connect chat sends."""
    message = document.get("Message")
    if document.get("Type") != "Notification":
        return [Ignored(place.name, place.index, UNKNOWN, "subscription")]
    if not isinstance(message, str):
        raise Unreadable("missing" if message is None else "wrong_type")
    account = text(part(part(document, "MessageAttributes"), "InstanceId").get("Value"))
    return _record(message.encode(), {}, replace(place, account=account))


def _item(item: Item, place: _Place) -> list[Opened]:
    try:
        if item.envelope == "sns":
            return _sns(item.holder, place.within(None, "Message."))
        carried, inside = item.holder.get(item.name), place.within(None, f"{item.name}.")
        if carried is None and item.envelope == "msk" and "topic" in item.holder:
            return _record(None, item.headers, inside)
        body = str(carried).encode() if item.plain else decode_base64(carried, item.name)
        return _record(body, item.headers, inside)
    except Unreadable as fault:
        return [_refused(place, fault)]


def _refused(place: _Place, fault: Unreadable) -> Refused:
    return Refused(place.name, place.index, UNKNOWN, fault.code, f"{place.prefix}{fault.path or ''}".rstrip(".") or None)
