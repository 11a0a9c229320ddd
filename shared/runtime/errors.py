"""Errors that write their own sentence, and the one that says a message is at fault."""


class AftercallError(Exception):
    """Base of our own errors: a subclass builds its sentence from typed arguments and never puts a person's data in it."""


class Unprocessable(AftercallError):
    """The message's fault, not the world's: it becomes a dead letter, or a 422 over HTTP.

    `code` is a stable lower-case reason, `path` the field at fault (`legs.0.agent`). The value is never part of it.
    """

    def __init__(self, code: str, path: str | None = None) -> None:
        self.code = code
        self.path = path
        super().__init__(f"{code} at {path}" if path else code)
