"""Visits to the web as Segment and Snowplow tell them: over by agreement, and by nothing else."""

import json

import pytest

from ingest.contacts.fold import fold
from ingest.contacts.model import Over
from ingest.normalise import read
from ingest.normalise.model import Event, Ignored, Raw
from tests.support.contacts import minutes
from tests.support.readings import LONG_AFTER, heard, payload, stored

ENDS = frozenset({"article_rated"})


def agreed(name: str) -> Event:
    (reading,) = read(Raw(payload(name), ends=ENDS))
    assert isinstance(reading, Event), reading
    return reading


@pytest.mark.parametrize(
    "name", ["segment/common-fields-track", "snowplow/invented-article-rated", "snowplow/invented-micro-article-rated"]
)
def test_an_agreed_event_ends_a_visit_that_a_customer_settled_alone(name: str) -> None:
    event = agreed(name)
    (one,) = fold([stored(event, received=LONG_AFTER)], now=minutes(LONG_AFTER + 5)).episodes
    assert isinstance(one, Over)
    visit = one.interaction
    assert (visit.channel, visit.outcome, visit.agent, visit.handles) == ("web", "self_served", None, {"member_id": "M-10442"})
    assert not visit.clock_suspect


def test_both_spellings_of_an_enriched_event_are_one_event_of_one_session() -> None:
    flat, micro = agreed("snowplow/invented-article-rated"), agreed("snowplow/invented-micro-article-rated")
    assert (flat.id, flat.version, flat.root, flat.at, flat.facts) == (micro.id, micro.version, micro.root, micro.at, micro.facts)
    assert flat.facts.get("traits") == {"product_line": "medicare"}
    assert flat.root == "66666666-7777-4888-8999-000011112222"


@pytest.mark.parametrize("name", ["invented-failed-event", "invented-micro-failed-event"])
def test_an_event_that_failed_on_the_way_ends_nothing(name: str) -> None:
    (reading,) = read(Raw(payload(f"snowplow/{name}"), ends=ENDS))
    assert isinstance(reading, Ignored)
    assert reading.reason == "failed_event"


def test_an_event_collected_twice_is_one_and_another_fingerprint_is_another() -> None:
    document = json.loads(payload("snowplow/invented-article-rated"))
    again = {**document, "collector_tstamp": "2027-05-11 14:25:00.000", "etl_tstamp": "2027-05-11 14:25:09.000"}
    other = {**document, "event_fingerprint": "efefefefefefefefefefefefefefefef"}
    first, second, third = (read(Raw(json.dumps(one).encode(), ends=ENDS))[0] for one in (document, again, other))
    assert isinstance(first, Event)
    assert isinstance(second, Event)
    assert isinstance(third, Event)
    assert (first.id, first.version, first.hash) == (second.id, second.version, second.hash)
    assert (first.id, first.version) != (third.id, third.version)


def test_a_tracked_event_sent_twice_is_one_whenever_it_was_received() -> None:
    document = json.loads(payload("segment/common-fields-track"))
    again = {**document, "receivedAt": "2027-05-11T15:00:00.000Z", "sentAt": "2027-05-11T14:59:59.000Z"}
    first, second = (read(Raw(json.dumps(one).encode(), ends=ENDS))[0] for one in (document, again))
    assert isinstance(first, Event)
    assert isinstance(second, Event)
    assert (first.id, first.hash) == (second.id, second.hash)


def test_a_session_of_several_agreed_events_is_one_contact() -> None:
    document = json.loads(payload("segment/common-fields-track"))
    told = [{**document, "messageId": f"m-{n}", "properties": {"session_id": "s-1"}} for n in range(3)]
    events = [reading for one in told for reading in read(Raw(json.dumps(one).encode(), ends=ENDS)) if isinstance(reading, Event)]
    assert {event.root for event in events} == {"s-1"}


def test_a_live_chat_of_which_only_the_end_was_heard_was_handled() -> None:
    (one,) = fold(heard("segment/live-chat-conversation-ended"), now=minutes(LONG_AFTER + 60)).episodes
    assert isinstance(one, Over)
    chat = one.interaction
    assert (chat.outcome, chat.agent_name, chat.talk_s, chat.channel, chat.medium) == ("handled", "Ana L.", 203, "chat", "webchat")
    assert chat.clock_suspect


def test_a_live_chat_in_any_order_is_one_contact() -> None:
    told = [*heard("segment/live-chat-conversation-started"), *heard("segment/live-chat-conversation-ended")]
    forward, back = (fold(order, now=minutes(LONG_AFTER + 60)) for order in (told, told[::-1]))
    assert forward == back
    assert len(forward.episodes) == 1


@pytest.mark.parametrize(("later", "visits"), [(60 * 71, 1), (60 * 73, 2)])
def test_a_session_that_keeps_its_id_is_another_visit_after_the_gap(later: int, visits: int) -> None:
    document = json.loads(payload("segment/common-fields-track")) | {"properties": {"session_id": "s-1"}}
    first, again = (
        {**document, "messageId": f"m-{minute}", "timestamp": (minutes(minute)).isoformat(), "originalTimestamp": None}
        for minute in (0, later)
    )
    told = [stored(read(Raw(json.dumps(one).encode(), ends=ENDS))[0], received=at) for one, at in ((first, 0), (again, later))]
    for order in (told, told[::-1]):
        episodes = fold(order, now=minutes(later + 60)).episodes
        assert [one.interaction.outcome for one in episodes if isinstance(one, Over)] == ["self_served"] * visits


def test_a_tracked_event_of_an_id_is_one_though_its_time_is_reckoned_anew() -> None:
    """Segment corrects the visitor's clock by when it was sent and received, and both differ when it is sent again."""
    document = json.loads(payload("segment/common-fields-track"))
    again = {**document, "timestamp": "2027-05-11T14:20:00.007Z", "sentAt": "2027-05-11T15:00:00.000Z"}
    nameless = {name: value for name, value in document.items() if name != "messageId"}
    first, second, third, fourth = (
        read(Raw(json.dumps(one).encode(), ends=ENDS))[0]
        for one in (document, again, nameless, {**nameless, "timestamp": again["timestamp"]})
    )
    assert isinstance(first, Event)
    assert isinstance(second, Event)
    assert isinstance(third, Event)
    assert isinstance(fourth, Event)
    assert (first.id, first.hash) == (second.id, second.hash)
    assert third.id != fourth.id


@pytest.mark.parametrize("name", ["contact_form_submitted", "message_sent", "/pricing"])
def test_a_tracked_event_may_have_a_name_like_those_of_another_platform(name: str) -> None:
    body = payload("segment/invented-track-named-like-another-platforms").replace(b"contact_form_submitted", name.encode())
    (reading,) = read(Raw(body, ends=frozenset({name.removeprefix("/")})))
    assert isinstance(reading, Event)
    assert (reading.platform, reading.channel) == ("segment", "web")


def test_a_live_chat_may_be_numbered() -> None:
    body = payload("segment/live-chat-conversation-started").replace(b'"conversation_id": "', b'"conversation_id": 7, "other": "')
    (reading,) = read(Raw(body))
    assert isinstance(reading, Event)
    assert reading.root == "7"
