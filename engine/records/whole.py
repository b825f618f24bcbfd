"""Writing files that appear whole or not at all."""

import os
import tempfile
from pathlib import Path


def write(path: Path, content: bytes | memoryview) -> None:
    """Put a file in place atomically: temporary file, flush, fsync, rename.

    Raises:
        OSError: It cannot be written; what was there before is unchanged.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
