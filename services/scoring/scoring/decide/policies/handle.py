"""The policies in force, read in every transaction."""

from collections.abc import Mapping
from typing import Any

from scoring.decide.policies import store
from scoring.decide.policy import Policy
from shared.runtime.database import Unit
from shared.runtime.pipeline import ask


async def policies_in_force(unit: Unit, first: Mapping[str, Mapping[str, Any]]) -> dict[str, Policy]:
    """By kind. A new deployment gets its first ones here; `first` are its changes to them."""
    found = await ask(unit.tx, store.policies_in_force())
    if not found:
        await store.seed_policies(unit.tx, now=unit.now, changes=first)
        found = await ask(unit.tx, store.policies_in_force())
    return found
