"""Nothing in the package runs what a file says."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(
    f for folder in ("latentplan_ros", "launch", "scripts") for f in (ROOT / folder).rglob("*.py")
)
# Modules that make objects, and so run code, of what they read.
MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
CALLS = {"eval", "exec", "compile", "__import__", "os.system", "os.popen"}
CALLS |= {"yaml.load", "yaml.load_all", "yaml.unsafe_load", "yaml.full_load", "torch.jit.load"}


def dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def option(call: ast.Call, name: str) -> object:
    """The literal given for a keyword, None where it is not given or no literal."""
    values = [k.value for k in call.keywords if k.arg == name]
    return values[0].value if values and isinstance(values[0], ast.Constant) else None


def faults(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            names = []
        found += [f"imports {name}" for name in names if name.split(".")[0] in MODULES]
        if not isinstance(node, ast.Call):
            continue
        name = dotted(node.func)
        if name in CALLS:
            found.append(f"calls {name}")
        if name == "torch.load" and option(node, "weights_only") is not True:
            found.append("calls torch.load without weights_only=True")
        if name in ("np.load", "numpy.load") and option(node, "allow_pickle"):
            found.append("calls np.load with allow_pickle")
        if any(k.arg == "allow_pickle" and option(node, k.arg) is not False for k in node.keywords):
            found.append(f"calls {name} with allow_pickle")
        if option(node, "shell"):
            found.append(f"calls {name} with shell=True")
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(ROOT)))
def test_no_file_runs_what_it_reads(file):
    assert faults(file.read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "import joblib.memory",
        "yaml.load(text, Loader=yaml.Loader)",
        "eval(text)",
        "torch.load(file)",
        "torch.load(file, weights_only=False)",
        "torch.load(file, weights_only=chosen)",
        "np.load(file, allow_pickle=True)",
        "numpy.load(file, allow_pickle=chosen)",
        "subprocess.run(text, shell=True)",
    ],
)
def test_what_is_looked_for_is_found(source):
    assert faults(source)
