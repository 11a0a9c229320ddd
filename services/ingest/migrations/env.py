from ingest.tables import metadata
from shared.runtime.migrations import environment

environment(metadata())
