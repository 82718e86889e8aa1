"""What a run that asks a language model tells of its progress, and of the origin of its records."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bioseq.prediction.likelihood import LikelihoodOptions, predict_likelihood
from bioseq.prediction.variants import VariantOptions, predict_variants, scan_proteins
from bioseq.store import Store
from tests.embedding.inputs import Told

SEQUENCE = "MKTAYIAKQRQISFVKSHFSRQLEERLG"
MUTANTS = [SEQUENCE[:place] + "C" + SEQUENCE[place + 1 :] for place in range(len(SEQUENCE))]
Kind = Callable[[str], Path]


def write(path: Path, sequences: list[str]) -> Path:
    path.write_text("".join(f">s{n}\n{s}\n" for n, s in enumerate(sequences)))
    return path


def likelihood(folder: Path, model: Path, progress: Told) -> Store:
    fasta = write(folder / "in.fasta", MUTANTS)
    options = LikelihoodOptions(model=model)
    return predict_likelihood(fasta, folder / "out.h5", options, progress=progress)


def scan(folder: Path, model: Path, progress: Told) -> Store:
    fasta = write(folder / "in.fasta", MUTANTS[:6])
    return scan_proteins(fasta, folder / "out.h5", VariantOptions(model=model), progress=progress)


def variants_in_a_file(folder: Path, model: Path, progress: Told) -> Store:
    fasta = write(folder / "in.fasta", MUTANTS)
    return predict_variants(
        write(folder / "wt.fasta", [SEQUENCE]),
        folder / "out.h5",
        VariantOptions(model=model),
        variants=fasta,
        progress=progress,
    )


def variants_in_a_table(folder: Path, model: Path, progress: Told) -> Store:
    table = folder / "in.csv"
    names = [f"{residue}{place}C" for place, residue in enumerate(SEQUENCE, 1)]
    table.write_text("\n".join(["mutant", *names]) + "\n")
    return predict_variants(
        write(folder / "wt.fasta", [SEQUENCE]),
        folder / "out.h5",
        VariantOptions(model=model, strategy="pseudo-perplexity"),
        variants=table,
        progress=progress,
    )


@pytest.mark.parametrize("run", [likelihood, scan, variants_in_a_file, variants_in_a_table])
def test_progress_rises_to_the_end(
    run: Callable[..., Store],
    language_model: Kind,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bioseq.prediction.language.job.BLOCK_RECORDS", 2)
    told = Told()
    with run(tmp_path, language_model("masked"), told) as store:
        inputs: Any = store.provenance["inputs"]
        assert [file["name"].split(".")[0] for file in inputs] == ["in"]
        assert store.provenance["molecule"] == "protein"
    assert (told.done_records, told.is_finished) == (0, False)
    assert told.fractions == sorted(told.fractions)
    assert told.fractions[-1] == pytest.approx(1)
    again = Told()
    run(tmp_path, language_model("masked"), again).close()
    assert again.is_finished
    assert again.fractions == []
