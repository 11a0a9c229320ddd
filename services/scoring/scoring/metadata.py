"""Every table of scoring's schema."""

from shared.runtime.tables import runtime_tables

import scoring.ask.inbox.tables
import scoring.ask.tables
import scoring.decide.tables
import scoring.listen.tables
import scoring.score.tables
from scoring.people.tables import metadata as metadata

runtime_tables(metadata)
