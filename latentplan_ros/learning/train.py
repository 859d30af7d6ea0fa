"""One method on one dataset to one checkpoint; the verb ``latentplan train``."""

import hashlib
import json
import math
import os
import tempfile
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, get_origin

import numpy as np
import torch
from lightning_fabric import Fabric

from latentplan_ros import __version__
from latentplan_ros.control.yaml_file import YamlFileError, read_yaml
from latentplan_ros.data.dataset import Dataset, DatasetError
from latentplan_ros.learning.dynamics import (
    CalibrationRecipe,
    CalibrationStage,
    DynamicsRecipe,
    DynamicsStage,
)
from latentplan_ros.learning.every_frame import every_frame
from latentplan_ros.learning.given_world_model import GivenWorldModel
from latentplan_ros.learning.methods import METHODS
from latentplan_ros.learning.objectives import ObjectiveError, find
from latentplan_ros.learning.representation.chosen import (
    ChosenObjective,
    ObjectiveChoice,
    has_preview,
)
from latentplan_ros.learning.representation.objective import ObjectiveRecipe
from latentplan_ros.learning.stage import Stage
from latentplan_ros.learning.trainer import TrainingError, run_stage
from latentplan_ros.learning.video import VideoRecipe, VideoStage
from latentplan_ros.learning.world_model import WorldModelRecipe, WorldModelStage
from latentplan_ros.models.checkpoint import CheckpointHeader, save_checkpoint
from latentplan_ros.models.familiarity import usual_rms
from latentplan_ros.models.latent_world_model import HEADS, POLICIES, LatentWorldModel
from latentplan_ros.models.video_world_model import VideoWorldModel
from latentplan_ros.resources import resource


class RecipeError(ValueError):
    """A recipe names something that does not exist; the message says which key in which file."""


@dataclass(frozen=True)
class Recipe:
    """All hyperparameters of a checkpoint, one block a stage; YAML under config/recipes.

    objective: what else trains the encoder (learning/objectives).
    head and distance: sizes of the part that is the method's own (methods.py), and its training.
    planner: what a planner shall do with this checkpoint (planning/search.py).
    """

    model: dict[str, Any] = field(
        default_factory=lambda: {
            "latent": 64,
            "channels": 16,
            "hidden": 256,
            "layers": 3,
            "points": 0,
            "members": 1,
            "pessimism": 0.0,
        }
    )
    head: dict[str, Any] = field(default_factory=dict)
    objective: ObjectiveChoice = field(default_factory=ObjectiveChoice)
    world_model: WorldModelRecipe = field(default_factory=WorldModelRecipe)
    dynamics: DynamicsRecipe = field(default_factory=DynamicsRecipe)
    calibration: CalibrationRecipe = field(default_factory=CalibrationRecipe)
    video: VideoRecipe = field(default_factory=VideoRecipe)  # with updates: in place of dynamics
    distance: dict[str, Any] = field(default_factory=dict)
    planner: dict[str, Any] = field(default_factory=lambda: {"moments": 4, "reluctance": 0.8})
    held_out: float = 0.05  # share of episodes kept from training (Table 2: validation)
    save_every: int = 2000


