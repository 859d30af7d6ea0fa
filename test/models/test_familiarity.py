"""Pictures of another scene, light or camera are told from those that a checkpoint knows."""

import numpy as np
import pytest

from latentplan_ros.data.preprocess import Preprocess
from latentplan_ros.models.checkpoint import load_checkpoint
from latentplan_ros.models.latent_world_model import PictureError
from latentplan_ros.resources import resource
from latentplan_ros.sim.environment import Environment
from latentplan_ros.sim.goals import FIRST_GOAL_SEED, make_goal
from latentplan_ros.sim.tasks import make_task


@pytest.fixture(scope="module")
def model():
    return load_checkpoint(resource("checkpoints/franka_drawer.safetensors"))


def goals(task, count):
    env = Environment(make_task(task))
    for kind in env.task.goal_kinds:
        for index in range(count):
            yield Preprocess().apply(make_goal(env, kind, FIRST_GOAL_SEED + 77, index).image)
    env.close()


def test_goals_of_its_own_scene_are_familiar(model):
    for picture in goals("franka_drawer", 5):
        model.require_familiar(picture)


@pytest.mark.parametrize("task", ["franka_reach", "franka_door", "sawyer_push1"])
def test_goals_of_other_scenes_are_not(model, task):
    for picture in goals(task, 2):
        with pytest.raises(PictureError, match="another scene"):
            model.require_familiar(picture)


@pytest.mark.parametrize(
    "change",
    [
        lambda picture: picture[..., ::-1],
        lambda picture: (picture * 0.6).astype(np.uint8),
        lambda picture: np.roll(picture, 6, axis=1),
        lambda picture: picture[::-1],
    ],
    ids=["bgr", "dark", "turned camera", "upside down"],
)
def test_neither_are_other_light_colours_and_cameras(model, change):
    for picture in goals("franka_drawer", 2):
        with pytest.raises(PictureError):
            model.require_familiar(change(picture))
