import pytest
import torch

from latentplan_ros.models.graphed_model import MOST, GraphedModel
from latentplan_ros.models.latent_world_model import LatentWorldModel
from latentplan_ros.models.world_model import WorldModel
from latentplan_ros.planning import CEM, ICEM, Controller, GradientCEM, SamplingPlanner

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
HEAD = {"kind": "q", "hidden": 32, "layers": 3, "actor_layers": 3, "discount": 0.8}
SPEC = {"latent": 16, "channels": 4, "hidden": 32, "layers": 2, "distance": HEAD}
STD = (0.5, 0.5, 0.5, 0.5)


@pytest.fixture
def model() -> LatentWorldModel:
    torch.manual_seed(0)
    return LatentWorldModel(SPEC).to("cuda").eval()


def pictures(count: int) -> torch.Tensor:
    return torch.randint(0, 256, (count, 64, 64, 3), dtype=torch.uint8)


@needs_gpu
@pytest.mark.parametrize("rows", [1, 7, 40])
@torch.inference_mode()
def test_says_what_the_model_says_each_time(model: LatentWorldModel, rows: int) -> None:
    graphed = GraphedModel(model)
    results = []
    for _ in range(3):  # new numbers, the same recording
        start = torch.randn(1, 20, device="cuda")
        actions = torch.rand(rows, 5, 4, device="cuda")
        future = graphed.rollout(start, actions)
        distance = graphed.distance(future[:, -1], start)
        results.append((start, actions, future, distance))
    for start, actions, future, distance in results:
        expected = model.rollout(start, actions)
        torch.testing.assert_close(future, expected)
        torch.testing.assert_close(distance, model.distance(expected[:, -1], start))


@needs_gpu
@torch.inference_mode()
def test_more_shapes_than_are_recorded(model: LatentWorldModel) -> None:
    graphed = GraphedModel(model)
    start = torch.randn(1, 20, device="cuda")
    for rows in range(1, MOST + 4):
        actions = torch.rand(rows, 5, 4, device="cuda")
        torch.testing.assert_close(graphed.rollout(start, actions), model.rollout(start, actions))


@needs_gpu
@pytest.mark.parametrize("kind", [CEM, ICEM, GradientCEM])
def test_plans_as_without(model: LatentWorldModel, kind: type[SamplingPlanner]) -> None:
    images = pictures(3).numpy()

    def actions(imagining: WorldModel) -> list[torch.Tensor]:
        controller = Controller(imagining, kind(STD, samples=40), device="cuda")
        controller.set_goal(images[-1])
        return [torch.from_numpy(controller.act(image)[0]) for image in images]

    for own, other in zip(actions(GraphedModel(model)), actions(model), strict=True):
        torch.testing.assert_close(own, other, atol=1e-3, rtol=1e-3)


@needs_gpu
def test_a_limit_of_time_holds_on_a_gpu(model: LatentWorldModel) -> None:
    planner = CEM(STD, iterations=1000, time_limit_s=0.1)
    controller = Controller(GraphedModel(model), planner, device="cuda")
    controller.set_goal(pictures(1)[0].numpy())
    controller.act(pictures(1)[0].numpy())  # records
    _, plan = controller.act(pictures(1)[0].numpy())
    assert len(plan.stats["costs"]) < 1000
    assert plan.stats["milliseconds"] < 150


def test_with_a_gradient_it_is_the_model_itself() -> None:
    model = LatentWorldModel(SPEC)
    actions = torch.rand(3, 5, 4, requires_grad=True)
    future = GraphedModel(model).rollout(torch.zeros(1, 20), actions)
    assert torch.autograd.grad(future.sum(), actions)[0].abs().sum() > 0
