"""What a contact center's platforms emit for one contact, in their own dialects: real shapes, invented values, ended just now.

Everything here is a value from values: `ended` and `rng` come from outside, so a seed tells the same story again.
"""

import random
from datetime import datetime, timedelta

from deploy.demo import connect
from deploy.demo.emission import Contact, Emission, Json, as_bytes, cloudevent_headers, in_ms, new_id
from deploy.demo.people import Person


def transferred_call(caller: Person, *, ended: datetime, rng: random.Random) -> Contact:
    """A call that waits, talks to one agent, is handed to another queue and ends there: two Connect contacts, one customer's contact."""
    first, second = new_id(rng), new_id(rng)
    handed = ended - timedelta(seconds=150)
    legs = (
        connect.leg(first, "billing-line", "agent-ana", start=ended - timedelta(seconds=330), end=handed, next=second),
        connect.leg(second, "orders-line", "agent-tom", start=handed, end=ended, method="TRANSFER", previous=first),
    )
    return connect.told(legs, caller, title="Phone call, one transfer", rng=rng)


def short_call(caller: Person, *, ended: datetime, rng: random.Random) -> Contact:
    """One agent, no transfer."""
    queue, agent = rng.choice(sorted(connect.QUEUES)), rng.choice(sorted(connect.AGENTS))
    leg = connect.leg(new_id(rng), queue, agent, start=ended - timedelta(seconds=rng.randint(100, 400)), end=ended)
    return connect.told((leg,), caller, title="Phone call", rng=rng)


def abandoned_call(caller: Person, *, ended: datetime, rng: random.Random) -> Contact:
    """Nobody answered before the caller gave up."""
    leg = connect.leg(new_id(rng), "billing-line", None, start=ended - timedelta(seconds=95), end=ended)
    return connect.told((leg,), caller, title="Abandoned call", rng=rng)


def chat(visitor: Person, *, ended: datetime, rng: random.Random) -> Contact:
    """A chat of a platform without an adapter: our native event inside CloudEvents, in Kafka's binary mode."""
    ref, start = f"chat-{new_id(rng)[:8]}", ended - timedelta(seconds=rng.randint(120, 500))
    moments = (("started", start), ("connected", start + timedelta(seconds=20)), ("ended", ended))
    emissions = tuple(_native(ref, visitor, event=event, at=at, number=number) for number, (event, at) in enumerate(moments))
    return Contact("native", "larkfield-chat", ref, "Chat", emissions)


def visit(visitor: Person, *, ended: datetime, rng: random.Random) -> Contact:
    """Self-service on the web that nobody had to help with: bare native events."""
    ref, start = f"web-{new_id(rng)[:8]}", ended - timedelta(seconds=rng.randint(60, 300))
    customer = {"member_id": visitor.member_id, "email": visitor.email}
    body: Json = {"account": "larkfield-web", "contact": ref, "channel": "web", "customer": customer}
    arrived: Json = {**body, "id": f"{ref}-1", "event": "started", "at": in_ms(start)}
    left: Json = {**body, "id": f"{ref}-2", "event": "ended", "at": in_ms(ended), "self_served": True}
    emissions = tuple(Emission("interactions.web", ref, as_bytes(event)) for event in (arrived, left))
    return Contact("native", "larkfield-web", ref, "Web visit", emissions)


def broken(*, rng: random.Random) -> Emission:
    """What no reader can read: it becomes a dead letter, and nothing else stops."""
    return Emission("interactions.phone", new_id(rng), b'{"detail-type": "Amazon Connect Contact Event", "detail": {"eventType": ')


def profile(member: Person, *, at: datetime) -> Emission:
    """What the CRM knows, as it tells it."""
    body: Json = {
        "profile_id": f"demo-{member.member_id}-{at:%Y%m%d%H%M%S}",
        "member_id": member.member_id,
        "at": in_ms(at),
        "name": member.name,
        "addresses": [{"kind": "phone", "value": member.phone}, {"kind": "email", "value": member.email}],
        "zone": member.zone,
        "language": "en",
        "segment": member.segment,
        "consents": [{"channel": "email", "purpose": "survey", "state": "granted", "at": in_ms(at), "source": "web_form"}],
    }
    attributes = {"id": body["profile_id"], "source": "/larkfield/crm", "type": "aftercall.profile-given.v1", "time": in_ms(at)}
    return Emission("customers.profiles", member.member_id, as_bytes(body), cloudevent_headers(attributes))


def _native(ref: str, visitor: Person, *, event: str, at: datetime, number: int) -> Emission:
    body: Json = {
        "id": f"{ref}-{number}",
        "account": "larkfield-chat",
        "contact": ref,
        "event": event,
        "at": in_ms(at),
        "channel": "chat",
        "medium": "webchat",
        "direction": "inbound",
        "customer": {"member_id": visitor.member_id, "email": visitor.email, "name": visitor.name, "language": "en"},
        "queue": "chat-desk",
    }
    if event != "started":
        body["agent"] = {"id": "maria", "name": "Maria"}
    attributes = {"id": body["id"], "source": "/larkfield/chat", "type": f"contact.{event}", "time": in_ms(at)}
    return Emission("interactions.chat", ref, as_bytes(body), cloudevent_headers(attributes))
