"""Every committed example is a message that its readers understand."""

import json
from pathlib import Path

import jsonschema
import pytest

import shared
from shared.schemas import MESSAGES, PUBLISHED, InteractionCompleted, Message, Value
from shared.topics import TOPICS, topic_of

SHARED = Path(shared.__file__).parent
EXAMPLES = sorted((SHARED / "examples").glob("*/*.json"))
each_example = pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")


def model_of(path: Path) -> type[Value]:
    return PUBLISHED[path.parent.name]


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_schema_has_at_least_two_examples_and_one_of_them_is_odd(name: str) -> None:
    names = [path.stem for path in EXAMPLES if path.parent.name == name]
    assert len(names) >= 2
    assert any(stem.startswith("odd-") for stem in names)


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_examples_of_a_schema_use_every_field_and_leave_out_every_optional_one(name: str) -> None:
    used = [json.loads(path.read_text("utf-8")) for path in EXAMPLES if path.parent.name == name]
    for field, info in PUBLISHED[name].model_fields.items():
        written = info.alias or field
        assert any(written in example for example in used), f"no example has {written}"
        assert info.is_required() or any(example.get(written) is None for example in used), f"every example has {written}"


@each_example
def test_an_example_survives_being_read_and_written_again(path: Path) -> None:
    read = model_of(path).model_validate_json(path.read_bytes())
    again = type(read).model_validate_json(read.encode())
    assert again.encode() == read.encode()
    assert again.model_dump(mode="json") == read.model_dump(mode="json")


@pytest.mark.parametrize("path", [path for path in EXAMPLES if not path.stem.startswith("odd-")], ids=lambda path: path.stem)
def test_an_ordinary_example_is_written_exactly_as_it_stands(path: Path) -> None:
    assert json.loads(model_of(path).model_validate_json(path.read_bytes()).encode()) == json.loads(path.read_text("utf-8"))


@each_example
def test_an_example_agrees_with_the_committed_json_schema(path: Path) -> None:
    schema = json.loads((SHARED / "schemas" / "committed" / f"{path.parent.name}.json").read_text("utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    assert [
        error.message for error in validator.iter_errors(json.loads(model_of(path).model_validate_json(path.read_bytes()).encode()))
    ] == []


@each_example
def test_an_example_is_understood_by_every_reader_of_its_topic(path: Path) -> None:
    model = model_of(path)
    if not issubclass(model, Message):
        return
    topic = TOPICS[topic_of(model.TYPE)]
    assert topic.readers
    by_type = {message.TYPE: message for message in topic.messages}
    assert isinstance(by_type[model.TYPE].model_validate_json(path.read_bytes()), model)


def test_no_example_lies_in_a_folder_that_no_schema_has() -> None:
    assert {path.parent.name for path in EXAMPLES} == set(PUBLISHED)
    assert len(MESSAGES) == len(PUBLISHED) - 1


def test_the_contact_inside_a_feedback_is_the_interaction_without_its_customer() -> None:
    path = SHARED / "examples" / "interaction-completed.v1" / "transferred-phone-call.json"
    interaction = InteractionCompleted.model_validate_json(path.read_bytes())
    expected = {name: value for name, value in json.loads(path.read_text("utf-8")).items() if name != "customer"}
    assert json.loads(interaction.contact().encode()) == expected
