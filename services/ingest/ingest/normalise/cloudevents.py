"""CloudEvents 1.0 as they come over Kafka and HTTP: attributes in headers (binary) or beside the data (structured)."""

import re
from collections.abc import Mapping
from urllib.parse import unquote

from pydantic import JsonValue

from ingest.normalise.decode import Document, decode, decode_base64
from ingest.normalise.fields import required_text
from ingest.normalise.forms import form_in
from ingest.normalise.unreadable import Unreadable

REQUIRED = ("specversion", "id", "source", "type")
NATIVE = "contact."
TWILIO = "com.twilio."
OURS = "aftercall."
_READ = (
    *(NATIVE, "com.twilio.taskrouter.", "com.twilio.conversations."),
    *("com.twilio.voice.status-callback.", "com.twilio.voice.webhook.status-callback."),
)
_ESCAPED = re.compile(r"\\(.)")
_BINARY = tuple((lead, tuple(lead + name for name in REQUIRED)) for lead in ("ce_", "ce-"))


def is_structured(document: Document) -> bool:
    """Also without one of the required attributes, where the rest can be nothing else: its sender hears which."""
    if "specversion" in document:
        return "type" in document or "source" in document
    return "type" in document and "source" in document and "data" in document and is_meant_for_us(document)


def says_structured(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").lower().startswith("application/cloudevents")


def binary_attributes(headers: Mapping[str, str]) -> Document | None:
    """The attributes in `ce_` (Kafka) or `ce-` (HTTP) headers; None unless the required four are there."""
    for lead, required in _BINARY:
        if all(map(headers.get, required)):
            found = {name[3:]: value for name, value in headers.items() if name.startswith(lead)}
            plain: Document = {name: _of_http(value) if lead == "ce-" else value for name, value in found.items()}
            return {**plain, "datacontenttype": headers.get("content-type")}
    return None


def _of_http(value: str) -> str:
    """Quotes around it first, then percent signs, as the HTTP binding says."""
    quoted = len(value) > 1 and value[0] == value[-1] == '"'
    return unquote(_ESCAPED.sub(r"\1", value[1:-1]) if quoted else value)


def check(document: Document) -> None:
    """Raises `Unreadable` naming the required attribute that is missing or no text."""
    for name in REQUIRED:
        required_text(document, name)


def is_meant_for_us(attributes: Document) -> bool:
    return str(attributes.get("type")).startswith((NATIVE, TWILIO))


def must_be_readable(attributes: Document) -> bool:
    """Whether it says something that we read: what else there is may hold anything."""
    return str(attributes.get("type")).startswith(_READ)


def is_foreign(attributes: Document) -> bool:
    """One that no data could make ours: it need not even be decoded."""
    return not is_meant_for_us(attributes) and (str(attributes.get("type")).startswith(OURS) or not _can_be_read(attributes))


def as_object(data: JsonValue) -> Document:
    if not isinstance(data, dict):
        raise Unreadable("missing" if data is None else "not_an_object")
    return data


def data_of(document: Document) -> JsonValue:
    """The data, also where it is a text holding JSON or base64 of it. Raises `Unreadable` for both at once and for what is no JSON."""
    plain, encoded = document.get("data"), document.get("data_base64")
    if plain is not None and encoded is not None:
        raise Unreadable("both_data_and_data_base64")
    if encoded is not None:
        return data_in(decode_base64(encoded, None))
    return data_in(plain.encode()) if isinstance(plain, str) else plain


def data_in(body: bytes) -> JsonValue:
    """JSON, or the fields of a form, as Twilio posts them."""
    try:
        return decode(body)
    except Unreadable:
        form = form_in(body)
        if form is None:
            raise
        return form


def _can_be_read(attributes: Document) -> bool:
    """An object is read already, whatever it is said to be."""
    if isinstance(attributes.get("data"), dict):
        return True
    kind = str(attributes.get("datacontenttype") or "application/json").split(";")[0].strip().lower()
    return kind.endswith(("/json", "+json", "/x-www-form-urlencoded"))
