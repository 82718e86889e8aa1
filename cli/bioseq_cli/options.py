"""The options of an embedding, for every command that embeds or plans to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import fields
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from bioseq.options import ComputeOptions, InputOptions, RowOptions
from bioseq_cli.parameters import CommaList, options_of

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
_INPUT = options_of(InputOptions)
_WINDOWS = options_of(ComputeOptions, "window", "overlap")
_PRECISION = options_of(ComputeOptions, "precision")
_MACHINE = options_of(ComputeOptions, "device", "tokens_per_batch")
_ALIGNMENTS = options_of(RowOptions)
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
    *_PRECISION,
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
    *_PRECISION,
    *_WINDOWS,
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
    from bioseq.embedding import EmbedOptions

    context = click.get_current_context()
    machine = ("device", "tokens_per_batch")
    names = {field.name for field in fields(EmbedOptions)}.difference(machine, except_for)
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if parameter.name in names and source is ParameterSource.COMMANDLINE:
            yield parameter.opts[0]
