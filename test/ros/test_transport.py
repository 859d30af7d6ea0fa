"""Camera pictures cross process boundaries whole under the shipped DDS profile."""

import sys
from pathlib import Path

from sensor_msgs.msg import Image

from latentplan_ros.nodes import qos

SENDER = """
import sys, time
import numpy as np, rclpy
from latentplan_ros.nodes import qos
from latentplan_ros.nodes.pictures import image_message
from sensor_msgs.msg import Image

rclpy.init()
node = rclpy.create_node("camera")
publisher = node.create_publisher(Image, "camera/image_raw", qos.CAMERA)
while publisher.get_subscription_count() == 0:
    time.sleep(0.01)
rng = np.random.default_rng(0)
picture = rng.integers(0, 255, (480, 640, 3), np.uint8)
due = time.monotonic()
for i in range(300):
    picture[0, 0] = (i >> 8, i & 255, 0)
    publisher.publish(image_message(picture, node.get_clock().now().to_msg(), "camera"))
    due += 1 / 30
    time.sleep(max(0.0, due - time.monotonic()))
time.sleep(0.5)
rclpy.shutdown()
"""


def test_vga_pictures_at_30_hz_arrive_whole(ros):
    pictures = ros.listen(Image, "camera/image_raw", qos.CAMERA)
    sender = ros.run([sys.executable, "-c", SENDER], "camera")
    assert sender.wait(40.0) == 0, sender.output
    numbers = [m.data[0] * 256 + m.data[1] for m in pictures]
    assert len(set(numbers)) >= 297, f"{len(set(numbers))} of 300 pictures arrived"
    assert numbers == sorted(numbers)
    assert all(len(m.data) == 640 * 480 * 3 for m in pictures)


def test_every_process_is_given_the_profile(ros):
    assert Path(ros.env["FASTDDS_DEFAULT_PROFILES_FILE"]).is_file()
    assert ros.env["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"
