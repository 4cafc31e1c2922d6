"""Small tables as HTML: unlike a dataframe's canvas they wrap, and everything in them is shown as text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import streamlit as st

_STYLE = """
<style>
.facts { width: 100%; border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
.facts th, .facts td { text-align: left; vertical-align: top; padding: 0.3rem 0.8rem 0.3rem 0;
  border-bottom: 1px solid rgba(128, 128, 128, 0.22); }
.facts tr:last-child th, .facts tr:last-child td { border-bottom: none; }
.facts tbody th { font-weight: 400; opacity: 0.7; width: 11rem; }
.facts:not(.pairs) :is(th, td) { min-width: 4.2rem; }
.facts:not(.pairs) td:first-child:has(small) { min-width: 8.5rem; }
.facts.pairs td { overflow-wrap: anywhere; }
.facts thead th { font-weight: 600; border-bottom: 1px solid rgba(128, 128, 128, 0.22) !important; }
.facts a { color: inherit; white-space: nowrap; }
.facts small { display: block; opacity: 0.7; }
@media (max-width: 900px) { .facts { font-size: 0.84rem; } .facts tbody th { width: 7rem; }
  .facts th, .facts td { padding-right: 0.5rem; } }
</style>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A cell that leads to a page elsewhere; `url` is built by us, never taken from the data whole."""

    text: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Detailed:
    """A cell with a smaller line beneath."""

    text: str
    detail: str


Cell = str | Link | Detailed


def draw_facts(facts: Mapping[str, str]) -> None:
    """Draw names and values in two columns."""
    _draw("", [(name, [value]) for name, value in facts.items()], "facts pairs")


def draw_table(head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Draw rows under a head."""
    _draw(_head(head), [(None, row) for row in rows])


def draw_named_rows(head: Sequence[str], rows: Mapping[str, Sequence[Cell]]) -> None:
    """Draw rows under a head, each led by its name."""
    _draw(_head(["", *head]), list(rows.items()))


def _draw(head: str, rows: Sequence[tuple[str | None, Sequence[Cell]]], style: str = "facts") -> None:
    lines = []
    for name, cells in rows:
        lead = "" if name is None else f"<th scope='row'>{escape(name)}</th>"
        lines.append(f"<tr>{lead}{''.join(f'<td>{_cell(cell)}</td>' for cell in cells)}</tr>")
    table = f"<table class='{style}'>{head}<tbody>{''.join(lines)}</tbody></table>"
    st.html(f"{_STYLE}<div style='overflow-x: auto'>{table}</div>")


def _head(titles: Sequence[str]) -> str:
    cells = (f"<th scope='col'>{escape(title)}</th>" if title else "<td></td>" for title in titles)
    return f"<thead><tr>{''.join(cells)}</tr></thead>"


def _cell(cell: Cell) -> str:
    if isinstance(cell, Link):
        return f"<a href='{escape(cell.url)}' target='_blank' rel='noopener'>{escape(cell.text)}</a>"
    if isinstance(cell, Detailed):
        return f"{escape(cell.text)}<small>{escape(cell.detail)}</small>"
    return escape(cell)