def load_recipe(name_or_path: str | Path | None) -> Recipe:
    """A shipped recipe by name, or a YAML file; None: the defaults. Raises RecipeError."""
    if name_or_path is None:
        return Recipe()
    path = Path(name_or_path)
    if path.suffix not in (".yaml", ".yml"):
        path = resource(f"config/recipes/{name_or_path}.yaml")
    try:
        values = read_yaml(path) or {}
    except (OSError, YamlFileError) as error:
        raise RecipeError(f"cannot read recipe {path}: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise RecipeError(f"{path} must be settings and their values, not {values!r}")
    blocks: dict[str, Any] = {
        "objective": ObjectiveChoice,
        "world_model": WorldModelRecipe,
        "dynamics": DynamicsRecipe,
        "calibration": CalibrationRecipe,
        "video": VideoRecipe,
    }
    for name, kind in blocks.items():
        values[name] = _block(kind, values.get(name, {}), f"{path}: {name}")
    for name in ("model", "planner"):
        values[name] = _sizes(values.get(name, {}), getattr(Recipe(), name), f"{path}: {name}")
    if values["planner"]["moments"] < 1 or values["planner"]["reluctance"] < 0:
        raise RecipeError(f"{path}: planner: moments must be at least 1, reluctance at least 0")
    for name in ("dynamics", "calibration"):
        block = values[name]
        if not (0 <= block.dropout < 1 and 0 <= block.favoured <= 1):
            raise RecipeError(
                f"{path}: {name}: dropout must lie in [0, 1) and favoured in [0, 1], not "
                f"{block.dropout} and {block.favoured}"
            )
    return _block(Recipe, values, str(path))


def train(
    method: str,
    data: Path,
    out: Path,
    recipe: Recipe | None = None,
    seed: int = 0,
    devices: int = 1,
    accelerator: str = "auto",
    folder: Path | None = None,
    world_model: Path | None = None,
    second_view: Path | None = None,
    preview: bool = False,
) -> Path:
    """Trains and writes the checkpoint; returns its path. A stopped run continues where it was.

    Logs and training state go to ``folder`` (default: beside ``out``, named after it). Under
    torchrun each process calls this.

    world_model: a checkpoint whose encoder, decoder and dynamics are taken as they are, so that the
    method's own part alone is trained. Its sizes hold: what the recipe's ``model`` and ``video``
    say of them must be theirs or the default, and the other settings of these stages do nothing.
    Dynamics that have not been calibrated are, where the recipe asks for it.

    second_view: what another camera saw of the same episodes, for objectives that need it.
    preview: the pictures of the recipe's objective are written to preview.png in the folder.

    Raises RecipeError, DatasetError, TrainingError, CheckpointError.
    """
    if method not in METHODS:
        raise RecipeError(f"no method named {method!r}; there are {', '.join(sorted(METHODS))}")
    recipe = recipe or Recipe()
    # All of the recipe is checked here: its last stage starts hours after its first.
    chosen = METHODS[method]
    spec = _model_spec(recipe, f"{method} recipe")
    given = GivenWorldModel(world_model) if world_model else None
    if given:
        _require_no_other_sizes(spec, given, f"{method} recipe")
        spec = dict(given.spec)
    if recipe.calibration.updates and spec.get("kind") == "video":
        raise RecipeError(f"{method} recipe: calibration is of latent dynamics, not of video")
    told = _objective_settings(recipe.objective, bool(given), preview, f"{method} recipe")
    spec["distance"] = None
    if chosen:
        head = _sizes(recipe.head, chosen.sizes, f"{method} recipe: head")
        spec["distance"] = {"kind": chosen.kind, **head}
        settings = _block(chosen.recipe, recipe.distance, f"{method} recipe: distance")
        if not 1 <= head.get("hold_features", 1) <= spec["latent"]:
            raise RecipeError(
                f"{method} recipe: head: hold_features must be 1 to {spec['latent']}, the size of "
                f"the latent, not {head['hold_features']}"
            )
        if spec.get("kind") == "video" and issubclass(HEADS[chosen.kind], POLICIES):
            raise RecipeError(f"{method} recipe: video: {method} is a policy, and imagines nothing")
    dataset = Dataset.open(data)
    views = [dataset, Dataset.open(second_view)] if second_view else [dataset]
    if given:
        given.header.require_dataset(dataset.info)
    if dataset.num_episodes < 2:
        raise DatasetError(f"{data} has {dataset.num_episodes} episodes; training needs at least 2")
    _require_variety(dataset)
    folder = folder or out.with_suffix(".training")
    _require_writable(folder)
    _require_writable(out.parent)
    _require_same_start(folder, dataset, given, recipe.objective)
    fabric = Fabric(accelerator=accelerator, devices=devices)
    fabric.launch()
    training, held_out = dataset.split(recipe.held_out, seed)
    fabric.seed_everything(seed, verbose=False)
    model = (VideoWorldModel if spec.get("kind") == "video" else LatentWorldModel)(spec)
    run: dict[str, Any] = {
        "fabric": fabric,
        "folder": folder,
        "seed": seed,
        "save_every": recipe.save_every,
    }

    if given:
        given.copy_to(model.to(fabric.device))
        latents = _latents(model, dataset, folder, fabric)
    else:
        beside = None
        if told:
            sizes = model.encoder, spec["latent"]
            objective = ChosenObjective(recipe.objective, told, *sizes, views)
            if recipe.objective.pretrain:
                run_stage(stage=objective.pretraining(training), **run)
            beside = objective.beside(training)
        whole = WorldModelStage(model, dataset, training, recipe.world_model, beside)
        run_stage(stage=whole, **run)
        if told and preview and fabric.global_rank == 0:
            objective.write_preview(held_out, folder / "preview.png")
        latents = _latents(model, dataset, folder, fabric)
        if isinstance(model, VideoWorldModel):
            stage: Stage = VideoStage(model, dataset, training, recipe.video)
        else:
            stage = DynamicsStage(model, latents, dataset, training, recipe.dynamics)
        run_stage(stage=stage, **run)
    if recipe.calibration.updates and not (given and given.calibrated):
        stage = CalibrationStage(model, latents, dataset, training, recipe.calibration)
        run_stage(stage=stage, **run)
    for make in (chosen.first, chosen.stage) if chosen else ():
        if make:
            run_stage(stage=make(model, latents, dataset, training, settings, seed), **run)
    if chosen and chosen.fit:
        chosen.fit(model, latents, dataset, training, settings)
    if fabric.global_rank == 0:
        rms = usual_rms(model, dataset, held_out)
        save_checkpoint(out, model, _header(method, spec, recipe, dataset, seed, rms, given))
    fabric.barrier()
    if torch.distributed.is_initialized():
        # Its threads can abort a process that has succeeded, if they outlive the interpreter.
        torch.distributed.destroy_process_group()
    return out


def _model_spec(recipe: Recipe, where: str) -> dict[str, Any]:
    """Of the model that a recipe asks for, without a distance. Raises RecipeError."""
    spec = dict(recipe.model)
    if recipe.video.updates:
        if recipe.model["members"] != 1:
            raise RecipeError(f"{where}: video: model: members are of latent dynamics")
        if recipe.video.kernel_size % 2 == 0:
            raise RecipeError(f"{where}: video: kernel_size must be odd")
        spec |= {"kind": "video", "video": recipe.video.sizes()}
    if not 0 <= 2 * recipe.model["points"] < recipe.model["latent"]:
        raise RecipeError(
            f"{where}: model: points: two numbers each and some features must fit into "
            f"{recipe.model['latent']} numbers; {recipe.model['points']} do not"
        )
    return spec


def _objective_settings(
    choice: ObjectiveChoice, given: bool, preview: bool, where: str
) -> ObjectiveRecipe | None:
    """Of the chosen objective, if one is. Raises RecipeError."""
    where = f"{where}: objective"
    if not choice.name:
        if preview or choice != ObjectiveChoice():
            raise RecipeError(f"{where}: name an objective, or leave --preview and the block out")
        return None
    try:
        kind = find(choice.name)
    except ObjectiveError as error:
        raise RecipeError(f"{where}: {error}") from None
    if given:
        raise RecipeError(f"{where}: the encoder of --world-model is not trained: leave one out")
    if choice.pretrain < 0 or choice.weight < 0 or not (choice.pretrain or choice.weight):
        raise RecipeError(f"{where}: give it updates of its own (pretrain), a weight, or both")
    if preview and not has_preview(choice.name):
        raise RecipeError(f"{where}: {choice.name} has no pictures for --preview; psrl has")
    settings: ObjectiveRecipe = _block(kind.recipe_type, choice.settings, f"{where}: settings")
    return settings


def _require_no_other_sizes(asked: dict[str, Any], given: GivenWorldModel, where: str) -> None:
    """Raises RecipeError for sizes that are neither the default nor the given model's."""
    usual = Recipe().model
    other = [
        f"{name} {size!r}, there {given.spec.get(name)!r}"
        for name, size in asked.items()
        if size not in (usual.get(name), given.spec.get(name))
    ]
    if other:
        raise RecipeError(
            f"{where}: the sizes of {given.path} hold, and it asks for others: {'; '.join(other)}. "
            "Leave its blocks `model` and `video` out, or train without --world-model"
        )


def _require_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise TrainingError(f"cannot write to {folder}: {error.strerror}") from None


def _require_variety(dataset: Dataset) -> None:
    """Raises DatasetError where every episode is the first one again."""
    actions = np.split(dataset.action, dataset.episode_ends[:-1])
    if all(np.array_equal(episode, actions[0]) for episode in actions[1:]):
        raise DatasetError(
            f"{dataset.path}: all {dataset.num_episodes} episodes have the same actions, so there "
            "is nothing to learn of what another action would do; record exploration, not replays"
        )


def _require_same_start(
    folder: Path, dataset: Dataset, given: GivenWorldModel | None, objective: ObjectiveChoice
) -> None:
    """Raises TrainingError where the folder holds a training on other data or another model."""
    note = folder / "dataset.json"
    wanted = {
        "hash": dataset.content_hash(),
        "world_model": given.hash if given else "",
        "objective": asdict(objective),
    }
    if note.exists():
        known = json.loads(note.read_text())
        if known["hash"] != wanted["hash"]:
            raise TrainingError(
                f"{folder} holds a training on another dataset, {known['path']} as it was then; "
                f"it cannot go on with {dataset.path}: remove it, or choose another --out"
            )
        if known.get("world_model", "") != wanted["world_model"]:
            raise TrainingError(
                f"{folder} holds a training with another --world-model, or with one where there is "
                "none now: give it the same, remove the folder, or choose another --out"
            )
        before = known.get("objective", asdict(ObjectiveChoice()))
        if before != wanted["objective"]:
            raise TrainingError(
                f"{folder} holds a training whose recipe says of its objective {before}, now "
                f"{wanted['objective']}: put it back, remove the folder, or choose another --out"
            )
    else:
        partial = note.with_suffix(f".{os.getpid()}")  # torchrun's other processes read it too
        partial.write_text(json.dumps({**wanted, "path": str(dataset.path)}))
        partial.replace(note)


def _latents(
    model: LatentWorldModel, dataset: Dataset, folder: Path, fabric: Fabric
) -> torch.Tensor:
    """Latents of the dataset, kept in the folder under the encoder's own hash."""
    weights = b"".join(p.detach().cpu().numpy().tobytes() for p in model.encoder.parameters())
    file = folder / f"latents.{hashlib.sha256(weights).hexdigest()[:16]}.npy"
    if fabric.global_rank == 0 and not file.exists():
        model.eval()
        np.save(file, every_frame(dataset, model.encoder, fabric.device).numpy())
        model.train()
    fabric.barrier()
    return torch.from_numpy(np.load(file))


def _header(
    method: str,
    spec: dict[str, Any],
    recipe: Recipe,
    dataset: Dataset,
    seed: int,
    rms: float,
    given: GivenWorldModel | None,
) -> CheckpointHeader:
    info = dataset.info
    return CheckpointHeader(
        method=method,
        spec=spec,
        recipe=json.loads(json.dumps(asdict(recipe) | (given.blocks if given else {}))),
        action_space=info.action_space,
        camera=info.camera,
        image_size=info.image_size,
        exploration_std=info.exploration_std,
        task=info.task,
        dataset_hash=dataset.content_hash(),
        seed=seed,
        versions={
            "latentplan_ros": __version__,
            "torch": torch.__version__,
            "mujoco": info.mujoco_version,
        },
        reconstruction_rms=rms,
        world_model=given.hash if given else "",
    )


def _sizes(values: Any, defaults: dict[str, Any], where: str) -> dict[str, Any]:
    """The defaults with these in their place, of the same types."""
    return defaults | _checked(values, {k: type(v) for k, v in defaults.items()}, where)


def _block(kind: type[Any], values: Any, where: str) -> Any:
    return kind(**_checked(values, {f.name: f.type for f in fields(kind)}, where))


def _checked(values: Any, kinds: dict[str, Any], where: str) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise RecipeError(f"{where} must be settings and their values, not {values!r}")
    unknown = sorted(str(name) for name in set(values) - set(kinds))
    if unknown:
        raise RecipeError(
            f"{where}: no setting named {', '.join(unknown)}; there are {', '.join(kinds)}"
        )
    return {name: _typed(kinds[name], value, f"{where}: {name}") for name, value in values.items()}


def _typed(kind: Any, value: Any, where: str) -> Any:
    if kind is float and isinstance(value, int | float | str) and not isinstance(value, bool):
        # YAML reads 1e-3 as a text.
        try:
            number = float(value)
        except ValueError:
            pass
        else:
            if math.isfinite(number):
                return number
    elif isinstance(value, get_origin(kind) or kind) and not isinstance(value, bool):
        return value
    noun = {int: "a whole number", float: "a number"}.get(kind, "settings and their values")
    raise RecipeError(f"{where} must be {noun}, not {value!r}")
