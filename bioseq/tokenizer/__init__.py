"""Tokenizers: from sequences to token ids."""

from bioseq.tokenizer.bpe import BpeTokenizer, load_bpe_tokenizer
from bioseq.tokenizer.build import build_tokenizer
from bioseq.tokenizer.codon import CodonTokenizer, build_codon_tokenizer
from bioseq.tokenizer.kmer import KmerTokenizer, build_kmer_tokenizer
from bioseq.tokenizer.residue import ResidueTokenizer, build_residue_tokenizer
from bioseq.tokenizer.tokens import Tokenizer, Tokens
from bioseq.tokenizer.vocabulary import Vocabulary

__all__ = [
    "BpeTokenizer",
    "CodonTokenizer",
    "KmerTokenizer",
    "ResidueTokenizer",
    "Tokenizer",
    "Tokens",
    "Vocabulary",
    "build_codon_tokenizer",
    "build_kmer_tokenizer",
    "build_residue_tokenizer",
    "build_tokenizer",
    "load_bpe_tokenizer",
]
