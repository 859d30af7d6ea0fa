"""The command ``latentplan``: one dataclass a verb, each a call into its room.

The rooms are imported by the verb that runs, so that ``--help`` answers at once and ``doctor``
works on a machine that lacks ROS, MuJoCo or torch.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Literal, Protocol

import tyro
from rich.console import Console
from rich.markup import escape
from tyro.conf import Positional, arg, subcommand

ABOUT = "Show a robot arm a picture of the goal; it gets there."

Out = Annotated[Path, arg(aliases=["-o"])]


class Verb(Protocol):
    def run(self) -> int:
        """Does the work; returns the exit status."""


@dataclass(frozen=True)
class Demo:
    """A simulated arm reaches goal pictures through ROS 2 nodes, with the shipped checkpoint."""

    task: str = "franka_drawer"
    """Task by its name; a scene file of your own, *.yaml, needs a checkpoint."""
    goals: int = 10
    """How many goal pictures, shared evenly between the kinds of goal the task has."""
    out: Out = Path("runs/demo")
    """Folder for report.html and the results."""
    checkpoint: Path | None = None
    """Model, *.safetensors; by default the one shipped for the task."""

    def run(self) -> int:
        from latentplan_ros.evaluation.demo import run_demo

        return run_demo(self.task, self.goals, self.out, self.checkpoint)


@dataclass(frozen=True)
class Up:
    """Starts a graph of nodes and watches over it until Ctrl-C."""

    graph: Positional[Literal["sim", "collect", "teleop", "reach"]]
    """sim: a simulated arm alone; collect: explorer, recorder; teleop: driving by hand, recorder;
    reach: goal, distance, planner."""
    robot: str = ""
    """Robot profile: a name in config/robots or a YAML file; by default the simulated task's."""
    task: str = "franka_drawer"
    """Simulated task or scene file; none where a real arm's drivers are running."""
    checkpoint: str = ""
    """Model, *.safetensors; by default the one shipped for the task."""
    goal: str = ""
    """Goal picture, PNG or JPEG; without one, goal/capture takes the camera's present picture."""
    namespace: str = ""
    """ROS namespace of every node."""
    record: str = "runs/bags"
    """Folder for recorded episodes."""
    joystick: str = "gamepad"
    """What drives by hand: gamepad (the keyboard too), spacemouse, or a YAML file."""
    use_sim_time: bool = False
    """The simulation makes the time, on /clock."""

    def run(self) -> int:
        from latentplan_ros.bringup.runner import up

        options = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "graph"}
        return up(self.graph, **options)


@dataclass(frozen=True)
class Teleop:
    """Drives the arm of a running graph `up teleop` with this terminal's keyboard."""

    namespace: str = ""
    """The graph's namespace."""

    def run(self) -> int:
        from latentplan_ros.bringup.driving import drive

        drive(self.namespace)


@dataclass(frozen=True)
class Collect:
    """Rolls out the random policy in simulation, many episodes at once, straight to a dataset."""

    out: Out
    """Dataset to fill, *.zarr; one that a killed run left is continued."""
    task: str = "franka_drawer"
    """Task by its name, or a scene file of your own, *.yaml."""
    episodes: int = 1000
    """How many episodes the dataset shall hold in the end."""
    workers: int = 0
    """Processes; 0 is one a core. The data does not depend on it."""
    seed: int = 0
    """Seed of the data, below 1,000,000; larger ones belong to evaluation goals."""
    camera: str = ""
    """The scene's camera that is looked through; by default the task's. With the same seed,
    another shows the same episodes from elsewhere: the tasks that ship have main and side."""

    def run(self) -> int:
        from latentplan_ros.sim.collect import collect

        added = collect(self.task, self.episodes, self.out, self.workers, self.seed, self.camera)
        _say(f"{self.out}: {added} episodes added")
        return 0


