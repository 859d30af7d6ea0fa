"""``latentplan train --world-model``: another distance or policy on a world model that is there."""

import hashlib
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from corridor_data import INFO, slide

from latentplan_ros import cli
from latentplan_ros.data.dataset import DatasetWriter
from latentplan_ros.learning.temporal import TemporalStage
from latentplan_ros.learning.train import Recipe, load_recipe, train
from latentplan_ros.models.checkpoint import load_checkpoint, save_checkpoint


@pytest.fixture
def given(corridor, recipe_file, tmp_path):
    """A checkpoint with a world model of sizes that are not the default."""
    out = tmp_path / "given.safetensors"
    return train("latent_l2", corridor.path, out, load_recipe(recipe_file), accelerator="cpu")


@pytest.fixture
def run(corridor, given, tmp_path):
    def run(method="temporal", recipe="", data=corridor.path, world_model=given):
        (tmp_path / "recipe.yaml").write_text(recipe or "distance: {updates: 12, batch_size: 16}")
        command = ["train", method, "--data", data, "--out", tmp_path / "new.safetensors"]
        command += ["--recipe", tmp_path / "recipe.yaml", "--accelerator", "cpu"]
        command += ["--world-model", world_model] if world_model else []
        return cli.main([str(part) for part in command])

    return run


@pytest.mark.parametrize("method", ["temporal", "gcbc", "rig"])
def test_all_but_the_head_is_the_other_checkpoints(run, given, tmp_path, method):
    assert run(method) == 0
    old, new = load_checkpoint(given), load_checkpoint(tmp_path / "new.safetensors")
    expected, got = old.state_dict(), new.state_dict()
    assert {name for name in got if not name.startswith("head.")} == set(expected)
    for name, weight in expected.items():
        assert torch.equal(weight, got[name]), name
    stages = {path.name.split(".")[0] for path in (tmp_path / "new.training").glob("*.state")}
    assert stages == ({"rig", "rig_vae"} if method == "rig" else {method})


def test_the_header_says_whose_it_is_and_how_that_was_trained(run, given, tmp_path):
    assert run() == 0
    old, new = load_checkpoint(given).header, load_checkpoint(tmp_path / "new.safetensors").header
    assert old.world_model == ""
    assert new.world_model == hashlib.sha256(given.read_bytes()).hexdigest()
    assert new.spec == {**old.spec, "distance": new.spec["distance"]}
    for block in ("model", "world_model", "dynamics", "video"):
        assert new.recipe[block] == old.recipe[block]
    assert new.recipe["distance"] == {"updates": 12, "batch_size": 16}
    assert new.reconstruction_rms == pytest.approx(old.reconstruction_rms)


def test_given_dynamics_are_calibrated_once(run, given, tmp_path):
    recipe = "calibration: {updates: 7, batch_size: 16}\ndistance: {updates: 12, batch_size: 16}"
    first, new = tmp_path / "first.safetensors", tmp_path / "new.safetensors"
    assert run(recipe=recipe) == 0
    new.rename(first)
    shutil.rmtree(tmp_path / "new.training")
    assert run(recipe=recipe, world_model=first) == 0
    plain, once, again = (load_checkpoint(path) for path in (given, first, new))
    before, after, later = (model.state_dict() for model in (plain, once, again))
    changed = {name for name, weight in before.items() if not torch.equal(weight, after[name])}
    assert changed
    assert all(name.startswith("dynamics.") for name in changed)
    assert all(torch.equal(weight, later[name]) for name, weight in after.items())
    for made in (once, again):
        assert made.header.recipe["calibration"]["updates"] == 7
        assert made.header.recipe["dynamics"] == plain.header.recipe["dynamics"]


def test_a_stopped_training_ends_as_one_that_was_not(run, tmp_path, monkeypatch):
    recipe = "distance: {updates: 12, batch_size: 16}\nsave_every: 5"
    out, done = tmp_path / "new.safetensors", []

    def stop_at_8(stage, batch, losses):
        done.append(1)
        if len(done) == 8:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(TemporalStage, "after_update", stop_at_8)
        assert run(recipe=recipe) == 130
    assert not out.exists()
    assert run(recipe=recipe) == 0
    resumed = out.read_bytes()
    shutil.rmtree(tmp_path / "new.training")
    assert run(recipe=recipe) == 0
    assert out.read_bytes() == resumed


