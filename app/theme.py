"""Colours, spacing and the plotly look that all pages share; `.streamlit/config.toml` holds the same accent colour."""

from dataclasses import dataclass
from html import escape
from typing import Any

import streamlit as st


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """The colours of figures in one theme."""

    passing: str
    failing: str
    inert: str
    accent: str
    line: str
    grid: str
    text: str
    surface: str
    sources: tuple[str, ...]


_LIGHT = Palette(
    passing="#c9302c",
    failing="rgba(70, 104, 150, 0.5)",
    inert="rgba(120, 128, 132, 0.2)",
    accent="#0b6e75",
    line="#5d6f77",
    grid="rgba(94, 112, 120, 0.16)",
    text="#1b2529",
    surface="#ffffff",
    sources=("#0b6e75", "#d98e04", "#5b5fc7", "#8a6d3b", "#3f8f4f", "#b4508a", "#6b7a81"),
)
_DARK = Palette(
    passing="#ff6f61",
    failing="rgba(136, 176, 226, 0.42)",
    inert="rgba(150, 158, 162, 0.16)",
    accent="#43aab3",
    line="#9db0b8",
    grid="rgba(160, 178, 186, 0.16)",
    text="#e4ebed",
    surface="#11171a",
    sources=("#43aab3", "#e9b44c", "#8f93f0", "#c2a36b", "#74c285", "#df84b8", "#9db0b8"),
)

_STYLE = """
<style>
.stMainBlockContainer { padding: 4.2rem 2.25rem 3rem 2.25rem; max-width: 1480px; }
[data-testid="stMetricValue"] { font-variant-numeric: tabular-nums; }
.stMainBlockContainer h1 { padding: 0 0 0.1rem 0; }
.stMainBlockContainer h2, .stMainBlockContainer h3 { padding: 0.4rem 0 0.2rem 0; }
.st-key-voltage_v_number button, .st-key-capacity_vol_ah_per_l_number button,
.st-key-sigma_ms_per_cm_number button, .st-key-barrier_ev_number button { display: none; }
.card-facts { width: 100%; border-collapse: collapse; font-size: 0.92rem; line-height: 1.35; }
.card-facts th { font-weight: 400; opacity: 0.7; text-align: left; vertical-align: top; width: 38%;
  padding: 0.32rem 0.8rem 0.32rem 0; }
.card-facts td { font-weight: 600; vertical-align: top; padding: 0.32rem 0; font-variant-numeric: tabular-nums; }
.card-facts small { display: block; font-weight: 400; opacity: 0.75; }
@media (max-width: 640px) { .st-key-screen_parts > :has(> .st-key-screen_picture) { order: 1; }
  .st-key-screen_parts > :has(> .st-key-screen_funnel) { order: 2; }
  .st-key-screen_parts > :has(> .st-key-screen_lists) { order: 3; } }
.st-key-plot_axes > [data-testid="stElementContainer"] { flex: 1 1 0; min-width: 8rem; }
@media (max-width: 640px) { .st-key-weights [data-testid="stColumn"] { min-width: calc(50% - 1rem); } }
.stApp [data-testid="stCaptionContainer"] { color: inherit; opacity: 0.78; }
.st-key-tiles > [data-testid="stElementContainer"] { flex: 1 1 0; min-width: 11rem; }
.st-key-funnel > [data-testid="stElementContainer"] { flex: 1 1 0; min-width: 7.5rem; }
.st-key-stacking-glossary h4 { font-size: 1rem; padding: 0.5rem 0 0.1rem 0; }
@media (max-width: 1000px) { [class*="st-key-stacking"] [data-testid="stColumn"] { min-width: 100%; } }
@media (max-width: 1100px) { .st-key-thresholds [data-testid="stColumn"] { min-width: calc(50% - 1rem); } }
@media (max-width: 640px) { .st-key-thresholds [data-testid="stColumn"] { min-width: 100%; } }
@media (max-width: 900px) { .stMainBlockContainer { padding-left: 1.2rem; padding-right: 1.2rem; } }
@media print {
  @page { size: A4; margin: 12mm; }
  [data-testid="stHeader"], [data-testid="stToolbar"], [data-testid="stSidebar"], .stButton, .stDownloadButton,
  .stSelectbox, .stMultiSelect, .stTextInput, .modebar { display: none !important; }
  .stApp, .stAppViewContainer, .stMain, [data-testid="stAppViewContainer"], [data-testid="stMain"] {
    position: static !important; overflow: visible !important; height: auto !important; display: block !important; }
  .stMainBlockContainer { padding: 0; max-width: none; }
  .figures, .facts tr, .stPlotlyChart, [data-testid="stAlert"] { break-inside: avoid; }
  h1, h2, h3 { break-after: avoid; }
}
</style>
"""


def palette() -> Palette:
    """Return the colours for the theme that the browser shows."""
    return _DARK if st.context.theme.type == "dark" else _LIGHT


def apply_style() -> None:
    """Add the few rules that the theme file cannot say: content width, page top, steady digits."""
    st.html(_STYLE)


def page_header(title: str, caption: str) -> None:
    """Draw a page's title and its one-line caption."""
    st.title(title, anchor=False)
    st.caption(caption)


def figure_layout(colours: Palette, **extra: Any) -> dict[str, Any]:
    """Return the plotly layout that every figure starts from; `extra` adds to it or replaces parts."""
    axis = {
        "gridcolor": colours.grid,
        "zeroline": False,
        "linecolor": colours.line,
        "ticks": "outside",
        "ticklen": 4,
    }
    layout = {
        "margin": {"l": 60, "r": 16, "t": 12, "b": 52},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": colours.text, "size": 13},
        "xaxis": axis,
        "yaxis": axis,
        "hoverlabel": {"align": "left"},
    }
    return _merged(layout, extra)


def _merged(base: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in extra.items():
        both = isinstance(value, dict) and isinstance(merged.get(name), dict)
        merged[name] = _merged(merged[name], value) if both else value
    return merged


def safe(text: object) -> str:
    """Return a text from the data for places that read HTML or Markdown: nothing in it can act as either."""
    markdown = str.maketrans({character: f"\\{character}" for character in "\\`*_{}[]()#+!|~$:<>"})
    return str(text).translate(markdown)


def safe_html(text: object) -> str:
    """Return a text from the data for plotly labels, which read a small part of HTML."""
    return escape(str(text), quote=True)
