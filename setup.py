"""What setup.cfg cannot say: the files that ship beside the code, found by walking folders."""

from pathlib import Path

from setuptools import setup

PACKAGE = "latentplan_ros"
SHARE = f"share/{PACKAGE}"
SHARED_FOLDERS = ("config", "launch", "rviz", "checkpoints")


def files_below(folder: str) -> list[Path]:
    """Every file below a folder, in a stable order, without what Python leaves behind."""
    found = (p for p in Path(folder).rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    return sorted(found)


def shared_files() -> list[tuple[str, list[str]]]:
    """``data_files``: one entry a folder, keeping the layout of the source tree."""
    folders: dict[str, list[str]] = {
        "share/ament_index/resource_index/packages": [f"resource/{PACKAGE}"],
        SHARE: ["package.xml"],
        # `ros2 run` and `ros2 launch` look for executables here; pip fills it from data_files only.
        f"lib/{PACKAGE}": [
            str(path)
            for path in sorted(Path("scripts").iterdir())
            if path.is_file() and not path.suffix
        ],
    }
    for top in SHARED_FOLDERS:
        for path in files_below(top):
            folders.setdefault(f"{SHARE}/{path.parent.as_posix()}", []).append(str(path))
    return list(folders.items())


def files_in_package() -> list[str]:
    """Meshes, scenes and templates inside the package (globs with ** need setuptools 62)."""
    return [
        str(p.relative_to(PACKAGE)) for p in files_below(PACKAGE) if p.suffix not in (".py", ".pyc")
    ]


setup(
    # Here because setup.cfg turns it into an object that colcon cannot read back.
    python_requires=">=3.10",
    data_files=shared_files(),
    package_data={PACKAGE: files_in_package()},
)
