"""Variant effects from language models, with the strategies named exactly."""

from bioseq.prediction.variants.options import Strategy, VariantOptions
from bioseq.prediction.variants.run import predict_variants, scan_proteins

__all__ = ["Strategy", "VariantOptions", "predict_variants", "scan_proteins"]
