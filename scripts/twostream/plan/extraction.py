"""Frames and optical flow of each dataset, all its shards a step."""

from twostream import paths
from twostream.config.benchmark import Run
from twostream.config.recipes import FlowRecipe, FramesRecipe
from twostream.config.settings import Config
from twostream.config.streams import DIRECTIONS, Extracted
from twostream.plan.memo import memoized
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
        shards = self._videos.shards(dataset)
        flow = self._scale.flow.of_its_algorithm()
        recipe = FlowRecipe(shards=shards, flow=flow, direction=direction)
        outputs = paths.flow_shards(dataset, direction, shards)
        inputs = [("index", self._videos.index(dataset))]
        return Step.of("extract_flow", recipe, outputs, inputs, (flow.module,))

    def data_of(self, run: Run, dataset: str) -> list[tuple[str, Step]]:
        """The index, and the frames or flow, that a run reads of a dataset, by the names of rules' inputs."""
        extracted = ((name, self._extracted(name, dataset)) for name in run.input.extracted)
        return [("index", self._videos.index(dataset)), *extracted]

    def _extracted(self, name: Extracted, dataset: str) -> Step:
        if name == "frames":
            return self.extract_frames(dataset)
        return self.extract_flow(dataset, DIRECTIONS[name])
