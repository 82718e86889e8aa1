"""Key maps of AlphaFold 2 and OpenFold for the axial layers and models."""
