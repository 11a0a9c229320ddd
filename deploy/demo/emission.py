"""What a platform puts into a topic, and how it writes times and ids."""

import json
import random
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Emission:
    """One record for a raw topic."""

    topic: str
    key: str
    value: bytes
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact as its platform names it, and everything the platform says of it."""

    platform: str
    account: str
    ref: str
    title: str
    emissions: tuple[Emission, ...]


def cloudevent_headers(attributes: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return (("content-type", "application/json"), ("ce_specversion", "1.0"), *((f"ce_{name}", value) for name, value in attributes.items()))


def new_id(rng: random.Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))


def as_bytes(body: Json) -> bytes:
    return json.dumps(body).encode()


def in_ms(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def in_s(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
