"""Maps of pictures on disk: what was saved comes back, anything else is refused."""

import json

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from latentplan_ros.models.global_metric import GlobalMetric, lp_distance
from latentplan_ros.models.picture_map import MapError, PictureMap

PICTURES = np.random.default_rng(0).integers(0, 256, (5, 64, 64), dtype=np.uint8)


@pytest.fixture
def saved(tmp_path):
    torch.manual_seed(0)
    found = PictureMap(8, 4, 1.5, threshold=1.3).eval()
    found.save(tmp_path / "deep" / "map.safetensors")
    return found, tmp_path / "deep" / "map.safetensors"


def test_what_is_saved_comes_back(saved):
    found, file = saved
    again = PictureMap.load(file)
    assert (again.threshold, again.metric.p, again.sizes) == (1.3, 1.5, found.sizes)
    np.testing.assert_array_equal(again.points(PICTURES), found.points(PICTURES))
    np.testing.assert_array_equal(again.features(PICTURES), found.features(PICTURES))
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("length", [0, 1, 200, 5000])
def test_a_torn_file_is_refused(saved, length):
    file = saved[1]
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(MapError, match=r"map\.safetensors is not a map"):
        PictureMap.load(file)


@pytest.mark.parametrize(
    "change",
    [
        {"features": 16},
        {"latent": 10**9},
        {"p": "2"},
        {"threshold": float("nan")},
        {"other": 1},
        "not json",
    ],
)
def test_a_file_of_other_contents_is_refused(saved, change):
    file = saved[1]
    with safe_open(file, "pt") as kept:
        about = kept.metadata()
    if isinstance(change, dict):
        about["about"] = json.dumps(json.loads(about["about"]) | change)
    else:
        about["about"] = change
    save_file(load_file(file), file, about)
    with pytest.raises(MapError, match=r"map\.safetensors is not a map"):
        PictureMap.load(file)


@pytest.mark.parametrize("p", [1.2, 1.5, 2.0])
def test_the_global_metric_is_a_metric(p):
    torch.manual_seed(0)
    metric = GlobalMetric(3, p).eval()
    a, b, c = torch.randint(0, 256, (3, 20, 64, 64), dtype=torch.uint8)
    with torch.no_grad():
        ab, ba, bc, ac = metric(a, b), metric(b, a), metric(b, c), metric(a, c)
        same = metric(a, a)
    torch.testing.assert_close(ab, ba)
    assert (same < 1e-3).all()
    assert (ac <= ab + bc + 1e-4).all(), "no way round is shorter"


def test_lp_distance_has_a_gradient_where_nothing_is_apart():
    points = torch.zeros(3, 4, requires_grad=True)
    lp_distance(points, points.detach(), 1.2).sum().backward()
    assert torch.isfinite(points.grad).all()
