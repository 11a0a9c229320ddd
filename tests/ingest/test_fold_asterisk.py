"""Calls as Asterisk's records, queue log and events tell them, from its payloads to the verdict."""

import json
import random
from dataclasses import replace
from itertools import permutations

import pytest

from ingest.contacts.fold import fold
from ingest.contacts.model import Interaction, NotOver, Over, StoredEvent
from ingest.normalise import read
from ingest.normalise.model import Event, Raw
from tests.support.contacts import minutes
from tests.support.readings import LONG_AFTER, heard, payload, stored

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


def test_a_table_of_records_without_answer_and_end_tells_them_by_their_lengths() -> None:
    (reading, _) = read(Raw(payload("asterisk/invented-cdr-freepbx-table"), zone="America/Chicago"))
    assert isinstance(reading, Event)
    assert "clock" not in reading.facts
    for order in permutations(events("invented-cdr-freepbx-table")):
        call = over(list(order))
        assert (call.outcome, call.agent, call.queue, call.wait_s, call.talk_s) == ("handled", "302", "claims", 90, 240)
        assert (call.started_at.isoformat()[11:19], call.ended_at.isoformat()[11:19]) == ("10:10:00", "10:15:30")


def test_an_agent_to_whom_a_call_was_handed_out_of_a_queue_answers_for_it_though_the_record_still_names_the_queue() -> None:
    log, records = events("invented-queue-log-attended-transfer"), events("invented-cdr-attended-transfer-out-of-queue")
    for order in permutations([*log, *records]):
        call = over(list(order))
        assert [(leg.agent, leg.end) for leg in call.legs] == [("302", "transferred"), ("303", None)]
        assert (call.agent, call.transfers, call.wait_s, call.talk_s) == ("303", 1, 30, 180 + 300)
        assert call.ended_at.isoformat()[11:19] == "09:08:30"


def test_a_caller_whose_agent_did_not_answer_and_who_left_a_message_did_not_come_for_the_machine() -> None:
    rang = payload("asterisk/cdr-unanswered-dial").replace(b'"100"', b'"+12025550171"')
    (first,) = read(Raw(rang))
    assert isinstance(first, Event)
    machine = replace(
        first, leg="later", id="later", facts={"lives_once": True, "channel": "phone", "bot": True, "ended_ms": first.facts["ended_ms"]}
    )
    call = over([stored(one, received=LONG_AFTER) for one in (first, machine)])
    assert (first.facts.get("rung"), call.outcome) == (True, "abandoned")


def test_an_older_table_of_the_queue_log_with_all_in_one_column_says_the_same() -> None:
    for order in permutations(events("invented-queue-log-table-of-one-column")):
        call = over(list(order))
        assert (call.outcome, call.agent, call.wait_s, call.talk_s, call.handles) == ("handled", "302", 30, 180, CALLER)


def test_who_answered_a_dial_handled_the_call_where_amis_events_are_all_there_is() -> None:
    for order in permutations(events("invented-ami-dialled-call")):
        call = over(list(order))
        assert (call.outcome, call.agent, call.talk_s, call.handles) == ("handled", "302", 180, CALLER)


def test_a_queue_tells_better_than_the_dial_to_its_member_who_answered() -> None:
    told = events("invented-ami-queue-call")
    dialled = dict(json.loads(payload("asterisk/invented-ami-dialled-call"))[2])
    dialled |= {"Uniqueid": "1810050000.30", "Linkedid": "1810050000.30", "Timestamp": "1810028431.000000"}
    (answered,) = read(Raw(json.dumps(dialled).encode()))
    assert over([*told, stored(answered, received=LONG_AFTER)]) == over(told)


def test_a_call_of_ours_is_of_the_line_that_dialled() -> None:
    dialled = dict(json.loads(payload("asterisk/invented-ami-dialled-call"))[2])
    dialled |= {"Channel": "PJSIP/302-0000006d", "CallerIDNum": "302", "Exten": "12025550171", "Context": "from-internal"}
    (answered,) = read(Raw(json.dumps(dialled).encode()))
    assert isinstance(answered, Event)
    assert (answered.facts.get("agent"), answered.facts.get("direction")) == ("302", "outbound")


def test_a_line_of_ours_that_an_application_called_is_not_the_customer_whose_number_it_shows() -> None:
    (line,) = events("invented-ari-line-that-an-application-called")
    assert (line.facts.get("purpose"), line.handles) == ("internal", {})
    (caller,) = read(Raw(payload("asterisk/invented-ari-line-that-an-application-called").replace(b"PJSIP/302-", b"PJSIP/carrier-")))
    assert isinstance(caller, Event)
    assert (caller.facts.get("direction"), caller.handles) == ("inbound", CALLER)


def test_a_local_channel_that_bears_the_callers_number_on_to_an_agent_is_no_leg_of_its_own() -> None:
    records, log = events("invented-cdr-queue-over-local-channels"), events("invented-queue-log-completed")
    for order in permutations(records):
        call = over(list(order))
        assert [(leg.agent, leg.end) for leg in call.legs] == [("302", None)]
        assert (call.transfers, call.wait_s, call.talk_s, call.handles) == (0, 30, 180, CALLER)
    both, alone = over([*log, *records]), over(log)
    assert (both.legs, both.talk_s, both.transfers) == (alone.legs, alone.talk_s, 0)


def test_a_local_channel_that_dials_the_customer_is_the_call_we_made() -> None:
    row = json.loads(payload("asterisk/invented-cdr-queue-over-local-channels"))[3]
    dialled = row | {"src": "302", "dst": "12025550171", "dcontext": "from-internal", "dstchannel": "PJSIP/carrier-0000008d"}
    (reading,) = read(Raw(json.dumps(dialled).encode()))
    assert isinstance(reading, Event)
    assert (reading.facts.get("direction"), reading.facts.get("aside"), reading.handles) == ("outbound", None, {"phone": "12025550171"})
