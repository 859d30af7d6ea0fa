"""Goal-image control of robot arms, learned offline: ROS 2 nodes, world models and planners."""

__version__ = "0.1.0"
