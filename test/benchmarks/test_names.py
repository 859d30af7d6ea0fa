"""A slip of the pen on a benchmark's command line is told before anything runs."""

import sys
from importlib import import_module

import pytest

no_dm_control = pytest.mark.skipif(
    sys.version_info >= (3, 13), reason="labmaze, a part of dm_control, has no wheel from 3.13 on"
)


@pytest.mark.parametrize(
    ("benchmark", "option", "name", "there_is"),
    [
        ("mbold", "tasks", "sawyer_pusk1", "sawyer_push1"),
        ("mbold", "compared", "q_polcy", "q_policy"),
        ("plan2vec", "parts", "cmace", "cmaze"),
        pytest.param("dmc", "tasks", "cartpol", "cartpole", marks=no_dm_control),
        pytest.param("dmc", "methods", "crul", "curl", marks=no_dm_control),
    ],
)
def test_a_name_that_is_none_is_refused_with_those_there_are(
    benchmark: str, option: str, name: str, there_is: str
) -> None:
    main = import_module(f"benchmarks.{benchmark}.__main__").main
    with pytest.raises(SystemExit, match=f"no {name} here; there are .*{there_is}"):
        main(**{option: (name,)}, quick=True)
