"""`docs/faults.md` says of every fault what shows its end: nothing is claimed that is not there, and no case is left out."""

import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs" / "faults.md"
ROWS = {"A": 10, "B": 17, "C": 8, "D": 10, "E": 9, "F": 9, "G": 10, "H": 12}
CASE = "`make faults`"
_ROW = re.compile(r"\| (?P<row>[A-H]\d+) \| .+ \| .+ \| (?P<shown>.+) \|")
_TEST = re.compile(r"`([\w/]+\.py)(?:::(\w+))?`")


def _table() -> list[tuple[str, str]]:
    return [(found["row"], found["shown"]) for line in TABLE.read_text().splitlines() if (found := _ROW.fullmatch(line))]


def _tests_of(path: Path) -> set[str]:
    return set(re.findall(r"^(?:async )?def (test_\w+)\(", path.read_text(), re.MULTILINE)) if path.exists() else set()


def _cases() -> set[str]:
    names = [name for path in (ROOT / "tests" / "faults").glob("test_*.py") for name in _tests_of(path)]
    return {found[1].upper() for name in names if (found := re.match(r"test_([a-h]\d+)_", name))}


def _wrong(rows: list[tuple[str, str]]) -> dict[str, list[str]]:
    """By row, what its last column claims and is not so."""
    wrong, cases = defaultdict[str, list[str]](list), _cases()
    for row, shown in rows:
        if (CASE in shown) != (row in cases):
            wrong[row].append("a case without its row" if row in cases else "no such case")
        named = _TEST.findall(shown)
        wrong[row] += [f"{file}::{name}" for file, name in named if not _there(file, name)]
        if CASE not in shown and not named and not re.match(r"none: .{20,}", shown):
            wrong[row].append("neither a test nor a reason")
    return {row: found for row, found in wrong.items() if found}


def _there(file: str, name: str) -> bool:
    tests = _tests_of(ROOT / "tests" / file)
    return name in tests if name else bool(tests)


def test_every_fault_has_its_row_and_what_the_row_names_is_there() -> None:
    rows = _table()

    assert [row for row, _ in rows] == [f"{letter}{n}" for letter, count in ROWS.items() for n in range(1, count + 1)]
    assert _wrong(rows) == {}


def test_a_claim_that_is_not_so_is_found() -> None:
    claims = [("A1", "`shared/test_outbox.py`"), ("F3", CASE), ("G4", "none"), ("D5", "`shared/test_addresses.py::test_nobody_wrote`")]

    assert set(_wrong(claims)) == {"A1", "F3", "G4", "D5"}
    assert _wrong([("E7", "`scoring/test_listen_reply.py`"), ("G8", "none: there is a reason, and this is it")]) == {}
