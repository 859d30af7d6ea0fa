"""What a check found, and what to do about it."""

from dataclasses import dataclass
from enum import Enum


class Status(Enum):
    OK = "ok"
    NOTE = "note"
    """Works, or works without it; worth knowing."""
    MISSING = "missing"
    WRONG = "wrong"
    """There, but not as it must be."""


@dataclass(frozen=True)
class Finding:
    """One line of the table. ``remedy`` is empty where there is nothing to do."""

    subject: str
    status: Status
    found: str
    remedy: str = ""
