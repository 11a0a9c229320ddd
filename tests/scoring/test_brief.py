"""How a decision's row keeps verdicts and facts, and how they are read."""

from hypothesis import given
from hypothesis import strategies as st

from scoring.decide.brief import SAW, brief, in_full, named

DETAILS = st.none() | st.text() | st.integers() | st.lists(st.integers()).map(tuple)
VERDICTS = st.lists(st.tuples(st.sampled_from(["pass", "fail", "unknown"]), DETAILS))


@given(VERDICTS)
def test_verdicts_read_as_they_were_said(verdicts: list[tuple[str, object]]) -> None:
    assert in_full(brief(verdicts)) == verdicts  # type: ignore[arg-type]


def test_older_rows_read_the_same() -> None:
    assert in_full([["pass", None], ["fail", 12.0]]) == in_full(["pf", [None, 12.0]]) == [("pass", None), ("fail", 12.0)]
    assert named({"channel": "phone", "legs": 1}) == {"channel": "phone", "legs": 1}


def test_facts_read_by_name_and_an_erased_row_has_none() -> None:
    assert list(named(["phone", "voice", "handled", "family", "birch", "en", 1, 0, ["America/New_York"]])) == list(SAW)
    assert named({}) == {}
