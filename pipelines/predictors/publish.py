"""Turns a finished training into a bundled predictor, with its weights in float16.

python pipelines/predictors/publish.py runs/TASK bioseq/predict/tasks/bundled/TASK
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from bioseq.predict.tasks import save_predictor
from bioseq.predict.tasks.folder import read_predictor


def main() -> None:
    """Publishes a run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    predictor = read_predictor(arguments.run / "predictor")
    if Path(predictor.encoder.model).is_dir():
        parser.error(f"{predictor.encoder.model}: only predictors on a bundled encoder are bundled")
    save_predictor(arguments.folder, predictor, dtype=torch.float16)
    print(f"{predictor.task}: {sum(p.numel() for p in predictor.heads.parameters()):,} parameters")
    for target in predictor.targets:
        print(f"  {target.name}: {', '.join(target.classes)}; temperature {target.temperature:.3f}")


if __name__ == "__main__":
    main()
