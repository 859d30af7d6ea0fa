import cv2
import numpy as np
from sensor_msgs.msg import Image
from std_srvs.srv import Trigger

from latentplan_ros.data.images import decode
from latentplan_ros.nodes import qos
from latentplan_ros.nodes.pictures import image_message


def picture(path, seed, size=(64, 64)):
    rgb = np.random.default_rng(seed).integers(0, 255, (*size, 3), dtype=np.uint8)
    cv2.imwrite(str(path), rgb[..., ::-1])
    return rgb


def test_goals_change_at_run_time_and_bad_ones_are_refused(ros, tmp_path):
    first = picture(tmp_path / "a.png", 1)
    second = picture(tmp_path / "b.png", 2)
    picture(tmp_path / "small.png", 3, (32, 32))
    (tmp_path / "text.png").write_text("no picture")
    node = ros.start("goal", {"image": str(tmp_path / "nowhere.png")})
    ros.wait(lambda: "nowhere.png" in node.output, what="the complaint about the missing goal")
    goals = ros.listen(Image, "goal/image", qos.GOAL)

    (result,) = ros.set_parameters("goal", image=str(tmp_path / "a.png"))
    assert result.successful
    ros.wait(lambda: len(goals) == 1, what="the first goal")
    np.testing.assert_array_equal(decode(goals[0]), first)
    for name, words in [
        ("nowhere.png", "cannot be read"),
        ("text.png", "neither jpeg nor png"),
        ("small.png", "at least 64 pixels"),
    ]:
        (result,) = ros.set_parameters("goal", image=str(tmp_path / name))
        assert not result.successful
        assert name in result.reason
        assert words in result.reason
    assert ros.set_parameters("goal", image=str(tmp_path / "b.png"))[0].successful
    ros.wait(lambda: len(goals) > 1, what="the second goal")
    assert len(goals) == 2  # none of the refused ones was published
    np.testing.assert_array_equal(decode(goals[1]), second)
    late = ros.listen(Image, "goal/image", qos.GOAL)
    ros.wait(lambda: late, what="the goal for a late subscriber")
    np.testing.assert_array_equal(decode(late[0]), second)


def test_capture_takes_the_present_camera_picture(ros):
    ros.start("goal")
    answer = ros.call(Trigger, "goal/capture")
    assert not answer.success
    assert "/camera/image_raw: no picture yet" in answer.message
    camera = ros.publisher(Image, "camera/image_raw", qos.CAMERA)
    goals = ros.listen(Image, "goal/image", qos.GOAL)
    rgb = np.random.default_rng(0).integers(0, 255, (96, 128, 3), dtype=np.uint8)
    ros.every(0.02, lambda: camera.publish(image_message(rgb, ros.stamp(), "camera")))
    ros.wait(lambda: ros.call(Trigger, "goal/capture").success, what="a captured goal")
    ros.wait(lambda: goals, what="the captured goal")
    np.testing.assert_array_equal(decode(goals[0]), rgb)


def test_a_torn_camera_message_is_no_goal_and_no_end(ros):
    node = ros.start("goal")
    camera = ros.publisher(Image, "camera/image_raw", qos.CAMERA)
    torn = b"\0\1\0\0torn"
    ros.every(0.02, lambda: camera.publish(torn))

    def refused():
        answer = ros.call(Trigger, "goal/capture")
        return not answer.success and "8 bytes that are no such message" in answer.message

    ros.wait(refused, 20.0, "a capture refused for the torn message")
    assert node.alive
