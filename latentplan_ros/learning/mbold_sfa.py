"""MBOLD's Q-learning, and slow features of the same latents beside it."""

from dataclasses import dataclass

from latentplan_ros.learning.mahalanobis import SfaRecipe
from latentplan_ros.learning.mbold import MboldRecipe, MboldStage
from latentplan_ros.models.q_sfa_distance import QSfaDistance


@dataclass(frozen=True)
class MboldSfaRecipe(SfaRecipe, MboldRecipe):  # fields in the order of MboldRecipe, then SfaRecipe
    """Settings of both."""


class MboldSfaStage(MboldStage):
    name = "mbold_sfa"
    kind = QSfaDistance
