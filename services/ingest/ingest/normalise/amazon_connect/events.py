"""Contact events, and the one message of a chat that ends it."""

from typing import cast

from ingest.normalise.amazon_connect import words
from ingest.normalise.decode import Document
from ingest.normalise.envelopes import Letter
from ingest.normalise.fields import LONGEST_ID, LONGEST_PERSONAL, code, code_in, kept, part, purpose_in, required_text, text
from ingest.normalise.model import Event, Facts, Handles, Ignored, Kind, Raw
from ingest.normalise.times import Moment, ms_of, read_time

CHAT_ENDED = "application/vnd.amazonaws.connect.event.chat.ended"

_STEPS: dict[str, tuple[Kind, str, str]] = {
    "INITIATED": (Kind.STARTED, "", "initiationTimestamp"),
    "CONNECTED_TO_SYSTEM": (Kind.STARTED, "", "connectedToSystemTimestamp"),
    "QUEUED": (Kind.QUEUED, "queueInfo", "enqueueTimestamp"),
    "CONNECTED_TO_AGENT": (Kind.CONNECTED, "agentInfo", "connectedToAgentTimestamp"),
    "DISCONNECTED": (Kind.ENDED, "", "disconnectTimestamp"),
    "COMPLETED": (Kind.ENDED, "", "disconnectTimestamp"),
}
"""What each event means and where its own time stands. A leg ends when the customer is gone, not when the agent's notes are written."""


def adapt_event(letter: Letter, raw: Raw) -> Event | Ignored:
    """Raises `Unreadable` where the contact's id is missing."""
    detail = _in_camel_case(letter.document)
    leg = required_text(detail, "contactId")
    method, subtype = words.upper(detail.get("initiationMethod")), words.subtype_of(part(detail, "segmentAttributes"))
    name = words.upper(detail.get("eventType"))
    step = _STEPS.get(name)
    if step is None:
        return Ignored(letter.envelope, letter.index, words.PLATFORM, f"event_{code(name)}" if name else "unknown_event")
    if reason := words.not_a_customers(method, subtype):
        return Ignored(letter.envelope, letter.index, words.PLATFORM, reason)
    facts = words.place_facts(detail.get("channel"), method, subtype)
    _add_facts(facts, detail, method)
    if step[0] is Kind.ENDED and words.unanswered(detail.get("channel"), method, detail.get("connectedToSystemTimestamp")):
        facts["unanswered"] = True
    _add_tags(facts, part(detail, "tags"), raw.traits)
    told = words.Told(
        stream="contact-event", id=letter.id, kind=step[0], moment=_moment(step, detail, letter), leg=leg,
        root=text(detail.get("initialContactId"), LONGEST_ID), instance=words.instance_of(detail.get("instanceArn")),
        facts=facts, handles=_handles(detail),
    )  # fmt: skip
    return words.event(letter, raw, told)


def adapt_chat_message(letter: Letter, raw: Raw) -> Event | Ignored:
    """Of all that message streaming sends only the end of the chat is ours; the words are not even looked at."""
    message = letter.document
    if message.get("ContentType") != CHAT_ENDED:
        return Ignored(letter.envelope, letter.index, words.PLATFORM, "chat_message")
    told = words.Told(
        stream="chat-message", id=text(message.get("Id"), LONGEST_ID), kind=Kind.ENDED, moment=read_time(message.get("AbsoluteTime")),
        leg=required_text(message, "ContactId"), root=text(message.get("InitialContactId"), LONGEST_ID), instance=None,
        facts={"channel": "chat", "lives_once": True}, handles={},
    )  # fmt: skip
    return words.event(letter, raw, told)


def ignore_agent_event(letter: Letter, _raw: Raw) -> Ignored:
    return Ignored(letter.envelope, letter.index, words.PLATFORM, "agent_event")


def ignore_flow_call(letter: Letter, _raw: Raw) -> Ignored:
    """A flow that asks a Lambda for something, in the middle of a contact."""
    return Ignored(letter.envelope, letter.index, words.PLATFORM, "flow_call")


def _in_camel_case(detail: Document) -> Document:
    """Some events are written in PascalCase; their fields are the same."""
    if "contactId" in detail or "eventType" in detail:
        return detail
    return {_lowered(name): _keys_lowered(value) if isinstance(value, dict) else value for name, value in detail.items()}


def _keys_lowered(inner: Document) -> Document:
    return {_lowered(name): value for name, value in inner.items()}


def _lowered(name: str) -> str:
    return name[:1].lower() + name[1:]


def _moment(step: tuple[Kind, str, str], detail: Document, letter: Letter) -> Moment:
    """The step's own time; where that is missing or a placeholder, when EventBridge was told."""
    _, inside, name = step
    own = read_time((part(detail, inside) if inside else detail).get(name))
    return own if own.ms is not None or letter.time is None else read_time(letter.time)


def _add_facts(facts: Facts, detail: Document, method: str) -> None:
    queue, agent = part(detail, "queueInfo"), part(detail, "agentInfo")
    found = {
        "previous_leg": text(detail.get("previousContactId"), LONGEST_ID),
        "queue": words.last_of_arn(queue.get("queueArn")),
        "agent": words.last_of_arn(agent.get("agentArn")),
        "started_ms": ms_of(detail.get("initiationTimestamp")),
        "queued_ms": ms_of(queue.get("enqueueTimestamp")),
        "connected_ms": ms_of(agent.get("connectedToAgentTimestamp")),
        "ended_ms": ms_of(detail.get("disconnectTimestamp")),
        "disconnect": code_in(detail.get("disconnectReason")),
        "aside": True if method == words.AGENTLESS_FLOW and not queue and not agent else None,
    }
    facts.update(cast("Facts", {name: value for name, value in found.items() if value is not None}))


def _add_tags(facts: Facts, tags: Document, traits: frozenset[str]) -> None:
    if found := kept(tags, traits):
        facts["traits"] = found
    if purpose := purpose_in(tags):
        facts.setdefault("purpose", purpose)


def _handles(detail: Document) -> Handles:
    customer = text(detail.get("customerId"), LONGEST_PERSONAL)
    return {"contact_id": customer} if customer else {}
