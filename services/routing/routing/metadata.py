"""All tables of routing's schema, for the migrations to compare with the database."""

from sqlalchemy import MetaData

from routing.alerts.tables import alert_tables
from routing.cases.tables import case_tables
from routing.people.tables import people_tables
from routing.rota.tables import rota_tables
from shared.runtime.tables import forgetting_table, runtime_tables


def metadata() -> MetaData:
    whole = MetaData()
    for tables in (runtime_tables, forgetting_table, people_tables, rota_tables, case_tables, alert_tables):
        tables(whole)
    return whole
