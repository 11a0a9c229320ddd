"""The decision as a whole."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.decide.judge import decide
from scoring.decide.model import Decision, Outcome
from scoring.decide.policy import NEVER_LEFT_OUT, RULES
from scoring.decide.rules import reason
from scoring.decide.sampling import draw
from tests.support.asking import NOON, asked, consent, facts, policy, verdicts

BREAKS: dict[str, dict[str, Any]] = {
    "standing": {"contact": {"standing": "reopened"}},
    "purpose": {"own_call": True},
    "outcome": {"contact": {"outcome": "failed"}},
    "channel": {"contact": {"medium": "voice", "channel": "other"}},
    "direction": {"contact": {"direction": "outbound"}},
    "length": {"contact": {"started_at": NOON - timedelta(seconds=70)}},
    "age": {"aged_from": NOON - timedelta(hours=30)},
    "flags": {"customer": {"flags": ("internal",)}},
    "opt_out": {"consents": (consent("refused", channel="any"),)},
    "open_callback": {"open_callback": True},
    "sampling": {},
}
"""For each rule facts that it refuses."""


def broken(rules: frozenset[str]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for rule in rules:
        for part, value in BREAKS[rule].items():
            changes[part] = {**changes[part], **value} if isinstance(value, dict) and part in changes else value
    return changes


def decided(rules: frozenset[str] = frozenset(), **changes: Any) -> Decision:
    terms: dict[str, Any] = {"sampling": {"rate": 0.0}} if "sampling" in rules else {}
    return decide(facts(**{**broken(rules), **changes}), (), policy=policy(**terms), now=NOON)


def test_an_eligible_contact_is_invited_by_the_best_channel() -> None:
    decision = decided()

    assert (decision.outcome, decision.reason) == (Outcome.INVITED, "eligible")
    assert decision.way is not None
    assert decision.way.channel == "sms"
    assert decision.send_at == NOON + timedelta(minutes=9)
    assert decision.retry_at is None


@given(st.frozensets(st.sampled_from(sorted(BREAKS)), min_size=1))
def test_the_first_rule_that_fails_is_the_reason_and_all_are_told(rules: frozenset[str]) -> None:
    decision = decided(rules)
    failed = {rule for rule, verdict in verdicts(decision, RULES).items() if verdict == "fail"}

    assert decision.outcome is Outcome.SUPPRESSED
    assert rules <= failed
    assert decision.reason == reason(next(rule for rule in RULES if rule in failed))
    assert (decision.send_at, decision.way, decision.retry_at) == (None, None, None)


@given(st.frozensets(st.sampled_from(sorted(BREAKS))), st.sampled_from(sorted(BREAKS)))
def test_one_more_failing_rule_never_makes_an_invitation(rules: frozenset[str], more: str) -> None:
    before, after = decided(rules), decided(rules | {more})

    assert after.outcome is Outcome.SUPPRESSED
    assert RULES.index(first_failed(after)) <= RULES.index(first_failed(before) if rules else more)


def first_failed(decision: Decision) -> str:
    return next(rule for rule, verdict in verdicts(decision, RULES).items() if verdict == "fail")


@given(st.uuids(), st.floats(0, 1))
def test_a_draw_can_be_drawn_again_and_decides_by_the_rate(anchor: UUID, rate: float) -> None:
    decision = decide(facts(anchor=anchor), (), policy=policy(sampling={"seed": "s", "rate": rate}), now=NOON)

    assert decision.draw is not None
    assert 0 <= decision.draw.value < 1
    assert decision.draw.value == draw("s", anchor)
    assert decision.draw.rate == rate
    assert (decision.outcome is Outcome.INVITED) == (decision.draw.value < rate)


def test_draws_are_spread_evenly_and_differ_by_seed() -> None:
    anchors = [UUID(int=number) for number in range(4_000)]
    share = sum(draw("2026-11", anchor) < 0.6 for anchor in anchors) / len(anchors)

    assert 0.57 < share < 0.63
    assert draw("2026-11", anchors[0]) != draw("2026-12", anchors[0])


def test_a_cell_may_have_a_rate_of_its_own() -> None:
    decision = decide(facts(), (), policy=policy(sampling={"rate": 1.0, "cells": {"phone:family": 0.0}}), now=NOON)

    assert decision.reason == "sampling"
    assert decision.draw is not None
    assert (decision.draw.cell, decision.draw.rate) == ("phone:family", 0.0)


def test_a_missing_fact_is_waited_for_but_not_longer_than_promised() -> None:
    waits = decided(customer={"candidate_zones": ()}, give_up_at=NOON + timedelta(minutes=5))
    late = decided(customer={"candidate_zones": ()}, give_up_at=NOON)

    assert (waits.outcome, waits.reason, waits.retry_at) == (Outcome.DEFERRED, "hours", NOON + timedelta(minutes=5))
    assert (late.outcome, late.reason, late.retry_at) == (Outcome.SUPPRESSED, "hours", None)


def test_a_no_beats_a_missing_fact() -> None:
    decision = decided(frozenset({"sampling"}), customer={"candidate_zones": ()})

    assert (decision.outcome, decision.reason) == (Outcome.SUPPRESSED, "sampling")


def test_a_contact_without_a_customer_says_so() -> None:
    decision = decided(customer=None, contact={"no_customer": "ambiguous"})

    assert (decision.outcome, decision.reason) == (Outcome.SUPPRESSED, "no_customer")


@pytest.mark.parametrize("rules", [frozenset({"opt_out"}), frozenset({"open_callback"})])
def test_the_same_rules_withdraw_at_sending(rules: frozenset[str]) -> None:
    decision = decide(facts(**broken(rules)), (), policy=policy(), now=NOON, phase="send")

    assert decision.outcome is Outcome.WITHDRAWN
    assert decision.phase == "send"


def test_a_night_at_sending_moves_the_question_to_the_morning() -> None:
    night = NOON + timedelta(hours=10)
    decision = decide(facts(), (), policy=policy(), now=night, phase="send")

    assert decision.outcome is Outcome.INVITED
    assert decision.send_at == NOON + timedelta(hours=20)


def test_recovery_asks_in_both_arms_with_its_own_rules() -> None:
    terms = policy("recovery", version=2)
    recent = (asked(14),)
    decision = decide(facts(kind="recovery", anchor=UUID(int=5), open_callback=True, aged_from=NOON), recent, policy=terms, now=NOON)

    assert terms.terms.rules == ("customer", "flags", "reachable", "consent", "opt_out", "blackout", "hours")
    assert decision.outcome is Outcome.INVITED
    assert decision.draw is None


def test_who_is_asked_depends_on_nothing_but_the_arguments() -> None:
    made = facts()

    assert decide(made, (), policy=policy(), now=NOON) == decide(replace(made), (), policy=policy(), now=NOON)


def test_no_policy_can_leave_out_what_protects_people() -> None:
    assert {"customer", "reachable", "consent", "opt_out"} == NEVER_LEFT_OUT
