"""Acting by search on the replay buffer: go to the next waypoint of the shortest path."""

from collections.abc import Sequence

import numpy as np
import torch

from latentplan_ros.evaluation.policies import ActingPolicy
from latentplan_ros.graph import ImageGraph
from latentplan_ros.models.latent_world_model import LatentWorldModel
from latentplan_ros.models.sorb_distance import SorbDistance


class SearchPolicy(ActingPolicy):
    """Towards a waypoint where the way through it is shorter than the goal seems away.

    Also where the goal is further away than the distance is believed; else, or where no path leads
    to it, straight to the goal (SoRB's algorithm 1). The way is searched anew each step.
    """

    def __init__(self, model: LatentWorldModel, head: SorbDistance, device: str = "cpu") -> None:
        super().__init__(model, self._towards, device)
        self.head = head
        self.graph = ImageGraph(head, head.states, head.limit)

    def reset(self, goals: np.ndarray, seeds: Sequence[int]) -> None:
        super().reset(goals, seeds)
        self._remaining = self.graph.remaining(self._goals)

    def _towards(self, state: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        nodes, lengths = self.graph.next_nodes(state, self._remaining)
        straight = self.head(state, goal)
        through = torch.from_numpy(lengths).to(straight)
        detour = (through < straight) | (straight > self.head.limit) & torch.isfinite(through)
        waypoint = self.graph.states[torch.from_numpy(nodes).to(state.device)]
        return self.head.policy(state, torch.where(detour[:, None], waypoint, goal))
