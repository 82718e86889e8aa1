"""The models behind a structure prediction, each fed with an alignment."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import cast

import torch
from jaxtyping import Int64
from torch import Tensor

from bioseq.batch import pack
from bioseq.checkpoints.folding import FoldingModel, load_folding_model
from bioseq.chemistry import RESIDUES, residue_types
from bioseq.errors import OptionError
from bioseq.models.alphafold import AlphaFold, AlphaFoldOutput
from bioseq.models.alphafold_trunk import AlignmentFeatures
from bioseq.models.esmfold import ESMFold, ESMFoldOutput
from bioseq.models.structure_module import Fold, StructureModule
from bioseq.models.template import Templates
from bioseq.msa import Msa
from bioseq.msa.alphafold import alphafold_features, draw_rows, drop_duplicates
from bioseq.prediction.structure.features import to_tensors
from bioseq.prediction.structure.options import StructureOptions
from bioseq.prediction.structure.prediction import Predicted
from bioseq.prediction.structure.templates import TemplateLibrary, to_templates
from bioseq.runs import choose_device
from bioseq.tokenizer import Tokenizer

_PASSES = 4  # of AlphaFold 2, as published: three are fed with the one before
_CLUSTERS = 512
_TEMPLATE_ROWS = 4  # that models with templates keep free


class StructureModel(ABC):
    """Folds the query of an alignment.

    Attributes:
        has_aligned_error: Whether aligned errors and TM-scores are predicted.
        settings: What changes a number.
    """

    has_aligned_error: bool
    settings: dict[str, object]

    @abstractmethod
    def predict(self, msa: Msa) -> Predicted:
        """Folds the query."""


class SequenceFolder(StructureModel):
    """ESMFold: reads the query alone.

    Args:
        network: ESMFold.
        tokenizer: Of its language model.
        options: How.
        device: Where to compute.
    """

    has_aligned_error = True

    def __init__(
        self,
        network: ESMFold,
        tokenizer: Tokenizer,
        options: StructureOptions,
        device: torch.device,
    ) -> None:
        self._network = network.to(device)
        self._tokenizer = tokenizer
        self._device = device
        self._num_passes = options.num_passes or network.config.trunk.num_passes
        self.settings = {"num_passes": self._num_passes}

    @torch.inference_mode()
    def predict(self, msa: Msa) -> Predicted:
        """Folds the query; what is not of the twenty residues is read as unknown."""
        types = residue_types(msa.query)
        sequence = "".join(RESIDUES[index] for index in types.tolist())
        tokens = pack(self._tokenizer.encode([sequence]), self._device)
        indices = torch.from_numpy(types).to(self._device)
        output = self._network(tokens, indices, num_passes=self._num_passes)
        module = self._network.trunk.structure_module
        return _collect(output, output.folded.folds[-1], module, indices)


class AlignmentFolder(StructureModel):
    """AlphaFold 2: reads templates, and rows drawn from the alignment, others in every pass.

    Args:
        network: AlphaFold 2.
        options: How.
        device: Where to compute.

    Raises:
        OptionError: the model does not read templates.
    """

    def __init__(self, network: AlphaFold, options: StructureOptions, device: torch.device) -> None:
        self._network = network.to(device)
        self._device = device
        self._num_passes = options.num_passes or _PASSES
        self._seed, self._max_extra = options.seed, options.max_extra
        reads_templates = network.config.trunk.templates is not None
        if options.templates and not reads_templates:
            raise OptionError("templates", len(options.templates), allowed="none with this model")
        self._library = TemplateLibrary(options.templates) if options.templates else None
        self._num_clusters = _CLUSTERS - _TEMPLATE_ROWS * reads_templates
        self.has_aligned_error = network.config.has_aligned_error
        self.settings = {
            "num_passes": self._num_passes,
            "seed": self._seed,
            "max_extra": self._max_extra,
        }
        if self._library:
            self.settings["templates"] = self._library.digest

    @torch.inference_mode()
    def predict(self, msa: Msa) -> Predicted:
        """Folds the query with its family."""
        msa = drop_duplicates(msa)
        indices = torch.from_numpy(residue_types(msa.query)).to(self._device)
        templates = self._find_templates(msa.query)
        drawn = (self._draw(msa, number) for number in range(self._num_passes))
        features = [replace(features, templates=templates) for features in drawn]
        output = self._network(features, indices)
        return _collect(output, output.folds[-1], self._network.structure_module, indices)

    def _find_templates(self, query: str) -> Templates | None:
        hits = self._library.find(query) if self._library else []
        return to_templates(hits, len(query), self._device) if hits else None

    def _draw(self, msa: Msa, number: int) -> AlignmentFeatures:
        """Draws the rows of one pass."""
        seed = self._seed * self._num_passes + number
        draw = draw_rows(msa, num_clusters=self._num_clusters, seed=seed)
        return to_tensors(alphafold_features(msa, draw, num_extra=self._max_extra), self._device)


def build_predictor(options: StructureOptions) -> tuple[StructureModel, FoldingModel]:
    """Loads the model and makes it ready.

    Raises:
        CheckpointError: the model can't be loaded.
        OptionError: there is no such device, or the model does not read templates.
    """
    device = choose_device(options.device)
    model = load_folding_model(options.model, language_model=options.language_model)
    if isinstance(model.network, AlphaFold):
        return AlignmentFolder(model.network, options, device), model
    if options.templates:
        raise OptionError("templates", len(options.templates), allowed="none with this model")
    tokenizer = cast("Tokenizer", model.tokenizer)  # ESMFold has one
    return SequenceFolder(model.network, tokenizer, options, device), model


def _collect(
    output: ESMFoldOutput | AlphaFoldOutput,
    fold: Fold,
    module: StructureModule,
    residue_types: Int64[Tensor, " length"],
) -> Predicted:
    positions, exists = module.atoms.to_atom37(fold.positions, residue_types)
    return Predicted(
        positions=positions,
        exists=exists,
        lddt_logits=output.lddt_logits,
        error_logits=output.error_logits,
        distogram_logits=output.distogram_logits,
    )
