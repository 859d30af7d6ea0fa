import numpy as np
import pytest
import torch
from point_mass import REACH, PointMass, picture

from latentplan_ros.planning import CEM, BatchController, Controller, PixelDistance, PlanningError

STD = (0.6, 0.6, 0.3, 0.3)


def image(position: np.ndarray) -> np.ndarray:
    return picture(tuple(position))[0].permute(1, 2, 0).numpy()


def drive(controller: Controller, goal: np.ndarray, steps: int) -> np.ndarray:
    position = np.zeros(3)
    controller.set_goal(image(goal))
    for _ in range(steps):
        action, _ = controller.act(image(position))
        position = position + REACH * action[:3]
    return position


@pytest.mark.parametrize("replan_every", [1, 6])
def test_reaches_the_goal(replan_every: int) -> None:
    goal = np.array([0.5, -0.5, 0.2])
    end = drive(Controller(PointMass(), CEM(STD, horizon=8), replan_every), goal, 24)
    np.testing.assert_allclose(end, goal, atol=0.08)


def test_reaches_the_goal_by_pixels() -> None:
    goal = np.array([0.5, -0.5, 0.2])
    end = drive(Controller(PixelDistance(PointMass()), CEM(STD, horizon=8)), goal, 24)
    np.testing.assert_allclose(end, goal, atol=0.12)


def test_plans_only_every_nth_time_and_executes_the_plan_in_between() -> None:
    model = PointMass()
    controller = Controller(model, CEM(STD, horizon=4), replan_every=3)
    controller.set_goal(image(np.ones(3) * 0.5))
    seen = [controller.act(image(np.zeros(3))) for _ in range(6)]
    assert model.rollouts == 2 * 3
    for step, (action, plan) in enumerate(seen):
        np.testing.assert_array_equal(action, plan.actions[step % 3])


def test_a_plan_is_never_run_past_its_end() -> None:
    model = PointMass()
    controller = Controller(model, CEM(STD, horizon=2, iterations=1, moments=1), replan_every=6)
    controller.set_goal(image(np.ones(3) * 0.5))
    for _ in range(6):
        controller.act(image(np.zeros(3)))
    assert model.rollouts == 3


def test_a_new_goal_forgets_the_old_plan() -> None:
    controller = Controller(PointMass(), CEM(STD), seed=5)
    fresh = Controller(PointMass(), CEM(STD), seed=5)
    controller.set_goal(image(np.ones(3) * 0.9))
    for _ in range(3):
        controller.act(image(np.zeros(3)))
    for each in (controller, fresh):
        each.set_goal(image(-np.ones(3) * 0.5))
    np.testing.assert_array_equal(
        controller.act(image(np.zeros(3)))[0], fresh.act(image(np.zeros(3)))[0]
    )


def test_a_batch_acts_as_each_would_alone() -> None:
    goals = np.stack([image(np.ones(3) * 0.5), image(-np.ones(3) * 0.3)])
    now = np.stack([image(np.zeros(3))] * 2)
    together = BatchController(PointMass(), CEM(STD), replan_every=2)
    together.reset(goals, seeds=[7, 8])
    alone = [Controller(PointMass(), CEM(STD), replan_every=2, seed=s) for s in (7, 8)]
    for controller, goal in zip(alone, goals, strict=True):
        controller.set_goal(goal)
    for _ in range(5):
        actions = together.act(now)
        expected = [c.act(now[0])[0] for c in alone]
        np.testing.assert_allclose(actions, expected, atol=1e-5)


def test_acting_without_a_goal_is_refused() -> None:
    with pytest.raises(PlanningError, match="no goal"):
        Controller(PointMass(), CEM(STD)).act(image(np.zeros(3)))


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros((64, 64, 3), np.float32),
        np.zeros((64, 64, 4), np.uint8),
        np.zeros((64, 64), np.uint8),
    ],
)
def test_a_picture_of_another_kind_is_refused(bad: np.ndarray) -> None:
    controller = Controller(PointMass(), CEM(STD))
    with pytest.raises(PlanningError, match="RGB"):
        controller.set_goal(bad)


def test_pixels_are_compared_with_the_goal_as_the_camera_saw_it() -> None:
    model = PixelDistance(PointMass())
    goal = picture((0.0, 0.0, 0.0))
    goal[:, :, :8, :8] = 255  # a mark that the decoder cannot draw
    latent = model.encode(picture((0.0, 0.0, 0.0)))
    imagined = model.rollout(latent, torch.zeros(5, 2, 4))[:, -1]
    marked, plain = model.distance(imagined, model.encode(goal)), model.distance(imagined, latent)
    assert (marked > plain + 5.0).all()


def test_the_model_is_told_which_action_led_to_the_picture() -> None:
    class Told(PointMass):
        def __init__(self) -> None:
            super().__init__()
            self.lasts: list[np.ndarray | None] = []

        def encode(self, images: torch.Tensor, last: torch.Tensor | None = None) -> torch.Tensor:
            self.lasts.append(None if last is None else last.numpy())
            return super().encode(images)

    model = Told()
    controller = Controller(model, CEM(STD))
    controller.set_goal(image(np.ones(3) * 0.5))
    first, _ = controller.act(image(np.zeros(3)))
    controller.act(image(np.zeros(3)))
    controller.set_goal(image(np.ones(3) * 0.2))
    controller.act(image(np.zeros(3)))
    goal, start, following, _, again = model.lasts
    assert (goal, start, again) == (None, None, None)
    assert following is not None
    np.testing.assert_array_equal(following[0], first)
