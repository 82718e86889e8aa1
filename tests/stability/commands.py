"""The commands whose results are to stay what they are, and the files that they read.

Every command is run in one common folder, by the command line alone, and writes into a folder that
is called after it. What earlier commands wrote, later ones may read. `IN` holds the inputs.
"""

from __future__ import annotations

import gzip
import random
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data"
TEST_DATA = ROOT / "tests" / "data"
OWN_DATA = Path(__file__).parent / "data"

# The main directions of the few one-hot columns are all directions there are: what lies outside of
# them is rounding, and it is divided by rounding.
ONE_HOT_TYPICALITY = r"(splice|promoter|toy)-typicality( numbers|/values)|typicality\.directions"

ROUNDING = 1e-4
HALF = 1e-2
TRAINED = 5e-2


@dataclass(frozen=True)
class Command:
    """Some runs of the command line that belong together.

    Attributes:
        name: Of the command and of its folder.
        lines: Arguments, separated by blanks; `@` stands for the command's folder.
        needs: Commands that have to be run before.
        statuses: Exit statuses; all 0 by default.
        rtol: How far numbers may be off on another machine, of their root mean square.
        local_digests: Whether digests in its files are of numbers that were computed on this
            machine (weights that it trained, vectors), so that elsewhere they are others.
        noise: Pattern of items whose numbers are nothing but rounding, blown up: elsewhere only
            their shape is compared.
        says: Whether what it says is recorded.
        folders: What it writes beside its own folder.
    """

    name: str
    lines: tuple[str, ...]
    needs: tuple[str, ...] = ()
    statuses: tuple[int, ...] = ()
    rtol: float = ROUNDING
    local_digests: bool = False
    noise: str = ""
    says: bool = True
    folders: tuple[str, ...] = ()

    @property
    def expected(self) -> tuple[int, ...]:
        """The exit status of each line."""
        return self.statuses or (0,) * len(self.lines)


def command(name: str, *lines: str, **fields: Any) -> Command:
    """Makes a command of its lines."""
    return Command(name, lines, **fields)


_TASKS = ("disorder", "localization", "signal-peptide", "solubility", "topology")
_LAYOUTS = {
    "parquet": "parquet",
    "npy": "npy",
    "npz": "npz",
    "uniprot": "h5",
    "bio_embeddings": "h5",
    "anndata": "h5ad",
}
_EXPORTS = " ".join(f"--export @/out.{x}" for x in ("fasta", "csv", "tsv", "parquet", "gff3"))

