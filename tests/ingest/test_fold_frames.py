"""Contacts whose platform names the whole beside its parts."""

from itertools import permutations

from ingest.contacts.fold import fold
from ingest.contacts.model import Interaction, NotOver, Over, StoredEvent
from tests.support.contacts import minutes, ms, told

PHONE = {"phone": "+15550100123"}


def over(events: list[StoredEvent], *, minute: float = 60) -> Interaction:
    (one,) = fold(events, now=minutes(minute)).episodes
    assert isinstance(one, Over), one
    return one.interaction


def waiting(events: list[StoredEvent], *, minute: float) -> NotOver:
    (one,) = fold(events, now=minutes(minute)).episodes
    assert isinstance(one, NotOver), one
    return one


def whole(kind: str, minute: float, leg: str = "whole") -> StoredEvent:
    return told(kind, minute, leg, handles=PHONE, frame=True)


def part(kind: str, minute: float, leg: str, *, agent: str) -> StoredEvent:
    return told(kind, minute, leg, framed=True, lives_once=True, agent=agent)


def a_transferred_call() -> list[StoredEvent]:
    return [
        whole("started", 0), part("connected", 1, "a", agent="ana"), part("transferred", 4, "a", agent="ana"),
        part("connected", 6, "b", agent="ben"), part("ended", 9, "b", agent="ben"), whole("ended", 12),
    ]  # fmt: skip


def test_a_part_that_ended_is_not_the_end_of_the_whole() -> None:
    assert waiting(a_transferred_call()[:5], minute=60).waits_for == "end"


def test_a_part_alone_waits_for_the_whole_it_belongs_to() -> None:
    parts = a_transferred_call()[3:5]
    assert waiting(parts, minute=60).waits_for == "end"
    assert over([*parts, whole("ended", 12)]).agent == "ben"


def test_the_whole_begins_the_contact_and_the_last_part_ends_it() -> None:
    call = over(a_transferred_call())
    assert (call.started_at, call.ended_at, call.talk_s, call.transfers) == (minutes(0), minutes(9), 360, 1)
    assert [(leg.agent, leg.end) for leg in call.legs] == [("ana", "transferred"), ("ben", None)]
    assert call.handles == PHONE


def test_the_whole_alone_is_a_contact_without_a_human() -> None:
    call = over([whole("started", 0), whole("ended", 3)])
    assert (call.outcome, call.ended_at, len(call.legs)) == ("abandoned", minutes(3), 1)


def test_a_part_whose_end_was_lost_ends_with_the_whole() -> None:
    for lost in permutations([*a_transferred_call()[:4], whole("ended", 12)]):
        call = over(list(lost))
        assert (call.ended_at, call.agent, call.talk_s) == (minutes(12), "ben", 180 + 360)


def test_a_part_ends_with_the_whole_that_it_began_in() -> None:
    callback = [whole("started", 30, "callback"), part("connected", 31, "c", agent="cleo"), whole("ended", 40, "callback")]
    call = over([*a_transferred_call(), *callback])
    assert (call.ended_at, call.agent, call.talk_s) == (minutes(40), "cleo", 360 + 540)


def test_a_hand_over_out_of_the_house_awaits_nobody_once_the_whole_is_over() -> None:
    call = over([*a_transferred_call()[:3], whole("ended", 12)])
    assert (call.agent, call.transfers, call.ended_at) == ("ana", 1, minutes(4))


def test_a_part_that_was_on_its_way_to_a_person_is_not_for_the_bot_alone() -> None:
    bot = told("ended", 2, "bot", framed=True, bot=True)
    queue = told("ended", 5, "queue", framed=True, bot=False, queue="billing")
    ends = [whole("started", 0), whole("ended", 5)]
    assert over([*ends, bot]).outcome == "bot_only"
    assert over([*ends, bot, queue]).outcome == "abandoned"


def test_who_hung_up_is_what_the_whole_says_of_it() -> None:
    events = [*a_transferred_call()[:5], told("ended", 12, "whole", frame=True, disconnect="customer", ended_ms=ms(12))]
    assert over(events).disconnect == "customer"


def line(kind: str, minute: float, leg: str, **facts: str) -> StoredEvent:
    return told(kind, minute, leg, name=None, received=None, handles=None, rung=True, lives_once=True, **facts)


def test_lines_that_only_rang_are_no_legs_beside_one_that_was_answered() -> None:
    lines = [line("started", 1, "a"), line("connected", 2, "a", agent="ana"), line("started", 1, "b"), line("ended", 2, "b")]
    call = over([whole("started", 0), *lines, line("ended", 9, "a", agent="ana"), whole("ended", 9)])
    assert ([leg.agent for leg in call.legs], call.transfers, call.talk_s) == (["ana"], 0, 420)


def test_lines_that_only_rang_are_all_there_is_to_a_call_nobody_answered() -> None:
    call = over(
        [
            whole("started", 0),
            line("queued", 1, "a"),
            line("ended", 3, "a"),
            line("queued", 1, "b"),
            line("ended", 3, "b"),
            whole("ended", 3),
        ]
    )
    assert (call.outcome, call.wait_s, len(call.legs)) == ("abandoned", 120, 2)


def test_lines_that_rang_one_after_the_other_are_waited_for_one_after_the_other() -> None:
    lines = [line("queued", 1, "a"), line("ended", 2, "a"), line("queued", 2, "b"), line("connected", 3, "b", agent="ben")]
    assert over([*lines, line("ended", 5, "b", agent="ben")]).wait_s == 120


def test_a_line_that_is_said_to_have_rung_all_along_is_not_waited_for_while_somebody_speaks() -> None:
    rang = [line("queued", 0, "a"), line("ended", 9, "a")]
    answered = [line("queued", 0, "b"), line("connected", 2, "b", agent="ben"), line("ended", 9, "b")]
    call = over([*rang, *answered])
    assert (call.wait_s, call.talk_s, len(call.legs)) == (120, 420, 1)


def test_two_agents_at_the_same_time_are_not_twice_the_talk() -> None:
    parts = [part("connected", 1, "a", agent="ana"), part("ended", 5, "a", agent="ana"), part("connected", 3, "b", agent="ben")]
    assert over([whole("started", 0), *parts, part("ended", 7, "b", agent="ben"), whole("ended", 7)]).talk_s == 360


def test_a_leg_told_twice_counts_as_the_better_source_tells_it() -> None:
    outline = told(
        "ended", 9, "record", outline=True, queue="billing", agent="a line", connected_ms=ms(0), started_ms=ms(0), lives_once=True
    )
    better = [told("queued", 0, "q", queue="billing"), told("connected", 2, "q", queue="billing", agent="ana")]
    call = over([outline, *better])
    assert (call.agent, len(call.legs), call.talk_s, call.wait_s, call.transfers) == ("ana", 1, 420, 120, 0)
    assert (over([outline]).agent, over([outline]).talk_s) == ("a line", 540)
