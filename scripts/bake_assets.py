"""Bake the robots under latentplan_ros/sim/assets from the packages that publish them.

    pip download --no-deps metaworld==3.1.1 gymnasium-robotics==1.4.2   # unzip both wheels into DIR
    python scripts/bake_assets.py DIR

Each robot becomes one MJCF whose visual meshes are merged per body, expressed in the body frame and
decimated by vertex clustering: software rendering is bound by vertices. Masses and inertias are the
compiled originals'.
"""

import struct
import sys
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

import mujoco
import numpy as np

OUT = Path(__file__).resolve().parents[1] / "latentplan_ros" / "sim" / "assets"


@dataclass
class Recipe:
    name: str
    xml: str
    folder: str
    root: str
    cell_m: float = 0.02
    # Body to clustering cell, where detail matters.
    fine: dict[str, float] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()  # joints of the original that have no motor


PANDA = Recipe(
    name="panda",
    folder="gymnasium_robotics/envs/assets/kitchen_franka",
    # The published fingers are stretched for grasping kettles; the real ones have scale 1.
    xml="""<mujoco><include file="franka_assets/assets.xml"/>
           <compiler meshdir="franka_assets/meshes"/>
           <worldbody><include file="franka_assets/chain.xml"/></worldbody></mujoco>""",
    root="panda0_link0",
    fine={"panda0_leftfinger": 0.006, "panda0_rightfinger": 0.006, "panda0_link7": 0.014},
)
SAWYER = Recipe(
    name="sawyer",
    folder="metaworld/assets/sawyer_xyz",
    xml="""<mujoco><include file="../objects/assets/xyz_base_dependencies.xml"/>
           <worldbody><include file="../objects/assets/xyz_base.xml"/></worldbody></mujoco>""",
    root="right_arm_base_link",
    fine={"right_hand": 0.01, "right_l6": 0.014},
    drop=("screen", "head_camera", "right_torso_itb", "right_arm_itb"),
)


def cluster(vertices: np.ndarray, faces: np.ndarray, cell: float) -> tuple[np.ndarray, np.ndarray]:
    """Vertex clustering: vertices of a cell become their mean; collapsed and repeated faces go."""
    keys = np.floor(vertices / cell).astype(np.int64)
    _, label = np.unique(keys, axis=0, return_inverse=True)
    label = label.reshape(-1)
    count = np.bincount(label).astype(float)
    merged = np.stack([np.bincount(label, vertices[:, k]) / count for k in range(3)], axis=1)
    faces = label[faces]
    distinct = (
        (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 0] != faces[:, 2])
    )
    faces = faces[distinct]
    _, first = np.unique(np.sort(faces, axis=1), axis=0, return_index=True)
    return merged, faces[np.sort(first)]


def write_stl(path: Path, vertices: np.ndarray, faces: np.ndarray) -> None:
    corners = vertices[faces].astype("<f4")
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    with path.open("wb") as file:
        file.write(b"\0" * 80 + struct.pack("<I", len(faces)))
        for normal, corner in zip(normals.astype("<f4"), corners, strict=True):
            file.write(normal.tobytes() + corner.tobytes() + b"\0\0")


def body_meshes(
    model: mujoco.MjModel, body: int
) -> dict[tuple, list[tuple[np.ndarray, np.ndarray]]]:
    """Visual meshes of a body, in its frame, by colour."""
    groups: dict[tuple, list[tuple[np.ndarray, np.ndarray]]] = {}
    for geom in range(model.ngeom):
        visual = (
            model.geom_bodyid[geom] == body and model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_MESH
        )
        if not visual or model.geom_group[geom] > 2:
            continue
        mesh = model.geom_dataid[geom]
        start, count = model.mesh_vertadr[mesh], model.mesh_vertnum[mesh]
        vertices = model.mesh_vert[start : start + count].astype(float)
        rotation = np.zeros(9)
        mujoco.mju_quat2Mat(rotation, model.geom_quat[geom])
        vertices = vertices @ rotation.reshape(3, 3).T + model.geom_pos[geom]
        start, count = model.mesh_faceadr[mesh], model.mesh_facenum[mesh]
        colour = tuple(np.round(model.geom_rgba[geom], 3))
        mesh_name = model.mesh(model.geom_dataid[geom]).name
        if mesh_name in ("hand_viz", "finger_viz"):
            colour = (0.22, 0.23, 0.25, 1.0)  # as on the real arm, and apart from the background
        groups.setdefault(colour, []).append((vertices, model.mesh_face[start : start + count]))
    return groups


