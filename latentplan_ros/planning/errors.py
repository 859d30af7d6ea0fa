"""What can go wrong while planning."""


class PlanningError(ValueError):
    """A plan could not be made; the message says which input or which model output was at fault."""
