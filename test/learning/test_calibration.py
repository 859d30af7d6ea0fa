"""Dynamics that learn with weight on motion promise too much of it, until they are calibrated."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from corridor import EPISODES, learn, model

from latentplan_ros import cli
from latentplan_ros.learning.dynamics import CalibrationRecipe, DynamicsRecipe, DynamicsStage
from latentplan_ros.learning.train import Recipe, RecipeError, load_recipe, train
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
    stage = DynamicsStage(made, latents, corridor, EPISODES, CalibrationRecipe())
    stage.name = "calibration"
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


def test_given_dynamics_are_calibrated_once(corridor, recipe_file, tmp_path):
    first, second = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    given = tmp_path / "given.safetensors"
    train("latent_l2", corridor.path, given, load_recipe(recipe_file), accelerator="cpu")
    recipe = Recipe(calibration=CalibrationRecipe(updates=7, batch_size=16))
    for before, after in ((given, first), (first, second)):
        train("latent_l2", corridor.path, after, recipe, accelerator="cpu", world_model=before)
    plain, once, again = (load_checkpoint(path) for path in (given, first, second))
    changed = {n for n, w in plain.state_dict().items() if not torch.equal(w, once.state_dict()[n])}
    assert changed
    assert all(name.startswith("dynamics.") for name in changed)
    assert all(torch.equal(w, again.state_dict()[name]) for name, w in once.state_dict().items())
    for made in (once, again):
        assert made.header.recipe["calibration"]["updates"] == 7
        assert made.header.recipe["dynamics"] == plain.header.recipe["dynamics"]


def test_video_prediction_is_not_calibrated(corridor, recipe_file, tmp_path):
    recipe = load_recipe(recipe_file)
    video = replace(recipe.video, updates=2, batch_size=2, horizon=2, filters=2, kernels=2)
    out = tmp_path / "video.safetensors"
    train("latent_l2", corridor.path, out, replace(recipe, video=video), accelerator="cpu")
    asked = Recipe(calibration=CalibrationRecipe(updates=7))
    with pytest.raises(RecipeError, match="calibration is of latent dynamics"):
        train("latent_l2", corridor.path, tmp_path / "new", asked, world_model=out)
    assert not (tmp_path / "new.training").exists()
