"""`build`: make the database release of the explorer again from the reference data."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.output import StageBars, add_data_option, note, reference_data
from core.settings import Settings

if TYPE_CHECKING:
    from core.build import BuildReport

_HELP = """\
Reads the reference data, predicts the voltage of every magnesium candidate with the default model, computes its
capacities and its nearest labelled electrodes, and writes a new release: one database file and manifest.json, which
the explorer reads. The release before is removed once the new one is in place. Nothing is left half done.
"""


def add_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add `build`."""
    parser = commands.add_parser(
        "build",
        help="make the explorer's database from the reference data",
        description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_data_option(parser)
    parser.add_argument("--out", type=Path, help="folder to write (default MGC_PRECOMPUTED, precomputed/)")
    parser.add_argument(
        "--model", default="default", help="voltage model in precomputed/models (default: the best)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Build, with a bar a stage, and report what was made and what was left out."""
    data = reference_data(arguments.data)
    from core.build import build_release
    from core.voltage import load_voltage_model

    model = load_voltage_model(arguments.model)
    with StageBars() as bars:
        report = build_release(
            data, arguments.out or Settings.from_environment().precomputed, model, progress=bars.update
        )
    _say(report)
    return 0


def _say(report: "BuildReport") -> None:
    release = report.release
    note(
        f"Release {release.version}, voltages by {release.model_name} ({(release.model_sha256 or '')[:12]}):"
    )
    for table, count in release.counts.items():
        note(f"  {count:6d} {table}")
    for title, reasons in (
        ("Left out", report.skipped_reasons),
        ("Not predicted", report.failed_predictions),
    ):
        if reasons:
            note(f"{title}:")
        for reason, count in reasons.items():
            note(f"  {count:6d} {reason}")
    for path in report.removed:
        note(f"Removed {path.name}.")
