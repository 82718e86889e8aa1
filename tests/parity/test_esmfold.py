"""ESMFold against transformers, live, at random weights and in double precision.

In single precision both round differently; what is compared there are the fixed arrays of
`tests/data/axial`.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bioseq.batch import pack
from bioseq.checkpoints.folding import FoldingModel, load_folding_model
from bioseq.chemistry import ATOM37, ideal_geometry, residue_types
from bioseq.heads import expected_lddt, predicted_tm
from bioseq.io.coordinates import Coordinates
from bioseq.io.pdb import to_pdb
from bioseq.models.esmfold import ESMFold, ESMFoldOutput
from tests.parity.record import ParityRecord

transformers = pytest.importorskip("transformers")
modeling = pytest.importorskip("transformers.models.esm.modeling_esmfold")

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

SEQUENCES = ("MKTAYIAKQRQW", "GAXVL", "ACDEFGHIKLMNPQRSTVWYACDEF")
# transformers keeps rotations in single precision whatever the model: a millionth, not less.
FAMILY, REFERENCE = "ESMFold, float64", f"transformers {transformers.__version__}"
STRUCTURE = {
    **{"sequence_dim": 24, "pairwise_dim": 12, "ipa_dim": 4, "resnet_dim": 14, "num_blocks": 3},
    **{"num_heads_ipa": 3, "num_qk_points": 3, "num_v_points": 5},
}
TRUNK = {
    **{"num_blocks": 2, "sequence_state_dim": 32, "pairwise_state_dim": 16, "max_recycles": 2},
    **{"sequence_head_width": 8, "pairwise_head_width": 4, "position_bins": 6},
    "structure_module": STRUCTURE,
}


@pytest.fixture(scope="module")
def reference() -> Any:
    config = transformers.EsmConfig(
        **{"vocab_size": 33, "mask_token_id": 32, "pad_token_id": 1, "hidden_size": 24},
        **{"num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 48},
        **{"layer_norm_eps": 1e-5, "position_embedding_type": "rotary", "token_dropout": True},
        is_folding_model=True,
        esmfold_config={"trunk": TRUNK, "lddt_head_hid_dim": 20, "fp16_esm": False},
        vocab_list=list(transformers.models.esm.configuration_esm.get_default_vocab_list()),
    )
    torch.manual_seed(0)
    model = modeling.EsmForProteinFolding(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # large enough that every term shows
            parameter.add_(torch.randn_like(parameter) / max(parameter.shape[-1], 16) ** 0.5)
    return model.double()


@pytest.fixture(scope="module")
def model(reference: Any, tmp_path_factory: pytest.TempPathFactory) -> FoldingModel:
    folder = tmp_path_factory.mktemp("esmfold")
    transformers.utils.logging.disable_progress_bar()
    reference.save_pretrained(folder)
    loaded = load_folding_model(folder)
    loaded.network.double()
    return loaded


def fold(model: FoldingModel, sequence: str) -> ESMFoldOutput:
    assert isinstance(model.network, ESMFold)
    assert model.tokenizer is not None
    types = torch.from_numpy(residue_types(sequence))
    with torch.no_grad():
        return model.network(pack(model.tokenizer.encode([sequence])), types)


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_logits_are_those_of_transformers(
    reference: Any, model: FoldingModel, sequence: str, record_parity: ParityRecord
) -> None:
    compare = partial(record_parity.of_largest, FAMILY, REFERENCE)
    ours, theirs = fold(model, sequence), reference.infer(sequence)
    compare("sequence states", ours.folded.sequence, theirs["s_s"][0])
    compare("pair states", ours.folded.pair, theirs["s_z"][0])
    compare("distogram logits", ours.distogram_logits, theirs["distogram_logits"][0])
    compare("aligned-error logits", ours.error_logits, theirs["ptm_logits"][0])
    compare("lDDT logits", ours.lddt_logits, theirs["lddt_head"][-1, 0])
    compare("pLDDT", expected_lddt(ours.lddt_logits), theirs["plddt"][0] * 100)
    compare("atom positions", ours.folded.folds[-1].positions, theirs["positions"][-1, 0])


def test_scores_of_a_batch_are_each_members_own(
    reference: Any, model: FoldingModel, record_parity: ParityRecord
) -> None:
    compare = partial(record_parity.of_largest, FAMILY, REFERENCE)
    together = reference.infer(list(SEQUENCES))
    for place, sequence in enumerate(SEQUENCES):
        ours, alone = fold(model, sequence), reference.infer(sequence)
        score = predicted_tm(
            ours.error_logits[None], torch.ones(1, len(sequence), dtype=torch.bool)
        )
        compare("predicted TM-score", score[0], alone["ptm"])
        theirs = together["ptm_logits"][place, : len(sequence), : len(sequence)]
        compare("aligned-error logits", ours.error_logits, theirs)
    mask = torch.ones(together["ptm_logits"].shape[:2], dtype=torch.bool)
    original = predicted_tm(together["ptm_logits"], mask, padding_counts=True)
    compare(
        "predicted TM-score of a padded batch", original, together["ptm"].expand(len(SEQUENCES))
    )


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_pdb_lines_are_those_of_transformers(
    reference: Any, model: FoldingModel, sequence: str
) -> None:
    output = reference.infer(sequence)
    theirs = reference.output_to_pdb(output)[0]
    types = residue_types(sequence)
    exists = ideal_geometry().atom37_mask[types]
    atoms = modeling.atom14_to_atom37(output["positions"][-1], output)[0]
    ours = to_pdb(
        Coordinates(
            name="x",
            model="esmfold",
            residue_types=types,
            numbers=np.arange(1, len(types) + 1),
            positions=atoms.numpy().reshape(len(types), len(ATOM37), 3),
            exists=exists,
            confidence=output["plddt"][0].numpy(),  # 0 to 1, as theirs
        )
    )
    records = ("ATOM", "TER")
    assert [line for line in ours.splitlines() if line.startswith(records)] == [
        line for line in theirs.splitlines() if line.startswith(records)
    ]


def test_pdb_lines_of_the_fixture(data_dir: Path) -> None:
    """A gap in the numbering, as the fixed reference has it."""
    folder = data_dir / "axial" / "esmfold"
    with np.load(folder / "outputs.npz") as arrays:
        types, numbers = arrays["in/aa"][0].astype(np.int64), arrays["in/pos"][0] + 1
        atom14, lddt = arrays["out/positions"][0], arrays["out/plddt"][0]
    geometry = ideal_geometry()
    exists = geometry.atom37_mask[types]
    positions = np.take_along_axis(atom14, geometry.atom37_slot[types][..., None], axis=1)
    ours = to_pdb(
        Coordinates(
            name="x",
            model="esmfold",
            residue_types=types,
            numbers=numbers.astype(np.int64),
            positions=positions,
            exists=exists,
            confidence=lddt,
        )
    )
    theirs = (folder / "predicted.pdb").read_text()
    records = ("ATOM", "TER")
    assert [line for line in ours.splitlines() if line.startswith(records)] == [
        line for line in theirs.splitlines() if line.startswith(records)
    ]
