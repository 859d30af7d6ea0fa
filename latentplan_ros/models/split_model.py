"""A model whose imagined futures are shared between threads, a part of the batch each."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch

from latentplan_ros.models.world_model import WorldModel

SMALLEST = 32  # rows a thread, below which splitting costs more than it saves


class SplitModel:
    """The same model on a CPU; each thread runs whole rollouts, and they meet once a call.

    Torch's own threads share every single operation, and meet after each: some thousand times a
    plan. Where another process takes one of the cores for a moment, all threads wait for the one
    that it took the core from, a thousand times again. Set torch to one thread where this is used.
    """

    def __init__(self, model: WorldModel, threads: int) -> None:
        self._model, self._threads = model, threads
        self._pool = ThreadPoolExecutor(
            max(threads - 1, 1), "imagining", initializer=torch.set_num_threads, initargs=(1,)
        )

    def encode(self, images: torch.Tensor, last: torch.Tensor | None = None) -> torch.Tensor:
        return self._model.encode(images, last)

    def rollout(self, latent: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        return self._shared(self._model.rollout, actions, latent, first=False)

    def distance(self, latent: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        return self._shared(self._model.distance, latent, goal, first=True)

    def arrived(self, latent: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
        return self._model.arrived(latent, goal)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        return self._model.decode(latents)

    def _shared(
        self,
        work: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
        many: torch.Tensor,
        other: torch.Tensor,
        first: bool,
    ) -> torch.Tensor:
        """``work`` on parts of the rows of ``many``; ``other`` has as many rows, or one for all."""
        parts = min(self._threads, len(many) // SMALLEST)
        rows = many.tensor_split(max(parts, 1))
        others = [other] * len(rows) if len(other) == 1 else list(other.tensor_split(len(rows)))

        @torch.inference_mode()
        def part(index: int) -> torch.Tensor:
            a, b = rows[index], others[index]
            return work(a, b) if first else work(b, a)

        waiting = [self._pool.submit(part, index) for index in range(1, len(rows))]
        done = [part(0), *(future.result() for future in waiting)]
        return done[0] if len(done) == 1 else torch.cat(done)
