"""The verdict is a function of the set of a contact's events: proven over drawn contacts, every order and every way of feeding."""

import random
from dataclasses import replace
from itertools import permutations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.contacts.fold import fold
from ingest.contacts.model import Interaction, KnownEpisode, NotOver, Over, StoredEvent, Verdict
from ingest.normalise.model import Kind
from tests.support.contacts import minutes, ms, told

LATEST = 2_000
NOW = minutes(LATEST * 20)

AGENTS = ("ana", "ben", "cleo")


@st.composite
def _events(draw: st.DrawFn, *, most: int) -> list[StoredEvent]:
    """Anything a platform may say, sense or nonsense: legs once lived or more often, records with versions, hand-overs, gaps of days."""
    legs = draw(st.sampled_from([("leg",), ("a", "b"), ("a", "b", "c")]))
    return [_event(draw, number, legs) for number in range(draw(st.integers(1, most)))]


def _event(draw: st.DrawFn, number: int, legs: tuple[str, ...]) -> StoredEvent:
    minute = draw(st.sampled_from([0, 0, 1, 2, 3, 5, 8, 8, 13, 21, 60, LATEST * 3, None]))
    facts: dict[str, Any] = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "agent": st.sampled_from(AGENTS),
                "queue": st.sampled_from(["billing", "claims"]),
                "record": st.just(value=True),
                "version": st.sampled_from(["", "1", "2"]),
                "lives_once": st.just(value=True),
                "frame": st.just(value=True),
                "framed": st.just(value=True),
                "rung": st.just(value=True),
                "outline": st.just(value=True),
                "bot": st.booleans(),
                "handled": st.just(value=True),
                "unanswered": st.booleans(),
                "hearsay": st.just(value=True),
                "thread_ms": st.sampled_from([ms(-60 * 24 * 900), ms(1)]),
                "previous_leg": st.sampled_from(legs),
                "next_leg": st.sampled_from(legs),
                "direction": st.sampled_from(["inbound", "outbound", "unknown"]),
                "traits": st.dictionaries(st.sampled_from(["state", "product_line"]), st.sampled_from(["x", "y"]), max_size=2),
            },
        )
    )
    handles = draw(st.dictionaries(st.sampled_from(["phone", "email", "member_id"]), st.sampled_from(["1", "2"]), max_size=2))
    received = draw(st.sampled_from([0, 3, 10, 60, LATEST * 3])) if minute is None else minute + draw(st.sampled_from([0, 0, 1, 10]))
    kind = draw(st.sampled_from(list(Kind)))
    return told(kind, minute, draw(st.sampled_from(legs)), name=f"event {number}", received=received, handles=handles, **facts)


@settings(max_examples=60, deadline=None)
@given(_events(most=5))
def test_every_permutation_of_a_contacts_events_ends_in_the_same_verdict(events: list[StoredEvent]) -> None:
    expected = fold(events, now=NOW)
    assert all(fold(order, now=NOW) == expected for order in permutations(events))


@settings(max_examples=150, deadline=None)
@given(_events(most=24), st.integers(0, 2**32))
def test_shuffled_and_repeated_events_end_in_the_same_verdict_at_any_moment(events: list[StoredEvent], seed: int) -> None:
    dice = random.Random(seed)  # a seeded shuffle keeps no secret
    now = minutes(dice.choice([0, 4, 12, 70, LATEST * 3, LATEST * 20]))
    expected = fold(events, now=now)
    again = [*events, *dice.choices(events, k=len(events))]
    dice.shuffle(again)
    assert fold(again, now=now) == expected


@settings(max_examples=150, deadline=None)
@given(_events(most=12), st.integers(0, 2**32))
def test_fed_one_by_one_a_contact_ends_as_if_all_had_come_at_once(events: list[StoredEvent], seed: int) -> None:
    """As a closing does it: each look remembers the episode it numbered. Only numbers may differ, where an older episode came late."""
    order = list(events)
    random.Random(seed).shuffle(order)  # a seeded shuffle keeps no secret
    known: KnownEpisode | None = None
    for count in range(1, len(order) + 1):
        verdict = fold(order[:count], now=NOW, known=known)
        latest = verdict.episodes[-1]
        assert isinstance(latest, Over)
        known = KnownEpisode(latest.interaction.episode, latest.interaction.started_at)
    assert _without_numbers(fold(order, now=NOW, known=known)) == _without_numbers(fold(events, now=NOW))


@settings(max_examples=150, deadline=None)
@given(_events(most=12), st.sampled_from([0, 4, 12, 70, LATEST * 3]))
def test_every_verdict_is_sound(events: list[StoredEvent], minute: int) -> None:
    now = minutes(minute)
    verdict = fold(events, now=now)
    numbers = [_interaction(one).episode for one in verdict.episodes]
    assert numbers == list(range(len(numbers)))
    for one in verdict.episodes:
        told_of = _interaction(one)
        assert told_of.started_at <= told_of.ended_at
        assert all(length is None or length >= 0 for length in (told_of.wait_s, told_of.talk_s, told_of.hold_s))
        assert (told_of.agent is not None) <= (told_of.outcome == "handled")
        if isinstance(one, NotOver):
            assert one.look_again_at > now
    assert len({leg.from_ for one in verdict.episodes for leg in _interaction(one).legs}) >= 1


def _interaction(one: Over | NotOver) -> Interaction:
    return one.interaction if isinstance(one, Over) else one.so_far


def _without_numbers(verdict: Verdict) -> list[Interaction]:
    return [replace(_interaction(one), episode=0) for one in verdict.episodes]
