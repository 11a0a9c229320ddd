"""JSON lines are taken apart; a document over several lines is not."""

import json

import pytest

from ingest.intake.lines import bodies

ONE, TWO = json.dumps({"id": "1"}).encode(), json.dumps({"id": "2"}).encode()


@pytest.mark.parametrize("kind", ["", "application/x-ndjson", "application/json", "text/plain; charset=utf-8"])
def test_lines_are_events_whatever_the_content_type(kind: str) -> None:
    assert bodies(ONE + b"\r\n\n" + TWO + b"\n", {"content-type": kind}) == [ONE, TWO]


@pytest.mark.parametrize(
    "body", [json.dumps([{"id": "1"}, {"id": "2"}], indent=2).encode(), json.dumps({"a": {"b": 1}}, indent=2).encode(), ONE, b"", b"\n"]
)
def test_a_document_stays_whole(body: bytes) -> None:
    assert bodies(body, {}) == [body]


def test_a_structured_event_is_never_taken_apart() -> None:
    body = ONE + b"\n" + TWO

    assert bodies(body, {"content-type": "application/cloudevents+json"}) == [body]
