"""Contacts as Amazon Connect tells them, from its payloads to the verdict."""

from itertools import permutations

import pytest

from ingest.contacts.fold import fold
from ingest.contacts.model import Interaction, NotOver, Over, StoredEvent
from ingest.normalise import read
from ingest.normalise.model import Raw
from tests.support.contacts import minutes
from tests.support.readings import payload, stored

YEAR = 60 * 24 * 500
"""The fixtures' day, in minutes after the tests' morning: nothing is from the future when it arrives."""


def heard(name: str, *, minute: float) -> StoredEvent:
    (reading,) = read(Raw(payload(f"amazon-connect/invented-{name}"), default_channel="phone"))
    return stored(reading, received=YEAR + minute)


def the_call_by_events() -> list[StoredEvent]:
    names = ("initiated", "connected-to-system", "queued", "disconnected-without-own-time", "completed-after-notes")
    return [heard(name, minute=0) for name in names]


def over(events: list[StoredEvent], *, minute: float) -> Interaction:
    (one,) = fold(events, now=minutes(YEAR + minute)).episodes
    assert isinstance(one, Over), one
    return one.interaction


def waiting(events: list[StoredEvent], *, minute: float) -> NotOver:
    (one,) = fold(events, now=minutes(YEAR + minute)).episodes
    assert isinstance(one, NotOver), one
    return one


def test_contact_events_and_the_record_ten_minutes_later_are_one_interaction_with_a_customer() -> None:
    events = [event for event in the_call_by_events() if not event.handles]
    (early,) = fold(events, now=minutes(YEAR + 9)).episodes
    assert isinstance(early, NotOver)
    assert early.waits_for == "address"
    call = over([*events, heard("record-of-a-call", minute=10)], minute=10)
    assert call.handles.get("phone", "").startswith("+1202555")
    assert (call.outcome, call.agent_name, call.queue, call.talk_s, call.wait_s) == ("handled", "ana.l", "Claims", 350, 60)


def test_a_record_later_than_anybody_waits_for_brings_the_customer_to_what_is_already_over() -> None:
    events = [event for event in the_call_by_events() if not event.handles]
    before = over(events, minute=30)
    after = over([*events, heard("record-of-a-call", minute=40)], minute=40)
    assert before.needs_address
    assert not after.needs_address
    assert (before.started_at, before.ended_at, before.received_at) == (after.started_at, after.ended_at, after.received_at)


def test_a_record_alone_is_a_whole_contact() -> None:
    call = over([heard("record-of-a-call", minute=0)], minute=2)
    assert (call.outcome, call.transfers, call.purpose, call.direction, call.disconnect) == ("handled", 0, "service", "inbound", "customer")
    assert (call.ended_at - call.started_at).total_seconds() == 480


def test_notes_written_after_the_call_do_not_lengthen_it() -> None:
    assert over(the_call_by_events(), minute=20).ended_at.isoformat() == "2027-05-11T14:08:00+00:00"


def test_a_record_that_names_a_next_one_waits_for_it() -> None:
    first, second = heard("record-followed-by-another", minute=0), heard("record-of-the-second-leg", minute=5)
    (alone,) = fold([first], now=minutes(YEAR + 60)).episodes
    assert isinstance(alone, NotOver)
    assert alone.waits_for == "next_leg"
    for order in permutations([first, second, heard("transfer-initiated", minute=1)]):
        call = over(list(order), minute=60)
        assert (call.transfers, call.agent_name, call.ended_at.minute) == (1, "ben.k", 15)
        assert [leg.end for leg in call.legs] == ["transferred", "agent"]


def test_a_flow_after_hang_up_and_a_supervisor_listening_in_change_nothing() -> None:
    (monitor,) = read(Raw(payload("amazon-connect/invented-monitor")))
    assert not hasattr(monitor, "leg")
    plain, with_flow = (
        over(the_call_by_events(), minute=20),
        over([*the_call_by_events(), heard("flow-after-hang-up", minute=1)], minute=20),
    )
    assert (plain.legs, plain.ended_at, plain.transfers) == (with_flow.legs, with_flow.ended_at, with_flow.transfers)


