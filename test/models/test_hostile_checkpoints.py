"""Checkpoints made to do harm: small files that ask for networks of any size, or of none."""

import json
import struct
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from benchmarks.untrained import untrained_header
from latentplan_ros.models.checkpoint import (
    CheckpointError,
    load_checkpoint,
    read_header,
    save_checkpoint,
)
from latentplan_ros.models.latent_world_model import LatentWorldModel

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks import limits

HEAD = {"kind": "q", "hidden": 4, "layers": 3, "actor_layers": 2, "discount": 0.8}
SPEC = {"latent": 4, "channels": 1, "hidden": 4, "layers": 1, "distance": HEAD}


@pytest.fixture
def path(tmp_path):
    header = untrained_header("mbold", SPEC)
    torch.manual_seed(0)
    save_checkpoint(tmp_path / "model.safetensors", LatentWorldModel(SPEC), header)
    return tmp_path / "model.safetensors"


def refused(path: Path) -> None:
    with limits.memory(2**29), limits.seconds(20.0), pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "planner",
    [
        {"samples": 10**9},
        {"moments": 4.0},
        {"moments": 10**9},
        {"reluctance": -1.0},
        {"reluctance": float("nan")},
        {"reluctance": "0.8"},
        ["moments"],
    ],
)
def test_a_recipe_asks_nothing_unusual_of_the_planner(tmp_path, planner):
    header = replace(untrained_header("mbold", SPEC), recipe={"planner": planner})
    save_checkpoint(tmp_path / "model.safetensors", LatentWorldModel(SPEC), header)
    refused(tmp_path / "model.safetensors")


@pytest.mark.parametrize("length", [0, 2**27, 2**40, 2**60, 2**64 - 1])
def test_a_header_longer_than_the_file_costs_nothing(path, length):
    path.write_bytes(struct.pack("<Q", length) + b"{}" + b" " * 90)
    refused(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"latent": 4096, "hidden": 4096, "channels": 4096},
        {"layers": 4096},
        {"layers": 64, "hidden": 4096},
        {"distance": HEAD | {"actor_layers": 10**9}},
        {"distance": HEAD | {"hidden": 10**9}},
        {"distance": HEAD | {"hidden": -4}},
        {"distance": HEAD | {"actor_layers": 2.5}},
        {"distance": HEAD | {"discount": 1.0}},
        {"distance": HEAD | {"discount": "0.8"}},
        {"distance": HEAD | {"discount": 0.0}},
        {"distance": HEAD | {"nearness": "near"}},
        {"distance": HEAD | {"nearness": float("nan")}},
        {"distance": HEAD | {"forward": 1}},
        {"distance": {"kind": []}},
        {"distance": 7},
        {"latent": True},
    ],
)
def test_networks_that_the_file_does_not_hold_are_never_built(path, changes):
    rewrite(path, spec=SPEC | changes)
    refused(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"image_size": 10**6},
        {"image_size": 32},
        {"image_size": "64"},
        {"exploration_std": [0.1, float("inf"), 0.1, 0.1]},
        {"exploration_std": "abcd"},
        {"exploration_std": 7},
        {"camera": 7},
        {"recipe": []},
        {"seed": None},
        {"action_space": {"robot": "x", "translation_m": 1, "rate_hz": 10, "gripper_m": [1]}},
    ],
)
def test_headers_of_another_kind_are_refused(path, changes):
    rewrite(path, **changes)
    refused(path)


def test_a_header_nested_very_deep_is_refused(path):
    save_file(load_file(path), path, metadata={"latentplan": "[" * 100_000})
    refused(path)


def rewrite(path: Path, **changes: object) -> None:
    values = json.loads(read_header(path).to_json()) | changes
    save_file(load_file(path), path, metadata={"latentplan": json.dumps(values)})
