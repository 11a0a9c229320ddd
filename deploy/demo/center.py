"""What a contact center's platforms emit for one contact, in their own dialects: real shapes, invented values, ended just now.

Everything here is a value from values: `ended` and `rng` come from outside, so a seed tells the same story again.
"""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from deploy.demo.people import Person

ACCOUNT = "111122223333"
INSTANCE = "5c1f4b0e-6f0e-4f57-9d3c-2a8b7a1d9e10"
REGION = "us-east-1"
OUR_NUMBER = "+18005550199"
QUEUES = {"billing-line": "Billing line", "orders-line": "Orders line"}
AGENTS = {"agent-ana": "ana", "agent-tom": "tom", "agent-maria": "maria"}

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Emission:
    """One record for a raw topic."""

    topic: str
    key: str
    value: bytes
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact as its platform names it, and everything the platform says of it."""

    platform: str
    account: str
    ref: str
    title: str
    emissions: tuple[Emission, ...]


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


def transferred_call(caller: Person, *, ended: datetime, rng: random.Random) -> Contact:
    """A call that waits, talks to one agent, is handed to another queue and ends there: two Connect contacts, one customer's contact."""
    first, second = _id(rng), _id(rng)
    handed = ended - timedelta(seconds=150)
    legs = (
        _leg(first, "billing-line", "agent-ana", start=ended - timedelta(seconds=330), end=handed, next=second),
        _leg(second, "orders-line", "agent-tom", start=handed, end=ended, method="TRANSFER", previous=first),
    )
    return _connect(legs, caller, title="Phone call, one transfer", rng=rng)


def short_call(caller: Person, *, ended: datetime, rng: random.Random) -> Contact:
    """One agent, no transfer."""
    queue, agent = rng.choice(sorted(QUEUES)), rng.choice(sorted(AGENTS))
    leg = _leg(_id(rng), queue, agent, start=ended - timedelta(seconds=rng.randint(100, 400)), end=ended)
    return _connect((leg,), caller, title="Phone call", rng=rng)


def abandoned_call(caller: Person, *, ended: datetime, rng: random.Random) -> Contact:
    """Nobody answered before the caller gave up."""
    leg = _leg(_id(rng), "billing-line", None, start=ended - timedelta(seconds=95), end=ended)
    return _connect((leg,), caller, title="Abandoned call", rng=rng)


def chat(visitor: Person, *, ended: datetime, rng: random.Random) -> Contact:
    """A chat of a platform without an adapter: our native event inside CloudEvents, in Kafka's binary mode."""
    ref, start = f"chat-{_id(rng)[:8]}", ended - timedelta(seconds=rng.randint(120, 500))
    moments = (("started", start), ("connected", start + timedelta(seconds=20)), ("ended", ended))
    emissions = tuple(_native(ref, visitor, event=event, at=at, number=number) for number, (event, at) in enumerate(moments))
    return Contact("native", "larkfield-chat", ref, "Chat", emissions)


def visit(visitor: Person, *, ended: datetime, rng: random.Random) -> Contact:
    """Self-service on the web that nobody had to help with: bare native events."""
    ref, start = f"web-{_id(rng)[:8]}", ended - timedelta(seconds=rng.randint(60, 300))
    customer = {"member_id": visitor.member_id, "email": visitor.email}
    body: Json = {"account": "larkfield-web", "contact": ref, "channel": "web", "customer": customer}
    arrived: Json = {**body, "id": f"{ref}-1", "event": "started", "at": _ms(start)}
    left: Json = {**body, "id": f"{ref}-2", "event": "ended", "at": _ms(ended), "self_served": True}
    emissions = tuple(Emission("interactions.web", ref, _bytes(event)) for event in (arrived, left))
    return Contact("native", "larkfield-web", ref, "Web visit", emissions)


def broken(*, rng: random.Random) -> Emission:
    """What no reader can read: it becomes a dead letter, and nothing else stops."""
    return Emission("interactions.phone", _id(rng), b'{"detail-type": "Amazon Connect Contact Event", "detail": {"eventType": ')


def profile(member: Person, *, at: datetime) -> Emission:
    """What the CRM knows, as it tells it."""
    body: Json = {
        "profile_id": f"demo-{member.member_id}-{at:%Y%m%d%H%M%S}",
        "member_id": member.member_id,
        "at": _ms(at),
        "name": member.name,
        "addresses": [{"kind": "phone", "value": member.phone}, {"kind": "email", "value": member.email}],
        "zone": member.zone,
        "language": "en",
        "segment": member.segment,
        "consents": [{"channel": "email", "purpose": "survey", "state": "granted", "at": _ms(at), "source": "web_form"}],
    }
    attributes = {"id": body["profile_id"], "source": "/larkfield/crm", "type": "aftercall.profile-given.v1", "time": _ms(at)}
    return Emission("customers.profiles", member.member_id, _bytes(body), _cloudevent(attributes))


