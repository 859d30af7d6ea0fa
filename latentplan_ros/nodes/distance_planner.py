"""Distance and planner in one process with one loaded model, for machines with one GPU."""

import sys
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

from latentplan_ros.control.profile import ProfileError
from latentplan_ros.models.checkpoint import CheckpointError
from latentplan_ros.nodes.distance import Distance
from latentplan_ros.nodes.parameters import ParameterError
from latentplan_ros.nodes.planner import Planner
from latentplan_ros.nodes.process import start


def main() -> None:
    sys.exit(run())


def run() -> int:
    """Spin both nodes in one thread (planning has its own); exit status 2 for a user's mistake."""
    start()
    nodes: list[Any] = []
    try:
        executor = SingleThreadedExecutor()
        for make, name in ((Distance, "distance"), (Planner, "planner")):
            # A __node remap on the command line would give both the same name.
            nodes.append(make(cli_args=["--ros-args", "-r", f"__node:={name}"]))
        for node in nodes:
            executor.add_node(node)
        executor.spin()
    except ExternalShutdownException:
        pass
    except (ParameterError, ProfileError, CheckpointError) as error:
        print(f"[error] {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        return 2
    except Exception:
        if rclpy.ok():
            raise
    finally:
        for node in nodes:
            if hasattr(node, "close"):
                node.close()
            node.destroy_node()
        rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    main()
