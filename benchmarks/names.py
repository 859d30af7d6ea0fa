"""What can be asked for by name on a command line."""

from collections.abc import Collection


def require_known(given: Collection[str], known: Collection[str]) -> None:
    """Exits with a message where a name is not among those that there are."""
    unknown = [name for name in given if name not in known]
    if unknown:
        raise SystemExit(f"no {', '.join(unknown)} here; there are {', '.join(known)}")
