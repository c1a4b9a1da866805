"""Score files: of runs, of several runs fused, and of methods that were not trained here."""

from pathlib import Path

from twostream import paths
from twostream.config.benchmark import ExternalMethod
from twostream.config.recipes import FusionRecipe, ImportScoresRecipe, ScoringRecipe, TrialRecipe
from twostream.config.settings import Config
from twostream.config.trials import TRIALS, TrialName
from twostream.files import UserError, sha256
from twostream.plan.extraction import Extraction
from twostream.plan.memo import NoSuchStepError, memoized
from twostream.plan.networks import Networks
from twostream.plan.training_recipes import library_of
from twostream.plan.videos import Videos
from twostream.provenance.records import read_record
from twostream.provenance.steps import Step


class Scores:
    """The score files of one configuration."""

    def __init__(self, config: Config, videos: Videos, extraction: Extraction, networks: Networks) -> None:
        self._scale, self._benchmark = config.scale, config.benchmark
        self._videos, self._extraction, self._networks = videos, extraction, networks

    @memoized
    def score_videos(self, run: str, dataset: str, split: int, seed: int) -> Step:
        """A run's scores for the training and test videos of a split."""
        settings = self._benchmark.runs[run]
        shards = self._videos.shards(dataset)
        recipe = ScoringRecipe(dataset=dataset, shards=shards, split=split, testing=self._scale.testing)
        inputs = [
            ("model", self._networks.train_stream(run, dataset, split, seed)),
            *self._extraction.data_of(settings, dataset),
        ]
        output = paths.SCORES.format(folder=settings.folder, run=run, dataset=dataset, split=split, seed=seed)
        return Step.of("score_videos", recipe, [output], inputs, **library_of(settings))

    @memoized
    def score_trial(self, trial: TrialName, run: str, dataset: str, split: int, seed: int) -> Step:
        """How a run's test videos come out in each way of a trial."""
        if TRIALS[trial].of_motion and not self._benchmark.runs[run].input.shows_motion:
            raise NoSuchStepError(f"{run} sees a single frame, and {trial} are of runs that see motion")
        scored = self.score_videos(run, dataset, split, seed)
        spatial = self._averaged_with(run) if TRIALS[trial].fused else None
        recipe = TrialRecipe(**scored.recipe.model_dump(), trial=trial, seed=seed, spatial=spatial)
        inputs = [(name, step) for name, steps in scored.named.items() for step in steps]
        if spatial:
            inputs.append(("spatial", self.score_videos(spatial, dataset, split, seed)))
        folder = self._benchmark.runs[run].folder
        output = paths.TRIAL.format(
            folder=folder, run=run, dataset=dataset, split=split, seed=seed, trial=trial
        )
        modules = (*scored.modules, recipe.module)
        return Step.of("score_trial", recipe, [output], inputs, modules, scored.settled)

    @memoized
    def fuse_streams(self, fusion: str, dataset: str, split: int, seed: int) -> Step:
        """The fused scores of several runs."""
        settings = self._benchmark.fusions[fusion]
        svm = self._scale.svm if settings.method == "svm" else None
        recipe = FusionRecipe(method=settings.method, svm=svm, seed=seed)
        inputs = [(stream, self.of(name, dataset, split, seed)) for stream, name in settings.streams.items()]
        output = paths.FUSED.format(fusion=fusion, dataset=dataset, split=split, seed=seed)
        return Step.of("fuse_streams", recipe, [output], inputs)

    @memoized
    def import_scores(self, method: str, dataset: str, split: int) -> Step:
        """The scores of a method that was not trained here."""
        settings = self._benchmark.methods[method]
        self._videos.check_split(dataset, split)
        if dataset != settings.dataset or split not in settings.splits:
            raise NoSuchStepError(
                f"config/benchmark.yaml: methods.{method} has scores for {settings.dataset}, split"
                f" {', '.join(map(str, settings.splits))}, and none for {dataset}, split {split}"
            )
        places = {"method": method, "dataset": dataset, "split": split}
        output = paths.OTHERS.format(**places)
        digest = _digest(paths.GIVEN.format(**places), output, method, settings)
        recipe = ImportScoresRecipe(dataset=dataset, split=split, given=digest)
        return Step.of("import_scores", recipe, [output], [("index", self._videos.index(dataset))])

    def _averaged_with(self, run: str) -> str | None:
        """The spatial run that a temporal one is averaged with, if it is with one."""
        averages = (fusion for fusion in self._benchmark.fusions.values() if fusion.method == "average")
        pairs = (fusion.streams for fusion in averages if fusion.is_two_stream)
        spatial = (streams["spatial"] for streams in pairs if streams["temporal"] == run)
        return next((name for name in spatial if name in self._benchmark.runs), None)

    def of(self, name: str, dataset: str, split: int, seed: int) -> Step:
        """The step that gives the scores of a run, a fusion or a method."""
        if name in self._benchmark.methods:
            return self.import_scores(name, dataset, split)
        made = self.fuse_streams if name in self._benchmark.fusions else self.score_videos
        return made(name, dataset, split, seed)

    def pattern(self, name: str, dataset: str) -> str:
        """The path of those scores, with `{split}` and (but for methods) `{seed}` left open."""
        places = {"dataset": dataset, "split": "{split}", "seed": "{seed}"}
        if name in self._benchmark.methods:
            return paths.OTHERS.format(method=name, **places)
        if name in self._benchmark.fusions:
            return paths.FUSED.format(fusion=name, **places)
        return paths.SCORES.format(folder=self._benchmark.runs[name].folder, run=name, **places)


def _digest(given: str, output: str, method: str, settings: ExternalMethod) -> str:
    """The SHA-256 of the scores that a method brings."""
    if Path(given).exists():
        return sha256(given)
    if imported := read_record(output):
        # Whoever pulled the scores may lack the file that they were made from.
        return str(imported["recipe"]["given"])
    raise UserError(
        f"{given}: is missing: put the scores of {settings.title} there (methods/README.md has the"
        f" format), or take methods.{method} out of config/benchmark.yaml"
    )