COMMANDS = (
    # Embedding.
    command("embed-default", "embed IN/example.fasta -o @/out.h5"),
    command(
        "embed-mixed",
        "embed IN/mixed.fasta IN/few.gb -o @/out.h5 --pool mean,max,std,cls,last --layers 0,1,-1 "
        "--per-residue --tokens-per-batch 300",
        statuses=(3,),
    ),
    command("embed-float16", "embed IN/few.fasta -o @/out.h5 --per-residue --save-as float16"),
    command(
        "embed-bfloat16",
        "embed IN/few.fasta -o @/out.h5 --precision bfloat16 --model protein-transformer",
        rtol=HALF,
    ),
    command(
        "embed-transformer",
        "embed IN/mixed.fasta -o @/out.h5 --model protein-transformer --layers 0,2,-1 "
        "--pool mean,max,std,cls,last,mean_tokens",
        statuses=(3,),
    ),
    command(
        "embed-windows",
        "embed IN/few.fasta IN/long.fasta -o @/out.h5 --model protein-transformer --window 96 "
        "--overlap 16 --per-residue",
        "embed IN/long.fasta -o @/limit.h5 --model protein-transformer --pool mean,max",
    ),
    command(
        "embed-streams",
        "embed IN/long.fasta IN/few.fasta -o @/out.h5 --tokens-per-batch 256 --pool mean,last,max "
        "--layers 1,2",
    ),
    command(
        "embed-kmers",
        "embed IN/dna.fasta -o @/out.h5 --model IN/dna-kmer --molecule dna --per-residue "
        "--pool mean,std --layers 1,2",
    ),
    command(
        "embed-unirep",
        "embed IN/few.fasta -o @/out.h5 --model unirep-64 --pool mean_tokens,last,cell,mean",
    ),
    command(
        "embed-msa",
        "embed IN/families -o @/out.h5 --model IN/msa/tiny.pt --pair --per-residue --layers 1,3",
        "embed IN/families -o @/first.h5 --model IN/msa/tiny.pt --max-depth 5 --subsample first",
        "embed IN/families -o @/random.h5 --model IN/msa/tiny.pt --max-depth 5 --subsample random "
        "--seed 3",
        statuses=(3, 3, 3),
    ),
    # Predictions.
    command(
        "predict-secondary-structure",
        f"predict secondary-structure IN/mixed.fasta -o @/out.h5 {_EXPORTS}",
        statuses=(3,),
    ),
    command(
        "predict-tasks",
        *(f"predict {task} IN/few.fasta -o @/{task}.h5 --export @/{task}.csv" for task in _TASKS),
    ),
    command("predict-all", f"predict all IN/few.fasta -o @/out.h5 {_EXPORTS}"),
    command(
        "predict-all-dna",
        "predict all IN/promoter.fasta -o @/out.h5 --export @/out.csv --molecule dna",
        noise=ONE_HOT_TYPICALITY,
    ),
    command(
        "predict-promoter",
        "predict promoter IN/lambda.fasta -o @/out.h5 --export @/out.tsv",
        noise=ONE_HOT_TYPICALITY,
    ),
    command(
        "predict-splice",
        "predict splice IN/splice.fasta -o @/out.h5 --export @/out.csv",
        noise=ONE_HOT_TYPICALITY,
    ),
    command(
        "predict-alignments",
        "predict all IN/families -o @/out.h5 --export @/out.csv --alignments --max-depth 8",
        statuses=(3,),
    ),
    command(
        "predict-contacts",
        "predict contacts IN/families -o @/axial.h5 --picture @/pictures",
        "predict contacts IN/families -o @/mfdca.h5 --model mfdca --save-as float16",
        "predict contacts IN/families -o @/mi.h5 --model mi --max-depth 20 "
        "--subsample random --seed 2",
        "predict contacts IN/families -o @/msa.h5 --model IN/msa/tiny.pt",
        statuses=(3, 3, 3, 3),
    ),
    command(
        "predict-variants",
        "predict variants IN/wild-type.fasta --variants IN/variants.csv -o @/table.h5 "
        "--table @/table.csv --model protein-transformer",
        "predict variants IN/few.fasta -o @/scan.h5 --table @/scan.parquet",
        "predict variants IN/wild-type.fasta -o @/heat.h5 --heatmap @/heat.png --model "
        "protein-transformer --strategy wild-type-marginals --table @/heat.tsv --first-residue 11",
        "predict variants IN/wild-type.fasta --variants IN/variants.fasta -o @/sequences.h5 "
        "--strategy pseudo-perplexity",
        "predict variants IN/wild-type.fasta --variants IN/variants.csv -o @/unirep.h5 "
        "--model unirep-64 --table @/unirep.csv",
        statuses=(3, 0, 0, 0, 3),
    ),
    command(
        "predict-likelihood",
        "predict likelihood IN/mixed.fasta -o @/out.h5 --table @/out.csv --distribution",
        "predict likelihood IN/few.fasta -o @/masked.h5 --table @/masked.tsv "
        "--model protein-transformer --window 40",
        "predict likelihood IN/few.fasta -o @/unirep.h5 --table @/unirep.parquet --model unirep-64",
        "predict likelihood IN/dna.fasta -o @/kmers.h5 --model IN/dna-kmer --molecule dna "
        "--strategy wild-type-marginals",
        statuses=(3, 0, 0, 0),
    ),
    command(
        "predict-nearest",
        "predict nearest IN/queries.fasta --store embed-default/out.h5 --labels IN/labels.csv "
        "--column place -o @/classes.h5 --export @/classes.csv",
        "predict nearest IN/queries.fasta --store embed-default/out.h5 --labels IN/labels.csv "
        "--column heat --neighbours 3 --metric cosine -o @/value.h5 --export @/value.tsv "
        "--where set=a",
        needs=("embed-default",),
        statuses=(3, 3),
        local_digests=True,
    ),
    command(
        "predict-structure-esmfold",
        "predict structure IN/tiny.fasta -o @/out.h5 --model IN/esmfold --mmcif @/cif --pdb @/pdb "
        "--passes 2",
        statuses=(3,),
    ),
    command(
        "predict-structure-alphafold",
        "predict structure IN/families/short.a3m -o @/out.h5 --model IN/alphafold.npz --pdb @/pdb "
        "--passes 2 --seed 1",
        "predict structure IN/tiny.fasta -o @/templates.h5 --model IN/alphafold.npz --passes 1 "
        "--templates IN/1A8O.cif --no-distogram --max-extra 16",
        statuses=(0, 3),
        rtol=1e-3,
    ),
    # Shards.
    command(
        "plan-embed",
        "plan IN/mixed.fasta IN/few.fasta -o @/plan.parquet --shards 2 --rate 1e9 --pool mean,max "
        "--per-residue",
        "embed --plan @/plan.parquet --shard 1 -o @/shards/shard-00001.h5",
        "embed --plan @/plan.parquet --shard 2 -o @/shards/shard-00002.h5",
        "store merge @/shards --plan @/plan.parquet -o @/all.h5",
        statuses=(0, 3, 0, 0),
    ),
    command(
        "plan-predict",
        "plan IN/mixed.fasta IN/few.fasta -o @/plan.parquet --shards 2 --rate 1e9 --task disorder",
        "predict disorder --plan @/plan.parquet --shard 1 -o @/shards/shard-00001.h5",
        "predict disorder --plan @/plan.parquet --shard 2 -o @/shards/shard-00002.h5",
        "store merge @/shards --plan @/plan.parquet -o @/all.h5",
        statuses=(0, 3, 0, 0),
    ),
    # Stores.
    command(
        "store-merge",
        "embed IN/few.fasta -o @/a.h5",
        "embed IN/mixed.fasta -o @/b.h5",
        "store merge @/a.h5 @/b.h5 -o @/all.h5",
        statuses=(0, 3, 0),
    ),
    command(
        "store-export",
        *(
            f"store export embed-default/out.h5 -o @/{layout}.{suffix} --layout {layout}"
            for layout, suffix in _LAYOUTS.items()
        ),
        *(
            f"store export embed-float16/out.h5 -o @/residue-{layout}.{_LAYOUTS[layout]} "
            f"--layout {layout} --name residue"
            for layout in ("npz", "uniprot", "bio_embeddings")
        ),
        "store export predict-all/out.h5 -o @/predictions.parquet --layout parquet "
        "--name predictions/localization",
        needs=("embed-default", "embed-float16", "predict-all"),
    ),
    command(
        "store-import",
        "store import store-export/uniprot.h5 -o @/uniprot.h5",
        "store import store-export/uniprot.h5 -o @/named.h5 --name mean "
        "--sequences IN/example.fasta",
        "store import store-export/bio_embeddings.h5 -o @/bio_embeddings.h5",
        "store import store-export/residue-uniprot.h5 -o @/residue.h5 --sequences IN/few.fasta",
        needs=("store-export",),
    ),
    command(
        "store-look",
        "store info embed-default/out.h5",
        "store info embed-mixed/out.h5 --json",
        "store info predict-contacts/axial.h5",
        "store check embed-mixed/out.h5",
        "store failures embed-mixed/out.h5",
        "store info IN/store-v1.h5",
        "store check IN/store-v1.h5",
        "store check IN/store-v2.h5",
        "store export IN/store-v1.h5 -o @/v1.npz --layout npz --name mean",
        needs=("embed-default", "embed-mixed", "predict-contacts"),
    ),
    # Models.
    command(
        "models",
        "models list",
        "models show protein-lstm",
        "models show esm2-650m",
        "models fetch protein-lstm",
        "models verify protein-lstm",
        "models verify IN/dna-kmer",
    ),
    # Judging and training.
    command("evaluate", "evaluate IN/trials.toml -o @/table.csv --resamples 20", rtol=1e-2),
    command(
        "train-encoder",
        "train IN/encoder.toml -o @/run",
        "embed IN/few.fasta -o @/out.h5 --model @/run/model",
        rtol=TRAINED,
        local_digests=True,
    ),
    command(
        "train-masked",
        "train IN/masked.toml -o @/run",
        "embed IN/few.fasta -o @/out.h5 --model @/run/model",
        rtol=TRAINED,
        local_digests=True,
    ),
    command(
        "train-predictor",
        "train IN/predictor.toml -o @/run",
        "predict custom @/run/predictor IN/few.fasta -o @/out.h5 --export @/out.csv",
        rtol=TRAINED,
        local_digests=True,
    ),
    command(
        "train-finetuned",
        "train IN/finetuned.toml -o @/run",
        "predict custom @/run/predictor IN/few.fasta -o @/out.h5 --export @/out.csv",
        rtol=TRAINED,
        local_digests=True,
    ),
    command(
        "train-pairs",
        "train IN/pairs.toml -o @/run",
        "predict custom @/run/predictor IN/tiny.fasta -o @/out.h5 --export @/out.csv",
        rtol=TRAINED,
        local_digests=True,
        noise=ONE_HOT_TYPICALITY,
    ),
    command(
        "run-workflow",
        "run embed --config IN/workflow.yaml --dry-run",
        "run embed --config IN/workflow.yaml --cores 1",
        says=False,
        folders=("results",),
    ),
    # Mistakes.
    command(
        "mistakes",
        "embed IN/nothing.fasta -o @/x.h5",
        "embed IN/few.fasta -o @/x.h5 --model protien-lstm",
        "embed IN/few.fasta -o @/x.h5 --layers 7",
        "predict contacts IN/families/deep.a3m -o @/x.h5 --model protein-lstm",
        "store info IN/few.fasta",
        "predict disorder IN/few.fasta -o @/x.h5 --export @/x.docx",
        "--version",
        "embed --help",
        statuses=(1, 1, 1, 1, 1, 1, 0, 0),
    ),
)


