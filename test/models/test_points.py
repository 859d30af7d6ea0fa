"""Points: where something is in the picture, and how they are drawn again."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.untrained import untrained_header
from latentplan_ros.models.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from latentplan_ros.models.latent_world_model import LatentWorldModel
from latentplan_ros.models.points import PointDecoder, PointEncoder

SPEC = {
    "latent": 12,
    "channels": 4,
    "hidden": 16,
    "layers": 1,
    "points": 4,
    "distance": None,
}


def looking_for_red() -> PointEncoder:
    """An encoder whose first feature map is how red each 4 x 4 cell is."""
    encoder = PointEncoder(12, 4, 4)
    for layer in [*encoder.low, *encoder.maps]:
        if isinstance(layer, torch.nn.Conv2d):
            torch.nn.init.zeros_(layer.weight)
            torch.nn.init.zeros_(layer.bias)
            centre = slice(1, 3) if layer.kernel_size == (4, 4) else slice(None)
            if layer.kernel_size == (3, 3):
                layer.weight.data[0, 0, 1, 1] = 1.0
            else:
                layer.weight.data[0, 0, centre, centre] = 1.0
    return encoder


@given(row=st.integers(2, 13), column=st.integers(2, 13))
def test_a_point_is_where_its_feature_is(row: int, column: int) -> None:
    picture = torch.zeros(1, 3, 64, 64, dtype=torch.uint8)
    picture[0, 0, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4] = 255
    with torch.no_grad():
        x, y = looking_for_red()(picture)[0, :2] / 3.0
    expected = np.array([column, row]) / 15 * 2 - 1
    np.testing.assert_allclose([x, y], expected, atol=2 / 15)


def test_what_is_drawn_follows_a_point() -> None:
    """Only the spots of one point differ, so the picture changes where it was and where it is."""
    torch.manual_seed(0)
    decoder = PointDecoder(12, 4, 4)
    latents = torch.zeros(3, 12)
    latents[:, :8] = 9.0  # far outside the picture
    latents[1, :2] = torch.tensor([-1.5, -1.5])  # up and left
    latents[2, :2] = torch.tensor([1.5, 1.5])
    with torch.no_grad():
        pictures = decoder(latents)
    for index, (place, elsewhere) in enumerate([((16, 16), (48, 48)), ((48, 48), (16, 16))], 1):
        changed = (pictures[index] - pictures[0]).abs().amax(0)
        assert changed[place] > 1e-4
        assert changed[elsewhere] < 1e-2 * changed[place]


def test_a_model_with_points_is_one_like_any_other(tmp_path) -> None:
    path = tmp_path / "points.safetensors"
    torch.manual_seed(0)
    model = LatentWorldModel(SPEC)
    save_checkpoint(path, model, untrained_header("latent_l2", SPEC, "sawyer_reach"))
    again = load_checkpoint(path)
    pictures = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    with torch.no_grad():
        torch.testing.assert_close(again.encode(pictures), model.eval().encode(pictures))
    assert again.decode(again.encode(pictures)).shape == (2, 3, 64, 64)


@pytest.mark.parametrize("points", [6, 7, -1, 2.5, True, "3", 10**9])
def test_points_that_do_not_fit_are_refused(tmp_path, points) -> None:
    path = tmp_path / "points.safetensors"
    header = untrained_header("latent_l2", SPEC | {"points": points}, "sawyer_reach")
    save_checkpoint(path, LatentWorldModel(SPEC), header)
    with pytest.raises(CheckpointError, match="points"):
        load_checkpoint(path)
