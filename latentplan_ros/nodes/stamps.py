"""Time stamps in seconds, from messages and from messages that were never decoded."""

import struct

from builtin_interfaces.msg import Time


def seconds(stamp: Time) -> float:
    """A ROS stamp as seconds since its clock's epoch."""
    return float(stamp.sec) + 1e-9 * float(stamp.nanosec)


def stamp_of_raw(raw: bytes) -> float:
    """The header stamp of a serialized message that begins with a std_msgs/Header, seconds.

    Reads 12 bytes of CDR (4 of encapsulation, whose second byte is the byte order, then sec and
    nanosec), so that a picture's age costs nothing where its pixels don't matter.
    Raises ValueError when the message is too short to hold a stamp.
    """
    if len(raw) < 12:
        raise ValueError(f"a stamped message has at least 12 bytes, this one {len(raw)}")
    order = "<" if raw[1] & 1 else ">"
    sec, nanosec = struct.unpack_from(order + "iI", raw, 4)
    return float(sec) + 1e-9 * float(nanosec)