@dataclass(frozen=True)
class DatasetBuild:
    """Turns recorded bags into a training dataset, aligned at the control rate."""

    bags: Positional[tuple[Path, ...]]
    """Bags, or folders of bags."""
    out: Out
    """Dataset to write, *.zarr."""
    robot: str = ""
    """Robot profile; by default the one that the recorder noted in the bags."""
    actions: Literal["action", "target_pose", "current_pose"] = "action"
    """Topic that the actions are taken from."""
    image: str = "camera/image_raw"
    """Picture topic, raw or compressed."""

    def run(self) -> int:
        from latentplan_ros.data.build import build
        from latentplan_ros.data.recording import Topics

        topics = Topics(image=self.image)
        report = build(self.bags, self.out, self.robot, self.actions, topics)
        for problem in report.problems:
            _complain(problem)
        _say(
            f"{report.dataset}: {report.episodes} episodes, {report.frames} frames "
            f"from {report.bags} bags"
        )
        for topic, age in report.alignment.items():
            _say(
                f"  {topic}: sample age median {age.median_s * 1e3:.1f} ms, "
                f"p99 {age.p99_s * 1e3:.1f} ms, largest {age.max_s * 1e3:.1f} ms"
            )
        _say(f"  {report.filled:.1%} of the actions filled, {report.clipped:.1%} clipped")
        return 0


@dataclass(frozen=True)
class DatasetInformation:
    """What a dataset holds, as JSON."""

    dataset: Positional[Path]
    """Dataset, *.zarr."""

    def run(self) -> int:
        from latentplan_ros.data.dataset import Dataset
        from latentplan_ros.data.info import describe

        # Not print(): the console ends quietly where a pipe's reader has seen enough.
        Console(soft_wrap=True).out(
            json.dumps(describe(Dataset.open(self.dataset)), indent=2), highlight=False
        )
        return 0


@dataclass(frozen=True)
class DatasetCheck:
    """Finds torn, stale, duplicated, out-of-order and non-finite data; status 1 if any."""

    path: Positional[Path]
    """Dataset, bag or folder of bags."""
    checkpoint: Path | None = None
    """Also whether a dataset is of this checkpoint's robot, rate, camera and picture size."""

    def run(self) -> int:
        from latentplan_ros.data.check import check

        if self.checkpoint is not None:
            from latentplan_ros.data.dataset import Dataset
            from latentplan_ros.models.checkpoint import read_header

            read_header(self.checkpoint).require_dataset(Dataset.open(self.path).info)
        findings = check(self.path)
        for finding in findings:
            _say(str(finding))
        _say(f"{self.path}: {len(findings) or 'no'} problems")
        return 1 if findings else 0


@dataclass(frozen=True)
class DatasetPreview:
    """Writes a picture sheet and a video of some episodes."""

    dataset: Positional[Path]
    """Dataset, *.zarr."""
    out: Out = Path("runs/preview")
    """Folder for sheet.png and episodes.mp4."""

    def run(self) -> int:
        from latentplan_ros.data.dataset import Dataset
        from latentplan_ros.data.preview import preview

        for path in preview(Dataset.open(self.dataset), self.out):
            _say(str(path))
        return 0


@dataclass(frozen=True)
class DatasetVerb:
    """Bags to a training dataset; what is in it and whether it is sound."""

    verb: Annotated[
        Annotated[DatasetBuild, subcommand("build", prefix_name=False)]
        | Annotated[DatasetInformation, subcommand("info", prefix_name=False)]
        | Annotated[DatasetCheck, subcommand("check", prefix_name=False)]
        | Annotated[DatasetPreview, subcommand("preview", prefix_name=False)],
        arg(name=""),
    ]

    def run(self) -> int:
        return self.verb.run()


