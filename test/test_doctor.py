"""``latentplan doctor``: what is there, what is missing, and each lack with its remedy."""

import os
import subprocess
import sys
from collections import namedtuple

import pytest
from rich.console import Console

from latentplan_ros.bringup.doctor import (
    Finding,
    Status,
    diagnose,
    doctor,
    installation,
    rendering,
    report,
    ros,
    storage,
)

Usage = namedtuple("Usage", "total used free")


def broken(tmp_path, *names: str) -> str:
    """A PYTHONPATH on which these packages do not import."""
    for name in names:
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "__init__.py").write_text(f"raise ImportError('{name} is broken')\n")
    return str(tmp_path)


def test_everything_is_found_here_and_every_lack_has_a_remedy(capsys):
    findings = {finding.subject: finding for finding in diagnose()}
    needed = ("Python", "Python packages", "ROS 2", "Rendering", "Shared memory", "Log folder")
    assert {s: findings[s].status for s in needed} == dict.fromkeys(needed, Status.OK)
    assert findings["ROS 2"].found.split(",")[1].strip().startswith("rmw_")
    assert findings["GPU"].found
    for finding in findings.values():
        assert finding.found
        assert finding.remedy or finding.status is not Status.MISSING


def test_the_command_prints_a_table_and_fails_for_what_is_required(tmp_path):
    """ROS, torch and MuJoCo broken: the doctor still runs, says so, and tells jobs apart."""
    path = broken(tmp_path, "rclpy", "torch", "mujoco")
    results = {}
    for purpose in ("demo", "robot"):
        results[purpose] = subprocess.run(
            [sys.executable, "-m", "latentplan_ros.cli", "doctor", "--purpose", purpose],
            env={**os.environ, "PYTHONPATH": path, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=120,
        )
    demo, robot = results["demo"], results["robot"]
    assert demo.returncode == robot.returncode == 1
    assert "rclpy is broken" in demo.stdout
    assert "mujoco is broken" in demo.stdout
    assert "torch is broken" in demo.stdout
    assert "Missing for demo: ROS 2, Rendering" in demo.stdout
    assert "Missing for robot: ROS 2" in robot.stdout
    assert "Rendering" not in robot.stdout.splitlines()[-1]
    assert "Traceback" not in demo.stdout + demo.stderr


def test_what_is_not_required_does_not_fail(monkeypatch, capsys):
    findings = [
        Finding("Python", Status.OK, "3.11"),
        Finding("ROS 2", Status.MISSING, "none", "install it"),
        Finding("GPU", Status.NOTE, "none"),
    ]
    monkeypatch.setattr(report, "diagnose", lambda: iter(findings))
    assert doctor("train") == 0
    assert doctor("robot") == 1
    assert "install it" in capsys.readouterr().out


def test_text_from_the_machine_is_not_taken_for_markup(monkeypatch):
    monkeypatch.setattr(
        report,
        "diagnose",
        lambda: iter([Finding("ROS 2", Status.NOTE, "a", "pip install 'x[ros]'")]),
    )
    console = Console(record=True, width=120)
    doctor("train", console)
    assert "x[ros]" in console.export_text()


def test_rclpy_that_is_absent(monkeypatch, tmp_path):
    monkeypatch.setattr(ros.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(ros, "ROS_ROOT", tmp_path)
    finding = ros.check_ros()
    assert finding.status is Status.MISSING
    assert "[ros]" in finding.remedy
    (tmp_path / "jazzy").mkdir()
    (tmp_path / "jazzy/setup.bash").touch()
    assert ros.check_ros().remedy == f"source {tmp_path}/jazzy/setup.bash"


def test_an_apt_ros_that_is_not_sourced_or_is_shadowed(monkeypatch, tmp_path):
    (tmp_path / "jazzy").mkdir()
    (tmp_path / "jazzy/setup.bash").touch()
    monkeypatch.setattr(ros, "ROS_ROOT", tmp_path)
    monkeypatch.delenv("AMENT_PREFIX_PATH", raising=False)
    assert "is not sourced" in ros.check_ros_installation().found
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path / "jazzy"))
    if installation.installed("ros-rclpy"):
        finding = ros.check_ros_installation()
        assert finding.status is Status.NOTE
        assert "pip uninstall ros-rclpy" in finding.remedy


@pytest.mark.parametrize(("version", "status"), [((3, 9, 18), "missing"), ((3, 14, 0), "missing")])
def test_unsupported_python(monkeypatch, version, status):
    monkeypatch.setattr(installation.sys, "version_info", version)
    finding = installation.check_python()
    assert finding.status.value == status
    assert "3.10 to 3.13" in finding.remedy


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(installation, "installed", lambda name: name != "mcap")
    finding = installation.check_packages()
    assert finding.status is Status.MISSING
    assert finding.remedy == "pip install mcap"


def test_rendering_with_a_backend_that_cannot_work(monkeypatch):
    monkeypatch.setenv("MUJOCO_GL", "no-such-backend")
    finding = rendering.check_rendering()
    assert finding.status is Status.MISSING
    assert finding.found.startswith("no-such-backend: ")
    assert "libegl1" in finding.remedy


def test_dds_profile(monkeypatch, tmp_path):
    for variable in ("ROS_DISTRO", "RMW_IMPLEMENTATION", "FASTDDS_DEFAULT_PROFILES_FILE"):
        monkeypatch.delenv(variable, raising=False)
    unset = ros.check_dds_profile()
    assert unset.status is Status.NOTE
    assert unset.remedy.endswith("config/fastdds.xml")
    shipped = unset.remedy.partition("=")[2]
    monkeypatch.setenv("FASTDDS_DEFAULT_PROFILES_FILE", shipped)
    assert ros.check_dds_profile() == Finding("DDS profile", Status.OK, shipped)
    monkeypatch.setenv("FASTDDS_DEFAULT_PROFILES_FILE", str(tmp_path / "gone.xml"))
    assert "is not there" in ros.check_dds_profile().found
    monkeypatch.setenv("RMW_IMPLEMENTATION", "rmw_cyclonedds_cpp")
    assert ros.check_dds_profile().found == "not used by rmw_cyclonedds_cpp"


def test_shared_memory_that_is_full_of_what_killed_processes_left(monkeypatch, tmp_path):
    monkeypatch.setattr(storage, "SHM", tmp_path)
    monkeypatch.setattr(storage.shutil, "disk_usage", lambda path: Usage(2**26, 2**26, 0))
    assert storage.check_shared_memory().remedy == "docker: --shm-size=1g"
    (tmp_path / "fastdds_0123").touch()
    finding = storage.check_shared_memory()
    assert finding.status is Status.MISSING
    assert "fastdds_" in finding.remedy
    monkeypatch.setattr(storage, "SHM", tmp_path / "gone")
    assert "not writable" in storage.check_shared_memory().found


@pytest.mark.parametrize(
    ("gib", "status"), [(0.1, Status.MISSING), (2, Status.NOTE), (50, Status.OK)]
)
def test_disk(monkeypatch, gib, status):
    free = int(gib * 2**30)
    monkeypatch.setattr(storage.shutil, "disk_usage", lambda path: Usage(free, 0, free))
    assert storage.check_disk().status is status


def test_no_folder_for_logs(monkeypatch, tmp_path):
    for variable in ("HOME", "ROS_HOME", "ROS_LOG_DIR"):
        monkeypatch.delenv(variable, raising=False)
    assert "ROS_LOG_DIR" in storage.check_log_folder().remedy
    monkeypatch.setenv("ROS_LOG_DIR", str(tmp_path / "new"))
    assert storage.check_log_folder().status is Status.OK
