"""`python -m ingest run | migrate | dead-letters | explain FILE… | login-link | api-key | settings`."""

import argparse
import json
import sys
from pathlib import Path

from ingest.app import build
from ingest.errors import PayloadFileMissing
from ingest.normalise.explain import explained
from ingest.normalise.model import Raw
from ingest.settings import Settings
from shared.runtime.commands import Command, main


def explain(given: argparse.Namespace, settings: Settings) -> int:
    """One JSON line per event found; nothing is stored."""
    source = Raw(None, account=settings.source_account or None, zone=settings.source_zone or None, traits=frozenset(settings.traits))
    for file in given.files:
        if not Path(file).is_file():
            raise PayloadFileMissing(file)
        for one in explained(file, Path(file).read_bytes(), source):
            print(json.dumps(one, ensure_ascii=False))
    return 0


def _files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="a payload as a platform sends it, or JSON lines of them")


EXPLAIN = Command("explain", "say what payloads mean, without storing them", explain, _files)

if __name__ == "__main__":
    sys.exit(main(Settings, build, more=[EXPLAIN]))