def test_an_agent_who_called_in_another_may_still_be_with_the_customer() -> None:
    """That the other one is gone ends nothing: only by the next leg's word was the first one handed over."""
    asked = [heard("consult-first-connected", minute=0), heard("consult-second-disconnected", minute=8)]
    gone = heard("consult-first-disconnected", minute=20)
    for order in permutations(asked):
        held = waiting(list(order), minute=24)
        assert (held.waits_for, held.look_again_at) == ("end", minutes(YEAR + 8 + 2 + 15))
        assert over(list(order), minute=25).outcome == "handled"
    for order in permutations([*asked, gone]):
        assert waiting(list(order), minute=21).waits_for == "hold_off"
        assert over(list(order), minute=22).ended_at.isoformat() == "2027-05-11T14:20:00+00:00"


def test_where_records_come_a_leg_without_one_is_not_over() -> None:
    asked = [heard("consult-first-connected", minute=0), heard("consult-second-record", minute=9)]
    assert all(waiting(list(order), minute=600).waits_for == "end" for order in permutations(asked))
    assert over([*asked, heard("consult-first-disconnected", minute=20)], minute=22).transfers == 1


def test_a_flow_after_hang_up_says_that_the_agent_is_gone_though_the_end_was_lost() -> None:
    body = payload("amazon-connect/invented-flow-after-hang-up")
    (flow,) = read(Raw(body.replace(b"35511e77-d018-567d-bb5e-17ae59fbc788", b"5f0c2f3a-516a-5c7b-8b0a-2f2a5c1d7e10")))
    told = [heard("consult-first-connected", minute=0), stored(flow, received=YEAR + 1)]
    for order in permutations(told):
        call = over(list(order), minute=3)
        assert (call.outcome, call.transfers, [leg.end for leg in call.legs]) == ("handled", 0, [None])


def test_a_record_whose_next_contact_is_the_flow_after_hang_up_was_handed_on_to_nobody() -> None:
    body = payload("amazon-connect/invented-record-of-a-call").replace(
        b'"NextContactId": null', b'"NextContactId": "dfd0a5f6-3c0a-5fea-b41c-57344be745f3"'
    )
    (record,) = read(Raw(body))
    told = [stored(record, received=YEAR), heard("flow-after-hang-up", minute=1)]
    for order in permutations(told):
        call = over(list(order), minute=3)
        assert (call.transfers, call.disconnect, [leg.end for leg in call.legs]) == (0, "customer", ["customer"])


def test_a_call_of_ours_that_nobody_took_is_no_conversation_though_an_agent_was_on_the_line() -> None:
    for order in permutations([heard("outbound-call-nobody-took", minute=0), heard("record-outbound-call-nobody-took", minute=1)]):
        for told in (order, order[:1]):
            call = over(list(told), minute=60)
            assert (call.outcome, call.direction, call.agent, call.talk_s) == ("failed", "outbound", None, None)


def test_a_record_that_names_an_agent_was_handled_even_if_it_cannot_be_read_when() -> None:
    call = over([heard("record-agent-without-time", minute=0)], minute=60)
    assert (call.outcome, call.agent_name, call.talk_s) == ("handled", "ana.l", 350)


@pytest.mark.parametrize(
    ("name", "outcome", "purpose", "channel"),
    [
        ("record-abandoned-in-queue", "abandoned", "service", "phone"),
        ("record-ended-by-the-flow", "bot_only", "service", "phone"),
        ("record-ended-without-reason", "bot_only", "service", "phone"),
        ("record-callback", "handled", "service", "phone"),
        ("record-survey-call", "handled", "survey", "phone"),
        ("record-email", "handled", "service", "email"),
        ("task-ended", "abandoned", "internal", "other"),
    ],
)
def test_each_kind_of_contact_is_what_it_was(name: str, outcome: str, purpose: str, channel: str) -> None:
    contact = over([heard(name, minute=0)], minute=60)
    assert (contact.outcome, contact.purpose, contact.channel) == (outcome, purpose, channel)
