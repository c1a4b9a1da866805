"""Caffe model files, written byte by byte, as caffe.proto lays them out."""

import numpy as np

V1_TYPES = {"Convolution": 4, "InnerProduct": 14}


def varint(number: int) -> bytes:
    low, rest = number & 127, number >> 7
    return bytes([low | 128]) + varint(rest) if rest else bytes([low])


def field(number: int, content: int | str | bytes) -> bytes:
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    content = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(content)) + content


def blob(values: np.ndarray, v1: bool) -> bytes:
    data = field(5, values.astype("<f4").tobytes())
    if v1:
        shape = (1,) * (4 - values.ndim) + values.shape
        return b"".join(field(i, size) for i, size in enumerate(shape, 1)) + data
    return field(7, field(1, b"".join(varint(size) for size in values.shape))) + data


Blobs = dict[str, tuple[str, list[np.ndarray]]]


def caffemodel(layers: Blobs, v1: bool) -> bytes:
    """A NetParameter with V1LayerParameters, as the published file is, or with LayerParameters."""
    parts = []
    for name, (kind, blobs) in layers.items():
        if v1:
            head, key, place = field(4, name) + field(5, V1_TYPES[kind]), 6, 2
        else:
            head, key, place = field(1, name) + field(2, kind), 7, 100
        parts.append(field(place, head + b"".join(field(key, blob(b, v1)) for b in blobs)))
    return b"".join(parts)
