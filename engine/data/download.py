"""The folder a dataset lives in, and fetching what is missing there."""

from pathlib import Path

from engine.errors import InputError
from engine.monitor import Monitor


def chosen(setting: str, value: str) -> Path:
    """The file or folder a setting names, `~` spelled out.

    Raises:
        InputError: Nothing is chosen.
    """
    if not value.strip():
        raise InputError(f"{setting} is empty.", "Set it to where the data are.")
    return Path(value).expanduser()


def fetched(name: str, root: Path, monitor: Monitor) -> None:
    """Download a torchvision dataset into `root` unless it is there already.

    Args:
        name: Of its class in `torchvision.datasets`.
        root: The folder that torchvision fills.
        monitor: Hears where it goes.

    Raises:
        InputError: It cannot be fetched or written.
    """
    from torchvision import datasets  # late: importing it takes as long as torch

    monitor.check()
    monitor.notice(
        f"Looking for {name} in {root.absolute()}; what is missing is downloaded.",
        level="info",
    )
    try:
        getattr(datasets, name)(root, download=True)
    except (OSError, RuntimeError) as error:  # URLError is an OSError
        raise InputError(
            f"{name} could not be downloaded: {error}.",
            "Check the connection and that the folder can be written, or put the "
            "files there yourself.",
        ) from error
