"""What came of one try at one goal."""

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Outcome:
    """errors_m: distance to the goal at the start and after each step, ``[steps + 1]``, metres.

    success is judged on the last of them, against ``threshold_m``. plan_ms: median time of a plan,
    None for a policy that does not plan. film: ``uint8 [frames, S, 3 S, 3]`` now | goal | imagined,
    for people; it is not part of the results file.
    """

    index: int
    seed: int
    kind: str
    threshold_m: float
    errors_m: list[float]
    plan_ms: float | None = None
    film: np.ndarray | None = field(default=None, repr=False, compare=False)

    @property
    def steps(self) -> int:
        return len(self.errors_m) - 1

    @property
    def start_error_m(self) -> float:
        return self.errors_m[0]

    @property
    def final_error_m(self) -> float:
        return self.errors_m[-1]

    @property
    def success(self) -> bool:
        return self.final_error_m < self.threshold_m

    def success_at(self, step: int) -> bool:
        """Whether the goal would count as reached had the try ended after this many steps."""
        return self.errors_m[min(step, self.steps)] < self.threshold_m

    def to_dict(self) -> dict[str, Any]:
        values = asdict(self)
        del values["film"]
        values["errors_m"] = [round(error, 5) for error in self.errors_m]
        return values | {
            "success": self.success,
            "final_error_m": round(self.final_error_m, 5),
            "steps": self.steps,
        }
