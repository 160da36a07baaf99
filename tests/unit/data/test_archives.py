import io
import struct
import tomllib
import unicodedata
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vae.data import archives
from vae.uploads import UploadError


def png(colour="red", size=(8, 8)):
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


def stored(names, flags=0, extra=b"", content=None):
    """A zip of one small image under these raw names, without the flag of UTF-8 unless it is in flags."""
    data, out, central = content or png(), b"", b""
    for name in names:
        sizes = struct.pack("<IIIHH", zlib.crc32(data), len(data), len(data), len(name), len(extra))
        local = struct.pack("<IHHHHH", 0x04034B50, 20, flags, 0, 0, 0x5821) + sizes + name + extra
        central += struct.pack("<IHHHHHH", 0x02014B50, 20, 20, flags, 0, 0, 0x5821) + sizes
        central += struct.pack("<HHHII", 0, 0, 0, 0, len(out)) + name + extra
        out += local + data
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, len(names), len(names), len(central), len(out), 0)
    return out + central + end


def places(content):
    return [(f.folder, f.name) for f in archives.collect([("a.zip", content)]).files]


def zipped(entries, compression=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return buffer.getvalue()


def test_images_and_archives_become_one_list():
    archive = zipped([("a.png", png()), ("sub/deep/b.JPG", b"not decoded here"), ("sub/", b"")])
    found = archives.collect([("one.png", png("blue")), ("all.zip", archive)])
    assert [(f.name, f.folder) for f in found.files] == [("one.png", ""), ("a.png", ""), ("b.JPG", "deep")]
    assert found.files[0].content == png("blue") and found.files[2].content == b"not decoded here"
    assert found.notes == []


def test_other_files_are_left_out_and_told():
    archive = zipped(
        [("a.png", png()), ("notes.txt", b"x"), ("inner.zip", zipped([("b.png", png())])),
         ("__MACOSX/._a.png", b"x"), (".hidden.png", b"x")]
    )  # fmt: skip
    found = archives.collect([("all.zip", archive)])
    assert [f.name for f in found.files] == ["a.png"]
    assert found.notes == ["2 other files were left out: not PNG, JPEG, WebP or GIF."]


def test_of_3000_images_the_first_2000_are_used():
    archive = zipped([(f"{i}.png", b"x") for i in range(3000)])
    found = archives.collect([("all.zip", archive)])
    assert len(found.files) == 2000 and found.files[-1].name == "1999.png"
    assert found.notes == ["Only the first 2,000 images are used; 1,000 more were left out."]


def test_an_archive_without_images_and_a_damaged_one():
    with pytest.raises(UploadError, match="all.zip holds no PNG"):
        archives.collect([("all.zip", zipped([("a.txt", b"x")]))])
    for content in (b"", b"PK\x03\x04 nonsense", zipped([("a.png", png())])[:-30]):
        with pytest.raises(UploadError, match="damaged"):
            archives.collect([("all.zip", content)])


def test_a_bomb_is_not_unpacked():
    """Five images of 9.9 MB each, packed a thousandfold; and one that says it is small."""
    bomb = zipped([(f"{i}.png", bytes(9_900_000)) for i in range(5)])
    assert len(bomb) < 200_000
    with pytest.raises(UploadError, match="more than 40 MB"):
        archives.collect([("bomb.zip", bomb)])
    large = zipped([("large.png", bytes(26_500_000)), ("a.png", png())])
    found = archives.collect([("large.zip", large)])
    assert [f.name for f in found.files] == ["a.png"]
    assert found.notes == ["1 image was left out: larger than 25 MB."]


def test_an_entry_that_lies_about_its_size_is_left_out():
    content = bytearray(zipped([("a.png", bytes(26_500_000)), ("b.png", png())]))
    for signature, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        first = content.find(signature)
        content[first + at : first + at + 4] = struct.pack("<I", 100)
    found = archives.collect([("lies.zip", bytes(content))])
    assert [f.name for f in found.files] == ["b.png"]
    assert "damaged, encrypted" in found.notes[0]


def test_unusual_packing_and_encryption_are_left_out():
    content = zipped([("a.png", png())], zipfile.ZIP_LZMA)
    assert archives.collect([("lzma.zip", content)]).files == []
    marked = bytearray(zipped([("a.png", png())]))
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        marked[marked.find(signature) + at] |= 1  # "encrypted"
    assert archives.collect([("secret.zip", bytes(marked))]).files == []


def test_names_are_text_and_never_paths_or_markup():
    archive = zipped([("../../etc/<b>_x_.png", png()), ("C:\\up\\c.png", png()), ("n" * 200 + ".png", png())])
    names = [f.name for f in archives.collect([("all.zip", archive)]).files]
    assert names[0] == "b_x_.png" and all(len(name) <= 60 and "<" not in name for name in names)
    assert archives.collect([("all.zip", archive)]).files[0].folder == "etc"


@pytest.mark.parametrize(
    "raw, place",
    [
        (b"ones\\1.png", ("ones", "1.png")),
        (b"all\\ones/1.png", ("ones", "1.png")),
        (b"C:\\Users\\me\\ones\\1.png", ("ones", "1.png")),
        (b"C:\\1.png", ("", "1.png")),
        (b"\\\\server\\share\\1.png", ("share", "1.png")),
        (b"/tmp/ones/1.png", ("ones", "1.png")),
        (b"/1.png", ("", "1.png")),
        (b"../../1.png", ("", "1.png")),
        (b"..\\..\\1.png", ("", "1.png")),
        (b"ones/../1.png", ("ones", "1.png")),
        (b"./ones//./1.png", ("ones", "1.png")),
        ("été/1.png".encode(), ("été", "1.png")),
        (unicodedata.normalize("NFD", "señal/é.png").encode(), ("señal", "é.png")),
        ("数字/七.png".encode(), ("数字", "七.png")),
        ("größe/ü.png".encode("cp437"), ("größe", "ü.png")),
        ("größe.png".encode("cp437"), ("", "größe.png")),
        ("señal/año.png".encode("cp437"), ("señal", "año.png")),
        ("ねこ/写真1.png".encode("cp932"), ("ねこ", "写真1.png")),
        ("表示\\七.png".encode("cp932"), ("表示", "七.png")),
        (b"ones/1.png\0.txt", ("ones", "1.png")),
    ],
)
def test_names_of_other_programs_and_systems(raw, place):
    assert places(stored([raw])) == [place]


def test_names_say_their_encoding_in_three_ways():
    name = "été/1.png".encode()
    assert places(stored([name], flags=0x800)) == [("été", "1.png")]
    field = b"\x01" + zlib.crc32(b"_t_/1.png").to_bytes(4, "little") + name
    other = struct.pack("<HH", 0x5455, 5) + bytes(5)  # a time of day comes first
    extra = other + struct.pack("<HH", 0x7075, len(field)) + field
    assert places(stored([b"_t_/1.png"], extra=extra)) == [("été", "1.png")]
    mixed = stored([name, "größe/2.png".encode("cp437"), b"ones\\3.png"])
    assert places(mixed) == [("été", "1.png"), ("größe", "2.png"), ("ones", "3.png")]


@pytest.mark.parametrize("name", [b"a/1.jfif", b"1.jpe", b"a/1.JPG", b"1", b"a.b/1", b"1.txt", b"photo.bin"])
def test_the_bytes_make_an_image_and_not_the_name(name):
    jpeg = io.BytesIO()
    Image.new("RGB", (8, 8)).save(jpeg, "JPEG")
    assert len(places(stored([name], content=jpeg.getvalue()))) == 1
    with pytest.raises(UploadError, match="holds no"):
        places(stored([b"1.txt", b"2"], content=b"no image"))


def test_an_upload_is_a_zip_by_its_bytes_or_its_name():
    content = stored([b"1.png", b"2.png"])
    assert len(archives.collect([("photos", content)]).files) == 2
    assert [f.name for f in archives.collect([("C:\\fakepath\\1.jfif", png())]).files] == ["1.jfif"]


def test_what_systems_add_is_not_counted():
    names = [b"ones/1.png", b"ones/.DS_Store", b"__MACOSX/ones/._1.png", b"ones\\Thumbs.db", b"desktop.ini",
             b"ones/Icon\r", b"@eaDir/1.png", b"twos\\", b".git/a.png", b".."]  # fmt: skip
    found = archives.collect([("a.zip", stored(names))])
    assert [(f.folder, f.name) for f in found.files] == [("ones", "1.png")] and found.notes == []


NAMES = st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=5)


