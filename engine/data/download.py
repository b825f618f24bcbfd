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


def fetched(dataset: type, root: Path, monitor: Monitor) -> None:
    """Download a torchvision dataset into `root` unless it is there already.

    Args:
        dataset: Its class, such as `torchvision.datasets.MNIST`.
        root: The folder that torchvision fills.
        monitor: Hears where it goes.

    Raises:
        InputError: It cannot be fetched or written.
    """
    monitor.check()
    monitor.notice(
        f"Looking for {dataset.__name__} in {root.absolute()}; "
        "what is missing is downloaded.",
        level="info",
    )
    try:
        dataset(root, download=True)
    except (OSError, RuntimeError) as error:  # URLError is an OSError
        raise InputError(
            f"{dataset.__name__} could not be downloaded: {error}.",
            "Check the connection and that the folder can be written, or put the "
            "files there yourself.",
        ) from error
