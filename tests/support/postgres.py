"""Fresh databases for tests, cheap enough for one per test."""

import itertools
from dataclasses import dataclass, field

import psycopg

from deploy.postgres.embedded import Server
from deploy.postgres.roles import as_role, make_roles, owner
from shared.runtime.migrations import upgrade


@dataclass
class Databases:
    """Hands out databases of one server: empty ones, or copies of one that services' owners have migrated. The URLs are a superuser's."""

    server: Server
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)
    _templates: dict[tuple[str, ...], str] = field(default_factory=dict)

    def fresh(self, *services: str) -> str:
        """The `postgresql+psycopg://` URL of a new database: with these services' tables, else empty."""
        name = f"test_{next(self._numbers)}"
        self._create(name, template=self._migrated(services) if services else "template0")
        return self.server.url(name)

    def copy(self, url: str) -> str:
        """The URL of a new database with all that is in this one, to which nobody may be connected."""
        name = f"test_{next(self._numbers)}"
        self._create(name, template=url.rsplit("/", 1)[1])
        return self.server.url(name)

    def drop(self, url: str) -> None:
        self._execute(f'drop database if exists "{url.rsplit("/", 1)[1]}" with (force)')

    def _migrated(self, services: tuple[str, ...]) -> str:
        if services not in self._templates:
            name = f"template_{'_'.join(services)}"
            self._create(name, template="template0")
            make_roles(self.server.url(name))
            for service in services:
                upgrade(as_role(self.server.url(name), owner(service)), service, role=service)
            self._templates[services] = name
        return self._templates[services]

    def _create(self, name: str, *, template: str) -> None:
        self._execute(f'create database "{name}" template "{template}" strategy file_copy')

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.server.url().replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(statement)
