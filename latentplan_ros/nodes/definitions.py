"""Message classes and definitions by type name, for a recorder that knows no message itself."""

import importlib
import os
import sys
from pathlib import Path
from typing import Any

from rosbags.typesys import Stores, get_types_from_msg, get_typestore

_STORE = get_typestore(Stores.LATEST)


class UnknownType(ValueError):
    """A message type whose package is not installed here."""


def message_class(msgtype: str) -> Any:
    """The class of ``package/msg/Name``. Raises UnknownType."""
    package, _, name = msgtype.split("/")
    try:
        return getattr(importlib.import_module(f"{package}.msg"), name)
    except (ImportError, AttributeError):
        raise UnknownType(f"{msgtype}: package {package} is not installed or sourced") from None


def definition(msgtype: str) -> tuple[str, str]:
    """ros2msg text with all it depends on, and RIHS01 hash; empty texts where nobody has them."""
    try:
        _register(msgtype)
        return _STORE.generate_msgdef(msgtype, ros_version=2)[0], _STORE.hash_rihs01(msgtype)
    except (KeyError, UnknownType):
        return "", ""


def _register(msgtype: str) -> None:
    """Reads a type that rosbags doesn't bring from the installed package's .msg files."""
    if msgtype in _STORE.fielddefs:
        return
    package, _, name = msgtype.split("/")
    prefixes = [*os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep), sys.prefix]
    for prefix in filter(None, prefixes):
        file = Path(prefix) / "share" / package / "msg" / f"{name}.msg"
        if file.is_file():
            types = get_types_from_msg(file.read_text(), msgtype)
            _STORE.register(types)
            for used in _used(types):
                _register(used)
            return
    raise UnknownType(f"{msgtype}: no definition in any share/{package}/msg")


def _used(types: Any) -> set[str]:
    found: set[str] = set()

    def visit(node: Any) -> None:
        if isinstance(node, str) and node.count("/") == 2:
            found.add(node)
        elif isinstance(node, list | tuple):
            for part in node:
                visit(part)

    visit([fields for _, fields in types.values()])
    return found
