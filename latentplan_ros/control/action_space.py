"""What a 4-number action means on one robot; travels in every dataset and checkpoint."""

from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True)
class ActionSpace:
    """Action ``float32 [4]`` in [-1, 1]: x, y, z displacement in the base frame, gripper (+1 open).

    robot: name of the robot profile; translation_m: metres of target displacement for an action
    of 1; rate_hz: actions a second; gripper_m: finger opening in metres at -1 and at +1.
    """

    robot: str
    translation_m: float
    rate_hz: float
    gripper_m: tuple[float, float]

    @property
    def period_s(self) -> float:
        return 1.0 / self.rate_hz

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "ActionSpace":
        low, high = values["gripper_m"]
        return cls(
            robot=str(values["robot"]),
            translation_m=float(values["translation_m"]),
            rate_hz=float(values["rate_hz"]),
            gripper_m=(float(low), float(high)),
        )

    def differences(self, other: "ActionSpace") -> list[str]:
        """One line for each field in which the two differ; empty when they are the same."""
        return [
            f"{f.name}: {getattr(self, f.name)!r} is not {getattr(other, f.name)!r}"
            for f in fields(self)
            if getattr(self, f.name) != getattr(other, f.name)
        ]
