"""A policy: which rules run for a kind of survey, and with what values. Versioned data, parsed and checked here."""

import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    ValidationError,
    model_validator,
)

from scoring.errors import Fault, PolicyInvalid
from shared.hours import Hours

RULES = (
    "customer",
    "standing",
    "purpose",
    "outcome",
    "channel",
    "direction",
    "length",
    "age",
    "flags",
    "reachable",
    "consent",
    "opt_out",
    "quarantine_any",
    "quarantine_kind",
    "caps",
    "open_callback",
    "blackout",
    "hours",
    "sampling",
)
"""Every rule there is, in the order they run: the first that fails is the reason."""

RECOVERY_RULES = ("customer", "flags", "reachable", "consent", "opt_out", "blackout", "hours")
NEVER_LEFT_OUT = frozenset({"customer", "reachable", "consent", "opt_out"})
PLACEHOLDERS = frozenset({"brand", "link"})
DAY_S = 86_400.0

Seconds = Annotated[float, Field(ge=0)]
Days = Annotated[float, Field(ge=0)]
Times = Annotated[int, Field(ge=0)]
Rate = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Allowed(_Part):
    """Codes that pass. A platform's own `unknown` passes unless `unknown` says otherwise."""

    allowed: frozenset[str]
    unknown: Literal["pass", "fail"] = "pass"


class Age(_Part):
    """How old a contact may be when decided and when the survey leaves."""

    decide_s: Seconds = DAY_S
    send_s: Seconds = 2 * DAY_S


class Quarantine(_Part):
    any_days: Days = 30
    kind_days: Days = 30


class Caps(_Part):
    """Surveys to one customer, and apart from that to one address, in any 24 hours and in any 30 days."""

    day: Times = 1
    month: Times = 2
    address_day: Times = 1
    address_month: Times = 2


class Blackout(_Part):
    """Nobody is asked from `start` until `end`, or only those of whom each named trait has one of the values."""

    code: Annotated[str, Field(min_length=1)]
    start: AwareDatetime
    end: AwareDatetime
    where: dict[str, frozenset[str]] = {}

    @model_validator(mode="after")
    def ends_after_it_starts(self) -> Self:
        if self.end <= self.start:
            raise ValueError("end must be after start")
        return self


def _hours(written: object) -> object:
    return Hours.parse(written) if isinstance(written, Mapping) else written


LocalHours = Annotated[InstanceOf[Hours], BeforeValidator(_hours)]
"""Written as `shared.hours.Hours.parse` reads it: {"daily": "08:00-20:00", "closed": ["2026-12-25"]}."""


class Sampling(_Part):
    """`cells` overrides `rate` for a cell such as `phone:family`."""

    seed: Annotated[str, Field(min_length=1)] = "1"
    rate: Rate = 0.6
    cells: dict[str, Rate] = {}


def _only_known_placeholders(text: str) -> str:
    try:
        fields = [field for field in string.Formatter().parse(text) if field[1] is not None]
    except ValueError:
        raise ValueError("a brace stands alone: write {{ or }}") from None
    if any(name not in PLACEHOLDERS or spec or conversion for _, name, spec, conversion in fields):
        raise ValueError("only {brand} and {link} can be filled in")
    return text


def _with_link(text: str) -> str:
    if "{link}" not in text:
        raise ValueError("the text needs {link}")
    return text


class Text(_Part):
    """An invitation. It may name the brand and the link, nothing of the contact."""

    subject: Annotated[str | None, AfterValidator(lambda text: text and _only_known_placeholders(text))] = None
    body: Annotated[str, Field(max_length=2_000), AfterValidator(_only_known_placeholders), AfterValidator(_with_link)]


Texts = dict[str, Annotated[dict[str, Text], Field(min_length=1)]]


class Terms(_Part):
    """The document of a policy. `ways`: for a contact's channel, the channels to ask by, best first. `implied`: the channels and media
    whose use of an address implies consent to a survey there. `retry_s`: how often a missing fact is looked for, for `defer_s` at most.
    `after_s` (recovery): how long after the opening answer."""

    rules: tuple[str, ...]
    purpose: Allowed = Allowed(allowed=frozenset({"service"}))
    outcome: Allowed = Allowed(allowed=frozenset({"handled", "self_served"}))
    channel: Allowed = Allowed(allowed=frozenset({"phone", "chat", "web", "email"}))
    direction: Allowed = Allowed(allowed=frozenset({"inbound"}))
    length_s: Seconds = 45
    age: Age = Age()
    stopping_flags: frozenset[str] = frozenset({"internal", "test", "deceased", "do_not_survey", "employee", "litigation"})
    ways: dict[str, tuple[str, ...]] = {
        "phone": ("sms", "email"),
        "chat": ("chat", "sms", "email"),
        "web": ("email", "sms"),
        "email": ("email",),
        "other": ("email", "sms"),
    }
    implied: frozenset[str] = frozenset({"phone", "sms", "email"})
    quarantine: Quarantine = Quarantine()
    caps: Caps = Caps()
    blackouts: tuple[Blackout, ...] = ()
    hours: LocalHours = Hours.parse({"daily": "08:00-20:00"})
    sampling: Sampling = Sampling()
    delay_s: dict[str, Seconds] = {"sms": 600, "email": 1_800, "chat": 60}
    open_s: Annotated[float, Field(gt=0)] = 7 * DAY_S
    retry_s: Annotated[float, Field(gt=0)] = 900
    defer_s: Annotated[float, Field(ge=0, le=DAY_S)] = DAY_S
    after_s: Seconds = 14 * DAY_S
    texts: Texts

    @model_validator(mode="after")
    def rules_stand_in_order(self) -> Self:
        if self.rules != tuple(rule for rule in RULES if rule in self.rules):
            raise ValueError(f"rules must be some of these, each once and in this order: {', '.join(RULES)}")
        if missing := NEVER_LEFT_OUT.difference(self.rules):
            raise ValueError(f"rules must contain {', '.join(sorted(missing))}")
        return self

    @model_validator(mode="after")
    def every_way_has_words(self) -> Self:
        used = {channel for channels in self.ways.values() for channel in channels}
        if missing := used.difference(self.texts):
            raise ValueError(f"texts are missing for {', '.join(sorted(missing))}, which ways names")
        return self


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the rules for one kind of survey."""

    version: int
    kind: str
    terms: Terms


def parse(document: Mapping[str, Any]) -> Terms:
    """`PolicyInvalid` names every fault by its path; values are never part of it."""
    try:
        return Terms.model_validate(document)
    except ValidationError as error:
        raise PolicyInvalid([Fault(_path(each["loc"]), _reason(each["msg"])) for each in error.errors(include_input=False)]) from None


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "document"


def _reason(message: str) -> str:
    return message.removeprefix("Value error, ")
