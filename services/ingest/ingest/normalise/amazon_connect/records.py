"""Contact records (contact trace records): one whole leg, re-sent when its attributes change."""

from typing import cast

from pydantic import JsonValue

from ingest.normalise.amazon_connect import words
from ingest.normalise.decode import Document
from ingest.normalise.envelopes import Letter
from ingest.normalise.fields import LONGEST_ID, LONGEST_PERSONAL, code_in, kept, part, purpose_in, required_text, seconds, text
from ingest.normalise.model import Event, Facts, Handles, Ignored, Kind, Raw
from ingest.normalise.times import as_datetime, ms_of, read_time

_WHO_HUNG_UP = {
    "customer_disconnect": "customer",
    "agent_disconnect": "agent",
    "agent_hungup": "agent",
    "third_party_disconnect": "third_party",
}
_BY_THE_FLOW = "contact_flow_disconnect"
_FAULTS = ("telecom_", "outbound_")
_ENDPOINTS = {"TELEPHONE_NUMBER": "phone", "EMAIL_ADDRESS": "email"}


def adapt_record(letter: Letter, raw: Raw) -> Event | Ignored:
    """Raises `Unreadable` where the contact's id is missing. A record exists only of a leg that is over, even if it does not say when."""
    record = letter.document
    leg = required_text(record, "ContactId")
    method, subtype = words.upper(record.get("InitiationMethod")), words.subtype_of(part(record, "SegmentAttributes"))
    if reason := words.not_a_customers(method, subtype):
        return Ignored(letter.envelope, letter.index, words.PLATFORM, reason)
    facts = words.place_facts(record.get("Channel"), method, subtype)
    facts["record"] = True
    facts["version"] = _version(record.get("LastUpdateTimestamp"))
    _add_facts(facts, record, method)
    _add_whether_answered(facts, record, method)
    _add_disconnect(facts, record, method)
    _add_attributes(facts, part(record, "Attributes"), raw.traits)
    told = words.Told(
        stream="contact-record", id=leg, kind=Kind.TRANSFERRED if "next_leg" in facts else Kind.ENDED,
        moment=read_time(record.get("DisconnectTimestamp")), leg=leg, root=text(record.get("InitialContactId"), LONGEST_ID),
        instance=words.instance_of(record.get("InstanceARN")), facts=facts, handles=_handles(record),
    )  # fmt: skip
    return words.event(letter, raw, told)


def _version(updated: JsonValue) -> str:
    """Sorts as text the way the times do."""
    ms = ms_of(updated)
    return "" if ms is None else as_datetime(ms).isoformat(timespec="milliseconds")


def _add_facts(facts: Facts, record: Document, method: str) -> None:
    queue, agent = part(record, "Queue"), part(record, "Agent")
    name = text(agent.get("Username"), LONGEST_ID)
    found = {
        "previous_leg": text(record.get("PreviousContactId"), LONGEST_ID),
        "next_leg": text(record.get("NextContactId"), LONGEST_ID),
        "queue": text(queue.get("Name"), LONGEST_ID) or words.last_of_arn(queue.get("ARN")),
        "agent": words.last_of_arn(agent.get("ARN")) or name,
        "agent_name": name,
        "started_ms": ms_of(record.get("InitiationTimestamp")),
        "queued_ms": ms_of(queue.get("EnqueueTimestamp")),
        "connected_ms": ms_of(agent.get("ConnectedToAgentTimestamp")),
        "ended_ms": ms_of(record.get("DisconnectTimestamp")),
        "wait_s": seconds(queue.get("Duration")),
        "talk_s": seconds(agent.get("AgentInteractionDuration")),
        "hold_s": seconds(agent.get("CustomerHoldDuration")),
        "aside": True if method == words.AGENTLESS_FLOW and not queue and not agent else None,
    }
    facts.update(cast("Facts", {key: value for key, value in found.items() if value is not None}))


def _add_whether_answered(facts: Facts, record: Document, method: str) -> None:
    """A record names an agent only where one took the contact, whether or not it can be read when."""
    if "agent" in facts and "connected_ms" not in facts:
        facts["handled"] = True
    if "ConnectedToSystemTimestamp" not in record:
        return
    unanswered = words.unanswered(record.get("Channel"), method, record["ConnectedToSystemTimestamp"])
    if unanswered is not None:
        facts["unanswered"] = unanswered
    if unanswered:
        facts.pop("talk_s", None)


def _add_disconnect(facts: Facts, record: Document, method: str) -> None:
    """What the flow hung up without queue or agent was for a machine to settle; of what came in, null says the flow did."""
    reason = code_in(record.get("DisconnectReason"))
    if reason is not None:
        facts["disconnect"] = _WHO_HUNG_UP.get(reason, reason)
        if reason.startswith(_FAULTS):
            facts["failed"] = True
    by_the_flow = reason == _BY_THE_FLOW or (record.get("DisconnectReason", "") is None and method == "INBOUND")
    if by_the_flow and facts.keys().isdisjoint(("queue", "agent")):
        facts["bot"] = True


def _add_attributes(facts: Facts, attributes: Document, traits: frozenset[str]) -> None:
    if found := kept(attributes, traits):
        facts["traits"] = found
    if purpose := purpose_in(attributes):
        facts.setdefault("purpose", purpose)


def _handles(record: Document) -> Handles:
    """The customer's end of the line, where that is a number or an address and not another system."""
    handles: Handles = {}
    endpoint = part(record, "CustomerEndpoint")
    kind = _ENDPOINTS.get(words.upper(endpoint.get("Type")))
    address = text(endpoint.get("Address"), LONGEST_PERSONAL)
    if address and kind == "phone":
        handles["phone"] = address
    elif address and kind == "email":
        handles["email"] = address
    if customer := text(record.get("CustomerId"), LONGEST_PERSONAL):
        handles["contact_id"] = customer
    return handles
