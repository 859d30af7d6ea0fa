"""Things to grasp: eight of different shape and colour, narrower than the Franka's hand opens."""

from dataclasses import dataclass

import mujoco


@dataclass(frozen=True)
class Thing:
    """A MuJoCo primitive; size as there, metres. height: of its middle where it lies."""

    name: str
    shape: mujoco.mjtGeom
    size: tuple[float, float, float]
    height: float
    colour: tuple[float, float, float]

    def add_to(self, spec: mujoco.MjSpec) -> None:
        """A free body of its name."""
        body = spec.worldbody.add_body(name=self.name)
        body.add_freejoint(name=self.name)
        body.add_geom(
            name=self.name,
            type=self.shape,
            size=self.size,
            rgba=[*self.colour, 1],
            mass=0.05,
            condim=6,
            friction=[0.8, 0.01, 0.002],  # the last stops what rolls
            conaffinity=3,  # rims of trays are of type 2: they stop things and not the arm
        )


_BOX, _CYLINDER = mujoco.mjtGeom.mjGEOM_BOX, mujoco.mjtGeom.mjGEOM_CYLINDER
_BALL, _EGG = mujoco.mjtGeom.mjGEOM_SPHERE, mujoco.mjtGeom.mjGEOM_ELLIPSOID
THINGS = (
    Thing("cube", _BOX, (0.023, 0.023, 0.023), 0.023, (0.85, 0.12, 0.10)),
    Thing("can", _CYLINDER, (0.022, 0.028, 0.0), 0.028, (0.10, 0.60, 0.22)),
    Thing("ball", _BALL, (0.027, 0.0, 0.0), 0.027, (0.12, 0.30, 0.85)),
    Thing("bar", _BOX, (0.042, 0.015, 0.018), 0.018, (0.95, 0.80, 0.10)),
    Thing("egg", _EGG, (0.038, 0.024, 0.024), 0.024, (0.95, 0.50, 0.10)),
    Thing("plate", _CYLINDER, (0.033, 0.014, 0.0), 0.014, (0.10, 0.75, 0.80)),
    Thing("tower", _BOX, (0.017, 0.017, 0.040), 0.040, (0.55, 0.20, 0.70)),
    Thing("peg", _CYLINDER, (0.014, 0.036, 0.0), 0.036, (0.95, 0.55, 0.75)),
)
