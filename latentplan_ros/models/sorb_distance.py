"""Search on the Replay Buffer: a distribution over steps, a policy for waypoints, and a graph.

Eysenbach et al. (2019), as compared in MBOLD B.4.
"""

import torch
from torch import nn

from latentplan_ros.models.q_distance import GoalActor, GoalQ


class SorbDistance(nn.Module):
    """Twin Q whose outputs are logits of 1, 2, ... ``bins`` or more steps, and their expectation.

    actor: the action that Q likes best, for the distance alone; policy: behaviour cloning, which
    gets to waypoints better (B.4). limit: steps up to which the distance is believed (maxdist).
    states: how many recorded latents are kept as the nodes of the graph.
    """

    states: torch.Tensor

    def __init__(
        self,
        latent: int,
        hidden: int,
        layers: int,
        actor_layers: int,
        bins: int,
        limit: float,
        states: int,
    ) -> None:
        super().__init__()
        self.q = nn.ModuleList(GoalQ(latent, hidden, layers, bins) for _ in range(2))
        self.actor = GoalActor(latent, hidden, actor_layers)
        self.policy = GoalActor(latent, hidden, actor_layers)
        self.limit = limit
        self.register_buffer("states", torch.zeros(states, latent))

    def forward(self, state: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        """Distance in time steps, the longer of the two: ``[N,D]`` and ``[N,D]`` to ``[N]``."""
        action = self.actor(state, goal)
        return torch.maximum(*(expected_steps(q(state, action, goal)) for q in self.q))


def expected_steps(logits: torch.Tensor) -> torch.Tensor:
    """Mean of the distribution over 1, 2, ... steps, ``[...,bins]`` to ``[...]``."""
    steps = torch.arange(1, logits.shape[-1] + 1, dtype=logits.dtype, device=logits.device)
    return logits.softmax(dim=-1) @ steps
