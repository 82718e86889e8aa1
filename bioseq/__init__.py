"""Vectors and predictions for protein and nucleotide sequences."""

__version__ = "0.1.0"
