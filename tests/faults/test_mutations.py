"""Every payload that platforms send, changed by chance ten thousand times."""

import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from tests.support.mutations import names
from tests.support.verdicts import VERDICTS

pytestmark = [pytest.mark.fault, pytest.mark.slow]

ROUNDS = 10_000


async def test_d10_no_mutation_of_any_payload_makes_reading_or_folding_fail() -> None:
    """A payload that fails is named with the number of its mutation, by which `tests.support.mutations` makes it again."""
    began, wanted, cores = time.monotonic(), names(), len(os.sched_getaffinity(0))
    shares = await asyncio.gather(*(_share(wanted[at::cores]) for at in range(cores)))
    lines = [line for share in shares for line in share]
    through, failed = [line for line in lines if "name" in line], [line["failed"] for line in lines if "failed" in line]
    meanings = sum((Counter[str](line.get("meanings", {})) for line in through), Counter[str]())
    told = {"payloads": len(through), "meanings": dict(meanings), "failed": failed}
    VERDICTS.say("D10", events=ROUNDS * len(wanted), lost=len(wanted) - len(through), duplicates={}, began=began, **told)
    assert failed == []


async def _share(chosen: Sequence[str]) -> list[dict[str, Any]]:
    """In a process of its own, which ends soon after this one where nobody reads its lines any more."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.mutations", f"0:{ROUNDS}", *chosen, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    lines = [json.loads(line) for line in said.splitlines()]
    if len(lines) < len(chosen):
        lines.append({"failed": f"{chosen[len(lines)]}: its process ended with {process.returncode}"})
    return lines
