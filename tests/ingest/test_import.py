"""A file of profiles is taken whole, whatever is in it and wherever it is stopped."""

import asyncio
import io
import json
import os
import subprocess
import sys
from asyncio.subprocess import Process
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from ingest.__main__ import COMMANDS
from ingest.app import build
from ingest.people.importing.handle import AT_ONCE, Fault, import_profiles
from ingest.people.importing.progress import Count, line, summary
from ingest.settings import Settings
from shared.runtime.commands import main
from tests.support.ingest import OTHER_PHONE, PHONE, Running, ingest


def profile(number: int, **more: Any) -> bytes:
    said = {"profile_id": f"p-{number}", "member_id": f"M-{number}", "at": "2026-11-01T10:00:00Z", "name": f"Name {number}", **more}
    return json.dumps(said).encode()


async def taken(running: Running, source: BinaryIO, *, longest: int = 2_000) -> tuple[Count, list[Fault]]:
    count = Count()
    batches = import_profiles(running.database, running.deps.desk, source, longest=longest, count=count, at_once=3)
    return count, [fault async for batch in batches for fault in batch]


async def test_every_bad_line_is_listed_by_its_number_and_the_others_are_taken(ingest_database: str) -> None:
    lines = [
        b"\xef\xbb\xbf" + profile(1) + b"\r",
        b"",
        b'{"half',
        profile(2, zone="Mars/Olympus"),
        profile(3, addresses=[{"kind": "phone", "value": "12"}, {"kind": "phone", "value": PHONE}]),
        b'{"profile_id": "\xff"}',
        profile(4, segment="a\u0000b"),
        profile(5, name="x" * 3_000),
        profile(6, member_id=" "),
        profile(7, at="yesterday"),
        b"[1, 2]",
        profile(8),
    ]
    async with ingest(ingest_database) as running:
        count, faults = await taken(running, io.BytesIO(b"\n".join(lines)))

        assert [(each.line, each.path, each.reason, each.taken) for each in faults] == [
            (3, None, "json_invalid", False),
            (4, "zone", "unknown_zone", False),
            (5, "addresses.0.value", "short_code", True),
            (6, None, "json_invalid", False),
            (7, None, "nul_character", False),
            (8, None, "too_large", False),
            (9, "member_id", "missing", False),
            (10, "at", "datetime_parsing", False),
            (11, None, "model_type", False),
        ]
        assert (count.lines, count.taken, count.bad, count.left) == (12, 3, 8, 1)
        assert await running.rows("select count(*) from customer") == [{"count": 3}]


class _Dying(io.BytesIO):
    """A file whose reader is killed when it comes to the eighth line."""

    def readline(self, size: int | None = -1, /) -> bytes:
        body = super().readline(size)
        if b"M-8" in body:
            raise SystemExit
        return body


async def test_killed_in_the_middle_it_goes_on_and_no_line_is_taken_twice(ingest_database: str) -> None:
    whole = b"\n".join(profile(number) for number in range(1, 11)) + b'\n{"half'
    async with ingest(ingest_database) as running:
        with pytest.raises(SystemExit):
            await taken(running, _Dying(whole))
        assert await running.rows("select count(*) from customer") == [{"count": 6}]

        count, faults = await taken(running, io.BytesIO(whole))
        again, same = await taken(running, io.BytesIO(whole))

        assert (count.known, count.taken, count.bad) == (6, 4, 1)
        assert (again.known, again.taken, again.bad) == (10, 0, 1)
        assert [each.line for each in faults] == [each.line for each in same] == [11]
        assert len(await running.sent("customers.changed")) == 10


async def test_a_mended_line_is_taken_when_the_file_is_run_again(ingest_database: str) -> None:
    async with ingest(ingest_database) as running:
        first, _ = await taken(running, io.BytesIO(profile(1, zone="Mars") + b"\n" + profile(1, zone="Mars") + b"\n" + profile(2)))
        second, _ = await taken(running, io.BytesIO(profile(1, zone="America/Denver") + b"\n" + profile(2)))

        assert (first.bad, first.taken) == (2, 1)
        assert (second.bad, second.taken, second.known) == (0, 1, 1)


