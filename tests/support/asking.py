"""Contacts, customers and a scoring service without processes: handlers and timers are called as the runtime calls them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from prometheus_client import CollectorRegistry
from sqlalchemy import RowMapping

from scoring.ask.model import Accepted, Outgoing, Result
from scoring.ask.sending.timers import claim_sendings, send
from scoring.decide.first import TNPS, first_document
from scoring.decide.model import Asked, Facts
from scoring.decide.policy import Policy, parse
from scoring.deps import Deps
from scoring.handle import HANDLERS
from scoring.listen.misses import Misses, Proxies
from scoring.metrics import ScoringMetrics
from scoring.settings import Settings
from scoring.timers import TIMERS
from shared.runtime.broker import Record
from shared.runtime.database import Database, rows, run
from shared.runtime.delivery import Delivery
from shared.runtime.handling import Batch
from shared.runtime.sealing import Sealer
from shared.schemas import CallbackChanged, Consent, Contact, Customer, InteractionCompleted, Message, Point, Sealed
from shared.topics import topic_of

NOON = datetime(2026, 3, 3, 17, 0, tzinfo=UTC)
"""A Tuesday, noon in New York, 9:00 in Los Angeles."""

PHONE = "ref-of-a-phone"
MAIL = "ref-of-an-e-mail"
CASE = UUID(int=70)
EVERYBODY: Mapping[str, Any] = {
    "hours": {"daily": "00:00-24:00"},
    "delay_s": {},
    "sampling": {"rate": 1.0},
}
"""Changes that let every eligible contact through at once, as in the demo."""

KEYS = "test:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
PEPPER = "a pepper that is long enough for tests"
SEALER = Sealer(KEYS, PEPPER)


def phone(ref: str = PHONE, **changes: Any) -> Point:
    return Point(**{"ref": ref, "kind": "phone", "can": ("voice", "sms"), "dead": False, **changes})


def mail(ref: str = MAIL, **changes: Any) -> Point:
    return Point(**{"ref": ref, "kind": "email", "can": ("email",), "dead": False, **changes})


def customer(**changes: Any) -> Customer:
    points: Sequence[Point] = changes.get("points", (phone(), mail()))
    addresses = {
        point.ref: f"+1555{index:07}" if point.kind == "phone" else f"person{index}@example.com" for index, point in enumerate(points)
    }
    values: dict[str, Any] = {
        "customer_id": UUID(int=1),
        "number": 4821,
        "version": 1,
        "known": True,
        "language": "en",
        "candidate_zones": ("America/New_York",),
        "segment": "family",
        "flags": (),
        "traits": {},
        "points": points,
        "consents": (),
        "private": SEALER.seal({"given_name": "Ada", "addresses": addresses}),
    }
    return Customer(**{**values, **changes})


def contact(**changes: Any) -> Contact:
    return Contact(**_contact(changes))


def completed(person: Customer | None = None, **changes: Any) -> InteractionCompleted:
    """A contact that ended a minute ago by the real clock, with its customer."""
    now = datetime.now(UTC)
    times = {"started_at": now - timedelta(minutes=7), "ended_at": now - timedelta(minutes=1), "received_at": now}
    values = _contact({"interaction_id": uuid4(), "ref": f"call-{uuid4()}", **times, **changes})
    return InteractionCompleted(**{**values, "customer": person, "no_customer": None if person else "none"})


def _contact(changes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "interaction_id": UUID(int=7),
        "revision": 1,
        "standing": "over",
        "platform": "acme",
        "account": "-",
        "ref": "call-1",
        "episode": 0,
        "channel": "phone",
        "medium": "voice",
        "direction": "inbound",
        "purpose": "service",
        "outcome": "handled",
        "started_at": NOON - timedelta(minutes=10),
        "ended_at": NOON - timedelta(minutes=1),
        "received_at": NOON,
        "clock_suspect": False,
        "transfers": 0,
        "contacts_7d": 1,
        "legs": (),
        "team": "birch",
        "catalogue_version": 1,
        "point_ref": PHONE,
        "traits": {},
        **changes,
    }


def facts(**changes: Any) -> Facts:
    """An eligible contact; `contact` and `customer` may be given as changes to it."""
    made = contact(**changes.pop("contact", {}))
    person = changes.pop("customer", {})
    values: dict[str, Any] = {
        "kind": TNPS,
        "anchor": made.interaction_id,
        "contact": made,
        "customer": None if person is None else customer(**person),
        "erased": False,
        "consents": (),
        "own_call": False,
        "open_callback": False,
        "gateways": frozenset({"sms", "email", "chat"}),
        "aged_from": made.ended_at,
        "give_up_at": NOON + timedelta(days=1),
    }
    return Facts(**{**values, **changes})


def policy(kind: str = TNPS, version: int = 1, **changes: Any) -> Policy:
    return Policy(version, kind, parse(first_document(kind, {"sampling": {"rate": 1.0}, **changes})))


def asked(days_ago: float, **changes: Any) -> Asked:
    values: dict[str, Any] = {
        "kind": TNPS,
        "anchor": uuid4(),
        "customer_id": UUID(int=1),
        "address_ref": PHONE,
        "at": NOON - timedelta(days=days_ago),
    }
    return Asked(**{**values, **changes})


def consent(state: str = "refused", **changes: Any) -> Consent:
    subject = {} if "address_ref" in changes else {"customer_id": UUID(int=1)}
    values: dict[str, Any] = {"channel": "sms", "purpose": "survey", "state": state, "at": NOON, "source": "test", **subject}
    return Consent(**{**values, **changes})


def case(state: str, *, revision: int, case_id: UUID = CASE, **changes: Any) -> CallbackChanged:
    now = datetime.now(UTC)
    values = {
        "case_id": case_id,
        "revision": revision,
        "change": "opened",
        "at": now,
        "by": {"kind": "system", "ref": "routing"},
        "state": state,
        "route": "call",
        "consent_basis": "implied",
        "arm": "call",
        "arm_rate": 1.0,
        "customer_id": UUID(int=1),
        "opened_at": now,
        "first_answered_at": now,
        "due_at": now,
        "overdue": False,
        "team": "birch",
        "priority": 40,
        "level": "normal",
        "attempts": 0,
        "policy_version": 1,
        **changes,
    }
    return CallbackChanged.model_validate(values)


@dataclass
class FakeGateway:
    """As a real one: `delivered` is what reached a phone. With `keeps_keys` a key reaches it once, whatever is sent again.

    `answers` are given to the next calls, first to last; a message counts as delivered unless its answer says otherwise.
    """

    keeps_keys: bool = True
    name: str = "fake"
    delivered: list[Outgoing] = field(default_factory=list)
    calls: list[Outgoing] = field(default_factory=list)
    answers: list[tuple[Result, bool]] = field(default_factory=list)

    async def send(self, message: Outgoing) -> Result:
        self.calls.append(message)
        answer, reached = self.answers.pop(0) if self.answers else (Accepted(f"m-{len(self.calls)}"), True)
        if reached and not (self.keeps_keys and any(message.key == each.key for each in self.delivered)):
            self.delivered.append(message)
        return answer


class Scoring:
    """One replica's handlers and timers over a real database. `deliver` and `turn` do what the runtime would."""

    def __init__(
        self, url: str, *, gateway: FakeGateway | None = None, policies: Mapping[str, Mapping[str, Any]] | None = None, **settings: Any
    ) -> None:
        self.gateway = gateway or FakeGateway()
        first = {"tnps": dict(EVERYBODY), "recovery": {"hours": EVERYBODY["hours"], "delay_s": {}}} if policies is None else policies
        self.settings = Settings(database_url=url, first_policies=first, send_waits_s=[60, 300], **settings)
        self.database = Database(url, schema="scoring", pool_size=5)
        channels = dict.fromkeys(("sms", "email", "chat"), self.gateway)
        self.deps = Deps(
            settings=self.settings,
            database=self.database,
            sealer=SEALER,
            gateways=channels,
            metrics=ScoringMetrics(CollectorRegistry()),
            misses=Misses(burst=self.settings.survey_misses, every_s=self.settings.survey_miss_every_s),
            proxies=Proxies(self.settings.trusted_proxies),
        )

    async def deliver(self, *messages: Message) -> Batch[Any]:
        """One polled batch of one topic, in one transaction."""
        async with self.database.transaction() as unit:
            batch: Batch[Any] = Batch(unit, [_delivery(message) for message in messages])
            await HANDLERS[topic_of(messages[0].TYPE)].handle(batch, self.deps)
        return batch

    async def turn(self, timer: str) -> int:
        return await TIMERS[timer].round(self.database, self.deps)

    async def send(self) -> int:
        return await self.turn("sending")

    async def send_and_die(self) -> None:
        """Claim and call as a sender does, and never record: the process is killed after the gateway took it."""
        async with self.database.transaction() as unit:
            claimed = await claim_sendings(unit, self.deps)
        for each in claimed:
            await send(each, self.deps)

    async def rows(self, sql: str, **parameters: object) -> Sequence[RowMapping]:
        async with self.database.transaction() as unit:
            return await rows(unit.tx, sql, **parameters)

    async def move(self, table: str, column: str, *, seconds: float) -> None:
        """The one way a test lets time pass: a due column is moved back."""
        async with self.database.transaction() as unit:
            await run(unit.tx, f"update {table} set {column} = {column} - make_interval(secs => :seconds)", seconds=seconds)

    async def surveys(self) -> Sequence[RowMapping]:
        return await self.rows("select * from survey order by id")

    async def outcomes(self) -> list[tuple[str, str]]:
        return [(each["outcome"], each["reason"]) for each in await self.rows("select outcome, reason from decision order by id")]

    async def sent_messages(self, message: type[Message]) -> list[Any]:
        """What the outbox holds of one type, in order."""
        found = await self.rows("select payload from outbox where type = :type order by seq", type=message.TYPE)
        return [message.model_validate_json(each["payload"]) for each in found]

    async def close(self) -> None:
        await self.database.close()


def _delivery(message: Message) -> Delivery[Any]:
    record = Record(topic_of(message.TYPE), 0, 0, b"k", message.encode(), (), datetime.now(UTC))
    return Delivery(message, str(uuid4()), "/test", None, None, record)


def sealed(value: object) -> Sealed:
    return SEALER.seal(value)


def verdicts(decision: Any, rules: Iterable[str]) -> dict[str, str]:
    return {rule: verdict for rule, (verdict, _) in zip(rules, decision.verdicts, strict=True)}
