"""Who may do what with cases. A person may hold several roles; rights add up."""

from typing import Final

from routing.cases.model import By
from shared.runtime.access import ALL, Permission, Principal

READ: Final = Permission("cases.read", roles=frozenset({"guide", "supervisor", "admin"}))
WORK: Final = Permission("cases.work", roles=frozenset({"guide", "supervisor"}))
"""Claim, log a call, see the number: not for admins."""

MOVE: Final = Permission("cases.move", roles=frozenset({"guide", "supervisor", "admin"}))
"""Give back, resolve, reopen."""

LEAD: Final = Permission("cases.lead", roles=frozenset({"supervisor", "admin"}))
"""Assign to others, close, give back what is somebody else's."""


def teams_of(person: Principal, permission: Permission) -> frozenset[str] | None:
    """The teams whose cases this permission opens; None for all of them. An admin's reach does not widen what only others may do."""
    if ALL in frozenset(person.teams) or ("admin" in person.roles and "admin" in permission.roles):
        return None
    return frozenset(person.teams)


def by_of(person: Principal) -> By:
    """How the history names a person."""
    kind = next((role for role in ("guide", "supervisor", "admin") if role in person.roles), person.kind)
    return By(kind=kind, ref=person.ref, name=person.name)
