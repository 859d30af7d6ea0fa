"""The node table, and that both starters make the same processes of it."""

import json
import runpy
import sys
from dataclasses import dataclass, field
from inspect import signature
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import yaml

from latentplan_ros.bringup.graphs import GRAPHS, GraphError, Options, graph, helps
from latentplan_ros.bringup.runner import command, up

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "goal.png"
    path.write_bytes(b"")
    return path


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"")
    return path


# The table -------------------------------------------------------------------------------------
def names(graph_name, **options):
    return [entry.name for entry in graph(graph_name, Options(**options))]


def test_each_graph_has_its_nodes(checkpoint):
    assert names("sim") == ["sim_bridge", "arm"]
    assert names("collect") == ["sim_bridge", "arm", "recorder", "explorer"]
    assert names("teleop") == ["sim_bridge", "arm", "recorder", "teleop"]
    reach = names("reach", checkpoint=str(checkpoint))
    assert reach[:3] == ["sim_bridge", "arm", "goal"]
    assert "planner" in reach


def test_a_real_arm_has_no_simulation_beside_it(checkpoint):
    for name in ("collect", "teleop", "reach"):
        assert "sim_bridge" not in names(
            name, task="none", robot="franka", checkpoint=str(checkpoint)
        )
    explorer = graph("collect", Options(task="none", robot="franka"))[-1]
    assert "reset_service" not in explorer.parameters


def test_a_simulated_task_brings_its_own_robot():
    for entry in graph("collect", Options(task="sawyer_push1")):
        assert entry.parameters["robot"] == "sawyer_table"
    assert graph("sim", Options(task="sawyer_push1", robot="sawyer"))[-1].parameters == {
        "robot": "sawyer"
    }


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("reash", {}, "reach"),
        ("sim", {"task": "none"}, "task"),
        ("reach", {"checkpoint": "/nowhere/model.safetensors"}, "/nowhere/model.safetensors"),
        ("reach", {"task": "none", "robot": "franka"}, "checkpoint"),
        ("reach", {"task": "none"}, "a real arm needs its profile"),
        ("sim", {"task": "sawyer_fly"}, "no task named 'sawyer_fly'"),
        ("sim", {"use_sim_time": "perhaps"}, "perhaps"),
        ("teleop", {"joystick": "wheel"}, "wheel"),
        ("teleop", {"joystick": "/nowhere/wheel.yaml"}, "/nowhere/wheel.yaml"),
    ],
)
def test_impossible_options_are_refused_before_anything_starts(name, options, said):
    with pytest.raises(GraphError, match=said):
        graph(name, Options(**options))


def test_a_goal_picture_that_does_not_exist_is_named(checkpoint):
    with pytest.raises(GraphError, match=r"/nowhere/goal\.png"):
        graph("reach", Options(checkpoint=str(checkpoint), goal="/nowhere/goal.png"))


def test_an_arm_is_never_respawned(checkpoint):
    """A fresh arm node would have forgotten that somebody called ~/stop."""
    for name in GRAPHS:
        for entry in graph(name, Options(checkpoint=str(checkpoint))):
            if entry.name == "arm":
                assert entry.required
                assert not entry.respawn


def test_parameter_files_and_executables_exist(checkpoint):
    for name in GRAPHS:
        for entry in graph(name, Options(checkpoint=str(checkpoint))):
            values = yaml.safe_load(entry.parameter_file.read_text())
            assert values["/**"]["ros__parameters"]
            assert (ROOT / "latentplan_ros" / "nodes" / f"{entry.executable}.py").is_file()
            assert (ROOT / "scripts" / entry.executable).is_file()


# The two starters ------------------------------------------------------------------------------
@dataclass
class Recorded:
    """Stands for any launch class: keeps what it was made with."""

    args: tuple
    kwargs: dict[str, Any] = field(default_factory=dict)


def recorder(name):
    return type(name, (Recorded,), {"__init__": lambda s, *a, **k: Recorded.__init__(s, a, k)})


