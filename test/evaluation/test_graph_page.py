"""A graph is built from pictures and shown on a page that needs nothing else."""

import base64
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import cv2
import numpy as np
import pytest
import torch

from latentplan_ros import cli
from latentplan_ros.data.sequences import Sequences
from latentplan_ros.evaluation.plan2vec.figures import colours, plane
from latentplan_ros.evaluation.plan2vec.page import show
from latentplan_ros.evaluation.plan2vec.plans import some_plans
from latentplan_ros.graph.frame_graph import FrameGraph, GraphError
from latentplan_ros.learning.plan2vec.amortized import AmortizedRecipe
from latentplan_ros.learning.plan2vec.build import build, describe
from latentplan_ros.learning.plan2vec.learn import Plan2vecRecipe
from latentplan_ros.learning.plan2vec.learned import Learned
from latentplan_ros.learning.plan2vec.local import LocalRecipe
from latentplan_ros.learning.plan2vec.sources import SourceError
from latentplan_ros.models.picture_map import MapError

TINY = Plan2vecRecipe(
    features=4,
    candidates=16,
    latent=3,
    local=LocalRecipe(updates=40, batch_size=16),
    amortized=AmortizedRecipe(updates=5, batch_size=16, starts=4),
)
FRAMES = 12 * 11  # of a maze, 12 rollouts


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Do not write here: copy it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("built")
    build("open", folder, FRAMES, 0, TINY)
    torch.set_num_threads(before)
    return folder


@pytest.fixture
def folder(built, tmp_path):
    return shutil.copytree(built, tmp_path / "graph")


@pytest.fixture(scope="module")
def page(built, tmp_path_factory):
    out = tmp_path_factory.mktemp("page") / "a.html"
    show(built, out)
    return out.read_text()