@given(NAMES, st.sampled_from([0, 0x800]), st.binary(max_size=30))
def test_any_names_give_files_or_a_sentence(names, flags, extra):
    try:
        for file in archives.collect([("a.zip", stored(names, flags, extra))]).files:
            assert file.name and file.name.isprintable() and "/" not in file.name + file.folder
    except UploadError as error:
        assert str(error).endswith(".")


def test_names_are_escaped_where_they_are_shown_as_markdown():
    assert archives.plain("a_b*[c](d).png") == r"a\_b\*\[c\](d).png"


def test_damaged_entries_count_as_unpacked():
    """Each is inflated before its checksum fails: many of them must not keep the server busy."""
    content = bytearray(zipped([(f"{i}.png", bytes(9_900_000)) for i in range(5)]))
    at = -1
    while (at := content.find(b"PK\x01\x02", at + 1)) >= 0:
        content[at + 16] ^= 255  # the checksum
    with pytest.raises(UploadError, match="more than 40 MB"):
        archives.collect([("crc.zip", bytes(content))])


def test_the_server_takes_files_as_large_as_these_limits():
    with open(Path(__file__).parents[3] / ".streamlit" / "config.toml", "rb") as file:
        limit = tomllib.load(file)["server"]["maxUploadSize"] * 2**20
    assert limit == archives.MAX_UNPACKED >= archives.MAX_BYTES


def test_names_of_one_archive_have_one_encoding():
    """A name that says little alone is read as the others are."""
    names = ["ネコ/1.png".encode("cp932"), "犬/2.png".encode("cp932")]
    assert places(stored(names)) == [("ネコ", "1.png"), ("犬", "2.png")]
    assert places(stored(["Ñandú/1.png".encode("cp437"), "Möbel/2.png".encode("cp437")])) == [
        ("Ñandú", "1.png"), ("Möbel", "2.png"),
    ]  # fmt: skip


def test_a_long_list_of_files_is_not_read(monkeypatch):
    monkeypatch.setattr(archives, "MAX_ENTRIES", 3)
    monkeypatch.setattr(archives.zipfile, "ZipFile", lambda *arguments: pytest.fail("the list was read"))
    with pytest.raises(UploadError, match="more than 3 files"):
        archives.collect([("many.zip", stored([b"n" * 200 + b".png"] * 30))])


def test_too_many_entries(monkeypatch):
    monkeypatch.setattr(archives, "MAX_ENTRIES", 2000)
    many = zipped([(f"{i}.txt", b"") for i in range(2001)])
    with pytest.raises(UploadError, match="more than 2,000 files"):
        archives.collect([("many.zip", many)])
