"""A rope on a table with two pegs, seen from above: Plan2vec's second domain (section 5.2).

Made after the recordings of a real rope by Wang et al. (2018): from picture to picture one point of
the rope is taken and dragged a few centimetres, and the pegs do not let it through. The rope is a
chain of links that slides in the plane of the table. It may lie across itself.
"""

import cv2
import mujoco
import numpy as np

from latentplan_ros.data.sequences import SIZE, Sequences
from latentplan_ros.sim.environment import SimulationError

HALF_M = 0.25  # of the square that the camera sees
LINKS = 32
LINK_M = 0.0125
ROPE_RADIUS_M = 0.008
PEGS = np.array([[-0.08, 0.0], [0.08, 0.0]])  # x, y, metres
PEG_RADIUS_M = 0.022
_LINK_KG = 0.002
_BEND_RAD = 1.0  # the most that a link may be bent from the one before
_BEND_STIFFNESS = 1e-3  # N m a radian; short bends spring back and wide ones stay
_BEND_DAMPING = 2e-5  # N m s
_VISCOSITY = 1.0  # Pa s, in place of the table's friction: who is let go stops in 0.01 s
_RIM_M = 0.235  # where bars keep the rope from leaving the picture
_REACH_M = 0.21  # no point of the rope is dragged to a place beyond
_DRAG_M = (0.02, 0.06)  # how far a grasp moves, least and most
_SPEED_M_S = 0.3  # of a grasp
_GRIP_N_M = 30.0  # the hand holds the rope by a spring, which gives where a peg is in the way
_SETTLE_S = 0.1
_TIMESTEP_S = 0.005
# The hardest contact of this time step. Bit 1 is what stands on the table, bit 2 the rope, so that
# the rope touches the former and not itself.
_STANDING = {"contype": 1, "conaffinity": 2, "condim": 1, "solref": [2 * _TIMESTEP_S, 1]}
_LYING = {**_STANDING, "contype": 2, "conaffinity": 1}
_TABLE, _PEG, _ROPE = ([gray, gray, gray, 1.0] for gray in (0.85, 0.45, 0.05))


def record_rope(sequences: int = 18, frames: int = 778, seed: int = 0) -> Sequences:
    """Pictures of a rope before, between and after random grasps.

    Each sequence starts from a random shape and has ``frames`` pictures. The truth is ``float64
    [N,2*LINKS]``: x, y in metres of the middle of each link, from end to end. A picture is
    ``2*HALF_M`` wide with 0, 0 in its middle, x to the right and y up. A sequence is the same every
    time for a seed and its number, however many are recorded.

    Raises SimulationError if the physics becomes unstable, SequenceError for fewer than two frames.
    """
    table = _Table()
    try:
        recorded = [
            table.record(frames, np.random.default_rng([seed, number]))
            for number in range(sequences)
        ]
    finally:
        table.close()
    return Sequences.in_a_row([one[0] for one in recorded], [one[1] for one in recorded])


