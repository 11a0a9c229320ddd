"""The rule of alerts: the first of a group at once, then one message per team, channel and minute; critical is never grouped."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from routing.alerts.group import News, Pace, delivered, groups, news, not_delivered, raised
from routing.alerts.message import body
from routing.alerts.model import Alert, Kind, Outgoing
from routing.cases.heard import Heard
from routing.cases.join import judge
from routing.cases.model import Level, Moved, Route
from tests.support.cases import NOW, a_customer, an_answer, terms

MINUTE = timedelta(minutes=1)
PACE = Pace(every=MINUTE, quiet=10 * MINUTE, waits=(timedelta(seconds=5), MINUTE), delivers=True)


def told(*, team: str = "birch", channel: str = "phone", level: Level = Level.NORMAL) -> News:
    return News(uuid4(), 1, team=team, channel=channel, level=level)


def opened(score: int = 2, *, words: tuple[str, ...] = ()) -> Moved:
    customer = a_customer()
    heard = Heard(an_answer(score, customer=customer), words=words, customer_id=customer.customer_id, customer=customer)
    moved = judge(heard, terms(), own=None, open_case=None, number=10001)
    assert moved is not None
    return moved


def test_an_opened_case_is_news_and_a_claimed_a_held_out_or_a_promoters_one_is_not() -> None:
    moved = opened()
    ((case, step),) = moved.steps
    held_out = replace(case, route=Route.HOLD_OUT)
    claim = replace(step, change="assigned")
    content = replace(case, score=9)

    assert [each.case_id for each in news(moved.steps, alarmed=frozenset())] == [case.id]
    assert news([(held_out, step), (case, claim), (content, step)], alarmed=frozenset()) == []


def test_a_case_that_turns_critical_is_news_once() -> None:
    ((case, step),) = opened(words=("harm",)).steps
    raised_step = replace(step, change="noted")

    assert [each.kind for each in news([(case, raised_step)], alarmed=frozenset())] == [Kind.CRITICAL]
    assert news([(case, raised_step)], alarmed=frozenset({case.id})) == []


def test_a_team_and_channel_share_a_group_and_every_critical_case_stands_alone() -> None:
    found = [told(), told(), told(channel="chat"), told(level=Level.CRITICAL), told(level=Level.CRITICAL)]

    assert sorted(len(each) for each in groups(found)) == [1, 1, 1, 2]


def test_the_first_goes_at_once_and_the_second_waits_for_its_minute() -> None:
    first = raised(None, [told()], now=NOW, pace=PACE)
    sent = delivered(first, told=1, at=NOW, pace=PACE)
    second = raised(sent, [told(level=Level.HIGH)], now=NOW + timedelta(seconds=20), pace=PACE)

    assert (first.next_on, sent.next_on, second.next_on) == (NOW, None, NOW + MINUTE)
    assert (second.id, second.count, second.told, second.level) == (first.id, 2, 1, Level.HIGH)


def test_what_comes_while_a_message_is_under_way_is_told_a_minute_later() -> None:
    first = raised(None, [told()], now=NOW, pace=PACE)
    grown = raised(first, [told(), told()], now=NOW, pace=PACE)

    after = delivered(grown, told=1, at=NOW, pace=PACE)

    assert (after.count, after.told, after.next_on) == (3, 1, NOW + MINUTE)


def test_after_ten_quiet_minutes_a_new_group_begins() -> None:
    first = raised(None, [told()], now=NOW, pace=PACE)

    again = raised(first, [told()], now=NOW + 10 * MINUTE, pace=PACE)

    assert again.id != first.id
    assert (again.count, again.next_on) == (1, NOW + 10 * MINUTE)


def test_a_message_that_does_not_arrive_is_tried_on_schedule_and_then_given_up_until_something_is_new() -> None:
    alert = raised(None, [told()], now=NOW, pace=PACE)
    dues = []
    for _ in range(3):
        alert = not_delivered(alert, at=NOW, pace=PACE)
        dues.append(alert.next_on)
    anew = raised(alert, [told()], now=NOW + MINUTE, pace=PACE)

    assert dues == [NOW + timedelta(seconds=5), NOW + MINUTE, None]
    assert (anew.next_on, anew.attempts) == (NOW + MINUTE, 0)


def test_without_a_receiver_nothing_is_ever_due() -> None:
    silent = replace(PACE, delivers=False)

    assert raised(raised(None, [told()], now=NOW, pace=silent), [told()], now=NOW, pace=silent).next_on is None


@given(st.lists(st.integers(min_value=0, max_value=900), min_size=1, max_size=60))
def test_a_storm_is_a_handful_of_messages_that_together_tell_of_everything(seconds: list[int]) -> None:
    alert: Alert | None = None
    sent: list[tuple[UUID, float]] = []
    told_of: dict[UUID, int] = {}
    counts: dict[UUID, int] = {}
    arrivals = sorted(seconds)
    for second in range(arrivals[-1] + 62):
        now = NOW + timedelta(seconds=second)
        for _ in range(arrivals.count(second)):
            alert = raised(alert, [told()], now=now, pace=PACE)
            counts[alert.id] = alert.count
        if alert and alert.next_on and alert.next_on <= now:
            alert = delivered(alert, told=alert.count, at=now, pace=PACE)
            sent.append((alert.id, second))
            told_of[alert.id] = alert.told

    assert told_of == counts
    assert all(later - earlier >= 60 for (_, earlier), (_, later) in pairwise(sent))


def test_a_message_says_how_many_and_where_and_nothing_of_anybody() -> None:
    alert = raised(None, [told(), told()], now=NOW, pace=PACE)

    said = body(Outgoing(alert, NOW + MINUTE, at=NOW), console="https://aftercall.example.com").decode()

    assert '"count": 2' in said
    assert f"https://aftercall.example.com/console/alerts/{alert.id}" in said
    assert "2026-03-03T15:01:00.000Z" in said
