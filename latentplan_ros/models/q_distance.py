"""The dynamical distance of MBOLD: a goal-conditioned Q-function read as time steps (A.1)."""

import math

import torch
from torch import nn

# A.1: a small positive reward on the way, a large one at the goal.
STEP_REWARD, GOAL_REWARD = 1.0, 10.0


class GoalQ(nn.Module):
    """Q(s, a, g) on latents. The action joins after the first layer, as in the released code.

    Layer norm where the paper has batch norm: a batch mixes reached and negative goals, data and
    random actions, and statistics over that mixture differ from those met in planning.
    """

    def __init__(self, latent: int, hidden: int, layers: int, outputs: int = 1) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Linear(2 * latent, hidden), nn.LayerNorm(hidden), nn.ReLU())
        blocks: list[nn.Module] = []
        for index in range(layers - 2):
            blocks += [
                nn.Linear(hidden + (4 if index == 0 else 0), hidden),
                nn.LayerNorm(hidden),
                nn.ReLU(),
            ]
        self.rest = nn.Sequential(*blocks, nn.Linear(hidden, outputs))

    def forward(
        self, state: torch.Tensor, action: torch.Tensor, goal: torch.Tensor
    ) -> torch.Tensor:
        """``[B,D]``, ``[B,4]`` or ``[B,M,4]``, ``[B,D]`` to ``[B]`` or ``[B,M]``.

        With more than one output, they are the last dimension.
        """
        features = self.first(torch.cat([state, goal], dim=-1))
        if action.ndim == 3:
            features = features.unsqueeze(1).expand(-1, action.shape[1], -1)
        return self.rest(torch.cat([features, action], dim=-1)).squeeze(-1)


class GoalActor(nn.Module):
    """pi(s, g): the action that maximises Q, tanh-bounded to [-1, 1]."""

    def __init__(self, latent: int, hidden: int, layers: int) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        for index in range(layers - 1):
            blocks += [
                nn.Linear(2 * latent if index == 0 else hidden, hidden),
                nn.LayerNorm(hidden),
                nn.ReLU(),
            ]
        self.network = nn.Sequential(*blocks, nn.Linear(hidden, 4), nn.Tanh())

    def forward(self, state: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        return self.network(torch.cat([state, goal], dim=-1))


class QDistance(nn.Module):
    """Twin Q and actor, and their distance: d = 1 + log_gamma((Q - Q_never) / (Q_goal - Q_never)).

    With reward 1 a step and 10 at the goal, a goal d steps away has
    Q = (1 - gamma^(d-1)) / (1 - gamma) + 10 gamma^(d-1), and one never reached has
    Q = 1 / (1 - gamma).

    To these steps, which are 1 for all that is within one, are added ``nearness`` steps a unit of
    l2 between the latents, so that the planner still sees a slope close to the goal. The paper
    plans with Q alone: nearness 0.
    """

    def __init__(
        self,
        latent: int,
        hidden: int,
        layers: int,
        actor_layers: int,
        discount: float,
        nearness: float = 0.0,
    ) -> None:
        super().__init__()
        self.nearness = nearness
        self.q = nn.ModuleList(GoalQ(latent, hidden, layers) for _ in range(2))
        self.actor = GoalActor(latent, hidden, actor_layers)
        self.discount = discount

    def forward(self, state: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        """Distance in time steps, ``[N,D]`` and ``[N,D]`` to ``[N]``."""
        action = self.actor(state, goal)
        q = torch.minimum(self.q[0](state, action, goal), self.q[1](state, action, goal))
        steps = q_to_steps(q, self.discount)
        return steps + self.nearness * torch.linalg.vector_norm(state - goal, dim=-1)


def q_to_steps(q: torch.Tensor, discount: float, smallest: float = 1e-2) -> torch.Tensor:
    """Time steps for a Q-value; strictly decreasing in q: planning never meets a plateau.

    Below ``smallest`` (a share of the goal's value, about 21 steps at gamma .8) the logarithm is
    continued by its tangent: estimates there are noise around never.
    """
    never = STEP_REWARD / (1.0 - discount)
    share = (q - never) / (GOAL_REWARD - never)
    log_discount = math.log(discount)
    steps = torch.log(share.clamp_min(smallest)) / log_discount
    return 1.0 + steps + (smallest - share).clamp_min(0.0) / (smallest * -log_discount)


def steps_to_q(steps: torch.Tensor, discount: float) -> torch.Tensor:
    """The exact Q of a goal that many steps away; the inverse of q_to_steps."""
    never = STEP_REWARD / (1.0 - discount)
    return never + (GOAL_REWARD - never) * discount ** (steps - 1.0)
