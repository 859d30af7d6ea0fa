"""YAML files made to do harm, as profiles and as recipes; all that is harmless is read."""

import sys
from pathlib import Path

import pytest

from latentplan_ros.control.profile import ProfileError, load_profile
from latentplan_ros.control.yaml_file import MOST_BYTES, YamlFileError, read_yaml
from latentplan_ros.learning.train import RecipeError, load_recipe
from latentplan_ros.resources import resource

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import limits

LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 99))
MERGES = "a0: &a0 {x: 1}\n" + "".join(
    f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}]}}\n" for i in range(1, 99)
)
HOSTILE = {
    "aliases": (LAUGHS, "aliases"),
    "merges": (MERGES, "aliases"),
    "deep lists": ("a: " + "[" * 10_000, "deep|depth"),  # newer PyYAML has a limit of its own
    "deep mappings": ("{a: " * 10_000, "deep|depth"),
    "indented": ("\n".join(" " * i + "a:" for i in range(400)), "deep|depth"),
    "an object": ("a: !!python/object/apply:os.system [exit]", "constructor"),
    "a huge number": ("a: 0x" + "f" * 100_000, "unquoted value of 100002"),
    "a huge tagged number": (f'a: !!int "{"9" * 100_000}"', "unquoted value"),
    "no date": ("a: 2001-99-99", "month"),
    "no time": ("a: !!timestamp x", ""),
    "large": ("a: '" + "x" * MOST_BYTES + "'", "larger than"),
    "no text": ("a: \udcff", "utf-8"),
    "control letters": ("a: \x00\x01", ""),
    "an unhashable key": ("{[a]: 1}", ""),
    "two documents": ("a: 1\n---\nb: 2", "single document"),
}


@pytest.mark.parametrize(("text", "words"), HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize(
    ("read", "error"),
    [(read_yaml, YamlFileError), (load_profile, ProfileError), (load_recipe, RecipeError)],
)
def test_hostile_files_are_refused_at_once(tmp_path, text, words, read, error):
    file = tmp_path / "x.yaml"
    file.write_bytes(text.encode(errors="surrogateescape"))
    with limits.memory(2**28), limits.seconds(10.0), pytest.raises(error, match=words) as caught:
        read(file)
    assert len(str(caught.value)) < 1000


def test_what_is_harmless_is_read(tmp_path):
    file = tmp_path / "x.yaml"
    file.write_text(f"a: [1, 2.5, true, null, x]\nb: {{c: '{'y' * 5000}'}}\n")
    assert read_yaml(file) == {"a": [1, 2.5, True, None, "x"], "b": {"c": "y" * 5000}}


@pytest.mark.parametrize("value", ["1e400", ".nan", "-.inf", "[]", "{}", "~", "yes"])
def test_numbers_that_no_profile_can_have_are_named(tmp_path, value):
    text = resource("config/robots/franka.yaml").read_text()
    line = next(each for each in text.splitlines() if each.startswith("max_speed_m_s"))
    file = tmp_path / "arm.yaml"
    file.write_text(text.replace(line, f"max_speed_m_s: {value}"))
    with pytest.raises(ProfileError, match="max_speed_m_s"):
        load_profile(file)
