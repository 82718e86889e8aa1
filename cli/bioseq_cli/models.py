"""`bioseq models`."""

from __future__ import annotations

import click


@click.group()
def models() -> None:
    """List and show models."""


@models.command(name="list")
def list_() -> None:
    """List the bundled models."""
    from bioseq.checkpoints import DEFAULT_MODEL, bundled_models, load_model

    for name in bundled_models():
        model = load_model(name)
        encoder = model.encoder
        size = sum(p.numel() for p in encoder.parameters()) / 1e6
        mark = "  (default)" if name == DEFAULT_MODEL else ""
        click.echo(
            f"{name}: {model.molecule}, {size:.1f} M parameters, {encoder.num_layers} layers, "
            f"{encoder.dim} dimensions{mark}"
        )


@models.command()
@click.argument("name")
def show(name: str) -> None:
    """Show the model card of a bundled model."""
    from bioseq.checkpoints import bundled_models
    from bioseq.errors import OptionError

    folders = bundled_models()
    if name not in folders:
        raise OptionError("model", name, allowed=folders)
    click.echo((folders[name] / "README.md").read_text(), nl=False)