def with_needs(names: list[str]) -> list[Command]:
    """Gives the named commands (all without a name) behind those that they need, in order."""
    known = {each.name: each for each in COMMANDS}
    wanted = set(names or known)
    while more := {need for name in wanted for need in known[name].needs} - wanted:
        wanted |= more
    return [each for each in COMMANDS if each.name in wanted]


def write_inputs(folder: Path) -> None:
    """Writes everything that the commands read."""
    folder.mkdir(parents=True)
    proteins = _read_fasta((DATA / "example.fasta").read_text())
    shutil.copy(DATA / "example.fasta", folder)
    _write_sequences(folder, proteins)
    _write_bases(folder)
    _write_families(folder)
    for source, name in (
        (OWN_DATA / "dna-kmer", "dna-kmer"),
        (TEST_DATA / "axial" / "esmfold", "esmfold"),
        (TEST_DATA / "msa_transformer", "msa"),
    ):
        shutil.copytree(source, folder / name)
    for source, name in (
        (TEST_DATA / "axial" / "alphafold_tiny_params.npz", "alphafold.npz"),
        (TEST_DATA / "nasty" / "biopython" / "PDB_1A8O.cif", "1A8O.cif"),
        (TEST_DATA / "nasty" / "biopython" / "GenBank_protein_refseq.gb", "few.gb"),
        (TEST_DATA / "store-v1.h5", "store-v1.h5"),
        (TEST_DATA / "store-v2.h5", "store-v2.h5"),
    ):
        shutil.copy(source, folder / name)
    _write_labels(folder, proteins)
    for name, text in _SETTINGS.items():
        (folder / name).write_text(text)


