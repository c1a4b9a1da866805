"""The project made small: scale and benchmark that run end to end in a minute, for tests and benchmarks."""

from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
ADDED_CLASSES = {
    "run": "flow-10-added-classes",
    "expected": "better",
    "than": "flow-10-finetuned",
    "dataset": "secondary",
    "splits": [1],
}


def tiny_scale() -> dict:
    """The default scale made tiny: two or three classes, few videos, three iterations."""
    scale = yaml.safe_load((ROOT / "config/scale/demo.yaml").read_text())
    for name, dataset in scale["datasets"].items():
        source = dataset["source"]
        first = list(source["classes"])[: 2 if name == "demo_b" else 3]
        source["classes"] = {c: source["classes"][c] for c in first}
        source |= {"groups": 4, "clips": 1, "train_groups": 2}
        dataset["shards"] = 1
    for schedule in scale["schedules"].values():
        schedule |= {"iterations": 3, "drops": [2]}
    scale["training"]["batch"] = 4
    scale["testing"]["frames"] = 2
    return scale


def small_benchmark() -> dict:
    """The benchmark with the tables that touch every kind of stage, and few rows in them."""
    benchmark = yaml.safe_load((ROOT / "config/benchmark.yaml").read_text())
    benchmark["shared_classes"] = {"demo_a": {"DiscAcross": "DiscAcross"}}
    tables = benchmark["tables"]
    tables["table2"]["rows"] = tables["table2"]["rows"][1:3]
    tables["table3"]["rows"] = [tables["table3"]["rows"][0], tables["table3"]["rows"][3]]
    benchmark["tables"] = {name: tables[name] for name in ("table2", "table3")}
    claim = {"number": 1, "claim": "Added classes beat fine-tuning", "comparisons": [ADDED_CLASSES]}
    benchmark["claims"] = [claim]
    return benchmark
