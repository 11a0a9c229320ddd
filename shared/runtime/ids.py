"""Ids that sort by time (UUIDv7, RFC 9562): rows that are written together lie together, which keeps indexes small."""

import os
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

_VERSION_7 = 7 << 76
_VARIANT = 2 << 62
_COUNTED = 16
"""Bits after the variant that count the ids of one moment; the 46 after them are random."""


def ids_at(moment: datetime) -> Iterator[UUID]:
    """Ever later ids of that moment: its milliseconds, a 4096th of one, a count, randomness."""
    micros = (int(moment.timestamp()) * 1_000_000) + moment.microsecond
    millis, rest = divmod(micros, 1000)
    start = millis << 80 | _VERSION_7 | (rest * 4096 // 1000) << 64 | _VARIANT
    for count in range(1 << _COUNTED):
        yield UUID(int=start | count << 46 | int.from_bytes(os.urandom(6), "big") >> 2)
