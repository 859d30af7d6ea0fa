"""Learning to predict pictures: better than none moving, weaned step by step, from one command."""

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from latentplan_ros import cli
from latentplan_ros.learning.trainer import run_stage
from latentplan_ros.learning.video import VideoRecipe, VideoStage
from latentplan_ros.models.checkpoint import load_checkpoint
from latentplan_ros.models.video_world_model import VideoWorldModel

SPEC = {
    "kind": "video",
    "latent": 8,
    "channels": 2,
    "hidden": 16,
    "layers": 1,
    "distance": None,
    "video": {"filters": 4, "kernels": 2, "kernel_size": 11},
}
TINY = {"filters": 4, "kernels": 2, "kernel_size": 11, "horizon": 2, "batch_size": 4}


def stage(corridor, **settings):
    torch.manual_seed(0)
    recipe = VideoRecipe(**(TINY | settings))
    return VideoStage(VideoWorldModel(SPEC), corridor, np.arange(40), recipe)


def learn(made, folder, **options):
    run_stage(
        Fabric(accelerator="cpu", devices=1), made, folder, seed=0, log_every=10**6, **options
    )


def test_a_moving_block_is_predicted_better_than_by_copying(corridor, tmp_path):
    made = stage(corridor, updates=60, learning_rate=5e-3, weaned=0.05)
    learn(made, tmp_path)
    torch.manual_seed(5)
    with torch.no_grad():
        found = made(made.sample(np.random.default_rng(5), 32))
    assert made.truth_share() < 0.1  # so all but the first step start from predicted pictures
    assert found["loss"].item() < 0.5 * found["unchanged"].item()


def test_recorded_pictures_are_given_less_and_less(corridor):
    made = stage(corridor, updates=1000)
    shares = []
    for _ in range(1000):
        shares.append(made.truth_share())
        made.after_update({}, {})
    assert shares[0] > 0.9
    assert shares[150] == pytest.approx(0.5, abs=0.05)
    assert shares[-1] < 0.01
    assert (np.diff(shares) < 0).all()


def test_a_stopped_run_ends_as_one_that_was_not(corridor, tmp_path):
    whole = stage(corridor, updates=6)
    learn(whole, tmp_path / "whole")
    first = stage(corridor, updates=6)
    (tmp_path / "parts").mkdir()
    first.sample = lambda rng, count, draw=first.sample: _stop_at(first, 4, draw, rng, count)
    with pytest.raises(KeyboardInterrupt):
        learn(first, tmp_path / "parts", save_every=2)
    second = stage(corridor, updates=6)
    learn(second, tmp_path / "parts", save_every=2)
    for one, other in zip(whole.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)


def _stop_at(made, updates, draw, rng, count):
    if made._done == updates:
        raise KeyboardInterrupt
    return draw(rng, count)


def test_a_recipe_with_video_makes_a_checkpoint_that_imagines_pictures(
    corridor, recipe_file, tmp_path
):
    video = "video: {updates: 6, batch_size: 4, horizon: 4, filters: 2, kernels: 2}\n"
    recipe_file.write_text(recipe_file.read_text() + video)
    out = tmp_path / "model.safetensors"
    arguments = ["train", "mbold", "--data", str(corridor.path), "--out", str(out)]
    arguments += ["--recipe", str(recipe_file), "--accelerator", "cpu"]
    assert cli.main(arguments) == 0
    model = load_checkpoint(out)
    assert isinstance(model, VideoWorldModel)
    latent = model.encode(torch.from_numpy(corridor.images(np.arange(2)).transpose(0, 3, 1, 2)))
    assert torch.isfinite(model.distance(latent, latent[:1])).all()


@pytest.mark.parametrize(
    ("method", "video", "words"),
    [
        ("mbold", "{updates: 5, kernel_size: 4}", "kernel_size must be odd"),
        ("gcbc", "{updates: 5}", "gcbc is a policy"),
        ("mbold", "{update: 5}", "no setting named update"),
        ("mbold", "{updates: 5}\ncalibration: {updates: 5}", "calibration is of latent dynamics"),
    ],
)
def test_a_wrong_video_recipe_is_told_before_anything_is_trained(
    corridor, tmp_path, capsys, method, video, words
):
    recipe = tmp_path / "wrong.yaml"
    recipe.write_text(f"video: {video}\n")
    arguments = ["train", method, "--data", str(corridor.path), "--recipe", str(recipe)]
    assert cli.main([*arguments, "--out", str(tmp_path / "out/m.safetensors")]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
