"""Indexing a folder of videos: layouts, odd names, bad files."""

import os
from pathlib import Path

import pandas as pd
import pytest
from conftest import textured, write_video

from twostream.files import UserError
from twostream.videos.class_folders import from_class_folders
from twostream.videos.decoding import BadVideoError
from twostream.videos.index import class_names, complete, part
from twostream.videos.listing import check_folder, find_videos, passed_over
from twostream.videos.lists import from_list
from twostream.videos.suspicions import (
    refuse_alike,
    refuse_repeated,
    refuse_text,
    refuse_two_classes,
    repeated_videos,
)

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
        ("A/1.avi,A,,train\nA/2.avi,A,2,test\n", "line 2: has no group"),
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


def videos_at(folder: Path, *files: str) -> Path:
    """Writes a different video at each place."""
    for number, file in enumerate(files):
        write_video(folder / file, [textured(32, 40, 10 * number + seed) for seed in range(2)])
    return folder


def test_folders_for_training_and_testing_are_one_split(tmp_path):
    files = [f"{top}/{name}/{top}{name}.avi" for top in ("train", "val") for name in ("Run", "Walk")]
    table = from_class_folders(videos_at(tmp_path, *files), "videos", 1)
    assert table["class"].tolist() == ["Run", "Walk"] * 2
    assert table["split1"].tolist() == ["train", "train", "test", "test"]
    videos_at(tmp_path, "more/a.avi")
    with pytest.raises(UserError, match=r"folders for training and testing \(train, val\) and also more"):
        from_class_folders(tmp_path, "videos", 1)


def test_a_folder_below_a_class_is_a_recording(tmp_path):
    files = [f"shooting/v_{number}/v_{number}_{clip}.mpg" for number in (1, 2, 3) for clip in (1, 2)]
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    table = from_class_folders(tmp_path, "videos", 1)
    assert table["group"].tolist() == ["v_1", "v_1", "v_2", "v_2", "v_3", "v_3"]
    assert table.groupby("group")["split1"].nunique().eq(1).all()


def test_a_link_without_end_is_named(tmp_path):
    videos_at(tmp_path, "Walk/a.avi")
    (tmp_path / "Walk/again").symlink_to(tmp_path)
    with pytest.raises(UserError, match="Walk/again: is a link to a folder that it lies in"):
        find_videos(tmp_path, "videos")


def test_a_name_that_is_no_utf8_is_named(tmp_path):
    Path(tmp_path / os.fsdecode(b"L\xfcft.avi")).touch()
    with pytest.raises(UserError, match=r"L\\xfcft\.avi: rename it"):
        find_videos(tmp_path, "videos")


def test_every_container_is_found_and_what_is_passed_over_is_told(tmp_path):
    for name in ("a.M4V", "b.3gp", "c.gif", "d.mts", "e.ts", "notes.txt", "list.csv", ".hidden"):
        (tmp_path / name).touch()
    assert find_videos(tmp_path, "videos") == ["a.M4V", "b.3gp", "c.gif", "d.mts", "e.ts"]
    assert passed_over(tmp_path, "videos") == ["list.csv", "notes.txt"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_lists_are_read_as_spreadsheets_write_them(tmp_path, encoding, separator):
    rows = ["file,class,group,split", "./A/ö.avi , A ,1,Train", f"{tmp_path}/B/2.avi,B,2,TEST"]
    text = "\n".join(rows).replace(",", separator)
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    (tmp_path / "list.csv").write_bytes((mark + text).encode(encoding))
    table = from_list(tmp_path / "list.csv", 1, tmp_path)
    assert table.to_numpy().tolist() == [["A/ö.avi", "A", "1", "train"], ["B/2.avi", "B", "2", "test"]]


def test_one_video_in_two_spellings_is_listed_twice(tmp_path):
    (tmp_path / "list.csv").write_text("file,class,group,split\nA/1.avi,A,1,train\nA/../A//1.avi,A,2,test\n")
    with pytest.raises(UserError, match=r"lists A/1\.avi twice"):
        from_list(tmp_path / "list.csv", 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,class,group,split\na,b,c,tset\n", "line 2: split1 holds 'tset'"),
        ("file,class,group,split\n\na,,c,test\n", "line 3: has no class"),
        ("file,class,group,split\na,b\n", "line 2: has 2 cells, and the header 4"),
        ("file,class,group,split\na,b,c,test,train\n", "line 2: has 5 cells, and the header 4"),
        ("file,class,group,split,split1\na,b,c,test,train\n", "has the column split1 twice"),
        ('file,class,group,split\n"a,b,c,test\n', "line 2: is not CSV"),
        (
            "file,class,group,split\na,b\u200b,c,test\n",
            r"line 2: class holds 'b\\u200b'; take out what cannot be seen",
        ),
        ("file,class,group,split\na,b\0,c,test\n", "holds zero bytes"),
        ("", "is empty"),
    ],
)
def test_what_is_wrong_in_a_list_is_named_with_its_line(tmp_path, text, said):
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(UserError, match=rf"list\.csv: {said}"):
        from_list(tmp_path / "list.csv", 1)


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\nFILE; Class;group ;Split1\nA/1.avi;A;1;test\n",
        "\n\nfile,class,group,split\r\n\r\nA/1.avi,A,1,test,,\r\n,,,\r\n",
        "note\tsplit\tgroup\tclass\tfile\nx\ttest\t1\tA\tA\\1.avi\n",
    ],
)
def test_what_spreadsheets_and_other_systems_add_does_not_matter(tmp_path, text):
    videos_at(tmp_path, "A/1.avi")
    (tmp_path / "list.csv").write_bytes(text.encode())
    table = from_list(tmp_path / "list.csv", 1, tmp_path)
    assert table.to_numpy().tolist() == [["A/1.avi", "A", "1", "test"]]


