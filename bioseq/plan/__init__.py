"""Shards: a plan that divides an input into parts of equal cost, and their merging."""

from bioseq.plan.build import plan_shards
from bioseq.plan.manifest import Shard, ShardPlan, read_plan
from bioseq.plan.merge import merge_shards
from bioseq.plan.shard import compute_shard, shard_path

__all__ = [
    "Shard",
    "ShardPlan",
    "compute_shard",
    "merge_shards",
    "plan_shards",
    "read_plan",
    "shard_path",
]
