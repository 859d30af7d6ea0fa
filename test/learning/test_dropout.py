"""Of few recordings, dynamics with dropout learn less by heart."""

import numpy as np
import pytest
import torch
from corridor import EPISODES, learn, model

from latentplan_ros import cli
from latentplan_ros.learning.dynamics import DynamicsRecipe, DynamicsStage
from latentplan_ros.models.networks import imagine

FEW, OTHERS = EPISODES[:6], EPISODES[6:]


@pytest.fixture
def noisy(corridor):
    """Latents that follow from nothing but themselves, beside the corridor's first number."""
    rng = np.random.default_rng(0)
    latents = rng.normal(0.0, 1.0, (len(corridor.state), 8)).astype(np.float32)
    latents[:, 0] = corridor.state[:, 0] / 4.0
    return torch.from_numpy(latents)


def error(dynamics, latents, corridor, episodes):
    frames = torch.from_numpy(corridor.frames(episodes, before_end=5))
    actions = torch.from_numpy(corridor.action)[frames[:, None] + torch.arange(5)]
    last = torch.from_numpy(corridor.action)[(frames - 1).clamp_min(0)]
    with torch.no_grad():
        futures = imagine([dynamics], latents[frames], last, actions)[0]
    truth = latents[frames[:, None] + torch.arange(1, 6)]
    return (futures - truth).square().mean().item()


def test_less_is_learned_by_heart(corridor, noisy, tmp_path):
    known, held_out = {}, {}
    for dropout in (0.0, 0.3):
        made = model(hidden=128)
        recipe = DynamicsRecipe(
            batch_size=64, horizon=5, learning_rate=3e-3, favoured=0.0, dropout=dropout
        )
        stage = DynamicsStage(made, noisy, corridor, FEW, recipe)
        (tmp_path / str(dropout)).mkdir()
        learn(stage, tmp_path / str(dropout), 300)
        known[dropout] = error(made.dynamics, noisy, corridor, FEW)
        held_out[dropout] = error(made.dynamics, noisy, corridor, OTHERS)
    assert known[0.3] > 1.2 * known[0.0]
    assert held_out[0.3] < 0.9 * held_out[0.0]


def test_what_was_learned_with_it_is_imagined_without(corridor, noisy, tmp_path):
    made = model()
    recipe = DynamicsRecipe(batch_size=16, horizon=5, dropout=0.5)
    stage = DynamicsStage(made, noisy, corridor, FEW, recipe)
    batch = stage.sample(np.random.default_rng(0), 16)
    learn(stage, tmp_path, 3)
    first, again = stage(batch)["loss"], stage(batch)["loss"]
    assert first != again
    assert made.training  # no mode of the network is what tells them apart
    start = torch.cat([batch["latents"][:, 0], batch["actions"][:, 0]], dim=1)
    plans = [made.rollout(start, batch["actions"][:, 1:]) for _ in range(2)]
    torch.testing.assert_close(*plans, rtol=0, atol=0)


@pytest.mark.parametrize("block", ["dynamics", "calibration"])
@pytest.mark.parametrize("setting", ["dropout: 1.0", "favoured: 1.5", "dropout: -0.1"])
def test_impossible_shares_are_refused_before_anything_is_read(
    tmp_path, recipe_file, capsys, block, setting
):
    recipe_file.write_text(f"{block}: {{{setting}}}\n")
    command = ["train", "mbold", "--data", str(tmp_path / "none.zarr"), "-o", str(tmp_path / "m")]
    assert cli.main([*command, "--recipe", str(recipe_file)]) != 0
    told = capsys.readouterr().err
    assert f"{block}: dropout must lie in [0, 1) and favoured in [0, 1]" in told
