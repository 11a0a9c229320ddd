"""Contacts as ticket and messaging platforms tell them, from their payloads to the verdict."""

import json
from datetime import timedelta
from itertools import permutations

import pytest

from ingest.contacts.fold import fold
from ingest.contacts.model import Interaction, KnownEpisode, NotOver, Over, StoredEvent
from ingest.normalise import read
from ingest.normalise.model import Event, Ignored, Raw
from tests.support.contacts import minutes, ms
from tests.support.contacts import told as step
from tests.support.readings import LONG_AFTER, heard, payload, stored

DAYS_LATER = LONG_AFTER + 60 * 24 * 5


def told(*names: str) -> list[StoredEvent]:
    """Each received a minute after the one before: what has no time of its own happened when it arrived."""
    return [event for minute, name in enumerate(names) for event in heard(name, minute=minute)]


def over(events: list[StoredEvent], *, minute: float = DAYS_LATER) -> Interaction:
    (one,) = fold(events, now=minutes(minute)).episodes
    assert isinstance(one, Over), one
    return one.interaction


def event_of(document: object) -> Event:
    (event,) = read(Raw(json.dumps(document).encode()))
    assert isinstance(event, Event), event
    return event


def of(platform: str, *names: str) -> list[StoredEvent]:
    return told(*(f"{platform}/{name}" for name in names))


TICKET = (
    "invented-created-by-mail",
    "invented-group-assigned",
    "invented-agent-assigned",
    "invented-other-agent-assigned",
    "invented-solved",
)
CHATWOOT = ("invented-created-with-bot", "invented-waiting-for-a-person", "invented-assigned", "invented-resolved")
INTERCOM = ("invented-user-created", "invented-admin-replied", "invented-user-replied", "invented-admin-closed")
CALL = ("invented-call-ringing", "invented-call-agent-did-not-answer", "invented-call-agent-answered", "invented-call-agent-completed",
        "invented-call-completed")  # fmt: skip
CONVERSATION = ("invented-conversation-added", "invented-conversation-customer-joined", "invented-conversation-agent-joined",
                "invented-conversation-closed")  # fmt: skip


@pytest.mark.parametrize(
    ("platform", "names"),
    [("zendesk", TICKET), ("chatwoot", CHATWOOT), ("intercom", INTERCOM), ("twilio", CALL), ("twilio", CONVERSATION)],
)
def test_every_order_and_repetition_of_a_platforms_events_ends_in_the_same_contact(platform: str, names: tuple[str, ...]) -> None:
    events = of(platform, *names)
    expected = over(events)
    assert expected.outcome == "handled"
    assert all(over([*order, order[0]]) == expected for order in permutations(events))


def test_a_ticket_is_over_when_it_is_solved_and_its_last_agent_answers_for_it() -> None:
    ticket = over(of("zendesk", *TICKET))
    assert [(leg.agent, leg.end) for leg in ticket.legs] == [("9002", "transferred"), ("9003", None)]
    assert (ticket.agent, ticket.queue, ticket.transfers, ticket.channel, ticket.direction) == ("9003", "3302", 1, "email", "inbound")
    assert (ticket.started_at.isoformat(), ticket.ended_at.isoformat()) == (
        "2027-05-11T14:00:00.500000+00:00", "2027-05-11T16:00:00+00:00",
    )  # fmt: skip
    assert ticket.handles == {"contact_id": "8102"}


def test_a_ticket_that_is_closed_days_after_it_was_solved_is_told_of_once() -> None:
    (closed,) = read(Raw(payload("zendesk/ticket-status-changed-closed-minimal")))
    assert isinstance(closed, Ignored)


def test_of_a_ticket_whose_end_alone_is_told_the_length_is_that_of_the_whole() -> None:
    ticket = over(of("zendesk", "ticket-status-changed-solved"))
    assert (ticket.outcome, ticket.ended_at - ticket.started_at) == (
        "handled",
        timedelta(hours=2, minutes=45, seconds=13, milliseconds=987),
    )


def test_a_solved_ticket_that_comes_back_is_open_until_it_is_solved_again() -> None:
    (one,) = fold(of("zendesk", *TICKET, "invented-reopened"), now=minutes(LONG_AFTER + 60 * 24)).episodes
    assert isinstance(one, NotOver)
    assert one.waits_for == "end"
    again = over(of("zendesk", *TICKET, "invented-reopened", "invented-solved-again"))
    assert again.ended_at.isoformat() == "2027-05-12T10:00:00+00:00"


def test_a_thread_that_comes_back_later_than_the_gap_is_another_episode_however_old_it_is() -> None:
    """Of the first life nothing is left but that it was told: what comes now says when the thread began, years before."""
    years_ago = ms(-60 * 24 * 900)
    events = [step("queued", 0, thread_ms=years_ago), step("ended", 10, thread_ms=years_ago)]
    known = KnownEpisode(0, minutes(-60 * 24 * 60))
    (again,) = fold(events, now=minutes(60), known=known).episodes
    assert isinstance(again, Over)
    assert (again.interaction.episode, again.interaction.started_at) == (1, minutes(0))