class _Watched(io.BytesIO):
    """Counts the lines that were read."""

    reads = 0

    def readline(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        return super().readline(size)


async def test_no_more_of_a_file_is_read_than_one_batch_holds(ingest_database: str) -> None:
    source = _Watched(b"\n".join(profile(number) for number in range(20)))
    async with ingest(ingest_database) as running:
        batches = import_profiles(running.database, running.deps.desk, source, longest=2_000, count=Count(), at_once=3)
        await anext(batches)

        assert source.reads == 3


async def test_flags_that_suppress_and_consents_come_with_the_file(ingest_database: str) -> None:
    refused = {"channel": "any", "purpose": "survey", "state": "refused", "at": "2026-11-01T10:00:00Z", "source": "crm"}
    async with ingest(ingest_database) as running:
        await taken(running, io.BytesIO(profile(1, flags=["do_not_survey", "litigation"], consents=[refused])))

        (changed,) = await running.sent("customers.changed")
        (told,) = await running.sent("consents.changed")
        assert changed["customer"]["flags"] == ["do_not_survey", "litigation"]
        assert (told["consent"]["customer_id"], told["consent"]["state"]) == (changed["customer"]["customer_id"], "refused")


async def test_of_two_profiles_of_a_new_member_only_the_later_ones_addresses_find_them(ingest_database: str) -> None:
    lines = [
        profile(1, addresses=[{"kind": "phone", "value": PHONE}], at="2026-11-02T10:00:00Z"),
        profile(1, addresses=[{"kind": "phone", "value": OTHER_PHONE}], at="2026-11-01T10:00:00Z"),
        profile(2, addresses=[{"kind": "phone", "value": OTHER_PHONE}]),
    ]
    async with ingest(ingest_database) as running:
        count, _ = await taken(running, io.BytesIO(b"\n".join(lines)))
        ref = running.deps.desk.sealer.ref

        held = await running.rows("select ref, count(*) from holding where kind = 'phone' and directory group by 1")
        assert count.taken == 3
        assert {each["ref"]: each["count"] for each in held} == {ref("phone", "", PHONE): 1, ref("phone", "", OTHER_PHONE): 1}


async def test_each_of_a_batch_has_the_consents_of_their_own_and_of_their_addresses(ingest_database: str) -> None:
    said = {"purpose": "survey", "state": "refused", "at": "2026-11-01T10:00:00Z", "source": "crm"}
    shared = [{"kind": "phone", "value": PHONE}]
    lines = [profile(1, consents=[{**said, "channel": "email"}], addresses=shared), profile(2, addresses=shared), profile(3)]
    async with ingest(ingest_database) as running:
        stop = {**said, "channel": "sms", "address_ref": running.deps.desk.sealer.ref("phone", "", PHONE)}
        await running.say("consents.changed", {"consent": stop})
        await taken(running, io.BytesIO(b"\n".join(lines)))

        told = await running.sent("customers.changed")
        by_number = {each["customer"]["number"]: [consent["channel"] for consent in each["customer"]["consents"]] for each in told}
        assert [channels for _, channels in sorted(by_number.items())] == [["email", "sms"], ["sms"], []]


@pytest.fixture
def file(tmp_path: Path, ingest_database: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AFTERCALL_DATABASE_URL", ingest_database)
    written = tmp_path / "profiles.jsonl"
    written.write_bytes(b"\n".join([profile(1), b'{"half', profile(2)]))
    return written


def test_the_command_lists_bad_lines_beside_the_file_and_says_how_far_it_is(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(Settings, build, more=COMMANDS, argv=["import-profiles", str(file)])

    said = capsys.readouterr()
    listed = [json.loads(each) for each in Path(f"{file}.bad").read_text().splitlines()]
    assert (code, listed) == (1, [{"line": 2, "path": None, "reason": "json_invalid", "taken": False}])
    assert said.out.startswith("3 lines: 2 taken, 0 taken before, 1 bad")
    assert "100%" in said.err


async def test_a_command_that_is_killed_goes_on_where_it_was_and_says_what_it_knew(ingest_database: str, tmp_path: Path) -> None:
    lines = b"".join(profile(number) + b"\n" for number in range(AT_ONCE + 20))
    async with ingest(ingest_database) as running:
        first = await _command(ingest_database, tmp_path)
        assert first.stdin
        first.stdin.write(lines)  # and no end of it: the last twenty wait for more
        async with asyncio.timeout(60):
            while await running.rows("select count(*) from customer") != [{"count": AT_ONCE}]:  # noqa: ASYNC110  # another process
                await asyncio.sleep(0.05)
        first.kill()
        await first.wait()

        second = await _command(ingest_database, tmp_path)
        said, _ = await second.communicate(lines)

        assert said.decode().startswith(f"{AT_ONCE + 20} lines: 20 taken, {AT_ONCE} taken before, 0 bad")
        assert await running.rows("select count(*) from customer") == [{"count": AT_ONCE + 20}]


async def _command(url: str, folder: Path) -> Process:
    """It reads a pipe."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ingest", "import-profiles", "-"),
        env={**os.environ, "AFTERCALL_DATABASE_URL": url},
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def test_a_file_that_is_not_there_is_named(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(Settings, build, more=COMMANDS, argv=["import-profiles", f"{file}.gone"]) == 2
    assert "There is no file" in capsys.readouterr().err


def test_how_far_it_is_reads_as_one_line() -> None:
    count = Count(lines=523_000, taken=522_990, bad=10, read=512)

    assert line(count, size=1024, seconds=100) == "[############............] 50%  523,000 lines  5,230/s  10 bad  0:01:40 left"
    assert line(count, size=0, seconds=0) == "523,000 lines  0/s  10 bad"
    assert summary(count) == "523,000 lines: 522,990 taken, 0 taken before, 10 bad; 0 parts could not be used"
