"""YAML from anywhere, as plain values: what can do harm in it is refused before it is built."""

from pathlib import Path
from typing import Any

import yaml

MOST_BYTES = 256 * 1024
_DEEPEST = 20
_LONGEST = 256  # of an unquoted value: no number written with as many digits overflows a float
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlFileError(ValueError):
    """A file is not YAML that we read; the message says what in it is at fault."""


def read_yaml(path: Path, most_bytes: int = MOST_BYTES) -> Any:
    """The file's one document: mappings, lists, texts, numbers, truth values, dates and None.

    No aliases, which let a few lines stand for billions of values; nothing nested more than 20
    deep; no tags that make objects. Raises YamlFileError for these and for what is not YAML, and
    OSError.
    """
    with path.open("rb") as file:
        data = file.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise YamlFileError(f"is larger than {most_bytes} bytes")
    try:
        text = data.decode()
        _check(text)
        loader = _Loader(text)
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    except YamlFileError:
        raise
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, LookupError) as error:
        # PyYAML lets its constructors' own errors out, as for a 99th of February.
        raise YamlFileError(" ".join(str(error).split())) from None


def _check(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        where = f"line {event.start_mark.line + 1}" if event.start_mark else "somewhere"
        if isinstance(event, yaml.AliasEvent):
            raise YamlFileError(f"{where}: aliases (*{event.anchor}) are not read; write it out")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                raise YamlFileError(f"{where}: nested more than {_DEEPEST} deep")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.ScalarEvent):
            quoted = not event.tag and not event.implicit[0]
            if len(event.value) > _LONGEST and not quoted:
                raise YamlFileError(f"{where}: an unquoted value of {len(event.value)} letters")
