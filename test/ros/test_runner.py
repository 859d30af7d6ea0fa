"""`latentplan up`: processes from the node table, watched over, and ended without a trace."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest
from geometry_msgs.msg import PoseStamped

from latentplan_ros.bringup.graphs import Entry, Options, graph
from latentplan_ros.bringup.runner import GRACE_S, Runner
from latentplan_ros.nodes import qos

UP = (
    "import sys; from latentplan_ros.bringup.runner import up; sys.exit(up('sim', namespace='lab'))"
)


def alive(pid):
    """Whether a process runs; one that has ended but was not yet reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def children(pid):
    """Pids of all processes whose parent is pid."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
        if int(parent) == pid:
            found.append(int(folder.name))
    return found


@pytest.fixture
def lines():
    return []


@pytest.fixture
def runner(ros, lines):
    entries = graph("sim", Options(task="franka_reach"))
    with Runner(entries, environment=ros.env, say=lambda *line: lines.append(line)) as runner:
        poses = ros.listen(PoseStamped, "current_pose", qos.STATE_IN)
        ros.wait(lambda: poses, 60.0, f"a pose; {lines}")
        yield runner


def test_a_graph_runs_and_its_output_is_told_apart(ros, runner, lines):
    assert set(runner.pids) == {"sim_bridge", "arm"}
    assert runner.check() is None
    ros.wait(lambda: any(n == "arm" and "holding" in text for n, text in lines), 20.0, str(lines))


def test_a_required_process_that_dies_ends_the_graph(ros, runner, lines):
    os.kill(runner.pids["arm"], signal.SIGKILL)
    status = ros.wait(runner.check, 10.0, "the end of the graph")
    assert status == 128 + signal.SIGKILL
    assert any("ending the graph" in text for _, text in lines)


def test_everything_ends_in_time_even_what_hears_no_signal(runner):
    pids = runner.pids
    os.kill(pids["sim_bridge"], signal.SIGSTOP)  # as deaf as a hung rclpy process
    began = time.monotonic()
    runner.stop()
    assert time.monotonic() - began < 3.0
    assert GRACE_S < 3.0
    assert not any(alive(pid) for pid in pids.values())


def test_a_respawned_process_comes_back(ros, lines):
    entries = [Entry("sim_bridge", {"task": "franka_reach", "width": 64, "height": 64}, (), True)]
    with Runner(entries, environment=ros.env, say=lambda *line: lines.append(line)) as runner:
        poses = ros.listen(PoseStamped, "current_pose", qos.STATE_IN)
        ros.wait(lambda: poses, 60.0, f"a pose; {lines}")
        first = runner.pids["sim_bridge"]
        os.kill(first, signal.SIGKILL)
        ros.wait(
            lambda: runner.check() is None and runner.pids["sim_bridge"] != first, 10.0, "a new one"
        )
        poses.clear()
        ros.wait(lambda: poses, 60.0, f"a pose of the new one; {lines}")


def start_up(ros):
    up = ros.run([sys.executable, "-c", UP], "up")
    poses = ros.listen(PoseStamped, "lab/current_pose", qos.STATE_IN)
    ros.wait(lambda: poses, 60.0, "a pose in the namespace")
    nodes = children(up.process.pid)
    assert len(nodes) == 2
    return up, nodes


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_up_and_all_its_nodes(ros, number):
    up, nodes = start_up(ros)
    ros.wait(lambda: "sim_bridge | " in up.output and " arm | " in up.output, 20.0, "their output")
    began = time.monotonic()
    up.signal(number)
    assert up.wait(10.0) == 0, up.output
    assert time.monotonic() - began < 3.0
    assert not any(alive(pid) for pid in nodes)
    assert "Traceback" not in up.output


def test_not_even_a_killed_runner_leaves_nodes_behind(ros):
    up, nodes = start_up(ros)
    up.process.kill()
    ros.wait(lambda: not any(alive(pid) for pid in nodes), 5.0, "the end of the nodes")
