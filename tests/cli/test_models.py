"""`bioseq models`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bioseq.checkpoints import verify as module


def test_the_list_names_every_model_and_needs_no_torch() -> None:
    code = (
        "import sys; from bioseq_cli.main import cli; "
        "cli.main(['models', 'list'], standalone_mode=False); sys.exit('torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    lines = run.stdout.splitlines()
    assert lines[0].split() == (
        ["name", "family", "parameters", "dim", "layers", "reads", "limit", "licence", "weights"]
    )
    rows = {line.split()[0]: line.split() for line in lines[1:]}
    assert rows["protein-lstm"][-1] == "bundled"
    assert {"esm2-15b", "prott5-xl", "unirep-1900", "dnabert2", "nt-v2-500m"} <= set(rows)


def test_the_list_can_leave_out_what_is_not_at_hand(bioseq) -> None:
    outcome = bioseq("models", "list", "--here")
    assert "protein-lstm" in outcome.out
    assert "rna-fm" not in outcome.out


def test_a_model_is_shown_with_its_source(bioseq) -> None:
    outcome = bioseq("models", "show", "prott5")
    assert outcome.status == 0
    assert "Rostlab/prot_t5_xl_half_uniref50-enc" in outcome.out
    assert "AFL-3.0" in outcome.out


def test_a_bundled_model_is_shown_with_its_card(bioseq) -> None:
    assert "# protein-lstm" in bioseq("models", "show", "protein-lstm").out


def test_a_wrong_name_gets_the_nearest_ones(bioseq) -> None:
    for arguments in (("models", "show"), ("models", "verify"), ("models", "fetch")):
        outcome = bioseq(*arguments, "protien-lstm")
        assert outcome.status == 1
        assert "did you mean protein-lstm" in outcome.err
        assert outcome.err.count("\n") == 1


def test_embedding_with_a_wrong_name_gets_the_nearest_ones(bioseq, tmp_path: Path) -> None:
    (tmp_path / "in.fasta").write_text(">a\nMKV\n")
    arguments = ("embed", tmp_path / "in.fasta", "-o", tmp_path / "out.h5", "--model", "esm2-8mm")
    outcome = bioseq(*arguments)
    assert outcome.status == 1
    assert "did you mean esm2-8m" in outcome.err


def test_what_is_at_hand_needs_no_fetching(bioseq) -> None:
    outcome = bioseq("models", "fetch", "protein-lstm")
    assert outcome.status == 0
    assert "sha256" in outcome.out


def test_a_model_is_verified(bioseq) -> None:
    outcome = bioseq("models", "verify", "protein-lstm")
    assert outcome.status == 0
    assert "ok        recorded values" in outcome.out


def test_a_model_that_fails_ends_with_status_1(bioseq, monkeypatch) -> None:
    monkeypatch.setattr(module, "_BATCH_BOUND", -1.0)
    outcome = bioseq("models", "verify", "protein-lstm")
    assert outcome.status == 1
    assert "FAILED    alone or in a batch" in outcome.out


def test_a_one_hot_code_is_a_model_without_files(bioseq) -> None:
    outcome = bioseq("models", "show", "one-hot-protein")
    assert outcome.status == 0
    assert "none needed" in outcome.out
    assert "none needed" in bioseq("models", "fetch", "one-hot-protein").out
    assert bioseq("models", "verify", "one-hot-dna").status == 0
