"""How AWS hands records on: batches for a Lambda or a Firehose endpoint, what a shell reads from Kinesis, what Pipes makes of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from ingest.normalise.decode import Document
from ingest.normalise.fields import part

_KAFKA = ("aws:kafka", "SelfManagedKafka")


@dataclass(frozen=True, slots=True)
class Item:
    """One record of a batch: what it carries is `holder[name]`, base64 unless `plain`; `path` leads to `holder`."""

    envelope: str
    path: str
    holder: Document
    name: str
    plain: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


def items_in(document: Document) -> list[Item] | None:
    """The records in their order; None for what is no batch of AWS'."""
    if isinstance(records := document.get("Records"), list):
        return [_of_lambda(one, f"Records[{place}].") for place, one in enumerate(map(_object, records))]
    records, source = document.get("records"), document.get("eventSource")
    if isinstance(records, dict) and source in _KAFKA:
        return list(_of_kafka(records))
    if isinstance(records, list) and ("deliveryStreamArn" in document or "requestId" in document):
        return [Item("firehose", f"records[{place}].", _object(one), "data") for place, one in enumerate(records)]
    if source == "aws:kinesis" and "data" in document:
        return [Item("kinesis", "", document, "data")]
    if source == "aws:sqs" and "body" in document:
        return [Item("sqs", "", document, "body", plain=True)]
    if source in _KAFKA and "topic" in document:
        return [_of_topic(document, "")]
    if isinstance(messages := document.get("Messages"), list) and all("ReceiptHandle" in _object(one) for one in messages):
        return [Item("sqs", f"Messages[{place}].", _object(one), "Body", plain=True) for place, one in enumerate(messages)]
    return None


def _of_lambda(record: Document, path: str) -> Item:
    if isinstance(notice := record.get("Sns"), dict):
        return Item("sns", f"{path}Sns.", notice, "Message", plain=True)
    if isinstance(record.get("body"), str):
        return Item("sqs", path, record, "body", plain=True)
    if "Data" in record:
        return Item("kinesis", path, record, "Data")
    return Item("kinesis", f"{path}kinesis.", part(record, "kinesis"), "data")


def _of_kafka(records: Document) -> Iterator[Item]:
    flat = (_object(one) for ones in records.values() if isinstance(ones, list) for one in ones)
    for place, one in enumerate(flat):
        yield _of_topic(one, f"records[{place}].")


def _of_topic(record: Document, path: str) -> Item:
    return Item("msk", path, record, "value", headers=_headers(record.get("headers")))


def _headers(headers: JsonValue) -> dict[str, str]:
    """A list of {name: bytes as signed numbers}; a value that is no UTF-8 is no header of ours."""
    found: dict[str, str] = {}
    for one in headers if isinstance(headers, list) else []:
        for name, value in one.items() if isinstance(one, dict) else []:
            octets = [number & 255 for number in value if isinstance(number, int)] if isinstance(value, list) else []
            found[name.lower()] = bytes(octets).decode("utf-8", "replace")
    return found


def _object(value: JsonValue) -> Document:
    return value if isinstance(value, dict) else {}
