"""Drawing without a display, which the simulation needs."""

import os

from latentplan_ros.bringup.doctor.finding import Finding, Status
from latentplan_ros.bringup.doctor.probe import run_python

GL_PACKAGES = "libegl1 libgl1-mesa-dri libopengl0"
_RENDER = """
import time
import numpy as np
from latentplan_ros.sim.environment import Environment
from latentplan_ros.sim.tasks import make_task
environment = Environment(make_task("franka_reach"))
environment.reset(np.random.default_rng(0))
frame = environment.render(64, 64)
assert frame.std() > 1, "the picture is empty"
start = time.perf_counter()
for _ in range(50):
    environment.render(64, 64)
print("rate", round(50 / (time.perf_counter() - start)))
environment.close()
"""


def check_rendering() -> Finding:
    """A picture of a simulated arm, in another process, which a broken driver can take down."""
    chosen = os.environ.get("MUJOCO_GL")
    errors = []
    for backend in [chosen] if chosen else ["egl", "osmesa"]:
        run = run_python(_RENDER, MUJOCO_GL=backend)
        if run.returncode == 0 and "rate" in run.values:
            found = f"{backend}, {run.values['rate']} pictures of 64 x 64 a second"
            if chosen:
                return Finding("Rendering", Status.OK, found)
            return Finding("Rendering", Status.OK, found, f"export MUJOCO_GL={backend}")
        errors.append(f"{backend}: {run.error}")
    remedy = f"apt install {GL_PACKAGES}, then export MUJOCO_GL=egl"
    return Finding("Rendering", Status.MISSING, "; ".join(errors), remedy)
