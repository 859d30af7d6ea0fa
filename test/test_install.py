"""The three ways to install: pip into an environment, colcon, and beside a ROS from apt."""

import importlib.metadata
import importlib.util
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
SHARED = ("config", "launch", "rviz", "checkpoints")


def run(*command: str | Path, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def tracked_copy(destination: Path) -> Path:
    """The source without what builds leave in it, so that nothing stale gets installed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    for name in filter(None, listed.stdout.split("\0")):
        source, target = ROOT / name, destination / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
            target.chmod(source.stat().st_mode)
    return destination


def shipped_files(root: Path) -> set[str]:
    return {
        str(path.relative_to(root))
        for top in SHARED
        for path in (root / top).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def executables(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir() if p.is_file() and os.access(p, os.X_OK)}


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    return tracked_copy(tmp_path_factory.mktemp("source"))


@pytest.fixture(scope="module")
def environment(source, tmp_path_factory) -> Path:
    """An environment with the package installed by pip; its dependencies are those of the tests."""
    venv = tmp_path_factory.mktemp("environment") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", venv, cwd=source)
    site = sysconfig.get_path("purelib", vars={"base": str(venv)})
    dependencies = sysconfig.get_path("purelib")
    (Path(site) / "dependencies.pth").write_text(
        f"import site; site.addsitedir({dependencies!r})\n"
    )
    # pip runs from the tests' environment and installs into the new one.
    run(
        *(sys.executable, "-m", "pip", "--python", venv / "bin/python", "install", "-q"),
        *("--no-deps", "--no-build-isolation", "--no-index", "--ignore-installed", source),
        cwd=venv,
    )
    return venv


def test_pip_installs_executables_marker_and_shared_files(environment, source):
    share = environment / "share/latentplan_ros"
    marker = environment / "share/ament_index/resource_index/packages/latentplan_ros"
    assert marker.is_file()
    assert (share / "package.xml").is_file()
    assert shipped_files(share) == shipped_files(source)
    stubs = {p.name for p in (source / "scripts").iterdir() if not p.suffix and p.is_file()}
    assert executables(environment / "lib/latentplan_ros") == stubs
    assert (environment / "bin/latentplan").exists()


def test_pip_installs_every_file_of_the_package(environment, source):
    site = Path(sysconfig.get_path("purelib", vars={"base": str(environment)}))

    def names(root: Path) -> set[str]:
        found = (root / "latentplan_ros").rglob("*")
        return {
            str(p.relative_to(root)) for p in found if p.is_file() and p.suffix not in (".pyc",)
        }

    assert names(site) == names(source)


def test_an_installed_copy_finds_its_files_and_ros_finds_the_package(environment, tmp_path):
    code = (
        "import latentplan_ros; print(latentplan_ros.__file__)\n"
        "from latentplan_ros.resources import resource; print(resource('config/robots'))\n"
        "from ament_index_python import get_package_share_directory as share\n"
        "print(share('latentplan_ros'))"
    )
    python = environment / "bin/python"
    done = run(python, "-c", code, cwd=tmp_path, AMENT_PREFIX_PATH=str(environment))
    assert all(Path(line).is_relative_to(environment) for line in done.stdout.split())


def test_an_installed_copy_renders_and_starts_ros_nodes(environment, tmp_path):
    """The doctor of the copy looks: meshes, GL, rclpy and every dependency are within its reach."""
    run(environment / "bin/latentplan", "doctor", cwd=tmp_path)


def test_colcon_builds_it_as_ament_python(source, tmp_path):
    if importlib.util.find_spec("colcon_core") is None:
        pytest.skip("colcon is not installed (pip install colcon-common-extensions)")
    workspace = tmp_path / "workspace"
    (workspace / "src").mkdir(parents=True)
    (workspace / "src/latentplan_ros").symlink_to(source, target_is_directory=True)
    colcon = (sys.executable, "-m", "colcon")
    listed = run(*colcon, "list", cwd=workspace).stdout
    assert "(ros.ament_python)" in listed
    run(*colcon, "build", "--packages-select", "latentplan_ros", cwd=workspace)

    prefix = workspace / "install/latentplan_ros"
    assert (prefix / "share/ament_index/resource_index/packages/latentplan_ros").exists()
    assert shipped_files(prefix / "share/latentplan_ros") >= shipped_files(source)
    stubs = {p.name for p in (source / "scripts").iterdir() if not p.suffix and p.is_file()}
    assert executables(prefix / "lib/latentplan_ros") == stubs

    # As after `source install/setup.bash`: the built copy is the one that runs.
    code = "import latentplan_ros; print(latentplan_ros.__file__)"
    command = f'. install/setup.sh && "{sys.executable}" -c "{code}" && command -v latentplan'
    package, script = run("sh", "-c", command, cwd=workspace).stdout.split()
    assert Path(package).is_relative_to(prefix)
    assert Path(script) == prefix / "bin/latentplan"


def test_ros_wheels_are_only_in_the_extra():
    lines = importlib.metadata.requires("latentplan_ros") or []
    requirements = [Requirement(line) for line in lines]
    base = [r.name for r in requirements if not r.marker or r.marker.evaluate({"extra": ""})]
    extra = [r.name for r in requirements if r.marker and r.marker.evaluate({"extra": "ros"})]
    assert "torch" in base
    assert not [name for name in base if name.startswith("ros-")]
    assert "ros-rclpy" in extra


@pytest.fixture
def apt_ros(tmp_path) -> Path:
    """What a sourced ROS puts on PYTHONPATH, as far as choosing goes."""
    packages = tmp_path / "opt/ros/other/lib/python3/dist-packages"
    (packages / "rclpy").mkdir(parents=True)
    (packages / "rclpy/__init__.py").write_text("ORIGIN = 'apt'\n")
    return packages


def test_a_sourced_ros_is_not_shadowed(environment, apt_ros, tmp_path):
    code = "import rclpy, latentplan_ros; print(rclpy.ORIGIN)"
    done = run(environment / "bin/python", "-c", code, cwd=tmp_path, PYTHONPATH=str(apt_ros))
    assert done.stdout.strip() == "apt"


# Set-up


def plan(**variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", ROOT / "scripts/setup.sh", "--plan"],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_setup_leaves_the_ros_wheels_out_beside_a_sourced_ros(apt_ros):
    assert "extras: dev\n" in plan(PYTHON=sys.executable, PYTHONPATH=str(apt_ros)).stdout


def test_setup_does_not_take_an_active_environment_for_a_sourced_ros(tmp_path):
    """Its ROS wheels are out of reach for the environment that setup makes."""
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "other", cwd=tmp_path)
    python = tmp_path / "other/bin/python3"
    site = sysconfig.get_path("purelib", vars={"base": str(tmp_path / "other")})
    (Path(site) / "rclpy.py").write_text("")
    run(python, "-c", "import rclpy", cwd=tmp_path)
    said = plan(PYTHON=str(python)).stdout
    assert "extras: ros,dev" in said
    assert str(tmp_path) not in said


def test_setup_takes_the_torch_index_it_is_given():
    assert "torch index: none" in plan(TORCH_INDEX="").stdout
    assert "torch index: https://here/whl" in plan(TORCH_INDEX="https://here/whl").stdout


def test_setup_without_a_supported_python_says_which_it_needs(tmp_path):
    old = tmp_path / "python2"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = plan(PYTHON=str(old))
    assert done.returncode == 1
    assert f"no Python 3.10 to 3.13 found at PYTHON={old}" in done.stderr


@pytest.mark.parametrize("uid", [0, 1000])
def test_setup_installs_missing_system_packages_or_says_how(uid, tmp_path):
    """A Debian without the GL drivers: apt-get as root; else, without sudo, the command to run."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "dirname", "grep", "tr", "env"):
        (tools / name).symlink_to(f"/usr/bin/{name}")
    for name, script in {
        "id": f"echo {uid}",
        "dpkg-query": "exit 1",
        "apt-get": f'echo "$@" >> {tmp_path}/apt.log; [ "$1" = update ]',
        "python3": f'exec {sys.executable} "$@"',
    }.items():
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", ROOT / "scripts/setup.sh"],
        env={"PATH": str(tools), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    # The stand-in for apt-get refuses to install, which ends the script before it touches .venv.
    assert done.returncode != 0
    if uid == 0:
        log = (tmp_path / "apt.log").read_text().splitlines()
        assert log[0].startswith("update")
        assert "install" in log[1]
        assert "libgl1-mesa-dri" in log[1]
    else:
        assert "run as root: apt-get install" in done.stderr
        assert "libgl1-mesa-dri" in done.stderr
        assert not (tmp_path / "apt.log").exists()
