"""The page on a dataset as it was understood, before anything is trained on it."""

import json
import re
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from conftest import ENVIRONMENT, ROOT, textured, write_video

from twostream.videos.class_folders import from_class_folders
from twostream.videos.index import complete, write_index

COUNTS = {"Run": 4, "It's <b>": 3}


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> tuple[str, str]:
    """The page's text, and what is printed: of two classes, one file left out, and one passed over."""
    folder = tmp_path_factory.mktemp("described")
    for name, count in COUNTS.items():
        for number in range(count):
            frames = [textured(48, 64, number)] * (5 + number)
            write_video(folder / f"videos/{name}/v_g{number}_c1.avi", frames)
    (folder / "videos/notes.txt").touch()
    index, _ = complete(
        from_class_folders(folder / "videos", "videos", 1), folder / "videos", "videos", "stop"
    )
    write_index(index, folder / "index.csv")
    pd.DataFrame({"file": ["Run/gone.avi"], "reason": ["the file is empty"]}).to_csv(folder / "skipped.csv")
    command = ["python", ROOT / "scripts/describe_dataset.py", "--index", folder / "index.csv"]
    command += ["--recipe", json.dumps({"dataset": "mine", "media": "videos"}), "--folder", folder / "videos"]
    command += ["--skipped", folder / "skipped.csv", "--out", folder / "page.html"]
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert Path(folder / "page.record.json").exists()
    return (folder / "page.html").read_text(), done.stdout


def test_what_was_understood_is_printed(page):
    rows = dict(re.split(r"\s{2,}", line, maxsplit=1) for line in page[1].splitlines() if line.strip())
    assert rows["videos"].startswith("7, ")
    assert rows["classes"] == "2, of 3 to 4 videos"
    assert rows["groups"] == "7, of 1 videos"
    # Of every three groups of a class the first is tested on: two of four, one of three.
    assert rows["split1"] == "4 train, 3 test"
    # 5 + 6 + 7 + 8 and 5 + 6 + 7.
    assert rows["frames"] == "44, 5 to 8 a video, as headers have it"
    assert rows["size (px)"] == "64 x 48 (7)"
    assert rows["left out"] == "1: Run/gone.avi"
    assert rows["passed over"] == "1 other files: notes.txt"


def test_the_page_shows_classes_with_pictures_and_what_was_left_out(page):
    assert "<td>Run</td>" in page[0] and "It&#x27;s &lt;b&gt;" in page[0] and "<b>" not in page[0]
    assert "<td>Run/gone.avi</td><td>the file is empty</td>" in page[0]
    shown = re.findall(r"<figcaption>(.+?)/v_g\d_c1\.avi<br>(\w+), group (\d)", page[0])
    parts = [("train", "1"), ("train", "2"), ("test", "0")]
    assert shown == [
        *(("It&#x27;s &lt;b&gt;", *part) for part in parts),
        *(("Run", *part) for part in [*parts, ("test", "3")]),
    ]
    assert len(re.findall(r'src="data:image/jpeg;base64,/9j/', page[0])) == 7