def _leg(contact_id: str, queue: str, agent: str | None, *, start: datetime, end: datetime, **more: Any) -> Leg:
    queued = start + timedelta(seconds=10)
    return Leg(contact_id, queue, agent, start, queued, queued + timedelta(seconds=20) if agent else None, end, **more)


def _connect(legs: Sequence[Leg], caller: Person, *, title: str, rng: random.Random) -> Contact:
    """Contact events by EventBridge, and the contact records bare, as a Kinesis stream carries them."""
    root = legs[0].contact_id
    events = [_eventbridge(leg, root, event=event, at=at, rng=rng) for leg in legs for event, at in _steps(leg)]
    records = [Emission("interactions.phone", root, _bytes(_record(leg, root, caller))) for leg in legs]
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
        "initiationTimestamp": _ms(leg.started),
        "tags": {"aws:connect:instanceId": INSTANCE, "aws:connect:systemEndpoint": OUR_NUMBER},
    }
    if leg.contact_id != root:
        detail |= {"initialContactId": root, "previousContactId": leg.previous}
    if at >= leg.queued:
        detail["queueInfo"] = {"queueType": "STANDARD", "queueArn": _arn(f"/queue/{leg.queue}"), "enqueueTimestamp": _ms(leg.queued)}
    if leg.connected and at >= leg.connected:
        detail["agentInfo"] = {"agentArn": _arn(f"/agent/{leg.agent}"), "connectedToAgentTimestamp": _ms(leg.connected)}
    if event in ("DISCONNECTED", "COMPLETED"):
        detail["disconnectTimestamp"] = _ms(leg.ended)
    envelope = {
        "version": "0",
        "id": _id(rng),
        "detail-type": "Amazon Connect Contact Event",
        "source": "aws.connect",
        "account": ACCOUNT,
        "time": _s(at),
        "region": REGION,
        "resources": [_arn(""), _arn(f"/contact/{leg.contact_id}")],
        "detail": detail,
    }
    return Emission("interactions.phone", root, _bytes(envelope))


def _record(leg: Leg, root: str, caller: Person) -> Json:
    later = leg.contact_id != root
    talked = int((leg.ended - leg.connected).total_seconds()) if leg.connected else 0
    agent: Json | None = None
    if leg.connected and leg.agent:
        agent = {
            "ARN": _arn(f"/agent/{leg.agent}"),
            "AgentInteractionDuration": talked,
            "ConnectedToAgentTimestamp": _s(leg.connected),
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
        "ConnectedToSystemTimestamp": _s(leg.started),
        "ContactId": leg.contact_id,
        "CustomerEndpoint": {"Address": caller.phone, "Type": "TELEPHONE_NUMBER"},
        "DisconnectReason": "CUSTOMER_DISCONNECT" if leg.next is None else None,
        "DisconnectTimestamp": _s(leg.ended),
        "InitialContactId": root if later else None,
        "InitiationMethod": leg.method,
        "InitiationTimestamp": _s(leg.started),
        "InstanceARN": _arn(""),
        "LastUpdateTimestamp": _s(leg.ended),
        "NextContactId": leg.next,
        "PreviousContactId": leg.previous,
        "Queue": {
            "ARN": _arn(f"/queue/{leg.queue}"),
            "DequeueTimestamp": _s(dequeued),
            "Duration": int((dequeued - leg.queued).total_seconds()),
            "EnqueueTimestamp": _s(leg.queued),
            "Name": QUEUES[leg.queue],
        },
        "SystemEndpoint": {"Address": OUR_NUMBER, "Type": "TELEPHONE_NUMBER"},
        "TransferCompletedTimestamp": _s(leg.ended) if leg.next else None,
    }


def _native(ref: str, visitor: Person, *, event: str, at: datetime, number: int) -> Emission:
    body: Json = {
        "id": f"{ref}-{number}",
        "account": "larkfield-chat",
        "contact": ref,
        "event": event,
        "at": _ms(at),
        "channel": "chat",
        "medium": "webchat",
        "direction": "inbound",
        "customer": {"member_id": visitor.member_id, "email": visitor.email, "name": visitor.name, "language": "en"},
        "queue": "chat-desk",
    }
    if event != "started":
        body["agent"] = {"id": "maria", "name": "Maria"}
    attributes = {"id": body["id"], "source": "/larkfield/chat", "type": f"contact.{event}", "time": _ms(at)}
    return Emission("interactions.chat", ref, _bytes(body), _cloudevent(attributes))


def _cloudevent(attributes: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return (("content-type", "application/json"), ("ce_specversion", "1.0"), *((f"ce_{name}", value) for name, value in attributes.items()))


def _arn(rest: str) -> str:
    return f"arn:aws:connect:{REGION}:{ACCOUNT}:instance/{INSTANCE}{rest}"


def _id(rng: random.Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))


def _bytes(body: Json) -> bytes:
    return json.dumps(body).encode()


def _ms(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def _s(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
