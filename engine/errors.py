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

    def __reduce__(self) -> tuple:
        """So that it can travel to another process."""
        return type(self), (self.message, self.hint, self.details)


class InputError(EngineError):
    """A recipe, file, folder or argument that cannot be used; nothing was changed."""

    exit_code = 2


class TrustNeeded(InputError):
    """A Python file must be run, and nobody has said that it is trusted.

    Args:
        path: The file, resolved.
        digest: SHA-256 of its bytes in hexadecimal: what `trust` must hold.
    """

    def __init__(self, path: str, digest: str):
        super().__init__(
            f"{path} is Python code and has not been trusted.",
            f"Read it, then add --trust {path} (or confirm in the window).",
        )
        self.path = path
        self.digest = digest

    def __reduce__(self) -> tuple:
        return type(self), (self.path, self.digest)


class RunError(EngineError):
    """The run itself could not go on."""


class Stopped(Exception):
    """The person asked the run to stop; not a failure."""
