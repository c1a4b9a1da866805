# Training and scoring of the networks. One trainer serves all runs: a run has tasks, most have one.


def training(w):
    """The plan's training step for a model's wildcards."""
    split = None if w.split == "all" else int(w.split)
    return plan.train_stream(w.run, w.dataset, split, int(w.seed))


def scoring(w):
    """The plan's scoring step for a score file's wildcards."""
    return plan.score_videos(w.run, w.dataset, int(w.split), int(w.seed))


MODEL = "models/{stream}/{run}/{dataset}-split{split}-seed{seed}"
SCORES = "scores/{stream}/{run}/{dataset}-split{split}-seed{seed}"


rule pretrain:
    input:
        lambda w: plan.pretrain(w.dataset).inputs,
    output:
        model="models/pretrained/{dataset}.safetensors",
        curve="models/pretrained/{dataset}.csv",
        record="models/pretrained/{dataset}.record.json",
    log:
        "logs/pretrain/{dataset}.log",
    params:
        recipe=lambda w: plan.pretrain(w.dataset).recipe_json,
        spec=lambda w: plan.pretrain(w.dataset).spec,
    threads: 1
    resources:
        gpu=GPU,
    conda:
        "../../environment.yml"
    shell:
        "python scripts/pretrain.py --recipe {params.recipe:q} --spec {params.spec}"
        f" --device {plan.config.device} --curve {{output.curve:q}}"
        " --out {output.model:q} > {log:q} 2>&1"


rule train_stream:
    input:
        initial=lambda w: plan.initial_model(w.run, w.dataset, int(w.seed)),
        data=lambda w: training(w).inputs,
    output:
        model=MODEL + ".safetensors",
        curve=MODEL + ".csv",
        record=MODEL + ".record.json",
    log:
        "logs/train_stream/{stream}/{run}/{dataset}-split{split}-seed{seed}.log",
    wildcard_constraints:
        stream="spatial|temporal|multitask",
    params:
        recipe=lambda w: training(w).recipe_json,
        spec=lambda w: training(w).spec,
        initial=lambda w, input: ["--initial", input.initial] if input.initial else [],
    threads: 1
    resources:
        gpu=GPU,
    conda:
        "../../environment.yml"
    shell:
        "python scripts/train_stream.py --recipe {params.recipe:q} --spec {params.spec}"
        f" --device {plan.config.device} {{params.initial:q}} --curve {{output.curve:q}}"
        " --out {output.model:q} > {log:q} 2>&1"


rule score_videos:
    input:
        model=MODEL + ".safetensors",
        data=lambda w: scoring(w).inputs,
    output:
        scores=SCORES + ".npz",
        record=SCORES + ".record.json",
    log:
        "logs/score_videos/{stream}/{run}/{dataset}-split{split}-seed{seed}.log",
    wildcard_constraints:
        stream="spatial|temporal|multitask",
        split=r"\d+",
    params:
        recipe=lambda w: scoring(w).recipe_json,
        spec=lambda w: scoring(w).spec,
    threads: 1
    resources:
        gpu=GPU,
    conda:
        "../../environment.yml"
    shell:
        "python scripts/score_videos.py --recipe {params.recipe:q} --spec {params.spec}"
        f" --device {plan.config.device} --model {{input.model:q}}"
        " --out {output.scores:q} > {log:q} 2>&1"
