"""Counts change by minus where an answer stood and plus where it stands."""

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from scoring.score.model import Counted, Place, Tally
from scoring.score.tally import Move, changes, day_of, segment_cell, team_cell

PLACES = st.builds(
    Place,
    day=st.sampled_from([date(2026, 11, 23), date(2026, 11, 24)]),
    kind=st.sampled_from(["tnps", "recovery"]),
    channel=st.sampled_from(["phone", "web"]),
    segment=st.sampled_from(["family", "individual"]),
    moment=st.sampled_from(["payment", "unknown"]),
    team=st.sampled_from(["birch", "cedar"]),
)
COUNTED = st.none() | st.builds(Counted, place=PLACES, band=st.sampled_from(["promoter", "passive", "detractor"]))


def test_an_amended_answer_is_taken_from_one_band_and_added_to_the_other() -> None:
    place = Place(date(2026, 11, 24), "tnps", "phone", "family", "payment", "birch")
    moved = changes([(Counted(place, "promoter"), Counted(place, "detractor"))])

    assert moved.by_segment == ((segment_cell(place), Tally(promoters=-1, detractors=1)),)
    assert moved.by_team == ((team_cell(place), Tally(promoters=-1, detractors=1)),)


def test_an_answer_that_stays_where_it_was_changes_nothing() -> None:
    counted = Counted(Place(date(2026, 11, 24), "tnps"), "passive")

    assert changes([(counted, counted)]).by_segment == ()


def test_the_day_of_an_answer_is_the_companys() -> None:
    assert day_of(datetime(2026, 11, 25, 3, 0, tzinfo=UTC), "America/New_York") == date(2026, 11, 24)


@given(st.lists(st.tuples(COUNTED, COUNTED), max_size=20))
def test_changes_are_sorted_have_no_zeros_and_add_up_in_both_grains(moves: list[Move]) -> None:
    result = changes(moves)
    net = sum((after is not None) - (before is not None) for before, after in moves)

    for added in (result.by_segment, result.by_team):
        keys = [key for key, _ in added]
        assert keys == sorted(set(keys))
        assert all(tally for _, tally in added)
        assert sum(tally.n for _, tally in added) == net
