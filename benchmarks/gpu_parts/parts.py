"""The parts of the check, in the order of what they tell in a second."""

from gpu_parts.runner import Part

# On a GPU about half of each limit is to be expected; all of them together are the ten minutes.
PARTS = (
    Part("environment", "gpu_parts.environment", limit=40, least=5),
    Part("flow", "gpu_parts.flow", limit=110, least=30),
    Part("triton", "gpu_parts.triton_kernels", limit=60, least=20, needs=("numpy", "torch", "triton")),
    Part("training", "gpu_parts.training", limit=110, least=40),
    Part("loader", "gpu_parts.loader", limit=90, least=40, needs=("numpy", "torch", "cv2")),
    Part(
        "extraction",
        "gpu_parts.extraction",
        limit=60,
        least=20,
        needs=("numpy", "torch", "cv2", "pandas", "pydantic", "tqdm"),
    ),
    Part(
        "resume",
        "gpu_parts.resume",
        limit=90,
        least=40,
        needs=("numpy", "torch", "cv2", "pandas", "pydantic", "safetensors", "tqdm", "yaml"),
    ),
    Part(
        "tables",
        "gpu_parts.tables",
        limit=240,
        least=60,
        needs=(
            *("numpy", "torch", "cv2", "numba", "pandas", "pydantic", "requests", "safetensors"),
            *("scipy", "sklearn", "snakemake", "dvc", "tqdm", "yaml"),
        ),
    ),
)
