"""Who is drawn: by cell, from a seed and the anchor, so that anybody can draw the same number again."""

import hashlib
import hmac
from uuid import UUID

from scoring.decide.model import Draw, Facts
from scoring.decide.policy import Sampling

PRECISION = 53
"""Bits of a draw: as many as a float holds, so that it stays below 1."""


def draw(seed: str, anchor: UUID) -> float:
    """A number in [0, 1), the same for the same seed and anchor for ever."""
    digest = hmac.digest(seed.encode(), anchor.bytes, hashlib.sha256)
    return (int.from_bytes(digest[:8], "big") >> (64 - PRECISION)) * 2.0**-PRECISION


def cell(facts: Facts) -> str:
    """Channel and segment of the contact, as `phone:family`."""
    segment = facts.customer.segment if facts.customer else "unknown"
    return f"{facts.contact.channel}:{segment}"


def sample(facts: Facts, terms: Sampling) -> Draw:
    """The draw of this anchor and the inclusion probability of its cell."""
    here = cell(facts)
    return Draw(here, draw(terms.seed, facts.anchor), terms.cells.get(here, terms.rate))
