"""Why a payload cannot be read."""


class Unreadable(Exception):
    """The message's own fault: `code` says what is wrong, `path` where. Holds no value of the message."""

    def __init__(self, code: str, path: str | None = None) -> None:
        self.code = code
        self.path = path
        super().__init__(f"The payload cannot be read: {code} at {path or 'the top'}")
