"""`train-voltage` and `evaluate-voltage`: make the voltage model from labelled electrodes, and say how good it is."""

import argparse
from pathlib import Path
from typing import Any

from core.cli.output import StageBars, add_data_option, note, reference_data
from core.settings import Settings

_TRAIN_HELP = """\
Trains a voltage model on the labelled electrodes of all ten ions at once, judges it on random and on unseen-host
splits, calibrates its intervals, and writes weights (safetensors) and card (JSON). Same seed, same weights on CPU.

--kind relaxed-ends (the shipped default): two universal potentials describe each structure, its host without the ions,
and that host relaxed for a few steps (two and a half hours of one core, kept in checkpoints/relaxed-ends/ as it goes),
then ten folds of small networks and trees in both splits (twenty minutes). --kind frozen-host (the fast one): nothing
is relaxed (an hour on two cores, kept in checkpoints/; ten minutes). --kind cgcnn: the paper's graph network.
A stopped run goes on after its last finished fold; with --resume a cgcnn goes on within a fold too.
"""

_EVALUATE_HELP = """\
Prints the error tables of a trained model: mean absolute error by ion with its interval, on the random split and on
unseen hosts, beside the mean baseline and the paper.
"""


def add_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add `train-voltage` and `evaluate-voltage`."""
    raw = argparse.RawDescriptionHelpFormatter
    train = commands.add_parser(
        "train-voltage", help="train the voltage model", description=_TRAIN_HELP, formatter_class=raw
    )
    add_data_option(train)
    train.add_argument(
        "--kind",
        choices=("frozen-host", "relaxed-ends", "cgcnn"),
        default="relaxed-ends",
        help="model (default relaxed-ends)",
    )
    train.add_argument("--name", help="name of the model to write (default: its kind)")
    train.add_argument("--seed", type=int, default=0, help="seed of splits, weights and order (default 0)")
    train.add_argument("--epochs", type=positive, help="passes over the data (default 50, cgcnn 60)")
    train.add_argument("--members", type=positive, help="networks in the ensemble (default 5, cgcnn 3)")
    train.add_argument(
        "--resume", action="store_true", help="go on from the checkpoints of an interrupted run"
    )
    train.add_argument(
        "--calibrate-only", action="store_true",
        help="train nothing: fit the intervals of a trained model anew, from its out-of-fold table",
    )  # fmt: skip
    train.add_argument("--models", type=Path, help="folder for weights and card (default precomputed/models)")
    train.set_defaults(run=run_train)

    evaluate = commands.add_parser(
        "evaluate-voltage",
        help="print a model's error tables",
        description=_EVALUATE_HELP,
        formatter_class=raw,
    )
    add_data_option(evaluate)
    evaluate.add_argument("--name", default="default", help="name of the model (default: the shipped best)")
    evaluate.add_argument(
        "--models", type=Path, help="folder of weights and card (default precomputed/models)"
    )
    evaluate.set_defaults(run=run_evaluate)


def positive(text: str) -> int:
    """Read a whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is below 1")
    return number


def run_train(arguments: argparse.Namespace) -> int:
    """Train, with a bar a stage, and say where the model went."""
    from core.voltage import recalibrate, train_voltage

    settings = Settings.from_environment()
    models = arguments.models or settings.precomputed / "models"
    name = arguments.name or arguments.kind
    if arguments.calibrate_only:
        recalibrate(reference_data(arguments.data), name, models_dir=models)
        note(
            f"Wrote the card {models / name}.json and the out-of-fold table beside it; weights are as they were."
        )
        return 0
    with StageBars() as bars:
        train_voltage(
            reference_data(arguments.data), kind=arguments.kind, name=name, seed=arguments.seed,
            epochs=arguments.epochs, n_members=arguments.members, resume=arguments.resume, models_dir=models,
            progress=bars.update,
        )  # fmt: skip
    note(f"Wrote {models / name}.safetensors and its card {name}.json.")
    note(f"Its errors: python -m core evaluate-voltage --name {name}")
    return 0


def run_evaluate(arguments: argparse.Namespace) -> int:
    """Print the tables."""
    from core.voltage import evaluate_voltage

    print(evaluate_voltage(reference_data(arguments.data), name=arguments.name, models_dir=arguments.models))
    return 0
