"""The options of an embedding, for every command that embeds or plans to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from bioseq_cli.parameters import CommaList

if TYPE_CHECKING:
    from bioseq.embedding import EmbedOptions

Command = TypeVar("Command", bound=Callable[..., Any])

inputs_argument = click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
store_option = click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="HDF5 store to write.",
)
_INPUT = (
    click.option(
        "--molecule",
        type=click.Choice(["protein", "dna", "rna"]),
        help="What the input is.  [default: what it says or looks like]",
    ),
    click.option("--format", help="Format of the input.  [default: recognised]"),
)
_PRECISION = click.option(
    "--precision",
    type=click.Choice(["float32", "bfloat16", "float16"]),
    default="float32",
    show_default=True,
    help="Number format of the computation.",
)
_WINDOWS = (
    click.option(
        "--window",
        type=click.IntRange(min=1),
        help="Tokens at a time beyond an attention encoder's limit.  [default: the limit]",
    ),
    click.option(
        "--overlap",
        type=click.IntRange(min=0),
        help="Tokens that windows share.  [default: a quarter]",
    ),
)
_EMBEDDING = (
    click.option(
        "--model",
        help="Name (bioseq models list), OWNER/NAME[@REVISION] on the hub, folder or file.  "
        "[default: protein-lstm]",
    ),
    click.option(
        "--pool",
        type=CommaList(str, "pooling"),
        default="mean",
        show_default=True,
        help="Per sequence: mean, max, std, cls, last, mean_tokens, cell; several with commas, or "
        "'none'.",
    ),
    click.option("--per-residue", is_flag=True, help="Also one vector per residue."),
    click.option(
        "--layers",
        type=CommaList(int, "layer"),
        default="-1",
        show_default=True,
        help="Layers, from 0 (the embedded input) or counted from the last (-1); several with "
        "commas.",
    ),
    _PRECISION,
    click.option(
        "--save-as",
        type=click.Choice(["float32", "float16"]),
        default="float32",
        show_default=True,
        help="Number format in the store.",
    ),
    *_WINDOWS,
    *_INPUT,
)
_LANGUAGE = (
    click.option("--model", help="With a language-model head.  [default: protein-lstm]"),
    _PRECISION,
    *_WINDOWS,
)
_EMBEDDING_NAMES = frozenset(
    (
        "model",
        "pool",
        "per_residue",
        "layers",
        "precision",
        "save_as",
        "window",
        "overlap",
        "molecule",
        "format",
    )
)
_ALIGNMENTS = (
    click.option(
        "--max-depth",
        type=click.IntRange(min=1),
        help="Most rows of an alignment to use.  [default: what suits the model]",
    ),
    click.option(
        "--subsample",
        type=click.Choice(["first", "random", "diverse"]),
        default="diverse",
        show_default=True,
        help="How rows of a deeper alignment are chosen.",
    ),
    click.option("--seed", type=int, default=0, show_default=True, help="Of the random choice."),
)
_ALIGNMENT_NAMES = frozenset(("pair", "max_depth", "subsample", "seed"))
_MACHINE = (
    click.option(
        "--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, mps."
    ),
    click.option(
        "--tokens-per-batch",
        type=click.IntRange(min=1),
        help="Tokens at a time; changes no result.  [default: from the machine's memory]",
    ),
)


def embedding_options(command: Command) -> Command:
    """Adds the options that decide what an embedding gives."""
    return reduce(lambda found, option: option(found), reversed(_EMBEDDING), command)


def language_options(command: Command) -> Command:
    """Adds the options that say which language model is asked, and how it reads."""
    return reduce(lambda found, option: option(found), reversed(_LANGUAGE), command)


def alignment_options(command: Command) -> Command:
    """Adds the options that say which rows of an alignment are used."""
    return reduce(lambda found, option: option(found), reversed(_ALIGNMENTS), command)


def input_options(command: Command) -> Command:
    """Adds the options that say what the input is."""
    return reduce(lambda found, option: option(found), reversed(_INPUT), command)


def machine_options(command: Command) -> Command:
    """Adds the options that decide where and in what portions it is computed."""
    return reduce(lambda found, option: option(found), reversed(_MACHINE), command)


def options_from(values: dict[str, Any]) -> EmbedOptions:
    """Makes the library's options of the command's."""
    from bioseq.embedding import EmbedOptions

    given = {name: value for name, value in values.items() if value is not None}
    if given.get("pool") == ["none"]:
        given["pool"] = []
    return EmbedOptions(**given)


def given_settings(*, except_for: Collection[str] = ()) -> Iterator[str]:
    """Names the options that were given and change what comes out, as the user writes them."""
    context = click.get_current_context()
    names = (_EMBEDDING_NAMES | _ALIGNMENT_NAMES).difference(except_for)
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if parameter.name in names and source is ParameterSource.COMMANDLINE:
            yield parameter.opts[0]
