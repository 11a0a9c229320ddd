"""`python -m ingest explain FILE…`: what payloads mean, nothing stored."""

import json
import subprocess
import sys
from pathlib import Path

from tests.support.ingest import PHONE


def explain(*files: Path | str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "ingest", "explain", *map(str, files)], capture_output=True, text=True, check=False)


def test_every_event_of_a_file_is_a_line(tmp_path: Path) -> None:
    event = {"id": "1", "contact": "c-1", "event": "ended", "at": "2026-11-20T10:00:00Z", "channel": "phone", "customer": {"phone": PHONE}}
    file = tmp_path / "events.json"
    file.write_text(json.dumps([event, {**event, "event": "sneezed"}, {**event, "channel": None}]))

    done = explain(file)

    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["meaning"] for each in lines] == ["ended", "ignored", "refused"]
    assert lines[0] == {
        "file": str(file),
        "envelope": "bare",
        "platform": "native",
        "meaning": "ended",
        "reason": None,
        "account": "-",
        "contact": "c-1",
        "leg": "c-1",
        "channel": "phone",
        "at": "2026-11-20T10:00:00.000Z",
    }
    assert lines[2]["reason"] == "missing: channel"
    assert PHONE not in done.stdout


def test_a_table_has_a_row_for_each_event(tmp_path: Path) -> None:
    event = {"id": "1", "contact": "c-1", "event": "ended", "at": "2026-11-20T10:00:00Z", "channel": "phone", "customer": {"phone": PHONE}}
    file = tmp_path / "events.json"
    file.write_text(json.dumps([event, {**event, "channel": None}, {"core-uuid": "1"}]))

    done = explain("--table", file)

    rows = [line.removeprefix(str(file)).split(None, 1) for line in done.stdout.splitlines()[1:]]
    assert rows == [["native", "ended"], ["native", "refused (missing: channel)"], ["freeswitch", "ignored (no_adapter:freeswitch)"]]
    assert PHONE not in done.stdout


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = explain(tmp_path / "nothing.json")

    assert done.returncode == 2
    assert "nothing.json" in done.stderr
