"""What node processes find in their environment."""

from pathlib import Path

from latentplan_ros.bringup.environment import additions, ros_environment


def test_the_shipped_dds_profile_and_this_machine_alone_by_default():
    env = ros_environment({"HOME": "/root", "DISPLAY": ":0"})
    assert Path(env["FASTDDS_DEFAULT_PROFILES_FILE"]).is_file()
    assert env["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"
    assert "FASTRTPS_DEFAULT_PROFILES_FILE" not in env
    assert "ROS_LOCALHOST_ONLY" not in env
    assert "MUJOCO_GL" not in env
    assert "ROS_LOG_DIR" not in env


def test_what_the_user_has_set_stays():
    chosen = {
        "HOME": "/root",
        "FASTDDS_DEFAULT_PROFILES_FILE": "/etc/mine.xml",
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET",
        "MUJOCO_GL": "osmesa",
    }
    env = ros_environment(chosen)
    assert {key: env[key] for key in chosen} == chosen


def test_what_is_set_to_nothing_is_not_set():
    env = ros_environment({"HOME": "/root", "ROS_AUTOMATIC_DISCOVERY_RANGE": "", "ROS_DISTRO": ""})
    assert env["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"
    env = ros_environment({"HOME": "/root", "ROS_DISTRO": "humble", "ROS_LOCALHOST_ONLY": ""})
    assert env["ROS_LOCALHOST_ONLY"] == "1"


def test_humble_gets_its_own_names_for_the_same():
    added = additions({"ROS_DISTRO": "humble", "HOME": "/root"})
    assert Path(added["FASTRTPS_DEFAULT_PROFILES_FILE"]).is_file()
    assert added["ROS_LOCALHOST_ONLY"] == "1"
    assert "ROS_AUTOMATIC_DISCOVERY_RANGE" not in added


def test_without_a_home_there_is_a_log_folder():
    assert additions({})["ROS_LOG_DIR"]
