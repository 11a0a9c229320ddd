"""A published schema changes only by the rule, and the check that says so can fail."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.schemas import InteractionCompleted
from tests.support import schema_files
from tests.support.schema_changes import breaks

Schema = dict[str, Any]
PUBLISHED_SCHEMA: Schema = InteractionCompleted.model_json_schema()


def changed(change: Callable[[Schema], object]) -> list[str]:
    current = copy.deepcopy(PUBLISHED_SCHEMA)
    change(current)
    return [str(found) for found in breaks(PUBLISHED_SCHEMA, current)]


def fields(schema: Schema) -> Schema:
    found: Schema = schema["properties"]
    return found


def part(schema: Schema, name: str) -> Schema:
    found: Schema = schema["$defs"][name]
    return found


def rename(schema: Schema, old: str, new: str) -> None:
    fields(schema)[new] = fields(schema).pop(old)
    schema["required"] = [new if name == old else name for name in schema["required"]]


def test_the_committed_schemas_are_what_the_models_say(capsys: pytest.CaptureFixture[str]) -> None:
    assert (schema_files.main(["--check"]), capsys.readouterr().err) == (0, "")


def test_a_field_added_as_optional_breaks_nothing() -> None:
    assert changed(lambda schema: fields(schema).update(mood={"type": "string", "default": "calm"})) == []


def test_a_field_added_as_optional_inside_a_value_breaks_nothing() -> None:
    assert changed(lambda schema: part(schema, "Leg")["properties"].update(mood={"type": "string"})) == []


def test_prose_may_change() -> None:
    assert changed(lambda schema: schema.update(title="Another", description="Other words")) == []


PLANTED: dict[str, tuple[Callable[[Schema], object], str]] = {
    "removed": (lambda schema: fields(schema).pop("wait_s"), "wait_s: removed or renamed"),
    "removed inside a value": (lambda schema: part(schema, "Leg")["properties"].pop("end"), "legs[].end: removed or renamed"),
    "renamed": (lambda schema: rename(schema, "transfers", "handovers"), "transfers: removed or renamed"),
    "added as required": (
        lambda schema: (fields(schema).update(mood={"type": "string"}), schema["required"].append("mood")),
        "mood: added as required",
    ),
    "made required": (lambda schema: schema["required"].append("agent"), "agent: now required"),
    "made optional": (lambda schema: schema["required"].remove("ref"), "ref: no longer required"),
    "shorter": (lambda schema: fields(schema)["ref"].update(maxLength=10), "ref: maxLength changed from nothing to 10"),
    "narrower": (lambda schema: fields(schema)["revision"].update(maximum=5), "revision: maximum changed from 2147483647 to 5"),
    "of another type": (lambda schema: fields(schema)["ref"].update(type="integer"), "ref: type changed from string to integer"),
    "a closed set lost a member": (lambda schema: fields(schema)["standing"].update(enum=["over"]), "standing: enum changed"),
    "a closed set grew": (lambda schema: fields(schema)["standing"]["enum"].append("paused"), "standing: enum changed"),
    "no longer nullable": (lambda schema: fields(schema)["agent"].update(anyOf=[{"type": "string"}]), "agent: anyOf changed"),
    "tightened inside a value": (
        lambda schema: part(schema, "Consent")["properties"]["state"].update(enum=["granted"]),
        "customer.consents[].state: enum changed",
    ),
    "another kind of map": (
        lambda schema: fields(schema)["traits"].update(additionalProperties={"type": "integer"}),
        "traits[]: type changed from string to integer",
    ),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_a_change_that_breaks_a_reader_or_a_writer_is_found(fault: str) -> None:
    change, complaint = PLANTED[fault]
    found = changed(change)
    assert any(said.startswith(complaint) for said in found), found


def test_the_command_refuses_to_overwrite_a_published_schema_that_would_break(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert schema_files.main([], folder=tmp_path) == 0
    path = tmp_path / "interaction-completed.v1.json"
    published = json.loads(path.read_text("utf-8"))
    published["properties"]["dropped_since"] = {"type": "string"}
    path.write_text(json.dumps(published), "utf-8")
    assert schema_files.main([], folder=tmp_path) == 1
    assert "interaction-completed.v1: dropped_since: removed or renamed" in capsys.readouterr().err
    assert "dropped_since" in path.read_text("utf-8")


def test_the_command_misses_a_model_that_went_away(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "interaction-forgotten.v1.json").write_text("{}", "utf-8")
    assert schema_files.main(["--check"], folder=tmp_path) == 1
    assert "interaction-forgotten.v1" in capsys.readouterr().err


def test_a_field_added_to_a_model_must_be_committed_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert schema_files.main([], folder=tmp_path) == 0
    path = tmp_path / "customer-erased.v1.json"
    older = json.loads(path.read_text("utf-8"))
    older["description"] = "Older words."
    path.write_text(json.dumps(older), "utf-8")
    assert schema_files.main(["--check"], folder=tmp_path) == 1
    assert "customer-erased.v1: not what the models say" in capsys.readouterr().err