@pytest.fixture
def given_video(corridor, recipe_file, tmp_path):
    recipe = load_recipe(recipe_file)
    video = replace(recipe.video, updates=2, batch_size=2, horizon=2, filters=2, kernels=2)
    recipe, out = replace(recipe, video=video), tmp_path / "video.safetensors"
    return train("latent_l2", corridor.path, out, recipe, accelerator="cpu")


def test_a_video_model_is_taken_with_its_prediction(run, given_video, tmp_path):
    assert run(world_model=given_video) == 0
    old, new = load_checkpoint(given_video), load_checkpoint(tmp_path / "new.safetensors")
    assert new.spec["kind"] == "video"
    assert all(torch.equal(w, new.state_dict()[name]) for name, w in old.state_dict().items())


def test_a_video_model_is_not_calibrated(run, given_video, tmp_path, capsys):
    assert run(recipe="calibration: {updates: 7}", world_model=given_video) == 2
    assert "calibration is of latent dynamics" in capsys.readouterr().err
    assert not (tmp_path / "new.training").exists()


def test_a_policy_on_a_video_model_is_refused(run, given_video, capsys):
    assert run("gcbc", world_model=given_video) == 2
    assert "gcbc is a policy" in capsys.readouterr().err


def test_a_dataset_of_another_robot_or_camera_is_refused(run, tmp_path, capsys):
    action = replace(INFO.action_space, robot="sawyer", rate_hz=4.0)
    with DatasetWriter(
        tmp_path / "wrist.zarr", replace(INFO, action_space=action, camera="wrist")
    ) as writer:
        rng = np.random.default_rng(0)
        for _ in range(3):
            writer.append(slide(rng, 25))
    assert run(data=tmp_path / "wrist.zarr") == 2
    error = capsys.readouterr().err
    for word in ("robot: 'sawyer'", "rate_hz: 4.0", "camera: 'wrist'"):
        assert word in error
    assert not (tmp_path / "new.training").exists()


def test_other_data_of_the_same_robot_will_do(run, other_corridor, given, tmp_path):
    assert run(data=other_corridor.path) == 0
    new = load_checkpoint(tmp_path / "new.safetensors").header
    assert new.dataset_hash == other_corridor.content_hash()
    assert new.dataset_hash != load_checkpoint(given).header.dataset_hash


@pytest.mark.parametrize(
    ("recipe", "told"),
    [
        ("model: {latent: 12}", "latent 12, there 8"),
        ("model: {points: 2}", "points 2, there 0"),
        ("video: {updates: 5}", "kind 'video', there None"),
    ],
)
def test_other_sizes_than_the_given_models_are_refused(run, tmp_path, capsys, recipe, told):
    assert run(recipe=recipe) == 2
    error = capsys.readouterr().err
    assert told in error
    assert "given.safetensors" in error
    assert not (tmp_path / "new.training").exists()


def test_the_given_models_own_sizes_may_be_said(run):
    sizes = "model: {latent: 8, channels: 2, hidden: 32, layers: 2}"
    assert run(recipe=sizes + "\ndistance: {updates: 2, batch_size: 4}") == 0


def test_an_older_checkpoint_says_less_of_its_sizes(run, given, tmp_path):
    model = load_checkpoint(given)
    kept = {k: v for k, v in model.spec.items() if k not in ("points", "members", "pessimism")}
    save_checkpoint(given, model, replace(model.header, spec=kept))
    assert run() == 0
    spec = load_checkpoint(tmp_path / "new.safetensors").header.spec
    assert {name: spec[name] for name in Recipe().model} == {
        name: model.spec[name] for name in Recipe().model
    }


def test_a_training_does_not_go_on_with_another_world_model(run, given, tmp_path, capsys):
    assert run() == 0
    before = (tmp_path / "new.safetensors").read_bytes()
    other = tmp_path / "other.safetensors"
    model = load_checkpoint(given)
    save_checkpoint(other, model, replace(model.header, seed=7))
    for world_model in (other, None):
        assert run(world_model=world_model) == 2
        assert "--world-model" in capsys.readouterr().err
    assert (tmp_path / "new.safetensors").read_bytes() == before


def test_a_given_model_that_is_not_there(run, tmp_path, capsys):
    assert run(world_model=tmp_path / "none.safetensors") == 2
    assert "no checkpoint at" in capsys.readouterr().err
