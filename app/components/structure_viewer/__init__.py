"""The 3D viewer of crystals: a Streamlit component around our own three.js module (`src/`, bundled by `build.mjs`)."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypedDict

import streamlit as st

from core.records import Crystal
from core.scenes import scene_json

BUNDLE: Final = Path(__file__).resolve().parents[2] / "static" / "structure_viewer.js"
"""What `npm run build` writes and Streamlit serves under `app/static/`."""

_FOLDER = Path(__file__).parent
_MAX_SCENES = 512

# The page's own script tells where the server's root is, whatever base path or proxy stands before it.
_LOADER = """
export default async function (component) {
  const script = document.querySelector('script[type="module"][src*="/static/js/"]');
  const root = script ? new URL('../../', script.src) : new URL('./', document.baseURI);
  const url = new URL(`app/static/structure_viewer.js?v=${component.data.bundle}`, root);
  try {
    const viewer = await import(url.href);
    return viewer.default(component);
  } catch (error) {
    const host = component.parentElement.querySelector('.structure-viewer');
    host.textContent = `The viewer could not be loaded from ${url.pathname}: ${error.message}`;
  }
}
"""

_component = st.components.v2.component(
    "structure_viewer",
    html='<div class="structure-viewer"></div>',
    css=(_FOLDER / "viewer.css").read_text(encoding="utf-8"),
    js=_LOADER,
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
) -> None:
    """Draw a crystal, or a scene from `core.scenes.scene_json`, with legend, toggles and camera.

    `height` in pixels; polyhedra of the `working_ion` start hidden, so that its places in the framework are seen;
    `highlight` marks sites by their index; `compact` leaves only the controls that fit a narrow column.
    """
    scene = _scene(crystal_or_scene) if isinstance(crystal_or_scene, Crystal) else dict(crystal_or_scene)
    marks = {str(site): mark for site, mark in (highlight or {}).items()}
    picture = {"scene": scene, "working_ion": working_ion, "highlight": marks, "compact": compact}
    version = hashlib.sha256(json.dumps(picture, sort_keys=True).encode()).hexdigest()[:16]
    data = {
        **picture,
        "height": height,
        "version": version,
        "bundle": _bundle_version(BUNDLE.stat().st_mtime_ns),
    }
    _component(key=key, data=data, height=height)


def _fingerprint(crystal: Crystal) -> str:
    parts = (crystal.lattice_a.tobytes(), crystal.frac.tobytes(), " ".join(crystal.species).encode())
    return hashlib.sha256(b"|".join((*parts, crystal.formula.encode()))).hexdigest()


@st.cache_data(
    show_spinner="Drawing the structure …", max_entries=_MAX_SCENES, hash_funcs={Crystal: _fingerprint}
)
def _scene(crystal: Crystal) -> dict[str, Any]:
    return scene_json(crystal)


@st.cache_data(show_spinner=False, max_entries=1)
def _bundle_version(modified_ns: int) -> str:
    """Name the bundle by its content: a new one is fetched, an old one comes from the browser's cache."""
    return hashlib.sha256(BUNDLE.read_bytes()).hexdigest()[:12]
