import math

import numpy as np
import pytest
import torch
from corridor import CELLS, EPISODES, learn, model

from latentplan_ros.learning.vae import VaeRecipe, VaeStage

HEAD = {"kind": "vae", "hidden": 32, "code": 6}


@pytest.fixture
def make(corridor):
    def make(**recipe):
        latents = torch.zeros(corridor.num_frames, 8)
        return VaeStage(model(HEAD), latents, corridor, EPISODES, VaeRecipe(**recipe), 0)

    return make


def test_the_loss_is_the_error_a_pixel_and_the_weighted_divergence(make):
    stage = make(kl_weight=0.5)
    mean, log_variance = torch.tensor([1.0, 0.0]), torch.tensor([0.0, math.log(4.0)])
    stage.head.moments = lambda pictures: (mean.expand(2, 2), log_variance.expand(2, 2))
    stage.decoder = torch.nn.Sequential()
    stage.decoder.forward = lambda code: torch.full((2, 3, 64, 64), 0.75)
    losses = stage({"images": torch.full((2, 3, 64, 64), 255, dtype=torch.uint8)})
    divergence = 0.5 * (1.0 + (4.0 - 1.0 - math.log(4.0)))
    assert losses["error"].item() == pytest.approx(3 * 0.25**2)
    assert losses["divergence"].item() == pytest.approx(divergence, rel=1e-5)
    assert losses["loss"].item() == pytest.approx(3 * 0.25**2 + 0.5 * divergence, rel=1e-5)


def test_it_sees_what_the_camera_saw(make, corridor):
    images = make().sample(np.random.default_rng(0), 40)["images"]
    assert images.shape == (40, 3, 64, 64)
    stored = {image.tobytes() for image in corridor.images(np.arange(corridor.num_frames))}
    assert all(image.permute(1, 2, 0).numpy().tobytes() in stored for image in images)


def test_it_learns_to_draw_and_equal_pictures_are_no_way_apart(make, corridor, cells, tmp_path):
    stage = make(learning_rate=2e-3)
    batch = stage.sample(np.random.default_rng(1), 64)
    with torch.no_grad():
        before = stage(batch)["error"].item()
    learn(stage, tmp_path, 40)
    with torch.no_grad():
        assert stage(batch)["error"].item() < 0.2 * before
    stage.eval()
    frames = [int(np.flatnonzero(cells == cell)[0]) for cell in range(CELLS)]
    pictures = torch.from_numpy(corridor.images(np.array(frames)).transpose(0, 3, 1, 2)) / 255.0
    with torch.no_grad():
        apart = torch.stack([stage.head(pictures, one[None]) for one in pictures], dim=1)
    assert apart.diagonal().max() < 1e-4
    assert apart[~torch.eye(CELLS, dtype=torch.bool)].min() > 1e-3
