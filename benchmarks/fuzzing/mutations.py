"""Ways to damage a file; each takes its content and draws where and how from the generator given."""

import re
from collections.abc import Callable

import numpy as np

Mutation = Callable[[bytearray, np.random.Generator], None]
# Where containers begin what they say of the whole: chunks of RIFF, boxes of MP4, elements of Matroska
# (durations, sizes, counts), FLV's metadata, headers of MPEG and GIF, and of JPEG.
FIELDS = re.compile(
    rb"avih|strh|strf|idx1|indx|movi|LIST|vids|mvhd|tkhd|mdhd|stsd|stts|ctts|stss|stsc|stsz|stco|co64|elst|avc1|"
    rb"avcC|jpeg|s263|mdat|moov|\x15\x49\xa9\x66|\x16\x54\xae\x6b|\x1f\x43\xb6\x75|\x2a\xd7\xb1|\x44\x89|\xb0|\xba|"
    rb"\xe0|onMetaData|duration|width|height|framerate|filesize|\x00\x00\x01[\xb3\xb5\xb8\xba\xbb\xe0]|GIF89a|"
    rb"\x21\xf9\x04|\x2c\x00\x00|\xff\xc0|\xff\xc4|\xff\xda|\x47\x40"
)
EXTREMES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1)


def flip_bits(content: bytearray, rng: np.random.Generator) -> None:
    """Turn over up to 32 bits anywhere."""
    for _ in range(rng.integers(1, 33)):
        content[rng.integers(len(content))] ^= 1 << int(rng.integers(8))


def zero_run(content: bytearray, rng: np.random.Generator) -> None:
    """Make a run of bytes zero."""
    start, end = _span(content, rng)
    content[start:end] = bytes(end - start)


def truncate(content: bytearray, rng: np.random.Generator) -> None:
    """Cut the end off."""
    del content[rng.integers(min(1, len(content) - 1), len(content)) :]


def swap_pieces(content: bytearray, rng: np.random.Generator) -> None:
    """Let two pieces of one length change their places."""
    start, end = _span(content, rng)
    other = int(rng.integers(len(content) - (end - start) + 1))
    piece, there = content[start:end], content[other : other + end - start]
    content[start:end] = there
    content[other : other + end - start] = piece


def repeat_piece(content: bytearray, rng: np.random.Generator) -> None:
    """Write a piece a second time, somewhere."""
    start, end = _span(content, rng)
    place = int(rng.integers(len(content) + 1))
    content[place:place] = content[start:end]


def remove_piece(content: bytearray, rng: np.random.Generator) -> None:
    """Take a piece out."""
    start, end = _span(content, rng)
    del content[start:end]


def insert_garbage(content: bytearray, rng: np.random.Generator) -> None:
    """Put random bytes in between."""
    place = int(rng.integers(len(content) + 1))
    content[place:place] = rng.bytes(int(rng.integers(1, 400)))


def append_garbage(content: bytearray, rng: np.random.Generator) -> None:
    """Put random bytes at the end."""
    content += rng.bytes(int(rng.integers(1, 4000)))


def overwrite_field(content: bytearray, rng: np.random.Generator) -> None:
    """Give fields of headers extreme values: counts, sizes, durations, offsets."""
    places = [found.end() for found in FIELDS.finditer(content)]
    for _ in range(rng.integers(1, 4)):
        start = places[rng.integers(len(places))] if places else 0
        place = start + int(rng.integers(64)) // 2
        width = int(rng.choice([1, 2, 4, 8]))
        value = EXTREMES[rng.integers(len(EXTREMES))] % (1 << 8 * width)
        if place + width <= len(content):
            content[place : place + width] = value.to_bytes(width, "big" if rng.integers(2) else "little")


MUTATIONS: tuple[Mutation, ...] = (
    flip_bits,
    zero_run,
    truncate,
    swap_pieces,
    repeat_piece,
    remove_piece,
    insert_garbage,
    append_garbage,
    overwrite_field,
    overwrite_field,
)


def mutated(content: bytes, rng: np.random.Generator) -> tuple[bytes, list[str]]:
    """Return a damaged copy and the names of what was done to it, one to three things."""
    damaged, done = bytearray(content), []
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        if not damaged:
            break
        mutation = MUTATIONS[rng.integers(len(MUTATIONS))]
        mutation(damaged, rng)
        done.append(mutation.__name__)
    return bytes(damaged), done


def _span(content: bytearray, rng: np.random.Generator) -> tuple[int, int]:
    """A piece of the file; short ones are likelier than long ones."""
    longest = max(1, len(content) // 3)
    length = max(1, int(longest ** rng.random()))
    start = int(rng.integers(max(1, len(content) - length + 1)))
    return start, min(len(content), start + length)
