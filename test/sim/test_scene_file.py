"""A scene of one's own: two files make a task, and what is wrong in them is told by its name."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from latentplan_ros import cli
from latentplan_ros.control.exploration import SmoothedRandomPolicy
from latentplan_ros.data.dataset import Dataset
from latentplan_ros.resources import resource
from latentplan_ros.sim.arm import ASSETS
from latentplan_ros.sim.environment import Environment, SimulationError
from latentplan_ros.sim.goals import FIRST_GOAL_SEED, make_goal
from latentplan_ros.sim.task import TaskError
from latentplan_ros.sim.tasks import TASKS, make_task

CUBE = """
<mujoco>
  <worldbody>
    <camera name="front" pos="1.25 0 0.6" xyaxes="0 1 0 -0.6 0 0.63"/>
    <geom name="table" type="plane" size="4 4 1"/>
    <body name="cube" pos="0.6 0 0.035">
      <freejoint name="cube"/>
      <geom type="box" size="0.035 0.035 0.035" mass="0.15"/>
    </body>
    <body name="lid" pos="0.9 0 0.2">
      <joint name="hinge" axis="0 0 1" range="-30 30"/>
      <geom type="box" size="0.01 0.1 0.01"/>
    </body>
    <body name="ball" pos="1.2 0 0.2"><joint name="ball" type="ball"/><geom size="0.02"/></body>
  </worldbody>
  <keyframe><key name="home" qpos="0.6 0 0.035 1 0 0 0 0 1 0 0 0"/></keyframe>
</mujoco>
"""
# Three slides and a gripper, and a slider to push: an arm that nobody here has modelled.
GANTRY = """
<mujoco>
  <worldbody>
    <camera name="front" pos="1.25 0 0.6" xyaxes="0 1 0 -0.6 0 0.63"/>
    <body pos="0.5 0 0.5">
      <joint name="x" type="slide" axis="1 0 0" range="-0.3 0.4"/><geom size="0.02" mass="1"/>
      <body><joint name="y" type="slide" axis="0 1 0"/><geom size="0.02" mass="1"/>
        <body><joint name="z" type="slide" axis="0 0 1"/><geom size="0.02" mass="1"/>
          <body name="hand" pos="0 0 -0.3">
            <geom type="box" size="0.02 0.02 0.05" mass="0.3"/>
            <site name="grip" pos="0 0 -0.08" quat="0 1 0 0"/>
            <body pos="0 0.03 -0.06">
              <joint name="left" type="slide" axis="0 1 0" range="0 0.04"/>
              <geom type="box" size="0.01 0.005 0.02" mass="0.05"/></body>
            <body pos="0 -0.03 -0.06">
              <joint name="right" type="slide" axis="0 -1 0" range="0 0.04"/>
              <geom type="box" size="0.01 0.005 0.02" mass="0.05"/></body>
          </body>
        </body>
      </body>
    </body>
    <body name="slider" pos="0.62 0 0.055">
      <joint name="slider" type="slide" axis="0 1 0" range="-0.15 0.15" damping="3"/>
      <geom type="box" size="0.2 0.02 0.03" mass="0.2"/>
    </body>
  </worldbody>
  <actuator><position name="motor" joint="x" kp="5000"/></actuator>
  <keyframe><key name="home" qpos="0.1 0 -0.1 0.02 0.02 0"/></keyframe>
