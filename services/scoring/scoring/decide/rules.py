"""The rules, each a question with an answer: pass, fail, or unknown while a fact that may still come is missing."""

import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from scoring.decide.case import Case
from scoring.decide.model import Asked, Finding
from scoring.decide.policy import Allowed

UNKNOWN = "unknown"
DAY, MONTH = timedelta(days=1), timedelta(days=30)
PASS: Finding = ("pass", None)

Rule = Callable[[Case], Finding]


def customer(case: Case) -> Finding:
    """Somebody to ask. A case or contact whose customer scoring has not been told of yet is waited for."""
    if case.facts.customer is not None:
        return PASS
    said = "erased" if case.facts.erased else case.facts.contact.no_customer
    return ("fail", said) if said else ("unknown", "not_known_yet")


def standing(case: Case) -> Finding:
    said = case.facts.contact.standing
    return _passes(said == "over", said)


def purpose(case: Case) -> Finding:
    """Never about our own callbacks and replies, whatever the platform calls them."""
    if case.facts.own_call:
        return ("fail", "own_call")
    return _allowed(case.facts.contact.purpose, case.terms.purpose)


def outcome(case: Case) -> Finding:
    return _allowed(case.facts.contact.outcome, case.terms.outcome)


def channel(case: Case) -> Finding:
    return _allowed(case.facts.contact.channel, case.terms.channel)


def direction(case: Case) -> Finding:
    return _allowed(case.facts.contact.direction, case.terms.direction)


def length(case: Case) -> Finding:
    """Seconds from start to end. A short one whose times were replaced may yet turn out longer."""
    contact = case.facts.contact
    seconds = int((contact.ended_at - contact.started_at).total_seconds())
    if seconds >= case.terms.length_s:
        return ("pass", seconds)
    return ("unknown" if contact.clock_suspect else "fail", seconds)


def age(case: Case) -> Finding:
    """Seconds since the contact's end."""
    return _passes(case.now <= case.latest, int((case.now - case.facts.aged_from).total_seconds()))


def flags(case: Case) -> Finding:
    person = case.facts.customer
    stopping = tuple(flag for flag in person.flags if flag in case.terms.stopping_flags) if person else ()
    return ("fail", stopping) if stopping else PASS


def reachable(case: Case) -> Finding:
    """An address that takes a channel we can send by. Somebody known from contacts only may get a first address yet."""
    if case.way is not None:
        return ("pass", case.way.channel)
    person = case.facts.customer
    if person is not None and not person.points and not person.known:
        return ("unknown", "no_address_yet")
    return ("fail", "no_usable_address" if person and person.points else "no_address")


def consent(case: Case) -> Finding:
    """A grant or an implied basis; refusals are the next rule's."""
    basis = case.way.basis if case.way else None
    return ("pass", basis) if basis else ("fail", "no_basis")


def opt_out(case: Case) -> Finding:
    """No refusal of the person or the address for this channel or any, for surveys or anything."""
    if case.way is not None:
        return ("fail", case.way.refused_by) if case.way.refused_by else PASS
    return ("fail", "customer") if _refused_everything(case) else PASS


def quarantine_any(case: Case) -> Finding:
    return _rested(case, case.asked_customer, days=case.terms.quarantine.any_days)


def quarantine_kind(case: Case) -> Finding:
    same = [asked for asked in case.asked_customer if asked.kind == case.facts.kind]
    return _rested(case, same, days=case.terms.quarantine.kind_days)


def caps(case: Case) -> Finding:
    """Surveys in 24 hours and in 30 days: to the customer, then to the address."""
    limits = case.terms.caps
    day, month = case.now - DAY, case.now - MONTH
    counted = (
        _since(day, case.asked_customer),
        _since(month, case.asked_customer),
        _since(day, case.asked_there),
        _since(month, case.asked_there),
    )
    allowed = (limits.day, limits.month, limits.address_day, limits.address_month)
    return _passes(all(map(operator.lt, counted, allowed)), counted)


def open_callback(case: Case) -> Finding:
    return ("fail", "open") if case.facts.open_callback else PASS


def blackout(case: Case) -> Finding:
    """Some moment within the age limit lies outside every blackout."""
    return _passes(case.after_blackouts is not None, case.blackout)


def hours(case: Case) -> Finding:
    """Some moment within the age limit is polite in every zone the customer may be in; seconds until then."""
    person = case.facts.customer
    if person is not None and not person.candidate_zones:
        return ("unknown", "no_zone_yet")
    if case.send_at is None:
        return ("fail", "none_in_time")
    return ("pass", max(0, int((case.send_at - case.now).total_seconds())))


def sampling(case: Case) -> Finding:
    return _passes(case.draw.value < case.draw.rate, None)


RULES: Mapping[str, Rule] = {
    rule.__name__: rule
    for rule in (
        customer,
        standing,
        purpose,
        outcome,
        channel,
        direction,
        length,
        age,
        flags,
        reachable,
        consent,
        opt_out,
        quarantine_any,
        quarantine_kind,
        caps,
        open_callback,
        blackout,
        hours,
        sampling,
    )
}

REASONS: Mapping[str, str] = {"customer": "no_customer"}
"""Where the reason is not the rule's own name."""


@lru_cache(maxsize=64)
def rules_named(names: tuple[str, ...]) -> tuple[Rule, ...]:
    """Looked up once per policy."""
    return tuple(RULES[name] for name in names)


def reason(rule: str) -> str:
    return REASONS.get(rule, rule)


def _passes(passes: bool, detail: str | int | tuple[int, ...] | None) -> Finding:  # noqa: FBT001  # the answer itself
    return ("pass" if passes else "fail", detail)


def _allowed(said: str, terms: Allowed) -> Finding:
    if said == UNKNOWN and UNKNOWN not in terms.allowed:
        return (terms.unknown, said)
    return _passes(said in terms.allowed, said)


def _rested(case: Case, asked: Sequence[Asked], *, days: float) -> Finding:
    """The detail is the days since the last question, to one decimal."""
    if not asked:
        return PASS
    rested = (case.now - max([each.at for each in asked])) / DAY
    return ("pass" if rested >= days else "fail", round(max(rested, 0.0), 1))


def _since(at: datetime, asked: Sequence[Asked]) -> int:
    return sum([each.at > at for each in asked]) if asked else 0


def _refused_everything(case: Case) -> bool:
    person = case.facts.customer
    return person is not None and any(
        fact.customer_id == person.customer_id and fact.state == "refused" and fact.channel == "any" and fact.purpose in ("survey", "any")
        for fact in case.facts.consents
    )
