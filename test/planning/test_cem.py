import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from point_mass import REACH, PointMass

from latentplan_ros.planning import CEM, PlanningError

STD = (0.6, 0.6, 0.3, 0.3)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_finds_the_way_to_a_goal_within_reach() -> None:
    start, goal = torch.zeros(1, 3), torch.tensor([[0.3, -0.2, 0.1]])
    plan = CEM(STD, iterations=8, moments=1, reluctance=0.0).plan(
        PointMass(), start, goal, generator=seeded()
    )
    assert plan.cost < 0.25
    arrived = REACH * plan.actions[:, :3].sum(axis=0)
    np.testing.assert_allclose(arrived, goal[0], atol=0.25 * REACH)


def test_reports_what_the_model_says_of_the_plan_it_returns() -> None:
    model, start, goal = PointMass(), torch.zeros(1, 3), torch.tensor([[0.5, 0.0, 0.2]])
    plan = CEM(STD, moments=2).plan(model, start, goal, generator=seeded())
    latents = model.rollout(start, torch.from_numpy(plan.actions)[None])
    torch.testing.assert_close(plan.latents, latents[0])
    halfway, end = (model.distance(latents[:, at], goal).item() for at in (5, 12))
    assert plan.cost == pytest.approx((halfway + end) / 2, abs=1e-5)
    assert plan.cost == pytest.approx(plan.stats["costs"].min(), abs=1e-6)
    assert plan.stats["costs"].shape == (3, 200)
    assert plan.stats["elite_actions"].shape == (10, 13, 4)
    assert plan.stats["milliseconds"] > 0


def test_more_iterations_are_better() -> None:
    start, goal = torch.zeros(1, 3), torch.tensor([[0.9, -0.9, 0.4]])
    costs = [
        np.mean(
            [
                CEM(STD, iterations=n).plan(PointMass(), start, goal, generator=seeded(s)).cost
                for s in range(10)
            ]
        )
        for n in (1, 3, 8)
    ]
    assert costs[0] > costs[1] > costs[2]


def test_with_more_moments_it_arrives_sooner_and_stays() -> None:
    start, goal = torch.zeros(1, 3), torch.tensor([[0.15, 0.0, 0.0]])

    def on_the_way(moments: int) -> float:
        cem = CEM(STD, iterations=6, moments=moments, reluctance=0.0)
        plan = cem.plan(PointMass(), start, goal, generator=seeded())
        return float((plan.latents - goal).abs().amax(dim=1).mean())

    assert on_the_way(13) < 0.8 * on_the_way(1)


def test_at_the_goal_it_keeps_still() -> None:
    start = torch.tensor([[0.2, -0.1, 0.3]])
    plan = CEM(STD).plan(PointMass(), start, start, generator=seeded())
    assert not plan.actions.any()
    assert plan.cost == 0.0


def test_it_moves_for_more_than_its_reluctance_alone() -> None:
    start, goal = torch.zeros(1, 3), torch.tensor([[0.05, 0.0, 0.0]])  # half a step away
    moving = CEM(STD, reluctance=0.2).plan(PointMass(), start, goal, generator=seeded())
    still = CEM(STD, reluctance=0.6).plan(PointMass(), start, goal, generator=seeded())
    assert moving.actions.any()
    assert moving.cost < 0.3
    assert not still.actions.any()
    assert still.cost == pytest.approx(0.5, abs=1e-5)


def test_a_warm_start_helps_and_is_never_lost() -> None:
    start, goal = torch.zeros(1, 3), torch.tensor([[0.9, -0.9, 0.4]])
    cem, model = CEM(STD, iterations=2), PointMass()
    cold = cem.plan(model, start, goal, generator=seeded(1))
    warm = cem.plan(model, start, goal, warm=cold.actions, generator=seeded(2))
    again = cem.plan(model, start, goal, generator=seeded(2))
    assert warm.cost < again.cost
    assert warm.cost <= cold.cost + 1e-6