def _read_fasta(text: str) -> dict[str, str]:
    records = (record.partition("\n") for record in text.split(">")[1:])
    return {head: body.replace("\n", "") for head, _, body in records}


def _fasta(records: dict[str, str]) -> str:
    return "".join(f">{name}\n{sequence}\n" for name, sequence in records.items())


def _write_sequences(folder: Path, proteins: dict[str, str]) -> None:
    heads, sequences = list(proteins), list(proteins.values())
    shortest = sorted(proteins.items(), key=lambda item: (len(item[1]), item[0]))
    few = {**dict(shortest[:4]), "cut a stretch": sequences[3][:90]}
    (folder / "few.fasta").write_text(_fasta(few))
    mixed = {
        heads[0]: sequences[0],
        "bad no amino acid": "MK1V",
        "lower two words": sequences[4][:60].lower(),
        "empty": "",
        "unknown": "MKXBZUOVLAAGIVGL",
        "twice the first again": sequences[0],
        "one": "M",
        "stretch\tand a tab, and a comma": sequences[7][20:130],
    }
    (folder / "mixed.fasta").write_text(_fasta(mixed))
    # None of them is in the reference: a distance of 0 would be nothing but rounding.
    queries = {f"q{k}": sequences[k][10 + k : 80 + 3 * k] for k in range(1, 20, 3)}
    (folder / "queries.fasta").write_text(_fasta({**queries, "bad": "MK1V", "empty": ""}))
    (folder / "long.fasta").write_text(_fasta({"joined of all": "".join(sequences)[:2600]}))
    (folder / "tiny.fasta").write_text(
        _fasta(
            {"a x": "MKVACDWXLQRS", "b": "ACDEFGHIKLMNPQRSTVWY", "bad": "M*", "c d": "MDIRQG" * 3}
        )
    )
    wild_type = sequences[2][:70]
    (folder / "wild-type.fasta").write_text(_fasta({"wt": wild_type}))
    first, second = (f"{wild_type[k]}{k + 1}{x}" for k, x in ((4, "W"), (30, "P")))
    lines = [first, second, f"{first}:{second}", "A2000C", "nonsense", f"{wild_type[0]}1A"]
    table = "".join(f"{line},{number}\n" for number, line in enumerate(lines))
    (folder / "variants.csv").write_text(f"mutant,score\n{table}")
    variants = {"same": wild_type, "short": wild_type[:-3], "long": f"{wild_type}GGS"}
    (folder / "variants.fasta").write_text(_fasta(variants))


