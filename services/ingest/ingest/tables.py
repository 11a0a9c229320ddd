"""Every table of ingest's schema."""

from sqlalchemy import MetaData

from ingest.catalogue.tables import catalogue_tables
from ingest.contacts.tables import contact_tables
from ingest.erasure.tables import erasure_tables
from ingest.people.tables import people_tables
from shared.runtime.tables import runtime_tables


def metadata() -> MetaData:
    tables = MetaData()
    for add in (runtime_tables, people_tables, catalogue_tables, contact_tables, erasure_tables):
        add(tables)
    return tables