def test_a_name_is_found_in_the_form_of_unicode_that_the_file_has(tmp_path):
    composed, apart = "Caf\u00e9.avi", "Cafe\u0301.avi"
    videos_at(tmp_path, apart)
    (tmp_path / "list.csv").write_text(f"file,class,group,split\n{composed},A,1,test\n")
    assert from_list(tmp_path / "list.csv", 1, tmp_path)["file"].tolist() == [apart]


def test_a_whole_path_behind_a_link_is_one_of_the_folder(tmp_path):
    videos_at(tmp_path / "disk", "A/1.avi")
    for link in ("one", "other"):
        (tmp_path / link).symlink_to("disk")
    (tmp_path / "list.csv").write_text(f"file,class,group,split\n{tmp_path}/other/A/1.avi,A,1,test\n")
    assert from_list(tmp_path / "list.csv", 1, tmp_path / "one")["file"].tolist() == ["A/1.avi"]


@pytest.mark.parametrize("tops", [("train", "dev"), ("Train_Set", "test-videos"), ("trainset", "Evaluation")])
def test_folders_for_training_and_testing_have_many_names(tmp_path, tops):
    videos_at(tmp_path, *(f"{top}/{name}/1.avi" for top in tops for name in ("Run", "Walk")))
    table = from_class_folders(tmp_path, "videos", 1)
    assert dict(zip(table["file"], table["split1"], strict=True)) == {
        f"{top}/{name}/1.avi": part
        for top, part in zip(tops, ("train", "test"), strict=True)
        for name in ("Run", "Walk")
    }
    # Two files that are only numbered alike are two groups.
    assert table.groupby(["class", "group"])["split1"].nunique().eq(1).all()


def test_folders_for_training_and_testing_may_lie_below_the_classes(tmp_path):
    files = [f"{name}/{part}/{n}.avi" for name in ("Run", "Walk") for part in ("train", "val") for n in "12"]
    table = from_class_folders(videos_at(tmp_path, *files), "videos", 1)
    assert set(table["class"]) == {"Run", "Walk"} and table["file"].tolist() == files
    assert table["split1"].tolist() == ["train", "train", "test", "test"] * 2
    with pytest.raises(UserError, match="set `splits: 1`"):
        from_class_folders(tmp_path, "videos", 2)


def test_a_folder_for_training_beside_an_unknown_one_is_asked_about(tmp_path):
    videos_at(tmp_path, *(f"{top}/{name}/1.avi" for top in ("train", "rest") for name in ("Run", "Walk")))
    with pytest.raises(UserError, match="has a folder train, and Run both in it and in rest"):
        from_class_folders(tmp_path, "videos", 1)


