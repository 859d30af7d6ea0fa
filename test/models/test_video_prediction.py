"""Video prediction: pictures put together from earlier pixels, and a file that says so."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from benchmarks.untrained import untrained_header
from latentplan_ros.learning.train import load_recipe
from latentplan_ros.models.checkpoint import (
    CheckpointError,
    load_checkpoint,
    read_header,
    save_checkpoint,
)
from latentplan_ros.models.video_prediction import VideoPredictor
from latentplan_ros.models.video_world_model import VideoWorldModel

Q = {"kind": "q", "hidden": 16, "layers": 3, "actor_layers": 3, "discount": 0.8}
SPEC = {
    "kind": "video",
    "latent": 8,
    "channels": 2,
    "hidden": 16,
    "layers": 2,
    "distance": Q,
    "video": {"filters": 2, "kernels": 2, "kernel_size": 5},
}


@pytest.fixture
def predictor():
    torch.manual_seed(0)
    return VideoPredictor(4, 3, 5).requires_grad_(False)


def inputs(predictor, count=2):
    pictures = torch.rand(2, count, 3, 64, 64)
    return *pictures, torch.rand(count, predictor.state_size), torch.rand(count, 8) * 2 - 1


def test_masks_share_out_each_pixel_and_kernels_keep_brightness(predictor):
    images, masks, state = predictor.parts(*inputs(predictor))
    assert images.shape == (2, 6, 3, 64, 64)
    assert masks.shape == (2, 6, 64, 64)
    assert masks.min() >= 0
    torch.testing.assert_close(masks.sum(dim=1), torch.ones(2, 64, 64))
    assert state.shape == (2, predictor.state_size)
    grey = torch.full((2, 3, 64, 64), 0.3)
    moved = predictor.parts(grey, *inputs(predictor)[1:])[0][:, :3]
    torch.testing.assert_close(moved, torch.full_like(moved, 0.3))


def test_each_picture_is_moved_by_its_own_kernels(predictor):
    dots = torch.zeros(2, 3, 64, 64)
    dots[:, :, 20, 30] = 1.0
    kernels = torch.full((2, 3, 5, 5), -50.0)
    kernels[0, :, 2, 1] = 50.0  # what is one to the left comes here: to the right
    kernels[1, :, 3, 2] = 50.0  # what is one below comes here: up
    moved = predictor._moved(dots, kernels.flatten(1))
    for picture, (row, column) in enumerate([(20, 31), (19, 30)]):
        assert moved[picture, :, :, row, column].min() > 0.99
        assert moved[picture].sum() == pytest.approx(9.0, abs=0.01)  # 3 kernels x 3 colours


def test_a_new_predictor_leaves_pictures_nearly_as_they_are(predictor):
    picture, first, state, actions = inputs(predictor)
    after, _ = predictor(picture, first, 0.0 * state, actions)
    assert (after - picture).abs().mean() < 0.5 * (first - picture).abs().mean()


def header(spec):
    return untrained_header("mbold", spec)


@pytest.fixture
def saved(tmp_path):
    torch.manual_seed(1)
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, VideoWorldModel(SPEC), header(SPEC))
    return path


@torch.inference_mode()
def test_a_round_trip_changes_no_bit(saved):
    torch.manual_seed(1)
    model, loaded = VideoWorldModel(SPEC).eval(), load_checkpoint(saved)
    assert isinstance(loaded, VideoWorldModel)
    assert loaded.header == header(SPEC)
    images = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    actions = torch.rand(2, 3, 4) * 2 - 1
    latent = model.encode(images, actions[:, 0])
    future = model.rollout(latent, actions)
    assert torch.equal(loaded.rollout(loaded.encode(images, actions[:, 0]), actions), future)
    goal = latent[:1]
    assert torch.equal(loaded.distance(future[:, -1], goal), model.distance(future[:, -1], goal))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"kind": "film"}, "kind 'film'"),
        ({"kind": ["video"]}, "kind"),
        ({"video": None}, "video filters"),
        ({"video": {"filters": 10**6, "kernels": 2, "kernel_size": 5}}, "video filters"),
        ({"video": {"filters": 2, "kernels": 2, "kernel_size": 4}}, "odd"),
        ({"video": {"filters": 3, "kernels": 2, "kernel_size": 5}}, "not"),
        ({"kind": "latent"}, "video."),
    ],
)
def test_a_changed_header_is_refused(saved, change, word):
    values = json.loads(read_header(saved).to_json())
    values["spec"].update(change)
    save_file(load_file(saved), saved, metadata={"latentplan": json.dumps(values)})
    with pytest.raises(CheckpointError) as error:
        load_checkpoint(saved)
    assert str(saved) in str(error.value)
    assert word in str(error.value)


def test_the_recipe_makes_a_file_below_ten_megabytes(tmp_path):
    recipe = load_recipe("franka_drawer_video")
    head = {"kind": "q", "hidden": 128, "layers": 6, "actor_layers": 10, "discount": 0.8}
    spec = {**recipe.model, "kind": "video", "distance": head, "video": recipe.video.sizes()}
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, VideoWorldModel(spec), header(spec))
    assert path.stat().st_size < 10e6
    assert isinstance(load_checkpoint(path), VideoWorldModel)
