"""Equal compute: how many updates of a stage a number of floating point operations pays for."""

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from latentplan_ros.learning.stage import Stage


def flops_of_update(stage: Stage) -> int:
    """Forward and backward of one batch: the products in them, the same on every machine.

    Not counted is what memory and not arithmetic limits: norms, activations, drawing batches, the
    optimiser, target networks. The stage is not to be trained afterwards: it has drawn a batch.
    """
    torch.manual_seed(0)
    batch = stage.sample(np.random.default_rng(0), stage.batch_size)
    with FlopCounterMode(display=False) as counter:
        stage(batch)["loss"].backward()
    return int(counter.get_total_flops())


def within(flops: float, of_update: int) -> int:
    """Whole updates, at least one."""
    return max(1, round(flops / of_update))
