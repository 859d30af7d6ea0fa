"""Parameter declaration with a description and a range, so that `ros2 param describe` explains."""

from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import (
    InvalidParameterTypeException,
    InvalidParameterValueException,
)
from rclpy.node import Node


class ParameterError(ValueError):
    """A parameter has a value that its node cannot run with; the message names node and value."""


def declare(
    node: Node,
    name: str,
    default: Any,
    description: str,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    read_only: bool = False,
) -> Any:
    """Declare one parameter and return the value it starts with.

    low, high: inclusive range of a number (both or neither); choices: the only accepted texts.
    Raises ParameterError if the value given at start is of the wrong type or outside the range.
    """
    descriptor = ParameterDescriptor(description=description, read_only=read_only)
    if low is not None and high is not None:
        if isinstance(default, int):
            descriptor.integer_range = [
                IntegerRange(from_value=int(low), to_value=int(high), step=0)
            ]
        else:
            descriptor.floating_point_range = [
                FloatingPointRange(from_value=float(low), to_value=float(high), step=0.0)
            ]
    if choices:
        descriptor.additional_constraints = "one of " + ", ".join(choices)
    try:
        value = node.declare_parameter(name, default, descriptor).value
    except (InvalidParameterTypeException, InvalidParameterValueException) as error:
        allowed = "" if low is None else f" (allowed: {low} to {high})"
        raise ParameterError(f"{node.get_name()}: parameter {name}{allowed}: {error}") from None
    if choices and value not in choices:
        listed = ", ".join(choices)
        raise ParameterError(
            f"{node.get_name()}: parameter {name} is {value!r}, not one of {listed}"
        )
    return value
