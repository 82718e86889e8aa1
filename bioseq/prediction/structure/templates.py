"""Known structures of related proteins, brought to a query as templates of AlphaFold 2.

Source: Jumper et al. 2021, supplement, section 1.2.3 and table 1. There templates come from a
search of the PDB with profiles; here from files that are given, aligned by sequence.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from bioseq.chemistry import ATOM37, find_torsions, residue_types
from bioseq.errors import InputError
from bioseq.io.chains import KnownChain, read_chains
from bioseq.io.pairwise import Pairing, pair_residues
from bioseq.models.template import Templates
from bioseq.msa.alphafold import GAP_CODE
from bioseq.nn.axial import pseudo_beta
from bioseq.typing import AnyPath

MOST_TEMPLATES = 4
"""What the published models were trained with."""

_FEWEST_RESIDUES = 10
_LEAST_COVERAGE = 0.1
_CA, _CB = ATOM37.index("CA"), ATOM37.index("CB")
_BACKBONE = [ATOM37.index(name) for name in ("N", "CA", "C")]
_GLYCINE = "G"
_SUFFIXES = (".pdb", ".ent", ".cif", ".mmcif")


@dataclass(frozen=True, kw_only=True, eq=False)
class TemplateHit:
    """A chain that resembles a query.

    Attributes:
        name: `FILE:CHAIN`.
        chain: Its atoms.
        pairing: Which of its residues correspond to which of the query.
        identity: Share of equal residues among those.
        coverage: Share of the query that has a counterpart.
    """

    name: str
    chain: KnownChain
    pairing: Pairing
    identity: float
    coverage: float


class TemplateLibrary:
    """The chains that may serve as templates.

    Args:
        paths: PDB and mmCIF files, and folders of files that end in .pdb, .ent, .cif, .mmcif.

    Attributes:
        chains: Names, `FILE:CHAIN`, and protein chains.
        digest: SHA-256 of sequences and atoms: what a result depends on.

    Raises:
        FormatError: a file is damaged, or not a structure.
        InputError: a file can't be read, or there is no chain at all.
    """

    def __init__(self, paths: Sequence[AnyPath]) -> None:
        self.chains = [
            (f"{path.name}:{chain.name}", chain)
            for path in _list_files(paths)
            for chain in read_chains(path)
        ]
        if not self.chains:
            raise InputError(Path(paths[0]), "holds no protein chain to serve as a template")
        digest = hashlib.sha256()
        for _, chain in self.chains:
            digest.update(chain.sequence.encode())
            digest.update(chain.positions.tobytes())
        self.digest = digest.hexdigest()

    def find(self, query: str) -> list[TemplateHit]:
        """Returns the chains that resemble a query most, at most four.

        A chain needs counterparts of ten residues and of a tenth of the query.
        """
        hits = [_align(query, name, chain) for name, chain in self.chains]
        enough = max(_FEWEST_RESIDUES, _LEAST_COVERAGE * len(query))
        good = [hit for hit in hits if len(hit.pairing.query) >= enough]
        return sorted(good, key=attrgetter("pairing.score"), reverse=True)[:MOST_TEMPLATES]


def to_templates(hits: Sequence[TemplateHit], length: int, device: torch.device) -> Templates:
    """Returns the templates' features, residue by residue of the query.

    Unlike in the original, torsions that are not known are zero throughout.

    Args:
        hits: At least one.
        length: Residues of the query.
        device: Where they go.
    """
    known = [_features(hit, length) for hit in hits]
    stacked = {name: torch.stack([k[name] for k in known]).to(device) for name in known[0]}
    mask = torch.ones(len(hits), dtype=torch.bool, device=device)
    return Templates(mask=mask, **stacked)


def _features(hit: TemplateHit, length: int) -> dict[str, Tensor]:
    query, other = hit.pairing.query, hit.pairing.other
    types = np.full(length, GAP_CODE, np.int64)
    positions = np.zeros((length, len(ATOM37), 3), np.float32)
    exists = np.zeros((length, len(ATOM37)), bool)
    types[query] = residue_types(hit.chain.sequence)[other]
    positions[query], exists[query] = hit.chain.positions[other], hit.chain.exists[other]
    of_chain = np.minimum(types, GAP_CODE - 1)  # a gap has no atoms, as an unknown residue
    torsions = find_torsions(of_chain, positions, exists)
    is_glycine = types == residue_types(_GLYCINE)[0]
    return {
        "residue_types": torch.from_numpy(types),
        "pseudo_beta": pseudo_beta(torch.from_numpy(types), torch.from_numpy(positions)),
        "pseudo_beta_mask": torch.from_numpy(
            np.where(is_glycine, exists[:, _CA], exists[:, _CB]).astype(bool)
        ),
        "backbone_mask": torch.from_numpy(exists[:, _BACKBONE].all(axis=1)),
        "torsions": torch.from_numpy(torsions.sine_cosine).float(),
        "alternative_torsions": torch.from_numpy(torsions.alternative).float(),
        "torsion_mask": torch.from_numpy(torsions.known),
    }


def _align(query: str, name: str, chain: KnownChain) -> TemplateHit:
    pairing = pair_residues(query, chain.sequence)
    pairs = zip(pairing.query.tolist(), pairing.other.tolist(), strict=True)
    equal = [query[i] == chain.sequence[j] for i, j in pairs]
    return TemplateHit(
        name=name,
        chain=chain,
        pairing=pairing,
        identity=sum(equal) / max(1, len(equal)),
        coverage=len(equal) / max(1, len(query)),
    )


def _list_files(paths: Sequence[AnyPath]) -> list[Path]:
    """Lists the files to read: those named, and in a folder those that end like a structure."""
    found: list[Path] = []
    for path in map(Path, paths):
        found += sorted(filter(_is_structure, path.iterdir())) if path.is_dir() else [path]
    return found


def _is_structure(path: Path) -> bool:
    return any(suffix in _SUFFIXES for suffix in path.suffixes[-2:])
