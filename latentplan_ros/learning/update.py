"""One update of a training: forward, backward, clipping and the optimiser's step."""

from collections.abc import Sequence
from typing import Any

import torch
from lightning_fabric import Fabric

from latentplan_ros.learning.stage import Batch

MAX_NORM = 10.0  # of all gradients together
_WARM_UPS = 3  # updates that are made as they are before one is recorded


class Update:
    """What the trainer does with each batch. optimizer, module: as Fabric has set them up."""

    def __init__(self, fabric: Fabric, module: Any, optimizer: Any) -> None:
        self._fabric, self._module, self._optimizer = fabric, module, optimizer
        for group in optimizer.param_groups:  # a state may come from the other kind of update
            group["capturable"], group["lr"] = False, float(group["lr"])

    def set_rates(self, rates: Sequence[float]) -> None:
        """Learning rates of the parameter groups from now on."""
        for group, rate in zip(self._optimizer.param_groups, rates, strict=True):
            group["lr"] = rate

    def losses(self, batch: Batch) -> Batch:
        """Of this batch, before the weights follow."""
        losses: Batch = self._module(batch)
        return losses

    def step(self, losses: Batch) -> None:
        """The weights follow."""
        self._optimizer.zero_grad(set_to_none=True)
        self._fabric.backward(losses["loss"])
        self._fabric.clip_gradients(self._module, self._optimizer, max_norm=MAX_NORM)
        self._optimizer.step()


class RecordedUpdate(Update):
    """The same on a GPU, recorded once as a CUDA graph and replayed.

    These networks are small: a GPU has done with each of some thousand kernels before a CPU has
    started the next. Every batch must have the shapes of the first, and the stage must be
    ``recordable``.
    """

    def __init__(self, fabric: Fabric, module: Any, optimizer: Any) -> None:
        super().__init__(fabric, module, optimizer)
        for group in optimizer.param_groups:
            # What is recorded reads the rate from where it stands in the GPU's memory.
            group["capturable"] = True
            group["lr"] = torch.tensor(group["lr"], device=fabric.device)
        self._made = 0
        self._batch: Batch = {}
        self._losses: Batch = {}
        self._graph: torch.cuda.CUDAGraph | None = None

    def set_rates(self, rates: Sequence[float]) -> None:
        for group, rate in zip(self._optimizer.param_groups, rates, strict=True):
            group["lr"].fill_(rate)

    def losses(self, batch: Batch) -> Batch:
        """Of this batch; the weights have followed already. They stand until the next call."""
        self._made += 1
        if self._made <= _WARM_UPS:
            return self._aside(batch)
        if self._graph is None:
            self._record(batch)
        assert self._graph is not None
        for name, own in self._batch.items():
            own.copy_(batch[name])
        self._graph.replay()
        return self._losses

    def step(self, losses: Batch) -> None:
        """Nothing is left to do."""

    def _aside(self, batch: Batch) -> Batch:
        """On a stream of its own, as must be what is recorded later."""
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            losses = self._whole(batch)
        torch.cuda.current_stream().wait_stream(aside)
        return losses

    def _record(self, batch: Batch) -> None:
        self._batch = {name: tensor.clone() for name, tensor in batch.items()}
        self._optimizer.zero_grad(set_to_none=True)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._losses = self._whole(self._batch)

    def _whole(self, batch: Batch) -> Batch:
        losses = super().losses(batch)
        self._optimizer.zero_grad(set_to_none=True)
        self._fabric.backward(losses["loss"])
        weights = [w for group in self._optimizer.param_groups for w in group["params"]]
        norm = torch.nn.utils.clip_grad_norm_(weights, MAX_NORM)
        self._optimizer.step()
        # Gradients that are not finite are told as a loss that is not.
        return {**losses, "loss": losses["loss"].detach() + 0.0 * norm.detach()}