def numbers(values: np.ndarray) -> str:
    return " ".join(f"{v:.6g}" for v in np.atleast_1d(values))


def bake(recipe: Recipe, packages: Path) -> None:
    folder = packages / recipe.folder
    wrapper = folder / "_bake.xml"
    wrapper.write_text(recipe.xml)
    spec = mujoco.MjSpec.from_file(str(wrapper))
    for mesh in spec.meshes:
        if mesh.name == "finger_viz":
            mesh.scale = [1.0, 1.0, 1.0]
    model = spec.compile()
    wrapper.unlink()
    out = OUT / recipe.name
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("*.stl"):
        old.unlink()
    root = ET.Element("mujoco", model=recipe.name)
    ET.SubElement(root, "compiler", angle="radian", meshdir=".", autolimits="true")
    assets, world = ET.SubElement(root, "asset"), ET.SubElement(root, "worldbody")
    triangles = 0

    def visit(body: int, parent: ET.Element) -> None:
        nonlocal triangles
        name = model.body(body).name
        if name in recipe.drop:
            return
        short = name.replace("panda0_", "")
        element = ET.SubElement(
            parent,
            "body",
            name=short,
            pos=numbers(model.body_pos[body]),
            quat=numbers(model.body_quat[body]),
        )
        ET.SubElement(
            element,
            "inertial",
            pos=numbers(model.body_ipos[body]),
            quat=numbers(model.body_iquat[body]),
            mass=numbers(max(model.body_mass[body], 1e-3)),
            diaginertia=numbers(np.maximum(model.body_inertia[body], 1e-6)),
        )
        for joint in range(model.njnt):
            if model.jnt_bodyid[joint] == body:
                kind = "slide" if model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_SLIDE else "hinge"
                ET.SubElement(
                    element,
                    "joint",
                    name=model.joint(joint).name.replace("robot:panda0", "panda"),
                    type=kind,
                    axis=numbers(model.jnt_axis[joint]),
                    range=numbers(model.jnt_range[joint]),
                )
        for index, (colour, parts) in enumerate(body_meshes(model, body).items()):
            offset, vertices, faces = 0, [], []
            for part_vertices, part_faces in parts:
                vertices.append(part_vertices)
                faces.append(part_faces + offset)
                offset += len(part_vertices)
            merged = cluster(
                np.concatenate(vertices),
                np.concatenate(faces),
                recipe.fine.get(name, recipe.cell_m),
            )
            triangles += len(merged[1])
            mesh = f"{short}_{index}" if index else short
            write_stl(out / f"{mesh}.stl", *merged)
            # A shell's inertia never matters here (bodies carry their own) but open meshes need it
            # to load.
            ET.SubElement(assets, "mesh", name=mesh, file=f"{mesh}.stl", inertia="shell")
            ET.SubElement(
                element,
                "geom",
                type="mesh",
                mesh=mesh,
                rgba=numbers(np.array(colour)),
                contype="0",
                conaffinity="0",
                group="1",
                mass="0",
            )
        for child in range(model.nbody):
            if child != body and model.body_parentid[child] == body:
                visit(child, element)

    visit(model.body(recipe.root).id, world)
    ET.indent(root)
    ET.ElementTree(root).write(out / f"{recipe.name}.xml")
    size = sum(p.stat().st_size for p in out.iterdir())
    print(f"{recipe.name}: {triangles} triangles, {size / 1e3:.0f} kB in {out}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for recipe in (PANDA, SAWYER):
        bake(recipe, Path(sys.argv[1]))
