"""The tasks by name; a new one is one file here and one line below."""

from latentplan_ros.sim.task import Task, TaskError
from latentplan_ros.sim.tasks.franka_door import FrankaDoor
from latentplan_ros.sim.tasks.franka_drawer import FrankaDrawer
from latentplan_ros.sim.tasks.franka_reach import FrankaReach
from latentplan_ros.sim.tasks.push import SawyerPush1, SawyerPush3
from latentplan_ros.sim.tasks.sawyer_reach import SawyerReach

TASKS: dict[str, type[Task]] = {
    task.name: task
    for task in (FrankaDoor, FrankaDrawer, FrankaReach, SawyerPush1, SawyerPush3, SawyerReach)
}


def make_task(name: str) -> Task:
    """The task of that name. Raises TaskError with the names there are."""
    if name not in TASKS:
        raise TaskError(f"no task named {name!r}; there are {', '.join(sorted(TASKS))}")
    return TASKS[name]()
