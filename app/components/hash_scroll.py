"""Goes to the heading that the address names after its `#`, once the page stands."""

from typing import Final

import streamlit as st

# Streamlit scrolls when the heading is drawn; equations that are set later move it away again. So it is followed while
# the page still changes its height, until the visitor moves or four seconds are over.
_SCRIPT: Final = """
const FOLLOW_MS = 4000;

export default function () {
  const go = () => document.getElementById(location.hash.slice(1))?.scrollIntoView();
  const page = document.querySelector('[data-testid=stMainBlockContainer]');
  if (!location.hash || !page) return;
  const following = new ResizeObserver(go);
  const stop = () => following.disconnect();
  following.observe(page);
  setTimeout(stop, FOLLOW_MS);
  for (const move of ['wheel', 'touchmove', 'keydown', 'pointerdown']) addEventListener(move, stop, { once: true });
}
"""

_component = st.components.v2.component("hash_scroll", js=_SCRIPT)


def scroll_to_hash() -> None:
    """Draw nothing; call it last on a page whose headings have addresses."""
    _component(key="hash_scroll")
