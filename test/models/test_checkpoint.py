"""Checkpoints: what is saved comes back bit for bit; anything else is refused with its reason."""

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from benchmarks.untrained import untrained_header
from latentplan_ros import cli
from latentplan_ros.control.profile import load_profile
from latentplan_ros.data.dataset import DatasetInfo, DatasetWriter
from latentplan_ros.data.episode import Episode
from latentplan_ros.models.checkpoint import (
    CheckpointError,
    load_checkpoint,
    read_header,
    save_checkpoint,
)
from latentplan_ros.models.latent_world_model import LatentWorldModel

HEADS = {
    "mbold": {"kind": "q", "hidden": 16, "layers": 3, "actor_layers": 3, "discount": 0.8},
    "mbold_sfa": {"kind": "q_sfa", "hidden": 16, "layers": 3, "actor_layers": 3, "discount": 0.8},
    "gcivl": {"kind": "value", "hidden": 16, "layers": 2, "discount": 0.95},
    "temporal": {"kind": "temporal", "hidden": 16, "layers": 3},
    "iqe": {"kind": "iqe", "hidden": 16, "layers": 2, "components": 4, "size": 3},
    "plan2vec": {"kind": "plan2vec", "hidden": 16, "layers": 2, "features": 4, "points": 3}
    | {"p": 1.5},
    "vae_l2": {"kind": "vae", "hidden": 16, "code": 5},
    "sorb": {"kind": "sorb", "hidden": 16, "layers": 3, "actor_layers": 3, "bins": 5}
    | {"limit": 4.0, "states": 7},
    "gcbc": {"kind": "gcbc", "hidden": 16, "layers": 3},
    "rig": {"kind": "rig", "hidden": 16, "layers": 2, "code": 3},
    "dreamer": {"kind": "dreamer", "hidden": 16, "layers": 3},
    "q_policy": {"kind": "q_policy", "hidden": 16, "layers": 3, "discount": 0.8, "candidates": 9},
    "latent_l2": None,
    "mahalanobis": {"kind": "mahalanobis"},
    "sfa": {"kind": "mahalanobis"},
}


def trained(method):
    torch.manual_seed(1)
    spec = {"latent": 8, "channels": 2, "hidden": 16, "layers": 2, "distance": HEADS[method]}
    header = untrained_header(
        method, spec, recipe={"seed": 1}, dataset_hash="abc", seed=1, success={"arm": [3, 4]}
    )
    return LatentWorldModel(spec).eval(), header


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, *trained("mbold"))
    return path


@pytest.mark.parametrize("method", HEADS)
@torch.inference_mode()
def test_a_round_trip_changes_no_bit(tmp_path, method):
    model, header = trained(method)
    path = tmp_path / "deep" / "model.safetensors"
    save_checkpoint(path, model, header)
    loaded = load_checkpoint(path)
    assert loaded.header == header == read_header(path)
    assert not loaded.training
    assert list(path.parent.iterdir()) == [path]
    images = torch.randint(0, 256, (5, 3, 64, 64), dtype=torch.uint8)
    actions = torch.rand(5, 4, 4) * 2 - 1
    latent = model.encode(images, actions[:, 0])
    future = model.rollout(latent, actions)
    assert torch.equal(loaded.encode(images, actions[:, 0]), latent)
    assert torch.equal(loaded.rollout(latent, actions), future)
    assert torch.equal(loaded.decode(latent), model.decode(latent))
    if method not in ("gcbc", "q_policy", "rig", "dreamer"):
        judged = future[:, -1], latent[:1]
        assert torch.equal(loaded.distance(*judged), model.distance(*judged))
    for name, weight in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], weight)


def refused(path, *words):
    with pytest.raises(CheckpointError) as error:
        load_checkpoint(path)
    for word in (str(path), *words):
        assert word in str(error.value)
    assert "\n" not in str(error.value).strip()


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.999])
def test_a_truncated_file_is_refused(saved, share):
    whole = saved.read_bytes()
    saved.write_bytes(whole[: int(share * len(whole))])
    refused(saved, "not a whole safetensors file")


def test_no_file_and_a_folder_are_refused(tmp_path):
    refused(tmp_path / "none.safetensors", "no checkpoint")
    refused(tmp_path, "no checkpoint")


