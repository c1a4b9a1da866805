"""What a network learns from: each task's classes, its videos, and the batches drawn of them."""

from collections.abc import Iterator

from twostream.config.recipes import Task, TrainingRecipe, TrainingSubset
from twostream.devices import Processes, Runtime
from twostream.extraction.dataset_files import DatasetFiles
from twostream.files import UserError
from twostream.training.batch import Drawn
from twostream.training.data_loader import iterate_batches
from twostream.training.held_out import rows_to_learn
from twostream.training.reader import open_reader
from twostream.training.sampling import Dropout, TaskSamples, TrainingVideo, collate
from twostream.videos.index import class_names, read_index


def videos_of(
    task: Task, recipe: TrainingRecipe, files: dict[str, DatasetFiles]
) -> tuple[list[str], list[TrainingVideo]]:
    """Return a task's classes and its videos, those of all its sources in one numbering.

    `files` are those of each dataset.
    """
    classes: list[str] = []
    videos: list[TrainingVideo] = []
    for source in task.sources:
        reader = open_reader(recipe.run.input, files[source.dataset])
        index = read_index(files[source.dataset].index)
        kept = _kept_classes(source, class_names(index))
        label = {name: len(classes) + i for i, name in enumerate(kept)}
        chosen, _ = rows_to_learn(source, index, files)
        videos += [
            TrainingVideo(file, label[name], reader)
            for file, name in zip(chosen["file"], chosen["class"], strict=True)
        ]
        classes += kept
    if not videos:
        raise UserError(f"{task.head}: its split has no video to train on")
    return classes, videos


def _kept_classes(source: TrainingSubset, names: list[str]) -> list[str]:
    unknown = set(source.without) - set(names)
    if unknown:
        raise UserError(
            f"config/benchmark.yaml: shared_classes.{source.dataset}: the dataset has no class "
            + ", ".join(sorted(unknown))
        )
    return [name for name in names if name not in source.without]


def batches(
    videos: dict[str, list[TrainingVideo]],
    recipe: TrainingRecipe,
    dropout: Dropout,
    runtime: Runtime,
    done: int,
) -> Iterator[dict[str, Drawn]]:
    """Yield for each iteration after the first `done` this process's part of the batch of each task.

    The batch is shared out equally over the tasks, and each task's part over the processes. Raises
    UserError if that leaves some over.
    """
    tasks, batch, processes = len(videos), recipe.training.batch, runtime.processes
    share, left_over = divmod(batch, tasks * processes.count)
    if left_over:
        raise UserError(
            f"a batch of {batch} (training.batch) cannot be shared out equally over {tasks} task(s) and"
            f" {processes.count} process(es); change it, or `gpus` in config/config.yaml"
        )
    loaders = [
        iterate_batches(
            TaskSamples(found, recipe.training, recipe.short_side, dropout, [recipe.seed, place]),
            runtime.device,
            runtime.workers // tasks + (place < runtime.workers % tasks),
            batch_sampler=_Numbers(share, processes, done, recipe.schedule.iterations),
            collate_fn=collate,
        )
        for place, found in enumerate(videos.values())
    ]
    for drawn in zip(*loaders, strict=True):
        yield dict(zip(videos, drawn, strict=True))


class _Numbers:
    """The numbers of the samples in each batch of one process; together they count from 0."""

    def __init__(self, share: int, processes: Processes, done: int, iterations: int) -> None:
        self._share, self._processes, self._left = share, processes, range(done, iterations)

    def __iter__(self) -> Iterator[list[int]]:
        count, rank = self._processes.count, self._processes.rank
        for iteration in self._left:
            first = (iteration * count + rank) * self._share
            yield list(range(first, first + self._share))

    def __len__(self) -> int:
        return len(self._left)
