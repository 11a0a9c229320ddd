"""What can go wrong in ingest, each in its own sentence."""

from shared.runtime.errors import AftercallError


class CatalogueFileUnusable(AftercallError):
    """The catalogue file of the settings cannot be used; each fault names its place in the file."""

    def __init__(self, file: str, faults: list[tuple[str, str]]) -> None:
        said = "; ".join(f"{path}: {reason}" for path, reason in faults)
        super().__init__(f"INGEST_CATALOGUE_FILE {file} cannot be used ({said}). Mend the file, or leave the setting empty")


class CatalogueNotActivated(AftercallError):
    def __init__(self, reason: str) -> None:
        said = {"in_the_past": "--from lies in the past, and what was told then keeps its attribution: name a time to come, or none"}
        super().__init__(said.get(reason, f"The catalogue was not activated: {reason}"))


class TimeUnreadable(AftercallError):
    def __init__(self, written: str) -> None:
        super().__init__(f"{written} is no time with a zone: write it like 2026-12-01T08:00:00Z")


class ImportStopped(AftercallError):
    """The database stopped answering while profiles were imported."""

    def __init__(self, line: int) -> None:
        super().__init__(
            f"The database does not answer: stopped before line {line}. What was read before is kept; "
            "run the same command again, and it goes on from there"
        )


class FileNotWritable(AftercallError):
    def __init__(self, file: str, why: str) -> None:
        super().__init__(f"{file} cannot be written ({why}): say with --bad where bad lines are to be listed")


class OwnNumberUnusable(AftercallError):
    def __init__(self, place: int, reason: str) -> None:
        super().__init__(
            f"Number {place} of INGEST_OWN_NUMBERS is no phone number ({reason}): write it with its country, like +12125550142"
        )


class PayloadFileMissing(AftercallError):
    def __init__(self, file: str) -> None:
        super().__init__(f"There is no file {file}: give the path of one that can be read")


class WebhookSourcesUnusable(AftercallError):
    """Sources of webhooks that cannot be used; each fault says of which source it is, by name or by place."""

    def __init__(self, faults: list[tuple[str, str]]) -> None:
        said = "; ".join(f"source {source}: {sentence}" for source, sentence in faults)
        super().__init__(f"INGEST_WEBHOOK_SOURCES cannot be used ({said})")
