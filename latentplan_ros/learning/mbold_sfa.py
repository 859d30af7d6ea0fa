"""MBOLD's Q-learning, and slow features of the same latents beside it."""

from dataclasses import dataclass

from latentplan_ros.learning.mbold import MboldRecipe, MboldStage
from latentplan_ros.models.q_sfa_distance import QSfaDistance


@dataclass(frozen=True)
class MboldSfaRecipe(MboldRecipe):
    """ridge, slowness: as MahalanobisRecipe has them."""

    ridge: float = 0.01
    slowness: float = 0.5


class MboldSfaStage(MboldStage):
    name = "mbold_sfa"
    kind = QSfaDistance