class _Table:
    """The rope in MuJoCo. It belongs to the thread that made it, because its renderer does."""

    def __init__(self) -> None:
        self.model = _scene().compile()
        self.data = mujoco.MjData(self.model)
        self.links = np.array([self.model.body(f"link{i}").id for i in range(LINKS)])
        # Twice as fine, for the mean of four to show moves of less than a pixel; multisampling
        # would do the same for much more time.
        self.renderer = mujoco.Renderer(self.model, 2 * SIZE, 2 * SIZE)
        self.renderer.scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = 0
        self.renderer.scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = 0

    def record(self, frames: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """One sequence: ``uint8 [frames,64,64]`` and its truth ``float64 [frames,2*LINKS]``."""
        mujoco.mj_resetData(self.model, self.data)
        self.data.qpos[:] = _draw_shape(rng)
        mujoco.mj_forward(self.model, self.data)
        pictures = np.empty((frames, SIZE, SIZE), np.uint8)
        truth = np.empty((frames, 2 * LINKS))
        for frame in range(frames):
            if frame:
                self._grasp(rng)
            pictures[frame] = self._picture()
            truth[frame] = self.data.xipos[self.links, :2].ravel()
        return pictures, truth

    def close(self) -> None:
        self.renderer.close()

    def _grasp(self, rng: np.random.Generator) -> None:
        """Takes the rope at a random point, drags that a random way, lets go, and waits."""
        link = rng.choice(self.links)
        start = self.data.xipos[link, :2].copy()
        way = _draw_way(start, rng)
        steps = int(np.ceil(np.linalg.norm(way) / (_SPEED_M_S * _TIMESTEP_S)))
        force = self.data.xfrc_applied[link]
        for step in range(1, steps + 1):
            hand = start + way * (step / steps)
            force[:2] = _GRIP_N_M * (hand - self.data.xipos[link, :2])
            mujoco.mj_step(self.model, self.data)
        force[:] = 0.0
        mujoco.mj_step(self.model, self.data, round(_SETTLE_S / _TIMESTEP_S))
        # mj_step leaves derived positions a substep stale.
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_comPos(self.model, self.data)
        # MuJoCo answers instability by starting over, with nothing but this count to show it.
        if self.data.warning.number.any():
            raise SimulationError(f"rope: physics became unstable at t = {self.data.time:.3f} s")

    def _picture(self) -> np.ndarray:
        """``uint8 [64,64]``, gray."""
        self.renderer.update_scene(self.data, "above")
        fine = self.renderer.render()[..., 0]
        return cv2.resize(fine, (SIZE, SIZE), interpolation=cv2.INTER_AREA)


def _draw_way(start: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """How to drag what is at ``start [2]``: ``[2]`` in metres, ending within reach."""
    while True:
        angle, length = rng.uniform(0.0, 2 * np.pi), rng.uniform(*_DRAG_M)
        way = length * np.array([np.cos(angle), np.sin(angle)])
        if (np.abs(start + way) < _REACH_M).all():
            return way


def _draw_shape(rng: np.random.Generator) -> np.ndarray:
    """Joint positions ``[LINKS+2]`` of a rope in gentle bends, on the table and off the pegs."""
    while True:
        bends = np.convolve(rng.normal(0.0, 0.5, LINKS + 6), np.ones(8) / 8, "valid")
        heading = rng.uniform(-np.pi, np.pi) + np.append(0.0, bends.cumsum())
        links = LINK_M * np.stack([np.cos(heading), np.sin(heading)], axis=1)
        starts = rng.uniform(-_REACH_M, _REACH_M, 2) + links.cumsum(0) - links
        to_pegs = np.linalg.norm(starts[:, None] - PEGS, axis=-1)
        free = to_pegs.min() > PEG_RADIUS_M + ROPE_RADIUS_M + LINK_M
        if free and (np.abs(starts) < _REACH_M).all():
            return np.concatenate([starts[0], heading[:1], bends])


def _scene() -> mujoco.MjSpec:
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    spec.option.timestep = _TIMESTEP_S
    # The implicit integrators take three times as long here, for the derivatives of the drag.
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_EULER
    spec.option.gravity = [0.0, 0.0, 0.0]
    spec.option.viscosity = _VISCOSITY
    visual = spec.visual
    visual.quality.offsamples, visual.quality.shadowsize = 0, 0
    visual.quality.numslices, visual.quality.numstacks = 12, 4  # coarser than a pixel is seen
    visual.headlight.ambient = [1.0] * 3
    visual.headlight.diffuse = visual.headlight.specular = [0.0] * 3
    spec.worldbody.add_camera(name="above", pos=[0, 0, 1], orthographic=True, fovy=2 * HALF_M)
    _add_table(spec.worldbody)
    _add_rope(spec.worldbody)
    return spec


def _add_table(world: mujoco.MjsBody) -> None:
    """The table below the plane in which the rope slides, the pegs, and the rim."""
    plane, square = mujoco.mjtGeom.mjGEOM_PLANE, [2 * HALF_M, 2 * HALF_M, 1]
    world.add_geom(type=plane, size=square, pos=[0, 0, -0.1], rgba=_TABLE, contype=0, conaffinity=0)
    for x, y in PEGS:
        # An upright capsule is round in the plane like a cylinder, and quicker to collide with.
        world.add_geom(
            type=mujoco.mjtGeom.mjGEOM_CAPSULE,
            size=[PEG_RADIUS_M, 0.03, 0],
            pos=[x, y, 0],
            rgba=_PEG,
            **_STANDING,
        )
    for inward in np.array([[-1.0, 0, 0], [1, 0, 0], [0, -1, 0], [0, 1, 0]]):
        quat = np.zeros(4)
        mujoco.mju_quatZ2Vec(quat, inward)
        world.add_geom(
            type=plane, size=square, pos=-_RIM_M * inward, quat=quat, rgba=[0] * 4, **_STANDING
        )


def _add_rope(world: mujoco.MjsBody) -> None:
    """Links end to end: the first slides and turns, every other turns about the one before."""
    slide, hinge = mujoco.mjtJoint.mjJNT_SLIDE, mujoco.mjtJoint.mjJNT_HINGE
    body = world.add_body(name="link0")
    body.add_joint(type=slide, axis=[1, 0, 0])
    body.add_joint(type=slide, axis=[0, 1, 0])
    body.add_joint(type=hinge, axis=[0, 0, 1])
    for number in range(LINKS):
        if number:
            body = body.add_body(name=f"link{number}", pos=[LINK_M, 0, 0])
            body.add_joint(
                type=hinge,
                axis=[0, 0, 1],
                stiffness=_BEND_STIFFNESS,
                damping=_BEND_DAMPING,
                limited=True,
                range=[-_BEND_RAD, _BEND_RAD],
            )
        body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_CAPSULE,
            fromto=[0, 0, 0, LINK_M, 0, 0],
            size=[ROPE_RADIUS_M, 0, 0],
            mass=_LINK_KG,
            rgba=_ROPE,
            **_LYING,
        )
