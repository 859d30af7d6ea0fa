"""The tasks by name; a new one is a scene file, or one file here and one line below."""

from pathlib import Path

from latentplan_ros.resources import resource
from latentplan_ros.sim.scene_file import SUFFIXES, SceneFile
from latentplan_ros.sim.task import Task, TaskError
from latentplan_ros.sim.tasks.franka_door import FrankaDoor
from latentplan_ros.sim.tasks.franka_drawer import FrankaDrawer
from latentplan_ros.sim.tasks.franka_grasp import FrankaGrasp
from latentplan_ros.sim.tasks.franka_reach import FrankaReach
from latentplan_ros.sim.tasks.push import SawyerPush1, SawyerPush1Near, SawyerPush3
from latentplan_ros.sim.tasks.sawyer_reach import SawyerReach

TASKS: dict[str, type[Task]] = {
    task.name: task
    for task in (
        FrankaDoor,
        FrankaDrawer,
        FrankaGrasp,
        FrankaReach,
        SawyerPush1,
        SawyerPush1Near,
        SawyerPush3,
        SawyerReach,
    )
}


def make_task(name: str) -> Task:
    """The task of that name, here or in config/scenes, or the one in a scene file (*.yaml).

    Raises TaskError with the names there are.
    """
    if name in TASKS:
        return TASKS[name]()
    task = SceneFile(_scene_file(name))
    if task.name in TASKS:
        raise TaskError(f"{task.path}: name: {task.name} is a task that ships; choose another")
    return task


def _scene_file(name: str) -> Path:
    if name.endswith(SUFFIXES):
        return Path(name)
    shipped = {path.stem: path for path in resource("config/scenes").glob("*.yaml")}
    if name not in shipped:
        names = ", ".join([*sorted(TASKS), *sorted(shipped)])
        raise TaskError(
            f"no task named {name!r}; there are {names}, and any scene file of your own, *.yaml"
        )
    return shipped[name]
