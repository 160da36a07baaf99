"""The report of all metrics: known answers by disentanglement_lib's definitions, and what it refuses."""

import itertools
import json
import math

import numpy as np
import pytest

from vae import __main__ as cli
from vae import metrics
from vae.metrics import disentanglement
from vae.metrics.report import METRICS

FAST = {"bootstrap": 2, "seeds": (0,), "without": ("dci", "beta_vae_score")}


def grid(*sizes, repeats=1):
    """All combinations of factor values (N, K), each several times: the factors are independent exactly."""
    return np.repeat(np.array(list(itertools.product(*map(range, sizes)))), repeats, axis=0)


def shuffled(*arrays, seed=0):
    order = np.random.default_rng(seed).permutation(len(arrays[0]))
    return [array[order] for array in arrays]


def values(found):
    return {(s.metric, s.field): s.value for s in found.scores}


def by_name(found):
    scores = {}
    for score in found.scores:
        scores.setdefault(score.metric, score)
    return scores


@pytest.fixture(scope="module", autouse=True)
def few_votes():
    """A tenth of the votes and pairs, which keeps these tests short."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(disentanglement, "TRAIN_POINTS", 1000)
        patch.setattr(disentanglement, "TEST_POINTS", 500)
        yield


@pytest.fixture(scope="module")
def aligned():
    """One continuous dimension for each of three factors, a bit of noise: what every metric calls disentangled."""
    factors, = shuffled(grid(3, 4, 4, repeats=12))
    codes = factors + np.random.default_rng(1).normal(0, 0.02, factors.shape)
    return codes, factors


@pytest.fixture(scope="module")
def report_of_aligned(aligned):
    return metrics.report(*aligned, ("shape", "x", "y"), seeds=(0, 1), bootstrap=2, without=("dci",))


@pytest.mark.slow
def test_an_aligned_code_has_a_dci_of_one(aligned):
    others = [metric.name for metric in METRICS if metric.name != "dci"]
    found = metrics.report(*aligned, bootstrap=2, without=others)
    assert [score.field for score in found.scores] == ["disentanglement", "completeness", "informativeness"]
    for score in found.scores:
        assert score.value == pytest.approx(1, abs=0.02) and score.error < 0.02 and score.chance < 0.6
        assert "over 2 half-samples" in score.protocol


def test_an_aligned_code_has_the_known_answer_of_every_metric(report_of_aligned):
    found = values(report_of_aligned)
    assert found["mig", "mig"] == pytest.approx(1, abs=0.02)
    # each factor's own dimension predicts it; the linear SVM separates only the outer values of one dimension
    assert found["sap", "sap"] > 0.2
    for field in ("infom", "infoc", "infoe"):
        assert found["infomec", field] == pytest.approx(1, abs=0.05)
    assert found["modularity", "modularity"] == pytest.approx(1, abs=0.02)
    assert found["factor_vae_score", "score"] == 1
    assert found["beta_vae_score", "score"] == pytest.approx(1, abs=0.01)
    assert found["total_correlation", "total_correlation"] == pytest.approx(0, abs=0.01)
    assert found["active_units", "active_units"] == 3


def test_every_score_has_error_chance_and_protocol(report_of_aligned):
    for score in report_of_aligned.scores:
        assert score.reason == "" and score.error is not None and "half-samples" in score.protocol, score
        has_chance = score.metric not in ("total_correlation", "active_units")
        assert (score.chance is not None) == has_chance
        assert not has_chance or score.chance < score.value
    seeds = by_name(report_of_aligned)["beta_vae_score"]
    assert len(seeds.seeds) == 2 and "seeds 0, 1" in seeds.protocol
    assert seeds.value == pytest.approx(np.mean(seeds.seeds))
    assert by_name(report_of_aligned)["mig"].chance_error > 0


def test_the_scores_are_those_of_the_functions(aligned, report_of_aligned):
    codes, factors = aligned
    found = by_name(report_of_aligned)
    assert found["mig"].value == metrics.mig(codes, factors).mig
    assert found["mig"].chance == pytest.approx(np.mean([
        metrics.mig(np.random.RandomState(seed).standard_normal(codes.shape), factors).mig for seed in (0, 1)
    ]))  # fmt: skip
    assert found["sap"].value == metrics.sap(codes, factors).sap
    assert found["factor_vae_score"].seeds[1] == metrics.factor_vae_score(codes, factors, 1).score


def test_one_code_for_two_of_ten_factors():
    factors, = shuffled(grid(*[2] * 10))
    codes = np.column_stack([factors[:, 0] + 2 * factors[:, 1], factors[:, 2:]]).astype(float)
    without = ("beta_vae_score", "factor_vae_score", "infomec", "sap")
    found = values(metrics.report(codes, factors, bootstrap=0, seeds=(0,), without=without))
    # the first of nine dimensions is informative about two of ten factors
    assert found["modularity", "modularity"] == pytest.approx(1 - (1 / 9) / 9, abs=1e-6)
    assert found["dci", "disentanglement"] == pytest.approx(1 - 0.2 * math.log(2) / math.log(10), abs=0.02)
    assert found["mig", "mig"] == pytest.approx(1)


def test_a_duplicated_code_has_no_gap():
    factors, = shuffled(grid(4, 5, repeats=20))
    codes = np.column_stack([factors, factors]).astype(float)
    found = metrics.report(codes, factors, **FAST)
    assert values(found)["mig", "mig"] == values(found)["sap", "sap"] == 0
    tc = by_name(found)["total_correlation"]
    assert tc.value is None and tc.reason == "one dimension is a linear function of others"
    assert "Infinity" not in found.json()


def test_discrete_codes_are_counted_value_by_value():
    factors, = shuffled(grid(30, 30))
    # more values than bins, and an order without meaning
    codes = np.random.default_rng(3).permutation(30)[factors]
    found = metrics.report(codes, factors, **FAST)
    assert found.discrete and values(found)["mig", "mig"] == pytest.approx(1)
    assert "one bin for each value" in by_name(found)["mig"].protocol
    assert any("use the values of discrete codes as classes" in note for note in found.notes)
    binned = metrics.report(codes, factors, discrete=False, **FAST)
    assert values(binned)["mig", "mig"] < 0.9
    assert all(s.value is not None or s.reason for s in found.scores)


def test_one_factor_leaves_out_what_compares_factors():
    factors, = shuffled(grid(3, repeats=100))
    codes = np.column_stack([factors[:, 0] + 0.5, np.random.default_rng(0).normal(size=300)])
    found = metrics.report(codes, factors[:, 0], bootstrap=0, seeds=(0,))
    missing = {(s.metric, s.field) for s in found.scores if s.value is None}
    assert missing == {
        ("modularity", "modularity"), ("factor_vae_score", "score"), ("beta_vae_score", "score"),
        ("dci", "disentanglement"),
        ("infomec", "infom"), ("infomec", "infoc"), ("infomec", "infoe"),
    }  # fmt: skip
    assert values(found)["mig", "mig"] > 0.8
    assert by_name(found)["modularity"].reason == "it compares factors: it needs two that vary"


def test_a_constant_factor_is_left_out(aligned):
    codes, factors = aligned
    with_constant = np.column_stack([np.full(len(codes), 7), factors])
    found = metrics.report(codes, with_constant, **FAST)
    assert found.factors[0].rule == "constant, left out"
    assert values(found)["mig", "mig"] == values(metrics.report(codes, factors, **FAST))["mig", "mig"]


def test_float_factors_are_binned_and_the_rule_is_stated():
    rng = np.random.default_rng(0)
    factors = np.column_stack([rng.uniform(-1, 1, 3000), rng.integers(0, 4, 3000) / 4])
    codes = factors @ np.diag([3.0, 8.0]) + rng.normal(0, 0.01, factors.shape)
    found = metrics.report(codes, factors, **FAST)
    assert [f.rule for f in found.factors] == ["continuous, 20 equal-width bins", "classes"]
    assert found.factors[0].values == 3000 and values(found)["mig", "mig"] > 0.85
    assert "continuous, 20 equal-width bins" in found.text() and "continuous, 20" in found.latex()


def test_too_few_rows_share_a_value():
    rng = np.random.default_rng(0)
    factors = np.column_stack([rng.permutation(np.repeat(np.arange(40), 5)), rng.integers(0, 3, 200)])
    found = by_name(metrics.report(rng.normal(size=(200, 3)), factors, **FAST))
    assert found["factor_vae_score"].value is None
    assert found["factor_vae_score"].reason == (
        "it compares rows that share a factor's value, and 100% of the rows have a value of factor 0 that fewer "
        "than 10 rows share"
    )
    assert found["mig"].value is not None


GOOD = np.arange(60).reshape(30, 2) % 7
BAD = {
    "unequal length": (GOOD[:20], GOOD, "codes have 20 rows and factors 30"),
    "one sample": (GOOD[:1], GOOD[:1], "scores need at least 20 rows, not 1"),
    "no rows": (GOOD[:0], GOOD[:0], "scores need at least 20 rows, not 0"),
    "constant codes": (np.ones((30, 2)), GOOD, "every dimension of the codes is constant"),
    "constant factors": (GOOD, np.ones((30, 2)), "every factor is constant"),
    "NaN codes": (np.where(GOOD == 3, np.nan, GOOD), GOOD, "codes of dimension 0 are not all finite"),
    "NaN factors": (GOOD, np.where(GOOD == 3, np.nan, GOOD), "factor 0 is NaN or infinite"),
    "text codes": (GOOD.astype(str) + np.array("a"), GOOD, "codes must be real numbers"),
    "three axes": (GOOD[None], GOOD, "codes must be .N, D. and factors .N, K."),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arrays_get_one_sentence(case):
    codes, factors, sentence = BAD[case]
    with pytest.raises(ValueError, match=sentence) as error:
        metrics.report(codes, factors, **FAST)
    assert "\n" not in str(error.value)


def test_bad_options_get_one_sentence(aligned):
    for options, sentence in (
        ({"without": ("umap",)}, "no metric 'umap': expected mig, sap"), ({"seeds": ()}, "at least one seed"),
        ({"bootstrap": -1}, "0 or more half-samples"),
        ({"names": ("a",)}, "1 names for 3 factors"), ({"bins": 1}, "two bins"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=sentence):
            metrics.report(*aligned, **options)


def test_json_and_latex_hold_the_scores_and_escape_names():
    factors, = shuffled(grid(4, 5, repeats=20))
    codes = factors + np.random.default_rng(0).normal(0, 0.1, factors.shape)
    found = metrics.report(codes, factors, ("50%_x & \\y", "a\n\\input{b}"), **FAST)
    parsed = json.loads(found.json())
    assert {s["metric"] for s in parsed["scores"]} == {m.name for m in METRICS} - {"dci", "beta_vae_score"}
    assert parsed["scores"][0]["value"] == found.scores[0].value
    latex = found.latex()
    table, comments = latex.split("\\end{tabular}\n")
    assert table.startswith("\\begin{tabular}{lrr}\n\\toprule") and "FactorVAE score & " in table
    assert all(line.startswith("%") for line in comments.splitlines()), "names cannot leave a comment"
    assert f"MIG & {found.scores[0].value:.3f} $\\pm$ " in table
    assert table.count("&") == 2 * table.count(r"\\")


# ---- vae score


@pytest.fixture
def files(tmp_path, aligned):
    codes, factors = aligned
    np.save(tmp_path / "codes.npy", codes[:400])
    np.savez_compressed(tmp_path / "both.npz", codes=codes[:400], factors=factors[:400], other=np.ones(3))
    lines = ["shape,x", *(f"{'abcd'[a]},{b}" for a, b, _ in factors[:400])]
    (tmp_path / "factors.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


QUICK = ["--bootstrap", "0", "--seeds", "0", "--without", "dci", "--without", "beta_vae_score"]


def test_the_command_reads_npy_npz_and_csv(files, capsys, aligned):
    assert cli.main(["score", str(files / "codes.npy"), str(files / "factors.csv"), "--json", *QUICK]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [f["name"] for f in found["factors"]] == ["shape", "x"] and found["rows"] == 400
    mig = next(s["value"] for s in found["scores"] if s["metric"] == "mig")
    assert mig == pytest.approx(metrics.mig(aligned[0][:400], aligned[1][:400, :2]).mig)
    assert cli.main(["score", str(files / "both.npz"), str(files / "both.npz"), *QUICK]) == 0
    out = capsys.readouterr().out
    assert out.startswith("metric") and "factor 2: 4 values, classes." in out
    assert cli.main(["score", str(files / "codes.npy"), str(files / "both.npz"), "--latex", *QUICK]) == 0
    assert "\\bottomrule" in capsys.readouterr().out


def test_the_command_refuses_files_with_one_sentence(files, capsys, monkeypatch):
    def refused(path, content=None):
        if isinstance(content, bytes):
            (files / path).write_bytes(content)
        elif content is not None:
            np.save(files / path, content, allow_pickle=True)
        assert cli.main(["score", str(files / path), str(files / "factors.csv")]) == 1
        captured = capsys.readouterr()
        assert captured.out == "" and captured.err.startswith("error: ") and captured.err.count("\n") == 1
        return captured.err

    assert "holds Python objects" in refused("objects.npy", np.array([{"a": 1}], dtype=object))
    whole = (files / "codes.npy").read_bytes()
    assert "damaged or cut off" in refused("short.npy", whole[:-100])
    assert "no array in numpy's format" in refused("text.npy", b"hello")
    assert "must be a file .npy, .npz or .csv" in refused("codes.pkl", b"hello")
    assert "damaged" in refused("broken.npz", b"PK\3\4 no zip")
    assert "row 2 of short.csv" in refused("short.csv", b"1,2\n3\n")
    assert "is empty" in refused("empty.csv", b"")
    assert "no table in UTF-8" in refused("latin.csv", "é".encode("latin-1"))
    claims = np.lib.format.MAGIC_PREFIX + bytes([1, 0])
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999, 8), }"
    header += b" " * (118 - len(header) - 1) + b"\n"
    assert "more than 512 MB" in refused("huge.npy", claims + len(header).to_bytes(2, "little") + header)
    assert "No such file" in refused("missing.npy")
