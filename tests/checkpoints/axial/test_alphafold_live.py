"""AlphaFold 2 in JAX, run here: the whole network at parameters that no fixture holds.

For an environment with `pip install alphafold-colabfold==2.3.18` (750 MB, with other versions of
packages than bioseq's constraints); skipped elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from bioseq.checkpoints.axial.read_alphafold import read_alphafold
from bioseq.checkpoints.weights import open_weights
from bioseq.models.alphafold import AlphaFold
from bioseq.models.alphafold_trunk import AlignmentFeatures, Recycled

haiku = pytest.importorskip("haiku")
modules = pytest.importorskip("alphafold.model.modules")
model_config = pytest.importorskip("alphafold.model.config").model_config
jax = pytest.importorskip("jax")

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

Arrays = dict[str, Tensor]
PARITY = 1e-6  # of the largest value
NUM_ROUNDS = 2
SEEDS = (1,)
TRUNK_SHAPE = {
    **{"msa_channel": 32, "pair_channel": 16, "extra_msa_channel": 16, "seq_channel": 24},
    **{"evoformer_num_block": 2, "extra_msa_stack_num_block": 2},
    "evoformer.outer_product_mean.num_outer_channel": 6,
    "evoformer.triangle_multiplication_outgoing.num_intermediate_channel": 10,
    "evoformer.triangle_multiplication_incoming.num_intermediate_channel": 10,
    **{"template.attention.key_dim": 8, "template.attention.value_dim": 8},
    "template.template_pair_stack.triangle_attention_starting_node.key_dim": 8,
    "template.template_pair_stack.triangle_attention_starting_node.value_dim": 8,
    "template.template_pair_stack.triangle_attention_ending_node.key_dim": 8,
    "template.template_pair_stack.triangle_attention_ending_node.value_dim": 8,
    "template.template_pair_stack.triangle_multiplication_outgoing.num_intermediate_channel": 10,
    "template.template_pair_stack.triangle_multiplication_incoming.num_intermediate_channel": 10,
}
STRUCTURE_SHAPE = {
    **{"num_layer": NUM_ROUNDS, "num_channel": 24, "num_head": 3},
    **{"num_point_qk": 3, "num_point_v": 5, "num_scalar_qk": 4, "num_scalar_v": 4},
    "sidechain.num_channel": 14,
}


def tiny_config() -> Any:
    """The published `model_1_ptm`, in single precision and of the shape of the fixtures."""
    config = model_config("model_1_ptm")
    changes = {"bfloat16": False, "deterministic": True, "subbatch_size": None}
    config.model.global_config.update(changes)
    config.model.calc_extended_ptm = True  # keeps the logits of the aligned error
    config.model.embeddings_and_evoformer.update_from_flattened_dict(TRUNK_SHAPE)
    config.model.heads.structure_module.update_from_flattened_dict(STRUCTURE_SHAPE)
    config.model.heads.predicted_lddt.num_channels = 18
    for name in ("outgoing", "incoming"):
        for stack in ("evoformer", "template.template_pair_stack"):
            key = f"{stack}.triangle_multiplication_{name}.fuse_projection_weights"
            config.model.embeddings_and_evoformer.update_from_flattened_dict({key: False})
    return config


@pytest.fixture(params=SEEDS, scope="module")
def parameters(
    request: pytest.FixtureRequest, alphafold_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The tiny parameter file with the values of each array in another order."""
    rng = np.random.default_rng(request.param)
    path = tmp_path_factory.mktemp("parameters") / "params_model_1_ptm.npz"
    with np.load(alphafold_file) as arrays:
        shuffled = {n: rng.permuted(arrays[n].ravel()).reshape(arrays[n].shape) for n in arrays}
    np.savez(path, **shuffled)  # pyright: ignore[reportArgumentType]
    return path


def run_alphafold(parameters: Path, batch: Mapping[str, np.ndarray]) -> Mapping[str, Any]:
    """Gives the outputs of one recycled pass.

    Operation by operation: compiled as a whole, the sign of the first residue's pre-omega in the
    templates, which is all rounding, comes out otherwise than in the features of the fixture.
    """
    nested: dict[str, dict[str, np.ndarray]] = {}
    with np.load(parameters) as arrays:
        for name in arrays:
            scope, _, variable = name.partition("//")
            nested.setdefault(scope, {})[variable] = arrays[name]
    given: dict[str, Any] = {n: v for n, v in batch.items() if not n.startswith("prev_")}
    given["prev"] = {n: v for n, v in batch.items() if n.startswith("prev_")}

    def forward(batch: Any) -> Any:
        network = modules.AlphaFold_noE(tiny_config().model)
        return network(batch, is_training=False, return_representations=True)

    with jax.default_matmul_precision("highest"):
        return haiku.transform(forward).apply(nested, jax.random.PRNGKey(0), given)


def assert_parity(ours: Tensor, theirs: Any) -> None:
    reference = torch.from_numpy(np.array(theirs))
    assert_close(ours, reference, rtol=0, atol=PARITY * float(reference.abs().max()))


@torch.no_grad()
def test_the_network_gives_what_alphafold_gives_now(
    parameters: Path, features: AlignmentFeatures, recycled: Recycled, forward_pass: Arrays
) -> None:
    batch = {
        name.removeprefix("batch/"): value.numpy()
        for name, value in forward_pass.items()
        if name.startswith("batch/")
    }
    theirs = run_alphafold(parameters, batch)
    with open_weights(parameters) as weights:
        network: AlphaFold = read_alphafold(weights, num_rounds=NUM_ROUNDS)
    types = forward_pass["batch/aatype"].long()
    ours = network([features], types, recycled)
    positions, _ = network.structure_module.atoms.to_atom37(ours.folds[-1].positions, types)
    assert_parity(ours.states.msa, theirs["representations"]["msa"])
    assert_parity(ours.states.pair, theirs["representations"]["pair"])
    assert_parity(ours.states.single, theirs["representations"]["single"])
    assert_parity(positions, theirs["structure_module"]["final_atom_positions"])
    assert_parity(ours.distogram_logits, theirs["distogram"]["logits"])
    assert_parity(ours.masked_msa_logits, theirs["masked_msa"]["logits"])
    assert_parity(ours.resolved_logits, theirs["experimentally_resolved"]["logits"])
    assert_parity(ours.lddt_logits[:, 0], theirs["predicted_lddt"]["logits"])
    assert ours.error_logits is not None
    assert_parity(ours.error_logits, theirs["pae_matrix_with_logits"]["logits"])
