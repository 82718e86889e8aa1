"""Labels from the nearest sequences of an embedded reference."""

from bioseq.prediction.nearest.options import NearestOptions
from bioseq.prediction.nearest.run import predict_nearest
from bioseq.prediction.nearest.table import export_neighbours, neighbour_table

__all__ = ["NearestOptions", "export_neighbours", "neighbour_table", "predict_nearest"]
