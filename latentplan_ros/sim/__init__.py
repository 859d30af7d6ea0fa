"""MuJoCo scenes and tasks, baked arms, batch rollouts."""

import os

# MuJoCo picks its renderer when it is first imported, and its own choice needs a display.
if not os.environ.get("DISPLAY"):
    os.environ.setdefault("MUJOCO_GL", "egl")
