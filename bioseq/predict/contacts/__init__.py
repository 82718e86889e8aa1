"""Contacts: which residues of a protein touch, predicted from an alignment of its family."""

from bioseq.predict.contacts.options import ContactOptions
from bioseq.predict.contacts.run import predict_contacts

__all__ = ["ContactOptions", "predict_contacts"]
