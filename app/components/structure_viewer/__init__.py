"""The 3D viewer of crystals: a Streamlit component around our own three.js module (`src/`, bundled by `build.mjs`)."""

import hashlib
import json
from collections.abc import Mapping
from operator import attrgetter
from typing import Any, TypedDict

import numpy as np
import streamlit as st

from app.components.structure_viewer.bundle import STYLE, bundle_version, loader
from core.drawing.density import path_density
from core.drawing.scenes import scene_json
from core.records import Crystal, FloatArray

_MAX_SCENES = 512

_component = st.components.v2.component(
    "structure_viewer",
    html='<div class="structure-viewer"></div>',
    css=STYLE,
    js=loader("structure-viewer", "default"),
)


class SiteMark(TypedDict, total=False):
    """How one site stands out: another colour (`#rrggbb`), a larger sphere (factor), a line in its tooltip."""

    color: str
    scale: float
    label: str


def structure_viewer(
    crystal_or_scene: Crystal | Mapping[str, Any],
    *,
    key: str,
    height: int = 480,
    working_ion: str | None = "Mg",
    highlight: Mapping[int, SiteMark] | None = None,
    compact: bool = False,
    path_points: FloatArray | None = None,
) -> None:
    """Draw a crystal, or a scene from `core.drawing.scenes.scene_json`, with legend, toggles and camera.

    `height` in pixels; polyhedra of the `working_ion` start hidden, so that its places in the framework are seen;
    `highlight` marks sites by their index; `compact` leaves only the controls that fit a narrow column;
    `path_points` (n, 3) are fractional positions of the working ion over a run, in any image: drawn as the surfaces
    of `core.drawing.density`, with a switch in the legend.
    """
    scene = _scene(crystal_or_scene) if isinstance(crystal_or_scene, Crystal) else dict(crystal_or_scene)
    marks = {str(site): mark for site, mark in (highlight or {}).items()}
    picture = {"scene": scene, "working_ion": working_ion, "highlight": marks, "compact": compact}
    if path_points is not None and len(path_points):
        picture["path"] = path_density(path_points, np.array(scene["lattice"]))
    version = hashlib.sha256(json.dumps(picture, sort_keys=True).encode()).hexdigest()[:16]
    data = {
        **picture,
        "height": height,
        "version": version,
        "bundle": bundle_version(),
    }
    _component(key=key, data=data, height=height)


@st.cache_data(
    show_spinner="Drawing the structure …",
    max_entries=_MAX_SCENES,
    hash_funcs={Crystal: attrgetter("fingerprint")},
)
def _scene(crystal: Crystal) -> dict[str, Any]:
    return scene_json(crystal)
