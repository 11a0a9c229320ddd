"""What handlers, timers and routes of ingest are given."""

from dataclasses import dataclass

from ingest.catalogue.model import Catalogue
from ingest.contacts.handle import Closing
from ingest.erasure.handle import Office
from ingest.intake.handle import Door
from ingest.intake.receive import Webhooks
from ingest.people.handle import Desk
from ingest.settings import Settings
from shared.runtime.database import Database


@dataclass(frozen=True, slots=True)
class Deps:
    """`desk` resolves people, `closing` judges contacts, `door` takes events, `webhooks` what platforms post, `office` forgets people."""

    settings: Settings
    database: Database
    desk: Desk
    closing: Closing
    door: Door
    webhooks: Webhooks
    office: Office

    @property
    def catalogue(self) -> Catalogue:
        """In force until a version is activated."""
        return self.closing.catalogue