@pytest.mark.parametrize("name", ["zendesk/invented-solved-by-bot", "chatwoot/invented-resolved-by-bot", "intercom/invented-closed-by-bot"])
def test_what_no_person_had_was_a_bots(name: str) -> None:
    assert over(told(name)).outcome == "bot_only"


def test_a_conversation_resolved_is_quiet_for_a_hold_off_and_a_reopening_cancels_it() -> None:
    resolved = of("chatwoot", *CHATWOOT)
    (waiting,) = fold(resolved, now=minutes(LONG_AFTER + 5)).episodes
    assert isinstance(waiting, NotOver)
    assert waiting.waits_for == "hold_off"
    (reopened,) = fold([*resolved, *of("chatwoot", "invented-reopened")], now=minutes(LONG_AFTER + 24 * 60)).episodes
    assert isinstance(reopened, NotOver)
    assert (reopened.so_far.standing, reopened.waits_for) == ("reopened", "end")


def test_a_customer_who_waited_for_a_person_and_got_the_bot_back_abandoned() -> None:
    asked = of("chatwoot", "invented-created-with-bot", "invented-waiting-for-a-person")
    conversation = over(asked, minute=LONG_AFTER + 60 * 24 * 8)
    assert conversation.outcome == "abandoned"


def test_a_conversation_is_known_by_its_customer_its_agent_and_how_it_came() -> None:
    conversation = over(of("chatwoot", *CHATWOOT))
    assert (conversation.agent_name, conversation.team, conversation.queue, conversation.reason) == (
        "Ana L.",
        "claims",
        "12",
        "billing_question",
    )
    assert (conversation.medium, conversation.direction, conversation.language, conversation.wait_s) == ("webchat", "inbound", "es", 60)
    assert conversation.handles["member_id"] == "M-10442"


def test_events_without_a_time_are_in_the_order_in_which_they_arrived() -> None:
    (one,) = fold(of("chatwoot", "conversation-status-changed-reopened-minimal"), now=minutes(LONG_AFTER + 60)).episodes
    assert isinstance(one, NotOver)
    assert one.so_far.clock_suspect


def test_a_message_of_ours_that_nobody_answered_was_no_contact_and_one_that_was_answered_is() -> None:
    assert over(of("intercom", "webhook-conversation-admin-closed")).outcome == "failed"
    assert over(of("intercom", "invented-our-message-unanswered")).outcome == "failed"
    answered = of("intercom", "invented-customer-answers-our-message")
    assert over(answered, minute=LONG_AFTER + 60 * 24 * 8).outcome == "handled"


def test_a_conversation_that_an_admin_closed_unanswered_was_not_handled() -> None:
    assert over(of("intercom", "invented-closed-unanswered")).outcome == "abandoned"
    assert over(of("intercom", "invented-closed-by-admin-after-bot-and-reply")).outcome == "handled"


def test_a_notification_sent_twice_is_the_same_event_though_it_counts_its_attempts() -> None:
    first, second = (read(Raw(payload(f"intercom/{name}")))[0] for name in ("invented-admin-closed", "invented-redelivered"))
    assert first == second


def test_a_status_sent_twice_is_the_same_event_whoever_went_offline_meanwhile() -> None:
    document = json.loads(payload("chatwoot/invented-resolved"))
    first = event_of(document)
    document["meta"]["assignee"]["availability_status"] = "offline"
    document["meta"]["sender"]["last_activity_at"] = 1810099999
    assert event_of(document) == first
    document["meta"]["assignee"]["id"] = 6
    assert event_of(document).hash != first.hash


def test_a_rules_word_of_a_change_is_no_second_body_of_the_changes_own() -> None:
    document = json.loads(payload("chatwoot/invented-resolved"))
    own, rules = event_of(document), event_of({**document, "event": f"automation_event.{document['event']}"})
    assert (own.kind, own.facts) == (rules.kind, rules.facts)
    assert own.id != rules.id


def test_what_went_from_the_bot_straight_to_its_end_was_the_bots() -> None:
    document = json.loads(payload("chatwoot/invented-resolved"))
    document["meta"] |= {"assignee": None, "team": None}
    document["changed_attributes"] = [{"status": {"previous_value": "pending", "current_value": "resolved"}}]
    assert over([stored(event_of(document), received=0)]).outcome == "bot_only"
    document["changed_attributes"] = [{"status": {"previous_value": "open", "current_value": "resolved"}}]
    assert over([stored(event_of(document), received=0)]).outcome == "abandoned"


