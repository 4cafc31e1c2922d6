"""`build`: make the database release of the explorer, from the reference data and from further sources."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.output import StageBars, add_data_option, note, reference_data
from core.settings import Settings

if TYPE_CHECKING:
    from core.build import BuildReport

_HELP = """\
Reads the candidates of one source or several, predicts their voltages with the fast model, computes their capacities
and nearest labelled electrodes, and writes a new release: one database file and manifest.json, which the explorer
reads. Calculations that the release before holds are taken over. That release moves to the folder `previous`, where
older ones are deleted. Nothing is left half done. Then the accurate model, some seconds a structure, is asked about the
candidates that could pass; what it makes of a structure is kept in checkpoints/, so that a stopped build goes on.

sources:
  reference    the magnesium candidates of the reference data (default)
  mp           magnesium compounds near the hull, from Materials Project; needs your key in MP_API_KEY and a network
  gnome        GNoME's magnesium compounds, from a local copy: --gnome FOLDER
  PATH         a CIF, POSCAR, JSON or JSON-lines file of yours, or a folder of them
Where two sources give the same id, the one named first counts. Labelled electrodes always come from the reference data.
"""


def add_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add `build`."""
    parser = commands.add_parser(
        "build",
        help="make the explorer's database from the reference data and other sources",
        description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_data_option(parser)
    parser.add_argument(
        "--source", action="append", metavar="SOURCE",
        help="reference, mp, gnome, or a path; give it again for several (default: reference)",
    )  # fmt: skip
    parser.add_argument(
        "--gnome", type=Path, help="folder with GNoME's stable_materials_summary.csv and by_id.zip"
    )
    parser.add_argument("--out", type=Path, help="folder to write (default MGC_PRECOMPUTED, precomputed/)")
    parser.add_argument(
        "--model",
        help="one voltage model for all (default: the fast one, then the accurate one for those that could pass)",
    )
    parser.add_argument(
        "--accurate-only", action="store_true",
        help="build nothing anew: ask the accurate model about the current release's candidates that could pass",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Build, with a bar a stage, and report what was made and what was left out."""
    out = arguments.out or Settings.from_environment().precomputed
    if not arguments.accurate_only:
        _build(arguments, out)
    if arguments.model is None:
        _predict_again(out)
    return 0


def _build(arguments: argparse.Namespace, out: Path) -> None:
    data = reference_data(arguments.data)
    from core.build import build_release
    from core.sources.candidates import candidate_source
    from core.voltage import load_voltage_model

    words = dict.fromkeys(arguments.source or ["reference"])
    sources = [candidate_source(word, data=data, gnome=arguments.gnome) for word in words]
    model = load_voltage_model(arguments.model or "fast")
    with StageBars() as bars:
        report = build_release(data, out, model, sources=sources, progress=bars.update)
    _say(report)


def _predict_again(out: Path) -> None:
    from core.build import predict_again
    from core.voltage import load_voltage_model
    from core.voltage.accuracy import shipped_card

    if shipped_card().name == shipped_card("fast").name:
        return
    model = load_voltage_model()
    with StageBars() as bars:
        release, n_asked = predict_again(out, model, progress=bars.update)
    note(
        f"Release {release.version}: {n_asked} candidates that could pass have their voltages by {model.name}."
    )


def _say(report: "BuildReport") -> None:
    release = report.release
    note(
        f"Release {release.version}, voltages by {release.model_name} ({(release.model_sha256 or '')[:12]}):"
    )
    _say_counts(release.counts)
    for title, reasons in (
        ("Left out", report.skipped_reasons),
        ("Not predicted", report.failed_predictions),
    ):
        if reasons:
            note(f"{title}:")
            _say_counts(reasons)
    if report.carried is not None:
        note("Taken over from the release before:")
        _say_counts({table: count for table, count in report.carried.counts.items() if count})
        for name in report.carried.changed:
            note(f"Kept, but its structure is another one now: {name}")
    for path in report.removed:
        note(f"Deleted {path.name}.")


def _say_counts(counts: dict[str, int]) -> None:
    for what, count in counts.items():
        note(f"  {count:6d} {what}")