@dataclass(frozen=True)
class Train:
    """Trains one method on one dataset to one checkpoint; the same command continues a stopped run.

    On several processes: torchrun --nproc_per_node N -m latentplan_ros.cli train ... --devices N
    """

    method: Positional[
        Literal[
            "mbold",
            "mbold_sfa",
            "gcivl",
            "temporal",
            "iqe",
            "plan2vec",
            "vae_l2",
            "latent_l2",
            "mahalanobis",
            "sfa",
            "gcbc",
            "q_policy",
            "sorb",
            "rig",
            "dreamer",
        ]
    ]
    """Distances: mbold: Q over goals with CQL; mbold_sfa: slow features beside it; gcivl: expectile
    value; temporal: regressed steps; iqe: quasimetric; plan2vec: shortest paths of a graph of
    frames; vae_l2: between codes of pictures; latent_l2: nothing learned; mahalanobis: latents in
    units of what a step changes; sfa: the same, slow features first. Policies that act without a
    plan: gcbc: behaviour cloning; q_policy: Q alone; sorb: search on the replay buffer; rig: SAC on
    codes; dreamer: an actor trained in imagination."""
    data: Path
    """Dataset, *.zarr."""
    out: Out
    """Checkpoint to write, *.safetensors; logs and training state go beside it."""
    recipe: str | None = None
    """Name in config/recipes or a YAML file; by default the settings in the code."""
    seed: int = 0
    """Seed of weights, batches and the split into training and held-out episodes."""
    devices: int = 1
    """Devices on this machine."""
    accelerator: Literal["auto", "cpu", "cuda"] = "auto"
    """What to train on."""
    world_model: Path | None = None
    """Checkpoint whose encoder, decoder and dynamics are taken in place of training them; a recipe
    with a calibration calibrates dynamics that were not."""
    second_view: Path | None = None
    """What another camera saw of the same episodes, *.zarr, for an objective that needs it."""
    preview: bool = False
    """Writes the pictures of the recipe's objective (psrl: correspondences) to preview.png in the
    folder of the training."""

    def run(self) -> int:
        from latentplan_ros.learning.train import load_recipe, train

        train(
            self.method,
            self.data,
            self.out,
            load_recipe(self.recipe),
            seed=self.seed,
            devices=self.devices,
            accelerator=self.accelerator,
            world_model=self.world_model,
            second_view=self.second_view,
            preview=self.preview,
        )
        return 0


@dataclass(frozen=True)
class Evaluate:
    """Tries a checkpoint on goal pictures in simulation; writes results and a report with films."""

    checkpoint: Positional[Path]
    """Trained model, *.safetensors."""
    out: Out = Path("runs/evaluate")
    """Folder for results.json and report.html."""
    task: str = ""
    """Task to try; by default the one the checkpoint was trained for."""
    goals: int = 20
    """Goals of each kind the task has."""
    goal_seed: int = 1_000_000
    """Seed of the goals, 1,000,000 or more; smaller ones belong to training data."""
    steps: int = 50
    """Control steps a try."""
    replan_every: int = 1
    """Steps between two plans."""
    method: Literal[
        "model",
        "icem",
        "mppi",
        "gradient",
        "pixel_l2",
        "random",
        "actor",
        "gcbc",
        "q_policy",
        "sorb",
        "rig",
        "dreamer",
    ] = "model"
    """Planning with the checkpoint's own distance by CEM (model), icem, mppi or gradient; with l2
    between pictures: pixel_l2. Without a plan: random; actor: that of mbold; gcbc, q_policy, sorb,
    rig, dreamer: by checkpoints of these."""
    device: str = "cpu"
    """Device to plan on: cpu or cuda."""

    def run(self) -> int:
        from latentplan_ros.evaluation.evaluate import evaluate_checkpoint

        evaluate_checkpoint(
            self.checkpoint,
            self.out,
            task=self.task,
            goals=self.goals,
            seed=self.goal_seed,
            steps=self.steps,
            replan_every=self.replan_every,
            method=self.method,
            device=self.device,
        )
        return 0


@dataclass(frozen=True)
class Diagnose:
    """Finds what limits a checkpoint: representation, dynamics, distance or planner; one page."""

    checkpoint: Positional[Path]
    """Trained model, *.safetensors."""
    out: Out = Path("runs/diagnosis")
    """Folder for diagnosis.html and results.json."""
    task: str = ""
    """Task to look at; by default the one the checkpoint was trained for."""
    episodes: int = 500
    """Random episodes to measure on."""
    goals: int = 10
    """Goals of each kind tried with the truth in place of a learned part; 0: none."""

    def run(self) -> int:
        from latentplan_ros.evaluation.diagnosis import diagnose

        diagnose(self.checkpoint, self.out, self.task, self.episodes, self.goals)
        return 0


@dataclass(frozen=True)
class GraphBuild:
    """Learns both of Plan2vec's metrics from sequences of pictures, and the graph between them."""

    source: Positional[str]
    """A world: open, table, cmaze, rope, streets_tiny, _small, _medium, _large or _huge; a dataset
    *.zarr; a folder of rope pictures, a subfolder a run; or a StreetLearn folder with nodes.txt."""
    out: Out
    """Folder for the map, the graph and the pictures; the same command continues a stopped run."""
    frames: int = 10_000
    """Of a maze, the rope or a dataset: whole sequences of at most so many pictures."""
    seed: int = 0
    """Seed of what is recorded or chosen, of weights and batches."""

    def run(self) -> int:
        from latentplan_ros.learning.plan2vec.build import build, describe

        learned = build(self.source, self.out, self.frames, self.seed)
        for line in describe(learned):
            _say(line)
        _say(f"Look at it: latentplan graph show {self.out}")
        return 0


