"""The device that a job computes on."""

import torch

from twostream.files import UserError


def use_device(name: str) -> torch.device:
    """Return the device, set up so that equal seeds give equal results on a CPU.

    Raises UserError if a GPU is asked for and none is usable.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("device: cuda, but no GPU is usable here; set `device: cpu`, or mend CUDA")
    if name == "cpu":
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(True)
    return torch.device(name)
