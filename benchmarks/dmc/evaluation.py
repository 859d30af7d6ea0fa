"""What an agent's policy returns."""

from benchmarks.dmc.environment import Environment
from benchmarks.dmc.sac import Sac


def evaluate(sac: Sac, environment: Environment, seed: int, episodes: int) -> list[float]:
    """Returns of episodes by the mean action; a seed has the same beginnings every time."""
    returns = []
    for number in range(episodes):
        # Training's episodes have a 0 in the middle.
        observation, over, total = environment.reset([seed, 1, number]), False, 0.0
        while not over:
            action = sac.act(observation, explore=False)
            observation, reward, over = environment.step(action)
            total += reward
        returns.append(total)
    return returns
