# The sample sheet and the options, checked before anything runs. Nothing heavy: every cluster job
# reads this file again.
import csv

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from snakemake.exceptions import WorkflowError
from snakemake.utils import validate

validate(config, "../schemas/config.schema.yaml")


container: config["container"]


wildcard_constraints:
    sample=r"[A-Za-z0-9][A-Za-z0-9._-]*",
    task=r"[a-z][a-z0-9-]*",
    shard=r"\d{5}",


def read_samples(path):
    """Gives the files and the number of shards of each sample."""
    with open(path, newline="") as sheet:
        reader = csv.DictReader(sheet, delimiter="\t", restkey="more than the header has")
        rows = [(reader.line_num, {k: v for k, v in row.items() if v}) for row in reader]
    with open(workflow.source_path("../schemas/samples.schema.yaml")) as file:
        schema = Draft202012Validator(yaml.safe_load(file))
    if not rows:
        raise WorkflowError(f"{path}: no sample; expected a header and one row for each file")
    samples = {}
    for line, row in rows:
        place = f"{path}, line {line} (sample {row.get('sample')!r})"
        problem = best_match(schema.iter_errors(row))
        if problem is not None:
            raise WorkflowError(f"{place}: {problem.message}")
        shards = int(row.get("shards", config["shards"]))
        sample = samples.setdefault(row["sample"], {"paths": [], "shards": shards})
        if sample["shards"] != shards:
            raise WorkflowError(f"{place}: {shards} shards, but {sample['shards']} in a row before")
        sample["paths"].append(row["path"])
    return samples


samples = read_samples(config["samples"])


def paths_of(wildcards):
    """Gives the files of a sample."""
    return samples[wildcards.sample]["paths"]


def shards_of(wildcards):
    """Gives the stores of a sample's shards: static, so that the whole graph is known at once."""
    return shards_in(f"results/shards/{wildcards.sample}", wildcards.sample)


def prediction_shards_of(wildcards):
    """Gives the same for the predictions of a task."""
    return shards_in(f"results/shards/{wildcards.task}/{wildcards.sample}", wildcards.sample)


def shards_in(folder, sample):
    """Names the shards of a sample in a folder."""
    count = samples[sample]["shards"]
    return [f"{folder}/shard-{number:05d}.h5" for number in range(1, count + 1)]


def options_of(values):
    """Writes options as the command line has them."""
    given = []
    for name, value in values.items():
        flag = f"--{name.replace('_', '-')}"
        if isinstance(value, list):
            given.append(f"{flag}={','.join(map(str, value)) or 'none'}")
        elif value is True:
            given.append(flag)
        elif value not in (None, False):
            given.append(f"{flag}={value}")
    return given
