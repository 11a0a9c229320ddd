"""Every table of scoring's schema: a module of tables joins `metadata` by being imported."""

from scoring.ask import tables as ask
from scoring.ask.inbox import tables as inbox
from scoring.decide import tables as decide
from scoring.listen import tables as listen
from scoring.people import tables as people
from scoring.score import tables as score
from shared.runtime.tables import forgetting_table, runtime_tables

FEATURES = (people, score, decide, ask, inbox, listen)

metadata = people.metadata
runtime_tables(metadata)
forgetting_table(metadata)
