"""Calls as RingCentral tells them, party by party, from its payloads to the verdict."""

import json
import random
from itertools import permutations

import pytest

from ingest.contacts.fold import fold
from ingest.contacts.model import Interaction, NotOver, Over, StoredEvent
from ingest.normalise import read
from ingest.normalise.model import Event, Kind, Raw
from tests.support.contacts import minutes
from tests.support.readings import LONG_AFTER, heard, payload

CALLER = {"phone": "+12025550171"}


def events(name: str) -> list[StoredEvent]:
    return heard(f"ringcentral/{name}")


def over(told: list[StoredEvent], *, minute: float = 60) -> Interaction:
    (one,) = fold(told, now=minutes(LONG_AFTER + minute)).episodes
    assert isinstance(one, Over), one
    return one.interaction


def waiting(told: list[StoredEvent], *, minute: float = 60) -> NotOver:
    (one,) = fold(told, now=minutes(LONG_AFTER + minute)).episodes
    assert isinstance(one, NotOver), one
    return one


def test_a_call_goes_on_after_its_ivr_is_gone_until_every_party_is() -> None:
    told = events("stream-pstn-to-ivr-to-agent")
    assert waiting(told[:4]).waits_for == "end"
    assert waiting(told[:10]).waits_for == "end"
    call = over(told)
    assert (call.outcome, call.direction, call.agent, call.agent_name, call.transfers) == ("handled", "inbound", "700100200", "Ana L.", 0)
    assert (call.talk_s, call.handles, call.started_at.second, call.ended_at.second) == (14, {"phone": "+12025550171"}, 0, 31)
    assert [leg.agent for leg in call.legs] == ["700100200"]


@pytest.mark.parametrize("name", ["stream-pstn-to-ivr-to-agent", "invented-stream-queue-transferred", "invented-stream-abandoned-in-queue"])
def test_notifications_in_any_order_and_twice_say_the_same(name: str) -> None:
    told, dice = events(name), random.Random(name)  # a seeded shuffle keeps no secret
    call = over(told)
    for _ in range(100):
        again = [*told, *dice.choices(told, k=3)]
        dice.shuffle(again)
        assert over(again) == call


def test_a_queue_rings_two_and_the_one_who_answers_hands_over() -> None:
    call = over(events("invented-stream-queue-transferred"))
    assert [(leg.agent_name, leg.end) for leg in call.legs] == [("Ana L.", "transferred"), ("Cleo M.", None)]
    assert (call.agent_name, call.queue, call.transfers, call.outcome) == ("Cleo M.", "Claims", 1, "handled")
    assert (call.wait_s, call.talk_s, call.disconnect) == (58, 180 + 300, None)


def test_after_a_transfer_the_next_party_is_awaited() -> None:
    handed_over = [one for one in events("invented-stream-queue-transferred")[:8] if one.leg != "p-beef01-1"]
    assert waiting(handed_over).waits_for == "next_leg"


def test_a_caller_who_is_gone_is_not_waited_for_wherever_the_call_was_handed_to() -> None:
    told = events("invented-stream-queue-transferred")
    call = over([*told[:9], told[-1]])
    assert (call.outcome, call.agent_name, call.transfers) == ("handled", "Ana L.", 1)


def test_a_caller_whom_nobody_answered_abandoned() -> None:
    for order in permutations(events("invented-stream-abandoned-in-queue")):
        call = over(list(order))
        assert (call.outcome, call.agent, call.wait_s, call.direction) == ("abandoned", None, 90, "inbound")


def test_a_call_we_made_is_outbound_and_with_whom_we_called() -> None:
    for order in permutations(events("invented-stream-outbound")):
        call = over(list(order))
        assert (call.outcome, call.direction, call.agent_name, call.talk_s) == ("handled", "outbound", "Ana L.", 180)
        assert call.handles == {"phone": "+12025550171"}
    assert over(events("invented-failed-number")).outcome == "failed"


def test_a_call_between_two_extensions_is_ours() -> None:
    call = over(events("stream-internal-extension-to-extension"))
    assert (call.purpose, call.handles) == ("internal", {})


def test_a_supposed_third_party_is_never_the_customer() -> None:
    told = events("invented-stream-outbound")
    assert all("phone" not in one.handles for one in told if one.leg.endswith("-2"))


def test_a_supervisor_who_listens_in_neither_handled_the_call_nor_ends_it() -> None:
    told, dice = events("invented-stream-supervised"), random.Random(7)  # a seeded shuffle keeps no secret
    for _ in range(50):
        dice.shuffle(told)
        call = over(told)
        assert (call.agent_name, call.transfers, call.talk_s, [leg.agent_name for leg in call.legs]) == ("Ana L.", 0, 300, ["Ana L."])
        assert (call.ended_at.minute, call.ended_at.second, call.disconnect) == (5, 5, None)
    without_the_last = [one for one in told if one.leg != "p-beef07-3" or one.kind is Kind.STARTED]
    assert over(without_the_last).agent_name == "Ana L."


def test_a_notification_that_comes_as_a_push_too_is_the_same_event_with_or_without_what_only_the_line_needs() -> None:
    notice = json.loads(payload("ringcentral/telephony-session-answered-inbound"))
    detailed = json.loads(json.dumps(notice))
    party = detailed["body"]["parties"][0]
    party["sipData"] = {"callId": "c-1"}
    del party["park"], party["status"]["rcc"]
    pushed = {"uuid": "another", "pn_apns": {"aps": {"content-available": 1}, **detailed, "uuid": "another"}}
    first, second = (read(Raw(json.dumps(one).encode()))[0] for one in (notice, pushed))
    assert isinstance(first, Event)
    assert isinstance(second, Event)
    assert (first.source, first.id, first.hash) == (second.source, second.id, second.hash)

    party["status"]["code"] = "Hold"
    (other,) = read(Raw(json.dumps(detailed).encode()))
    assert isinstance(other, Event)
    assert other.hash != first.hash


def test_the_line_that_the_platform_rings_after_ours_is_the_customers() -> None:
    notice = json.loads(payload("ringcentral/telephony-session-answered-inbound"))
    party = {"id": "p-7-2", "direction": "Outbound", "status": {"code": "Answered"},
             "from": {"phoneNumber": "+18005550100"}, "to": {"phoneNumber": CALLER["phone"]}}  # fmt: skip
    notice["body"] |= {"origin": {"type": "RingOut"}, "parties": [party]}
    (reading,) = read(Raw(json.dumps(notice).encode()))
    assert isinstance(reading, Event)
    assert (reading.handles, reading.facts.get("direction")) == (CALLER, None)
