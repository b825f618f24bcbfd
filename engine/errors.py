"""Errors that speak to a person: what happened, then what to do."""


class EngineError(Exception):
    """Something a person can act on.

    Args:
        message: One sentence, what happened.
        hint: One sentence, what to do.
        details: Further lines for whoever wants the full list (key names, say).
    """

    exit_code = 1

    def __init__(self, message: str, hint: str, details: tuple[str, ...] = ()):
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details


class InputError(EngineError):
    """A recipe, file, folder or argument that cannot be used; nothing was changed."""

    exit_code = 2


class RunError(EngineError):
    """The run itself could not go on."""


class Stopped(Exception):
    """The person asked the run to stop; not a failure."""
