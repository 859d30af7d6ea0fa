"""Reading a scene file: every complaint names the file and the field."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from latentplan_ros.control.yaml_file import YamlFileError, read_yaml
from latentplan_ros.sim.task import TaskError


class Fields:
    """The mapping at ``where`` in a YAML file. Raises TaskError for what is not as asked for."""

    def __init__(self, values: Any, where: str) -> None:
        if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
            raise TaskError(f"{where} must be names and their values, not {values!r}")
        self.values, self.where = values, where

    @classmethod
    def read(cls, path: Path) -> "Fields":
        try:
            values = read_yaml(path)
        except OSError as error:
            raise TaskError(f"cannot read scene file {path}: {error.strerror}") from None
        except YamlFileError as error:
            raise TaskError(f"cannot read scene file {path}: {error}") from None
        return cls(values, str(path))

    def only(self, *names: str) -> None:
        unknown = [name for name in self.values if name not in names]
        if unknown:
            raise TaskError(
                f"{self.where}: no field is named {', '.join(unknown)}; there are "
                f"{', '.join(names)}"
            )

    def has(self, name: str) -> bool:
        return name in self.values

    def get(self, name: str) -> Any:
        if name not in self.values:
            raise TaskError(f"{self.where}: {name} is missing")
        return self.values[name]

    def wrong(self, name: str, wanted: str) -> TaskError:
        return TaskError(f"{self.where}: {name} must be {wanted}, not {self.values[name]!r}")

    def text(self, name: str) -> str:
        value = self.get(name)
        if not isinstance(value, str) or not value:
            raise self.wrong(name, "a name")
        return value

    def positive(self, name: str) -> float:
        value = self.get(name)
        if not _finite(value) or value <= 0:
            raise self.wrong(name, "a positive number")
        return float(value)

    def count(self, name: str) -> int:
        value = self.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise self.wrong(name, "a whole number of at least 1")
        return value

    def numbers(self, name: str, count: int) -> tuple[float, ...]:
        value = self.get(name)
        if not isinstance(value, list) or len(value) != count or not all(map(_finite, value)):
            raise self.wrong(name, f"{count} finite numbers")
        return tuple(float(v) for v in value)

    def box(self, count: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Its fields min and max, each that many numbers; one number may stand without brackets."""
        low, high = (
            (self.values[name],)
            if count == 1 and _finite(self.get(name))
            else self.numbers(name, count)
            for name in ("min", "max")
        )
        if any(a > b for a, b in zip(low, high, strict=True)):
            raise TaskError(f"{self.where}: min {list(low)} is above max {list(high)}")
        return low, high

    def part(self, name: str) -> "Fields":
        return Fields(self.get(name), f"{self.where}: {name}")

    def parts(self, name: str) -> Iterator[tuple[str, "Fields"]]:
        """The named mappings in a field; none where the field is left out."""
        if name in self.values:
            part = self.part(name)
            for key in part.values:
                yield key, part.part(key)


def _finite(value: Any) -> bool:
    valid = isinstance(value, int | float) and not isinstance(value, bool)
    return valid and math.isfinite(value)
