import pytest

from latentplan_ros.data.dataset import Dataset, DatasetWriter
from latentplan_ros.sim.collect import dataset_info, random_episode
from latentplan_ros.sim.environment import Environment
from latentplan_ros.sim.tasks import make_task


@pytest.fixture(scope="session")
def drawer_dataset(tmp_path_factory):
    """24 random episodes of the simulated drawer."""
    path = tmp_path_factory.mktemp("sim") / "drawer.zarr"
    env = Environment(make_task("franka_drawer"))
    with DatasetWriter(path, dataset_info(env, seed=3)) as writer:
        for index in range(24):
            writer.append(random_episode(env, 3, index))
    env.close()
    return Dataset.open(path)