def test_a_foreign_safetensors_file_is_refused(tmp_path):
    path = tmp_path / "foreign.safetensors"
    save_file({"weight": torch.zeros(3)}, path)
    refused(path, "latentplan")
    save_file({"weight": torch.zeros(3)}, path, metadata={"latentplan": "no json"})
    refused(path, "not a checkpoint of this package")


def rewrite(path, change):
    weights, values = load_file(path), json.loads(read_header(path).to_json())
    change(weights, values)
    save_file(weights, path, metadata={"latentplan": json.dumps(values)})


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda weights, header: header.update(format=99), "format"),
        (lambda weights, header: header.pop("camera"), "camera"),
        (lambda weights, header: header.pop("action_space"), "action_space"),
        (lambda weights, header: header["spec"].update(latent=10**9), "latent"),
        (lambda weights, header: header["spec"].update(latent=None), "latent"),
        (lambda weights, header: header["spec"].update(latent="big"), "latent"),
        (lambda weights, header: header.update(spec=[1, 2]), "latent"),
        (lambda weights, header: header["spec"].pop("channels"), "channels"),
        (lambda weights, header: header.update(reconstruction_rms=float("nan")), "reconstruction"),
        (lambda weights, header: header.update(reconstruction_rms="low"), "reconstruction"),
        (lambda weights, header: header.update(world_model=3), "world_model"),
        (lambda weights, header: header["spec"]["distance"].update(kind="x"), "'x'"),
        (lambda weights, header: header["spec"]["distance"].update(hidden="wide"), ""),
        (lambda weights, header: weights.pop("encoder.project.weight"), "encoder.project.weight"),
        (lambda weights, header: weights["encoder.project.bias"].fill_(float("nan")), "finite"),
    ],
)
def test_a_changed_file_is_refused_with_what_is_wrong(saved, change, word):
    rewrite(saved, change)
    with pytest.raises(CheckpointError) as error:
        load_checkpoint(saved)
    assert str(saved) in str(error.value)
    assert word in str(error.value)


def test_a_pickle_is_never_read(tmp_path):
    trace = tmp_path / "ran"

    class Trap:
        def __reduce__(self):
            return open, (str(trace), "w")

    path = tmp_path / "model.safetensors"
    path.write_bytes(pickle.dumps(Trap()))
    refused(path)
    torch.save({"trap": Trap()}, path)
    refused(path)
    assert not trace.exists()


def test_a_checkpoint_names_each_difference_to_robot_and_camera(saved):
    franka, header = load_profile("franka"), read_header(saved)
    header.require(franka, "main")
    other = replace(franka, action=replace(franka.action, translation_m=0.5, rate_hz=99.0))
    with pytest.raises(CheckpointError, match=r"translation_m.*rate_hz.*camera: 'main' is not 'l'"):
        header.require(other, "l")
    with pytest.raises(CheckpointError, match="robot: 'franka' is not 'sawyer'"):
        header.require(load_profile("sawyer"))


def test_a_checkpoint_names_each_difference_to_a_dataset(saved, tmp_path, capsys):
    header = read_header(saved)
    info = DatasetInfo(
        action_space=header.action_space,
        camera=header.camera,
        image_size=header.image_size,
        state_names=("joint1", "tcp_x", "tcp_y", "tcp_z"),
        source="bags",
        exploration_std=header.exploration_std,
    )
    header.require_dataset(info)
    other = replace(
        info, action_space=replace(info.action_space, robot="ur5e", rate_hz=4.0), camera="wrist"
    )
    with pytest.raises(CheckpointError, match=r"robot: 'ur5e'.*rate_hz: 4\.0.*camera: 'wrist'"):
        header.require_dataset(other)
    pictures = np.zeros((3, 64, 64, 3), np.uint8)
    with DatasetWriter(tmp_path / "D.zarr", other) as writer:
        writer.append(Episode(pictures, np.zeros((3, 4), np.float32), np.zeros((3, 4)), None))
    check = ["dataset", "check", str(tmp_path / "D.zarr"), "--checkpoint", str(saved)]
    assert cli.main(check) == 2
    assert "'wrist' is not" in capsys.readouterr().err


def test_a_checkpoint_from_before_world_models_were_shared_still_loads(saved):
    rewrite(saved, lambda weights, header: header.pop("world_model"))
    assert load_checkpoint(saved).header.world_model == ""


def test_a_failed_save_leaves_the_old_file(saved):
    before = saved.read_bytes()
    model, header = trained("mbold")
    with pytest.raises(TypeError):
        save_checkpoint(saved, model, replace(header, success={"arm": object()}))
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]
