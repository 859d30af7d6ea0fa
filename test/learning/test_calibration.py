"""Dynamics that learn with weight on motion promise too much of it, until they are calibrated."""

import numpy as np
import pytest
import torch
from corridor import EPISODES, learn, model

from latentplan_ros import cli
from latentplan_ros.learning.dynamics import (
    CalibrationRecipe,
    CalibrationStage,
    DynamicsRecipe,
    DynamicsStage,
)
from latentplan_ros.models.checkpoint import load_checkpoint
from latentplan_ros.models.networks import imagine


def now_and_then(corridor):
    """Latents of which the first grows by 1 in one step of ten, and nothing says in which."""
    rng = np.random.default_rng(0)
    latents = torch.from_numpy(rng.normal(0.0, 0.1, (len(corridor.state), 8)).astype(np.float32))
    for first, end in zip(corridor.episode_starts, corridor.episode_ends, strict=True):
        latents[first:end, 0] = torch.from_numpy((rng.random(end - first) < 0.1).cumsum())
    return latents


def promised(dynamics, latents, corridor):
    """Imagined over the true growth in as many steps as the horizon has."""
    frames = torch.from_numpy(corridor.frames(EPISODES, before_end=13))
    actions = torch.from_numpy(corridor.action)[frames[:, None] + torch.arange(13)]
    with torch.no_grad():
        ends = imagine([dynamics], latents[frames], actions[:, 0], actions)[0, :, -1]
    imagined, true = (x[:, 0] - latents[frames, 0] for x in (ends, latents[frames + 13]))
    return (imagined.mean() / true.mean()).item()


def test_after_calibration_as_much_moves_as_is_imagined(corridor, tmp_path):
    latents, made = now_and_then(corridor), model(hidden=32)
    weighed = DynamicsRecipe(motion_weight=10.0, learning_rate=3e-3)
    learn(DynamicsStage(made, latents, corridor, EPISODES, weighed), tmp_path, 150)
    before = promised(made.dynamics, latents, corridor)
    stage = CalibrationStage(made, latents, corridor, EPISODES, CalibrationRecipe())
    learn(stage, tmp_path, 150)
    after = promised(made.dynamics, latents, corridor)
    assert before > 1.3
    assert after == pytest.approx(1.0, abs=0.2)


def test_a_recipe_asks_for_it(corridor, recipe_file, tmp_path):
    recipe_file.write_text(recipe_file.read_text() + "calibration: {updates: 7, stillness: 0.3}\n")
    out = tmp_path / "model.safetensors"
    command = ["train", "mbold", "--data", str(corridor.path), "--out", str(out)]
    assert cli.main([*command, "--recipe", str(recipe_file), "--accelerator", "cpu"]) == 0
    assert load_checkpoint(out).header.recipe["calibration"]["updates"] == 7
    state = torch.load(out.with_suffix(".training") / "calibration.0.state", weights_only=True)
    assert state["done"] == 7
