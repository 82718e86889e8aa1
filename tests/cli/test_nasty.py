"""Every file of the nasty set through the command."""

from __future__ import annotations

from pathlib import Path

import pytest

from bioseq.io import open_records
from bioseq.store import check_store, open_store

DONE, FAILED, FAILURES = 0, 1, 3

# Model: file: exit status, records, their numbers that fail.
PROTEIN = {
    "biopython/EMBL_epo_prt_selection.embl": (DONE, 9, []),
    "biopython/Fasta_aster_blast.pro": (DONE, 1, []),
    "biopython/Fasta_aster_no_wrap.pro": (DONE, 1, []),
    "biopython/Fasta_f003.fa": (DONE, 2, []),
    "biopython/Fasta_protein_lib.fa": (DONE, 12, []),
    "biopython/GenBank_NC_000932.faa": (DONE, 85, []),
    "biopython/GenBank_blank_seq.gb": (DONE, 1, []),
    "biopython/GenBank_protein_refseq.gb": (DONE, 1, []),
    "biopython/PDB_1A8O.cif": (DONE, 1, []),
    "biopython/PDB_3JQH.cif": (DONE, 1, []),
    "biopython/SeqXML_protein_example.xml": (DONE, 5, []),
    "biopython/Stockholm_cath1.sth": (DONE, 1, []),
    "biopython/Stockholm_funny.sth": (DONE, 6, []),
    "biopython/Stockholm_globins45.ali": (DONE, 45, []),
    "biopython/Stockholm_pfam8.seed.txt": (DONE, 95, []),
    "biopython/SwissProt_Q13639.txt": (DONE, 1, []),
    "biopython/SwissProt_Q13639.xml": (DONE, 1, []),
    "derived_2BEG_trace.pdb": (DONE, 5, []),
    "derived_2XHE_trace_no_seqres.pdb": (DONE, 2, []),
    "derived_bom.fasta": (DONE, 6, []),
    "derived_crlf.fasta": (DONE, 6, []),
    "derived_duplicate_ids.fasta": (DONE, 6, []),
    "derived_empty_file.fasta": (DONE, 0, []),
    "derived_gz_named_plain.fasta": (DONE, 1, []),
    "derived_latin1_header.fasta": (DONE, 1, []),
    "derived_lowercase_mixed.fasta": (DONE, 6, []),
    "derived_multimember.fasta.gz": (DONE, 2, []),
    "derived_no_final_newline.fasta": (DONE, 1, []),
    "derived_star_dash_space.fasta": (DONE, 6, []),
    "derived_utf8_header_tabs.fasta": (DONE, 1, []),
    "msa/esm_UniRef50_E9K9Y4.a3m": (DONE, 17, []),
    "msa/mitos_PF09645_full.stockholm": (DONE, 4, []),
    "msa/openfold_2q2k_A_mgnify.sto": (DONE, 7, []),
    "real_nonstandard_residues.fasta": (DONE, 23, []),
    "titin_Q8WZ42.fasta.gz": (DONE, 1, []),
    "derived_1LCD_trace.pdb": (FAILURES, 3, [0, 1]),
    "derived_empty_records.fasta": (FAILURES, 4, [0, 1, 3]),
    "derived_single_residue.fasta": (FAILURES, 5, [4]),
    "derived_no_header.fasta": (FAILED, "MTTTGL", []),
}
DNA = {
    "biopython/Align_hg38.fa": (DONE, 1, []),
    "biopython/Fasta_dups.fasta": (DONE, 5, []),
    "biopython/Fasta_nucleotide_lib.fa": (DONE, 7, []),
    "biopython/GFF_multi.fna": (DONE, 3, []),
    "biopython/GenBank_cor6_6.gb.bgz": (DONE, 6, []),
    "biopython/Quality_example.fastq": (DONE, 3, []),
    "biopython/Quality_example.fastq.gz": (DONE, 3, []),
    "biopython/Quality_example_dos.fastq": (DONE, 3, []),
    "biopython/Quality_tricky.fastq": (DONE, 4, []),
    "biopython/Quality_wrapping_original_sanger.fastq": (DONE, 3, []),
    "derived_rna_iupac.fasta": (DONE, 2, []),
    "biopython/GenBank_NT_019265.gb": (FAILURES, 1, [0]),
    "biopython/GenBank_bad_origin_wrap.gb": (FAILURES, 1, [0]),
    "biopython/Quality_error_long_qual.fastq": (FAILED, "line 17", []),
    "biopython/Quality_error_trunc_in_seq.fastq": (FAILED, "line 18", []),
}
CASES = [(name, "tiny_lstm", *case) for name, case in PROTEIN.items()]
CASES += [(name, "tiny_dna_kmer", *case) for name, case in DNA.items()]


def test_the_tables_name_every_file_of_the_manifest(data_dir):
    lines = (data_dir / "nasty" / "MANIFEST.tsv").read_text().splitlines()[1:]
    assert sorted(line.split("\t")[0] for line in lines) == sorted([*PROTEIN, *DNA])


@pytest.mark.parametrize(("name", "model", "status", "found", "failed"), CASES)
def test_a_nasty_file_ends_as_it_should(
    name, model, status, found, failed, bioseq, request, data_dir, tmp_path
):
    path, out = data_dir / "nasty" / name, tmp_path / "out.h5"
    done = bioseq("embed", path, "-o", out, "--model", request.getfixturevalue(model))
    assert done.status == status, done.err
    assert "Traceback" not in done.err
    if status == FAILED:
        assert done.err.splitlines()[-1].startswith(f"bioseq: error: {path}")
        assert found in done.err
        assert not out.exists()
        return
    assert check_store(out) == []
    with open_store(out) as store, open_records(path) as records:
        given = [(r.id, r.description, len(r.sequence)) for r in records]
        assert len(store) == len(given) == found
        table = store.records.fill_null(0)
        assert table["id"].to_list() == [i for i, _, _ in given]
        assert table["description"].to_list() == [d for _, d, _ in given]
        assert store.failures["record"].to_list() == failed
        lengths = [0 if number in failed else n for number, (_, _, n) in enumerate(given)]
        assert table["length"].to_list() == lengths


def test_the_whole_set_of_proteins_is_one_input(bioseq, tiny_lstm, data_dir, tmp_path):
    """The files that a model can read, of every format, in one run."""
    names = [name for name, (status, _, _) in PROTEIN.items() if status != FAILED]
    paths: list[Path] = [data_dir / "nasty" / name for name in names]
    done = bioseq("embed", *paths, "-o", tmp_path / "out.h5", "--model", tiny_lstm)
    assert done.status == FAILURES
    with open_store(tmp_path / "out.h5") as store:
        assert len(store) == sum(PROTEIN[name][1] for name in names)
        assert len(store.failures) == sum(len(PROTEIN[name][2]) for name in names)
