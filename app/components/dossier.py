"""A candidate on one page of A4: self-contained HTML to take along, that prints as it stands."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any, Final

from app.components.candidate_figures import Figure, figures, pretty_spacegroup
from app.components.candidate_sections import provenance_facts
from app.components.text import pretty_formula
from app.components.verdict_panel import MEANING
from app.components.voltage_table import agreement_words, interval_words, off_words, voltage_words
from app.components.xrd_section import Patterns
from core.drawing.flat import flat_picture
from core.drawing.scenes import scene_json
from core.service.candidates import Candidate
from core.service.diffraction import RANGE_DEG, Peak
from core.service.screen import Judgement, Thresholds, judgement
from core.service.voltages import contradictions, voltages

_TEMPLATE: Final = Path(__file__).with_name("dossier.html")
_STRONGEST: Final = 6
_LABELLED: Final = 6
_WIDTH, _HEIGHT, _FOOT = 680.0, 130.0, 16.0
_COLOURS: Final = ("#0b6e75", "#c9302c")

_Cell = str | tuple[str, str]
"""A text, or a text with a smaller one beneath."""


def dossier_html(
    candidate: Candidate, row: Mapping[str, Any], thresholds: Thresholds, patterns: Patterns, url: str
) -> str:
    """Return the page of a candidate; `row`: what is known of it, by the columns of the view `screening`."""
    judged, known = judgement(row, thresholds), voltages(row)
    about = [
        row["id"],
        pretty_spacegroup(row["spacegroup"] or "space group not stated"),
        row["source"],
        row["license"],
    ]
    lines: list[list[_Cell]] = [
        [it.title, (voltage_words(it), interval_words(it)), (off_words(it), agreement_words(it))]
        for it in known
    ]
    facts = provenance_facts(candidate)
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=escape(f"{row['formula']} {row['id']}"), formula=escape(pretty_formula(row["formula"])),
        about=escape(" · ".join(about)), verdict=escape(judged.verdict), meaning=escape(MEANING[judged.verdict]),
        reasons=_reasons(judged, contradictions(known)), picture=flat_picture(scene_json(candidate.crystal)),
        ion=escape(row["working_ion"]), voltages=_table(["", "Voltage", "Off the prediction"], lines),
        figures=_table([], [_figure(it) for it in figures(row, thresholds)]), pattern=pattern_svg(patterns),
        peaks="".join(_peaks(end, peaks) for end, peaks in patterns.items()),
        provenance=escape("; ".join(f"{name}: {value}" for name, value in facts.items())), url=escape(url),
    )  # fmt: skip


def _reasons(judged: Judgement, contradicting: Sequence[str]) -> str:
    lines = {
        "Against": "; ".join(it.text for it in judged.of("against")),
        "Not known": "; ".join(it.text for it in judged.of("unknown") if it.is_told),
        "For": "; ".join(it.text for it in judged.of("for")),
        "Contradiction": " ".join(contradicting),
    }
    return "".join(f"<p><b>{name}:</b> {escape(words)}</p>" for name, words in lines.items() if words)


def _figure(it: Figure) -> list[_Cell]:
    return [it.label, (it.value, it.detail)]


def _table(head: Sequence[str], rows: Sequence[Sequence[_Cell]]) -> str:
    titles = f"<tr>{''.join(f'<th>{escape(title)}</th>' for title in head)}</tr>" if head else ""
    lines = ("".join(f"<td>{_cell(cell)}</td>" for cell in row) for row in rows)
    return f"<table>{titles}{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _cell(cell: _Cell) -> str:
    if isinstance(cell, str):
        return escape(cell)
    value, detail = cell
    return escape(value) + (f"<small>{escape(detail)}</small>" if detail else "")


def _peaks(end: str, peaks: Sequence[Peak]) -> str:
    strongest = sorted(peaks, key=lambda it: -it.intensity_percent)[:_STRONGEST]
    rows = [
        [f"{it.two_theta_deg:.2f}", f"{it.d_spacing_a:.3f}", f"{it.intensity_percent:.0f}", it.hkl]
        for it in sorted(strongest, key=lambda it: it.two_theta_deg)
    ]
    return f"<div>{_table([f'{end}, 2θ (°)', 'd (Å)', 'I (%)', 'hkl'], rows)}</div>"


def pattern_svg(patterns: Patterns) -> str:
    """Return the patterns as sticks over one axis, one above the other, the strongest peaks with their planes."""
    each = (_HEIGHT - _FOOT) / max(len(patterns), 1)
    parts = [
        _sticks(end, peaks, top=each * place, height=each, colour=colour)
        for place, ((end, peaks), colour) in enumerate(zip(patterns.items(), _COLOURS, strict=False))
    ]
    ticks = range(int(RANGE_DEG[0]), int(RANGE_DEG[1]) + 1, 10)
    axis = "".join(
        f'<text x="{_x(t):.1f}" y="{_HEIGHT - 4:.0f}" text-anchor="middle">{t}°</text>' for t in ticks
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" width="100%" font-size="8.5" role="img" '
        f'aria-label="Powder pattern">{"".join(parts)}{axis}</svg>'
    )


def _x(angle_deg: float) -> float:
    low, high = RANGE_DEG
    return 8.0 + (_WIDTH - 16.0) * (angle_deg - low) / (high - low)


def _sticks(end: str, peaks: Sequence[Peak], *, top: float, height: float, colour: str) -> str:
    base, full = top + height - 2.0, height - 16.0
    named = sorted(peaks, key=lambda it: -it.intensity_percent)[:_LABELLED]
    lines = [
        f'<line x1="0" y1="{base:.1f}" x2="{_WIDTH:g}" y2="{base:.1f}" stroke="#8a979c" stroke-width="0.6"/>'
    ]
    for it in peaks:
        x, tip = _x(it.two_theta_deg), base - full * it.intensity_percent / 100.0
        lines.append(
            f'<line x1="{x:.1f}" y1="{base:.1f}" x2="{x:.1f}" y2="{tip:.1f}" stroke="{colour}" stroke-width="1.1"/>'
        )
        if it in named:
            lines.append(
                f'<text x="{x:.1f}" y="{tip - 2:.1f}" text-anchor="middle">{escape(it.hkl.split(" ")[0])}</text>'
            )
    return "".join([*lines, f'<text x="{_WIDTH:g}" y="{top + 9:.1f}" text-anchor="end">{escape(end)}</text>'])