def test_a_class_may_be_called_train(tmp_path):
    table = from_class_folders(videos_at(tmp_path, "train/1.avi", "car/1.avi", "train/2.avi"), "videos", 1)
    assert set(table["class"]) == {"car", "train"}


def test_links_that_lead_to_each_other_are_named(tmp_path):
    videos_at(tmp_path, "A/1.avi", "B/1.avi")
    (tmp_path / "A/b").symlink_to(tmp_path / "B")
    (tmp_path / "B/a").symlink_to(tmp_path / "A")
    with pytest.raises(UserError, match="is a link to a folder that it lies in"):
        find_videos(tmp_path, "videos")


def test_what_is_hidden_is_no_class_and_what_is_missing_is_named(tmp_path):
    videos_at(tmp_path, ".git/x/1.avi", "A/1.avi", "A/._1.avi")
    assert find_videos(tmp_path, "videos") == ["A/1.avi"]
    assert find_videos(tmp_path / "nowhere", "videos") == []
    with pytest.raises(UserError, match=r"there is no folder .*nowhere"):
        check_folder(tmp_path / "nowhere")


def test_a_folder_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    def walk(folder, onerror, **_):
        onerror(PermissionError(13, "Permission denied", f"{folder}/A"))
        return iter(())

    monkeypatch.setattr("os.walk", walk)
    with pytest.raises(UserError, match="/A: cannot be read: Permission denied"):
        find_videos(tmp_path, "videos")


def indexed(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["file", "class", "sha256", "split1"])
    table["group"] = [f"g {file}" for file in table["file"]]
    return table


def test_one_class_and_two_that_are_one_are_refused(tmp_path):
    with pytest.raises(UserError, match="has one class only, A"):
        refuse_alike(indexed(("1", "A", "x", "train"), ("2", "A", "y", "test")), tmp_path)
    for other in ("walk ", "WALK", "wa lk", "Wa_lk", "w-alk", "walk\u200b", "\uff57alk"):
        with pytest.raises(UserError, match="are written alike"):
            refuse_alike(indexed(("1", "walk", "x", "train"), ("2", other, "y", "test")), tmp_path)
    refuse_alike(indexed(("1", "1-1", "x", "train"), ("2", "11", "y", "test")), tmp_path)


@pytest.mark.parametrize(
    ("one", "other"), [("1", "01"), ("1", "1.0"), ("Rec A", "rec a"), ("caf\u00e9", "cafe\u0301")]
)
def test_a_recording_in_two_spellings_is_not_split_apart(tmp_path, one, other):
    table = indexed(("x", "A", "x", "train"), ("y", "A", "y", "test"), ("z", "B", "z", "test"))
    table["group"] = [one, other, "2"]
    with pytest.raises(UserError, match="of A are written alike, and are on both sides of split1"):
        refuse_alike(table, tmp_path)
    # Names of single files tell no recording; and on one side there is nothing to tell.
    refuse_alike(table.assign(file=[f"A/{one}.avi", f"A/{other}.avi", "z"]), tmp_path)
    refuse_alike(table.assign(split1="train"), tmp_path)


def test_a_video_to_train_and_to_test_on_or_of_two_classes_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"byte for byte.*: 1 and 3 \(split1\)"):
        refuse_repeated(
            indexed(("1", "A", "x", "train"), ("2", "B", "y", "test"), ("3", "A", "x", "test")), tmp_path
        )
    with pytest.raises(UserError, match="is of two classes: 1 and 3"):
        refuse_two_classes(
            indexed(("1", "A", "x", "train"), ("2", "B", "y", "test"), ("3", "B", "x", "train")), tmp_path
        )
    # Twice on one side is a waste, and no leak: it is told.
    twice = indexed(("1", "A", "x", "train"), ("2", "A", "x", "train"), ("3", "B", "y", "test"))
    refuse_repeated(twice, tmp_path)
    assert repeated_videos(twice) == ["1 and 2"]


def test_text_in_a_list_is_no_video(tmp_path):
    videos_at(tmp_path, "a.avi")
    (tmp_path / "notes.txt").write_text("which videos are which\n")
    refuse_text(["a.avi"], tmp_path)
    with pytest.raises(UserError, match=r"notes\.txt: is text, and no video"):
        refuse_text(["a.avi", "notes.txt"], tmp_path)
