"""The official lists: read as they are published, checked, and matched with the videos in a folder."""

from pathlib import Path

import pytest
from small_lists import HMDB, ODD, UCF, write_hmdb51, write_ucf101

from twostream.files import UserError
from twostream.videos.lists import from_list
from twostream.videos.official_lists import are_there, locate, read_hmdb51, read_ucf101


@pytest.fixture
def ucf(tmp_path: Path) -> Path:
    return write_ucf101(tmp_path / "lists")


@pytest.fixture
def hmdb(tmp_path: Path) -> Path:
    return write_hmdb51(tmp_path / "lists")


def change(folder: Path, name: str, old: str, new: str) -> None:
    path = next(folder.rglob(name))
    text = path.read_bytes().decode()
    assert old in text
    path.write_bytes(text.replace(old, new).encode())


def test_ucf101(ucf):
    table = read_ucf101(ucf, UCF)
    assert list(table) == ["file", "class", "group", "split1", "split2", "split3"]
    assert table["file"].is_monotonic_increasing
    assert list(dict.fromkeys(table["class"])) == ["HammerThrow", "Hammering", "HandstandPushups"]
    last = table.iloc[-1].to_list()
    file = "HandstandPushups/v_HandStandPushups_g03_c01.avi"
    assert last == [file, "HandstandPushups", "03", "train", "train", "test"]


def test_hmdb51(hmdb):
    table = read_hmdb51(hmdb, HMDB).set_index("file")
    assert table.loc["clap/The_Film_2_clap_f_cm_np1_ba_med_3.avi", "group"] == "The_Film_2_clap"
    assert table["group"].nunique() == 6
    assert table.loc[f"clap/{ODD}"].to_list() == ["clap", "#20_Rhythm_clap", "train", "train", "train"]
    assert table.loc["ride_bike/a[b](c)!&;~+@-d_ride_bike_l_cm_np1_ri_goo_0.avi", "split2"] == "none"


def test_the_table_is_a_list_as_users_write_it(hmdb, tmp_path):
    table = read_hmdb51(hmdb, HMDB)
    table.to_csv(tmp_path / "list.csv", index=False)
    assert from_list(tmp_path / "list.csv", 3).equals(table)


FILE = "Hammering/v_Hammering_g03_c01.avi"


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("trainlist01.txt", f"{FILE} 1\r\n", "", ["5 train videos, not 6", f"split 1: lacks .*: {FILE}"]),
        ("testlist02.txt", "v_Hammering_g02", "v_Hammering_g04", ["10 videos, not 9", "g04", "g02"]),
        ("trainlist01.txt", f"{FILE} 1\r\n", f"{FILE} 1\r\n" * 2, [r"twice .*trainlist01\.txt: line 3"]),
        ("classInd.txt", "1 H", "4 Archery\r\n1 H", ["4 classes, not 3", "without a video: Archery"]),
        ("classInd.txt", "1 Hammering\r\n", "", [r"trainlist01\.txt: line 1: does not fit"]),
        ("classInd.txt", "1 Hammering", "Hammering", [r"classInd\.txt: line 1"]),
        ("trainlist03.txt", "g_g01_", "g_", [r"line \d: does not fit"]),
        ("trainlist02.txt", f"{FILE} 1", f"{FILE} 2", [r"trainlist02\.txt: line 2: does not fit"]),
    ],
)
def test_ucf101_lists_that_differ_are_refused(ucf, name, old, new, said):
    change(ucf, name, old, new)
    for words in said:
        with pytest.raises(UserError, match=words):
            read_ucf101(ucf, UCF)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (f"{ODD} 1", f"{ODD} 2", ["split 3: 1 train videos, not 2", "split 3: 5 test videos, not 4"]),
        (f"{ODD} 1 \r\n", "", [f"split 3: lacks what other splits list: clap/{ODD}"]),
        (f"{ODD} 1", f"{ODD} 3", [r"clap_test_split3\.txt: line 4: is not a video of HMDB-51"]),
        (f"{ODD} 1", "clap.avi 1", ["clap.avi 1"]),
    ],
)
def test_hmdb51_lists_that_differ_are_refused(hmdb, old, new, said):
    change(hmdb, "clap_test_split3.txt", old, new)
    for words in said:
        with pytest.raises(UserError, match=words):
            read_hmdb51(hmdb, HMDB)


def test_missing_lists_are_named(ucf, hmdb, tmp_path):
    next(ucf.rglob("testlist02.txt")).unlink()
    with pytest.raises(UserError, match=r"holds 0 lists named testlist02\.txt"):
        read_ucf101(ucf, UCF)
    next(hmdb.rglob("clap_test_split3.txt")).unlink()
    with pytest.raises(UserError, match="split 3: lacks what other splits list: clap/"):
        read_hmdb51(hmdb, HMDB)
    with pytest.raises(UserError, match="holds no official lists"):
        read_hmdb51(tmp_path / "absent", HMDB)


def place(folder: Path, files: list[str]) -> Path:
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()
    return folder


@pytest.mark.parametrize("form", ["UCF-101/{0}", "{0}", "{1}", "videos/{1}"])
def test_videos_are_found_at_any_depth(ucf, tmp_path, form):
    table = read_ucf101(ucf, UCF)
    real = [form.format(file, Path(file).name) for file in table["file"]]
    folder = place(tmp_path / "videos", [*real, "not_listed.avi"])
    assert locate(table, folder).to_list() == real
    assert are_there(table, folder)


@pytest.mark.parametrize(
    ("old", "new"),
    [("v_HandStand", "v_Handstand"), ("HandstandPushups/", "HandStandPushups/")],
)
def test_both_spellings_of_handstand_are_found(ucf, tmp_path, old, new):
    table = read_ucf101(ucf, UCF)
    real = [file.replace(old, new) for file in table["file"]]
    assert locate(table, place(tmp_path / "videos", real)).to_list() == real


def test_missing_videos_are_named_ten_at_most(hmdb, ucf, tmp_path):
    table = read_hmdb51(hmdb, HMDB)
    folder = place(tmp_path / "videos", table["file"].to_list()[1:])
    with pytest.raises(UserError, match=r"lacks 1 of the 8 listed videos: clap/#20_Rhythm"):
        locate(table, folder)
    assert not are_there(table, folder) and not are_there(table, tmp_path / "absent")
    many = read_ucf101(ucf, UCF)
    many = many.loc[many.index.repeat(2)]
    with pytest.raises(UserError, match=r"lacks 18 of .* and 8 more"):
        locate(many, folder)


def test_a_video_that_is_there_twice_is_named(hmdb, tmp_path):
    table = read_hmdb51(hmdb, HMDB)
    folder = place(tmp_path / "videos", [*table["file"], f"copy/{ODD}"])
    with pytest.raises(UserError, match=f"keep one .*: clap/{ODD} = copy/{ODD}"):
        locate(table, folder)


def test_a_folder_that_is_not_there_is_named(hmdb, tmp_path):
    with pytest.raises(UserError, match=r"there is no folder .*absent"):
        locate(read_hmdb51(hmdb, HMDB), tmp_path / "absent")
