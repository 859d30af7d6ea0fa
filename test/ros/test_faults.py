"""What fails beside an arm node, each a process of its own: the arm holds, then goes on again."""

import signal
import sys
from pathlib import Path

import pytest
import yaml
from harness import unique_domain

from latentplan_ros.control.envelope import Reason
from latentplan_ros.resources import resource

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.hold_time import (
    PARTS,
    TIMED,
    TOGETHER,
    Scene,
    arm_pause,
    camera,
    clock,
    pause,
    peer,
    pose,
)

LIMIT_S = 0.6  # longer than a busy test machine stalls


@pytest.fixture(autouse=True)
def domain(monkeypatch):
    monkeypatch.setenv("ROS_DOMAIN_ID", str(unique_domain()))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")


@pytest.fixture
def patient(tmp_path):
    """A robot profile whose limits a busy machine keeps."""
    values = yaml.safe_load(resource("config/robots/franka.yaml").read_text())
    values |= {f"{k}_timeout_s": LIMIT_S for k in ("image", "pose", "action")}
    path = tmp_path / "patient.yaml"
    path.write_text(yaml.safe_dump(values))
    return str(path)


def wait_for(scene, reason):
    scene.client.wait(lambda: scene.reason == reason.name, 10.0, f"reason {reason.name}")


def test_whatever_falls_silent_the_arm_holds_once_and_goes_on_when_it_speaks_again(patient):
    with Scene(PARTS, patient) as scene:
        for fault in (camera, pose, pause, arm_pause):
            scene.moving()
            fault(scene)
        scene.moving()
        scene.fail("planner", signal.SIGKILL)
        wait_for(scene, Reason.STALE_ACTION)
        scene.quiet(0.5)


def test_a_robot_computer_that_is_gone_without_a_word_makes_the_arm_hold(patient):
    with Scene(TOGETHER, patient) as scene:
        scene.moving()
        peer(scene)
        scene.moving()


def test_a_clock_that_is_turned_back_makes_the_arm_hold_until_all_is_heard_anew(patient):
    with Scene(TIMED, patient) as scene:
        scene.moving()
        clock(scene)
        scene.moving()