@dataclass(frozen=True)
class GraphShow:
    """Writes one page on which to judge a graph: map, plans, worm holes, parts."""

    folder: Positional[Path]
    """What `graph build` wrote."""
    out: Annotated[Path | None, arg(aliases=["-o"])] = None
    """Page to write; by default graph.html in the folder."""

    def run(self) -> int:
        from latentplan_ros.evaluation.plan2vec.page import show

        out = self.out or self.folder / "graph.html"
        show(self.folder, out)
        _say(str(out))
        return 0


@dataclass(frozen=True)
class GraphVerb:
    """Plan2vec on sequences of pictures: learns a graph and a map of them, and shows both."""

    verb: Annotated[
        Annotated[GraphBuild, subcommand("build", prefix_name=False)]
        | Annotated[GraphShow, subcommand("show", prefix_name=False)],
        arg(name=""),
    ]

    def run(self) -> int:
        return self.verb.run()


@dataclass(frozen=True)
class Watch:
    """Shows a running graph in a browser: pictures, distance, states, plan, what the nodes say."""

    robot: str = "franka"
    """Robot profile that the graph runs with."""
    namespace: str = ""
    """The graph's namespace."""
    bind: str = "127.0.0.1"
    """Address to serve on; 0.0.0.0 shows it to the whole network, without a password."""
    port: int = 9090
    """Port of the page."""
    data_port: int = 9876
    """Port of the data behind the page."""
    save: str = ""
    """File to keep what was shown in, *.rrd."""
    use_sim_time: bool = False
    """The graph's time is /clock."""

    def run(self) -> int:
        from latentplan_ros.bringup.watching import watch

        return watch(**{f.name: getattr(self, f.name) for f in fields(self)})


@dataclass(frozen=True)
class Doctor:
    """What this machine has and lacks, or what is wrong in a running graph, with remedies."""

    purpose: Literal["demo", "robot", "train"] = "demo"
    """What it shall do: demo (simulation and ROS), robot (ROS) or train (neither)."""
    live: bool = False
    """Measure the graph that is running: rates, latency, drops, QoS, clocks, frames."""
    robot: str = "franka"
    """With --live: the robot profile that the graph runs with."""
    namespace: str = ""
    """With --live: the graph's namespace."""
    seconds: float = 5.0
    """With --live: how long to listen."""

    def run(self) -> int:
        if self.live:
            from latentplan_ros.bringup.doctor.live import examine

            return examine(self.robot, self.namespace, self.seconds)
        from latentplan_ros.bringup.doctor import doctor

        return doctor(self.purpose)


Verbs = (
    Annotated[Demo, subcommand("demo")]
    | Annotated[Up, subcommand("up")]
    | Annotated[Teleop, subcommand("teleop")]
    | Annotated[Collect, subcommand("collect")]
    | Annotated[DatasetVerb, subcommand("dataset")]
    | Annotated[Train, subcommand("train")]
    | Annotated[Evaluate, subcommand("evaluate")]
    | Annotated[Diagnose, subcommand("diagnose")]
    | Annotated[GraphVerb, subcommand("graph")]
    | Annotated[Watch, subcommand("watch")]
    | Annotated[Doctor, subcommand("doctor")]
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one verb; returns its exit status, 2 after bad input, which is explained in one line."""
    verb: Verb = tyro.cli(Verbs, prog="latentplan", args=arguments, description=ABOUT)
    try:
        return verb.run()
    except KeyboardInterrupt:
        return 130
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("latentplan_ros"):
            raise
        _complain(f"{error.name} is not installed; `latentplan doctor` says how to get it")
        return 2
    except Exception as error:
        # The rooms explain bad input with errors of their own; anything else is a defect and keeps
        # its traceback.
        if not type(error).__module__.startswith("latentplan_ros."):
            raise
        _complain(str(error))
        return 2


def _say(text: str) -> None:
    Console(soft_wrap=True).print(escape(text))


def _complain(text: str) -> None:
    Console(stderr=True).print(f"[red]error:[/] {escape(text)}", soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
