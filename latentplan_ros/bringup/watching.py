"""``latentplan watch``: the node that shows a running graph in a browser, beside that graph."""

import importlib.util

from latentplan_ros.bringup.graphs import Entry, Options, Value
from latentplan_ros.bringup.runner import run_until_signal


class WatchError(RuntimeError):
    """The viewer is not installed; the message says how to install it."""


def watch(
    robot: str,
    namespace: str,
    bind: str,
    port: int,
    data_port: int,
    save: str,
    use_sim_time: bool,
) -> int:
    """Serve the page until a signal; the exit status. Raises WatchError without Rerun."""
    if importlib.util.find_spec("rerun") is None:
        raise WatchError("the viewer is not installed: pip install 'latentplan_ros[watch]'")
    parameters: dict[str, Value] = {
        "robot": robot,
        "bind": bind,
        "web_port": port,
        "data_port": data_port,
        "save": save,
        "use_sim_time": use_sim_time,
    }
    entry = Entry("watch", parameters, required=True)
    return run_until_signal([entry], Options(namespace=namespace).full_namespace)
