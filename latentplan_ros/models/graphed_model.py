"""A model on a GPU whose imagined futures are recorded as CUDA graphs and replayed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from latentplan_ros.models.world_model import WorldModel

Work = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

MOST = 8  # shapes that are recorded; a recording keeps memory, and takes as long as several calls
_WARM_UPS = 3  # libraries choose their kernels and take their workspace before


class GraphedModel:
    """The same model on a GPU; what it does with one shape of batch is recorded once and replayed.

    A plan is some thousand small kernels, and a CPU takes longer to start each than the GPU to run
    it. A graph starts all of a rollout at once. Shapes beyond the first ``MOST``, and calls that
    want a gradient, run as they are.
    """

    def __init__(self, model: WorldModel) -> None:
        self._model = model
        self._recordings: dict[tuple[str, torch.Size, torch.Size], _Recording] = {}

    def encode(self, images: torch.Tensor, last: torch.Tensor | None = None) -> torch.Tensor:
        return self._model.encode(images, last)

    def rollout(self, latent: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        return self._replayed("rollout", self._model.rollout, latent, actions)

    def distance(self, latent: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        return self._replayed("distance", self._model.distance, latent, goal)

    def arrived(self, latent: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        return self._model.arrived(latent, goal)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        return self._model.decode(latents)

    def _replayed(self, name: str, work: Work, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        if torch.is_grad_enabled():
            return work(a, b)
        shapes = name, a.shape, b.shape
        with torch.inference_mode():
            if shapes not in self._recordings:
                if len(self._recordings) == MOST:
                    return work(a, b)
                self._recordings[shapes] = _Recording(work, a, b)
            return self._recordings[shapes](a, b)


class _Recording:
    """One call of ``work`` with inputs of these shapes."""

    def __init__(self, work: Work, a: torch.Tensor, b: torch.Tensor) -> None:
        self._a, self._b = a.clone(), b.clone()
        self._graph = torch.cuda.CUDAGraph()
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with _fastest_convolutions():
            with torch.cuda.stream(aside):
                for _ in range(_WARM_UPS):
                    work(self._a, self._b)
            torch.cuda.current_stream().wait_stream(aside)
            # What other threads ask of the GPU meanwhile does not spoil a recording of this one's.
            with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
                self._output = work(self._a, self._b)

    def __call__(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        self._a.copy_(a)
        self._b.copy_(b)
        self._graph.replay()
        return self._output.clone()  # the next replay overwrites what this one put out


@contextmanager
def _fastest_convolutions() -> Iterator[None]:
    """Lets cuDNN try which of its kernels are fastest here; a recording is made once."""
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = True
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before
