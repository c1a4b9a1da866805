"""Where a scale's videos and images come from: drawn, a user's folder, or an official dataset's archive."""

import re
from pathlib import PurePosixPath
from shlex import split
from typing import Annotated, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import Field, model_validator

from twostream.config.types import MD5, SHA256, Count, Name, Strict, UserPath

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
    motion: Motion | None = None


class Generated(Strict):
    """Videos, or still images of the looks alone, drawn from a seed."""

    kind: Literal["generated"]
    seed: Annotated[int, Field(ge=0)]
    height: Count
    width: Count
    classes: dict[Name, GeneratedClass]
    groups: Count
    clips: Count
    train_groups: Count

    @model_validator(mode="after")
    def leaves_test_groups(self) -> Self:
        if self.train_groups >= self.groups:
            raise ValueError("train_groups must be smaller than groups, or no group is left to test on")
        return self


class Folder(Strict):
    """Videos (or images) that the user has: class folders, or a CSV that lists them."""

    kind: Literal["folder"]
    folder: UserPath
    list: UserPath | None = None


class Mirror(Strict):
    """Where an archive can be had, and what is known of it: its bytes, and one checksum.

    Sources of one archive may hold the same videos in different bytes, a ZIP and a RAR for instance.
    """

    url: Annotated[str, Field(pattern=r"^https?://")]
    size: Count | None = None
    sha256: SHA256 | None = None
    md5: MD5 | None = None

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
    folder: UserPath | None = None

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
    """A published dataset, or some of its videos, and the lists that say which videos are in which split.

    `subset` is a CSV that lists the videos, if not all are wanted; if it says all that the official lists
    say of them, these may be left out.
    """

    kind: Literal["official"]
    protocol: Literal["ucf101", "hmdb51"]
    subset: UserPath | None = None
    videos: Origin
    lists: Origin | None = None

    @model_validator(mode="after")
    def has_lists(self) -> Self:
        if self.lists is None and self.subset is None:
            raise ValueError("say under `lists` where the official lists are; only a `subset` may do without")
        return self


class Segments(Strict):
    """Segments of videos, by a CSV that lists them; the videos are there, or are fetched.

    `fetch` is the command that brings a video: a program and its arguments, with the placeholders `{out}`
    (the file to write) and `{address}` (what the list has as its file).
    """

    kind: Literal["segments"]
    list: UserPath
    folder: UserPath | None = None
    fetch: Annotated[str, Field(min_length=1)] | None = None

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
    source: DataSource
    splits: Count
    shards: Count
    auxiliary: Name | None = None

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
