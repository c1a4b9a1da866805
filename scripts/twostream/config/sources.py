"""Where a scale's videos and images come from: drawn, a user's folder, or an official dataset's archive."""

import re
from pathlib import PurePosixPath
from shlex import split
from typing import Annotated, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import Field, model_validator

from twostream.config.types import MD5, SHA256, Count, Name, Strict, UserPath, given_as

Look = Literal[
    "disc", "square", "triangle", "star", "cross", "ring", "bars", "crescent"
]  # fmt: skip
Motion = Literal[
    "horizontal", "vertical", "diagonal", "circle", "spin", "swing", "pulse", "zigzag"
]  # fmt: skip


# `raw-frames` are videos too, each a folder of pictures.
Media = Literal["videos", "images", "raw-frames"]


class GeneratedClass(Strict):
    """A class of a generated set: what it looks like and, in videos, how it moves."""

    look: Look
    """What is drawn."""
    motion: Motion | None = None
    """How it moves; for videos, not for images."""


class Generated(Strict):
    """Videos, or still images of the looks alone, drawn from a seed."""

    kind: Literal["generated"]
    """Videos, or still images of the looks alone, drawn from a seed."""
    seed: Annotated[int, Field(ge=0)]
    """Another seed gives other videos of the same kind."""
    height: Count
    """The height in pixels."""
    width: Count
    """The width in pixels."""
    classes: dict[Name, GeneratedClass]
    """The classes, under their names."""
    groups: Count
    """How many groups a class has."""
    clips: Count
    """How many clips a group has; clips of a group share scene, colours and camera."""
    train_groups: Count
    """Groups of each class to train on, fewer than `groups`; split s takes the s-th run of them, cyclically,
    and tests on the others."""

    @model_validator(mode="after")
    def leaves_test_groups(self) -> Self:
        if self.train_groups >= self.groups:
            raise ValueError("train_groups must be smaller than groups, or no group is left to test on")
        return self


class Folder(Strict):
    """Videos (or images) that the user has: class folders, or a CSV that lists them."""

    kind: Literal["folder"]
    """Files that you have."""
    folder: UserPath
    """Where they are. Without `list`, each class is a folder in it (links are followed); `_g<number>_` in a
    file's name is its group, or the folder below the class's that it lies in (a recording), else it is a
    group of its own; and split s tests on the s-th of every three groups of a class. Folders `train` and
    `val` (or `dev`, `test`, `train_set`, ...) above the classes, or in each of them, are one split. Hidden
    files and folders are left out. Videos are files with the endings of what FFmpeg reads (`.avi`, `.mp4`,
    `.mkv`, `.mov`, `.mpg`, `.webm`, `.m4v`, `.3gp`, `.ts`, `.flv`, `.gif` and more); others are passed over,
    and the log names them."""
    list: UserPath | None = None
    """A CSV with the columns `file` (relative to `folder`, or its whole path below it), `class`, `group`, and
    `split1`, `split2`, ... (or `split`) holding `train`, `test` or `none`; separated by commas, semicolons or
    tabs, in UTF-8 or UTF-16. What is wrong in it is named with its line."""


class Mirror(Strict):
    """Where an archive can be had, and what is known of it: its bytes, and one checksum.

    Sources of one archive may hold the same videos in different bytes, a ZIP and a RAR for instance.
    """

    url: Annotated[str, Field(pattern=r"^https?://"), given_as("`http://...`, `https://...`")]
    """Where the file is; certificates are always checked."""
    size: Count | None = None
    """The file's size in bytes, if known."""
    sha256: SHA256 | None = None
    """The file's checksum, if known: this or `md5`."""
    md5: MD5 | None = None
    """The file's checksum, if known: this or `sha256`."""

    @model_validator(mode="after")
    def fits_together(self) -> Self:
        if self.name in ("", ".", ".."):
            raise ValueError("the url must end in the name of a file")
        if self.sha256 and self.md5:
            raise ValueError("give sha256 or md5, not both")
        return self

    @property
    def name(self) -> str:
        """The file's name, which is the end of the url."""
        return PurePosixPath(unquote(urlsplit(self.url).path)).name


class Archive(Strict):
    """An archive and its sources, the preferred one first."""

    sources: Annotated[list[Mirror], Field(min_length=1)]


class Origin(Strict):
    """Where files are to be had: the sources of an archive, or the folder that the user has them in."""

    sources: list[Mirror] = Field(default_factory=list)
    """Places to fetch the archive from (ZIP, or RAR up to version 4, also RAR in RAR), tried in turn until
    one has it whole."""
    folder: UserPath | None = None
    """The folder in which you have them, unpacked; the files are found by name, at any depth."""

    @model_validator(mode="after")
    def is_one_of_two(self) -> Self:
        if bool(self.sources) == bool(self.folder):
            raise ValueError("give either `sources` (to fetch an archive) or `folder` (where you have it)")
        return self

    @property
    def archive(self) -> Archive:
        """The archive of these sources, where there is no folder."""
        return Archive(sources=self.sources)