</mujoco>
"""


def cube_fields():
    return {
        "scene": "cube.xml",
        "robot": "franka_table",
        "camera": "front",
        "exploration_std": [0.6, 0.6, 0.3, 0.15],
        "threshold_m": 0.05,
        "start": {
            "hand": {"min": [0.54, -0.18, 0.06], "max": [0.69, 0.18, 0.08]},
            "joints": {
                "cube": {"min": [0.54, -0.16, 0.035], "max": [0.69, 0.16, 0.035]},
                "hinge": {"min": -0.2, "max": 0.2},
            },
        },
        "objects": {"cube": {"body": "cube"}},
        "goals": {"regular": {"moved_m": 0.075}},
    }


@pytest.fixture
def write(tmp_path):
    def save(values, scene=CUBE, name="mine"):
        (tmp_path / values.get("scene", "cube.xml")).write_text(scene)
        path = tmp_path / f"{name}.yaml"
        path.write_text(values if isinstance(values, str) else yaml.safe_dump(values))
        return str(path)

    return save


@pytest.fixture(scope="module")
def example():
    env = Environment(make_task("franka_cube"))
    yield env
    env.close()


def test_the_example_is_a_task_like_the_others(example):
    task = example.task
    assert task.truth_names == ("cube_x", "cube_y", "cube_z", "tcp_x", "tcp_y", "tcp_z")
    moved, yaws = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        example.reset(rng)
        start, policy = example.truth(), SmoothedRandomPolicy(task.exploration_std)
        yaws.append(example.data.joint("cube").qpos[6])
        assert (np.abs(start[:2] - [0.615, 0.0]) <= [0.0751, 0.1601]).all()
        policy.reset(rng)
        for _ in range(task.episode_steps):
            example.step(policy.act())
        moved.append(task.error_m(example.truth(), start))
    assert np.mean(np.array(moved) > 0.05) > 0.15  # what teaches something
    assert np.std(yaws) > 0.1
    assert example.render(480, 640).std() > 10


@pytest.mark.parametrize("kind", ["regular", "hard"])
def test_the_example_has_goals_that_doing_nothing_does_not_reach(example, kind):
    task = example.task
    for index in range(2):
        goal = make_goal(example, kind, FIRST_GOAL_SEED, index)
        assert goal.task == "franka_cube"
        for _ in range(task.episode_steps):
            example.step(np.zeros(4))
        assert task.error_m(example.truth(), goal.truth) > task.threshold_m
        if kind == "hard":
            assert np.linalg.norm(goal.truth[:3] - goal.truth[3:]) > 0.125


def test_a_file_is_collected_from_wherever_one_stands(write, tmp_path, monkeypatch):
    write(cube_fields())
    monkeypatch.chdir(tmp_path.parent)
    path, out = f"{tmp_path.name}/mine.yaml", tmp_path / "D.zarr"
    arguments = ["collect", "--task", path, "--episodes", "2", "--workers", "1", "-o", str(out)]
    assert cli.main(arguments) == 0
    dataset = Dataset.open(out)
    assert (dataset.num_episodes, dataset.num_frames) == (2, 62)
    assert (dataset.info.task, dataset.info.camera) == ("mine", "front")
    assert dataset.info.truth_names[:3] == ("cube_x", "cube_y", "cube_z")
    assert dataset.info.action_space.robot == "franka_table"


def changed(change):
    values = cube_fields()
    change(values)
    return values


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda v: v.pop("camera"), "mine.yaml: camera is missing"),
        (lambda v: v.update(camera="left"), "no camera named 'left'; it has front"),
        (lambda v: v.update(camrea="x"), "no field is named camrea; there are name, scene"),
        (lambda v: v.update(exploration_std=[1, 2, 3]), "exploration_std must be 4 finite numbers"),
        (lambda v: v.update(exploration_std=[0, 0, 0, 0]), "exploration_std must be at least 0"),
        (lambda v: v.update(threshold_m=-1), "threshold_m must be a positive number, not -1"),
        (lambda v: v.update(episode_steps=1.5), "episode_steps must be a whole number"),
        (lambda v: v.update(name="franka_door"), "franka_door is a task that ships"),
        (lambda v: v.update(robot="r2d2"), "no robot profile named 'r2d2'"),
        (lambda v: v.update(objects=[1]), "mine.yaml: objects must be names and their values"),
        (lambda v: v["start"].pop("hand"), "start: hand is missing"),
        (lambda v: v["start"]["hand"].update(min=[1, 2]), "start: hand: min must be 3 finite"),
        (lambda v: v["start"]["hand"].update(min=[9, 9, 9]), r"hand: min \[9.* is above max"),
        (lambda v: v["start"]["hand"].update(max=[0.6, 2, 1]), "outside the workspace of franka"),
        (
            lambda v: v["start"]["joints"].update(cbue={"min": 0, "max": 1}),
            "start: joints: cbue: the MJCF has no joint named 'cbue'; it has ball, cube, hinge",
        ),
        (lambda v: v["start"]["joints"]["cube"].update(min=0.5), "cube: min must be 3 finite"),
        (lambda v: v["start"]["joints"]["hinge"].update(yaw_deg=[0, 1]), "no field is named yaw"),
        (lambda v: v["start"]["joints"]["hinge"].update(max=0.6), "leaves the joint's range"),
        (lambda v: v["start"]["joints"].update(ball={"min": 0, "max": 1}), "a ball joint"),
        (lambda v: v.update(objects={"cube": {"body": "b"}}), "no body named 'b'"),
        (lambda v: v.update(objects={"cube": {"joint": "cube"}}), "'cube' does not slide; name a"),
        (lambda v: v.update(objects={"cube": {}}), "cube must name either a body or a joint"),
        (lambda v: v.update(goals={}), "goals must name at least one kind"),
        (lambda v: v["goals"]["regular"].update(moved_m=0.04), "more than threshold_m, 0.05"),
        (lambda v: v["goals"]["regular"].update(direction="increase"), "only goals of joints"),
        (lambda v: (v.update(objects={}), v["goals"]["regular"].update(apart_m=1)), "from bodies"),
        (lambda v: v.update(end_effector={"site": "s"}), "no site named 's'; it has none"),
    ],
)
def test_a_wrong_field_is_named_with_its_file(write, change, words):
    path = write(changed(change))
    with pytest.raises(ValueError, match=words) as error:
        make_task(path)
    assert type(error.value).__module__.startswith("latentplan_ros.")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("scene", "words"),
    [
        ("<mujoco>", "cube.xml: .*XML"),
        (CUBE.replace("</body>", '<geom size="0.1" colour="1 1 1"/></body>', 1), "colour"),
        (CUBE.replace('name="lid"', 'name="link7"'), "does not compile with the arm .*link7"),
        (CUBE.replace('type="plane"', 'type="mesh" mesh="none"'), "none"),
    ],
)
def test_a_wrong_mjcf_is_named_with_what_is_wrong(write, scene, words):
    with pytest.raises(TaskError, match=words) as error:
        make_task(write(cube_fields(), scene))
    assert "mine.yaml: scene: " in str(error.value)


def test_files_that_are_not_there_or_no_yaml(write, tmp_path):
    with pytest.raises(TaskError, match=r"cannot read scene file .*none.yaml: No such file"):
        make_task(str(tmp_path / "none.yaml"))
    path = Path(write(cube_fields()))
    (tmp_path / "cube.xml").unlink()
    with pytest.raises(TaskError, match=r"mine.yaml: scene: there is no file .*cube.xml"):
        make_task(str(path))
    for text in ("{", "[1, 2]", ""):
        path.write_text(text)
        with pytest.raises(TaskError, match=r"mine.yaml"):
            make_task(str(path))


def test_a_start_that_always_collides_names_what_touches(write):
    values = changed(lambda v: v["start"]["joints"]["cube"].update(min=[0.54, -0.16, 0.0]))
    values["start"]["joints"]["cube"]["max"] = [0.69, 0.16, 0.01]
    env = Environment(make_task(write(values)))
    with pytest.raises(SimulationError, match="geom table touched geom of body cube"):
        env.reset(np.random.default_rng(0))


def test_meshes_lie_beside_the_mjcf_and_those_of_the_arm_stay_where_they_are(write, tmp_path):
    (tmp_path / "parts").mkdir()
    mesh = ASSETS / "panda" / "link3.stl"
    (tmp_path / "parts" / "stone.stl").write_bytes(mesh.read_bytes())
    scene = CUBE.replace("<mujoco>", '<mujoco><compiler meshdir="parts"/>').replace(
        "<worldbody>", '<asset><mesh name="stone" file="stone.stl"/></asset><worldbody>'
    )
    scene = scene.replace('type="box" size="0.035 0.035 0.035"', 'type="mesh" mesh="stone"')
    values = changed(lambda v: v["start"]["joints"].pop("cube"))
    env = Environment(make_task(write(values, scene)))
    assert env.model.mesh("stone").vertnum[0] == env.model.mesh("link3").vertnum[0]


def test_an_arm_of_ones_own_is_driven_by_its_site(write, tmp_path):
    profile = yaml.safe_load(resource("config/robots/franka_table.yaml").read_text())
    profile |= {"name": "gantry", "joints": ["x", "y", "z", "left", "right"]}
    (tmp_path / "gantry_robot.yaml").write_text(yaml.safe_dump(profile))
    values = cube_fields() | {
        "scene": "gantry.xml",
        "robot": "gantry_robot.yaml",
        "end_effector": {"site": "grip", "fingers": {"left": [0, 0.04], "right": [0, 0.04]}},
        "start": {
            "hand": {"min": [0.54, -0.2, 0.08], "max": [0.69, 0.2, 0.1]},
            "joints": {"slider": {"min": -0.1, "max": 0.1}},
        },
        "objects": {"slider": {"joint": "slider"}},
        "goals": {"up": {"moved_m": 0.06, "direction": "increase"}},
    }
    env = Environment(make_task(write(values, GANTRY)))
    rng, lags = np.random.default_rng(0), []
    for _ in range(3):
        env.reset(rng)
        for _ in range(12):
            env.step(rng.uniform(-1, 1, 4))
            lags.append(np.linalg.norm(env.tcp_position - env.target))
        for _ in range(5):  # up, where nothing is in the way
            env.step(np.array([0, 0, 0.5, 1.0]))
        assert np.linalg.norm(env.tcp_position - env.target) < 0.003
        np.testing.assert_allclose(env.joint_positions[3:], 0.04, atol=0.003)
        assert abs(env.tcp_quaternion_xyzw[0]) == pytest.approx(1.0, abs=0.01)
    assert np.mean(lags) < 0.05  # as the baked arms at this speed
    goal = make_goal(env, "up", FIRST_GOAL_SEED, 0)
    assert goal.truth[0] - goal.start_truth[0] > 0.06
    for field, wrong, words in (
        ("site", "gripp", "no site named 'gripp'; it has grip"),
        ("fingers", {"slider": [0, 1]}, "slider is not a joint of gantry"),
    ):
        other = values | {"end_effector": values["end_effector"] | {field: wrong}}
        with pytest.raises(TaskError, match=words):
            make_task(write(other, GANTRY))
    with pytest.raises(TaskError, match="joints that are not in the MJCF: x; it has p, y, z"):
        make_task(write(values, GANTRY.replace('name="x"', 'name="p"')))
    env.close()


def test_names_of_scenes_that_ship_are_no_tasks_of_ours():
    shipped = {path.stem for path in resource("config/scenes").glob("*.yaml")}
    assert "franka_cube" in shipped
    assert not shipped & set(TASKS)
    for name in shipped:
        assert make_task(name).name == name
