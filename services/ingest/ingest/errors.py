"""What can go wrong in ingest, each in its own sentence."""

from shared.runtime.errors import AftercallError


class CatalogueFileUnusable(AftercallError):
    """The catalogue file of the settings cannot be used; each fault names its place in the file."""

    def __init__(self, file: str, faults: list[tuple[str, str]]) -> None:
        said = "; ".join(f"{path}: {reason}" for path, reason in faults)
        super().__init__(f"INGEST_CATALOGUE_FILE {file} cannot be used ({said}). Mend the file, or leave the setting empty")


class OwnNumberUnusable(AftercallError):
    def __init__(self, place: int, reason: str) -> None:
        super().__init__(
            f"Number {place} of INGEST_OWN_NUMBERS is no phone number ({reason}): write it with its country, like +12125550142"
        )


class PayloadFileMissing(AftercallError):
    def __init__(self, file: str) -> None:
        super().__init__(f"There is no file {file}: give `explain` the paths of files that hold payloads")
