"""Published weights, made into a model that runs can start from."""

from pathlib import Path
from typing import Any

from twostream.config.benchmark import Input, Run
from twostream.config.networks import Backbone
from twostream.config.recipes import ImportRecipe
from twostream.files import UserError, sha256
from twostream.networks.caffe import caffe_weights
from twostream.networks.model_file import Description, save_model
from twostream.networks.state_dicts import backbone_weights

ONE_FRAME = Run(stream="spatial", input=Input(kind="frames", length=1), initialisation="scratch", dropout=0.0)


def import_weights(recipe: ImportRecipe, file: Path, out: str) -> dict[str, Any]:
    """Write a spatial network without heads that has a file's weights; return facts for its record.

    Raises UserError if the file does not hold the weights of the recipe's network.
    """
    if not file.is_file():
        raise UserError(f"{file}: there is no such file; `pretrained` in the scale names it")
    # Without heads it scores nothing, so the size of its frames does not matter.
    description = Description(
        run=ONE_FRAME, network=recipe.network, crop=recipe.crop, short_side=recipe.crop, heads={}
    )
    network = description.build()
    if isinstance(recipe.network, Backbone):
        taken = backbone_weights(file, recipe.network, recipe.colours)
        weights = {f"features.{name}": value for name, value in taken.items()}
    else:
        weights = caffe_weights(file, network)
    network.load_state_dict(weights)
    save_model(network, description, out)
    return {
        "file": file.name,
        "sha256_of_file": sha256(file),
        "parameters": sum(p.numel() for p in network.parameters()),
    }
