"""Indexing a folder of videos: layouts, odd names, bad files."""

from pathlib import Path

import pytest
from conftest import textured, write_video

from twostream.files import UserError
from twostream.videos.decoding import BadVideoError
from twostream.videos.index import class_names, complete, from_class_folders, from_list, part

ODD = 'a b\'s "q" & #1 (x).avi'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    frames = [textured(32, 40, seed) for seed in range(3)]
    for name in ("Alpha", "Beta & (b)"):
        for group in (1, 2, 3):
            write_video(tmp_path / name / f"v_{name}_g{group:02d}_c01.avi", frames)
    write_video(tmp_path / "Alpha" / ODD, frames)
    return tmp_path


def test_class_folders_are_split_by_group(folder):
    index, skipped = complete(from_class_folders(folder, "videos", 3), folder, "videos", "stop")
    assert class_names(index) == ["Alpha", "Beta & (b)"]
    assert len(index) == 7 and skipped.empty
    beta = index[index["class"] == "Beta & (b)"].set_index("group")
    assert [beta.loc["01", f"split{s}"] for s in (1, 2, 3)] == ["test", "train", "train"]
    assert [beta.loc["03", f"split{s}"] for s in (1, 2, 3)] == ["train", "train", "test"]
    odd = index[index["file"] == f"Alpha/{ODD}"].iloc[0]
    assert odd["group"] == Path(ODD).stem and odd["size"] == (folder / "Alpha" / ODD).stat().st_size


def test_a_list_says_class_group_and_split(folder):
    listed = folder / "list.csv"
    quoted = ODD.replace('"', '""')
    listed.write_text(
        "file,class,group,split\n"
        f'"Alpha/{quoted}",Odd,7,train\n'
        "Alpha/v_Alpha_g01_c01.avi,Even,8,test\n"
        "Alpha/v_Alpha_g02_c01.avi,Even,9,none\n"
        "Alpha/v_Alpha_g03_c01.avi,Even,10,train\n"
        "Beta & (b)/v_Beta & (b)_g01_c01.avi,Odd,11,test\n"
    )
    index, _ = complete(from_list(listed, 1), folder, "videos", "stop")
    assert part(index, 1, "train")["file"].tolist()[0] == f"Alpha/{ODD}"
    names = class_names(index)
    assert part(index, 1, "test")["label"].tolist() == [names.index("Even"), names.index("Odd")]
    assert len(part(index, None, "train")) == 5


def test_a_class_that_a_split_does_not_test_is_named(folder):
    listed = folder / "list.csv"
    listed.write_text(
        "file,class,group,split\n"
        "Alpha/v_Alpha_g01_c01.avi,Even,1,test\n"
        "Alpha/v_Alpha_g02_c01.avi,Even,2,train\n"
        "Alpha/v_Alpha_g03_c01.avi,Odd,3,train\n"
    )
    with pytest.raises(UserError, match="split1 has no test video of the class Odd"):
        complete(from_list(listed, 1), folder, "videos", "stop")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,class,group\na,b,c\n", "lacks the column split1"),
        ("file,class,group,split\na,b,c,tset\n", "'tset'"),
        ("file,class,group,split\na,b,c,test\na,b,c,train\n", "lists a twice"),
    ],
)
def test_a_wrong_list_is_refused(tmp_path, text, said):
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(UserError, match=said):
        from_list(tmp_path / "list.csv", 1)


def make_bad(folder: Path) -> None:
    (folder / "Alpha/v_Alpha_g01_c02.avi").write_bytes(b"")
    (folder / "Alpha/v_Alpha_g02_c02.avi").write_bytes(b"RIFF" + bytes(range(256)) * 20)
    write_video(folder / "Alpha/v_Alpha_g03_c02.avi", [textured(32, 40)])


def test_bad_videos_stop_and_all_are_named_with_their_reason(folder):
    make_bad(folder)
    with pytest.raises(BadVideoError) as caught:
        complete(from_class_folders(folder, "videos", 1), folder, "videos", "stop")
    message = str(caught.value)
    assert "g01_c02.avi: the file is empty" in message
    assert "g02_c02.avi: no frame can be decoded" in message
    assert "g03_c02.avi: it has only 1 frame" in message
    assert "on_bad_video" in message


def test_skipped_videos_are_absent_from_the_index_and_reported(folder):
    make_bad(folder)
    index, skipped = complete(from_class_folders(folder, "videos", 1), folder, "videos", "skip")
    assert len(index) == 7
    assert skipped["reason"].tolist() == [
        "the file is empty",
        "no frame can be decoded: Invalid data found when processing input",
        "it has only 1 frame",
    ]


def test_skipping_a_whole_class_renumbers_nothing(folder):
    for file in (folder / "Alpha").iterdir():
        file.write_bytes(b"")
    index, _ = complete(from_class_folders(folder, "videos", 1), folder, "videos", "skip")
    assert set(index["label"]) == {1}
    assert class_names(index)[1] == "Beta & (b)"


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(UserError, match="holds no videos"):
        complete(from_class_folders(tmp_path, "videos", 1), tmp_path, "videos", "stop")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("A/1.avi,A,1,train\nA/2.avi,A,2,train\n", "split1 has no test video"),
        ("A/1.avi,A,1,train\nA/2.avi,B,2,test\n", "no training video of the class B"),
        ("A/1.avi,A,1,train\nA/2.avi,A,1,test\n", "group 1 of A is on both sides of split1"),
        ("A/1.avi,A,,train\nA/2.avi,A,2,test\n", "a video has no group"),
        ("A/1.avi,A,1,train\n../A/2.avi,A,2,test\n", "lies outside"),
    ],
)
def test_splits_that_cannot_work_are_refused(tmp_path, rows, said):
    for name in ("1", "2"):
        write_video(tmp_path / f"A/{name}.avi", [textured(32, 40)] * 2)
    (tmp_path / "list.csv").write_text("file,class,group,split\n" + rows)
    with pytest.raises(UserError, match=said):
        complete(from_list(tmp_path / "list.csv", 1), tmp_path, "videos", "stop")


def test_linked_class_folders_are_followed(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("links")
    (other / "Alpha").symlink_to(folder / "Alpha")
    assert len(from_class_folders(other, "videos", 1)) == 4
