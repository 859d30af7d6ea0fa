"""The life of a node's process: start, spin until a signal, leave nothing behind."""

import gc
import signal
import sys
from collections.abc import Callable
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node


class Done(Exception):
    """A node's work is over: its process ends with exit status 0."""


def start() -> None:
    """rclpy.init, after which SIGINT ends a process as SIGTERM does: by shutting the context down.

    Python's own handler would raise KeyboardInterrupt wherever the interpreter is: in the middle of
    a callback, of the tidying up, or of an object of rclpy, whose ``__del__`` then fails.
    """
    signal.signal(signal.SIGINT, lambda *_: None)  # rclpy's handler calls the one before it
    rclpy.init()


def run(make_node: Callable[[], Node], *expected: type[Exception]) -> int:
    """Make the node, spin it until SIGINT, SIGTERM or shutdown, and close it.

    expected: errors that mean the user must change something (a parameter, a file); they end the
    process with one line instead of a traceback, and exit status 2. A node that has a ``close``
    method has it called last, in the thread that made the node (renderers need that).
    """
    start()
    node: Any = None
    try:
        # First, since it cannot be made any more once a signal has come.
        executor = SingleThreadedExecutor()
        node = make_node()
        # What is there by now stays. Looked through again and again for garbage, the hundred
        # thousands of objects that torch and ROS bring would stop all threads for 0.1 s at a time.
        gc.collect()
        gc.freeze()
        executor.add_node(node)
        executor.spin()
    except (ExternalShutdownException, Done):
        pass
    except expected as error:
        print(f"[error] {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        return 2
    except Exception:
        # A signal shuts the context down in the middle of whatever a callback does: publishing
        # then fails, which is no fault of the callback.
        if rclpy.ok():
            raise
    finally:
        if node is not None:
            if hasattr(node, "close"):
                node.close()
            node.destroy_node()
        rclpy.try_shutdown()
    return 0
