"""What platforms send, in our own words. Pure: bytes and headers in, readings out; no clock, no log, no database."""

from ingest.normalise.reading import read as read
from ingest.normalise.reading import read_as as read_as
