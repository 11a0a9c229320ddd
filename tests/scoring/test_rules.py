"""Each rule by itself: what it lets through, what it stops, what it waits for."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from scoring.decide.case import Case
from scoring.decide.model import Asked, Finding, Phase
from scoring.decide.policy import RULES as NAMES
from scoring.decide.rules import RULES
from tests.support.asking import MAIL, NOON, PHONE, asked, consent, facts, mail, phone, policy, sealed


def said(
    rule: str,
    *,
    history: tuple[Asked, ...] = (),
    terms: dict[str, Any] | None = None,
    phase: Phase = "decide",
    now: datetime = NOON,
    **changes: Any,
) -> Finding:
    return RULES[rule](Case(facts(**changes), history, policy=policy(**(terms or {})), phase=phase, now=now))


def test_there_is_a_rule_for_every_name_and_no_other() -> None:
    assert tuple(RULES) == NAMES
    assert len(NAMES) == 19


def test_an_ordinary_contact_passes_every_rule() -> None:
    assert {rule: said(rule)[0] for rule in NAMES} == dict.fromkeys(NAMES, "pass")


CONTACTS: list[tuple[str, dict[str, Any], Finding]] = [
    ("standing", {"standing": "reopened"}, ("fail", "reopened")),
    ("purpose", {"purpose": "callback"}, ("fail", "callback")),
    ("purpose", {"purpose": "survey"}, ("fail", "survey")),
    ("purpose", {"purpose": "unknown"}, ("pass", "unknown")),
    ("outcome", {"outcome": "self_served"}, ("pass", "self_served")),
    ("outcome", {"outcome": "bot_only"}, ("fail", "bot_only")),
    ("outcome", {"outcome": "abandoned"}, ("fail", "abandoned")),
    ("channel", {"channel": "other"}, ("fail", "other")),
    ("channel", {"channel": "web"}, ("pass", "web")),
    ("direction", {"direction": "outbound"}, ("fail", "outbound")),
    ("direction", {"direction": "unknown"}, ("pass", "unknown")),
    ("length", {"started_at": NOON - timedelta(seconds=105)}, ("pass", 45)),
    ("length", {"started_at": NOON - timedelta(seconds=104)}, ("fail", 44)),
    ("length", {"started_at": NOON - timedelta(seconds=104), "clock_suspect": True}, ("unknown", 44)),
    ("length", {"clock_suspect": True}, ("pass", 540)),
]


@pytest.mark.parametrize(("rule", "changes", "finding"), CONTACTS)
def test_a_contact_is_judged_by_what_it_was(rule: str, changes: dict[str, Any], finding: Finding) -> None:
    assert said(rule, contact=changes) == finding


def test_our_own_call_is_never_surveyed_whatever_the_platform_calls_it() -> None:
    assert said("purpose", own_call=True) == ("fail", "own_call")


def test_a_policy_may_refuse_what_the_platform_does_not_know() -> None:
    strict = {"direction": {"allowed": ["inbound"], "unknown": "fail"}}

    assert said("direction", terms=strict, contact={"direction": "unknown"}) == ("fail", "unknown")


@pytest.mark.parametrize("why", ["none", "ambiguous"])
def test_a_contact_without_a_customer_is_told_why(why: str) -> None:
    assert said("customer", customer=None, contact={"no_customer": why}) == ("fail", why)


def test_a_customer_nobody_has_told_us_of_is_waited_for() -> None:
    assert said("customer", customer=None) == ("unknown", "not_known_yet")


@pytest.mark.parametrize(
    ("hours", "phase", "verdict"), [(24, "decide", "pass"), (24.01, "decide", "fail"), (48, "send", "pass"), (48.01, "send", "fail")]
)
def test_a_contact_is_old_after_a_day_and_at_sending_after_two(hours: float, phase: Phase, verdict: str) -> None:
    assert said("age", phase=phase, aged_from=NOON - timedelta(hours=hours))[0] == verdict


@pytest.mark.parametrize("flag", ["internal", "test", "deceased", "do_not_survey", "employee", "litigation"])
def test_some_flags_stop_the_question(flag: str) -> None:
    assert said("flags", customer={"flags": ("vip", flag)}) == ("fail", (flag,))


def test_other_flags_do_not() -> None:
    assert said("flags", customer={"flags": ("vip", "vulnerable")}) == ("pass", None)


REACHED: list[tuple[dict[str, Any], Finding]] = [
    ({"points": (phone(),)}, ("pass", "sms")),
    ({"points": (phone(dead=True), mail())}, ("pass", "email")),
    ({"points": (phone(can=("voice",)),)}, ("fail", "no_usable_address")),
    ({"points": (), "known": True}, ("fail", "no_address")),
    ({"points": (), "known": False}, ("unknown", "no_address_yet")),
]


@pytest.mark.parametrize(("person", "finding"), REACHED)
def test_a_customer_is_reachable_by_an_address_that_takes_a_channel_we_send(person: dict[str, Any], finding: Finding) -> None:
    assert said("reachable", customer=person) == finding


def test_a_channel_that_nothing_sends_reaches_nobody() -> None:
    assert said("reachable", gateways=frozenset({"email"}), customer={"points": (phone(),)}) == ("fail", "no_usable_address")


def test_the_address_of_the_contact_is_consent_enough_by_phone() -> None:
    assert said("consent") == ("pass", "implied")


def test_a_web_contact_implies_nothing() -> None:
    assert said("consent", contact={"channel": "web", "medium": "web", "point_ref": MAIL}) == ("fail", "no_basis")


@pytest.mark.parametrize(
    "grant",
    [
        consent("granted", channel="email"),
        consent("granted", channel="any", purpose="any"),
        consent("granted", channel="any", address_ref=MAIL),
    ],
)
def test_a_grant_is_consent(grant: Any) -> None:
    web = {"channel": "web", "medium": "web", "point_ref": None}

    assert said("consent", contact=web, consents=(grant,)) == ("pass", "granted")


def test_a_refusal_is_not_consents_business() -> None:
    assert said("consent", consents=(consent("refused"),)) == ("pass", "implied")


REFUSALS = [
    (consent(), "customer"),
    (consent(channel="any"), "customer"),
    (consent(purpose="any"), "customer"),
    (consent(address_ref=PHONE), "address"),
    (consent(channel="any", purpose="any", address_ref=PHONE), "address"),
]


@pytest.mark.parametrize(("refusal", "whose"), REFUSALS)
def test_a_refusal_of_the_person_or_the_address_stops_the_question(refusal: Any, whose: str) -> None:
    assert said("opt_out", consents=(refusal,), customer={"points": (phone(),)}) == ("fail", whose)


@pytest.mark.parametrize(
    "refusal",
    [consent(channel="voice"), consent(purpose="callback"), consent(address_ref="somebody-else"), consent(customer_id=UUID(int=9))],
)
def test_a_refusal_of_something_else_does_not(refusal: Any) -> None:
    assert said("opt_out", consents=(refusal,)) == ("pass", None)


def test_somebody_who_refused_sms_and_granted_email_is_asked_by_email() -> None:
    both = (consent("refused"), consent("granted", channel="email"))

    assert said("opt_out", consents=both) == ("pass", None)
    assert said("reachable", consents=both) == ("pass", "email")


@pytest.mark.parametrize(("days", "finding"), [(30, ("pass", 30.0)), (29.9, ("fail", 29.9)), (12, ("fail", 12.0))])
def test_thirty_days_lie_between_two_questions(days: float, finding: Finding) -> None:
    history = (asked(days), asked(200))

    assert said("quarantine_any", history=history) == finding
    assert said("quarantine_kind", history=history) == finding


def test_another_kind_counts_for_any_and_not_for_its_own() -> None:
    history = (asked(5, kind="recovery"),)

    assert said("quarantine_any", history=history)[0] == "fail"
    assert said("quarantine_kind", history=history)[0] == "pass"


def test_a_survey_never_counts_against_itself() -> None:
    own = (asked(0, anchor=UUID(int=7)),)

    assert {said(rule, history=own)[0] for rule in ("quarantine_any", "quarantine_kind", "caps")} == {"pass"}


def test_the_rest_of_a_household_does_not_quarantine() -> None:
    assert said("quarantine_any", history=(asked(1, customer_id=UUID(int=2)),))[0] == "pass"


CAPS: list[tuple[tuple[Asked, ...], Finding]] = [
    ((asked(2),), ("pass", (0, 1, 0, 1))),
    ((asked(0.5),), ("fail", (1, 1, 1, 1))),
    ((asked(2), asked(29)), ("fail", (0, 2, 0, 2))),
    ((asked(2), asked(31)), ("pass", (0, 1, 0, 1))),
    ((asked(2, customer_id=UUID(int=2)), asked(3, customer_id=UUID(int=3))), ("fail", (0, 0, 0, 2))),
    ((asked(2, address_ref=MAIL), asked(3, address_ref=MAIL)), ("fail", (0, 2, 0, 0))),
]


@pytest.mark.parametrize(("history", "finding"), CAPS)
def test_a_customer_and_an_address_are_asked_so_often_a_day_and_a_month(history: tuple[Asked, ...], finding: Finding) -> None:
    assert said("caps", history=history) == finding


def test_somebody_about_to_be_called_is_not_asked() -> None:
    assert said("open_callback", open_callback=True) == ("fail", "open")


def storm(start: datetime, end: datetime, **where: list[str]) -> dict[str, Any]:
    return {"blackouts": [{"code": "storm", "start": start, "end": end, "where": where}]}


def test_a_blackout_that_ends_in_time_moves_the_question() -> None:
    terms = {"delay_s": {}, **storm(NOON - timedelta(days=1), NOON + timedelta(hours=2))}
    case = Case(facts(), (), policy=policy(**terms), phase="decide", now=NOON)

    assert RULES["blackout"](case) == ("pass", "storm")
    assert case.send_at == NOON + timedelta(hours=2)


def test_a_blackout_longer_than_the_contact_is_young_stops_it() -> None:
    assert said("blackout", terms=storm(NOON - timedelta(days=1), NOON + timedelta(days=2))) == ("fail", "storm")


def test_a_blackout_holds_for_whom_it_is_meant() -> None:
    terms = storm(NOON - timedelta(days=1), NOON + timedelta(days=2), state=["LA"])

    assert said("blackout", terms=terms, customer={"traits": {"state": "LA"}})[0] == "fail"
    assert said("blackout", terms=terms, customer={"traits": {"state": "NY"}})[0] == "pass"


def test_every_zone_the_customer_may_be_in_must_be_awake() -> None:
    early = datetime(2026, 3, 3, 14, 30, tzinfo=UTC)
    zones = {"candidate_zones": ("America/New_York", "America/Los_Angeles")}
    case = Case(facts(customer=zones, aged_from=early - timedelta(minutes=1)), (), policy=policy(delay_s={}), phase="decide", now=early)

    assert case.send_at == datetime(2026, 3, 3, 16, 0, tzinfo=UTC)
    assert RULES["hours"](case) == ("pass", 5_400)


def test_zones_that_are_never_awake_together_are_not_written_to() -> None:
    zones = ("America/New_York", "Asia/Tokyo", "Europe/London")

    assert said("hours", customer={"candidate_zones": zones}) == ("fail", "none_in_time")


def test_a_customer_without_a_zone_is_waited_for() -> None:
    assert said("hours", customer={"candidate_zones": ()}) == ("unknown", "no_zone_yet")


def test_the_channels_delay_counts_from_the_contacts_end() -> None:
    case = Case(facts(), (), policy=policy(delay_s={"sms": 600}), phase="decide", now=NOON)

    assert case.send_at == NOON + timedelta(minutes=9)


def test_nothing_is_delayed_twice_at_sending() -> None:
    assert Case(facts(), (), policy=policy(delay_s={"sms": 600}), phase="send", now=NOON).send_at == NOON


def test_a_point_without_its_address_can_still_be_judged() -> None:
    assert said("reachable", customer={"private": sealed({})}) == ("pass", "sms")
