"""Small cells cannot be read, nor worked out from what is shown."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.score.hide import FEW, Hidden, hidden_in_line, hidden_in_table

NAMES = ["a", "b", "c", "d"]
COUNTS = st.integers(0, 40)
LINES = st.dictionaries(st.sampled_from(NAMES), COUNTS, min_size=1)
TABLES = st.dictionaries(st.tuples(st.sampled_from(NAMES), st.sampled_from(["x", "y", "z"])), COUNTS, min_size=1)


def test_a_small_cell_is_hidden_and_so_is_the_one_that_would_give_it_away() -> None:
    assert hidden_in_line({"phone": 400, "web": 90, "chat": 7}) == {"chat": Hidden.FEW, "web": Hidden.COMPLEMENT}


def test_two_small_cells_that_are_few_together_hide_a_third() -> None:
    assert hidden_in_line({"phone": 400, "web": 3, "chat": 7, "email": 50}).keys() == {"web", "chat", "email"}


def test_two_small_cells_with_more_than_ten_answers_hide_each_other() -> None:
    assert hidden_in_line({"phone": 400, "web": 6, "chat": 7}) == {"web": Hidden.FEW, "chat": Hidden.FEW}


def test_nothing_is_hidden_where_no_cell_is_small() -> None:
    assert hidden_in_line({"phone": 11, "web": 0}) == {}
    assert hidden_in_table({("phone", "a"): 11, ("web", "b"): 30}) == {}


def test_in_a_table_a_hidden_cell_is_covered_in_its_row_and_in_its_column() -> None:
    counts = {(row, column): 50 for row in "abc" for column in "xyz"} | {("a", "x"): 4}
    hidden = hidden_in_table(counts)

    assert hidden["a", "x"] is Hidden.FEW
    assert len([cell for cell in hidden if cell[0] == "a"]) > 1
    assert len([cell for cell in hidden if cell[1] == "x"]) > 1


@given(LINES)
def test_in_a_line_the_hidden_entries_are_never_alone_and_never_few(counts: dict[str, int]) -> None:
    hidden = hidden_in_line(counts)

    assert {name for name, n in counts.items() if 0 < n <= FEW} <= hidden.keys()
    if hidden and sum(counts.values()) > FEW and len([n for n in counts.values() if n]) > 1:
        assert len(hidden) > 1
        assert sum(counts[name] for name in hidden) > FEW


@settings(max_examples=200)
@given(TABLES)
def test_no_hidden_cell_of_a_table_can_be_worked_out_from_what_is_published(counts: dict[tuple[str, str], int]) -> None:
    hidden = hidden_in_table(counts)

    assert {cell for cell, n in counts.items() if 0 < n <= FEW} <= hidden.keys()
    for cell in hidden:
        if not _nothing_left_to_hide(counts, hidden, cell):
            assert not _determined(cell, hidden, counts)


def _determined(cell: tuple[str, str], hidden: dict[tuple[str, str], Hidden], counts: dict[tuple[str, str], int]) -> bool:
    """Is the cell a linear combination of published sums? Those are the totals of the lines that are shown when read alone."""
    unknown = sorted(hidden)
    equations = []
    for side in (0, 1):
        sums: dict[str, int] = {}
        for each, n in counts.items():
            sums[each[side]] = sums.get(each[side], 0) + n
        withheld = hidden_in_line(sums)
        equations += [[Fraction(int(each[side] == line)) for each in unknown] for line in sums if line not in withheld]
        equations.append([Fraction(int(each[side] in withheld)) for each in unknown])
    target = [Fraction(int(each == cell)) for each in unknown]
    return _rank([*equations, target]) == _rank(equations)


def _rank(matrix: list[list[Fraction]]) -> int:
    rows, rank = [row[:] for row in matrix], 0
    for column in range(len(rows[0]) if rows else 0):
        pivot = next((at for at in range(rank, len(rows)) if rows[at][column]), None)
        if pivot is None:
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        for at in range(len(rows)):
            if at != rank and rows[at][column]:
                factor = rows[at][column] / rows[rank][column]
                rows[at] = [one - factor * other for one, other in zip(rows[at], rows[rank], strict=True)]
        rank += 1
    return rank


def _nothing_left_to_hide(counts: dict[tuple[str, str], int], hidden: dict[tuple[str, str], Hidden], cell: tuple[str, str]) -> bool:
    """A line without any other answers has a total as small as the cell; that total is not shown either."""
    return all(not n or each in hidden for each, n in counts.items() if each[0] == cell[0] or each[1] == cell[1])
