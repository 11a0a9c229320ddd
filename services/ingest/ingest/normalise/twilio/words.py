"""TaskRouter's words in ours: what tasks, reservations and transfers have in common, however they came."""

from dataclasses import dataclass
from typing import cast

from pydantic import JsonValue

from ingest.normalise import telling
from ingest.normalise.decode import Document, decode, digest
from ingest.normalise.envelopes import Letter
from ingest.normalise.fields import (
    LONGEST_ID,
    LONGEST_PERSONAL,
    channel_and_medium,
    code_in,
    kept,
    mail_in,
    number_in,
    part,
    purpose_in,
    text,
)
from ingest.normalise.model import Event, Facts, Handles, Kind, Raw
from ingest.normalise.times import Moment
from ingest.normalise.unreadable import Unreadable

PLATFORM = "twilio"

_CHANNELS: dict[str, tuple[str | None, str | None]] = {
    "default": (None, None),
    "voice": ("phone", None),
    "chat": ("chat", "webchat"),
    "web": ("chat", "webchat"),
    "messenger": ("chat", "messenger"),
    "callback": ("phone", "callback"),
    "voicemail": ("phone", "voicemail"),
}
"""A task's channel as the workspace names it. `default` is the one every workspace begins with: it says nothing."""
_DIRECTIONS = {"inbound": "inbound", "outbound": "outbound", "outbound-api": "outbound", "outbound-dial": "outbound"}
SPOKEN = ("wrapping", "completed")
"""States that only what somebody accepted comes to, a task or a reservation."""
_FROM = ("from", "caller", "customerAddress")
_TO = ("outbound_to", "to", "called")


@dataclass(frozen=True, slots=True)
class Told:
    """What one message says. `stream` is which of the forms it came in, `id` the id there; `part` is the leg, None the whole task."""

    stream: str
    id: str
    version: str
    kind: Kind
    moment: Moment
    task: str
    part: str | None
    account: str | None
    facts: Facts
    handles: Handles


def event(letter: Letter, raw: Raw, told: Told) -> Event:
    told.facts["lives_once"] = True
    told.facts["frame" if told.part is None else "framed"] = True
    whole = telling.Told(
        platform=PLATFORM, account=told.account, stream=told.stream, id=told.id, version=told.version, hash=digest(letter.document),
        root=told.task, leg=told.part or told.task, kind=told.kind, moment=told.moment, facts=told.facts, handles=told.handles,
    )  # fmt: skip
    return telling.event(letter, raw, whole)


def held(value: JsonValue) -> Document:
    """The attributes of a task or worker, which are JSON in a text; empty where that cannot be read, and the rest stands."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, str) or not value:
        return {}
    try:
        inner = decode(value.encode("utf-8", "replace"))
    except Unreadable:
        return {}
    return inner if isinstance(inner, dict) else {}


def task_facts(channel: JsonValue, queue: JsonValue, queue_sid: JsonValue, attributes: Document, *, traits: frozenset[str]) -> Facts:
    """What a task says of the contact, whatever became of it."""
    ours, medium = _place(channel, attributes)
    found = {
        "channel": ours,
        "medium": medium,
        "direction": direction_of(attributes),
        "queue": text(queue, LONGEST_ID) or text(queue_sid, LONGEST_ID),
        "language": text(attributes.get("language"), LONGEST_ID) or text(attributes.get("selected_language"), LONGEST_ID),
        "traits": kept(attributes, traits) or None,
        "purpose": purpose_in(attributes),
    }
    return cast("Facts", {name: value for name, value in found.items() if value is not None})


def add_worker(facts: Facts, sid: JsonValue, name: JsonValue, attributes: Document) -> None:
    """The agent, and the team where the worker's attributes follow Flex in naming it."""
    found = {
        "agent": text(sid, LONGEST_ID) or text(name, LONGEST_ID),
        "agent_name": text(attributes.get("full_name"), LONGEST_ID) or text(name, LONGEST_ID),
        "team": text(attributes.get("team_name"), LONGEST_ID) or text(attributes.get("team_id"), LONGEST_ID),
    }
    facts.update(cast("Facts", {key: value for key, value in found.items() if value is not None}))


def who_left(reason: JsonValue) -> str | None:
    """A reason is a sentence of anybody's; only that the customer hung up is sure."""
    words = code_in(reason)
    return "customer" if words and words.replace("_", "").startswith("hangup") else None


def direction_of(attributes: Document) -> str | None:
    said = _DIRECTIONS.get(code_in(attributes.get("direction")) or "")
    return said or ("outbound" if "outbound_to" in attributes else None)


def handles(attributes: Document) -> Handles:
    """The customer's end, under the names that Flex and its templates use; `customers` is Flex Insights' own."""
    insights = part(attributes, "customers")
    ends = [attributes.get(name) for name in (_TO if direction_of(attributes) == "outbound" else _FROM) if name in attributes]
    addresses, mails = [*ends, insights.get("phone")], [*ends, attributes.get("email"), insights.get("email")]
    found = {
        "phone": next((number for address in addresses if (number := number_in(address))), None),
        "email": next((mail for address in mails if (mail := mail_in(address))), None),
        "contact_id": text(insights.get("customer_id"), LONGEST_PERSONAL),
        "name": _name(attributes.get("customerName")) or _name(insights.get("name")) or _name(attributes.get("name")),
    }
    return cast("Handles", {name: value for name, value in found.items() if value is not None})


def _place(channel: JsonValue, attributes: Document) -> tuple[str | None, str | None]:
    """The channel; of a chat also by what it came, where the conversation says it."""
    word = code_in(channel)
    if word is None:
        return None, None
    ours, medium = _CHANNELS.get(word) or channel_and_medium(word)
    inner = code_in(attributes.get("channelType")) if ours == "chat" else None
    return ours, (_CHANNELS.get(inner) or channel_and_medium(inner))[1] or medium if inner else medium


def _name(value: JsonValue) -> str | None:
    """Flex names a caller by the number where it knows no better."""
    name = text(value, LONGEST_PERSONAL)
    return name if name and number_in(name) is None and mail_in(name) is None else None