def test_the_generator_alone_decides_the_plan() -> None:
    start, goal = torch.zeros(1, 3), torch.tensor([[0.4, 0.4, 0.0]])
    plans = [CEM(STD).plan(PointMass(), start, goal, generator=seeded(s)) for s in (3, 3, 4)]
    np.testing.assert_array_equal(plans[0].actions, plans[1].actions)
    assert not np.array_equal(plans[0].actions, plans[2].actions)


def test_planning_for_many_is_planning_for_each_in_one_model_call_an_iteration() -> None:
    starts = torch.tensor([[0.0, 0, 0], [0.5, 0, 0], [-0.5, 0.2, 0]])
    goals = torch.tensor([[0.4, 0, 0], [0.0, 0.3, 0], [0.0, 0.0, 0.3]])
    model, cem = PointMass(), CEM(STD)
    together = cem.plan_batch(model, starts, goals, generators=[seeded(s) for s in range(3)])
    assert model.rollouts == cem.iterations
    for i, plan in enumerate(together):
        alone = cem.plan(model, starts[i : i + 1], goals[i : i + 1], generator=seeded(i))
        np.testing.assert_allclose(plan.actions, alone.actions, atol=1e-5)
        assert plan.cost == pytest.approx(alone.cost, abs=1e-4)


@given(scale=st.floats(0.1, 20.0), seed=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_actions_stay_in_range(scale: float, seed: int) -> None:
    cem = CEM([scale] * 4, samples=30, iterations=2, horizon=5)
    plan = cem.plan(PointMass(), torch.zeros(1, 3), torch.full((1, 3), 5.0), generator=seeded(seed))
    assert np.abs(plan.actions).max() <= 1.0
    assert plan.actions.dtype == np.float32


class Broken(PointMass):
    def distance(self, latent: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        steps = super().distance(latent, goal)
        steps[:3] = torch.nan
        return steps


def test_a_distance_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(PlanningError, match=r"not finite for 3 of 200 candidates in iteration 1"):
        CEM(STD, moments=1).plan(Broken(), torch.zeros(1, 3), torch.zeros(1, 3))


def test_an_encoding_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(PlanningError, match="goal picture is not finite"):
        CEM(STD).plan(PointMass(), torch.zeros(1, 3), torch.full((1, 3), torch.nan))


@pytest.mark.parametrize("warm", [np.zeros((12, 4)), np.full((13, 4), np.nan)])
def test_a_warm_start_that_does_not_fit_is_refused(warm: np.ndarray) -> None:
    with pytest.raises(PlanningError, match="start from"):
        CEM(STD).plan(PointMass(), torch.zeros(1, 3), torch.zeros(1, 3), warm=warm)


@pytest.mark.parametrize(
    "settings",
    [
        {"elites": 0},
        {"elites": 300},
        {"iterations": 0},
        {"temperature": 0.0},
        {"beta": 0.0},
        {"moments": 14},
        {"reluctance": -0.1},
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(PlanningError, match=next(iter(settings))):
        CEM(STD, **settings)  # type: ignore[arg-type]


def test_out_of_time_it_hands_over_the_best_so_far() -> None:
    model = PointMass()
    start, goal = torch.zeros(1, 3), torch.tensor([[0.3, -0.2, 0.1]])
    hurried = CEM(STD, iterations=50, time_limit_s=1e-6).plan(
        model, start, goal, generator=seeded()
    )
    assert hurried.stats["costs"].shape == (1, 200)
    assert hurried.cost == pytest.approx(hurried.stats["costs"].min(), abs=1e-6)
    once = CEM(STD, iterations=1).plan(model, start, goal, generator=seeded())
    np.testing.assert_array_equal(hurried.actions, once.actions)
    enough = CEM(STD, iterations=4, time_limit_s=60.0).plan(model, start, goal, generator=seeded())
    assert enough.stats["costs"].shape == (4, 200)
