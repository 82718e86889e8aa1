"""Every file of the nasty set, with what it must give."""

from __future__ import annotations

from pathlib import Path

import pytest

from bioseq.errors import FormatError
from bioseq.io import open_records

ECOLI = "tr|A0A385XJN2|A0A385XJN2_ECOLI"

# file: format, compression, number of records, first id, first length, total length, first molecule
GOOD = {
    "biopython/Align_hg38.fa": (
        "fasta",
        None,
        1,
        "chr1:155814700-155814900",
        200,
        200,
        None,
    ),
    "biopython/EMBL_epo_prt_selection.embl": (
        "embl",
        None,
        9,
        "A00022.1",
        14,
        1435,
        "protein",
    ),
    "biopython/Fasta_aster_blast.pro": (
        "fasta",
        None,
        1,
        "gi|3298468|dbj|BAA31520.1|",
        107,
        107,
        None,
    ),
    "biopython/Fasta_aster_no_wrap.pro": (
        "fasta",
        None,
        1,
        "gi|3298468|dbj|BAA31520.1|",
        107,
        107,
        None,
    ),
    "biopython/Fasta_dups.fasta": ("fasta", None, 5, "alpha", 5, 24, None),
    "biopython/Fasta_f003.fa": ("fasta", None, 2, "gi|3318709|pdb|1A91|", 79, 112, None),
    "biopython/Fasta_nucleotide_lib.fa": ("fasta", None, 7, "pGT875", 1125, 17344, None),
    "biopython/Fasta_protein_lib.fa": ("fasta", None, 12, "sp|P00193|FER_PEPAS", 54, 2267, None),
    "biopython/GFF_multi.fna": ("fasta", None, 3, "test1", 8, 24, None),
    "biopython/GenBank_NC_000932.faa": (
        "fasta",
        None,
        85,
        "gi|7525080|ref|NP_051037.1|",
        123,
        26409,
        None,
    ),
    "biopython/GenBank_NT_019265.gb": ("genbank", None, 1, "NT_019265.6", 0, 0, "dna"),
    "biopython/GenBank_bad_origin_wrap.gb": ("genbank", None, 1, "XX_123456.1", 0, 0, "dna"),
    "biopython/GenBank_blank_seq.gb": ("genbank", None, 1, "NP_001832.1", 360, 360, "protein"),
    "biopython/GenBank_cor6_6.gb.bgz": ("genbank", "gzip", 6, "X55053.1", 513, 2819, "rna"),
    "biopython/GenBank_protein_refseq.gb": (
        "genbank",
        None,
        1,
        "NP_034640.1",
        182,
        182,
        "protein",
    ),
    "biopython/PDB_1A8O.cif": ("mmcif", None, 1, "1A8O:A", 70, 70, "protein"),
    "biopython/PDB_3JQH.cif": ("mmcif", None, 1, "3JQH:A", 167, 167, "protein"),
    "biopython/Quality_example.fastq": (
        "fastq",
        None,
        3,
        "EAS54_6_R1_2_1_413_324",
        25,
        75,
        None,
    ),
    "biopython/Quality_example.fastq.gz": (
        "fastq",
        "gzip",
        3,
        "EAS54_6_R1_2_1_413_324",
        25,
        75,
        None,
    ),
    "biopython/Quality_example_dos.fastq": (
        "fastq",
        None,
        3,
        "EAS54_6_R1_2_1_413_324",
        25,
        75,
        None,
    ),
    "biopython/Quality_tricky.fastq": (
        "fastq",
        None,
        4,
        "071113_EAS56_0053:1:1:998:236",
        36,
        144,
        None,
    ),
    "biopython/Quality_wrapping_original_sanger.fastq": (
        "fastq",
        None,
        3,
        "SRR014849.50939",
        135,
        410,
        None,
    ),
    "biopython/SeqXML_protein_example.xml": (
        "seqxml",
        None,
        5,
        "ENSMUSP00000099904",
        412,
        505,
        "protein",
    ),
    "biopython/Stockholm_cath1.sth": ("stockholm", None, 1, "L7MZX4/382-398", 17, 17, None),
    "biopython/Stockholm_funny.sth": ("stockholm", None, 6, "O83071/192-246", 37, 216, None),
    "biopython/Stockholm_globins45.ali": ("stockholm", None, 45, "MYG_ESCGI", 153, 6519, None),
    "biopython/Stockholm_pfam8.seed.txt": (
        "stockholm",
        None,
        95,
        "CCNB3_CAEEL/115-241",
        127,
        12197,
        None,
    ),
    "biopython/SwissProt_Q13639.txt": ("swiss", None, 1, "Q13639", 388, 388, "protein"),
    "biopython/SwissProt_Q13639.xml": ("uniprot-xml", None, 1, "Q13639", 388, 388, "protein"),
    "derived_1LCD_trace.pdb": ("pdb", None, 3, "1LCD:B", 11, 73, "dna"),
    "derived_2BEG_trace.pdb": ("pdb", None, 5, "2BEG:A", 42, 210, "protein"),
    "derived_2XHE_trace_no_seqres.pdb": ("pdb", None, 2, "2XHE:A", 617, 877, "protein"),
    "derived_bom.fasta": ("fasta", None, 6, ECOLI, 86, 1677, None),
    "derived_crlf.fasta": ("fasta", None, 6, ECOLI, 86, 1677, None),
    "derived_duplicate_ids.fasta": ("fasta", None, 6, "dup", 86, 1677, None),
    "derived_empty_file.fasta": ("empty", None, 0, None, None, 0, None),
    "derived_empty_records.fasta": ("fasta", None, 4, "a", 0, 86, None),
    "derived_gz_named_plain.fasta": ("fasta", "gzip", 1, ECOLI, 86, 86, None),
    "derived_latin1_header.fasta": ("fasta", None, 1, "protéine", 86, 86, None),
    "derived_lowercase_mixed.fasta": ("fasta", None, 6, ECOLI, 86, 1677, None),
    "derived_multimember.fasta.gz": ("fasta", "gzip", 2, ECOLI, 86, 474, None),
    "derived_no_final_newline.fasta": ("fasta", None, 1, ECOLI, 86, 86, None),
    "derived_rna_iupac.fasta": ("fasta", None, 2, "rna", 14, 26, None),
    "derived_single_residue.fasta": ("fasta", None, 5, "one", 1, 35, None),
    "derived_star_dash_space.fasta": ("fasta", None, 6, ECOLI, 88, 1689, None),
    "derived_utf8_header_tabs.fasta": ("fasta", None, 1, "蛋白|\u03b1", 86, 86, None),
    "msa/esm_UniRef50_E9K9Y4.a3m": ("a3m", None, 17, "UniRef50_E9K9Y4", 98, 1444, None),
    "msa/mitos_PF09645_full.stockholm": (
        "stockholm",
        None,
        4,
        "C3N734_SULIY/1-95",
        95,
        372,
        None,
    ),
    "msa/openfold_2q2k_A_mgnify.sto": ("stockholm", None, 7, "query", 70, 314, None),
    "real_nonstandard_residues.fasta": ("fasta", None, 23, "P39901", 65, 10763, None),
    "titin_Q8WZ42.fasta.gz": ("fasta", "gzip", 1, "sp|Q8WZ42|TITIN_HUMAN", 34350, 34350, None),
}

