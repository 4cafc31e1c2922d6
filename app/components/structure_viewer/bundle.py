"""Our three.js bundle (`src/`, bundled by `build.mjs`) and how the components around it find and name it."""

import hashlib
from pathlib import Path
from typing import Final

import streamlit as st

BUNDLE: Final = Path(__file__).resolve().parents[2] / "static" / "structure_viewer.js"
"""What `npm run build` writes and Streamlit serves under `app/static/`."""

STYLE: Final = (Path(__file__).parent / "viewer.css").read_text(encoding="utf-8")
"""The style sheet of all components that draw with the bundle."""

# The page's own script tells where the server's root is, whatever base path or proxy stands before it.
_LOADER = """
export default async function (component) {
  const script = document.querySelector('script[type="module"][src*="/static/js/"]');
  const root = script ? new URL('../../', script.src) : new URL('./', document.baseURI);
  const url = new URL(`app/static/structure_viewer.js?v=${bundleOf(component.data)}`, root);
  try {
    const drawing = await import(url.href);
    return drawing.MOUNT(component);
  } catch (error) {
    const host = component.parentElement.querySelector('.HOST');
    host.textContent = `The viewer could not be loaded from ${url.pathname}: ${error.message}`;
  }
}

function bundleOf(data) {
  if (!(data instanceof Uint8Array)) return data.bundle;
  const size = new DataView(data.buffer, data.byteOffset).getUint32(0, true);
  return JSON.parse(new TextDecoder().decode(data.subarray(4, 4 + size))).bundle;
}
"""


def loader(host: str, mount: str) -> str:
    """Return the component script that hands its data to the bundle's function `mount`.

    `host` is the class of the element drawn into. The data name the bundle's version as `bundle`: a mapping, or bytes
    that start with the length of a JSON header (uint32, little-endian) and that header.
    """
    return _LOADER.replace("HOST", host).replace("MOUNT", mount)


def address() -> str:
    """Return the bundle's address below the server's root, as the component script asks for it."""
    return f"app/static/{BUNDLE.name}?v={bundle_version()}"


def bundle_version() -> str:
    """Name the bundle by its content: a new one is fetched, an old one comes from the browser's cache."""
    return _version(BUNDLE.stat().st_mtime_ns)


@st.cache_data(show_spinner=False, max_entries=1)
def _version(modified_ns: int) -> str:
    return hashlib.sha256(BUNDLE.read_bytes()).hexdigest()[:12]
