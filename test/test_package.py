"""The package as ROS tools see it: metadata, executables and the files that ship with it."""

import ast
import configparser
import os
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from latentplan_ros import __version__
from latentplan_ros.resources import ResourceError, resource

ROOT = Path(__file__).resolve().parents[1]
STUBS = sorted(p for p in (ROOT / "scripts").iterdir() if p.is_file() and not p.suffix)


@pytest.fixture(scope="module")
def manifest() -> ET.Element:
    return ET.parse(ROOT / "package.xml").getroot()


def depends(manifest: ET.Element) -> set[str]:
    tags = ("depend", "exec_depend", "build_depend", "build_export_depend")
    return {element.text or "" for tag in tags for element in manifest.findall(tag)}


def defines_main(path: Path) -> bool:
    tree = ast.parse(path.read_text())
    return any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body)


def test_manifest_is_format_3_and_ament_python(manifest):
    assert manifest.get("format") == "3"
    assert manifest.findtext("name") == "latentplan_ros"
    assert manifest.findtext("export/build_type") == "ament_python"
    assert manifest.findtext("license") == "Apache-2.0"
    # An invalid address makes colcon take the package for a plain Python one.
    assert re.fullmatch(r"[-\w.]+@[-\w]+(\.[-\w]+)+", manifest.find("maintainer").get("email"))


def test_manifest_is_valid_for_ros_tools():
    package = pytest.importorskip("catkin_pkg.package", reason="comes with colcon")
    warnings: list[str] = []
    parsed = package.parse_package(str(ROOT), warnings=warnings)
    parsed.validate(warnings=warnings)
    assert warnings == []


def test_manifest_declares_the_ros_interfaces(manifest):
    assert depends(manifest) >= {
        "rclpy",
        "sensor_msgs",
        "geometry_msgs",
        "std_msgs",
        "std_srvs",
        "diagnostic_msgs",
        "visualization_msgs",
        "lifecycle_msgs",
        "rosgraph_msgs",
        "cv_bridge",
        "franka_msgs",
        "launch",
        "launch_ros",
        "python3-numpy",
        "python3-opencv",
    }


def test_every_ros_package_that_the_code_imports_is_declared(manifest):
    imported = set()
    for path in [*(ROOT / "latentplan_ros").rglob("*.py"), *(ROOT / "launch").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported.add(node.module.split(".")[0])
            elif isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
    ros = {
        name
        for name in imported
        if name.endswith(("_msgs", "_srvs", "_interfaces"))
        or name in ("rclpy", "launch", "launch_ros", "cv_bridge", "ament_index_python", "tf2_ros")
    }
    assert "rclpy" in ros
    assert ros <= depends(manifest)


def test_one_version_everywhere(manifest):
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    assert setup["metadata"]["version"] == "attr: latentplan_ros.__version__"
    assert manifest.findtext("version") == __version__
    assert re.search(rf"^{re.escape(__version__)} ", (ROOT / "CHANGELOG.rst").read_text(), re.M)


def test_licence_is_apache_2():
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text


@pytest.mark.parametrize("robot", ["panda", "sawyer"])
def test_a_baked_robot_ships_with_its_licence_and_what_was_changed(robot):
    folder = ROOT / "latentplan_ros/sim/assets" / robot
    notice = " ".join((folder / "NOTICE").read_text().split())
    assert "Copyright" in notice
    assert "What was changed" in notice
    licences = [path.name for path in folder.glob("LICENSE*")]
    assert "LICENSE" in licences
    assert all(name in notice for name in licences)


@pytest.mark.parametrize("stub", STUBS, ids=lambda path: path.name)
def test_executable_starts_an_entry_point_that_exists(stub):
    text = stub.read_text()
    assert text.startswith("#!/usr/bin/env python3\n")
    assert os.access(stub, os.X_OK)
    imports = [node for node in ast.parse(text).body if isinstance(node, ast.ImportFrom)]
    assert [alias.name for node in imports for alias in node.names] == ["main"]
    module = imports[0].module
    assert module == f"latentplan_ros.nodes.{stub.name}" or stub.name == "latentplan"
    assert defines_main(ROOT / (module.replace(".", "/") + ".py"))


def test_every_node_has_an_executable():
    nodes = {p.stem for p in (ROOT / "latentplan_ros/nodes").glob("*.py") if defines_main(p)}
    assert nodes >= {"sim_bridge", "explorer", "recorder", "goal", "distance", "planner", "arm"}
    assert nodes | {"latentplan"} == {stub.name for stub in STUBS}


def test_a_shipped_file_that_is_not_there_is_named_with_the_places_searched():
    with pytest.raises(ResourceError, match=r"config/none\.yaml is not installed .*searched"):
        resource("config/none.yaml")
