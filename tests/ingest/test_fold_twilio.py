"""Contacts as Twilio TaskRouter tells them, from its payloads to the verdict."""

from itertools import permutations

from ingest.contacts.fold import fold
from ingest.contacts.model import Interaction, NotOver, Over, StoredEvent
from tests.support.contacts import minutes
from tests.support.readings import LONG_AFTER, heard

TOLD = ("task-created", "reservation-accepted", "reservation-wrapup", "second-reservation-accepted", "second-reservation-wrapup")


def stream(*names: str) -> list[StoredEvent]:
    return [event for name in names for event in heard(f"twilio/invented-stream-{name}")]


def over(events: list[StoredEvent], *, minute: float = 30) -> Interaction:
    (one,) = fold(events, now=minutes(LONG_AFTER + minute)).episodes
    assert isinstance(one, Over), one
    return one.interaction


def test_a_transfer_that_keeps_its_task_is_one_contact_of_two_agents_in_every_order() -> None:
    expected = over(stream(*TOLD, "task-completed"))
    assert [(leg.agent_name, leg.queue, leg.end) for leg in expected.legs] == [
        ("Ana L.", "Claims", "transferred"),
        ("Ben K.", "Orders", None),
    ]
    assert (expected.agent_name, expected.team, expected.queue, expected.transfers) == ("Ben K.", "south", "Orders", 1)
    assert (expected.wait_s, expected.talk_s) == (60 + 120, 210 + 300)
    assert all(over(list(order)) == expected for order in permutations(stream(*TOLD, "task-completed")))


def test_what_else_is_said_of_a_transfer_changes_nothing() -> None:
    plain = over(stream(*TOLD, "task-completed"))
    more = over(stream(*TOLD, "task-queue-entered", "transfer-completed", "reservation-completed", "task-completed"))
    assert (more.legs, more.transfers, more.talk_s, more.wait_s, more.outcome) == (
        plain.legs, plain.transfers, plain.talk_s, plain.wait_s, plain.outcome,
    )  # fmt: skip


def test_an_agents_notes_are_no_part_of_the_call_and_a_wrap_up_is_not_its_end() -> None:
    (one,) = fold(stream(*TOLD), now=minutes(LONG_AFTER + 60)).episodes
    assert isinstance(one, NotOver)
    assert one.waits_for == "end"
    call = over(stream(*TOLD, "task-completed"))
    assert (call.started_at.isoformat(), call.ended_at.isoformat()) == ("2027-05-11T14:00:00+00:00", "2027-05-11T14:12:00+00:00")


def test_a_task_canceled_before_anybody_took_it_was_abandoned() -> None:
    for names in (("task-canceled",), ("task-canceled", "task-canceled")):
        call = over(stream(*names))
        assert (call.outcome, call.wait_s, call.disconnect, call.queue, call.agent) == ("abandoned", 150, "customer", "Claims", None)
    assert over(heard("twilio/invented-callback-as-json")).outcome == "abandoned"


def test_a_task_that_was_completed_had_been_taken_by_somebody() -> None:
    call = over(stream("task-created", "task-completed"))
    assert (call.outcome, call.agent, call.transfers) == ("handled", None, 0)
    assert over(heard("twilio/taskrouter-ws-task-completed")).outcome == "handled"


def test_who_wraps_up_had_accepted_even_if_nobody_said_so() -> None:
    for order in permutations(stream("task-created", "reservation-wrapup", "task-completed")):
        call = over(list(order))
        assert (call.outcome, call.agent_name, call.queue) == ("handled", "Ana L.", "Claims")


def test_the_customer_of_a_task_is_who_its_attributes_name() -> None:
    call = over(stream("task-canceled"))
    assert call.handles == {
        "phone": "+12025550171", "email": "someone@example.com", "contact_id": "crm-7781", "name": "Someone Invented",
    }  # fmt: skip
    assert (call.channel, call.direction, call.language, call.traits) == ("phone", "inbound", "es", {"product_line": "medicare"})


def test_what_the_web_socket_says_of_one_reservation_is_a_handled_contact_once_its_task_is_completed() -> None:
    names = ("reservation-accepted", "reservation-completed", "task-completed")
    events = [event for name in names for event in heard(f"twilio/taskrouter-ws-{name}")]
    call = over(events)
    assert (call.outcome, len(call.legs), call.queue) == ("handled", 1, "Claims")
    assert all(over(list(order)) == call for order in permutations(events))


def test_an_agent_whose_wrap_up_was_lost_was_gone_when_the_next_took_over() -> None:
    call = over(stream(*(name for name in TOLD if name != "reservation-wrapup"), "task-completed"))
    assert (call.transfers, call.agent_name, call.talk_s) == (1, "Ben K.", 330 + 300)
    assert call.legs[0].to == call.legs[1].from_


def test_reservations_without_a_word_of_their_task_wait_for_it() -> None:
    (one,) = fold(stream("reservation-accepted", "reservation-wrapup"), now=minutes(LONG_AFTER + 60)).episodes
    assert isinstance(one, NotOver)
    assert one.waits_for == "end"
