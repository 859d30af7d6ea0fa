"""The node table: each graph as plain data, for both starters (``latentplan up`` and launch)."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path

from latentplan_ros.control.joystick import JoystickError, load_joystick
from latentplan_ros.resources import ResourceError, best_checkpoint, resource

REAL_ARM = ("", "none")  # tasks that mean: no simulation, the drivers of an arm are running
Value = str | int | float | bool


class GraphError(ValueError):
    """A graph that does not exist, or options that it cannot start with."""


@dataclass(frozen=True)
class Entry:
    """One process of a graph.

    executable: module of ``latentplan_ros.nodes`` and file of ``lib/latentplan_ros``; parameters go
    on top of ``config/nodes/<executable>.yaml``; respawn: started again when it dies; required: its
    end, for whatever reason, ends the graph.
    """

    executable: str
    parameters: dict[str, Value] = field(default_factory=dict)
    remaps: tuple[tuple[str, str], ...] = ()
    respawn: bool = False
    required: bool = False

    @property
    def name(self) -> str:
        return self.executable

    @property
    def enclave(self) -> str:
        """Whose keys and permissions the process uses where SROS2 is on; config/sros2 has them."""
        return f"/latentplan/{self.executable}"

    @property
    def parameter_file(self) -> Path:
        return resource(f"config/nodes/{self.executable}.yaml")


@dataclass(frozen=True)
class Options:
    """What a person may choose when starting a graph; all text, as launch arguments are."""

    robot: str = field(
        default="",
        metadata={
            "help": "Robot profile: a name in config/robots or a YAML file; empty: the task's"
        },
    )
    task: str = field(
        default="franka_drawer",
        metadata={"help": "Simulated task; 'none' where the drivers of a real arm are running"},
    )
    checkpoint: str = field(
        default="", metadata={"help": "Model, *.safetensors; empty: the one shipped for the task"}
    )
    goal: str = field(
        default="",
        metadata={"help": "Goal picture, PNG or JPEG; empty: goal/capture takes the camera's"},
    )
    namespace: str = field(default="", metadata={"help": "ROS namespace of every node"})
    record: str = field(default="runs/bags", metadata={"help": "Folder for recorded episodes"})
    joystick: str = field(
        default="gamepad",
        metadata={"help": "What drives by hand: gamepad (the keyboard too), spacemouse or a file"},
    )
    use_sim_time: str = field(
        default="false", metadata={"help": "true: the simulation makes the time, on /clock"}
    )

    @property
    def simulated(self) -> bool:
        return self.task not in REAL_ARM

    def profile(self) -> str:
        """Name or file of the robot profile. Raises GraphError where nothing says which."""
        if self.robot:
            return self.robot
        if not self.simulated:
            raise GraphError("a real arm needs its profile: give robot a name or a YAML file")
        # Here, not above: a real arm's machine may lack the simulator.
        from latentplan_ros.sim.task import TaskError
        from latentplan_ros.sim.tasks import make_task

        try:
            return make_task(self.task).profile
        except TaskError as error:
            raise GraphError(str(error)) from None

    @property
    def clocked(self) -> bool:
        if self.use_sim_time.lower() not in ("true", "false"):
            raise GraphError(f"use_sim_time is {self.use_sim_time!r}, neither true nor false")
        return self.use_sim_time.lower() == "true"

    @property
    def full_namespace(self) -> str:
        return "/" + self.namespace.strip("/") if self.namespace.strip("/") else ""

    def checkpoint_path(self) -> str:
        """Absolute path of the checkpoint. Raises GraphError when there is none."""
        if self.checkpoint:
            path = Path(self.checkpoint).expanduser().absolute()
            if not path.is_file():
                raise GraphError(f"checkpoint {path} does not exist")
            return str(path)
        if not self.simulated:
            raise GraphError("a real arm needs a checkpoint of its own: give checkpoint a path")
        try:
            return str(best_checkpoint(self.task))
        except ResourceError as error:
            raise GraphError(
                f"no checkpoint was given and none is shipped for {self.task}: {error}"
            ) from None

    def goal_path(self) -> str:
        """Absolute path of the goal picture, or empty. Raises GraphError when it is missing."""
        if not self.goal:
            return ""
        path = Path(self.goal).expanduser().absolute()
        if not path.is_file():
            raise GraphError(f"goal picture {path} does not exist")
        return str(path)

    def joystick_name(self) -> str:
        """A shipped joystick's name, or a file's absolute path. Raises GraphError for neither."""
        try:
            load_joystick(self.joystick)
        except JoystickError as error:
            raise GraphError(str(error)) from None
        path = Path(self.joystick)
        return str(path.absolute()) if path.suffix in (".yaml", ".yml") else self.joystick


def helps() -> dict[str, tuple[str, str]]:
    """Option name -> (default, description), for the starters' own help."""
    return {f.name: (str(f.default), f.metadata["help"]) for f in fields(Options)}


def graph(name: str, options: Options) -> list[Entry]:
    """The processes of a graph. Raises GraphError for an unknown name or impossible options."""
    if name not in GRAPHS:
        raise GraphError(f"no graph named {name!r}; there are {', '.join(GRAPHS)}")
    entries = GRAPHS[name](options)
    if options.clocked:
        entries = [_timed(entry) for entry in entries]
    return entries


def _sim(options: Options) -> list[Entry]:
    if not options.simulated:
        raise GraphError("the graph sim needs a task to simulate")
    return _world(options)


def _collect(options: Options) -> list[Entry]:
    explore: dict[str, Value] = {"robot": options.profile(), "recorder": "recorder"}
    if options.simulated:
        explore |= {"task": options.task, "reset_service": "sim_bridge/reset"}
    return [*_world(options), _recorder(options), Entry("explorer", explore, required=True)]


def _teleop(options: Options) -> list[Entry]:
    drive: dict[str, Value] = {
        "robot": options.profile(),
        "joystick": options.joystick_name(),
        "recorder": "recorder",
    }
    return [*_world(options), _recorder(options), Entry("teleop", drive, required=True)]


def _reach(options: Options) -> list[Entry]:
    model: dict[str, Value] = {"robot": options.profile(), "checkpoint": options.checkpoint_path()}
    return [
        *_world(options),
        Entry("goal", {"image": options.goal_path()}, required=True),
        Entry("distance", model, respawn=True),
        Entry("planner", model, required=True),
    ]


def _recorder(options: Options) -> Entry:
    record: dict[str, Value] = {
        "robot": options.profile(),
        "directory": str(Path(options.record).expanduser().absolute()),
    }
    if options.simulated:
        record |= {"task": options.task}
    return Entry("recorder", record, respawn=True)


def _world(options: Options) -> list[Entry]:
    """The arm, and the simulation behind it if there is one."""
    arm = Entry("arm", {"robot": options.profile()}, required=True)
    if not options.simulated:
        return [arm]
    simulation: dict[str, Value] = {
        "task": options.task,
        "robot": options.profile(),
        "publish_clock": options.clocked,
    }
    return [Entry("sim_bridge", simulation, required=True), arm]


def _timed(entry: Entry) -> Entry:
    return Entry(
        entry.executable,
        entry.parameters | {"use_sim_time": True},
        entry.remaps,
        entry.respawn,
        entry.required,
    )


GRAPHS: dict[str, Callable[[Options], list[Entry]]] = {
    "sim": _sim,
    "collect": _collect,
    "teleop": _teleop,
    "reach": _reach,
}
