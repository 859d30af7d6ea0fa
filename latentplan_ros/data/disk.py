"""Room on the disk that recordings go to."""

import shutil
from pathlib import Path

from latentplan_ros.data.bag_writer import BagError


class DiskFull(BagError):
    """Less room is left than the recorder must leave; the message names folder and limit."""


def require_room(folder: Path, least_gb: float) -> None:
    """Raises DiskFull where less than ``least_gb`` (10^9 bytes) is free for ``folder``.

    The folder need not exist yet. Raises BagError where nobody can tell.
    """
    existing = folder.absolute()
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    try:
        free_gb = shutil.disk_usage(existing).free / 1e9
    except OSError as error:
        raise BagError(f"{folder}: cannot tell how much room is left: {error.strerror}") from None
    if free_gb < least_gb:
        raise DiskFull(
            f"{folder}: {free_gb:.2f} GB left on this disk, and min_free_gb is {least_gb:g}; "
            "make room, or record to another directory"
        )
