"""The stage every task shares: solver settings, floor, light, camera, and cheap rendering."""

import mujoco
import numpy as np

TIMESTEP_S = 0.005
_SIDE_RAD = np.pi / 4  # how far the second camera stands around what both look at


def new_scene(camera_pos: tuple, camera_at: tuple, fovy_deg: float) -> mujoco.MjSpec:
    """A spec with floor, two lights, the camera ``main`` (metres, world frame, z up) and ``side``.

    The second sees the same point from as far and as high, an eighth of a turn further left.
    """
    spec = mujoco.MjSpec()
    settle(spec)
    visual = spec.visual
    visual.headlight.ambient = [0.35] * 3
    visual.headlight.diffuse = [0.35] * 3
    visual.headlight.specular = [0.0] * 3
    spec.worldbody.add_light(
        pos=[0.3, -0.8, 1.6], dir=[0.1, 0.5, -1.0], diffuse=[0.5] * 3, castshadow=False
    )
    spec.worldbody.add_geom(
        # The third size is the grid that the plane is drawn with: fine ones cost more than the arm.
        name="floor",
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        size=[4, 4, 1.0],
        rgba=[0.78, 0.76, 0.72, 1],
    )
    side_pos = _turned(camera_pos, camera_at, _SIDE_RAD)
    for name, pos in (("main", camera_pos), ("side", side_pos)):
        spec.worldbody.add_camera(name=name, pos=pos, quat=look_at(pos, camera_at), fovy=fovy_deg)
    return spec


def settle(spec: mujoco.MjSpec) -> None:
    """Solver settings that hold a welded arm in contact, and rendering without what costs most."""
    spec.option.timestep = TIMESTEP_S
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 5.0
    visual = spec.visual
    visual.global_.offwidth, visual.global_.offheight = 640, 480
    # Multisampling and shadows cost software rendering most of its speed.
    visual.quality.offsamples = 0
    visual.quality.shadowsize = 0


def _turned(position: tuple, around: tuple, angle_rad: float) -> tuple:
    """A position turned counterclockwise about the vertical through a point."""
    x, y = position[0] - around[0], position[1] - around[1]
    cos, sin = float(np.cos(angle_rad)), float(np.sin(angle_rad))
    return (around[0] + cos * x - sin * y, around[1] + sin * x + cos * y, position[2])


def look_at(position: tuple, point: tuple) -> np.ndarray:
    """Quaternion (wxyz) of a MuJoCo camera at position looking at point, the world's z up."""
    back = np.asarray(position, float) - np.asarray(point, float)
    back /= np.linalg.norm(back)
    right = np.cross([0.0, 0.0, 1.0], back)
    right /= np.linalg.norm(right)
    quat = np.zeros(4)
    mujoco.mju_mat2Quat(quat, np.stack([right, np.cross(back, right), back], axis=1).ravel())
    return quat
