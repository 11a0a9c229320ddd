"""Amazon Connect's two voices: contact events by EventBridge, and contact records as a Kinesis stream carries them."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from deploy.demo.emission import Contact, Emission, Json, as_bytes, in_ms, in_s, new_id
from deploy.demo.people import Person

ACCOUNT = "111122223333"
INSTANCE = "5c1f4b0e-6f0e-4f57-9d3c-2a8b7a1d9e10"
REGION = "us-east-1"
OUR_NUMBER = "+18005550199"
QUEUES = {"billing-line": "Billing line", "orders-line": "Orders line"}
AGENTS = {"agent-ana": "ana", "agent-tom": "tom", "agent-maria": "maria"}


@dataclass(frozen=True, slots=True)
class Leg:
    """One agent's part of an Amazon Connect call."""

    contact_id: str
    queue: str
    agent: str | None
    started: datetime
    queued: datetime
    connected: datetime | None
    ended: datetime
    method: str = "INBOUND"
    previous: str | None = None
    next: str | None = None


def leg(contact_id: str, queue: str, agent: str | None, *, start: datetime, end: datetime, **more: Any) -> Leg:
    queued = start + timedelta(seconds=10)
    return Leg(contact_id, queue, agent, start, queued, queued + timedelta(seconds=20) if agent else None, end, **more)


def told(legs: Sequence[Leg], caller: Person, *, title: str, rng: random.Random) -> Contact:
    """Contact events by EventBridge, and the contact records bare, as a Kinesis stream carries them."""
    root = legs[0].contact_id
    events = [_eventbridge(leg, root, event=event, at=at, rng=rng) for leg in legs for event, at in _steps(leg)]
    records = [Emission("interactions.phone", root, as_bytes(_record(leg, root, caller))) for leg in legs]
    return Contact("amazon-connect", INSTANCE, root, title, (*events, *records))


def _steps(leg: Leg) -> list[tuple[str, datetime]]:
    steps = [("INITIATED", leg.started), ("QUEUED", leg.queued)]
    if leg.connected:
        steps.append(("CONNECTED_TO_AGENT", leg.connected))
    return [*steps, ("DISCONNECTED", leg.ended), ("COMPLETED", leg.ended)]


def _eventbridge(leg: Leg, root: str, *, event: str, at: datetime, rng: random.Random) -> Emission:
    detail: Json = {
        "eventType": event,
        "contactId": leg.contact_id,
        "channel": "VOICE",
        "instanceArn": _arn(""),
        "initiationMethod": leg.method,
        "initiationTimestamp": in_ms(leg.started),
        "tags": {"aws:connect:instanceId": INSTANCE, "aws:connect:systemEndpoint": OUR_NUMBER},
    }
    if leg.contact_id != root:
        detail |= {"initialContactId": root, "previousContactId": leg.previous}
    if at >= leg.queued:
        detail["queueInfo"] = {"queueType": "STANDARD", "queueArn": _arn(f"/queue/{leg.queue}"), "enqueueTimestamp": in_ms(leg.queued)}
    if leg.connected and at >= leg.connected:
        detail["agentInfo"] = {"agentArn": _arn(f"/agent/{leg.agent}"), "connectedToAgentTimestamp": in_ms(leg.connected)}
    if event in ("DISCONNECTED", "COMPLETED"):
        detail["disconnectTimestamp"] = in_ms(leg.ended)
    envelope = {
        "version": "0",
        "id": new_id(rng),
        "detail-type": "Amazon Connect Contact Event",
        "source": "aws.connect",
        "account": ACCOUNT,
        "time": in_s(at),
        "region": REGION,
        "resources": [_arn(""), _arn(f"/contact/{leg.contact_id}")],
        "detail": detail,
    }
    return Emission("interactions.phone", root, as_bytes(envelope))


def _record(leg: Leg, root: str, caller: Person) -> Json:
    later = leg.contact_id != root
    talked = int((leg.ended - leg.connected).total_seconds()) if leg.connected else 0
    agent: Json | None = None
    if leg.connected and leg.agent:
        agent = {
            "ARN": _arn(f"/agent/{leg.agent}"),
            "AgentInteractionDuration": talked,
            "ConnectedToAgentTimestamp": in_s(leg.connected),
            "CustomerHoldDuration": 0,
            "NumberOfHolds": 0,
            "Username": AGENTS[leg.agent],
        }
    dequeued = leg.connected or leg.ended
    return {
        "AWSAccountId": ACCOUNT,
        "AWSContactTraceRecordFormatVersion": "2017-03-10",
        "Agent": agent,
        "AgentConnectionAttempts": 1 if agent else 0,
        "Attributes": {"greetingPlayed": "true"},
        "Channel": "VOICE",
        "ConnectedToSystemTimestamp": in_s(leg.started),
        "ContactId": leg.contact_id,
        "CustomerEndpoint": {"Address": caller.phone, "Type": "TELEPHONE_NUMBER"},
        "DisconnectReason": "CUSTOMER_DISCONNECT" if leg.next is None else None,
        "DisconnectTimestamp": in_s(leg.ended),
        "InitialContactId": root if later else None,
        "InitiationMethod": leg.method,
        "InitiationTimestamp": in_s(leg.started),
        "InstanceARN": _arn(""),
        "LastUpdateTimestamp": in_s(leg.ended),
        "NextContactId": leg.next,
        "PreviousContactId": leg.previous,
        "Queue": {
            "ARN": _arn(f"/queue/{leg.queue}"),
            "DequeueTimestamp": in_s(dequeued),
            "Duration": int((dequeued - leg.queued).total_seconds()),
            "EnqueueTimestamp": in_s(leg.queued),
            "Name": QUEUES[leg.queue],
        },
        "SystemEndpoint": {"Address": OUR_NUMBER, "Type": "TELEPHONE_NUMBER"},
        "TransferCompletedTimestamp": in_s(leg.ended) if leg.next else None,
    }


def _arn(rest: str) -> str:
    return f"arn:aws:connect:{REGION}:{ACCOUNT}:instance/{INSTANCE}{rest}"
