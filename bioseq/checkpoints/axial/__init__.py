"""Key maps of AlphaFold 2, OpenFold and ESMFold for the axial layers and models."""