@pytest.fixture
def fake_launch(monkeypatch):
    """The part of launch and launch_ros that the launch files use, for machines without ROS's."""
    actions = {
        n: recorder(n)
        for n in ("DeclareLaunchArgument", "OpaqueFunction", "SetEnvironmentVariable", "Shutdown")
    }

    class LaunchConfiguration:
        def __init__(self, name):
            self.name = name

        def perform(self, context):
            return context.values[self.name]

    contents = {
        "launch": {n: recorder(n) for n in ("LaunchContext", "LaunchDescription")},
        "launch.actions": actions,
        "launch.substitutions": {"LaunchConfiguration": LaunchConfiguration},
        "launch_ros": {},
        "launch_ros.actions": {"Node": recorder("Node")},
    }
    for name, values in contents.items():
        module = ModuleType(name)
        vars(module).update(values)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.delitem(sys.modules, "latentplan_ros.bringup.launching", raising=False)
    yield
    sys.modules.pop("latentplan_ros.bringup.launching", None)


def launched(graph_name, **chosen):
    """The processes of a launch file, as (executable, name, namespace, files, ...) records."""
    generate = runpy.run_path(str(ROOT / "launch" / f"{graph_name}.launch.py"))
    (entities,) = generate["generate_launch_description"]().args
    declared = {
        e.args[0]: e.kwargs["default_value"]
        for e in entities
        if type(e).__name__ == "DeclareLaunchArgument"
    }
    assert chosen.keys() <= declared.keys()
    (opaque,) = [e for e in entities if type(e).__name__ == "OpaqueFunction"]
    context = SimpleNamespace(values=declared | chosen)
    return [
        {
            "executable": n.kwargs["executable"],
            "enclave": n.kwargs["ros_arguments"][1],
            "name": n.kwargs["name"],
            "namespace": n.kwargs["namespace"],
            "file": n.kwargs["parameters"][0],
            "parameters": n.kwargs["parameters"][1],
            "remaps": n.kwargs["remappings"],
            "respawn": n.kwargs["respawn"],
            "required": n.kwargs["on_exit"] is not None,
        }
        for n in opaque.kwargs["function"](context, *opaque.kwargs["args"])
    ]


def commanded(graph_name, **chosen):
    """The processes of ``latentplan up``, read back from their command lines."""
    options = Options(**chosen)
    records = []
    for entry in graph(graph_name, options):
        line = command(entry, options.full_namespace)
        pairs = list(zip(line[4::2], line[5::2], strict=True))
        remaps = dict(v.split(":=") for k, v in pairs if k == "-r")
        records.append(
            {
                "executable": line[2].rpartition(".")[2],
                "enclave": next(v for k, v in pairs if k == "--enclave"),
                "name": remaps.pop("__node"),
                "namespace": remaps.pop("__ns", ""),
                "file": next(v for k, v in pairs if k == "--params-file"),
                "parameters": {
                    v.split(":=")[0]: json.loads(v.split(":=")[1]) for k, v in pairs if k == "-p"
                },
                "remaps": list(remaps.items()),
                "respawn": entry.respawn,
                "required": entry.required,
            }
        )
    return records


@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("sim", "franka_drawer"),
        ("collect", "franka_drawer"),
        ("reach", "franka_drawer"),
        ("teleop", "franka_drawer"),
        ("collect", "none"),
        ("teleop", "none"),
        ("reach", "none"),
    ],
)
@pytest.mark.parametrize("namespace", ["", "lab/left"])
def test_launch_files_and_up_start_the_same(
    fake_launch, name, task, namespace, checkpoint, picture, tmp_path
):
    chosen = {
        "task": task,
        "robot": "" if task != "none" else "franka",
        "namespace": namespace,
        "checkpoint": str(checkpoint),
        "goal": str(picture),
        "record": str(tmp_path),
        "use_sim_time": "true" if namespace else "false",
    }
    assert launched(name, **chosen) == commanded(name, **chosen)


def test_up_takes_every_option():
    assert set(signature(up).parameters) == {"name", *helps()}


def test_launch_arguments_have_the_defaults_of_up(fake_launch):
    assert launched("collect") == commanded("collect")
    assert set(helps()) >= {"robot", "task", "checkpoint", "goal", "namespace"}
