"""Whose contact it was and what it was about."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.__main__ import COMMANDS
from ingest.app import build
from ingest.catalogue.attribute import Seen, attribute
from ingest.catalogue.compare import changes
from ingest.catalogue.model import Catalogue
from ingest.catalogue.reading import faults, read
from ingest.settings import Settings
from shared.runtime.commands import main

NO_CONDITION = "Value error, give at least one condition, or name the moment in `moment_else`"

CATALOGUE = Catalogue.model_validate(
    {
        "teams": {"elm": "Elm", "oak": "Oak"},
        "agents": {"a-1": "oak"},
        "queues": {"q-claims": "elm"},
        "queue_names": {"q-claims": "Claims"},
        "moments": [
            {"moment": "denied_claim", "queue": "q-claims", "reason": "denied"},
            {"moment": "claim", "team": "elm"},
            {"moment": "renewal", "traits": {"product_line": "dental"}, "channel": "web"},
        ],
        "moment_else": "other",
    }
)


@pytest.mark.parametrize(
    ("seen", "team", "moment"),
    [
        (Seen(queue="q-claims"), "elm", "claim"),
        (Seen(queue="q-claims", reason="denied"), "elm", "denied_claim"),
        (Seen(queue="q-claims", agent="a-1"), "oak", "other"),
        (Seen(team="Elm"), "elm", "claim"),
        (Seen(channel="web", traits={"product_line": "dental", "state": "NY"}), None, "renewal"),
        (Seen(), None, "other"),
    ],
)
def test_the_agents_team_comes_before_the_queues_and_the_first_rule_that_fits_names_the_moment(
    seen: Seen, team: str | None, moment: str
) -> None:
    of = attribute(seen, CATALOGUE)

    assert (of.team, of.moment) == (team, moment)


def test_a_queue_without_a_name_keeps_the_platforms() -> None:
    assert [attribute(Seen(queue=queue), CATALOGUE).queue for queue in ("q-claims", "q-9", None)] == ["Claims", "q-9", None]


def test_what_a_catalogue_contradicts_itself_in_is_named_by_its_place() -> None:
    rules = [
        {"moment": "m", "queue": "q"},
        {"moment": "m", "queue": "q"},
        {"moment": "n", "queue": "q", "reason": "denied"},
        {"moment": "n", "team": "ash", "queue": "typo"},
    ]
    wrong = Catalogue.model_validate(
        {"teams": {}, "agents": {"a": "elm"}, "queue_names": {"q": "Q"}, "moments": rules, "moment_names": {"m": "M", "o": "O"}}
    )

    assert list(faults(wrong)) == [
        ("agents.a", "unknown_team"),
        ("moments.1", "repeated"),
        ("moments.2", "never_reached"),
        ("moments.3.team", "unknown_team"),
        ("moments.3.queue", "unknown_queue"),
        ("moment_names.o", "unknown_moment"),
    ]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"{", [("", "json_invalid")]),
        (b'{"teams": {}, "moments": [{"moment": "m", "que": "q"}]}', [("moments.0.que", "extra_forbidden")]),
        (b'{"teams": {}, "moments": [{"moment": "m"}]}', [("moments.0", NO_CONDITION)]),
        (b'{"queues": {"q": "elm"}}', [("teams", "missing")]),
        (b'{"teams": {}, "queues": {"q": "elm"}}', [("queues.q", "unknown_team")]),
    ],
)
def test_every_place_that_must_be_mended_is_named(body: bytes, found: list[tuple[str, str]]) -> None:
    assert read(body) == found


def test_what_changes_is_named_by_agent_queue_team_and_moment() -> None:
    before = CATALOGUE.model_dump(exclude_defaults=True)
    rules = before.pop("moments")
    after = Catalogue.model_validate(
        before
        | {
            "teams": {"elm": "Elm Street", "ash": "Ash", "oak": "Oak"},
            "agents": {"a-1": "ash"},
            "queues": {},
            "moments": [rules[1], rules[0] | {"moment": "appeal"}, {"moment": "new", "reason": "new"}],
            "moment_else": None,
        }
    )

    said = [(each.path, each.change, each.before, each.after) for each in changes(CATALOGUE, after)]

    assert said == [
        ("teams.ash", "added", None, "Ash"),
        ("teams.elm", "changed", "Elm", "Elm Street"),
        ("agents.a-1", "changed", "oak", "ash"),
        ("queues.q-claims", "removed", "elm", None),
        ("moment_else", "removed", "other", None),
        ("moments.0", "moved", rules[1], rules[1]),
        ("moments.1", "changed", rules[0], rules[0] | {"moment": "appeal"}),
        ("moments.2", "added", None, {"moment": "new", "reason": "new"}),
        ("moments.2", "removed", rules[2], None),
    ]


def _of_reasons(reasons: list[str]) -> Catalogue:
    return Catalogue.model_validate({"teams": {}, "moments": [{"moment": "m", "reason": each} for each in reasons]})


reasons = st.lists(st.sampled_from("abcdef"), unique=True, max_size=6)


@given(reasons, reasons)
def test_a_rule_moved_only_where_the_order_of_those_that_stayed_is_another(old: list[str], new: list[str]) -> None:
    said = changes(_of_reasons(old), _of_reasons(new))
    moved = {each.after["reason"] for each in said if each.change == "moved"}
    stayed, stay = [each for each in old if each in new], [each for each in new if each in old]

    assert (said == []) == (old == new)
    assert [each for each in stayed if each not in moved] == [each for each in stay if each not in moved]
    assert bool(moved) == (stayed != stay)


@pytest.fixture
def file(tmp_path: Path, ingest_database: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AFTERCALL_DATABASE_URL", ingest_database)
    written = tmp_path / "catalogue.json"
    written.write_text(CATALOGUE.model_dump_json())
    return written


def test_a_file_is_compared_put_in_force_and_then_changes_nothing(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def told(*argv: str) -> tuple[int, list[str]]:
        return main(Settings, build, more=COMMANDS, argv=["catalogue", *argv, str(file)]), capsys.readouterr().out.splitlines()

    assert told("check") == (0, [f"{file} can be used"])
    code, lines = told("diff")
    assert (code, lines[0], len(lines)) == (0, "added   teams.elm: Elm", 9)
    code, lines = told("activate")
    assert (code, lines[-1][:23]) == (0, "version 1 is in force f")
    assert told("diff") == (0, ["nothing changes: version 1 is in force and reads the same"])
    assert told("activate") == (0, ["nothing changes: version 1 is in force and reads the same"])
    file.write_text(file.read_text().replace('"elm":"Elm"', '"ash":"Ash"'))
    assert told("activate") == (1, ["queues.q-claims: unknown_team", "moments.1.team: unknown_team"])


def test_a_file_is_put_in_force_later_and_never_before(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def told(since: str) -> int:
        return main(Settings, build, more=COMMANDS, argv=["catalogue", "activate", str(file), "--from", since])

    assert [told("2020-01-01T00:00:00Z"), told("tomorrow"), told("2099-01-01T00:00:00")] == [2, 2, 2]
    assert "past" in capsys.readouterr().err
    assert told("2099-01-01T00:00:00Z") == 0
    assert "version 1 is in force from 2099-01-01T00:00:00+00:00" in capsys.readouterr().out
    assert main(Settings, build, more=COMMANDS, argv=["catalogue", "diff", str(file)]) == 0
    assert "added   teams.elm: Elm" in capsys.readouterr().out


def test_a_rule_without_a_condition_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one condition"):
        Catalogue.model_validate({"teams": {}, "moments": [{"moment": "m"}]})