class Official(Strict):
    """A published dataset, or some of its videos, and the lists that say which videos are in which split."""

    kind: Literal["official"]
    """A published dataset, or some of its videos, with its official splits."""
    protocol: Literal["ucf101", "hmdb51"]
    """Which official lists to expect, and how many videos (13,320 or 6,766). Anything else is an error that
    says what is missing."""
    subset: UserPath | None = None
    """A CSV that lists some of its videos, if not all are wanted: see below."""
    videos: Origin
    """Where the videos are to be had: either `sources` or `folder`."""
    lists: Origin | None = None
    """Where the lists of the splits are to be had, by the same keys as the videos. May be left out if a
    `subset` says what they say."""

    @model_validator(mode="after")
    def has_lists(self) -> Self:
        if self.lists is None and self.subset is None:
            raise ValueError("say under `lists` where the official lists are; only a `subset` may do without")
        return self


class Segments(Strict):
    """Segments of videos, by a CSV that lists them; the videos are there, or are fetched."""

    kind: Literal["segments"]
    """Parts of longer videos, by a list that says where each begins and ends."""
    list: UserPath
    """A CSV with the columns `file`, `class`, `start` and `end` (seconds), and `split1`, `split2`, ... (or
    `split`); separated by commas, semicolons or tabs, in UTF-8 or UTF-16. Columns named as Kinetics does
    (`label`, `youtube_id`, `time_start`, `time_end`) are taken too, and `val`, `validate` and `validation`
    are `test`. `group` and `sha256` (of the file) may be there; without `group`, each file is one. Other
    columns are ignored."""
    folder: UserPath | None = None
    """Where the videos are, and where those that are fetched are put; `data/official/<dataset>` if it is left
    out, which DVC never keeps or pushes. `file` is relative to it, or a whole path below it; a name without
    an ending, such as Kinetics' ids, also stands for the video in `folder` that has it with one."""
    fetch: Annotated[str, Field(min_length=1), given_as("a command")] | None = None
    """A command that brings a video, a program and its arguments, for instance `yt-dlp -f mp4 -o {out}
    https://www.youtube.com/watch?v={address}`: `{address}` is what the list has as `file`, `{out}` the file
    to write (an ending that the program adds does not matter). No shell reads it. Without it, a `file` that
    is an address (`http://`, `https://`) is downloaded."""

    @model_validator(mode="after")
    def can_be_fetched(self) -> Self:
        if self.fetch is None:
            return self
        try:
            arguments = split(self.fetch)
        except ValueError as error:
            raise ValueError(f"fetch: cannot be read as a command: {error}") from None
        if set(re.findall(r"{[^}]*}", self.fetch)) != {"{out}", "{address}"}:
            raise ValueError("fetch: a command has the placeholders {out} and {address}, and no others")
        if any(name in arguments[0] for name in ("{out}", "{address}")):
            raise ValueError("fetch: a command begins with a program")
        return self


OFFICIAL_SPLITS = 3


DataSource = Annotated[Generated | Folder | Official | Segments, Field(discriminator="kind")]


class Dataset(Strict):
    """Videos or images, their splits, and into how many shards they are packed."""

    media: Media = "videos"
    """What the files are; images are for pre-training. `raw-frames`, with `source: {kind: folder}`: each
    video is a folder of `img_00001.jpg`, ..., and if its flow was extracted `flow_x_00001.jpg`,
    `flow_y_00001.jpg`, ..., clipped to +-20 px, as denseflow, TSN and MMAction2 have it
    ([docs/flow.md](../docs/flow.md)). Flow that is there is taken as it is, and the record says how much of
    it lies at the bound; it is forward flow alone, so runs that are bi-directional end with an error. Without
    it, flow is computed from the frames."""
    source: DataSource
    """Where the files come from: see below."""
    splits: Count
    """How many splits the index has."""
    shards: Count
    """Into how many files frames and flow are packed; each is one job, so at least as many as cores."""
    auxiliary: Annotated[Name, given_as("a dataset")] | None = None
    """The second dataset of runs that learn from two. It is used whole, but for recordings that are tested
    on: see below."""

    @model_validator(mode="after")
    def moves(self) -> Self:
        if isinstance(self.source, Generated) and self.media == "videos":
            still = [name for name, c in self.source.classes.items() if c.motion is None]
            if still:
                raise ValueError(f"videos need a motion for each class; none for {', '.join(still)}")
        return self

    @model_validator(mode="after")
    def holds_pictures(self) -> Self:
        if self.media == "raw-frames" and not isinstance(self.source, Folder):
            raise ValueError("`media: raw-frames` goes with `source: {kind: folder}`: folders that you have")
        return self

    @model_validator(mode="after")
    def is_as_published(self) -> Self:
        if isinstance(self.source, Official):
            if self.splits != OFFICIAL_SPLITS:
                raise ValueError(f"an official dataset has {OFFICIAL_SPLITS} splits: say `splits: 3`")
            if self.media != "videos":
                raise ValueError("an official dataset holds videos: leave `media` out")
        return self

    @model_validator(mode="after")
    def has_times(self) -> Self:
        if isinstance(self.source, Segments) and self.media != "videos":
            raise ValueError("segments are of videos: leave `media` out")
        return self
