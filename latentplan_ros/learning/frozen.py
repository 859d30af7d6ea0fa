"""A network that others may be trained through."""

import torch
from torch import nn


def frozen(network: nn.Module, *inputs: torch.Tensor) -> torch.Tensor:
    """Its output, through which gradients reach the inputs and not its weights."""
    weights = {name: value.detach() for name, value in network.named_parameters()}
    outputs: torch.Tensor = torch.func.functional_call(network, weights, inputs)
    return outputs
