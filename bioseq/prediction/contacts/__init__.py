"""Contacts: which residues of a protein touch, predicted from an alignment of its family."""

from bioseq.prediction.contacts.options import ContactOptions
from bioseq.prediction.contacts.run import predict_contacts

__all__ = ["ContactOptions", "predict_contacts"]
