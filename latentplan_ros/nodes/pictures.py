"""Pictures on their way to ROS messages; the way back is ``data.images.decode``."""

import numpy as np
from builtin_interfaces.msg import Time
from sensor_msgs.msg import Image


def image_message(rgb: np.ndarray, stamp: Time, frame_id: str) -> Image:
    """``uint8 [H, W, 3]`` RGB as an rgb8 message.

    Raises ValueError for another shape or type.
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
        raise ValueError(f"an rgb8 picture is uint8 [H, W, 3], not {rgb.dtype} {list(rgb.shape)}")
    message = Image(height=rgb.shape[0], width=rgb.shape[1], encoding="rgb8", is_bigendian=0)
    message.header.stamp = stamp
    message.header.frame_id = frame_id
    message.step = 3 * rgb.shape[1]
    # bytes, not the array: rclpy copies an ndarray element by element, 500 times slower.
    message.data = rgb.tobytes()
    return message
