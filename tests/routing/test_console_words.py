"""What the console says of time, of cases and of counts: values in, words out."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from routing.alerts.model import Alert, Kind, Standing
from routing.cases.heard import Heard
from routing.cases.join import judge
from routing.cases.model import By, Case, Level, Route, State
from routing.cases.queue.model import Tally, Urgency, View
from routing.cases.work.model import Call
from routing.console import clock
from routing.console.case.outcome import Filled, call
from routing.console.case.sheet import calling, may, stages
from routing.console.look import Look, zone_of
from routing.console.queue import board
from routing.console.queue.banner import banner, banners
from routing.console.queue.row import row
from routing.console.queue.tile import tile
from routing.console.work.conflict import conflict
from routing.errors import Changed, NobodyHasIt
from shared import nps
from shared.schemas import Window
from tests.support.cases import ANA, MARIA, NOW, ROTA, a_contact, a_customer, an_answer, terms

ZONE = "America/New_York"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LOOK = Look(by=ANA, now=NOW, zone=ZONE, teams=frozenset({"birch"}), rota=ROTA, works=True, leads=False, customer_zones=("America/Chicago",))


def a_case(**given: object) -> Case:
    customer = a_customer()
    heard = Heard(
        an_answer(2, customer=customer, contact=a_contact(transfers=2, contacts_7d=2)), customer_id=customer.customer_id, customer=customer
    )
    moved = judge(heard, terms(), own=None, open_case=None, number=10001)
    assert moved is not None
    return replace(moved.case, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (18, "18 min left"),
        (59, "59 min left"),
        (110, "1 h 50 left"),
        (120, "2 h left"),
        (17 * 60 + 20, "17 h left"),
        (24 * 60, "Wednesday"),
        (-12, "12 min late"),
        (-190, "3 h 10 late"),
        (-3 * 24 * 60, "3 days late"),
        (0, "due now"),
    ],
)
def test_time_left_says_what_it_means_and_never_seconds(minutes: int, words: str) -> None:
    assert clock.left(NOW + minutes * MINUTE, NOW, zone=ZONE) == words


@pytest.mark.parametrize(
    ("after", "words"),
    [(timedelta(minutes=72), "11:12"), (timedelta(days=1), "Wed 10:00"), (timedelta(days=30), "2 Apr 11:00")],
)
def test_a_moment_is_said_as_shortly_as_it_can_be(after: timedelta, words: str) -> None:
    """The last one lies beyond the change of the clocks."""
    assert clock.at(NOW + after, NOW, zone=ZONE) == words


def test_the_customers_clock_is_a_span_where_the_zone_is_not_known() -> None:
    assert clock.there(NOW, ["America/Chicago"]) == "09:00 there"
    assert clock.there(NOW, ["America/Chicago", "America/Los_Angeles"]) == "07:00 to 09:00 there"


@pytest.mark.parametrize(
    ("windows", "words"),
    [
        ([(-HOUR, 3 * HOUR)], "Call until 13:00"),
        ([(2 * HOUR, 4 * HOUR)], "Call 12:00 to 14:00"),
        ([(23 * HOUR, 26 * HOUR)], "Call Wed 09:00 to 12:00"),
        ([(-HOUR, 300 * HOUR)], "Call any time"),
        ([], "No hours left"),
    ],
)
def test_a_row_says_when_calling_is_allowed(windows: list[tuple[timedelta, timedelta]], words: str) -> None:
    spans = tuple(Window(from_=NOW + opens, to=NOW + closes) for opens, closes in windows)

    assert row(a_case(windows=spans), LOOK).window == words


def test_a_row_explains_itself_in_five_words_and_names_nobody() -> None:
    made = row(a_case(resolved="no"), LOOK)

    assert made.why == "Not solved · second contact in 7 days · two transfers · phone"
    assert made.who.startswith("Customer ")
    assert (made.owner, made.act) == ("Nobody yet", "claim")


def test_only_who_has_a_case_goes_on_with_it() -> None:
    mine, theirs = a_case(owner="ana", owner_name="Ana"), a_case(owner="maria", owner_name="Maria", owner_since=NOW - timedelta(seconds=8))

    assert (row(mine, LOOK).act, row(mine, LOOK).owner) == ("log", "You")
    assert (row(theirs, LOOK).act, row(theirs, LOOK).owner, row(theirs, LOOK).owner_note) == (None, "Maria", "claimed it 8 s ago")
    assert row(a_case(), replace(LOOK, works=False)).act is None


def test_critical_stands_first_and_the_rest_by_when_it_is_due() -> None:
    dues = {"today": 3 * HOUR, "late": -MINUTE, "hour": 30 * MINUTE, "day-1": 25 * HOUR}
    rows = [row(a_case(due_at=NOW + due), LOOK) for due in dues.values()]
    rows.append(row(a_case(due_at=NOW + 40 * HOUR, level=Level.CRITICAL), LOOK))

    rows.append(row(a_case(due_at=NOW, state=State.RESOLVED), LOOK))

    assert [group.key for group in board.groups(rows, LOOK)] == ["critical", "late", "hour", "today", "day-1", "done"]


def test_the_title_counts_in_words() -> None:
    assert board.teams_said(replace(LOOK, teams=frozenset({"cedar", "birch"}))) == "Birch and Cedar"
    assert board.urgent(Urgency(critical=1, late=2, soon=3)) == "1 critical, 2 late"
    assert board.soon(Urgency(critical=0, late=0, soon=0)) == ""
    assert board.empty(View.TO_CALL, LOOK, NOW + 7 * HOUR) == "Nobody is waiting. Next opens 17:00."


def test_new_cases_wait_in_a_pill_that_says_whether_they_come_first() -> None:
    early, late = row(a_case(number=1, due_at=NOW), LOOK), row(a_case(number=2, due_at=NOW + HOUR), LOOK)
    later = board.pill([early, late], frozenset({1}))
    sooner = board.pill([early, late], frozenset({2}))

    assert later == board.Pill("1 new case, none due before the ones below", warns=False)
    assert sooner == board.Pill("1 new case, 1 due before the ones below", warns=True)
    assert board.pill([early], frozenset({1})) is None


def test_a_tile_shows_no_rate_without_its_interval_and_nothing_where_nothing_was_counted() -> None:
    counts = {"called_due": 10, "called_in_time": 9, "recovery_answered": 0, "recovered": 0, "open_cases": 1}
    made = tile(Tally("birch", 20, 30, 50, oldest_due_at=NOW - 12 * MINUTE, **counts), LOOK)
    empty = tile(Tally("oak", 0, 0, 0, 0, 0, 0, 0, 0, None), LOOK)

    assert made.tnps is not None
    assert (made.tnps.value, made.tnps.n, (made.tnps.low, made.tnps.high)) == (30, 100, tuple(nps.interval(20, 30, 50)))
    assert made.in_time == (0.9, *nps.wilson(9, 10))
    assert (made.recovered, made.oldest) == (None, "12 min late")
    assert (empty.name, empty.tnps, empty.in_time, empty.oldest) == ("Oak", None, None, "none")


def an_alert(**given: object) -> Alert:
    alert = Alert(uuid4(), "birch", "web", Kind.UNHAPPY, Level.HIGH, opened_at=NOW - 9 * MINUTE, last_at=NOW, count=212)
    return replace(alert, **given)  # type: ignore[arg-type]


def test_a_banner_says_how_many_how_often_told_and_who_has_seen_it() -> None:
    told = an_alert(
        messages=10, first_sent_at=NOW - 9 * MINUTE, acknowledged_at=NOW - MINUTE, acknowledged_by="p", acknowledged_name="Priya"
    )
    made = banner(Standing(told, waiting=200, oldest_due_at=NOW), LOOK)

    assert made.title == "212 unhappy answers in 9 min, Birch, web"
    assert made.words == "10 messages went out, the first at 09:51. Priya acknowledged it 1 min ago."
    assert (made.show, made.open) == ("Show the 212", False)


def test_two_banners_stand_on_the_page_and_the_others_are_counted() -> None:
    many = [Standing(an_alert(), waiting=1, oldest_due_at=NOW)] * 5

    assert (len(banners(many, LOOK).shown), banners(many, LOOK).more) == (2, 3)


@pytest.mark.parametrize(
    ("chosen", "outcome", "resolved"),
    [
        ("reached_resolved", "reached", True),
        ("reached_open", "reached", False),
        ("no_answer", "no_answer", None),
        ("declined", "declined", None),
    ],
)
def test_the_form_becomes_a_call(chosen: str, outcome: str, *, resolved: bool | None) -> None:
    made = call(Filled("a-1", outcome=chosen, root_cause="wait", note="Sorted."), zone=ZONE, now=NOW)

    assert isinstance(made, Call)
    assert (made.outcome, made.resolved, made.note) == (outcome, resolved, "Sorted.")
    assert made.root_cause == ("wait" if chosen == "reached_resolved" else None)


def test_a_time_in_the_form_is_the_guides_own() -> None:
    made = call(Filled("a-1", outcome="reschedule", next_at="2026-03-03T16:40"), zone=ZONE, now=NOW)

    assert isinstance(made, Call)
    assert made.next_at == datetime.fromisoformat("2026-03-03T21:40+00:00")


@pytest.mark.parametrize(
    ("filled", "fields"),
    [
        (Filled("a-1"), {"outcome"}),
        (Filled("a-1", outcome="fired"), {"outcome"}),
        (Filled("a-1", outcome="reschedule", note="kept"), {"next_at"}),
        (Filled("a-1", outcome="reschedule", next_at="2026-03-03T09:00"), {"next_at"}),
        (Filled("a-1", outcome="reschedule", next_at="tomorrow"), {"next_at"}),
        (Filled("a-1", outcome="declined", root_cause="moon"), {"root_cause"}),
        (Filled("a-1", outcome="declined", note="x" * 5_001), {"note"}),
    ],
)
def test_what_does_not_fit_is_named_and_what_was_typed_is_kept(filled: Filled, fields: set[str]) -> None:
    again = call(filled, zone=ZONE, now=NOW)

    assert isinstance(again, Filled)
    assert set(again.errors or {}) == fields
    assert (again.note, again.outcome, again.next_at) == (filled.note, filled.outcome, filled.next_at)


def test_a_case_that_may_not_be_called_shows_no_number_at_all() -> None:
    review = calling(a_case(route=Route.REVIEW, consent_basis="refused"), LOOK, ending="12")

    assert (review.kind, review.ending, review.note) == ("never", None, "The customer refuses calls.")


def test_outside_the_calling_hours_the_case_says_when_they_open() -> None:
    opens = (Window(from_=NOW + 2 * HOUR, to=NOW + 4 * HOUR),)

    assert calling(a_case(windows=opens), LOOK, ending="12").kind == "shut"
    assert calling(a_case(windows=opens), LOOK, ending="12").tag == "Opens 12:00"


def test_rights_and_the_state_decide_the_buttons() -> None:
    mine = a_case(owner="ana", state=State.ASSIGNED)
    leader = replace(LOOK, leads=True)

    assert [name for name, given in may(a_case(), LOOK, moves=True).items() if given] == ["claim"]
    assert [name for name, given in may(mine, LOOK, moves=True).items() if given] == ["log", "release"]
    assert [name for name, given in may(a_case(owner="maria", state=State.ASSIGNED), LOOK, moves=True).items() if given] == []
    assert [name for name, given in may(a_case(state=State.RESOLVED), leader, moves=True).items() if given] == ["close", "reopen"]


def test_another_end_takes_the_place_of_what_was_not_reached() -> None:
    ended = stages(a_case(state=State.EXPIRED), [], LOOK)

    assert [stage.words for stage in ended] == ["Expired"]
    assert ended[0].current


@pytest.mark.parametrize(
    ("by", "seconds", "title"),
    [
        ("maria", 8, "Maria claimed this case 8 seconds before you"),
        ("maria", 0, "Maria claimed this case just before you"),
        ("maria", 130, "Maria claimed this case 2 minutes before you"),
        ("ana", 8, "You, in another window, claimed this case 8 seconds before you"),
        ("routing", 8, "This case changed by itself while you looked"),
    ],
)
def test_who_is_slower_reads_who_was_faster(by: str, seconds: int, title: str) -> None:
    changed = Changed(by=by.capitalize(), by_ref=by, at=NOW - timedelta(seconds=seconds), revision=2, change="assigned")

    assert conflict(changed, LOOK, kept=True).title == title
    assert "still in the form" in conflict(changed, LOOK, kept=True).words
    assert conflict(NobodyHasIt(), LOOK, kept=False).title == str(NobodyHasIt())


def test_your_time_is_that_of_your_own_team() -> None:
    assert zone_of(ROTA, "ana", teams=None, company="Europe/Paris") == "America/New_York"
    assert zone_of(ROTA, "somebody", teams=frozenset({"cedar"}), company="Europe/Paris") == "Asia/Kolkata"
    assert zone_of(ROTA, "somebody", teams=None, company="Europe/Paris") == "Europe/Paris"
    assert LOOK.named(MARIA.ref, MARIA.name) == "Maria"
    assert LOOK.named(By("guide", "ana").ref, None) == "You"
