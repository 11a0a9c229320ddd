"""What is in the topics before anybody reads: contacts as a platform tells of them, and contacts that are over."""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Any
from uuid import UUID, uuid4

from phonenumbers import is_valid_number, parse

from shared.runtime.broker import Outgoing
from shared.schemas import InteractionCompleted, Leg
from shared.schemas.fields import in_wire_form
from tests.support.asking import SEALER, completed, customer, mail, phone

OPEN = 1000
STEPS = ("started", "queued", "connected", "ended")
PER_CUSTOMER = 3
MEMBERS = 5_000
WORKERS = ("w-101", "w-102", "w-103", "w-104", "w-105")
ATTRIBUTES = {
    "from_country": "US",
    "called_via": "toll-free",
    "ivr_path": "main>pharmacy>refill>agent",
    "product_line": "prescriptions",
    "state": "OR",
    "task_queue": "pharmacy-en-long-wait",
    "workflow": "inbound-voice-with-overflow",
    "skills": "pharmacy,english,refills,insurance",
    "callback_offered": "no",
    "queue_position_at_entry": "7",
    "estimated_wait_s": "95",
    "trunk": "edge-west-2-carrier-b",
    "recording_policy": "announce-and-record-both-sides",
    "reservation": "WR7c1f0a9be24d4c6b8f35d0e6a17bc952",
}
ACCOUNT = "ACd3b07384d113edec49eaa6238ad5ff00"


Made = tuple[str, bytes, tuple[tuple[str, bytes], ...]]
"""Key, body and headers of a record."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What lies in `topic`, and what `service` owes on `owes` after it: one message for the `per` records of a contact.

    `told` makes the records of the contacts of those numbers.
    """

    name: str
    service: str
    topic: str
    owes: str
    per: int
    told: Callable[[range], Iterator[Made]]

    def owed(self, events: int) -> int:
        return events // self.per

    def records(self, events: int, *, first: int = 0) -> Iterator[Outgoing]:
        """None of them is one of those from another `first`, as long as that is `events` or more away."""
        made = self.told(range(first // self.per, (first + events) // self.per))
        return (Outgoing(self.topic, key.encode(), body, headers) for key, body, headers in made)


Teller = Callable[[int, int], bytes]
"""What a platform says of the contact of that number at that step."""


def platform_events(contacts: range) -> Iterator[Made]:
    """Four events of about 945 bytes per contact."""
    return interleaved(contacts, native())


def interleaved(contacts: range, teller: Teller) -> Iterator[Made]:
    """Four steps per contact, a thousand contacts open at a time."""
    for opened in range(0, len(contacts), OPEN):
        for step, number in itertools.product(range(len(STEPS)), contacts[opened : opened + OPEN]):
            yield f"call-{number}", teller(number, step), (("content-type", b"application/json"),)


def person_of(number: int) -> int:
    """Nine of ten contacts are by members of the directory."""
    return number % MEMBERS if number % 10 else MEMBERS + number


def native() -> Teller:
    """Our own event; its `customer` is someone of the directory, or nobody yet known."""
    started = datetime.now(UTC) - timedelta(minutes=20)
    return lambda number, step: json.dumps(_event(number, step, started)).encode()


def _event(number: int, step: int, started: datetime) -> dict[str, Any]:
    worker = WORKERS[number % len(WORKERS)]
    return {
        "id": _sid("EV", number, step),
        "account": ACCOUNT,
        "contact": f"call-{number}",
        "leg": _sid("WT", number),
        "event": STEPS[step],
        "at": in_wire_form(started + timedelta(seconds=90 * step)),
        "channel": "phone",
        "medium": "voice",
        "direction": "inbound",
        "customer": {"phone": number_of(person_of(number)), "language": "en"},
        "agent": {"id": worker, "name": f"Agent {worker}"} if step >= STEPS.index("connected") else None,
        "team": "birch",
        "queue": "pharmacy-en",
        "reason": "refill",
        "attributes": ATTRIBUTES,
    }


def _sid(kind: str, *numbers: int) -> str:
    """An id as platforms make them: two letters and 32 hex digits."""
    return kind + blake2b(repr(numbers).encode(), digest_size=16).hexdigest()


@lru_cache(maxsize=65_536)
def number_of(person: int) -> str:
    """A number of nobody: in every area 555-0100 to 555-0199 are kept free for stories."""
    areas = _areas()
    return f"+1{areas[person // 100 % len(areas)]}55501{person % 100:02}"


@lru_cache(maxsize=1)
def _areas() -> list[int]:
    return [area for area in range(201, 990) if is_valid_number(parse(f"+1{area}5550100"))]


def contacts_over(contacts: range) -> Iterator[Made]:
    """Contacts of customers who each had three of them, as ingest writes it."""
    pattern, now = _pattern(), datetime.now(UTC)
    for number in contacts:
        person, interaction = number % max(1, len(contacts) // PER_CUSTOMER), str(uuid4())
        ended = in_wire_form(now - timedelta(seconds=30))
        said = {**pattern, "interaction_id": interaction, "ref": f"call-{number}", "ended_at": ended, "point_ref": refs_of(person)[0]}
        body = json.dumps({**said, "customer": snapshot(person)}, separators=(",", ":")).encode()
        yield str(UUID(int=person + 1)), body, _headers(interaction)


@lru_cache(maxsize=65_536)
def snapshot(person: int) -> dict[str, Any]:
    """The customer as in the message; two addresses each."""
    phone_ref, mail_ref = refs_of(person)
    addresses = {phone_ref: number_of(person), mail_ref: f"person{person}@example.com"}
    private = SEALER.seal({"given_name": "Ada", "addresses": addresses})
    made = customer(customer_id=UUID(int=person + 1), number=person, points=(phone(phone_ref), mail(mail_ref)), private=private)
    written: dict[str, Any] = json.loads(made.encode())
    return written


def refs_of(person: int) -> tuple[str, str]:
    return SEALER.ref("phone", "", number_of(person)), SEALER.ref("email", "", f"person{person}@example.com")


def _pattern() -> dict[str, Any]:
    now = datetime.now(UTC)
    leg = Leg(
        agent="w-101", agent_name="Agent w-101", team="birch", queue="pharmacy-en", from_=now - timedelta(minutes=6), to=now, end="agent"
    )
    facts = {
        "legs": (leg,),
        "agent": "w-101",
        "queue": "pharmacy-en",
        "moment": "refill",
        "wait_s": 40,
        "talk_s": 260,
        "traits": {"state": "OR"},
    }
    written: dict[str, Any] = json.loads(completed(None, **facts).encode())
    return {name: value for name, value in written.items() if name != "no_customer"}


def _headers(interaction: str) -> tuple[tuple[str, bytes], ...]:
    said = {
        "ce_specversion": "1.0",
        "ce_id": interaction,
        "ce_source": "/aftercall/ingest",
        "ce_type": InteractionCompleted.TYPE,
        "content-type": "application/json",
    }
    return tuple((name, value.encode()) for name, value in said.items())


INGEST = Shape("ingest", "ingest", "interactions.phone", owes="interactions.completed", per=len(STEPS), told=platform_events)
SCORING = Shape("scoring", "scoring", "interactions.completed", owes="survey.decisions", per=1, told=contacts_over)


def chunks(records: Iterable[Outgoing], size: int = 2_000) -> Iterator[list[Outgoing]]:
    left = iter(records)
    while chunk := list(itertools.islice(left, size)):
        yield chunk
