from routing.metadata import metadata
from shared.runtime.migrations import environment

environment(metadata())
