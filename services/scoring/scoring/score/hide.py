"""Which cells of a table of answers must not be shown, so that nobody can tell what few people said.

A cell of ten or fewer is hidden, and so is every cell by which it could be worked out: rows, columns and totals are published too, and a
hidden cell that is alone in a line is that line's total minus the others. The table is seen as a graph whose nodes are the lines and whose
edges are the hidden cells (Gusfield 1988, "A graph theoretic approach to statistical data security"): a cell can be worked out exactly if
its edge is a bridge, so bridges are hidden away by hiding the smallest neighbour, until none is left.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

FEW = 10

Cell = tuple[str, str]
"""Row and column. `TOTAL` in either is that line's sum."""

TOTAL = "\0total"


class Hidden(StrEnum):
    FEW = "few"
    COMPLEMENT = "complement"


def hidden_in_line(counts: Mapping[str, int]) -> dict[str, Hidden]:
    """Of one line whose total is known, which entries to hide and why: never one alone, never ten or fewer answers in all."""
    hidden = {name: Hidden.FEW for name, n in counts.items() if 0 < n <= FEW}
    shown = sorted((n, name) for name, n in counts.items() if n > FEW)
    for _, name in shown:
        if hidden and (len(hidden) == 1 or sum(counts[each] for each in hidden) <= FEW):
            hidden[name] = Hidden.COMPLEMENT
    return hidden


def hidden_in_table(counts: Mapping[Cell, int]) -> dict[Cell, Hidden]:
    """Of a table whose lines are also read alone (so a hidden line total stays hidden); totals are not in the answer."""
    rows, columns = _sums(counts, 0), _sums(counts, 1)
    grid = {
        **counts,
        **{(row, TOTAL): n for row, n in rows.items()},
        **{(TOTAL, column): n for column, n in columns.items()},
        (TOTAL, TOTAL): sum(counts.values()),
    }
    hidden = _few(counts)
    hidden |= {(row, TOTAL): why for row, why in hidden_in_line(rows).items()}
    hidden |= {(TOTAL, column): why for column, why in hidden_in_line(columns).items()}
    return {cell: why for cell, why in _protect(grid, hidden).items() if TOTAL not in cell}


def _few(counts: Mapping[Cell, int]) -> dict[Cell, Hidden]:
    return {cell: Hidden.FEW for cell, n in counts.items() if 0 < n <= FEW}


def _sums(counts: Mapping[Cell, int], side: int) -> dict[str, int]:
    sums: dict[str, int] = {}
    for cell, n in counts.items():
        sums[cell[side]] = sums.get(cell[side], 0) + n
    return sums


def _protect(grid: Mapping[Cell, int], hidden: Mapping[Cell, Hidden]) -> dict[Cell, Hidden]:
    """`hidden` and what else must go; line totals are as public as their own reading made them."""
    result = dict(hidden)
    while (cell := _next_to_hide(grid, result)) is not None:
        result[cell] = Hidden.COMPLEMENT
    return result


def _next_to_hide(grid: Mapping[Cell, int], hidden: Mapping[Cell, Hidden]) -> Cell | None:
    for line in _weak_lines(grid, hidden):
        candidates = [cell for cell, n in grid.items() if n > 0 and cell not in hidden and _on(line, cell) and TOTAL not in cell]
        if candidates:
            return min(candidates, key=lambda cell: (grid[cell], cell))
    return None


Line = tuple[int, str]
"""0 and a row, or 1 and a column."""


def _on(line: Line, cell: Cell) -> bool:
    return cell[line[0]] == line[1]


def _weak_lines(grid: Mapping[Cell, int], hidden: Mapping[Cell, Hidden]) -> Iterable[Line]:
    """Lines through which a hidden cell, or a hidden sum of ten or fewer, can be worked out."""
    for cell in hidden:
        if not _connected(cell, hidden):
            yield from ((0, cell[0]), (1, cell[1]))
    for line in dict.fromkeys((side, cell[side]) for cell in hidden for side in (0, 1)):
        inner = [grid[cell] for cell in hidden if _on(line, cell) and cell[1 - line[0]] != TOTAL]
        if inner and sum(inner) <= FEW and not _total_hidden(line, hidden):
            yield line


def _total_hidden(line: Line, hidden: Mapping[Cell, Hidden]) -> bool:
    return ((line[1], TOTAL) if line[0] == 0 else (TOTAL, line[1])) in hidden


def _connected(cell: Cell, hidden: Mapping[Cell, Hidden]) -> bool:
    """Can one go from the cell's row to its column over other hidden cells? If not, the cell is a bridge."""
    start, goal = (0, cell[0]), (1, cell[1])
    seen, waiting = {start}, [start]
    while waiting:
        line = waiting.pop()
        for other in hidden:
            if other != cell and _on(line, other):
                reached = (1 - line[0], other[1 - line[0]])
                if reached == goal:
                    return True
                if reached not in seen:
                    seen.add(reached)
                    waiting.append(reached)
    return False
