"""Exchange with the layouts that other tools read and write."""

from bioseq.store.layouts.exporter import EXPORTS, export_store
from bioseq.store.layouts.importer import LAYOUTS, import_store

__all__ = ["EXPORTS", "LAYOUTS", "export_store", "import_store"]
