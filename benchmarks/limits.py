"""How much a parser may take for one input: memory beyond what is in use, and seconds."""

import contextlib
import resource
import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType


class TooSlow(BaseException):
    """An input took longer than it may. No Exception, so that no parser can catch it."""


@contextlib.contextmanager
def memory(headroom: int) -> Iterator[None]:
    """Within, an allocation of more than ``headroom`` bytes beyond the present raises MemoryError.

    Address space is what is limited: memory that was asked for and never touched counts too.
    """
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + headroom, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@contextlib.contextmanager
def seconds(limit: float) -> Iterator[None]:
    """Within, TooSlow is raised after ``limit`` seconds of this process's own work."""

    def late(number: int, frame: FrameType | None) -> None:
        raise TooSlow(f"more than {limit} s")

    before = signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, limit)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        signal.signal(signal.SIGVTALRM, before)
