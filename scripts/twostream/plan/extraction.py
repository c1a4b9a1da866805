"""Frames and optical flow of each dataset, all its shards a step."""

from twostream import paths
from twostream.config.benchmark import Run
from twostream.config.flow import FlowAlgorithmName
from twostream.config.recipes import FlowRecipe, FramesRecipe
from twostream.config.settings import Config
from twostream.config.streams import DIRECTIONS, Extracted
from twostream.plan.memo import NoSuchStepError, memoized
from twostream.plan.videos import Videos
from twostream.provenance.steps import Step


class Extraction:
    """What is extracted of videos, and what of that a run reads."""

    def __init__(self, config: Config, videos: Videos) -> None:
        self._scale, self._videos = config.scale, videos

    @memoized
    def extract_frames(self, dataset: str) -> Step:
        """The frames of a dataset, all shards."""
        settings = self._videos.dataset(dataset).settings
        recipe = FramesRecipe(media=settings.media, shards=settings.shards, frames=self._scale.frames)
        outputs = paths.frame_shards(dataset, settings.shards)
        return Step.of("extract_frames", recipe, outputs, [("index", self._videos.index(dataset))])

    @memoized
    def extract_flow(self, dataset: str, direction: paths.Direction) -> Step:
        """The optical flow of a dataset in one direction, all shards."""
        return self._flow(dataset, direction, None)

    @memoized
    def extract_other_flow(
        self, dataset: str, direction: paths.Direction, algorithm: FlowAlgorithmName
    ) -> Step:
        """The same by another algorithm than the scale's."""
        if algorithm == self._scale.flow.method:
            own = paths.flow_shards(dataset, direction, 1)[0]
            raise NoSuchStepError(f"{algorithm} is the scale's own flow algorithm: {own}")
        return self._flow(dataset, direction, algorithm)

    def data_of(self, run: Run, dataset: str) -> list[tuple[str, Step]]:
        """The index, and the frames or flow, that a run reads of a dataset, by the names of rules' inputs."""
        extracted = ((name, self._extracted(name, dataset, run.flow)) for name in run.input.extracted)
        return [("index", self._videos.index(dataset)), *extracted]

    def _extracted(self, name: Extracted, dataset: str, algorithm: FlowAlgorithmName | None) -> Step:
        if name == "frames":
            return self.extract_frames(dataset)
        if algorithm in (None, self._scale.flow.method):
            return self.extract_flow(dataset, DIRECTIONS[name])
        return self.extract_other_flow(dataset, DIRECTIONS[name], algorithm)

    def _flow(self, dataset: str, direction: paths.Direction, algorithm: FlowAlgorithmName | None) -> Step:
        shards = self._videos.shards(dataset)
        flow = self._scale.flow_by(algorithm).of_its_algorithm()
        recipe = FlowRecipe(shards=shards, flow=flow, direction=direction)
        outputs = paths.flow_shards(dataset, direction, shards, algorithm)
        inputs = [("index", self._videos.index(dataset))]
        return Step.of("extract_flow", recipe, outputs, inputs, (flow.module,))