def _write_bases(folder: Path) -> None:
    ((head, genome),) = _read_fasta(
        gzip.decompress((DATA / "lambda_phage.fasta.gz").read_bytes()).decode()
    ).items()
    (folder / "lambda.fasta").write_text(_fasta({head: genome[35_500:36_500]}))
    dna = {"a": genome[:50], "lower and N": genome[100:130].lower() + "NNRY" + genome[130:150]}
    dna |= {"windows": genome[1000:1300], "short": "AC"}
    (folder / "dna.fasta").write_text(_fasta(dna))
    for name, width in (("splice", 60), ("promoter", 81)):
        pieces = {f"p{k}": genome[35_000 + 200 * k :][:width] for k in range(6)}
        (folder / f"{name}.fasta").write_text(_fasta(pieces))


def _write_families(folder: Path) -> None:
    rows = _read_fasta((TEST_DATA / "contacts" / "3a0j_A.a3m").read_text())
    families = folder / "families"
    families.mkdir()
    for name, depth, first, last in (
        ("deep", 40, 0, 48),
        ("short", 9, 10, 26),
        ("alone", 1, 0, 20),
    ):
        cut = {head: _columns(row, first, last) for head, row in list(rows.items())[:depth]}
        (families / f"{name}.a3m").write_text(_fasta(cut))
    (families / "bad.a3m").write_text(">a\nACDE\n>b\nAC\n")
    names = [f"row{k}" for k in range(6)]
    body = "".join(
        f"{n} {_columns(r, 5, 35, False)}\n" for n, r in zip(names, rows.values(), strict=False)
    )
    (families / "seed.sto").write_text(f"# STOCKHOLM 1.0\n{body}//\n")


def _columns(row: str, first: int, last: int, inserts: bool = True) -> str:
    kept, column = [], 0
    for symbol in row:
        if symbol.islower():
            if inserts and first < column < last:
                kept.append(symbol)
            continue
        if first <= column < last:
            kept.append(symbol)
        column += 1
    return "".join(kept)


