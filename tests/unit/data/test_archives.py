import io
import struct
import zipfile

import pytest
from PIL import Image

from vae.data import archives
from vae.uploads import UploadError


def png(colour="red", size=(8, 8)):
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


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
    """12 images of 9.9 MB each, packed a thousandfold; and one that says it is small."""
    bomb = zipped([(f"{i}.png", bytes(9_900_000)) for i in range(12)])
    assert len(bomb) < 200_000
    with pytest.raises(UploadError, match="more than 40 MB"):
        archives.collect([("bomb.zip", bomb)])
    large = zipped([("large.png", bytes(50_000_000)), ("a.png", png())])
    found = archives.collect([("large.zip", large)])
    assert [f.name for f in found.files] == ["a.png"]
    assert found.notes == ["1 image was left out: larger than 10 MB."]


def test_an_entry_that_lies_about_its_size_is_left_out():
    content = bytearray(zipped([("a.png", bytes(50_000_000)), ("b.png", png())]))
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


def test_names_are_escaped_where_they_are_shown_as_markdown():
    assert archives.plain("a_b*[c](d).png") == r"a\_b\*\[c\](d).png"


def test_damaged_entries_count_as_unpacked():
    """Each is inflated before its checksum fails: many of them must not keep the server busy."""
    content = bytearray(zipped([(f"{i}.png", bytes(9_900_000)) for i in range(12)]))
    at = -1
    while (at := content.find(b"PK\x01\x02", at + 1)) >= 0:
        content[at + 16] ^= 255  # the checksum
    with pytest.raises(UploadError, match="more than 40 MB"):
        archives.collect([("crc.zip", bytes(content))])


def test_too_many_entries():
    many = zipped([(f"{i}.txt", b"") for i in range(archives.MAX_ENTRIES + 1)])
    with pytest.raises(UploadError, match="more than 20,000 files"):
        archives.collect([("many.zip", many)])
