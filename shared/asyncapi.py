"""AsyncAPI 3 of the topics: what travels on each, under which key, who of us sends and receives it.

One document for all three services. Payloads are the schemas of `shared.schemas`, written in the JSON Schema draft 7 that AsyncAPI's own
schema object is made of. Specification: https://www.asyncapi.com/docs/reference/specification/v3.0.0, Kafka bindings 0.5.0.
"""

from collections.abc import Iterable
from typing import Any

from pydantic.json_schema import models_json_schema

from shared import schemas
from shared.topics import DEAD, DEAD_TOPICS, LIVE, SERVICES, Topic

Json = dict[str, Any]
_TEXT: Json = {"type": "string"}
_MOMENT: Json = {"type": "string", "format": "date-time"}
_RAW = "platform-event"
_DEAD = "dead-letter"


def document(*, prefix: str = "") -> Json:
    """`prefix` is what this deployment puts before every topic's name."""
    topics = [*LIVE, *DEAD_TOPICS.values()]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Aftercall",
            "version": "1",
            "description": "Contacts that are over, decisions whether to ask, answers, callbacks. Messages are CloudEvents 1.0 in Kafka's "
            "binary mode; readers ignore fields they do not know. A message may arrive twice: its source and id are its identity.",
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic, prefix) for topic in topics},
        "operations": {name: operation for topic in LIVE for name, operation in _operations(topic)},
        "components": {"messages": _messages(), "schemas": _schemas()},
    }


def _channel(topic: Topic, prefix: str) -> Json:
    days, policy = topic.retention.total_seconds() / 86_400, "compact" if topic.compacted else "delete"
    return {
        "address": prefix + topic.name,
        "description": f"Key: {topic.key}. Written by {', '.join(topic.writers)}; read by {', '.join(topic.readers)}. "
        + ("Compacted." if topic.compacted else f"Kept {days:.0f} days."),
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _carried(topic)},
        "bindings": {
            "kafka": {
                "topic": prefix + topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {"cleanup.policy": [policy], "retention.ms": int(topic.retention.total_seconds() * 1000)},
                "bindingVersion": "0.5.0",
            }
        },
    }


def _carried(topic: Topic) -> list[str]:
    if topic.name.endswith(DEAD):
        return [_DEAD]
    return [message.short_name() for message in topic.messages] or ["native-event.v1", _RAW]


def _operations(topic: Topic) -> Iterable[tuple[str, Json]]:
    """What each of our services does with a topic."""
    for service in SERVICES:
        for action, verb, whose in (("send", "sends", topic.writers), ("receive", "receives", topic.readers)):
            if service in whose:
                yield f"{service}.{verb}.{topic.name}", _operation(topic, action, service)


def _operation(topic: Topic, action: str, service: str) -> Json:
    channel = f"#/channels/{topic.name}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "tags": [{"name": service}],
        "messages": [{"$ref": f"{channel}/messages/{name}"} for name in _carried(topic)],
    }


def _messages() -> Json:
    ours = {message.short_name(): _message(message) for message in schemas.MESSAGES}
    return ours | {
        "native-event.v1": {
            "name": "native-event.v1",
            "title": schemas.NativeEvent.__name__,
            "summary": "What a platform without an adapter sends: bare, or as the data of a CloudEvent of type contact.<event>.",
            "payload": {"$ref": "#/components/schemas/NativeEvent"},
        },
        _RAW: {
            "name": _RAW,
            "title": "An event in a platform's own words",
            "summary": "Any envelope and dialect that ingest reads; alone or several in one array.",
            "payload": {"type": ["object", "array"]},
        },
        _DEAD: {
            "name": _DEAD,
            "title": "The original bytes of a message that could not be taken",
            "summary": "Headers beside the original ones say from where it came and what is at fault.",
            "headers": {
                "type": "object",
                "properties": _DEAD_HEADERS,
                "required": ["dlq-topic", "dlq-reason", "dlq-count", "dlq-first-at"],
            },
            "contentType": "application/octet-stream",
            "payload": {},
        },
    }


_DEAD_HEADERS: Json = {
    "dlq-topic": {**_TEXT, "description": "topic it came by"},
    "dlq-partition": {**_TEXT, "description": "partition it came by"},
    "dlq-offset": {**_TEXT, "description": "offset it came by"},
    "dlq-reason": {**_TEXT, "description": "code of what is at fault"},
    "dlq-path": {**_TEXT, "description": "field at fault"},
    "dlq-count": {**_TEXT, "description": "how often the same bytes came until this copy was made"},
    "dlq-first-at": _MOMENT,
}


def _message(message: type[schemas.Message]) -> Json:
    return {
        "name": message.TYPE,
        "title": message.__name__,
        "summary": " ".join((message.__doc__ or "").split()),
        "headers": _cloud_event(message.TYPE),
        "payload": {"$ref": f"#/components/schemas/{message.__name__}"},
    }


def _cloud_event(message_type: str) -> Json:
    return {
        "type": "object",
        "properties": {
            "ce_specversion": {"const": "1.0"},
            "ce_id": {**_TEXT, "description": "with ce_source the message's identity"},
            "ce_source": {**_TEXT, "format": "uri-reference"},
            "ce_type": {"const": message_type},
            "ce_time": _MOMENT,
            "ce_subject": {**_TEXT, "description": "the record's key"},
            "ce_correlationid": {**_TEXT, "description": "the contact this is a consequence of"},
            "traceparent": {**_TEXT, "description": "W3C trace context"},
            "content-type": {"const": "application/json"},
        },
        "required": ["ce_specversion", "ce_id", "ce_source", "ce_type"],
    }


def _schemas() -> Json:
    models = [(model, "validation") for model in schemas.PUBLISHED.values()]
    _, found = models_json_schema(models, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    return {name: _draft_7(schema) for name, schema in found["$defs"].items()}


def _draft_7(schema: Any) -> Any:
    """Tuples were `items` before they were `prefixItems`; nothing else of what pydantic writes for our models differs."""
    if isinstance(schema, list):
        return [_draft_7(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {"items" if name == "prefixItems" else name: _draft_7(part) for name, part in schema.items()}
