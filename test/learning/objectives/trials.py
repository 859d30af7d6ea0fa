"""An objective made, fed and judged as every test of one needs it."""

import numpy as np
import torch

from latentplan_ros.learning import objectives
from latentplan_ros.learning.representation.clips import Clips
from latentplan_ros.models.networks import Encoder

LATENT = 24


def make(name, **settings):
    """An objective with a fresh small encoder."""
    kind = objectives.find(name)
    torch.manual_seed(0)
    return kind(Encoder(LATENT, 8), LATENT, kind.recipe_type(**settings))


def batches(objective, views):
    """An endless stream of its batches."""
    episodes = np.arange(views[0].num_episodes)
    clips = Clips(views[: objective.needs.views], episodes, objective.needs)
    rng = np.random.default_rng(0)
    while True:
        yield clips.draw(rng, objective.recipe.batch_size)


def train(objective, views, updates, watched="loss"):
    """Trains it; the mean of what is watched in the first and in the last tenth of the updates."""
    weights = [weight for weight in objective.parameters() if weight.requires_grad]
    optimizer = torch.optim.Adam(weights, objective.recipe.learning_rate)
    stream, course = batches(objective, views), []
    for _ in range(updates):
        losses = objective(next(stream))
        optimizer.zero_grad()
        losses["loss"].backward()
        optimizer.step()
        objective.after_update()
        course.append(losses[watched].item())
    some = max(1, updates // 10)
    return float(np.mean(course[:some])), float(np.mean(course[-some:]))


@torch.no_grad()
def probe_error(objective, dataset):
    """Mean error of places read linearly from latents of episodes that the probe has not seen."""
    images = dataset.images(np.arange(dataset.num_frames)).transpose(0, 3, 1, 2).copy()
    latents = objective.encoder(torch.from_numpy(images)).double().numpy()
    inputs = np.concatenate([latents, np.ones((len(latents), 1))], axis=1)
    fitted = np.arange(dataset.num_frames) < dataset.num_frames * 3 // 4
    ridge = inputs[fitted].T @ inputs[fitted] + 1e-2 * np.eye(inputs.shape[1])
    weights = np.linalg.solve(ridge, inputs[fitted].T @ dataset.truth[fitted])
    return float(np.abs(inputs[~fitted] @ weights - dataset.truth[~fitted]).mean())


class Stub(torch.nn.Module):
    """A function in a network's place."""

    def __init__(self, function):
        super().__init__()
        self.forward = function
