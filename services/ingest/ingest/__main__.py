"""`python -m ingest run | migrate | dead-letters | login-link | api-key | settings`, as of every service, and ingest's own:
`explain FILE…`, `import-profiles FILE`, `catalogue check|diff|activate FILE`."""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, TextIO

from ingest.app import build, catalogue_in, catalogue_of, desk_of
from ingest.catalogue.compare import changes
from ingest.catalogue.handle import activate, draft, in_force
from ingest.catalogue.model import Catalogue
from ingest.errors import CatalogueNotActivated, FileNotWritable, PayloadFileMissing, TimeUnreadable
from ingest.normalise.explain import explained, table
from ingest.people.importing import progress
from ingest.people.importing.handle import import_profiles
from ingest.people.importing.progress import Count
from ingest.settings import Settings
from shared.runtime import collector
from shared.runtime.audit import CommandLine
from shared.runtime.commands import Command, main
from shared.runtime.database import Database
from shared.runtime.sealing import Sealer

STDIN = "-"


def explain(given: argparse.Namespace, settings: Settings) -> int:
    """One JSON line per event found, or a table of them; nothing is stored."""
    for file in given.files:
        if not Path(file).is_file():
            raise PayloadFileMissing(file)
    found = (one for file in given.files for one in explained(file, Path(file).read_bytes(), settings.raw()))
    for line in table(list(found)) if given.table else (json.dumps(one, ensure_ascii=False) for one in found):
        print(line)
    return 0


def _files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="a payload as a platform sends it, or JSON lines of them")
    parser.add_argument("--table", action="store_true", help="one row per event: file, platform, meaning")


def import_file(given: argparse.Namespace, settings: Settings) -> int:
    """1 where lines were bad: they are in the file beside, as JSON lines of line, path and reason."""
    beside = Path(given.bad or ("profiles.bad" if given.file == STDIN else f"{given.file}.bad"))
    with _opened(given.file) as (source, size), _written(beside) as bad:
        count = asyncio.run(_imported(settings, source, size=size, bad=bad))
    if not (count.bad or count.left):
        beside.unlink()
    print(progress.summary(count) + (f", see {beside}" if count.bad or count.left else ""))
    return 1 if count.bad else 0


@contextmanager
def _opened(file: str) -> Iterator[tuple[BinaryIO, int]]:
    """The file or standard input, and its size in bytes, 0 where it has none."""
    if file == STDIN:
        yield sys.stdin.buffer, 0
        return
    if not Path(file).is_file():
        raise PayloadFileMissing(file)
    with Path(file).open("rb") as source:
        yield source, Path(file).stat().st_size


def _written(file: Path) -> TextIO:
    try:
        return file.open("w", encoding="utf-8")
    except OSError as error:
        raise FileNotWritable(str(file), error.strerror or "no reason given") from None


async def _imported(settings: Settings, source: BinaryIO, *, size: int, bad: TextIO) -> Count:
    desk = desk_of(settings, Sealer(settings.seal_keys, settings.pepper))
    database = Database(settings.database_url, schema="ingest", pool_size=1, pool_wait=settings.pool_wait_s)
    count, began, told = Count(), time.monotonic(), 0.0
    collector.spare()
    try:
        async for faults in import_profiles(database, desk, source, longest=settings.record_limit, count=count):
            bad.writelines(f"{json.dumps(fault.as_json())}\n" for fault in faults)
            bad.flush()
            now = time.monotonic()
            if now - told >= (0.2 if sys.stderr.isatty() else 10):
                told = now
                _tell(progress.line(count, size=size, seconds=now - began))
    finally:
        await database.close()
        _tell(progress.line(count, size=size, seconds=time.monotonic() - began), last=True)
    return count


def _tell(line: str, *, last: bool = False) -> None:
    """In place on a terminal, a line each in a log."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{line}\x1b[K" + ("\n" if last else ""))
    else:
        sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="JSON lines, a profile each; - for standard input")
    parser.add_argument("--bad", metavar="FILE", help="where lines that could not be taken are listed; FILE.bad by default")


def catalogue(given: argparse.Namespace, settings: Settings) -> int:
    """1 where the file must be mended first: a line for each place, path and reason."""
    found = catalogue_in(given.file)
    if isinstance(found, list):
        for path, reason in found:
            print(f"{path or given.file}: {reason}")
        return 1
    if given.act == "check":
        print(f"{given.file} can be used")
        return 0
    for line in asyncio.run(_catalogue(given, settings, found)):
        print(line)
    return 0


async def _catalogue(given: argparse.Namespace, settings: Settings, new: Catalogue) -> list[str]:
    at = _time(given.since) if given.since else None
    database = Database(settings.database_url, schema="ingest", pool_size=1, pool_wait=settings.pool_wait_s)
    try:
        async with database.transaction() as unit:
            active = await in_force(unit, catalogue_of(settings.catalogue_file))
            said = [change.line for change in changes(active.catalogue, new)]
            if given.act == "diff" or not said:
                return said or [f"nothing changes: version {active.version} is in force and reads the same"]
            number = await draft(unit, new, note=given.note, by=CommandLine())
            refused = await activate(unit, number, at=at, by=CommandLine())
            if refused:
                raise CatalogueNotActivated(refused)
            return [*said, f"version {number} is in force from {(at or unit.now).isoformat(timespec='seconds')}"]
    finally:
        await database.close()


def _time(written: str) -> datetime:
    try:
        read = datetime.fromisoformat(written)
    except ValueError:
        raise TimeUnreadable(written) from None
    if read.tzinfo is None:
        raise TimeUnreadable(written)
    return read


def _catalogue_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("act", choices=("check", "diff", "activate"), help="is it right; what would it change; put it in force")
    parser.add_argument("file", metavar="FILE", help="the catalogue as JSON")
    parser.add_argument("--from", dest="since", metavar="TIME", help="in force from then on instead of now, like 2026-12-01T08:00:00Z")
    parser.add_argument("--note", help="what changed, for those who look later")


COMMANDS = (
    Command("explain", "say what payloads mean, without storing them", explain, _files),
    Command("import-profiles", "take a file of profiles of members; run again, it goes on where it was stopped", import_file, _import),
    Command("catalogue", "check a catalogue, compare it with the one in force, activate it", catalogue, _catalogue_arguments),
)

if __name__ == "__main__":
    sys.exit(main(Settings, build, more=COMMANDS))
