"""The command line: quick help, one line for bad input, and verbs that match their rooms."""

import json
import os
import re
import subprocess
import sys
from dataclasses import fields

import pytest

from latentplan_ros import cli
from latentplan_ros.bringup.graphs import GRAPHS, Options
from latentplan_ros.learning.train import METHODS

HEAVY = ("torch", "rclpy", "mujoco", "faiss", "cv2", "zarr", "scipy", "matplotlib")


def test_help_imports_no_room():
    code = (
        "import json, sys, latentplan_ros.cli as cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        f"print(json.dumps([m for m in {HEAVY!r} if m in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    verbs = re.findall(r"• (\w+)", done.stdout)
    assert verbs == [
        "demo",
        "up",
        "teleop",
        "collect",
        "dataset",
        "train",
        "evaluate",
        "diagnose",
        "graph",
        "watch",
        "doctor",
    ]
    assert json.loads(done.stdout.splitlines()[-1]) == []


def test_bad_input_is_one_line_and_status_2(tmp_path, capsys):
    out = str(tmp_path / "d.zarr")
    assert cli.main(["collect", "--task", "franka_flying", "-o", out, "--episodes", "1"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert "franka_flying" in error
    assert "Traceback" not in error
    assert error.count("\n") == 1


def test_up_offers_the_graphs_and_options_of_the_node_table(capsys):
    with pytest.raises(SystemExit):
        cli.main(["up", "--help"])
    assert "{" + ",".join(GRAPHS) + "}" in capsys.readouterr().out
    options = {f.name: f.default for f in fields(cli.Up) if f.name != "graph"}
    options["use_sim_time"] = str(options["use_sim_time"]).lower()
    assert options == {f.name: f.default for f in fields(Options)}


def test_train_offers_the_methods_there_are(capsys):
    with pytest.raises(SystemExit):
        cli.main(["train", "--help"])
    assert "{" + ",".join(METHODS) + "}" in capsys.readouterr().out


def test_a_defect_keeps_its_traceback(monkeypatch):
    def fail(self):
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(cli.Doctor, "run", fail)
    with pytest.raises(ZeroDivisionError):
        cli.main(["doctor"])


def test_a_missing_dependency_is_named_with_the_way_to_get_it(tmp_path):
    (tmp_path / "mujoco").mkdir()
    (tmp_path / "mujoco/__init__.py").write_text("raise ModuleNotFoundError('no', name='mujoco')\n")
    done = subprocess.run(
        [sys.executable, "-m", "latentplan_ros.cli", "collect", "-o", str(tmp_path / "d.zarr")],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stderr == (
        "error: mujoco is not installed; `latentplan doctor` says how to get it\n"
    )
