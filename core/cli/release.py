"""`verify`, `migrate-release` and `restore-release`: is a release whole, is it of today, and back to another."""

import argparse
from pathlib import Path
from typing import Any

from core.cli.output import note
from core.settings import Settings

_VERIFY_HELP = """\
Compares every file of the folder with the list in its manifest.json: the database, models, potentials, accuracy tables
and what else is there. Prints one line for each file that is missing, changed or not listed; exit status 1 then.
"""
_MIGRATE_HELP = """\
Writes the current release anew in the database schema of this version. Every row is kept, no reference data is needed;
the file before goes to the folder `previous`. A release that is up to date stays as it is.
"""
_RESTORE_HELP = """\
Makes a release of the folder `previous` the current one again; the current one goes there. Models and other files
beside the database stay as they are.
"""


def add_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add `verify`, `migrate-release` and `restore-release`."""
    verify = commands.add_parser(
        "verify", help="check every shipped file against the manifest", description=_VERIFY_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    verify.add_argument(
        "--refresh", action="store_true",
        help="list the files in the manifest as they are now: for whoever changed them and vouches for them",
    )  # fmt: skip
    verify.set_defaults(run=run_verify)
    migrate = commands.add_parser(
        "migrate-release", help="bring a release of an older version up to date", description=_MIGRATE_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    migrate.set_defaults(run=run_migrate)
    restore = commands.add_parser(
        "restore-release", help="go back to the release before", description=_RESTORE_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    restore.add_argument("version", help="its version, as its file is named: release-VERSION.duckdb")
    restore.set_defaults(run=run_restore)
    for parser in (verify, migrate, restore):
        parser.add_argument(
            "--precomputed", type=Path, help="folder of the release (default MGC_PRECOMPUTED, precomputed/)"
        )


def run_verify(arguments: argparse.Namespace) -> int:
    """Print what differs from the manifest, or write the list anew; 1 where something differs."""
    from core.store import differences, list_files

    folder = _folder(arguments)
    if arguments.refresh:
        note(f"{len(list_files(folder).files)} files listed in {folder / 'manifest.json'}.")
        return 0
    off = differences(folder)
    for word, paths in (("missing", off.missing), ("changed", off.changed), ("not listed", off.unlisted)):
        for path in paths:
            print(f"{word}: {path}")
    if not off:
        note(f"All files in {folder} are what the manifest says.")
        return 0
    note(
        f"Restore what was lost (`git checkout -- {folder}`); if the files are meant to be as they are, list them "
        "with `python -m core verify --refresh`."
    )
    return 1


def run_migrate(arguments: argparse.Namespace) -> int:
    """Migrate the release and say what it holds."""
    from core.store.migrate import migrate_release

    release = migrate_release(_folder(arguments))
    if release is None:
        note("The release is up to date.")
        return 0
    note(f"Release {release.version}, database schema {release.schema_version}:")
    for table, count in release.counts.items():
        note(f"  {count:6d} {table}")
    return 0


def run_restore(arguments: argparse.Namespace) -> int:
    """Make a superseded release the current one."""
    from core.store.restore import restore_release

    release = restore_release(_folder(arguments), arguments.version)
    note(f"Release {release.version} is the current one again.")
    return 0


def _folder(arguments: argparse.Namespace) -> Path:
    return arguments.precomputed or Settings.from_environment().precomputed
