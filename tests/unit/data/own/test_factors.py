import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vae.data import own
from vae.data.base import FactorGrid
from vae.data.own import factors
from vae.uploads import UploadError

from .images import picture, unpacked, zipped

FILES = [(f"{'ab'[i % 2]}/{i:03}.png", picture(i)) for i in range(120)]
TABLE = "file,shape,size\n" + "".join(f"{name},{'os'[i % 2]},{i % 5}\n" for i, (name, _) in enumerate(FILES))


def opened(table, files=FILES, name="factors.csv"):
    content = table if isinstance(table, bytes) else table.encode()
    return own.open_source([("a.zip", zipped([*files, (name, content)]))])


def built(source, folder):
    check = own.check(source, 28)
    assert check.refusal == ""
    return own.build(source, check, folder / "mine", "Mine", 28)


@pytest.mark.parametrize(
    "table",
    [
        TABLE, TABLE.replace(",", ";"), TABLE.replace(",", "\t"), TABLE.replace("\n", "\r\n"), "\ufeff" + TABLE,
        TABLE.replace("/", "\\"), TABLE.replace("\na/", "\n./a/"), TABLE.encode("utf-16"), TABLE + "\n\n,,\n",
        TABLE.replace("shape", " shape "), TABLE.replace("file,", '"the, file",'),
    ],
)  # fmt: skip
def test_a_table_as_spreadsheets_write_it(table):
    source = opened(table)
    assert source.refusal == ""
    assert source.table.factors.names == ("shape", "size")
    assert source.table.factors.values == (("o", "s"), ("0", "1", "2", "3", "4"))
    order = sorted(range(120), key=lambda i: FILES[i][0])
    np.testing.assert_array_equal(source.table.rows, [[i % 2, i % 5] for i in order])


@pytest.mark.parametrize("above, prefix", [("", ""), ("data/", ""), ("data/", "data/")])
def test_paths_start_beside_the_table_or_at_the_top(above, prefix):
    files = [(above + name, content) for name, content in FILES]
    table = TABLE.replace("\na/", f"\n{prefix}a/").replace("\nb/", f"\n{prefix}b/")
    assert opened(table, files, f"{above}factors.csv").refusal == ""


@pytest.mark.parametrize(
    "old, new, sentence",
    [
        ("a/000.png", "a/xyz.png", "Row 2 of factors.csv names a/xyz.png, which is not among the images."),
        ("a/000.png", "../../etc/<b>", "Row 2 of factors.csv names ../../etc/b, which is not among the images."),
        ("a/002.png", "a/000.png", "Row 4 of factors.csv names a/000.png a second time."),
        ("a/118.png,o,3\n", "", "factors.csv has no row for the image a/118.png."),
        ("a/002.png,o,2", "a/002.png,o", "Row 4 of factors.csv has 2 columns, but the first row has 3."),
        ("a/002.png,o,2", "a/002.png,,2", "Row 4 of factors.csv has no value for shape."),
        ("shape,size", "size,size", "The first row of factors.csv must name its columns"),
        ("shape,size", ",size", "The first row of factors.csv must name its columns"),
        ("file,shape,size", "file", "The first row of factors.csv must name its columns"),
        (TABLE, "", "The first row of factors.csv must name its columns"),
        (TABLE, "file,x\n" + "".join(f"{name},1\n" for name, _ in FILES), "factors.csv gives every image the same"),
        (TABLE, "file,x\n" + "".join(f"{name},{name}\n" for name, _ in FILES), "The factor x has 120 different texts"),
        (TABLE, 'file,x\n"' + "x" * 200_000, "Row 2 of factors.csv cannot be read."),
        (TABLE, TABLE + "," * 100, "Row 122 of factors.csv has more than 65 columns."),
    ],
)
def test_a_table_that_does_not_match_is_refused_with_its_row(old, new, sentence):
    assert old in TABLE
    source = opened(TABLE.replace(old, new))
    assert source.refusal.startswith(sentence)
    assert own.check(source, 28).refusal == source.refusal


def test_a_table_that_is_much_larger_than_its_images_need_is_not_read():
    assert opened(TABLE + "\n" * 2**21).refusal == "factors.csv is too large for 120 images."


