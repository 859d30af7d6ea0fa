"""What every planner promises, and what sets each apart."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from point_mass import PointMass

from latentplan_ros.planning import CEM, ICEM, MPPI, GradientCEM, PlanningError
from latentplan_ros.planning.noise import coloured_noise

STD = (0.6, 0.6, 0.3, 0.3)
PLANNERS = [CEM, ICEM, MPPI, GradientCEM]
START, GOAL = torch.zeros(1, 3), torch.tensor([[0.5, -0.4, 0.2]])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def mean_cost(planner):
    plans = [planner.plan(PointMass(), START, GOAL, generator=seeded(s)) for s in range(10)]
    return np.mean([plan.cost for plan in plans])


@pytest.mark.parametrize("planner", PLANNERS)
def test_it_comes_nearer_with_every_iteration(planner):
    costs = [mean_cost(planner(STD, iterations=n)) for n in (1, 3, 8)]
    assert costs[0] > costs[1] > costs[2]


@pytest.mark.parametrize("planner", PLANNERS)
def test_the_plan_costs_what_the_model_says_of_it(planner):
    model = PointMass()
    plan = planner(STD, moments=2).plan(model, START, GOAL, generator=seeded())
    latents = model.rollout(START, torch.from_numpy(plan.actions)[None])
    torch.testing.assert_close(plan.latents, latents[0])
    halfway, end = (model.distance(latents[:, at], GOAL).item() for at in (5, 12))
    assert plan.cost == pytest.approx((halfway + end) / 2, abs=1e-5)
    assert plan.cost == pytest.approx(np.nanmin(plan.stats["costs"]), abs=1e-6)


@pytest.mark.parametrize("planner", PLANNERS)
def test_at_the_goal_it_keeps_still(planner):
    plan = planner(STD).plan(PointMass(), GOAL, GOAL, generator=seeded())
    assert not plan.actions.any()


@pytest.mark.parametrize("planner", PLANNERS)
def test_it_keeps_still_where_the_model_says_that_it_has_arrived(planner):
    class Content(PointMass):
        def arrived(self, latent, goal):
            return self.distance(latent, goal) < 2.0

    starts, goals = torch.zeros(2, 3), torch.tensor([[0.19, 0, 0], [0.21, 0, 0]])
    there, near = planner(STD, reluctance=0.0).plan_batch(
        Content(), starts, goals, generators=[seeded(), seeded()]
    )
    assert not there.actions.any()
    assert there.cost == pytest.approx(1.9)
    assert near.actions.any()
    assert near.cost < 2.1


@pytest.mark.parametrize("planner", PLANNERS)
def test_many_situations_are_planned_for_as_each_alone(planner):
    starts = torch.tensor([[0.0, 0, 0], [0.5, 0, 0], [-0.5, 0.2, 0]])
    goals = torch.tensor([[0.4, 0, 0], [0.0, 0.3, 0], [0.0, 0.0, 0.3]])
    generators = [seeded(s) for s in range(3)]
    together = planner(STD).plan_batch(PointMass(), starts, goals, generators=generators)
    for i, plan in enumerate(together):
        alone = planner(STD).plan(
            PointMass(), starts[i : i + 1], goals[i : i + 1], generator=seeded(i)
        )
        np.testing.assert_allclose(plan.actions, alone.actions, atol=1e-4)


@pytest.mark.parametrize("planner", PLANNERS)
@given(scale=st.floats(0.1, 20.0), seed=st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_actions_stay_in_range(planner, scale, seed):
    small = planner([scale] * 4, samples=30, iterations=2, horizon=5)
    plan = small.plan(PointMass(), START, torch.full((1, 3), 5.0), generator=seeded(seed))
    assert np.abs(plan.actions).max() <= 1.0
    assert plan.actions.dtype == np.float32


def test_gradients_improve_on_the_elites_they_start_from():
    assert mean_cost(GradientCEM(STD)) < 0.8 * mean_cost(CEM(STD))


def test_gradients_leave_the_models_parameters_alone():
    class Learned(PointMass):
        gain = torch.nn.Parameter(torch.ones(()))

        def rollout(self, latent, actions):
            return super().rollout(latent, self.gain * actions)

    model = Learned()
    GradientCEM(STD).plan(model, START, GOAL, generator=seeded())
    assert model.gain.grad is None


def test_later_iterations_of_icem_are_smaller_and_keep_elites():
    plan = ICEM(STD, samples=100, iterations=3, decay=2.0, kept=0.5).plan(
        PointMass(), START, GOAL, generator=seeded()
    )
    counts = np.isfinite(plan.stats["costs"]).sum(axis=1)
    np.testing.assert_array_equal(counts, [100, 55, 30])
    best = np.nanmin(plan.stats["costs"], axis=1)
    assert best[0] >= best[1] >= best[2]  # an elite that is kept can't be lost


@given(horizon=st.integers(1, 20), exponent=st.floats(0.0, 4.0))
@settings(max_examples=20, deadline=None)
def test_coloured_noise_has_unit_variance_at_every_step(horizon, exponent):
    noise = coloured_noise((4000, horizon, 2), exponent, seeded())
    assert noise.shape == (4000, horizon, 2)
    np.testing.assert_allclose(noise.std(dim=0), 1.0, atol=0.08)


def test_coloured_noise_is_smoother_the_larger_its_exponent():
    steps = [coloured_noise((2000, 13, 1), e, seeded()).diff(dim=1).std() for e in (0, 1, 2, 3)]
    assert steps == sorted(steps, reverse=True)


@pytest.mark.parametrize(
    ("planner", "wrong"),
    [
        (ICEM, {"decay": 0.5}),
        (ICEM, {"exponent": -1.0}),
        (ICEM, {"kept": 1.5}),
        (ICEM, {"momentum": 1.0}),
        (MPPI, {"temperature": 0.0}),
        (GradientCEM, {"rate": 0.0}),
        (GradientCEM, {"descents": 0}),
    ],
)
def test_impossible_settings_are_refused(planner, wrong):
    with pytest.raises(PlanningError, match=next(iter(wrong))):
        planner(STD, **wrong)