def _write_labels(folder: Path, proteins: dict[str, str]) -> None:
    draw = random.Random(0).random
    lines = ["id,place,heat,set"]
    for number, head in enumerate(proteins):
        place = ("inside", "outside", "across")[int(3 * draw())]
        lines.append(f"{head.split()[0]},{place},{draw():.3f},{'ab'[number % 2]}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")

    states = {"A": "H", "G": "E"}
    table, trials = ["sequence,after,charge,total,contacts,split"], ["sequence,ss3,set"]
    corpus = []
    for number in range(60):
        sequence = "".join("AGLKVDEF"[int(8 * draw())] for _ in range(24 + number % 9))
        after = "".join(states.get(x, "C") for x in "C" + sequence[:-1])
        charge = ";".join(str(float(x == "K")) for x in sequence).replace(";", " ")
        pairs = f"{1 + number % 5}-{15 + number % 7} 6-22"
        part = ("train", "train", "train", "valid", "test")[number % 5]
        total = sequence.count("K") / len(sequence)
        quoted = '"' + charge.replace(" ", ",") + '"'
        table.append(f"{sequence},{after},{quoted},{total:.4f},{pairs},{part}")
        trials.append(f"{sequence},{after},{'ab'[number % 2]}")
        corpus.append(f">s{number} made up {part}\n{sequence}\n")
    (folder / "table.csv").write_text("\n".join(table) + "\n")
    (folder / "test.csv").write_text("\n".join(trials) + "\n")
    trained = [trials[0] + ",split", *(f"{line},train" for line in trials[1:])]
    (folder / "train.csv").write_text("\n".join(trained) + "\n")
    (folder / "corpus.fasta").write_text("".join(corpus))


_PRETRAINING = """
[data]
sequences = "corpus.fasta"
split = "{split}"
held_out = 0.3
crop = 24
[encoder]
{encoder}
[objective]
kind = "{kind}"
[optimizer]
steps = 12
tokens_per_batch = 200
warmup_steps = 3
seed = 1
"""
_RECURRENT = """
architecture = "recurrent"
embedding_dim = 8
hidden_dim = 8
num_layers = 1
cell = "gru"
direction = "independent"
"""
_TRANSFORMER = """
architecture = "transformer"
dim = 8
num_layers = 1
num_heads = 2
feed_forward_dim = 8
mask_token = 3
"""
_PREDICTOR = """
[predictor]
task = "toy"
[data]
table = "table.csv"
split = "column"
[encoder]
{encoder}
[head]
{head}
{targets}
[optimizer]
epochs = 3
residues_per_batch = 300
learning_rate = 1e-2
members = {members}
seed = 2
"""
_AFTER = """
[[targets]]
name = "after"
column = "after"
level = "residue"
kind = "classes"
classes = ["H", "E", "C"]
"""
_CHARGE = """
[[targets]]
name = "charge"
column = "charge"
level = "residue"
kind = "value"
classes = ["charge"]
"""
_TOTAL = """
[[targets]]
name = "total"
column = "total"
level = "sequence"
kind = "value"
classes = ["share of K"]
"""
_CONTACTS = """
[[targets]]
name = "contacts"
column = "contacts"
level = "pair"
kind = "classes"
classes = ["none", "contact"]
separation = 6
"""
_TRIALS = """
[[trials]]
name = "toy"
predictor = "secondary-structure"
target = "secondary-structure"
table = "test.csv"
where = "set=a"
column = "ss3"
level = "residue"
kind = "classes"
classes = ["H", "E", "C"]
training = "train.csv"
published = ["someone: Q3 0.5 (somewhere)"]
"""
_WORKFLOW = """
samples: IN/samples.tsv
shards: 2
rate: 1.0e+9
embedding:
  model: protein-lstm
  pool: [mean]
tasks: [disorder]
"""
_CONVOLUTION = 'kind = "convolution"\ndim = 8\nkernel = 3\ndilations = [1]\npair_dim = 4'

_SETTINGS = {
    "encoder.toml": _PRETRAINING.format(split="description", encoder=_RECURRENT, kind="cloze"),
    "masked.toml": _PRETRAINING.format(split="cluster", encoder=_TRANSFORMER, kind="masked"),
    "predictor.toml": _PREDICTOR.format(
        encoder='model = "protein-lstm"\nlayers = [1, 2]',
        head=_CONVOLUTION,
        targets=_AFTER + _CHARGE + _TOTAL,
        members=2,
    ),
    "finetuned.toml": _PREDICTOR.format(
        encoder='model = "protein-lstm"\ntrain = "lora"\n[encoder.lora]\nrank = 2',
        head='kind = "light-attention"\ndim = 8',
        targets=_TOTAL,
        members=1,
    ),
    "pairs.toml": _PREDICTOR.format(
        encoder='model = "one-hot-protein"\nlayers = [0]',
        head=_CONVOLUTION,
        targets=_CONTACTS,
        members=1,
    ),
    "trials.toml": _TRIALS,
    "workflow.yaml": _WORKFLOW,
    "samples.tsv": "sample\tpath\nsmall\tIN/few.fasta\n",
}
