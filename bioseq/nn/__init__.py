"""Layers that the encoders share."""