def test_a_conversation_that_is_assigned_and_opened_in_one_comes_back() -> None:
    document = json.loads(payload("intercom/invented-opened-again"))
    again = stored(event_of({**document, "topic": "conversation.admin.open.assigned"}), received=LONG_AFTER)
    (one,) = fold([*of("intercom", *INTERCOM), again], now=minutes(LONG_AFTER + 24 * 60)).episodes
    assert isinstance(one, NotOver)
    assert one.so_far.standing == "reopened"


def test_a_caller_who_reached_an_agent_was_handled_by_the_one_who_answered() -> None:
    call = over(of("twilio", *CALL))
    assert [(leg.agent, leg.end) for leg in call.legs] == [("ana", None)]
    assert (call.agent, call.direction, call.talk_s, call.handles) == ("ana", "inbound", 1139, {"phone": "+12025550171"})


def test_a_caller_whom_no_agent_answered_abandoned_though_the_line_itself_was_answered() -> None:
    assert (
        over(of("twilio", "invented-call-ringing", "invented-call-agent-did-not-answer", "invented-call-completed")).outcome == "abandoned"
    )


def test_of_a_call_whose_own_line_is_all_that_is_told_that_line_is_the_contact() -> None:
    call = over(of("twilio", "invented-call-completed"))
    assert (call.outcome, call.agent, call.talk_s) == ("handled", None, 1195)
    assert over(of("twilio", "invented-call-caller-hung-up")).outcome == "abandoned"
    assert over(of("twilio", "invented-call-to-nobody")).outcome == over(of("twilio", "invented-call-to-a-machine")).outcome == "failed"


def test_a_line_that_rang_an_agent_waits_for_the_callers_own() -> None:
    (one,) = fold(of("twilio", "invented-call-agent-answered", "invented-call-agent-completed"), now=minutes(LONG_AFTER + 60)).episodes
    assert isinstance(one, NotOver)
    assert one.waits_for == "end"


def test_a_conversation_closed_by_its_timer_is_its_customers_and_its_agents() -> None:
    conversation = over(of("twilio", *CONVERSATION))
    assert (conversation.agent, conversation.medium, conversation.traits) == ("ana.l", "whatsapp", {"product_line": "medicare"})
    assert conversation.handles == {"phone": "+12025550171", "name": "Someone Invented"}


@pytest.mark.parametrize(
    ("platform", "names", "asked"),
    [
        ("chatwoot", CHATWOOT, "invented-survey-sent"),
        ("chatwoot", CHATWOOT, "invented-survey-answered"),
        ("intercom", INTERCOM, "invented-rating-added"),
    ],
)
def test_a_customer_whom_the_platform_itself_asked_is_not_asked_again(platform: str, names: tuple[str, ...], asked: str) -> None:
    plain, rated = over(of(platform, *names)), over(of(platform, *names, asked))
    assert (plain.purpose, rated.purpose) == ("service", "asked_by_platform")
    assert (rated.outcome, rated.ended_at, rated.agent) == (plain.outcome, plain.ended_at, plain.agent)
    assert over(of(platform, asked, *names)).purpose == "asked_by_platform"


@pytest.mark.parametrize(
    "merging", [("invented-merged-away",), ("invented-closed-by-merge",), ("invented-merged-away", "invented-closed-by-merge")]
)
def test_a_ticket_merged_into_another_is_over_and_no_contact_of_its_own(merging: tuple[str, ...]) -> None:
    ticket = over(of("zendesk", *merging))
    assert (ticket.purpose, ticket.ended_at.isoformat()[:19]) == ("internal", "2027-05-11T14:30:00")


def test_a_ticket_that_another_was_merged_into_goes_on_as_it_was() -> None:
    (reading,) = read(Raw(payload("zendesk/invented-another-merged-into-it")))
    assert isinstance(reading, Ignored)


def test_a_bots_ticket_is_known_by_its_marks_where_it_does_not_say_whose_it_is() -> None:
    name = "zendesk/invented-solved-by-bot-of-short-detail"
    assert over(told(name)).outcome == "bot_only"
    by_actor = payload(name).replace(b'"bot_chat"', b'"vip"').replace(b'"previous"', b'"actor": {"id": "zd:answerBot"}, "previous"')
    (reading,) = read(Raw(by_actor))
    assert isinstance(reading, Event)
    assert reading.facts.get("bot")
    (solved,) = heard("zendesk/ticket-status-changed-solved")
    assert solved.facts.get("handled"), "without such a mark somebody did"


@pytest.mark.parametrize("channel", ["phone", "other", "web"])
def test_a_thread_waits_for_its_end_as_long_as_a_chat_whatever_channel_it_came_by(channel: str) -> None:
    events = [step("connected", 0, agent="ana", channel=channel, thread_ms=ms(0))]
    (day_six,) = fold(events, now=minutes(60 * 24 * 6)).episodes
    (day_eight,) = fold(events, now=minutes(60 * 24 * 8)).episodes
    assert isinstance(day_six, NotOver)
    assert isinstance(day_eight, Over)
