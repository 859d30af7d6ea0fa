"""The training loop: stopped and resumed it is one run, and it says so when it cannot go on."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from latentplan_ros.learning.dynamics import DynamicsRecipe, DynamicsStage
from latentplan_ros.learning.mbold import MboldRecipe, MboldStage
from latentplan_ros.learning.methods import METHODS
from latentplan_ros.learning.trainer import TrainingError, run_stage
from latentplan_ros.learning.world_model import WorldModelRecipe, WorldModelStage
from latentplan_ros.models.latent_world_model import LatentWorldModel

SMALL = {"hidden": 16, "layers": 3, "actor_layers": 3, "components": 2, "size": 2, "code": 4}
SMALL |= {"states": 9, "candidates": 5}
LEARNT = [name for name, head in METHODS.items() if head and head.stage]
UPDATES = 12
# An untrained local metric finds everything near.
SETTINGS = {"plan2vec": {"threshold": 0.4}}


@pytest.fixture(scope="module")
def make_stage(corridor):
    def make(name):
        torch.manual_seed(0)
        spec = {"latent": 8, "channels": 2, "hidden": 16, "layers": 2, "distance": None}
        trained = METHODS.get(name)
        if trained:
            sizes = {key: SMALL.get(key, value) for key, value in trained.sizes.items()}
            spec["distance"] = {"kind": trained.kind, **sizes}
        model = LatentWorldModel(spec)
        latents = torch.randn(corridor.num_frames, 8)
        episodes = np.arange(30)
        if name == "world_model":
            return WorldModelStage(
                model, corridor, episodes, WorldModelRecipe(UPDATES, batch_size=4, horizon=3)
            )
        if name == "dynamics":
            recipe = DynamicsRecipe(UPDATES, batch_size=8, horizon=3)
            return DynamicsStage(model, latents, corridor, episodes, recipe)
        recipe = trained.recipe(UPDATES, batch_size=8, **SETTINGS.get(name, {}))
        return trained.stage(model, latents, corridor, episodes, recipe, 0)

    return make


def fabric():
    return Fabric(accelerator="cpu", devices=1)


class StoppedError(Exception):
    pass


def stop_after(stage, updates):
    seen, after = [], stage.after_update

    def count(batch, losses):
        after(batch, losses)
        seen.append(1)
        if len(seen) == updates:
            raise StoppedError

    stage.after_update = count


def break_batch(stage, number):
    """That batch of latents gets a number that is not finite; the batches drawn so far."""
    sample, drawn = stage.sample, []

    def broken(rng, count):
        batch = sample(rng, count)
        drawn.append(batch)
        if len(drawn) == number:
            batch["latents"][0, 0, 0] = float("nan")
        return batch

    stage.sample = broken
    return drawn


@pytest.mark.parametrize("name", ["world_model", "dynamics", *LEARNT])
def test_a_run_that_was_stopped_ends_as_one_that_was_not(make_stage, tmp_path, name):
    whole, stopped, resumed = make_stage(name), make_stage(name), make_stage(name)
    for folder in ("whole", "stopped"):
        (tmp_path / folder).mkdir()
    run_stage(fabric(), whole, tmp_path / "whole", seed=3, save_every=5)

    stop_after(stopped, 8)
    with pytest.raises(StoppedError):
        run_stage(fabric(), stopped, tmp_path / "stopped", seed=3, save_every=5)
    torch.manual_seed(99)  # another process starts with another state
    run_stage(fabric(), resumed, tmp_path / "stopped", seed=3, save_every=5)
    expected, got = whole.state_dict(), resumed.state_dict()
    assert expected.keys() == got.keys()
    for key, value in expected.items():
        assert torch.equal(value, got[key]), key
    for key, value in whole.extra_state().items():
        assert torch.equal(value, resumed.extra_state()[key]), key


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_its_batch(make_stage, tmp_path):
    stage = make_stage("dynamics")
    drawn = break_batch(stage, 7)
    with pytest.raises(TrainingError, match="dynamics: the loss is nan at update 7") as error:
        run_stage(fabric(), stage, tmp_path, seed=0, save_every=5)
    file = tmp_path / "dynamics.not_finite.pt"
    assert str(file) in str(error.value)
    kept = torch.load(file, weights_only=True)
    assert torch.equal(kept["rows"], drawn[-1]["rows"])
    assert torch.equal(kept["actions"], drawn[-1]["actions"])
    assert all(torch.isfinite(p).all() for p in stage.parameters())
    run_stage(fabric(), make_stage("dynamics"), tmp_path, seed=0)  # goes on from update 5
    assert all(torch.isfinite(p).all() for p in stage.parameters())


def test_losses_are_logged_for_people_and_for_programs(make_stage, tmp_path):
    run_stage(fabric(), make_stage("mbold"), tmp_path, seed=0, log_every=5)
    folder = tmp_path / "tensorboard" / "mbold"
    lines = [json.loads(line) for line in (folder / "losses.jsonl").read_text().splitlines()]
    assert [line["update"] for line in lines] == [5, 10, 12]
    assert {"loss", "bellman", "gap", "alpha"} <= lines[0].keys()
    events = EventAccumulator(str(folder)).Reload()
    logged = {event.step: event.value for event in events.Scalars("loss")}
    assert logged == pytest.approx({line["update"]: line["loss"] for line in lines})


@pytest.mark.parametrize(
    ("head", "recipe", "told"),
    [
        ({"hidden": 32}, {}, r"mbold\.0\.state belongs to another recipe"),
        (
            {},
            {"negatives": 0.0},
            r"was trained with negatives 0\.5, now 0\.0: put the settings back",
        ),
    ],
)
def test_another_recipes_state_is_refused(make_stage, tmp_path, corridor, head, recipe, told):
    run_stage(fabric(), make_stage("mbold"), tmp_path, seed=0)
    sizes = METHODS["mbold"].sizes
    small = {key: SMALL.get(key, value) for key, value in sizes.items()}
    spec = {"latent": 8, "channels": 2, "hidden": 16, "layers": 2}
    spec["distance"] = {"kind": "q", **small, **head}
    latents = torch.randn(corridor.num_frames, 8)
    settings = replace(MboldRecipe(UPDATES, batch_size=8), **recipe)
    stage = MboldStage(LatentWorldModel(spec), latents, corridor, np.arange(30), settings, 0)
    with pytest.raises(TrainingError, match=told):
        run_stage(fabric(), stage, tmp_path, seed=0)


def test_training_leaves_the_processs_arithmetic_as_it_was(make_stage, tmp_path):
    run_stage(fabric(), make_stage("dynamics"), tmp_path, seed=0)
    assert np.float32(1e-39) * np.float32(1.0) > 0.0


needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
RECORDABLE = ["world_model", "dynamics", "mbold", "mbold_sfa", "sorb", "q_policy"]


@needs_gpu
@pytest.mark.parametrize("name", RECORDABLE)
def test_recorded_on_a_gpu_it_learns_the_same(make_stage, tmp_path, name):
    def trained(folder, recordable, stop_at=0):
        (tmp_path / folder).mkdir(exist_ok=True)
        stage = make_stage(name)
        assert stage.recordable
        stage.recordable = recordable
        if stop_at:
            stop_after(stage, stop_at)
        run_stage(Fabric(accelerator="cuda", devices=1), stage, tmp_path / folder, 3, save_every=5)
        return stage.state_dict()

    with pytest.raises(StoppedError):
        trained("stopped", True, stop_at=8)
    whole = trained("whole", True)
    for other in (trained("plain", False), trained("stopped", True)):
        for key, value in whole.items():
            torch.testing.assert_close(value, other[key], atol=2e-4, rtol=1e-2, msg=key)


@needs_gpu
def test_a_state_goes_from_a_gpu_to_a_cpu_and_back(make_stage, tmp_path):
    for updates, accelerator in ((5, "cuda"), (8, "cpu"), (UPDATES, "cuda")):
        stage = make_stage("mbold")
        stage.updates = updates
        run_stage(Fabric(accelerator=accelerator, devices=1), stage, tmp_path, seed=0)
    assert all(torch.isfinite(p).all() for p in stage.parameters())


@needs_gpu
def test_recorded_on_a_gpu_a_loss_that_is_not_finite_stops_the_run(make_stage, tmp_path):
    stage = make_stage("dynamics")
    break_batch(stage, 7)
    with pytest.raises(TrainingError, match="dynamics: the loss is nan at update 7"):
        run_stage(Fabric(accelerator="cuda", devices=1), stage, tmp_path, seed=0, save_every=5)
    stage = make_stage("dynamics")
    run_stage(Fabric(accelerator="cuda", devices=1), stage, tmp_path, seed=0)
    assert all(torch.isfinite(p).all() for p in stage.parameters())
