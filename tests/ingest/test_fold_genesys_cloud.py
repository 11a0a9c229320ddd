"""Contacts as Genesys Cloud tells them, from its payloads to the verdict."""

import random
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from ingest.contacts.fold import fold
from ingest.contacts.model import Interaction, NotOver, Over, StoredEvent
from ingest.normalise.model import Kind
from tests.support.contacts import minutes
from tests.support.readings import LONG_AFTER, heard

CALL = ("customer-start", "acd-end", "user-end", "second-acd-end", "second-user-end", "customer-end")
REST = ("flow-start", "flow-end", "acd-start", "user-start", "acw", "attributes")


def events(kind: str, *names: str, minute: float = 0) -> list[StoredEvent]:
    return [event for name in names for event in heard(f"genesys-cloud/invented-{kind}-{name}", minute=minute)]


def over(told: list[StoredEvent], *, minute: float = 90) -> Interaction:
    (one,) = fold(told, now=minutes(LONG_AFTER + minute)).episodes
    assert isinstance(one, Over), one
    return one.interaction


def waiting(told: list[StoredEvent], *, minute: float) -> NotOver:
    (one,) = fold(told, now=minutes(LONG_AFTER + minute)).episodes
    assert isinstance(one, NotOver), one
    return one


def test_a_transfer_that_keeps_its_conversation_is_one_contact_of_two_agents_in_every_order() -> None:
    call = over(events("call", *CALL))
    assert (call.outcome, call.transfers, call.wait_s, call.talk_s, call.hold_s) == ("handled", 1, 60 + 120, 180 + 300, 30)
    assert (call.started_at.minute, call.ended_at.minute, call.disconnect, call.direction) == (0, 12, "customer", "inbound")
    assert call.handles == {"contact_id": "crm-7781", "phone": "+12025550171"}
    assert [leg.end for leg in call.legs if leg.agent] == ["transferred", "customer"]
    assert call.agent == [leg.agent for leg in call.legs][-1]
    assert all(over(list(order)) == call for order in permutations(events("call", *CALL)))


def test_all_that_is_told_of_a_call_in_any_order_says_the_same_and_more() -> None:
    told = [*events("call", *CALL, *REST), *events("survey", "flow-end")]
    call, plain = over(told), over(events("call", *CALL))
    assert (call.agent, call.transfers, call.talk_s, call.wait_s, call.ended_at) == (
        plain.agent, plain.transfers, plain.talk_s, plain.wait_s, plain.ended_at,
    )  # fmt: skip
    assert (call.reason, call.traits) == ("claim_status", {"product_line": "medicare", "state": "NY"})
    assert (call.purpose, plain.purpose) == ("asked_by_platform", "service"), "whom Genesys asked itself is not asked again"
    dice = random.Random(5)  # a seeded shuffle keeps no secret
    for _ in range(200):
        dice.shuffle(told)
        assert over(told) == call


def test_an_agent_who_asked_another_and_came_back_was_the_last_with_the_customer() -> None:
    told = events("call", "customer-start", "acd-end", "customer-end") + events("consult", "user-end", "second-user-end")
    expected = over(told)
    assert (expected.agent, expected.transfers) == ("82818e6c-bdaa-52e8-9ab8-ba4b1090562b", 0)
    assert [leg.agent is not None for leg in expected.legs] == [False, True, True]
    assert all(over(list(order)) == expected for order in permutations(told))


def test_an_agents_end_is_not_the_end() -> None:
    assert waiting(events("call", *CALL[1:5]), minute=60).waits_for == "end"
    assert waiting(events("call", *CALL[:5]), minute=60).waits_for == "end"


def test_the_customers_end_may_come_first_and_waits_for_the_agents() -> None:
    early, late = events("call", "customer-end"), events("call", *CALL[:5], minute=1)
    assert waiting(early, minute=1).waits_for == "hold_off"
    assert over([*early, *late]).outcome == "handled"


@pytest.mark.parametrize("names", [("acd-end", "customer-end"), ("acd-end", "user-rang-out", "customer-end"), ("customer-end",)])
def test_a_caller_nobody_answered_abandoned(names: tuple[str, ...]) -> None:
    for order in permutations(events("abandoned", *names)):
        call = over(list(order))
        assert (call.outcome, call.agent, call.disconnect, call.transfers) == ("abandoned", None, "customer", 0)


def test_a_queue_that_says_who_answered_is_believed_until_that_agents_own_end_is_told() -> None:
    for order in permutations(events("call", "customer-start", "acd-end", "customer-end")):
        call = over(list(order))
        assert (call.outcome, call.agent, call.wait_s) == ("handled", "82818e6c-bdaa-52e8-9ab8-ba4b1090562b", 60)
        assert (call.ended_at.minute, call.talk_s) == (12, 630)
    assert over(events("call", *CALL)).transfers == 1


