"""Plan2vec as a distance of an arm's world model: on latents of recorded episodes (section 3)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from latentplan_ros.data.dataset import Dataset
from latentplan_ros.data.goals import GoalSampler
from latentplan_ros.graph.candidates import candidates
from latentplan_ros.graph.frame_graph import FrameGraph
from latentplan_ros.learning.plan2vec.amortized import AmortizedRecipe, SearchStage
from latentplan_ros.learning.plan2vec.local import FAR, told_apart
from latentplan_ros.learning.stage import Batch, Stage
from latentplan_ros.models.latent_world_model import LatentWorldModel
from latentplan_ros.models.local_metric import euclidean
from latentplan_ros.models.plan2vec_distance import Plan2vecDistance


@dataclass(frozen=True)
class ArmRecipe(AmortizedRecipe):
    """All numbers are ours: the paper has no arm."""

    updates: int = 10_000  # of the local metric, and then as many of the distance
    batch_size: int = 256
    searches: int = 1024
    negatives: float = 0.5  # share of far pairs with the same arm pose in two episodes; MBOLD's
    frames: int = 20_000  # of the graph, in whole episodes
    candidates: int = 64  # a frame, about which the local metric is asked
    threshold: float = 1.0  # up to which local distance two frames are joined


class Plan2vecLocalStage(Stage):
    """Recorded neighbours 1 apart, others at least 2 (eq. 5 with the hinge of B.1).

    Far are frames at random, which mostly differ in the arm, and MBOLD's negatives, which differ in
    what the arm did not do: frames of another episode with the arm in the pose that was reached.
    """

    name = "plan2vec_local"

    def __init__(
        self,
        model: LatentWorldModel,
        latents: torch.Tensor,
        dataset: Dataset,
        episodes: np.ndarray,
        recipe: ArmRecipe,
        seed: int,
    ) -> None:
        super().__init__()
        assert isinstance(model.head, Plan2vecDistance)
        self.local, self.recipe = model.head.local, recipe
        self.updates, self.batch_size = recipe.updates, recipe.batch_size
        self._latents, self._frames = latents, dataset.frames(episodes)
        rng = np.random.default_rng(seed)
        # p = 1: what is reached is the next frame.
        self._goals = GoalSampler(dataset, episodes, rng, p=1.0, negatives=recipe.negatives)

    def parameter_groups(self) -> list[dict[str, Any]]:
        return [{"params": list(self.local.parameters()), "lr": self.recipe.learning_rate}]

    def rate(self, progress: float) -> float:
        """Down to nothing in a straight line: a threshold wants distances without noise."""
        return 1.0 - progress

    def sample(self, rng: np.random.Generator, count: int) -> Batch:
        drawn = self._goals.draw(rng, count)
        same_pose = drawn.steps == 0
        other = np.where(same_pose, drawn.goal, rng.choice(self._frames, size=count))
        frames = np.stack([drawn.state, drawn.state + 1, other])
        return {
            "latents": self._latents[torch.from_numpy(frames)],
            "same_pose": torch.from_numpy(same_pose),
        }

    def forward(self, batch: Batch) -> Batch:
        start, following, other = self.local(batch["latents"])
        near = euclidean(start, following)
        elsewhere = torch.where(batch["same_pose"][:, None], following, start)
        far = euclidean(elsewhere, other)
        return {
            "loss": told_apart(near, far.clamp(max=FAR)),
            "near": near.mean().detach(),
            "far": far.mean().detach(),
        }


class Plan2vecStage(SearchStage):
    """Algorithm 1 on a graph of recorded frames: whole training episodes, as many as fit.

    Raises GraphError where the threshold joins no frames beside the recorded steps, or all.
    """

    def __init__(
        self,
        model: LatentWorldModel,
        latents: torch.Tensor,
        dataset: Dataset,
        episodes: np.ndarray,
        recipe: ArmRecipe,
        seed: int,
    ) -> None:
        assert isinstance(model.head, Plan2vecDistance)
        chosen = some_episodes(dataset, episodes, recipe.frames, seed)
        frames = latents[torch.from_numpy(dataset.frames(chosen))]
        ends = np.cumsum((dataset.episode_ends - dataset.episode_starts)[chosen])
        graph = latent_graph(model.head, frames, ends, recipe)
        super().__init__(model.head.embed, model.head.p, frames, graph, recipe, seed)


def some_episodes(dataset: Dataset, episodes: np.ndarray, frames: int, seed: int) -> np.ndarray:
    """Of these episodes at random so many that they have at most that many frames, or one."""
    order = np.random.default_rng(seed).permutation(episodes)
    lengths = (dataset.episode_ends - dataset.episode_starts)[order]
    return order[: max(1, int((np.cumsum(lengths) <= frames).sum()))]


@torch.no_grad()
def latent_graph(
    head: Plan2vecDistance, latents: torch.Tensor, ends: np.ndarray, recipe: ArmRecipe
) -> FrameGraph:
    """Steps within episodes, and what of the candidates the head's local metric finds near.

    latents: ``[N,D]`` of episodes one after the other; ends: of each, exclusive, ``int64 [S]``.
    """
    device = next(head.parameters()).device
    features = head.local(latents.to(device)).cpu()
    before = np.setdiff1d(np.arange(len(features)), ends - 1)
    steps = np.stack([before, before + 1], axis=1)
    return FrameGraph.build(
        len(features),
        steps,
        np.ones(len(steps)),
        lambda start, end: euclidean(features[start], features[end]).numpy(),
        recipe.threshold,
        candidates(features.numpy(), recipe.candidates),
    )
