"""`python -m scoring dead-letters …`, as an operator types it, over real PostgreSQL."""

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
from prometheus_client import CollectorRegistry

from scoring.app import build
from scoring.settings import Settings
from shared.runtime.broker import Record
from shared.runtime.cap import Limits
from shared.runtime.capping import Capping
from shared.runtime.commands import main
from shared.runtime.database import Database, rows
from shared.runtime.dead_letters import Letter, bury, settle
from shared.runtime.logging import JsonLines
from shared.runtime.measures import Measures
from shared.runtime.sealing import Sealer

TOPIC = "survey.responses"
T = TypeVar("T")
Told = tuple[int, list[dict[str, Any]], str]


class Operator:
    """Types commands against one database and reads what they print."""

    def __init__(self, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.url, self._capsys = url, capsys
        settings = Settings()
        self.sealer = Sealer(settings.seal_keys, settings.pepper)

    def types(self, *words: str) -> Told:
        """Exit code, the JSON lines, and what was said of an error."""
        code = main(Settings, build, argv=["dead-letters", *words])
        said = self._capsys.readouterr()
        return code, [json.loads(line) for line in said.out.splitlines()], said.err

    def does(self, work: Callable[[Database], Awaitable[T]]) -> T:
        async def done() -> T:
            database = Database(self.url, schema="scoring", pool_size=1)
            try:
                return await work(database)
            finally:
                await database.close()

        return asyncio.run(done())

    def buries(self, body: bytes, *, topic: str = TOPIC) -> str:
        """The id of the row."""
        record = Record(topic, 3, 7, b"key", body, (("ce_id", b"a-1"),), datetime.now(UTC))

        async def work(database: Database) -> None:
            async with database.transaction() as unit:
                await bury(unit.tx, [Letter(record, "int_type", "score")], self.sealer)

        self.does(work)
        return str(self.types("list", "--topic", topic)[1][-1]["id"])

    def audited(self) -> list[tuple[str, str, str, dict[str, str]]]:
        async def work(database: Database) -> list[tuple[str, str, str, dict[str, str]]]:
            async with database.transaction() as unit:
                found = await rows(unit.tx, "select by_kind, what, subject, detail from audit order by id")
            return [(each["by_kind"], each["what"], each["subject"], each["detail"]) for each in found]

        return self.does(work)


@pytest.fixture
def operator(scoring_database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Operator:
    monkeypatch.setenv("AFTERCALL_DATABASE_URL", scoring_database)
    return Operator(scoring_database, capsys)


def test_what_waits_is_listed_by_topic_without_its_body(operator: Operator) -> None:
    first = operator.buries(b'{"score": "secret words"}')
    other = operator.buries(b"{", topic="interactions.completed")

    code, listed, _ = operator.types("list")

    assert (code, [each["id"] for each in listed]) == (0, [first, other])
    assert [each["id"] for each in operator.types("list", "--topic", TOPIC)[1]] == [first]
    assert [each["id"] for each in operator.types("list", "--after", first)[1]] == [other]
    assert [each["id"] for each in operator.types("list", "--limit", "1")[1]] == [first]
    assert (listed[0]["reason"], listed[0]["path"], listed[0]["partition"], listed[0]["count"]) == ("int_type", "score", 3, 1)
    assert "secret" not in json.dumps(listed)


def test_one_is_shown_with_its_values_masked_and_the_look_is_audited(operator: Operator) -> None:
    letter = operator.buries(b'{"score": "secret words"}')

    code, [shown], _ = operator.types("show", letter)

    assert (code, shown["body"], shown["headers"], shown["size"]) == (0, {"score": "••• (str)"}, ["ce_id"], 25)
    assert operator.audited() == [("command", "dead-letter.look", letter, {})]


def test_one_is_discarded_with_its_reason_once(operator: Operator) -> None:
    letter = operator.buries(b"{")

    for _ in range(2):
        assert operator.types("discard", letter, "--reason", "a test of the bridge")[:2] == (0, [{"id": letter, "state": "discarded"}])

    assert operator.types("list")[1] == []
    assert operator.audited() == [("command", "dead-letter.discard", letter, {"reason": "a test of the bridge"})]


def test_what_took_effect_is_not_discarded(operator: Operator) -> None:
    letter = operator.buries(b"{")

    async def replayed(database: Database) -> None:
        async with database.transaction() as unit:
            await settle(unit.tx, UUID(letter), state="replayed")

    operator.does(replayed)

    code, _, said = operator.types("discard", letter, "--reason", "too late")

    assert (code, said) == (2, f"Dead letter {letter} was replayed and took effect: there is nothing to discard.\n")


@pytest.mark.parametrize("act", [["show"], ["discard", "--reason", "why not"]])
def test_a_letter_that_is_not_there_is_said_so(operator: Operator, act: list[str]) -> None:
    unknown = str(uuid4())

    code, printed, said = operator.types(*act, unknown)

    assert (code, printed) == (2, [])
    assert said == f"There is no dead letter {unknown}: `dead-letters list` shows those that wait.\n"


def test_the_command_that_the_log_names_lets_a_stopped_topic_go_on(operator: Operator, caplog: pytest.LogCaptureFixture) -> None:
    async def trip(database: Database) -> None:
        capping = Capping([TOPIC], database, measures=Measures(CollectorRegistry()), limits=Limits(in_a_row=1))
        capping.saw(TOPIC, dead=True)
        assert await capping.trip() == {TOPIC}

    with caplog.at_level(logging.ERROR):
        operator.does(trip)
    line = json.loads(JsonLines().format(caplog.records[-1]))
    said = re.search(r"`python -m (.+) dead-letters (.+)`", line["event"])
    assert said
    service, command = (words.replace("<service>", line["service"]).replace("<topic>", line["topic"]) for words in said.groups())
    assert service == "scoring"

    assert operator.types("list")[1] == [{"stopped": TOPIC}]
    assert operator.types(*command.split())[:2] == (0, [{"resumed": TOPIC}])

    assert operator.types("list")[1] == []
    assert operator.audited() == [("command", "dead-letters.resume", TOPIC, {})]


def test_resuming_what_is_not_stopped_says_so_and_audits_nothing(operator: Operator) -> None:
    code, _, said = operator.types("resume", TOPIC)

    assert (code, said) == (2, f"The topic {TOPIC} is not stopped: `dead-letters list` shows those that are.\n")
    assert operator.audited() == []


def test_the_help_says_where_replaying_is(operator: Operator, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        operator.types("--help")

    assert "POST/v1/dead-letters/ID/replay" in "".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("words", [["discard", str(uuid4()), "--reason", " "], ["list", "--limit", "0"], ["show", "seven"]])
def test_words_that_make_no_sense_are_refused(operator: Operator, words: list[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        operator.types(*words)

    assert refused.value.code == 2
