"""From files to a store, a table and a picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from bioseq.errors import FormatError, InputError, OptionError, StoreError
from bioseq.prediction.variants import VariantOptions, predict_variants, scan_proteins
from bioseq.store import check_store, content_digest

SEQUENCE = "MKTAYIAKQRQISFVKSHFSRQLEERLG"
MUTATIONS = ["K2A", "K2A:T3C", "A2K", "M1M", "G99A", "nonsense", "K2A", ""]


@pytest.fixture
def wild_type(tmp_path: Path) -> Path:
    path = tmp_path / "wild_type.fasta"
    path.write_text(f">wt of something\n{SEQUENCE.lower()}\n")
    return path


def write_table(path: Path, mutations: list[str], column: str = "mutant") -> Path:
    table = pl.DataFrame({column: mutations, "measured": range(len(mutations))})
    match path.suffix:
        case ".parquet":
            table.write_parquet(path)
        case ".tsv":
            table.write_csv(path, separator="\t")
        case _:
            table.write_csv(path)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
def test_every_variant_of_a_table_has_a_score_or_a_reason(
    language_model: Callable[[str], Path], wild_type: Path, tmp_path: Path, suffix: str
) -> None:
    variants = write_table(tmp_path / f"variants{suffix}", MUTATIONS)
    output, table = tmp_path / "out.h5", tmp_path / f"out{suffix}"
    options = VariantOptions(model=language_model("masked"))
    with predict_variants(wild_type, output, options, variants=variants, table=table) as store:
        assert store.ids == MUTATIONS
        assert store.failures["record"].to_list() == [2, 4, 5, 7]
        scores = store.predictions["masked-marginals"]
        assert scores.attrs["classes"] == []
        assert scores.by_id("M1M") == 0
        assert scores[0] == scores[6]
    assert check_store(output) == []
    separator = "\t" if suffix == ".tsv" else ","
    written = (
        pl.read_parquet(table) if suffix == ".parquet" else pl.read_csv(table, separator=separator)
    )
    assert written["variant"].fill_null("").to_list() == MUTATIONS
    has_score = written["score"].is_not_null().to_list()
    assert has_score == [True, True, False, True, False, False, True, False]
    assert "wt has K at 2, not A" in written["failure"][2]


def test_sequences_of_variants_score_as_their_substitutions(
    language_model: Callable[[str], Path], wild_type: Path, tmp_path: Path
) -> None:
    named = write_table(tmp_path / "variants.csv", ["K2A", "K2A:T3C", "M1M"])
    written = tmp_path / "variants.fasta"
    sequences = ["MATAYIAKQRQISFVKSHFSRQLEERLG", "MACAYIAKQRQISFVKSHFSRQLEERLG", SEQUENCE]
    sequences += [SEQUENCE[:-1], "X" + SEQUENCE[1:], ""]
    written.write_text("".join(f">v{i}\n{s}\n" for i, s in enumerate(sequences)))
    options = VariantOptions(model=language_model("masked"))
    with (
        predict_variants(wild_type, tmp_path / "a.h5", options, variants=named) as a,
        predict_variants(wild_type, tmp_path / "b.h5", options, variants=written) as b,
    ):
        expected = a.predictions["masked-marginals"].to_numpy()
        assert np.array_equal(b.predictions["masked-marginals"][:3], expected)
        reasons = b.failures["reason"].to_list()
    assert [reason.split(";")[0].split(",")[0] for reason in reasons] == [
        "27 residues",
        "the variant has X at 1",
        "empty sequence",
    ]


def test_pseudo_perplexity_also_scores_other_lengths(
    language_model: Callable[[str], Path], wild_type: Path, tmp_path: Path
) -> None:
    variants = tmp_path / "variants.fasta"
    variants.write_text(f">shorter\n{SEQUENCE[3:]}\n>longer\n{SEQUENCE}AAA\n")
    options = VariantOptions(model=language_model("cloze"), strategy="pseudo-perplexity")
    with predict_variants(wild_type, tmp_path / "out.h5", options, variants=variants) as store:
        assert len(store.failures) == 0
        assert np.isfinite(store.predictions["pseudo-perplexity"].to_numpy()).all()


def test_a_scan_has_a_row_for_each_residue_and_a_line_for_each_substitution(
    language_model: Callable[[str], Path], tmp_path: Path
) -> None:
    proteins = tmp_path / "proteins.fasta"
    proteins.write_text(f">a\n{SEQUENCE}\n>empty\n\n>x\nMXK\n>again\n{SEQUENCE}\n")
    options = VariantOptions(model=language_model("masked"), first_residue=5)
    table = tmp_path / "scan.parquet"
    with scan_proteins(proteins, tmp_path / "scan.h5", options, table=table) as store:
        scan = store.predictions["masked-marginals"]
        assert "".join(np.array(scan.attrs["classes"])) == "ACDEFGHIKLMNPQRSTVWY"
        assert np.asarray(scan[0]).shape == (len(SEQUENCE), 20)
        assert np.array_equal(scan[0], scan[3])
        assert store.failures["id"].to_list() == ["empty"]
        first = np.asarray(scan[0])
    assert check_store(tmp_path / "scan.h5") == []
    lines = pl.read_parquet(table)
    of_a = lines.filter(pl.col("id") == "a")
    assert len(of_a) == 19 * len(SEQUENCE)
    line = of_a.filter((pl.col("position") == 6) & (pl.col("mutant") == "C")).row(0, named=True)
    assert (line["wild_type"], line["score"]) == ("K", first[1, 1])
    failed = lines.filter(pl.col("failure").is_not_null())
    assert failed.select("id", "failure").rows() == [("empty", "empty sequence")]
    assert (
        lines.filter((pl.col("id") == "x") & (pl.col("wild_type") == "X"))["score"].is_null().all()
    )


def test_a_killed_run_goes_on_and_ends_the_same(
    language_model: Callable[[str], Path],
    wild_type: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mutations = [f"{a}{place}C" for place, a in enumerate(SEQUENCE, 1)]
    variants = write_table(tmp_path / "variants.csv", mutations)
    options = VariantOptions(model=language_model("masked"), strategy="pseudo-perplexity")
    monkeypatch.setattr("bioseq.prediction.language.job.BLOCK_RECORDS", 5)

    class Kill:
        told = 0

        def begin(self, **_: Any) -> None: ...

        def advance(self, **_: Any) -> None:
            self.told += 1
            if self.told > 3:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict_variants(wild_type, tmp_path / "a.h5", options, variants=variants, progress=Kill())
    parts = list((tmp_path / "a.h5.parts").glob("part-*"))
    assert 0 < len(parts) < 6
    with (
        predict_variants(wild_type, tmp_path / "a.h5", options, variants=variants) as resumed,
        predict_variants(wild_type, tmp_path / "b.h5", options, variants=variants) as whole,
    ):
        assert content_digest(resumed) == content_digest(whole)


def test_a_finished_store_takes_no_further_variants(
    language_model: Callable[[str], Path], wild_type: Path, tmp_path: Path
) -> None:
    options = VariantOptions(model=language_model("masked"))
    variants = write_table(tmp_path / "variants.csv", ["K2A"])
    predict_variants(wild_type, tmp_path / "a.h5", options, variants=variants).close()
    write_table(variants, ["K2A", "K2C"])
    with pytest.raises(StoreError, match=r"record 2: the input goes on.*--overwrite"):
        predict_variants(wild_type, tmp_path / "a.h5", options, variants=variants)


def test_a_picture_is_drawn_of_one_scan(
    language_model: Callable[[str], Path], wild_type: Path, tmp_path: Path
) -> None:
    options = VariantOptions(model=language_model("masked"))
    picture = tmp_path / "scan.png"
    scan_proteins(wild_type, tmp_path / "scan.h5", options, heatmap=picture).close()
    assert picture.read_bytes().startswith(b"\x89PNG")
    two = tmp_path / "two.fasta"
    two.write_text(">a\nMKT\n>b\nMKV\n")
    with pytest.raises(OptionError, match="2 of 2"):
        scan_proteins(two, tmp_path / "two.h5", options, heatmap=picture)


def test_bases_are_scanned_as_residues_are(
    language_model: Callable[[str], Path], tmp_path: Path
) -> None:
    path = tmp_path / "rna.fasta"
    path.write_text(">r\nACGTUTACGNACGU\n")
    options = VariantOptions(model=language_model("rna"))
    with scan_proteins(path, tmp_path / "out.h5", options) as store:
        scan = np.asarray(store.predictions["masked-marginals"][0])
    assert scan.shape == (14, 4)
    assert (scan[[3, 4, 5], 3] == 0).all()  # T reads as U
    assert np.isnan(scan[9]).all()


def test_a_mistake_is_named_in_one_line(
    language_model: Callable[[str], Path], wild_type: Path, tmp_path: Path
) -> None:
    options = VariantOptions(model=language_model("masked"))
    output = tmp_path / "out.h5"
    other = write_table(tmp_path / "other.csv", ["K2A"], column="hgvs")
    with pytest.raises(FormatError, match=r"columns hgvs, measured.*'mutant'.*--column"):
        predict_variants(wild_type, output, options, variants=other)
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(FormatError, match="header line"):
        predict_variants(wild_type, output, options, variants=tmp_path / "empty.csv")
    two = tmp_path / "two.fasta"
    two.write_text(">a\nMKT\n>b\nMKV\n")
    with pytest.raises(InputError, match="2 sequences"):
        predict_variants(two, output, options, variants=other)
    with pytest.raises(OptionError, match="parquet"):
        scan_proteins(wild_type, output, options, table=tmp_path / "table.xlsx")


def test_no_variants_give_an_empty_store(
    language_model: Callable[[str], Path], wild_type: Path, tmp_path: Path
) -> None:
    variants = write_table(tmp_path / "variants.csv", [])
    options = VariantOptions(model=language_model("masked"))
    with predict_variants(wild_type, tmp_path / "out.h5", options, variants=variants) as store:
        assert len(store) == 0
        assert store.predictions["masked-marginals"].dim == 1
    assert check_store(tmp_path / "out.h5") == []
