"""What can be trained, by name: the part of a checkpoint that is its own, and the stage for it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from latentplan_ros.learning.dreamer import DreamerRecipe, DreamerStage
from latentplan_ros.learning.gcbc import GcbcRecipe, GcbcStage
from latentplan_ros.learning.gcivl import GcivlRecipe, GcivlStage
from latentplan_ros.learning.iqe import IqeRecipe, IqeStage
from latentplan_ros.learning.mahalanobis import (
    MahalanobisRecipe,
    SfaRecipe,
    fit_whitening,
)
from latentplan_ros.learning.mbold import MboldRecipe, MboldStage, QLearningRecipe
from latentplan_ros.learning.mbold_sfa import MboldSfaRecipe, MboldSfaStage
from latentplan_ros.learning.plan2vec.arm import ArmRecipe, Plan2vecLocalStage, Plan2vecStage
from latentplan_ros.learning.q_policy import QPolicyStage
from latentplan_ros.learning.rig import RigRecipe, RigStage, vae_stage
from latentplan_ros.learning.sorb import SorbStage
from latentplan_ros.learning.stage import Stage
from latentplan_ros.learning.temporal import TemporalRecipe, TemporalStage
from latentplan_ros.learning.vae import VaeRecipe, VaeStage


@dataclass(frozen=True)
class TrainedHead:
    """A head by its kind (models.latent_world_model.HEADS) and what trains it.

    stage: called with the model, the latents of all frames, the dataset, its training episodes, the
    recipe's ``distance`` block and the seed. sizes: of the head, where a recipe names none. first:
    a stage that must come before, called likewise. fit: what sets a head that is computed and not
    trained; called as a stage is, without a seed.
    """

    kind: str
    recipe: type[Any]
    stage: Callable[..., Stage] | None = None
    sizes: dict[str, Any] = field(default_factory=dict)
    first: Callable[..., Stage] | None = None
    fit: Callable[..., None] | None = None


# None: nothing beside the world model is trained; the distance is l2 between latents.
METHODS: dict[str, TrainedHead | None] = {
    "mbold": TrainedHead(
        "q",
        MboldRecipe,
        MboldStage,
        # A.1: six fully connected layers for Q, ten for the actor, 128 units; discount of Table 2.
        # nearness is ours; with it more goals are reached (docs/architecture.md).
        {"hidden": 128, "layers": 6, "actor_layers": 10, "discount": 0.8, "nearness": 0.3},
    ),
    # Slow features, and less of nearness than without.
    "mbold_sfa": TrainedHead(
        "q_sfa",
        MboldSfaRecipe,
        MboldSfaStage,
        {"hidden": 128, "layers": 6, "actor_layers": 10, "discount": 0.8}
        | {"nearness": 0.1, "slow_weight": 1.0, "arrival": 0.0, "hold": 0.0, "hold_features": 2},
        fit=fit_whitening,
    ),
    "gcivl": TrainedHead(
        "value", GcivlRecipe, GcivlStage, {"hidden": 256, "layers": 3, "discount": 0.95}
    ),
    # C.2: five fully connected layers of 256 units.
    "temporal": TrainedHead(
        "temporal", TemporalRecipe, TemporalStage, {"hidden": 256, "layers": 5}
    ),
    # The published embedding has 64 components of 32; planning on two cores asks for a smaller one.
    "iqe": TrainedHead(
        "iqe", IqeRecipe, IqeStage, {"hidden": 256, "layers": 2, "components": 32, "size": 16}
    ),
    # Plan2vec, not MBOLD: 32 numbers and p = 1.2 to 2 were for pictures (Table 4).
    "plan2vec": TrainedHead(
        "plan2vec",
        ArmRecipe,
        Plan2vecStage,
        {"hidden": 256, "layers": 3, "features": 32, "points": 32, "p": 2.0},
        Plan2vecLocalStage,
    ),
    # C.1: 256 numbers; B.1: two fully connected layers, 128 units.
    "vae_l2": TrainedHead("vae", VaeRecipe, VaeStage, {"hidden": 128, "code": 256}),
    "latent_l2": None,
    "mahalanobis": TrainedHead("mahalanobis", MahalanobisRecipe, fit=fit_whitening),
    "sfa": TrainedHead("mahalanobis", SfaRecipe, fit=fit_whitening),
    # B.3: the actor of A.1.
    "gcbc": TrainedHead("gcbc", GcbcRecipe, GcbcStage, {"hidden": 128, "layers": 10}),
    # C.3: 100 random actions for targets and for acting.
    "q_policy": TrainedHead(
        "q_policy",
        QLearningRecipe,
        QPolicyStage,
        {"hidden": 128, "layers": 6, "discount": 0.8, "candidates": 100},
    ),
    # B.4: the networks of A.1 with 10 bins, maxdist 4, 2000 states.
    "sorb": TrainedHead(
        "sorb",
        MboldRecipe,
        SorbStage,
        {
            "hidden": 128,
            "layers": 6,
            "actor_layers": 10,
            "bins": 10,
            "limit": 4.0,
            "states": 2000,
        },
    ),
    # B.1: six layers of SAC's 256 units, codes of 8 numbers.
    "rig": TrainedHead(
        "rig", RigRecipe, RigStage, {"hidden": 256, "layers": 6, "code": 8}, vae_stage
    ),
    # B.2: ten layers for actor and value.
    "dreamer": TrainedHead("dreamer", DreamerRecipe, DreamerStage, {"hidden": 256, "layers": 10}),
}
