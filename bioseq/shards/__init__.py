"""Shards: a plan that divides an input into parts of equal cost, and their merging."""

from bioseq.shards.merge import merge_shards
from bioseq.shards.plan import Shard, ShardPlan, read_plan
from bioseq.shards.planning import plan_shards
from bioseq.shards.shard import compute_shard, shard_path

__all__ = [
    "Shard",
    "ShardPlan",
    "compute_shard",
    "merge_shards",
    "plan_shards",
    "read_plan",
    "shard_path",
]
