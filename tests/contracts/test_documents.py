"""What is written about the product is what the code says, and is valid by the standards it claims."""

import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, validators
from openapi_spec_validator import OpenAPIV31SpecValidator

from shared import asyncapi, schemas
from shared.runtime.openapi import described
from shared.runtime.settings import ServiceSettings
from shared.topics import DEAD_TOPICS, SERVICES, TOPICS
from tests.support.built import built
from tests.support.documents import INTERNAL, ROOT, generated, settings_page, stale, write

OFFICIAL = ROOT / ".ci" / "node_modules" / "@asyncapi" / "specs" / "schemas" / "3.0.0-without-$id.json"
OPENAPI = [INTERNAL, *(f"services/{service}/openapi.json" for service in SERVICES)]
LENIENT = "native-event.v1/odd-"
"""Of a platform we take more than we ask for: a number where a word should be."""
EXAMPLES = [path for path in sorted((ROOT / "shared" / "examples").glob("*/*.json")) if LENIENT not in path.as_posix()]


@cache
def texts() -> dict[str, str]:
    return generated()


def test_every_committed_document_is_what_the_code_says() -> None:
    assert stale(ROOT, texts()) == [], "run make docs"


@pytest.mark.parametrize("path", sorted(["asyncapi.json", "docs/settings.md", "docs/metrics.md", *OPENAPI]))
def test_a_document_that_was_changed_or_lost_is_found(tmp_path: Path, path: str) -> None:
    write(tmp_path, texts())
    assert stale(tmp_path, texts()) == []

    (tmp_path / path).write_text(texts()[path] + "\n", "utf-8")
    assert stale(tmp_path, texts()) == [path]
    (tmp_path / path).unlink()
    assert stale(tmp_path, texts()) == [path]


def test_a_setting_that_was_added_is_missed_in_the_table() -> None:
    class More(ServiceSettings):
        SERVICE = "more"
        patience_s: float = 3.0

    row = "| `MORE_PATIENCE_S` | `3.0` |  |"

    assert row in settings_page({"more": More})
    assert row not in settings_page({"more": ServiceSettings})


def test_no_document_tells_a_secret_or_a_place_on_this_machine() -> None:
    assert [path for path, text in texts().items() if str(ROOT) in text or "development-only" in text] == []


@pytest.mark.parametrize("path", OPENAPI)
def test_openapi_is_valid(path: str) -> None:
    document = json.loads(texts()[path])

    assert document["openapi"].startswith("3.1.")
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    assert list(dangling(document)) == []


def test_the_internal_port_is_the_same_in_every_service() -> None:
    assert {json.dumps(described(built(service).internal)) for service in SERVICES} == {json.dumps(json.loads(texts()[INTERNAL]))}


def test_openapi_says_who_may_use_a_route() -> None:
    scoring, ingest = (json.loads(texts()[f"services/{service}/openapi.json"])["paths"] for service in ("scoring", "ingest"))

    assert scoring["/v1/sending"]["get"]["security"] == [{"session": ["admin"]}, {"session": ["supervisor"]}]
    assert scoring["/v1/replies/sms"]["post"]["security"] == []
    assert {"key": ["platform"]} in ingest["/v1/events"]["post"]["security"]


@pytest.mark.parametrize("path", OPENAPI)
def test_openapi_leaves_no_operation_without_a_word_on_who_may_use_it(path: str) -> None:
    operations = [operation for methods in json.loads(texts()[path])["paths"].values() for operation in methods.values()]

    assert operations
    assert all("security" in operation for operation in operations)


def test_asyncapi_is_valid_by_its_own_schema() -> None:
    if not OFFICIAL.is_file():
        sentence = "ASYNCAPI NOT VALIDATED: its schema comes from npm; run `npm ci --prefix .ci`."
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    official = json.loads(OFFICIAL.read_text("utf-8"))
    validator = validators.validator_for(official)(official)
    document = asyncapi.document()

    assert [error.message for error in validator.iter_errors(document)] == []
    broken = {**document, "channels": {"interactions.phone": {"address": 7}}}
    assert list(validator.iter_errors(broken))


def test_asyncapi_refers_to_nothing_that_is_not_there() -> None:
    document = asyncapi.document()

    assert list(dangling(document)) == []
    del document["components"]["schemas"]["Customer"]
    assert set(dangling(document)) == {"#/components/schemas/Customer"}


def dangling(document: dict[str, Any]) -> Iterator[str]:
    """The references of a document that lead nowhere in it."""
    for reference in _references(document):
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(place, dict) else None
        if place is None:
            yield reference


def _references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for part in value.values():
            yield from _references(part)
    elif isinstance(value, list):
        for part in value:
            yield from _references(part)


def test_asyncapi_tells_of_every_topic_and_of_every_message_on_it() -> None:
    document = asyncapi.document(prefix="eu.")
    channels = document["channels"]

    assert channels.keys() == TOPICS.keys() | DEAD_TOPICS.keys()
    assert {channel["address"] for channel in channels.values()} == {f"eu.{name}" for name in channels}
    for name, topic in TOPICS.items():
        assert {message.short_name() for message in topic.messages} <= channels[name]["messages"].keys()
        assert channels[name]["messages"], name
        assert channels[name]["bindings"]["kafka"]["partitions"] == topic.partitions


def test_asyncapi_says_who_of_us_sends_and_receives() -> None:
    told = {
        (each["tags"][0]["name"], each["action"], each["channel"]["$ref"].split("/")[-1])
        for each in asyncapi.document()["operations"].values()
    }

    assert told == {
        (service, action, topic.name)
        for topic in TOPICS.values()
        for action, whose in (("send", topic.writers), ("receive", topic.readers))
        for service in whose
        if service in SERVICES
    }


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name} {path.stem}")
def test_every_example_fits_the_payload_that_asyncapi_gives(path: Path) -> None:
    document = asyncapi.document()
    payload = document["components"]["messages"][path.parent.name]["payload"]

    assert list(Draft7Validator({**payload, "components": document["components"]}).iter_errors(json.loads(path.read_text("utf-8")))) == []


def test_a_payload_that_does_not_fit_is_found() -> None:
    document = asyncapi.document()
    schema = {"$ref": "#/components/schemas/SurveyDecided", "components": document["components"]}
    decided = json.loads((ROOT / "shared" / "examples" / "survey-decided.v1" / "invited.json").read_text("utf-8"))

    assert list(Draft7Validator(schema).iter_errors({**decided, "verdicts": [["maybe", None]]}))
    assert list(Draft7Validator(schema).iter_errors({**decided, "verdicts": [["pass", None, None]]}))


def test_every_published_schema_is_in_asyncapi() -> None:
    assert {model.__name__ for model in schemas.PUBLISHED.values()} <= asyncapi.document()["components"]["schemas"].keys()
