"""`inside-model`: make the maps that the page "Inside the model" draws."""

import argparse
from typing import Any

from core.cli.output import StageBars, add_data_option, note, reference_data
from core.cli.voltage import positive

_HELP = """\
Makes the maps of the page "Inside the model" and writes them to precomputed/inside.

random: trains a crystal graph network whose 640-bit element vectors are random (20 minutes on two cores, resumed from
its checkpoint when stopped), then maps its element vectors (principal components) and its atoms after the third
convolution (t-SNE). shipped: maps the learned vectors of the default model's electrodes and SevenNet-0's atoms (five
minutes). Same seed, same vectors on CPU.
"""


def add_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add `inside-model`."""
    parser = commands.add_parser(
        "inside-model",
        help="make the maps of what the models learned",
        description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_data_option(parser)
    parser.add_argument("--only", choices=("random", "shipped"), help="make one of the two (default both)")
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of bits, split, weights and maps (default 0)"
    )
    parser.add_argument("--epochs", type=positive, default=28, help="passes over the data (default 28)")
    parser.add_argument("--points", type=positive, default=4000, help="atoms on a map (default 4000)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Make the maps, with a bar a stage, and say what came out."""
    from core.voltage.embedding_maps import make_random_maps, make_shipped_maps

    data = reference_data(arguments.data)
    common = {"seed": arguments.seed, "n_points": arguments.points}
    with StageBars() as bars:
        if arguments.only != "shipped":
            card = make_random_maps(data, epochs=arguments.epochs, progress=bars.update, **common)
            note(f"Random element vectors: test MAE {card['test_mae_v']:.3f} V; {_agreement(card)}")
        if arguments.only != "random":
            card = make_shipped_maps(data, progress=bars.update, **common)
            note(f"Shipped model {card['model']}: {_agreement(card)}")
    return 0


def _agreement(card: dict[str, Any]) -> str:
    parts = [
        f"{name} {row['agreement']:.0%} (chance {row['chance']:.0%})" for name, row in card["atoms"].items()
    ]
    return "neighbours of other elements that share the element class: " + ", ".join(parts)
