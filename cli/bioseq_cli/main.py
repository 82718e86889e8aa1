"""Entry point: the command group, and one line for every mistake of a user."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import click

import bioseq
from bioseq.errors import BioseqError
from bioseq_cli.embed import embed
from bioseq_cli.evaluate import evaluate
from bioseq_cli.models import models
from bioseq_cli.plan import plan
from bioseq_cli.predict import predict
from bioseq_cli.run import run
from bioseq_cli.store import store
from bioseq_cli.train import train

EXIT_ERROR = 1
EXIT_INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(bioseq.__version__, prog_name="bioseq")
def cli() -> None:
    """Turn protein and nucleotide sequences into vectors.

    Exit status: 0 all done; 1 an error, said in one line; 3 done, but some records have no result
    (they are listed in the output's failures); 130 interrupted.
    """


for command in (embed, predict, train, evaluate, models, store, plan, run):
    cli.add_command(command)


def main() -> None:
    """Runs the command line."""
    # oneDNN keeps the kernels of the last 1,024 shapes it met, 1 MB and more for each; sequences
    # come in all lengths, so they are hardly ever used again. In a training run that was 4 GB.
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "16")
    try:
        cli.main(prog_name="bioseq", standalone_mode=False)
    except BioseqError as error:
        _fail(str(error))
    except click.exceptions.Abort:
        click.echo("bioseq: interrupted; the same command goes on where it stopped", err=True)
        sys.exit(EXIT_INTERRUPTED)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(EXIT_ERROR)
    except click.ClickException as error:
        _fail(error.format_message())
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _fail(f"{place}{error.strerror or error}")
    except MemoryError as error:
        _fail(f"not enough memory: {error}")


def _fail(message: str) -> NoReturn:
    click.echo(f"bioseq: error: {' '.join(message.split())}", err=True)
    sys.exit(EXIT_ERROR)
