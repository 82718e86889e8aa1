"""Contacts: which residues of a protein touch."""
