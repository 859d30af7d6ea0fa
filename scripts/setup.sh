#!/bin/sh
# Makes .venv ready for everything in this repository: `make setup` runs it; run it again at will.
#
#   scripts/setup.sh          installs what is missing
#   scripts/setup.sh --plan   says what it would use and install, changes nothing
#
# Variables:
#   PYTHON       the Python to build on; by default the first of python3, python3.13 ... python3.10
#                that is 3.10 to 3.13
#   CONSTRAINTS  pip constraints file; by default constraints.txt
#   TORCH_INDEX  package index searched for torch besides PyPI; by default PyTorch's CPU builds on a
#                machine without an NVIDIA driver and none with one; TORCH_INDEX= means none
set -eu
cd "$(dirname "$0")/.."

CONSTRAINTS=${CONSTRAINTS:-constraints.txt}
VENV=.venv

say() { printf '%s\n' "setup: $*"; }
fail() { printf '%s\n' "setup: $*" >&2; exit 1; }

# The ROS wheels restart Python once with a library path of their own environment, and remember that
# in a variable; left set, a Python of another environment would load the wrong libraries.
if [ -n "${_ROS_WHEELS_BOOTSTRAP_COMPLETE:-}" ]; then
    unset _ROS_WHEELS_BOOTSTRAP_COMPLETE LD_LIBRARY_PATH
fi

supported() {
    command -v "$1" >/dev/null 2>&1 &&
        "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

find_python() {
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.10}; do
        if supported "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

has_library() { # soname, without needing ldconfig on the PATH
    "$python" -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "$1" 2>/dev/null
}

missing_packages() { # names of the Debian packages that are needed and absent
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        "$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'
    has_library libEGL.so.1 || echo libegl1
    has_library libOpenGL.so.0 || echo libopengl0
    # The software renderer has no library of its own to load: ask the package manager.
    if command -v dpkg-query >/dev/null 2>&1; then
        dpkg-query -W -f '${Status}' libgl1-mesa-dri 2>/dev/null | grep -q 'ok installed' ||
            echo libgl1-mesa-dri
    fi
}

python=$(find_python) || fail "no Python 3.10 to 3.13 found${PYTHON:+ at PYTHON=$PYTHON}." \
    "Install one (Debian 12: apt-get install python3 python3-venv)" \
    "or name it: make setup PYTHON=/path/to/python3"
# An active environment's Python stands for the one that it was made from: what is installed in it,
# ROS wheels too, will not be in ours.
python=$("$python" -c 'import sys; print(getattr(sys, "_base_executable", "") or sys.executable)')
packages=$(missing_packages | tr '\n' ' ')

# A sourced ROS installation brings its own rclpy for its own Python; wheels would stand beside it.
extras=ros,dev
site=
if "$python" -c 'import rclpy' 2>/dev/null; then
    extras=dev
    site=--system-site-packages
fi

if [ -z "${TORCH_INDEX+set}" ]; then
    TORCH_INDEX=https://download.pytorch.org/whl/cpu
    if nvidia-smi >/dev/null 2>&1; then TORCH_INDEX=; fi
fi

say "Python: $python ($("$python" -V 2>&1))"
say "system packages to install: ${packages:-none}"
say "extras: $extras"
say "torch index: ${TORCH_INDEX:-none besides PyPI}"
if [ "${1:-}" = --plan ]; then exit 0; fi

if [ -n "$packages" ]; then
    command -v apt-get >/dev/null 2>&1 ||
        fail "these are missing and there is no apt-get here to install them: $packages"
    if [ "$(id -u)" = 0 ]; then
        as_root=
    elif command -v sudo >/dev/null 2>&1; then
        as_root=sudo
    else
        fail "run as root: apt-get install $packages (neither root nor sudo here)"
    fi
    $as_root apt-get update -q
    # shellcheck disable=SC2086  # a list of names
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $packages
fi

# A venv that was cut short or whose Python is gone is made anew.
if ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
    say "making $VENV"
    # shellcheck disable=SC2086  # empty or one word
    "$python" -m venv --clear $site "$VENV"
fi
pip="$VENV/bin/python -m pip --disable-pip-version-check"

if [ -n "$TORCH_INDEX" ]; then
    # First, alone and without retries: where that index cannot be reached PyPI's build is installed,
    # which is only larger.
    say "installing torch"
    $pip install -qq --no-deps --retries 0 --timeout 20 --extra-index-url "$TORCH_INDEX" \
        -c "$CONSTRAINTS" torch
fi
say "installing the package and its dependencies (a minute or two)"
$pip install -q -c "$CONSTRAINTS" -e ".[$extras]"

# pip leaves data files out of an editable install; with these, AMENT_PREFIX_PATH=.venv is enough for
# `ros2 run` and `ros2 launch` to find the package.
site_root=$(cd "$VENV" && pwd)
mkdir -p "$site_root/lib" "$site_root/share/ament_index/resource_index/packages"
ln -sfn "$PWD/scripts" "$site_root/lib/latentplan_ros"
ln -sfn "$PWD" "$site_root/share/latentplan_ros"
: > "$site_root/share/ament_index/resource_index/packages/latentplan_ros"

say "ready; see what this machine has with: $VENV/bin/latentplan doctor"
