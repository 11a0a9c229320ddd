"""`python -m tests.support.schema_files` writes the committed JSON Schemas; it refuses a change that breaks a published version.

With `--check` it writes nothing and fails if a committed file is not what the models say.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from shared import schemas
from tests.support.schema_changes import breaks

COMMITTED = Path(schemas.__file__).parent / "committed"


def current() -> dict[str, str]:
    """The text of every schema file as the models say it."""
    return {name: json.dumps(model.model_json_schema(), indent=1, ensure_ascii=False) + "\n" for name, model in schemas.PUBLISHED.items()}


def committed(folder: Path) -> dict[str, str]:
    """The text of every schema file that is there."""
    return {path.stem: path.read_text("utf-8") for path in sorted(folder.glob("*.json"))}


def complaints(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Why the new texts must not replace the old ones."""
    gone = [f"{name}: its readers still know it; keep the model while a topic keeps the messages." for name in before.keys() - after.keys()]
    return gone + [
        f"{name}: {found}" for name in before.keys() & after.keys() for found in breaks(parsed(before[name]), parsed(after[name]))
    ]


def parsed(text: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(text)
    return schema


def main(arguments: list[str], *, folder: Path = COMMITTED) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.support.schema_files", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on any difference")
    check = parser.parse_args(arguments).check
    before, after = committed(folder), current()
    found = sorted(complaints(before, after))
    if check and not found:
        found = [
            f"{name}: not what the models say; run python -m tests.support.schema_files."
            for name in after
            if before.get(name) != after[name]
        ]
    for complaint in found:
        print(complaint, file=sys.stderr)
    if not found and not check:
        folder.mkdir(exist_ok=True)
        for name, text in after.items():
            (folder / f"{name}.json").write_text(text, "utf-8")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
