"""Networks: pretrained on still images or with published weights, and trained for a stream."""

from pathlib import Path

from twostream import paths
from twostream.config.networks import PublishedWeights, StillImages
from twostream.config.recipes import HeldOut, ImportRecipe
from twostream.config.settings import Config
from twostream.config.sources import Archive
from twostream.config.streams import facts
from twostream.files import sha256
from twostream.plan.extraction import Extraction
from twostream.plan.memo import NoSuchStepError, memoized
from twostream.plan.training_recipes import TrainingRecipes, library_of
from twostream.plan.videos import Videos
from twostream.provenance.records import read_record
from twostream.provenance.steps import Step


def _trained_on(split: int | HeldOut | None) -> str:
    """What a path says of the part that a network is trained on."""
    if isinstance(split, HeldOut):
        return paths.WITHOUT.format(dataset=split.dataset, split=split.split)
    return str(split or paths.WHOLE)


class Networks:
    """The models of one configuration."""

    def __init__(self, config: Config, videos: Videos, extraction: Extraction) -> None:
        self._scale, self._benchmark, self._gpus = config.scale, config.benchmark, config.gpus
        self._videos, self._extraction = videos, extraction
        self._recipes = TrainingRecipes(config)

    @memoized
    def pretrain(self, dataset: str) -> Step:
        """The spatial network trained on all still images of a set."""
        run = self._benchmark.pretraining
        recipe = self._recipes.of_pretraining(dataset)
        output = paths.PRETRAINED.format(dataset=dataset)
        inputs = self._extraction.data_of(run, dataset)
        return Step.of("pretrain", recipe, [output], inputs, **library_of(run))

    @memoized
    def import_weights(self, weights: str) -> Step:
        """The spatial network with the published weights of that name."""
        settings = self._published()
        recipe = ImportRecipe(
            name=weights,
            kind=settings.kind,
            network=self._scale.networks[settings.network],
            crop=self._scale.training.crop,
            colours=settings.colours,
            given=self._given(weights),
        )
        output = paths.IMPORTED.format(weights=weights)
        return Step.of("import_weights", recipe, [output], [], settled=facts("spatial", "frames"))

    @memoized
    def train_stream(self, run: str, dataset: str, split: int | HeldOut | None, seed: int) -> Step:
        """A run's network, trained on a split of a dataset, or (None) on the whole of it.

        With a test part, it is trained on the whole of the dataset but the recordings in that.
        """
        settings = self._benchmark.runs[run]
        if isinstance(split, int):
            self._videos.check_split(dataset, split)
        recipe = self._recipes.of_run(run, dataset, split, seed)
        initial = self._initial(run, dataset, split, seed)
        inputs = [("initial", initial)] if initial else []
        if recipe.held_out and recipe.held_out.dataset not in recipe.shards:
            inputs.append(("held_out", self._videos.index(recipe.held_out.dataset)))
        for task in recipe.tasks:
            for source in task.sources:
                inputs += self._extraction.data_of(settings, source.dataset)
        output = paths.MODEL.format(
            folder=settings.folder, run=run, dataset=dataset, split=_trained_on(split), seed=seed
        )
        return Step.of("train_stream", recipe, [output], inputs, **library_of(settings))

    def launcher(self) -> str:
        """What starts a training script: one process, or one for each GPU."""
        return f"torchrun --standalone --nproc-per-node {self._gpus}" if self._gpus > 1 else "python"

    def weights_options(self) -> list[str]:
        """What `import_weights` is passed beside the recipe: where the published weights come from."""
        settings = self._published()
        if settings.file:
            return ["--file", settings.file]
        if settings.package:
            return ["--package", settings.package.model_dump_json()]
        archive = Archive(sources=settings.sources)
        return ["--archive", archive.model_dump_json(exclude_defaults=True)]

    def weights_names(self) -> list[str]:
        """The name of the published weights, if the configuration has any."""
        pretrained = self._scale.pretrained
        return [pretrained.name] if isinstance(pretrained, PublishedWeights) else []

    def _initial(self, name: str, dataset: str, split: int | HeldOut | None, seed: int) -> Step | None:
        """The step whose model a run starts from."""
        initialisation = self._benchmark.runs[name].initialisation
        if initialisation == "scratch":
            return None
        if initialisation == "images":
            pretrained = self._scale.pretrained
            if isinstance(pretrained, StillImages):
                return self.pretrain(pretrained.dataset)
            return self.import_weights(pretrained.name)
        if isinstance(split, HeldOut):
            raise NoSuchStepError(f"the run {name} starts from another, so none starts from it")
        other = self._recipes.auxiliary(name, dataset)
        return self.train_stream(initialisation, other, self._recipes.held_out(other, dataset, split), seed)

    def _given(self, weights: str) -> str | None:
        """The checksum of the weights: of the user's file, or what the configuration says of the others."""
        settings = self._published()
        if settings.package:
            return settings.package.sha256
        if settings.file and Path(settings.file).exists():
            return sha256(settings.file)
        if settings.file:
            # Whoever pulled the model may lack the file that it was made from.
            imported = read_record(paths.IMPORTED.format(weights=weights)) or {"recipe": {}}
            return imported["recipe"].get("given")
        return next((source.sha256 or source.md5 for source in settings.sources), None)

    def _published(self) -> PublishedWeights:
        assert isinstance(self._scale.pretrained, PublishedWeights)
        return self._scale.pretrained