class Elements(HTMLParser):
    """Every element that begins, as its tag and attributes; complains where nesting is wrong."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in ("img", "meta"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def of(self, tag, kind=None):
        return [
            a for t, a in self.found if t == tag and kind in (None, *a.get("class", "").split())
        ]


def pixels(source):
    data = source.removeprefix("data:image/png;base64,")
    assert data != source
    return cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_UNCHANGED)


def test_a_build_is_read_back_as_it_was(built):
    learned = Learned.load(built)
    assert learned.source == "open"
    assert learned.sequences.pictures.shape == (FRAMES, 64, 64)
    assert learned.sequences.truth.shape == (FRAMES, 2)
    assert learned.graph.num_frames == FRAMES
    assert learned.graph.threshold == learned.map.threshold
    assert not list(built.rglob("*.partial"))


def test_the_page_needs_no_other_file_and_is_sound(page):
    elements = Elements(page)
    assert "<!--" not in page
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert not re.search(r"https?://", page)
    assert "132 pictures of 12 sequences" in page
    for image in elements.of("img"):
        assert image["alt"]
        assert pixels(image["src"]).size
    assert len(elements.of("img", "wide")) == 3, "map, steps to a goal, histogram"
    assert len(elements.of("article", "plan")) >= 2
    assert elements.of("article", "hole")


def test_a_plan_shows_the_pictures_of_its_path_and_how_each_hop_is_known(built, page):
    learned = Learned.load(built)
    plans = some_plans(learned, np.random.default_rng(0))
    strips = re.findall(r'<article class="plan">.*?</article>', page)
    assert len(strips) == len(plans)
    for plan, strip in zip(plans, strips, strict=True):
        elements = Elements(strip)
        shown = elements.of("img")
        assert len(shown) == len(plan.frames)
        for image, frame in zip(shown, plan.frames, strict=True):
            np.testing.assert_array_equal(pixels(image["src"]), learned.sequences.pictures[frame])
        numbers = re.findall(r"<figcaption>(\d+)<i>, (\d+)</i>", strip)
        assert [11 * int(a) + int(b) for a, b in numbers] == plan.frames
        truly = [[a, b] in learned.sequences.steps.tolist() for a, b in pairwise(plan.frames)]
        kinds = [hop["title"] for hop in elements.of("span", "hop")]
        assert kinds == ["recorded" if known else "found" for known in truly]
        scores = [float(s) for s in re.findall(r"</b>([\d.]+)</span>", strip)]
        np.testing.assert_allclose(scores, plan.scores, atol=0.006)
        found = ~np.array(truly)
        assert (plan.scores[found] <= learned.graph.threshold + 1e-4).all()


def test_pictures_without_truth_are_shown_too(folder, tmp_path):
    learned = Learned.load(folder)
    replace(learned, sequences=replace(learned.sequences, truth=None)).save(folder)
    show(folder, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    Elements(page)
    assert "not known" in page
    assert "in truth" not in page


def test_a_graph_in_parts_is_shown_with_their_sizes(folder, tmp_path):
    """Two recordings that nothing joins, of 8 and 3 pictures, and no found edge at all."""
    learned = Learned.load(folder)
    pictures = learned.sequences.pictures
    sequences = Sequences.in_a_row([pictures[:8], pictures[20:23]])
    graph = FrameGraph.build(
        11, sequences.steps, sequences.lengths, lambda a, b: 0 * a, 0.0, np.empty((0, 2), int)
    )
    replace(learned, source="<b>two</b>", sequences=sequences, graph=graph).save(folder)
    show(folder, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    Elements(page)
    assert "<td>1</td><td>8</td><td>72.7%</td><td>1</td>" in page
    assert "<td>2</td><td>3</td><td>27.3%</td><td>1</td>" in page
    assert "no found edge" in page
    assert "No path leads there from" in page
    assert "&lt;b&gt;two&lt;/b&gt;" in page
    assert any("2 parts" in line and "8, 3" in line for line in describe(Learned.load(folder)))


@pytest.mark.parametrize("name", ["map.safetensors", "graph.safetensors", "pictures.npz"])
def test_a_file_that_is_missing_torn_or_something_else_is_named(folder, tmp_path, name):
    file, whole = folder / name, (folder / name).read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"something else"):
        file.write_bytes(content)
        with pytest.raises((GraphError, MapError), match=re.escape(name)) as error:
            show(folder, tmp_path / "page.html")
        assert "\n" not in str(error.value)
    file.unlink()
    with pytest.raises(GraphError, match=f"has no {re.escape(name)}"):
        show(folder, tmp_path / "page.html")
    assert not list(tmp_path.glob("page*"))


def test_pictures_of_another_build_are_refused(folder, tmp_path):
    learned = Learned.load(folder)
    other = replace(learned, sequences=learned.sequences.only(np.arange(5)))
    other.save(tmp_path / "other")
    with pytest.raises(GraphError, match=r"132 frames and pictures\.npz 55 pictures"):
        show(tmp_path / "other", tmp_path / "page.html")


@pytest.mark.parametrize("name", ["pictures", "steps", "truth"])
def test_arrays_that_are_no_pictures_are_refused(folder, tmp_path, name):
    file = folder / "pictures.npz"
    with np.load(file) as held:
        arrays = dict(held)
    arrays[name] = np.full(arrays[name].shape, np.nan)
    np.savez(file, **arrays)
    with pytest.raises(GraphError, match=f"pictures.npz .*{name}"):
        show(folder, tmp_path / "page.html")


def test_a_folder_that_learned_from_something_else_is_not_continued(folder):
    before = {f: f.read_bytes() for f in folder.rglob("*") if f.is_file()}
    for source, seed, recipe in (
        ("open", 1, TINY),
        ("table", 0, TINY),
        ("open", 0, replace(TINY, p=1.5)),
    ):
        with pytest.raises(SourceError, match="another"):
            build(source, folder, FRAMES, seed, recipe)
    assert {f: f.read_bytes() for f in folder.rglob("*") if f.is_file()} == before
    first, again = Learned.load(folder), build("open", folder, FRAMES, 0, TINY)
    assert (first.graph.edges != again.graph.edges).nnz == 0, "the same run gives the same"
    for name, weights in first.map.state_dict().items():
        assert torch.equal(weights, again.map.state_dict()[name])


def test_where_no_candidates_are_asked_about_recorded_steps_are_the_graph(tmp_path, monkeypatch):
    """A town that was driven whole has no shorter ways to find."""
    recorded = replace(TINY, candidates=0)
    learned = build("streets_tiny", tmp_path / "town", FRAMES, 0, recorded)
    assert learned.graph.edges.nnz == learned.graph.recorded.nnz == len(learned.sequences.steps)
    assert any("1 part" in line for line in describe(learned))
    show(tmp_path / "town", tmp_path / "page.html")
    Elements((tmp_path / "page.html").read_text())
    name = "latentplan_ros.learning.plan2vec.learn.best_threshold"
    for threshold, words in ((1e-7, "joins none"), (1e3, "joins all")):
        monkeypatch.setattr(name, lambda near, far, chosen=threshold: chosen)
        with pytest.raises(GraphError, match=words):
            build("streets_tiny", tmp_path / words, FRAMES, 0, TINY)


def test_both_verbs(folder, tmp_path, capsys, monkeypatch):
    assert cli.main(["graph", "show", str(folder)]) == 0
    Elements((folder / "graph.html").read_text())
    assert cli.main(["graph", "show", str(folder), "-o", str(tmp_path / "b/page.html")]) == 0
    assert (tmp_path / "b/page.html").read_text() == (folder / "graph.html").read_text()
    assert cli.main(["graph", "show", str(tmp_path / "nowhere")]) == 2
    assert "latentplan graph build" in capsys.readouterr().err
    assert cli.main(["graph", "build", "labyrinth", "-o", str(tmp_path / "c")]) == 2
    assert "streets_tiny" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert cli.main(["graph", "build", "open", "-o", str(tmp_path / "file")]) == 2
    assert "is a file" in capsys.readouterr().err
    monkeypatch.setattr(
        "latentplan_ros.learning.plan2vec.build.build", lambda *_: Learned.load(folder)
    )
    assert cli.main(["graph", "build", "open", "-o", str(folder)]) == 0
    said = capsys.readouterr().out
    for part in ("132 pictures of 12 sequences", "edges", "part", "without", "graph show"):
        assert part in said


def test_a_plane_keeps_what_varies_most():
    rng = np.random.default_rng(0)
    flat = rng.normal(size=(200, 2)) * [5.0, 2.0]
    turned, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    seen, kept = plane(flat @ turned[:2] + 3.0)
    assert kept == pytest.approx(1.0)
    apart = np.linalg.norm(flat[:, None] - flat, axis=-1)
    np.testing.assert_allclose(np.linalg.norm(seen[:, None] - seen, axis=-1), apart, atol=1e-6)
    one, _ = plane(np.arange(3.0)[:, None])
    np.testing.assert_array_equal(one, [[0, 0], [1, 0], [2, 0]])


def test_each_place_has_a_colour_of_its_own():
    places = np.stack(np.meshgrid([0.0, 0.5, 1.0], [2.0, 3.0]), axis=-1).reshape(-1, 2)
    found = colours(places)
    assert ((found >= 0) & (found <= 1)).all()
    apart = np.linalg.norm(found[:, None] - found, axis=-1) + np.eye(len(found))
    assert apart.min() > 0.1
