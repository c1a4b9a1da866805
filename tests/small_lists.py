"""Official lists as they are published, but short: three classes of UCF-101, two of HMDB-51."""

from pathlib import Path

from twostream.videos.official_lists import Counts

UCF = Counts(classes=3, videos=9, splits=((6, 3),) * 3)
HMDB = Counts(classes=2, videos=8, splits=((2, 4),) * 3)
NUMBERS = {"Hammering": 1, "HammerThrow": 2, "HandstandPushups": 3}
NAMES = {"HandstandPushups": "HandStandPushups"}  # the files of this class are spelt otherwise
ODD = "#20_Rhythm_clap_u_nm_np1_fr_goo_0.avi"


def crlf(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(f"{line}\r\n" for line in lines).encode())


def write_ucf101(folder: Path) -> Path:
    """Three classes of three groups; split s tests on group s."""
    lists = folder / "ucfTrainTestlist"
    crlf(lists / "classInd.txt", [f"{number} {name}" for name, number in NUMBERS.items()])
    for split in (1, 2, 3):
        parts: dict[str, list[str]] = {"train": [], "test": []}
        for name, number in NUMBERS.items():
            for group in (1, 2, 3):
                file = f"{name}/v_{NAMES.get(name, name)}_g{group:02d}_c01.avi"
                if group == split:
                    parts["test"].append(file)
                else:
                    parts["train"].append(f"{file} {number}")
        for part, lines in parts.items():
            crlf(lists / f"{part}list0{split}.txt", lines)
    return folder


def write_hmdb51(folder: Path) -> Path:
    """Two classes, each with two clips of one film, and two with odd names."""
    for name in ("clap", "ride_bike"):
        codes = {
            f"The_Film_2_{name}_f_cm_np1_ba_med_3.avi": 2,
            f"The_Film_2_{name}_h_nm_np2_le_bad_12.avi": 2,
            f"a[b](c)!&;~+@-d_{name}_l_cm_np1_ri_goo_0.avi": 0,
            ODD.replace("clap", name): 1,
        }
        for split in (1, 2, 3):
            lines = [f"{file} {code} " for file, code in codes.items()]
            crlf(folder / "testTrainMulti_7030_splits" / f"{name}_test_split{split}.txt", lines)
    return folder
