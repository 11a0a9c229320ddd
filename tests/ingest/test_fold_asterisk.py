"""Calls as Asterisk's records, queue log and events tell them, from its payloads to the verdict."""

import random
from itertools import permutations

import pytest

from ingest.contacts.fold import fold
from ingest.contacts.model import Interaction, NotOver, Over, StoredEvent
from ingest.normalise import read
from ingest.normalise.model import Event, Raw
from tests.support.contacts import minutes
from tests.support.readings import LONG_AFTER, heard, payload

CALLER = {"phone": "+12025550171"}


def events(name: str) -> list[StoredEvent]:
    return heard(f"asterisk/{name}")


def over(told: list[StoredEvent], *, minute: float = 60) -> Interaction:
    (one,) = fold(told, now=minutes(LONG_AFTER + minute)).episodes
    assert isinstance(one, Over), one
    return one.interaction


def lines(*written: str) -> bytes:
    return "\n".join(written).encode()


@pytest.mark.parametrize(
    ("name", "legs", "agent", "transfers", "talk"),
    [
        ("cdr-basic-call", ["ben"], "ben", 0, 112),
        ("cdr-parallel-dial", ["ben"], "ben", 0, 60),
        ("cdr-blind-transfer", ["ben", "cleo"], "cleo", 1, 20 + 60),
        ("cdr-call-park", ["ben", None, "cleo"], "cleo", 1, 10 + 60),
        ("cdr-call-queue-example-1", ["cleo"], "cleo", 0, 120),
        ("cdr-core-attended-transfer-to-channel", ["ben", "cleo"], "cleo", 1, 50 + 35),
        ("cdr-core-attended-transfer-to-application", ["ben", None], "ben", 1, 50),
        ("cdr-a-complex-example-2", ["seat2"], "seat2", 0, 180),
        ("cdr-unanswered-dial", [None], None, 0, None),
        ("cdr-single-party", [None], None, 0, None),
    ],
)
def test_the_records_of_a_linkedid_are_one_contact_in_every_order(
    name: str, legs: list[str | None], agent: str | None, transfers: int, talk: int | None
) -> None:
    for order in permutations(events(name)):
        call = over(list(order))
        assert [leg.agent for leg in call.legs] == legs
        assert (call.agent, call.transfers, call.talk_s) == (agent, transfers, talk)


def test_a_queue_that_tries_two_at_once_keeps_the_caller_waiting_once() -> None:
    call = over(events("cdr-call-queue-example-1"))
    assert (call.wait_s, call.queue, call.outcome) == (60, "claims", "handled")


def test_a_customer_who_is_handed_on_from_a_queue_is_one_contact() -> None:
    told = events("invented-cdr-customer-queue-transfer")
    for order in permutations(told):
        call = over(list(order))
        assert [(leg.agent, leg.end) for leg in call.legs] == [("302", "transferred"), ("303", None)]
        assert (call.wait_s, call.talk_s, call.transfers, call.queue) == (30, 180 + 300, 1, "claims")
        assert (call.handles, call.direction, call.purpose) == (CALLER, "inbound", "service")


def test_a_queue_left_before_anybody_answered_was_abandoned_though_the_dial_plan_answered() -> None:
    call = over(events("invented-cdr-abandoned-in-queue"))
    assert (call.outcome, call.wait_s, call.agent) == ("abandoned", 90, None)


def test_a_call_dialled_from_inside_is_ours_to_the_customer() -> None:
    call = over(events("invented-cdr-outbound"))
    assert (call.direction, call.agent, call.handles, call.outcome) == ("outbound", "301", {"phone": "12025550171"}, "handled")


def test_what_only_an_application_answered_is_for_a_machine_alone() -> None:
    assert over(events("cdr-single-party")).outcome == "bot_only"


def test_local_times_are_the_accounts() -> None:
    (reading,) = read(Raw(payload("asterisk/cdr-basic-call"), account="pbx", zones={"pbx": "America/Chicago"}))
    assert isinstance(reading, Event)
    assert reading.at is not None
    assert (reading.at.isoformat(), reading.facts.get("clock")) == ("2027-05-11T14:02:00+00:00", None)


def test_the_queue_log_tells_a_call_whole() -> None:
    for order in permutations(events("invented-queue-log-completed")):
        call = over(list(order))
        assert (call.outcome, call.agent, call.wait_s, call.talk_s, call.disconnect) == ("handled", "302", 30, 180, "customer")
        assert (call.queue, call.handles, len(call.legs)) == ("claims", CALLER, 1)


def test_two_queues_one_after_the_other_are_one_contact_with_a_transfer() -> None:
    told = events("invented-queue-log-transferred")
    dice = random.Random(3)  # a seeded shuffle keeps no secret
    for _ in range(100):
        dice.shuffle(told)
        call = over(told)
        assert [(leg.agent, leg.queue, leg.end) for leg in call.legs] == [("Ana L.", "claims", "transferred"), ("303", "orders", "agent")]
        assert (call.transfers, call.wait_s, call.talk_s) == (1, 50, 300)


def test_a_transfer_out_of_the_queue_awaits_the_record_of_where_it_went() -> None:
    told = events("invented-queue-log-transferred")[:3]
    (one,) = fold(told, now=minutes(LONG_AFTER + 60)).episodes
    assert isinstance(one, NotOver)
    assert one.waits_for == "next_leg"


def test_records_beside_the_queue_log_change_nothing_but_what_it_does_not_know() -> None:
    log, records = events("invented-queue-log-completed"), events("invented-cdr-customer-queue-transfer")
    alone = over(log)
    told = [*log, *records[:2]]
    for order in permutations(told):
        both = over(list(order))
        assert (both.agent, both.talk_s, both.wait_s, both.transfers, len(both.legs)) == (alone.agent, 180, 30, 0, 1)
    call = over([*log, *records])
    assert [leg.agent for leg in call.legs] == ["302", "303"]
    assert (call.transfers, call.talk_s) == (1, 480)


def test_a_caller_who_gave_up_in_the_queue_abandoned() -> None:
    for name in ("invented-queue-log-table-abandoned", "invented-ami-abandoned-in-small-letters"):
        call = over(events(name))
        assert (call.outcome, call.disconnect) == ("abandoned", "customer")


def test_amis_events_tell_the_queue_and_when_the_caller_is_gone() -> None:
    told = events("invented-ami-queue-call")
    assert isinstance(fold(told[:4], now=minutes(LONG_AFTER + 60)).episodes[0], NotOver)
    for order in permutations(told):
        call = over(list(order))
        assert (call.outcome, call.agent_name, call.wait_s, call.talk_s, call.disconnect) == ("handled", "Ben K.", 30, 180, "customer")
        assert call.handles == CALLER


def test_aris_caller_talks_until_the_channel_is_gone() -> None:
    told = [one for one in events("invented-ari-call") if one.leg != "1810052000.50" or "framed" not in one.facts]
    for order in permutations(told):
        call = over(list(order))
        assert (call.outcome, call.agent, call.talk_s, call.direction) == ("handled", "302", 181, "inbound")
        assert call.handles == CALLER


def test_a_log_of_text_is_read_line_by_line() -> None:
    body = lines("1810026000|c.1|claims|NONE|ENTERQUEUE||+12025550171|1", "", "1810026090|c.1|claims|NONE|ABANDON|1|1|90")
    first, second = read(Raw(body))
    assert isinstance(first, Event)
    assert isinstance(second, Event)
    assert (first.kind.value, second.kind.value, first.root, second.index) == ("queued", "ended", "c.1", 1)
    assert first.handles == CALLER
