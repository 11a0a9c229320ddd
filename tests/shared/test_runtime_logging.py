"""Log lines: JSON, with ids, and no way for a person to slip in."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from shared.runtime.errors import Unprocessable
from shared.runtime.logging import JsonLines, about

CANARY = "+15550109999"


class Lines(io.StringIO):
    def last(self) -> dict[str, object]:
        line: dict[str, object] = json.loads(self.getvalue().splitlines()[-1])
        return line


@pytest.fixture
def lines() -> Iterator[Lines]:
    written = Lines()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("aftercall.toy")
    logger.addHandler(handler)
    yield written
    logger.removeHandler(handler)


log = logging.getLogger("aftercall.toy")


def test_a_line_says_what_where_and_about_which_message(lines: Lines) -> None:
    with about("m-1", "c-1"):
        log.warning("batch stored", extra={"topic": "feedback.scored", "count": 3})
    line = lines.last()
    assert (line["event"], line["level"], line["message_id"], line["correlation_id"]) == ("batch stored", "warning", "m-1", "c-1")
    assert (line["topic"], line["count"]) == ("feedback.scored", 3)


def test_an_extra_that_is_not_listed_is_named_but_not_shown(lines: Lines) -> None:
    log.warning("odd", extra={"phone": CANARY})
    assert lines.last()["left_out"] == ["phone"]
    assert CANARY not in lines.getvalue()


def test_arguments_are_not_written(lines: Lines) -> None:
    log.warning("cannot call %s", CANARY)
    assert lines.last()["event"] == "cannot call %s"
    assert CANARY not in lines.getvalue()


def test_an_error_is_told_by_class_and_place_without_its_words(lines: Lines) -> None:
    try:
        int(f"{CANARY}?")
    except ValueError:
        log.exception("failed")
    line = lines.last()
    assert line["error"] == "ValueError"
    assert "test_runtime_logging.py" in str(line["where"])
    assert CANARY not in lines.getvalue()


def test_a_library_that_writes_an_error_into_its_words_is_cut_after_the_first_line(lines: Lines) -> None:
    log.error(f"Task exception was never retrieved\nfuture: <Task exception=KeyError({CANARY})>")  # noqa: G004  # as asyncio does
    assert lines.last()["event"] == "Task exception was never retrieved"
    assert CANARY not in lines.getvalue()


def test_every_error_of_a_group_is_told(lines: Lines) -> None:
    log.error("ended", exc_info=ExceptionGroup("two", [KeyError(CANARY), Unprocessable("nul_character")]))
    assert "nul_character" in lines.getvalue()
    assert CANARY not in lines.getvalue()


def _refuse() -> None:
    raise Unprocessable("time_missing", "at")


def test_an_error_of_ours_keeps_its_sentence(lines: Lines) -> None:
    try:
        _refuse()
    except Unprocessable:
        log.exception("failed")
    assert lines.last()["sentence"] == "time_missing at at"