def test_two_tables_are_one_too_many():
    source = opened(TABLE, [*FILES, ("a/factors.csv", TABLE.encode())])
    assert source.refusal == "There are 2 files named factors.csv; only one is possible."


def test_numbers_with_many_values_are_binned():
    table = "file,x,y\n" + "".join(f"{name},{i / 7:.3f},{i % 3}.0\n" for i, (name, _) in enumerate(FILES))
    source = opened(table)
    names = source.table.factors.values
    assert len(names[0]) == factors.BINS and names[0][0] == "0 to 0.85" and names[1] == ("0", "1", "2")
    order = sorted(range(120), key=lambda i: FILES[i][0])
    np.testing.assert_array_equal(source.table.rows[:, 0], [min(19, int(i / 119 * 20)) for i in order])
    check = own.check(source, 28)
    assert "x has 120 values and is divided into 20 equal bins." in check.sentences
    assert check.factors == {"x": 20, "y": 3}


def test_factors_without_a_grid_are_stored(tmp_path):
    source = opened(TABLE, [*FILES, ("a/bad.png", b"no")])
    assert "has no row for the image a/bad.png" in source.refusal
    source = opened(TABLE + "a/bad.png,other,4\n", [*FILES, ("a/bad.png", b"no")])
    info = built(source, tmp_path)
    assert info.grid is None and info.factors.names == ("shape", "size")
    assert info.factors.sizes == (2, 5)  # "other" was the value of an image that cannot be decoded
    assert info.classes == ("a", "b")
    for name in ("train", "validation", "test"):
        split = info.load(name)
        assert split.grid is None and split.factors.shape == (len(split), 2) and split.factors.dtype == np.int64
        np.testing.assert_array_equal(split.factors[:, 0], split.labels)


def test_a_full_grid_is_rendered_from_its_images(tmp_path):
    values = list(itertools.product(range(3), range(4), range(10)))
    files = [(f"{i:03}.png", picture(i)) for i in range(120)]
    table = "file,x,y,z\n" + "".join(f"{i:03}.png,{x},{y},{z}\n" for i, (x, y, z) in enumerate(values))
    info = built(own.open_source(unpacked([*files, ("factors.csv", table)], tmp_path / "files")), tmp_path)
    assert isinstance(info.grid, FactorGrid) and info.grid is info.factors and info.grid.sizes == (3, 4, 10)
    assert info.classes == ("0", "1", "2")
    images = np.load(tmp_path / "mine" / "images.npy")
    np.testing.assert_array_equal(info.grid.render(np.array(values)), images)
    with pytest.raises(ValueError):
        info.grid.render(np.array([[3, 0, 0]]))
    split = info.load("test")
    assert split.grid is not None
    np.testing.assert_array_equal(info.grid.render(split.factors), split.render(np.arange(len(split))))
    again = built(own.open_source([*files[:119], ("factors.csv", table.rsplit("119", 1)[0].encode())]), tmp_path / "2")
    assert again.grid is None and again.factors.sizes == (3, 4, 10)


CELLS = st.lists(st.lists(st.text(max_size=8), max_size=4), max_size=6)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | CELLS.map(lambda rows: "\n".join(map(",".join, rows)).encode()))
def test_any_table_gives_factors_or_a_sentence(content):
    try:
        table = factors.parse(content, [["a.png"], ["b", "c.png"]])
    except UploadError as error:
        assert str(error).endswith(".") and "<" not in str(error) and len(str(error)) < 300
    else:
        assert table.rows.shape == (2, len(table.factors.names))
        assert all(set(column) <= set(range(n)) for column, n in zip(table.rows.T, table.factors.sizes, strict=True))
        assert all(len(set(values)) == len(values) for values in table.factors.values)


def test_values_that_look_alike_stay_apart():
    """Markup is removed from names; two values may not become one name, or the folder could not be read."""
    table = factors.parse(b"file,x\n1.png,a<b\n2.png,ab\n3.png,[]\n", [["1.png"], ["2.png"], ["3.png"]])
    assert table.factors.values == (("unnamed", "ab", "ab (2)"),)
