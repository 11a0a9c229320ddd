"""Connect's words in ours, and what its contact events and contact records have in common."""

from dataclasses import dataclass

from pydantic import JsonValue

from ingest.normalise.decode import Document, digest
from ingest.normalise.envelopes import Letter
from ingest.normalise.fields import LONGEST_ID, channel_and_medium, code, part, text
from ingest.normalise.model import Event, Facts, Handles, Kind, Raw
from ingest.normalise.times import Moment, as_datetime, ms_of

PLATFORM = "amazon-connect"
AGENTLESS_FLOW = "DISCONNECT"
"""How Connect initiates what runs after hang-up."""
MONITOR = "MONITOR"
"""How it initiates the contact of a supervisor who listens in."""

_CHANNELS: dict[str, tuple[str, str | None]] = {
    "VOICE": ("phone", None),
    "CHAT": ("chat", None),
    "EMAIL": ("email", None),
    "TASK": ("other", "task"),
}
_MEDIA = {"chat": "webchat", "telephony": None, "email": None}
_DIRECTIONS = {
    "INBOUND": "inbound",
    "WEBRTC_API": "inbound",
    "OUTBOUND": "outbound",
    "EXTERNAL_OUTBOUND": "outbound",
    "CALLBACK": "outbound",
    "AGENT_REPLY": "outbound",
    "FLOW": "outbound",
    "CAMPAIGN_PREVIEW": "outbound",
}
_DIRECTIONS_BY_API = {"VOICE": "outbound", "CHAT": "inbound", "EMAIL": "inbound"}
_CALLED_BY_US = frozenset({"OUTBOUND", "CALLBACK", "API", "CAMPAIGN_PREVIEW"})


@dataclass(frozen=True, slots=True)
class Told:
    """What one of Connect's messages says. `stream` is which of its message kinds, `id` the id in it; without one the content is."""

    stream: str
    id: str | None
    kind: Kind
    moment: Moment
    leg: str
    root: str | None
    instance: str | None
    facts: Facts
    handles: Handles


def upper(value: JsonValue) -> str:
    return value.strip().upper() if isinstance(value, str) else ""


def last_of_arn(arn: JsonValue) -> str | None:
    """The id at the end of an ARN, whatever stands before it: `arn:aws::connect` is met as well as `arn:aws:connect`."""
    whole = text(arn, LONGEST_ID * 2)
    return whole.rsplit("/", 1)[-1][:LONGEST_ID] or None if whole else None


def instance_of(arn: JsonValue) -> str | None:
    """The instance's id: the account of ours, because events and records both name it."""
    whole = text(arn, LONGEST_ID * 2)
    if not whole or "instance/" not in whole:
        return None
    return whole.rsplit("instance/", 1)[-1].split("/", 1)[0][:LONGEST_ID] or None


def subtype_of(segment_attributes: Document) -> str | None:
    """`sms` of {"connect:Subtype": {"valueString": "connect:SMS"}}."""
    held = part(segment_attributes, "connect:Subtype")
    value = text(held.get("valueString") or held.get("ValueString"), LONGEST_ID)
    return code(value.removeprefix("connect:")) if value else None


def place_facts(channel: JsonValue, method: str, subtype: str | None) -> Facts:
    """Channel, medium, direction, and a purpose where the channel alone tells it: a task is work, not a customer."""
    word = upper(channel)
    facts: Facts = {"lives_once": True}
    if word:
        ours, medium = _CHANNELS.get(word) or channel_and_medium(word.lower())
        facts["channel"] = ours
        if medium := _MEDIA.get(subtype, subtype) if subtype else medium:
            facts["medium"] = medium
    if word == "TASK":
        facts["purpose"] = "internal"
    if direction := _DIRECTIONS_BY_API.get(word) if method == "API" else _DIRECTIONS.get(method):
        facts["direction"] = direction
    return facts


def not_a_customers(method: str, subtype: str | None) -> str | None:
    """Why a contact is none of a customer's, as a code: a supervisor listening in, a guide on an agent's screen."""
    if method == MONITOR:
        return "monitor"
    return "guide" if subtype == "guide" else None


def unanswered(channel: JsonValue, method: str, customer_connected: JsonValue) -> bool | None:
    """Whether a call of ours reached nobody: an agent's part of it begins, and is measured, before the customer's. None of other calls."""
    return ms_of(customer_connected) is None if upper(channel) == "VOICE" and method in _CALLED_BY_US else None


def event(letter: Letter, raw: Raw, told: Told) -> Event:
    account = told.instance or letter.account or raw.account or "-"
    content = digest(letter.document)
    facts, moment = told.facts, told.moment
    if "channel" not in facts and raw.default_channel:
        facts["channel"] = raw.default_channel
    if moment.doubt or moment.ms is None:
        facts["clock"] = moment.doubt or "missing"
    return Event(
        envelope=letter.envelope, index=letter.index, platform=PLATFORM, account=account, source=f"{PLATFORM}/{account}/{told.stream}",
        id=told.id or content.hex(), version=facts.get("version", ""), hash=content, root=told.root or told.leg, leg=told.leg,
        kind=told.kind, at=None if moment.ms is None else as_datetime(moment.ms), facts=facts, handles=told.handles,
    )  # fmt: skip
