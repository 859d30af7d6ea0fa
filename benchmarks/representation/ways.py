"""How an objective accompanies the world model in an entry NAME+world_model."""

from dataclasses import dataclass, field
from typing import Any

from latentplan_ros.learning import objectives
from latentplan_ros.learning.representation.chosen import ObjectiveChoice

BESIDE = "+world_model"  # ends the name of such an entry
# Few windows beside the world model's 24, at most the objective's own number, or an update would be
# mostly the objective's.
_WINDOWS = 16


@dataclass(frozen=True)
class Way:
    """before: share of the compute that the objective has to itself, before the world model;
    weight: of its loss beside it; settings: its own."""

    objective: str
    before: float = 0.0
    weight: float = 1.0
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def beside(self) -> ObjectiveChoice | None:
        """What a recipe would say of the time beside the world model."""
        if not self.weight:
            return None
        usual = objectives.find(self.objective).recipe_type().batch_size
        settings = {"batch_size": min(_WINDOWS, usual), **self.settings}
        return ObjectiveChoice(self.objective, weight=self.weight, settings=settings)


# Of PSRL more than one is measured. pictures: in other colours, as what an arm sees varies.
WAYS = {
    "psrl_lightly": Way("psrl", weight=0.1),
    "psrl_first": Way("psrl", before=0.3, weight=0.0),
    "psrl_jittered": Way("psrl", weight=0.1, settings={"jitter": 0.5}),
}


def way_of(name: str) -> Way:
    """One of WAYS, or the objective of that name all along with weight 1."""
    return WAYS.get(name) or Way(name)