def test_an_agents_end_without_any_length_is_of_one_who_spoke() -> None:
    for order in permutations(events("call", "customer-start", "user-end-without-lengths", "customer-end")):
        call = over(list(order))
        assert (call.outcome, call.agent) == ("handled", "82818e6c-bdaa-52e8-9ab8-ba4b1090562b")


def test_what_only_a_bot_spoke_with_is_for_the_bot_alone() -> None:
    for order in permutations(events("bot", "customer-start", "flow-end", "customer-end")):
        thread = over(list(order))
        assert (thread.outcome, thread.channel, thread.medium) == ("bot_only", "chat", "whatsapp")
    assert over(heard("genesys-cloud/invented-analytics-bot-only")).outcome == "bot_only"


def test_a_bot_that_passed_on_to_a_queue_was_not_all_there_was() -> None:
    bot = events("bot", "customer-start", "flow-end", "customer-end")
    assert over([*bot, *events("abandoned", "acd-end")]).outcome == "abandoned"


def test_a_callback_after_a_call_is_the_same_contact_over_when_both_are() -> None:
    asked = [*events("abandoned", "acd-end", "customer-end"), *events("callback", "customer-start")]
    assert waiting(asked, minute=10).waits_for == "end"
    called = events("callback", "user-end", "voice-customer-end", "voice-user-end", "customer-end", minute=70)
    for order in (asked + called, called + asked):
        call = over(order)
        assert (call.outcome, call.direction, call.channel, call.talk_s, call.transfers) == ("handled", "inbound", "phone", 420, 0)
        assert call.ended_at.isoformat() == "2027-05-11T15:10:00+00:00"


def test_a_callback_on_an_agents_screen_is_no_conversation() -> None:
    call = over(events("callback", "customer-start", "user-end", "customer-end"))
    assert (call.outcome, call.agent, call.talk_s) == ("abandoned", None, None)


def test_a_call_that_the_dialer_offered_and_the_agent_skipped_failed() -> None:
    skipped = heard("genesys-cloud/analytics-conversation-outbound-preview-skipped")
    assert waiting(skipped, minute=60).waits_for == "end"
    call = over(skipped, minute=13 * 60)
    assert (call.outcome, call.agent, call.talk_s, call.direction) == ("failed", None, None, "outbound")


def test_a_thread_that_comes_back_under_its_id_is_a_new_episode_after_the_gap_and_the_old_one_before() -> None:
    first = events("thread", "customer-start", "user-end", "customer-end")
    soon = [_later(first[0], hours=5), _later(first[2], hours=6)]
    assert over([*first, *soon], minute=60 * 24).episode == 0
    assert waiting([*first, soon[0]], minute=60 * 6).waits_for == "end"
    much_later = [_later(first[0], hours=100), _later(first[1], hours=101, leg="another"), _later(first[2], hours=102)]
    for order in ([*first, *much_later], [*much_later, *first]):
        one, two = fold(order, now=minutes(LONG_AFTER + 60 * 200)).episodes
        assert isinstance(one, Over)
        assert isinstance(two, Over)
        assert [(each.interaction.episode, each.interaction.outcome) for each in (one, two)] == [(0, "handled"), (1, "handled")]


def _later(event: StoredEvent, *, hours: float, leg: str | None = None) -> StoredEvent:
    moved = timedelta(hours=hours)
    assert event.at is not None
    facts = event.facts.copy()
    for name in ("started_ms", "connected_ms", "ended_ms"):
        if name in facts:
            facts[name] += moved // timedelta(milliseconds=1)
    other = replace(event, at=event.at + moved, received=event.received + moved, leg=leg or event.leg, facts=facts)
    return replace(other, id=type(event.id)(int=event.id.int ^ int(hours * 10)))


def test_a_record_of_the_whole_says_what_its_events_said() -> None:
    record = heard("genesys-cloud/invented-analytics-call-transferred")
    for order in (record, record[::-1]):
        call = over(order)
        assert (call.outcome, call.transfers, call.wait_s, call.talk_s, call.hold_s) == ("handled", 1, 60 + 120, 180 + 300, 30)
        assert (call.reason, call.disconnect, call.handles["phone"]) == ("order_changed", "customer", "+12025550171")
    assert {event.kind for event in heard("genesys-cloud/invented-analytics-still-waiting")} == {Kind.STARTED, Kind.QUEUED}


def test_a_supervisor_who_listens_in_or_coaches_is_no_part_of_the_contact() -> None:
    plain, supervised = (over(heard(f"genesys-cloud/invented-analytics-call-{name}")) for name in ("transferred", "supervised"))
    assert supervised == plain


def test_a_record_with_times_nobody_can_read_is_kept_and_waits() -> None:
    told = heard("genesys-cloud/analytics-conversation-chat-not-ended-bad-dates")
    held = waiting(told, minute=60)
    assert (held.waits_for, held.so_far.clock_suspect, held.so_far.outcome) == ("end", True, "handled")
