"""The same numbers, whoever computes them."""

import pytest
import torch

from latentplan_ros.models.latent_world_model import LatentWorldModel
from latentplan_ros.models.split_model import SplitModel

SPEC = {"latent": 8, "channels": 8, "hidden": 16, "layers": 1, "distance": None}


@pytest.mark.parametrize("rows", [1, 63, 101])
@pytest.mark.parametrize("threads", [2, 3])
def test_a_split_model_gives_the_numbers_of_the_whole_one(rows, threads):
    torch.manual_seed(0)
    model = LatentWorldModel(SPEC).eval()
    split = SplitModel(model, threads)
    pictures = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    actions = torch.rand(rows, 5, 4)
    with torch.inference_mode():
        now, goal = model.encode(pictures).chunk(2)
        for start in (now, now.expand(rows, -1)):
            imagined = split.rollout(start, actions)
            torch.testing.assert_close(imagined, model.rollout(start, actions))
            for aim in (goal, goal.expand(rows, -1)):
                far = split.distance(imagined[:, -1], aim)
                torch.testing.assert_close(far, model.distance(imagined[:, -1], aim))
        torch.testing.assert_close(split.encode(pictures), model.encode(pictures))
        few = imagined[:1]
        torch.testing.assert_close(split.decode(few), model.decode(few))


def test_an_error_in_any_part_is_the_callers():
    split = SplitModel(LatentWorldModel(SPEC), 2)
    with pytest.raises(RuntimeError, match="shapes"):
        split.rollout(torch.zeros(1, 12), torch.zeros(100, 3, 5))
