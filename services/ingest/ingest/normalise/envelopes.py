"""What carries the documents: CloudEvents, EventBridge, SNS, Kinesis, MSK, Firehose, arrays, or nothing at all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from pydantic import JsonValue

from ingest.normalise import cloudevents
from ingest.normalise.decode import Document, decode, decode_base64
from ingest.normalise.fields import part, text
from ingest.normalise.forms import form_in
from ingest.normalise.model import Ignored, Refused
from ingest.normalise.unreadable import Unreadable

DEEPEST = 6
"""Envelopes within envelopes; more is an attack or a mistake."""
UNKNOWN = "unknown"


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
    return _record(body, headers, _TOP) or [Ignored("bare", 0, UNKNOWN, "no_events")]


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
        form = form_in(body)
        return [_refused(place, fault)] if form is None else [Letter(place.envelope or "form", place.index, form, place.prefix)]


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
    if isinstance(records := document.get("Records"), list):
        return _lambda_records(records, place)
    if document.get("eventSource") in ("aws:kafka", "SelfManagedKafka") and isinstance(document.get("records"), dict):
        return _msk(part(document, "records"), place)
    if isinstance(records := document.get("records"), list) and ("deliveryStreamArn" in document or "requestId" in document):
        return _firehose(records, place)
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
        wanted = cloudevents.is_meant_for_us(attributes)
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


def _lambda_records(records: list[JsonValue], place: _Place) -> list[Opened]:
    return [opened for index, record in enumerate(records) for opened in _lambda_record(_object_or_nothing(record), index, place)]


def _lambda_record(record: Document, index: int, place: _Place) -> list[Opened]:
    if not isinstance(notice := record.get("Sns"), dict):
        return _encoded(part(record, "kinesis"), "data", place.at(index, "kinesis", f"Records[{index}].kinesis."))
    here = place.at(index, "sns", f"Records[{index}].Sns.")
    try:
        return _sns(notice, here)
    except Unreadable as fault:
        return [_refused(here, fault)]


def _msk(records: Document, place: _Place) -> list[Opened]:
    flat = [_object_or_nothing(one) for ones in records.values() if isinstance(ones, list) for one in ones]
    return [opened for index, record in enumerate(flat) for opened in _msk_record(record, place.at(index, "msk", f"records[{index}]."))]


def _msk_record(record: Document, place: _Place) -> list[Opened]:
    return _encoded(record, "value", place, headers=_msk_headers(record.get("headers")))


def _firehose(records: list[JsonValue], place: _Place) -> list[Opened]:
    flat = enumerate(map(_object_or_nothing, records))
    return [opened for index, one in flat for opened in _encoded(one, "data", place.at(index, "firehose", f"records[{index}]."))]


def _object_or_nothing(value: JsonValue) -> Document:
    return value if isinstance(value, dict) else {}


def _encoded(record: Document, name: str, place: _Place, *, headers: Mapping[str, str] | None = None) -> list[Opened]:
    try:
        return _record(decode_base64(record.get(name), name), headers or {}, place.within(None, f"{name}."))
    except Unreadable as fault:
        return [_refused(place, fault)]


def _msk_headers(headers: JsonValue) -> dict[str, str]:
    """A list of {name: bytes as signed numbers}; a value that is no UTF-8 is no header of ours."""
    found: dict[str, str] = {}
    for one in headers if isinstance(headers, list) else []:
        for name, value in one.items() if isinstance(one, dict) else []:
            octets = [number & 255 for number in value if isinstance(number, int)] if isinstance(value, list) else []
            found[name.lower()] = bytes(octets).decode("utf-8", "replace")
    return found


def _refused(place: _Place, fault: Unreadable) -> Refused:
    return Refused(place.name, place.index, UNKNOWN, fault.code, f"{place.prefix}{fault.path or ''}".rstrip(".") or None)
