"""Published families of models, each a table of rules with its config reader and tokenizer."""

from bioseq.checkpoints.families.dnabert import DNABERT
from bioseq.checkpoints.families.dnabert2 import DNABERT2
from bioseq.checkpoints.families.esm import ESM
from bioseq.checkpoints.families.esmc import ESMC
from bioseq.checkpoints.families.esmc_native import ESMC_FUSED, ESMC_NATIVE
from bioseq.checkpoints.families.fair_esm import FAIR_ESM1, FAIR_ESM2
from bioseq.checkpoints.families.family import Family, read_published
from bioseq.checkpoints.families.msa_transformer import MSA_TRANSFORMER
from bioseq.checkpoints.families.multimolecule import MULTIMOLECULE, OLDER_MULTIMOLECULE
from bioseq.checkpoints.families.nucleotide_transformer import NUCLEOTIDE_TRANSFORMER
from bioseq.checkpoints.families.protbert import PROTBERT
from bioseq.checkpoints.families.rna_fm import RNA_FM
from bioseq.checkpoints.families.t5 import ANKH, PROSTT5, PROTT5
from bioseq.checkpoints.families.unirep import UNIREP

# In the order in which they are asked whether a snapshot is theirs.
FAMILIES: tuple[Family, ...] = (
    DNABERT2,
    DNABERT,
    NUCLEOTIDE_TRANSFORMER,
    RNA_FM,
    MULTIMOLECULE,
    OLDER_MULTIMOLECULE,
    ESM,
    FAIR_ESM1,
    FAIR_ESM2,
    MSA_TRANSFORMER,
    ESMC,
    ESMC_NATIVE,
    ESMC_FUSED,
    PROTBERT,
    PROTT5,
    PROSTT5,
    ANKH,
    UNIREP,
)

__all__ = ["FAMILIES", "Family", "read_published"]
