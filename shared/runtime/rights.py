"""Roles, scopes, teams: what a permission asks for and what a principal has."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from shared.runtime.errors import AftercallError

ROLES: Final = frozenset({"guide", "supervisor", "analyst", "admin"})
SCOPES: Final = frozenset({"platform", "crm", "dialer"})
ALL: Final = "*"


class Teams(frozenset[str]):
    """The teams of a person; `ALL_TEAMS` has every team."""

    def __contains__(self, team: object) -> bool:
        return frozenset.__contains__(self, ALL) or frozenset.__contains__(self, team)


ALL_TEAMS: Final = Teams({ALL})


@dataclass(frozen=True, slots=True)
class Permission:
    """What a route needs: any one of the roles, or any one of the API-key scopes."""

    name: str
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking: a `person` with roles and teams, or a `key` with scopes and, where restricted, its platform and account."""

    kind: str
    ref: str
    name: str
    roles: frozenset[str] = frozenset()
    teams: frozenset[str] = Teams()
    scopes: frozenset[str] = frozenset()
    platform: str | None = None
    account: str | None = None

    def has_team(self, team: str | None) -> bool:
        """A case without a team belongs to those who see all teams."""
        return ALL in self.teams or (team is not None and team in self.teams)

    def may(self, permission: Permission) -> bool:
        return bool(self.roles & permission.roles or self.scopes & permission.scopes)

    def may_send_for(self, platform: str, account: str) -> bool:
        """An API key may be restricted to one platform, or one account of it."""
        return self.platform in (None, platform) and self.account in (None, account)


class UnknownRights(AftercallError):
    def __init__(self, what: str, unknown: Iterable[str], known: Iterable[str]) -> None:
        super().__init__(f"There is no {what} {', '.join(sorted(unknown))}: choose among {', '.join(sorted(known))}")


def rights(what: str, chosen: Iterable[str], known: frozenset[str]) -> frozenset[str]:
    """The chosen roles or scopes; at least one, all known."""
    names = frozenset(chosen)
    if not names or names - known:
        raise UnknownRights(what, names - known or ["at all"], known)
    return names
