"""``latentplan train``: a checkpoint from one command, and one line for anything that is wrong."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from latentplan_ros import cli
from latentplan_ros.learning.methods import METHODS
from latentplan_ros.learning.train import RecipeError, load_recipe
from latentplan_ros.models.checkpoint import load_checkpoint
from latentplan_ros.resources import resource


def complains(capsys, arguments, *words):
    assert cli.main(["train", *map(str, arguments)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1, error
    for word in words:
        assert word in error


@pytest.mark.parametrize("method", METHODS)
def test_one_command_makes_one_checkpoint(corridor, recipe_file, tmp_path, method):
    out = tmp_path / "model.safetensors"
    arguments = ["train", method, "--data", str(corridor.path), "--out", str(out)]
    arguments += ["--recipe", str(recipe_file), "--accelerator", "cpu"]
    if method == "plan2vec":  # a local metric of twelve updates finds all but the same cell near
        settings = recipe_file.read_text()
        recipe_file.write_text(settings.replace("distance: {", "distance: {threshold: 0.01, "))
    if method in ("mahalanobis", "sfa"):  # have no sizes, and are not trained
        kept = [line for line in recipe_file.read_text().splitlines(True) if "head" not in line]
        recipe_file.write_text("".join(line for line in kept if "distance" not in line))
    assert cli.main(arguments) == 0
    model = load_checkpoint(out)
    assert model.header.method == method
    assert model.header.dataset_hash == corridor.content_hash()
    assert model.header.recipe["dynamics"]["learning_rate"] == 1e-3  # YAML gives a text
    latent = model.encode(torch.zeros(1, 3, 64, 64, dtype=torch.uint8))
    if method not in ("gcbc", "q_policy", "rig", "dreamer"):
        assert torch.isfinite(model.distance(latent, latent)).all()
    before = out.read_bytes()
    assert cli.main(arguments) == 0  # nothing is left to train
    assert out.read_bytes() == before


def test_no_dataset(tmp_path, capsys):
    missing = tmp_path / "none.zarr"
    complains(capsys, ["mbold", "--data", missing, "--out", tmp_path / "m"], str(missing))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("worldmodel: {updates: 3}", ["worldmodel", "world_model"]),
        ("world_model: {update: 3}", ["world_model", "update", "updates"]),
        ("world_model: {updates: many}", ["world_model: updates", "whole number", "'many'"]),
        ("world_model: {updates: 2.5}", ["whole number"]),
        ("world_model: {updates: true}", ["whole number"]),
        ("dynamics: {learning_rate: fast}", ["dynamics: learning_rate", "a number"]),
        ("dynamics:", ["dynamics", "None"]),
        ("dynamics: [1]", ["dynamics", "[1]"]),
        ("model: {latnet: 3}", ["model", "latnet", "latent"]),
        ("model: {latent: big}", ["model: latent", "'big'"]),
        ("model: {latent: 8, points: 4}", ["points", "8 numbers"]),
        ("model: {members: 2}\nvideo: {updates: 1}", ["video", "members"]),
        ("planner: {samples: 9}", ["planner", "samples", "reluctance"]),
        ("planner: {reluctance: -0.5}", ["planner", "at least 0"]),
        ("planner: {moments: 0}", ["planner", "at least 1"]),
        ("head: {width: 3}", ["head", "width", "hidden"]),
        ("head: 3", ["head", "3"]),
        ("distance: {pp: 3}", ["distance", "pp", "negatives"]),
        ("distance: {p: lots}", ["distance: p", "'lots'"]),
        ("held_out: half", ["held_out", "'half'"]),
        ("[1, 2]", ["[1, 2]"]),
        ("{", ["cannot read recipe"]),
    ],
)
def test_a_wrong_recipe_is_told_before_anything_is_trained(corridor, tmp_path, capsys, text, words):
    recipe, out = tmp_path / "wrong.yaml", tmp_path / "out" / "m.safetensors"
    recipe.write_text(text)
    complains(capsys, ["mbold", "--data", corridor.path, "--out", out, "--recipe", recipe], *words)
    assert not out.parent.exists()


def test_an_arm_is_not_told_to_hold_by_no_feature_at_all(corridor, tmp_path, capsys):
    recipe, out = tmp_path / "wrong.yaml", tmp_path / "m.safetensors"
    recipe.write_text("head: {hold: 3.0, hold_features: 0}")
    arguments = ["mbold_sfa", "--data", corridor.path, "--out", out, "--recipe", recipe]
    complains(capsys, arguments, "hold_features", "1 to 64", "not 0")


def test_a_training_does_not_go_on_with_other_data(
    corridor, other_corridor, recipe_file, tmp_path, capsys
):
    out, other = tmp_path / "m.safetensors", other_corridor.path
    common = ["--out", str(out), "--recipe", str(recipe_file), "--accelerator", "cpu"]
    assert cli.main(["train", "latent_l2", "--data", str(corridor.path), *common]) == 0
    before = out.read_bytes()
    capsys.readouterr()
    complains(
        capsys,
        ["latent_l2", "--data", other, *common],
        str(out.with_suffix(".training")),
        str(corridor.path),
        str(other),
    )
    assert out.read_bytes() == before


def test_one_episode_over_and_over_teaches_nothing(one_episode_again, tmp_path, capsys):
    data, out = one_episode_again.path, tmp_path / "m.safetensors"
    complains(capsys, ["latent_l2", "--data", data, "--out", out], str(data), "all 5 episodes")
    assert not out.exists()


def test_recipes_that_are_not_there(corridor, tmp_path, capsys):
    common = ["mbold", "--data", corridor.path, "--out", tmp_path / "m", "--recipe"]
    complains(capsys, [*common, tmp_path / "none.yaml"], "none.yaml")
    complains(capsys, [*common, "no_such_recipe"], "no_such_recipe")


def test_an_output_that_cannot_be_written(corridor, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "m.safetensors"
    complains(capsys, ["mbold", "--data", corridor.path, "--out", out], str(tmp_path / "file"))


def test_an_unknown_method(tmp_path, capsys):
    with pytest.raises(SystemExit) as exit_:
        cli.main(["train", "magic", "--data", "d", "--out", str(tmp_path / "m")])
    assert exit_.value.code == 2
    assert "mbold" in capsys.readouterr().err


def test_the_shipped_recipes_are_valid():
    for recipe in resource("config/recipes").glob("*.yaml"):
        assert load_recipe(recipe.stem).world_model.updates > 0
    assert load_recipe("no_negatives").distance == {"negatives": 0.0}
    with pytest.raises(RecipeError):
        load_recipe("none.yaml")


def curve(folder, stage):
    lines = (folder / "tensorboard" / stage / "losses.jsonl").read_text().splitlines()
    return [json.loads(line)["loss"] for line in lines]


def test_two_processes_learn_as_one_with_the_same_total_batch(corridor, tmp_path):
    recipe = tmp_path / "r.yaml"
    recipe.write_text(
        "model: {latent: 8, channels: 2, hidden: 32, layers: 2}\n"
        "world_model: {updates: 60, batch_size: 16, horizon: 3}\n"
        "dynamics: {updates: 200, batch_size: 128, horizon: 3, learning_rate: 3e-3}\n"
    )
    runs, curves = {}, []
    for processes in (1, 2):
        out = tmp_path / f"{processes}" / "m.safetensors"
        launcher = [sys.executable]
        if processes > 1:
            launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
            launcher += ["--nproc_per_node", str(processes)]
        command = [*launcher, "-m", "latentplan_ros.cli", "train", "latent_l2"]
        command += ["--data", str(corridor.path), "--out", str(out), "--recipe", str(recipe)]
        command += ["--devices", str(processes), "--accelerator", "cpu"]
        runs[processes, out] = subprocess.Popen(
            command,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
    try:
        for (processes, out), run in runs.items():
            _, said = run.communicate(timeout=120)
            assert run.returncode == 0, said[-3000:]
            load_checkpoint(out)
            folder = out.with_suffix(".training")
            states = [f.name for f in folder.glob("dynamics.*.state")]
            assert len(states) == processes
            curves.append([curve(folder, "world_model"), curve(folder, "dynamics")])
    finally:
        for run in runs.values():
            run.kill()
    for one, two in zip(*curves, strict=True):
        assert len(one) == len(two)
        np.testing.assert_allclose(one, two, rtol=0.4)
        assert one[-1] < one[0]
        assert two[-1] < two[0]