# file: line, what is found there
BAD = {
    "biopython/Quality_error_long_qual.fastq": (
        17,
        "Lengths of sequence and quality values differs for "
        "SLXA-B3_649_FC8437_R1_1_1_362_549 (25 and 26).",
    ),
    "biopython/Quality_error_trunc_in_seq.fastq": (18, "End of file without quality information."),
    "derived_no_header.fasta": (
        None,
        "text that starts with 'MTTTGLRPRLNVRQRKDTGYLPHSSPFSLQFRPAILYSDG'",
    ),
}


@pytest.fixture
def nasty_dir(data_dir: Path) -> Path:
    return data_dir / "nasty"


def test_the_tables_name_every_file_of_the_manifest(nasty_dir: Path) -> None:
    lines = (nasty_dir / "MANIFEST.tsv").read_text().splitlines()[1:]
    assert sorted(line.split("\t")[0] for line in lines) == sorted([*GOOD, *BAD])


@pytest.mark.parametrize("name", GOOD)
def test_a_nasty_file_gives_its_records(name: str, nasty_dir: Path) -> None:
    with open_records(nasty_dir / name) as reader:
        records = list(reader)
    first = records[0] if records else None
    found = (
        reader.format,
        reader.compression,
        len(records),
        first.id if first else None,
        len(first.sequence) if first else None,
        sum(len(record.sequence) for record in records),
        first.molecule if first else None,
    )
    assert found == GOOD[name]


@pytest.mark.parametrize("name", BAD)
def test_a_damaged_nasty_file_says_where_and_what(name: str, nasty_dir: Path) -> None:
    line, found = BAD[name]
    with pytest.raises(FormatError) as caught, open_records(nasty_dir / name) as reader:
        list(reader)
    assert (caught.value.path, caught.value.line) == (str(nasty_dir / name), line)
    assert caught.value.found == found


def test_line_ends_and_a_byte_order_mark_change_nothing(nasty_dir: Path) -> None:
    crlf, bom = (list(open_records(nasty_dir / f"derived_{n}.fasta")) for n in ("crlf", "bom"))
    assert crlf == bom


def test_gaps_stops_and_digits_stay_and_blanks_go(nasty_dir: Path) -> None:
    with open_records(nasty_dir / "derived_star_dash_space.fasta") as reader:
        sequence = next(reader).sequence
    assert sequence.startswith("MTTTGLRPRLNVRQRKDTGYLPHSSPFSLQFRPAILYSDG")
    assert sequence.endswith("DKIHTPRI-VPQKLERTPSDTSRSRGCHCFYAGWL*")
    with open_records(nasty_dir / "derived_single_residue.fasta") as reader:
        assert [record.sequence for record in reader][-1] == "1MKVL5"
