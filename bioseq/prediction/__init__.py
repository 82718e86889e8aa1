"""Predictions from encoders: what a head, a score or a fold says of a sequence or an alignment."""
