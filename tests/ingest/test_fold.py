"""When a contact is over and what it was."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from ingest.contacts.fold import fold
from ingest.contacts.model import Interaction, KnownEpisode, NotOver, Over, Patience, StoredEvent, Verdict
from tests.support.contacts import minutes, ms, told

PHONE = {"phone": "+15550100123"}


def over(verdict: Verdict) -> Interaction:
    (one,) = verdict.episodes
    assert isinstance(one, Over), one
    return one.interaction


def waiting(verdict: Verdict) -> NotOver:
    one = verdict.episodes[-1]
    assert isinstance(one, NotOver), one
    return one


def a_call(*, agent: str = "ana") -> list[StoredEvent]:
    return [
        told("started", 0, handles=PHONE, direction="inbound"),
        told("queued", 1, queue="billing"),
        told("connected", 3, agent=agent, agent_name="Ana", team="north"),
        told("ended", 10, reason="refund", disconnect="customer"),
    ]


def test_a_call_that_ended_is_over_when_its_hold_off_has_passed() -> None:
    before, after = fold(a_call(), now=minutes(11.9)), fold(a_call(), now=minutes(12))
    assert waiting(before).waits_for == "hold_off"
    assert before.look_again_at == minutes(12)
    assert after.look_again_at is None
    assert over(after).outcome == "handled"


def test_a_call_says_who_how_long_and_why() -> None:
    call = over(fold(a_call(), now=minutes(20)))
    assert (call.started_at, call.ended_at, call.received_at) == (minutes(0), minutes(10), minutes(10))
    assert (call.wait_s, call.talk_s, call.hold_s, call.transfers) == (120, 420, None, 0)
    assert (call.agent, call.agent_name, call.team, call.queue) == ("ana", "Ana", "north", "billing")
    assert (call.channel, call.direction, call.purpose) == ("phone", "inbound", "service")
    assert (call.disconnect, call.reason) == ("customer", "refund")
    assert (call.handles, call.needs_address, call.clock_suspect, call.episode) == (PHONE, False, False, 0)


def test_every_order_and_repetition_of_a_call_gives_the_same_verdict() -> None:
    expected = fold(a_call(), now=minutes(20))
    assert all(fold([*order, order[0]], now=minutes(20)) == expected for order in permutations(a_call()))


def test_the_hold_off_is_that_of_the_channel() -> None:
    chat = [told("started", 0, channel="chat", handles=PHONE), told("ended", 5, channel="chat")]
    assert fold(chat, now=minutes(6)).look_again_at == minutes(20)


def test_a_new_leg_restarts_the_hold_off() -> None:
    events = [*a_call(), told("started", 11, "leg-2"), told("connected", 11.5, "leg-2", agent="ben"), told("ended", 13, "leg-2")]
    assert fold(events, now=minutes(14)).look_again_at == minutes(15)


def test_one_more_fact_about_an_ended_leg_does_not_restart_the_hold_off() -> None:
    again = told("ended", 10, name="sent once more", received=11.5, reason="refund", disconnect="customer")
    assert over(fold([*a_call(), again], now=minutes(12))).received_at == minutes(10)


def test_three_agents_on_three_legs_are_one_contact_of_the_last_of_them() -> None:
    events = [
        told("started", 0, "a", handles=PHONE), told("connected", 1, "a", agent="ana"), told("transferred", 3, "a"),
        told("started", 3, "b"), told("connected", 4, "b", agent="ben"), told("transferred", 6, "b"),
        told("started", 6, "c"), told("connected", 7, "c", agent="cleo", team="south"), told("ended", 9, "c"),
    ]  # fmt: skip
    call = over(fold(events, now=minutes(30)))
    assert (call.transfers, call.agent, call.team) == (2, "cleo", "south")
    assert [(leg.agent, leg.end) for leg in call.legs] == [("ana", "transferred"), ("ben", "transferred"), ("cleo", None)]
    assert (call.talk_s, call.ended_at) == (360, minutes(9))


def test_agents_who_follow_each_other_on_one_leg_are_told_apart() -> None:
    events = [
        told("started", 0, handles=PHONE), told("connected", 1, agent="ana"), told("transferred", 3), told("queued", 3.5),
        told("connected", 4, agent="ben"), told("ended", 9),
    ]  # fmt: skip
    for order in permutations(events):
        call = over(fold(order, now=minutes(30)))
        assert [leg.agent for leg in call.legs] == ["ana", "ben"]
        assert (call.transfers, call.agent, call.talk_s) == (1, "ben", 120 + 300)


def test_another_agent_on_the_same_leg_took_over_even_if_nobody_said_transferred() -> None:
    events = [told("started", 0, handles=PHONE), told("connected", 1, agent="ana"), told("connected", 4, agent="ben"), told("ended", 9)]
    for heard in (events, [*events, told("transferred", 4)]):
        call = over(fold(heard, now=minutes(30)))
        assert ([leg.agent for leg in call.legs], call.transfers, call.talk_s) == (["ana", "ben"], 1, 480)


def test_a_transfer_is_not_an_end() -> None:
    events = [told("started", 0, handles=PHONE), told("connected", 1, agent="ana"), told("transferred", 3)]
    assert waiting(fold(events, now=minutes(60))).waits_for == "next_leg"


def test_a_leg_that_was_transferred_and_then_ended_needs_no_other() -> None:
    events = [told("started", 0, handles=PHONE), told("connected", 1, agent="ana"), told("transferred", 3), told("ended", 9)]
    call = over(fold(events, now=minutes(60)))
    assert (call.ended_at, call.transfers) == (minutes(9), 1)


def test_nobody_came_to_the_phone_in_the_queue() -> None:
    events = [told("started", 0, handles=PHONE), told("queued", 1, queue="billing"), told("ended", 4)]
    call = over(fold(events, now=minutes(60)))
    assert (call.outcome, call.wait_s, call.agent, call.queue) == ("abandoned", 180, None, "billing")


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        ({"self_served": True}, "self_served"),
        ({"bot": True}, "bot_only"),
        ({"failed": True}, "failed"),
        ({"direction": "outbound"}, "failed"),
        ({"channel": "web"}, "self_served"),
        ({}, "abandoned"),
    ],
)
def test_a_contact_without_a_human_says_what_it_was(facts: dict[str, Any], outcome: str) -> None:
    events = [told("started", 0, handles=PHONE, **facts), told("ended", 4, **facts)]
    assert over(fold(events, now=minutes(60))).outcome == outcome


def test_a_bot_that_connected_is_no_human() -> None:
    events = [told("started", 0, handles=PHONE), told("connected", 1, agent="bot-7", bot=True), told("ended", 4)]
    call = over(fold(events, now=minutes(60)))
    assert (call.outcome, call.agent, call.legs[0].agent) == ("bot_only", None, None)


def test_an_agent_who_took_over_from_a_bot_on_the_same_leg_is_human() -> None:
    events = [told("started", 0, handles=PHONE, bot=True), told("queued", 1), told("connected", 2, agent="ana"), told("ended", 4)]
    call = over(fold(events, now=minutes(60)))
    assert (call.outcome, call.agent, call.transfers) == ("handled", "ana", 0)


def test_a_contact_of_ours_is_marked_by_any_of_its_legs() -> None:
    events = [told("started", 0, handles=PHONE), told("ended", 4, purpose="survey")]
    assert over(fold(events, now=minutes(60))).purpose == "survey"


def test_a_contact_without_an_address_waits_once_more_and_then_completes_without() -> None:
    events = [told("started", 0), told("connected", 1, agent="ana"), told("ended", 4)]
    first, last = fold(events, now=minutes(6)), fold(events, now=minutes(21))
    assert (waiting(first).waits_for, first.look_again_at) == ("address", minutes(21))
    assert over(last).needs_address


def test_an_address_that_comes_while_waited_for_ends_the_wait() -> None:
    record = told("ended", 4, name="record", received=14, record=True, version="1", handles=PHONE)
    events = [told("started", 0), told("connected", 1, agent="ana"), told("ended", 4)]
    assert over(fold([*events, record], now=minutes(14))).handles == PHONE


def test_the_first_legs_address_is_the_customers() -> None:
    third_party = {"phone": "+15550100999", "member_id": "M-4"}
    events = [told("started", 0, "a", handles=PHONE), told("ended", 4, "a")]
    events += [told("started", 4, "b", handles=third_party), told("ended", 9, "b")]
    assert over(fold(events, now=minutes(60))).handles == {"phone": PHONE["phone"], "member_id": "M-4"}


def test_of_a_legs_records_the_newest_version_wins_whenever_it_comes() -> None:
    old = told("ended", 10, name="v1", record=True, version="2026-03-02T09:11:00.000+00:00", disconnect="agent", hold_s=40)
    new = told("ended", 10, name="v2", record=True, version="2026-03-02T09:12:00.000+00:00", disconnect="customer")
    for order in permutations([*a_call()[:3], old, new]):
        call = over(fold(order, now=minutes(60)))
        assert (call.disconnect, call.hold_s) == ("customer", None)


def test_a_record_announces_the_next_leg_by_name() -> None:
    first = told("transferred", 5, "a", record=True, lives_once=True, next_leg="b", connected_ms=ms(1), agent="ana", handles=PHONE)
    ended = told("ended", 5, "a", lives_once=True, ended_ms=ms(5))
    other = told("ended", 6, "x", lives_once=True)
    assert waiting(fold([first, ended, other], now=minutes(60))).waits_for == "next_leg"
    second = told("ended", 9, "b", record=True, lives_once=True, previous_leg="a", started_ms=ms(5), connected_ms=ms(6), agent="ben")
    call = over(fold([first, ended, second], now=minutes(60)))
    assert (call.agent, call.transfers, len(call.legs)) == ("ben", 1, 2)


def test_a_leg_that_another_names_as_the_one_before_is_over_though_its_end_was_lost() -> None:
    events = [
        told("connected", 1, "a", lives_once=True, agent="ana", handles=PHONE),
        told("started", 5, "b", lives_once=True, previous_leg="a"),
        told("connected", 6, "b", lives_once=True, agent="ben"),
        told("ended", 9, "b", lives_once=True),
    ]
    call = over(fold(events, now=minutes(60)))
    assert (call.legs[0].to, call.transfers, call.agent) == (minutes(5), 1, "ben")


def test_what_an_odd_clock_puts_after_the_end_of_a_leg_that_lives_once_still_belongs_to_it() -> None:
    events = [told("connected", 21, lives_once=True, agent="ana", handles=PHONE), told("ended", 10, lives_once=True, ended_ms=ms(10))]
    call = over(fold(events, now=minutes(60)))
    assert (call.outcome, call.ended_at, len(call.legs), call.talk_s) == ("handled", minutes(10), 1, None)


def test_a_flow_after_hang_up_is_beside_the_contact() -> None:
    flow = told("ended", 10.5, "flow", lives_once=True, aside=True, previous_leg="leg-1", name="flow")
    call = over(fold([*a_call(), flow], now=minutes(60)))
    assert (call.ended_at, len(call.legs), call.agent) == (minutes(10), 1, "ana")


def test_a_thread_reopened_within_the_gap_is_the_same_episode_held_back_until_it_is_over_again() -> None:
    reopened = [*a_call(), told("reopened", 70)]
    held = waiting(fold(reopened, now=minutes(71)))
    assert (held.waits_for, held.so_far.standing, held.so_far.episode) == ("end", "reopened", 0)
    again = [*reopened, told("connected", 71, agent="ben"), told("ended", 80)]
    for order in permutations(again):
        call = over(fold(order, now=minutes(90)))
        assert (call.standing, call.ended_at, call.agent, call.episode, call.transfers) == ("over", minutes(80), "ben", 0, 0)


def test_a_thread_reopened_after_the_gap_is_a_new_episode() -> None:
    later = 10 + 80 * 60
    again = [told("reopened", later, handles=PHONE), told("connected", later + 1, agent="ben"), told("ended", later + 5)]
    first, second = fold([*again, *a_call()], now=minutes(later + 60)).episodes
    assert isinstance(first, Over)
    assert isinstance(second, Over)
    assert (first.interaction.episode, first.interaction.agent, first.interaction.ended_at) == (0, "ana", minutes(10))
    assert (second.interaction.episode, second.interaction.agent, second.interaction.started_at) == (1, "ben", minutes(later))


def test_an_episode_already_known_keeps_its_number() -> None:
    known = KnownEpisode(3, minutes(0))
    earlier = [told("started", -9_000, handles=PHONE, received=20), told("ended", -8_990, received=20)]
    later = [told("reopened", 6_000, handles=PHONE), told("ended", 6_010)]
    episodes = fold([*later, *a_call(), *earlier], now=minutes(9_000), known=known).episodes
    assert [one.interaction.episode for one in episodes if isinstance(one, Over)] == [2, 3, 4]
    assert over(fold(later, now=minutes(9_000), known=known)).episode == 4
    assert over(fold(earlier, now=minutes(9_000), known=known)).episode == 2


def test_a_contact_whose_end_never_comes_is_closed_at_the_stale_limit() -> None:
    events = a_call()[:3]
    patient = fold(events, now=minutes(60))
    assert patient.look_again_at == minutes(3 + 12 * 60)
    call = over(fold(events, now=minutes(3 + 12 * 60)))
    assert (call.ended_at, call.outcome, call.clock_suspect) == (minutes(3), "handled", True)


def test_a_time_from_the_future_is_replaced_by_that_of_its_arrival() -> None:
    events = [*a_call()[:3], told("ended", 500, received=10)]
    call = over(fold(events, now=minutes(60)))
    assert (call.ended_at, call.clock_suspect) == (minutes(10), True)


def test_a_missing_time_is_replaced_by_that_of_its_arrival() -> None:
    events = [*a_call()[:3], told("ended", None, received=10, clock="placeholder")]
    call = over(fold(events, now=minutes(60)))
    assert (call.ended_at, call.clock_suspect) == (minutes(10), True)


def test_a_contact_of_long_ago_keeps_its_time() -> None:
    events = [told("started", -100_000, received=0, handles=PHONE), told("ended", -99_990, received=0)]
    call = over(fold(events, now=minutes(60)))
    assert (call.ended_at, call.clock_suspect, call.received_at) == (minutes(-99_990), False, minutes(0))


def test_an_end_that_comes_before_everything_else_makes_the_contact() -> None:
    end = told("ended", 10, received=11, handles=PHONE)
    assert over(fold([end], now=minutes(60))).started_at == minutes(10)


def test_patience_is_a_setting() -> None:
    quick = Patience(hold_offs={"phone": timedelta(seconds=2)}, address_wait=timedelta(seconds=1))
    assert over(fold(a_call(), now=minutes(10) + timedelta(seconds=2), patience=quick)).agent == "ana"
    assert quick.wait_after(a_call()[-1].kind, "phone") == timedelta(seconds=2)
    assert quick.wait_after(a_call()[0].kind, "phone") == timedelta(hours=12)


def test_no_events_are_no_episodes() -> None:
    assert fold([], now=minutes(0)) == Verdict(())


def test_what_ends_beside_a_transfer_is_not_the_leg_that_was_announced() -> None:
    transferred = [told("connected", 0, "agent", agent="ana"), told("transferred", 5, "agent")]
    beside = [told("started", 1, "supervisor", aside=True), told("ended", 6, "supervisor", aside=True)]
    (one,) = fold([*transferred, *beside], now=minutes(60)).episodes
    assert isinstance(one, NotOver)
    assert one.waits_for == "next_leg"
