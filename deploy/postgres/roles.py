"""The roles of `roles.sql` in a database without Docker's help: the demo's and the tests'."""

from pathlib import Path

import psycopg
from sqlalchemy import make_url

ROLES = Path(__file__).with_name("roles.sql")


def make_roles(url: str) -> None:
    """A schema and two roles per service in the database of this address, which is a superuser's."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(ROLES.read_bytes())


def as_role(url: str, role: str) -> str:
    """The same database for somebody else, where the server trusts its callers."""
    return make_url(url).set(username=role, password=None).render_as_string(hide_password=False)


def owner(service: str) -> str:
    """Who migrates a service's schema."""
    return f"{service}_owner"
