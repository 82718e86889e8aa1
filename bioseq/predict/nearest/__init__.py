"""Labels from the nearest sequences of an embedded reference."""

from bioseq.predict.nearest.options import NearestOptions
from bioseq.predict.nearest.run import predict_nearest
from bioseq.predict.nearest.table import export_neighbours, neighbour_table

__all__ = ["NearestOptions", "export_neighbours", "neighbour_table", "predict_nearest"]
