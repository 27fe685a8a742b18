"""The build folder is written whole or not at all."""

import errno
import json
from pathlib import Path

import pytest

from hwgen.build_folder.manifest import MANIFEST, check, write_manifest, writing, written_files
from hwgen.errors import BuildError, OptionError


def fill(folder: Path, text: str = "module") -> None:
    with writing(folder) as partial:
        (partial / "rtl").mkdir()
        (partial / "rtl" / "net.v").write_text(text)
        write_manifest(partial, {"name": "net"})


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_folder_appears_with_its_parents(tmp_path: Path) -> None:
    fill(tmp_path / "a" / "build")
    assert check(tmp_path / "a" / "build")["name"] == "net"
    assert names(tmp_path / "a") == ["build"]
    assert written_files(tmp_path / "a" / "build") == ["rtl/net.v", MANIFEST]


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    (tmp_path / "build").mkdir()
    fill(tmp_path / "build")
    assert names(tmp_path) == ["build"]


def test_an_earlier_build_is_replaced(tmp_path: Path) -> None:
    fill(tmp_path / "build", "old")
    (tmp_path / "build" / "waves.fst").touch()
    fill(tmp_path / "build", "new")
    assert (tmp_path / "build" / "rtl" / "net.v").read_text() == "new"
    assert names(tmp_path) == ["build"]
    assert names(tmp_path / "build") == [MANIFEST, "rtl"]


@pytest.mark.parametrize("error", [RuntimeError("bug"), KeyboardInterrupt()])
def test_an_interrupted_build_leaves_the_old_one(tmp_path: Path, error: BaseException) -> None:
    fill(tmp_path / "build", "old")
    with pytest.raises(type(error)), writing(tmp_path / "build") as partial:
        (partial / "half").touch()
        raise error
    assert (tmp_path / "build" / "rtl" / "net.v").read_text() == "old"
    assert names(tmp_path) == ["build"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_full_or_read_only_disk_is_a_sentence(tmp_path: Path, number: int) -> None:
    import os

    with (
        pytest.raises(OptionError, match=r"Cannot write folder '.*build': .*; nothing was kept"),
        writing(tmp_path / "build"),
    ):
        raise OSError(number, os.strerror(number))
    assert names(tmp_path) == []


def test_a_folder_of_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(OptionError, match="holds files that are not hwgen's"):
        fill(tmp_path)
    assert names(tmp_path) == ["thesis.tex"]


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "build").write_text("mine")
    with pytest.raises(OptionError, match="is a file, not a folder"):
        fill(tmp_path / "build")
    with pytest.raises(OptionError, match=r"Cannot create folder '.*inner': .*; choose another folder"):
        fill(tmp_path / "build" / "inner")
    assert (tmp_path / "build").read_text() == "mine"


def test_a_changed_file_is_found(tmp_path: Path) -> None:
    fill(tmp_path / "build")
    (tmp_path / "build" / "rtl" / "net.v").write_text("edited")
    with pytest.raises(BuildError, match=r"net\.v' was changed after it was compiled"):
        check(tmp_path / "build")


def test_a_missing_file_is_found(tmp_path: Path) -> None:
    fill(tmp_path / "build")
    (tmp_path / "build" / "rtl" / "net.v").unlink()
    with pytest.raises(BuildError, match=r"'rtl/net\.v' is missing"):
        check(tmp_path / "build")


@pytest.mark.parametrize("content", ["[]", "{}", '{"format": "hwgen build folder 99", "files": {}}', '{"format": 3}'])
def test_another_format_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / MANIFEST).write_text(content)
    with pytest.raises(BuildError, match="is of format"):
        check(tmp_path)


def test_a_broken_manifest_is_refused(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text("{")
    with pytest.raises(BuildError, match="cannot be read"):
        check(tmp_path)


def test_other_places_are_no_build_folder(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="it has no manifest"):
        check(tmp_path)
    with pytest.raises(BuildError, match="does not exist"):
        check(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(BuildError, match="is a file"):
        check(tmp_path / "file")


def test_the_manifest_has_no_dates_and_no_paths(tmp_path: Path) -> None:
    fill(tmp_path / "build")
    manifest = json.loads((tmp_path / "build" / MANIFEST).read_text())
    assert sorted(manifest) == ["files", "format", "name"]
    assert str(tmp_path) not in json.dumps(manifest)
