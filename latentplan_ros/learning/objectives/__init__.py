"""Objectives of representation learning, one file each, found by the file's name."""

import pkgutil
from importlib import import_module

from latentplan_ros.learning.representation.objective import Objective


class ObjectiveError(ValueError):
    """No such objective; the message names those that there are."""


def names() -> list[str]:
    """Of all objectives, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def find(name: str) -> type[Objective]:
    """The one class of objective that the file of that name defines. Raises ObjectiveError."""
    if name not in names():
        raise ObjectiveError(f"no objective named {name!r}; there are {', '.join(names())}")
    module = import_module(f"{__name__}.{name}")
    (kind,) = (
        member
        for member in vars(module).values()
        if isinstance(member, type)
        and issubclass(member, Objective)
        and member.__module__ == module.__name__
    )
    return kind
