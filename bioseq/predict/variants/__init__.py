"""Variant effects from language models, with the strategies named exactly."""

from bioseq.predict.variants.options import Strategy, VariantOptions
from bioseq.predict.variants.run import predict_variants, scan_proteins

__all__ = ["Strategy", "VariantOptions", "predict_variants", "scan_proteins"]
