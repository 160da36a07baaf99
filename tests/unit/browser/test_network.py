"""The browser's runtime in node, against torch: each operation, whole networks, and what cannot be exported."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

import vae
from vae import store
from vae.models import FAMILIES
from vae.models.portable import NotPortable, network_file, networks, portable

SCRIPT = Path(__file__).parents[2] / "js/run_networks.mjs"


def node_of() -> str:
    """Return the path of node, or skip the test where there is none."""
    node = shutil.which("node")
    if node is None:
        if os.environ.get("CI"):
            pytest.fail("CI has no node: .ci/run must install it")
        pytest.skip("no node on this machine")
    return node


def in_node(jobs: list[dict], script: Path = SCRIPT) -> list:
    """Run jobs of a script in tests/js. Returns the results: of run_networks.mjs {"outputs", "milliseconds"} each."""
    done = subprocess.run([node_of(), script], input=json.dumps(jobs).encode(), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def as_browser(x: torch.Tensor) -> list[float]:
    """Return the values of a tensor in the order that the runtime takes and returns: an image as (H, W, C)."""
    return (x.permute(0, 2, 3, 1) if x.ndim == 4 else x).double().flatten().tolist()


# ---- shipped models

def codes(model: vae.models.LatentModel) -> torch.Tensor:
    """Return codes (6, D): samples, zeros, and codes far from all data."""
    generator = torch.Generator().manual_seed(0)
    far = 30 * torch.randn(2, model.latent_dim, generator=generator)
    return torch.cat([model.sample(3, generator=generator), torch.zeros(1, model.latent_dim), far])


def images(model: vae.models.LatentModel) -> torch.Tensor:
    """Return images (6, C, H, W): decoded ones, noise, black and white."""
    generator = torch.Generator().manual_seed(1)
    y = torch.arange(3) % model.num_classes if model.conditional else None
    decoded = model.decode(model.sample(3, generator=generator), y)
    noise = torch.rand(1, *model.image_shape, generator=generator)
    return torch.cat([decoded, noise, torch.zeros_like(noise), torch.ones_like(noise)])


def expected_of(model: vae.models.LatentModel) -> dict[str, tuple[list, list]]:
    """Return for each network {name: (inputs of each call, expected outputs of each call)}."""
    z, x, calls = codes(model), images(model), {}
    y = torch.tensor([0, 3, model.num_classes - 1, 1, 2, 5]) if model.conditional else None
    condition = [] if y is None else [nn.functional.one_hot(y, model.num_classes).float()]
    q = model.encode(x, y)
    calls["decode"] = [z, *condition], [model.decode(z, y), model.decode_logits(z, y)]
    calls["encode"] = [x, *condition], [q.mean] if model.deterministic else [q.mean, q.stddev]
    if model.classifies:
        calls["classify"] = [x], [model.classify(x)]
    elif model.conditional:
        calls["classify"] = [x, *condition], [model.class_score(x, y)[:, None]]
    rows = lambda tensors: [[as_browser(t[i : i + 1]) for t in tensors] for i in range(len(z))]  # noqa: E731
    return {name: (rows(inputs), rows(outputs)) for name, (inputs, outputs) in calls.items()}


@pytest.mark.parametrize("name", [card.name for card in vae.available()])
@torch.no_grad()
def test_shipped_networks_compute_as_in_torch(name):
    """Scores of classes are sums over all pixels, so their error is relative. That of logits is relative to the
    largest of the image, since they are sums of terms of that size. That of all other values is absolute."""
    model, folder = vae.load(name), store.PRETRAINED / name
    calls = expected_of(model)
    assert list(store.Store().read_network(name)["networks"]) == list(calls), "each network is portable"
    files = {"file": str(folder / "network.json"), "weights": str(folder / "model.safetensors")}
    cases = [(network, *call, plain) for network, call in calls.items() for plain in (False, True)]
    jobs = [{**files, "network": network, "calls": inputs, "plain": plain} for network, inputs, _, plain in cases]
    for (network, _, wanted, plain), found in zip(cases, in_node(jobs), strict=True):
        assert [len(call) for call in found["outputs"]] == [len(call) for call in wanted]
        pairs = [pair for call in zip(found["outputs"], wanted, strict=True) for pair in zip(*call, strict=True)]
        pairs = [(np.array(a, float), np.array(b)) for a, b in pairs]
        sizes = {"encode": np.ones_like, "classify": np.abs, "decode": lambda b: np.abs(b).max()}
        worst = max((np.abs(a - b) / np.maximum(1, sizes[network](b))).max() for a, b in pairs)
        language = "JavaScript" if plain else "WebAssembly"
        print(f"| {name} | {network} | {language} | {worst:.1e} | {found['milliseconds']:.1f} ms |")
        assert worst < 1e-4


@pytest.mark.parametrize("card", vae.available(), ids=lambda card: card.name)
def test_network_files_belong_to_the_weights_of_the_card(card):
    network = store.Store().read_network(card.name)
    assert network["weights_sha256"] == card.weights_sha256 and network["image_shape"] == list(card.image_shape)
    assert not network["not_portable"]
    assert (store.PRETRAINED / card.name / "network.json").stat().st_size < 60_000


@pytest.mark.parametrize("name", ["mnist-iaf", "mnist-m2", "mnist-vamp", "rooms-vqvae"])
def test_network_files_are_those_that_the_code_writes(name):
    """If this fails, run `python -m vae portable --all`."""
    written = store.Store().read_network(name)
    del written["first_view"]
    found = json.loads(json.dumps(network_file(vae.load(name))))
    priors = [part.pop("prior") or {"mean": [], "stddev": []} for part in (written, found)]
    assert found == written
    for moment in ("mean", "stddev"):  # VampPrior's come out of its encoder
        np.testing.assert_allclose(priors[0][moment], priors[1][moment], rtol=1e-4, atol=1e-6)


# ---- any module

class Computes(nn.Module):
    """A function as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *x):
        return self.function(*x)


def shuffled(module: nn.Module) -> nn.Module:
    """Return a module in eval mode whose parameters and running statistics are all random."""
    for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
        if tensor.is_floating_point():
            with torch.no_grad():
                tensor.copy_(torch.rand_like(tensor) + 0.3 if "var" in name else torch.randn_like(tensor) / 2)
    return module.eval()


class Cases(nn.Module):
    """Modules side by side, each with inputs of its own, so that one export serves them all."""

    def __init__(self, modules, counts):
        super().__init__()
        self.modules_, self.counts = nn.ModuleList(modules), counts

    def forward(self, *x):
        """Return all outputs, and the number of the module that each belongs to."""
        found, x = [], list(x)
        for module, count in zip(self.modules_, self.counts, strict=True):
            out = module(*[x.pop(0) for _ in range(count)])
            found.append(out if isinstance(out, (tuple, list)) else [out])
        return flat(found)


def flat(nested):
    return [tensor for part in nested for tensor in (flat(part) if isinstance(part, (tuple, list)) else [part])]


@pytest.mark.parametrize("modulated", [False, True])
@torch.no_grad()
def test_a_code_of_few_values_is_computed_as_in_torch(modulated, tmp_path):
    """Of a QLAE, whose encoder rounds to values and whose decoder rounds again."""
    torch.manual_seed(0)
    family = FAMILIES["qlae"]
    config = family.Config((3, 16, 16), 5, "conv", (16,), (16,), (8, 8), codebook=7, modulated=modulated)
    model = shuffled(family(config)).requires_grad_(False)
    for name, network in networks(model).items():
        weights = tmp_path / f"{name}.safetensors"
        save_file({key: tensor.clone().contiguous() for key, tensor in network.tensors.items()}, weights)
        inputs, wanted = expected_of(model)[name]
        graph = json.loads(json.dumps(network.graph))
        (found,) = in_node([{"graph": graph, "weights": str(weights), "calls": inputs}])
        for one, other in zip(found["outputs"], wanted, strict=True):
            for a, b in zip(one, other, strict=True):
                np.testing.assert_allclose(np.array(a, float), np.array(b), rtol=1e-4, atol=1e-4)


def compare(cases: list[tuple], folder: Path, tolerance: float = 1e-5) -> None:
    """Compare the runtime's results with torch's. cases: (module or function, shapes or tensors of its inputs...)."""
    modules = [case[0] if isinstance(case[0], nn.Module) else Computes(case[0]) for case in cases]
    given = [[x if isinstance(x, torch.Tensor) else 2 * torch.randn(x) for x in case[1:]] for case in cases]
    together, x = shuffled(Cases(modules, [len(part) for part in given])), flat(given)
    network = portable(together, {f"x{i}": part for i, part in enumerate(x)})
    weights = folder / "weights.safetensors"
    save_file({name: tensor.clone().contiguous() for name, tensor in network.tensors.items()}, weights)
    graph = json.loads(json.dumps(network.graph, allow_nan=False))
    calls = [[as_browser(part) for part in x]] * 2
    with torch.no_grad():
        wanted = [(module, flat([module(*x)])) for module, x in zip(together.modules_, given, strict=True)]
    job = {"graph": graph, "weights": str(weights), "calls": calls}
    for done in in_node([job, {**job, "plain": True}]):
        first, again = done["outputs"]
        assert first == again, "a run leaves something behind for the next"
        found = iter(first)
        for number, (module, outputs) in enumerate(wanted):
            for expected in outputs:
                scale = max(1.0, expected.double().abs().max().item())
                difference = np.abs(np.array(next(found), float) - as_browser(expected)).max()
                assert difference <= tolerance * scale, f"case {number}, {module}"
        assert next(found, None) is None


ACTIVATIONS = [
    nn.ReLU(), nn.ReLU6(), nn.LeakyReLU(0.1), nn.PReLU(4), nn.ELU(0.7), nn.SELU(), nn.CELU(1.3), nn.GELU(),
    nn.GELU("tanh"), nn.SiLU(), nn.Mish(), nn.Sigmoid(), nn.LogSigmoid(), nn.Tanh(), nn.Softplus(), nn.Softplus(2, 1),
    nn.Softsign(), nn.Hardtanh(-0.5, 0.7), nn.Hardsigmoid(), nn.Hardswish(), nn.Tanhshrink(), nn.Threshold(0.1, 3),
    nn.Softmax(1), nn.Softmax(3), nn.LogSoftmax(1), nn.GLU(1), nn.Dropout(), nn.Identity(),
    nn.Sequential(nn.Identity(), Computes(lambda x: 2 * x), nn.ReLU(inplace=True)),
]  # fmt: skip


def test_activations(tmp_path):
    torch.manual_seed(0)
    image, wide = 6 * torch.randn(1, 4, 3, 5), 200 * torch.randn(1, 4, 2, 2)  # where exponentials overflow, too
    compare([(module, x) for module in ACTIVATIONS for x in (image, wide)], tmp_path)


def test_functions_of_each_element(tmp_path):
    torch.manual_seed(0)
    signed = torch.tensor([[-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 1e-8, 30.0, -30.0]])
    positive = signed.abs()
    functions = [
        torch.exp, torch.expm1, torch.abs, torch.neg, torch.sign, torch.sin, torch.cos, torch.erf, torch.floor,
        torch.ceil, torch.round, torch.trunc, torch.reciprocal, lambda x: x.clamp(min=0.2), lambda x: x.clamp(max=0.2),
        lambda x: x**2, lambda x: x**-1, lambda x: 2**x, lambda x: 1 - x, lambda x: 3 / x, lambda x: x.add(x, alpha=3),
        lambda x: x.long().float(), lambda x: (x > 0.3).float(), lambda x: torch.where(x == 0.5, x + 3, -x),
        lambda x: torch.where(x <= 0, -torch.inf, x).exp(), lambda x: torch.logaddexp(x, torch.full_like(x, -0.5)),
        lambda x: (x > 0).logical_and(x < 2).float(), lambda x: (x.bool() | (x != 1)).float(),
        lambda x: x.addcmul(x, x), lambda x: x.clamp(torch.tensor([-1.0]), torch.tensor(2.0)),
        lambda x: x.clamp(-torch.inf, 1.0), lambda x: x.clamp(0.5, torch.inf),
    ]  # fmt: skip
    compare([(f, signed) for f in functions], tmp_path)
    compare([(f, positive) for f in (torch.sqrt, torch.rsqrt, torch.log, torch.log1p)], tmp_path)


def test_broadcasting(tmp_path):
    torch.manual_seed(0)
    shapes = [
        ((1, 3, 4, 5), (1, 3, 1, 1)), ((1, 3, 4, 5), (5,)), ((1, 3, 1, 1), (1, 1, 4, 5)), ((1, 3, 4, 5), (4, 1)),
        ((1, 6), (1,)), ((2, 1, 3), (1, 4, 1)), ((), (1, 2, 2, 2)), ((1, 3, 4, 5), (1, 3, 4, 5)),
    ]  # fmt: skip
    operations = [torch.add, torch.sub, torch.mul, torch.div, torch.maximum, torch.minimum, torch.logaddexp]
    cases = [(f, *(pair if k % 2 else pair[::-1])) for k, f in enumerate(operations) for pair in shapes]
    parameters = [nn.ParameterDict({"p": nn.Parameter(torch.zeros(shape))}) for shape in ((3, 1, 1), (1,), (4, 5))]

    class Scaled(nn.Module):
        def __init__(self, parameters):
            super().__init__()
            self.parameters_ = parameters

        def forward(self, x):
            return x * self.parameters_["p"] + self.parameters_["p"] ** 2

    compare([*cases, *((Scaled(p), (1, 3, 4, 5)) for p in parameters)], tmp_path)


def test_along_dimensions(tmp_path):
    torch.manual_seed(0)
    image = (1, 3, 4, 5)
    functions = [
        lambda x: x.sum(), lambda x: x.sum((2, 3)), lambda x: x.mean(1, keepdim=True), lambda x: x.mean((1, 3)),
        lambda x: x.var(2), lambda x: x.std((2, 3), correction=0), lambda x: x.amax((1, 2)), lambda x: x.amin(-1),
        lambda x: x.max(1)[0], lambda x: x.max(1)[1].float(), lambda x: x.argmin(3).float(), lambda x: x.argmax(),
        lambda x: x.logsumexp(1), lambda x: F.normalize(x, dim=1), lambda x: (x > 2).any(1).float(),
        lambda x: x.norm(dim=(2, 3)), lambda x: F.layer_norm(x, (4, 5)), lambda x: F.cosine_similarity(x, x.flip(1)),
    ]  # fmt: skip
    compare([(f, image) for f in functions], tmp_path)
    ties = torch.tensor([[1.0, 3.0, 3.0, 1.0, 1.0]])
    compare([(lambda x: x.argmax(1), ties), (lambda x: x.argmin(1), ties)], tmp_path)


def test_shapes(tmp_path):
    torch.manual_seed(0)
    image = (1, 4, 6, 5)
    functions = [
        lambda x: x.flatten(1), lambda x: x.view(1, 2, 2, 6, 5).transpose(1, 2).reshape(1, 4, 30), lambda x: x.mT,
        lambda x: x.permute(0, 3, 1, 2), lambda x: x.squeeze(0), lambda x: x[:, 1:3, ::2, -2:],
        lambda x: x[0, 2, :, 1],
        lambda x: torch.cat([x, 2 * x[:, :1]], 1), lambda x: torch.cat([x[:, :, :2], x], 2), lambda x: x.flip(2, 3),
        lambda x: torch.stack([x, -x]),
        lambda x: x.chunk(2, 1), lambda x: x.split([1, 3], 1), lambda x: x.unbind(1)[2],
        lambda x: x.repeat(1, 2, 1, 3), lambda x: x.repeat(2, 1, 1, 1, 1), lambda x: x[:, :, :1].expand(-1, -1, 7, -1),
        lambda x: x[:, [3, 0, 0]], lambda x: x.index_select(3, torch.tensor([4, 1])), lambda x: F.pad(x, (1, 2, 0, 3)),
        lambda x: F.pad(x, (1, 2), value=-1.5), lambda x: F.pad(x, (2, 1, 3, 0), mode="reflect"), lambda x: (x, x + 1),
        lambda x: F.pad(x, (1, 2), value=-torch.inf).exp(), lambda x: F.pad(x, (0, 1), value=torch.inf).clamp(max=9),
        lambda x: F.pad(x, (2, 1, 3, 0), mode="replicate"), lambda x: F.pad(x, (2, 1, 3, 0), mode="circular"),
        lambda x: x.roll(2, 3),
        lambda x: torch.cat([x, torch.zeros(1, 1, 6, 5), torch.arange(30.0).view(1, 1, 6, 5)], 1),
        nn.PixelShuffle(2), nn.ChannelShuffle(2), nn.Flatten(), nn.Unflatten(1, (2, 2)),
    ]  # fmt: skip
    compare([(f, image) for f in functions], tmp_path)


def test_convolutions_of_random_sizes(tmp_path):
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    cases = []
    for number in range(60):
        pair = lambda low, high: tuple(int(n) for n in rng.integers(low, high, 2))  # noqa: B023, E731
        groups, transposed = int(rng.integers(1, 4)), number % 2
        stride, dilation = pair(1, 4), pair(1, 3)
        options = {
            "stride": stride, "padding": pair(0, 3), "dilation": dilation, "groups": groups,
            "bias": bool(rng.integers(2)),
        }  # fmt: skip
        if transposed:
            largest = [max(pair) for pair in zip(stride, dilation, strict=True)]
            options["output_padding"] = tuple(int(rng.integers(n)) for n in largest)
        channels_in, channels_out = groups * int(rng.integers(1, 4)), groups * int(rng.integers(1, 6))
        kind = nn.ConvTranspose2d if transposed else nn.Conv2d
        image = (int(rng.integers(1, 3)), channels_in, int(rng.integers(7, 12)), int(rng.integers(7, 12)))
        cases.append((kind(channels_in, channels_out, pair(1, 4), **options), image))
    image = (1, 3, 7, 8)
    cases += [(nn.Conv2d(3, 5, 3, padding="same", dilation=2), image), (nn.Conv2d(3, 6, 1), image)]
    modes = ("reflect", "replicate", "circular")
    cases += [(nn.Conv2d(3, 2, 3, padding=1, padding_mode=mode), image) for mode in modes]
    cases += [(nn.Conv2d(4, 4, 3, groups=4), (1, 4, 5, 5)), (nn.ConvTranspose2d(2, 3, 1, stride=3), (1, 2, 3, 3))]
    compare(cases, tmp_path)


def test_normalisations(tmp_path):
    torch.manual_seed(0)
    image = (1, 6, 5, 4)
    compare([
        (nn.BatchNorm2d(6), image), (nn.BatchNorm2d(6, affine=False), image), (nn.BatchNorm1d(6), (1, 6)),
        (nn.BatchNorm1d(6), (1, 6, 3)), (nn.BatchNorm2d(6, track_running_stats=False), image),
        (nn.LayerNorm(4), image), (nn.LayerNorm((5, 4)), image),
        (nn.LayerNorm(4, elementwise_affine=False), image), (nn.LayerNorm(6, bias=False), (1, 3, 6)),
        (nn.GroupNorm(3, 6), image), (nn.GroupNorm(2, 6, affine=False), image), (nn.GroupNorm(2, 6), (1, 6)),
        (nn.InstanceNorm2d(6), image), (nn.InstanceNorm2d(6, affine=True), image),
        (nn.InstanceNorm2d(6, affine=True, track_running_stats=True), image), (nn.RMSNorm(4), image),
        (torch.nn.utils.parametrizations.weight_norm(nn.Linear(4, 3)), image),
        (nn.Sequential(nn.Conv2d(6, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU()), image),
    ], tmp_path)  # fmt: skip


def test_pooling_and_upsampling(tmp_path):
    torch.manual_seed(0)
    image = (1, 3, 9, 7)
    compare([
        (nn.MaxPool2d(2), image), (nn.MaxPool2d(3, stride=2, padding=1), image),
        (nn.MaxPool2d((2, 3), dilation=2), image),
        (nn.MaxPool2d(2, ceil_mode=True), image), (nn.AvgPool2d(2), image), (nn.AvgPool2d(3, 2, padding=1), image),
        (nn.AvgPool2d(3, 2, padding=1, count_include_pad=False), image), (nn.AvgPool2d(2, divisor_override=3), image),
        (nn.AvgPool2d(3, 2, padding=1, ceil_mode=True), image), (nn.AvgPool2d(2, ceil_mode=True), image),
        (nn.AdaptiveAvgPool2d(1), image), (nn.AdaptiveAvgPool2d((4, 3)), image), (nn.AdaptiveMaxPool2d((4, 3)), image),
        (nn.AdaptiveAvgPool2d((11, 7)), image),
        *((nn.Upsample(scale_factor=s), image) for s in (2, (3, 1), 1.5, (0.7, 2.3))),
        *((nn.Upsample(scale_factor=s, mode="bilinear"), image) for s in (2, 1.5, (0.7, 2.3))),
        *((nn.Upsample(size=s), image) for s in ((18, 7), (5, 13))),
        *((nn.Upsample(size=(12, 5), mode="bilinear", align_corners=corners), image) for corners in (False, True)),
        (nn.Upsample(scale_factor=2.5, mode="nearest-exact"), image), (nn.UpsamplingBilinear2d(scale_factor=2), image),
    ], tmp_path)  # fmt: skip


def test_matrices_and_lookups(tmp_path):
    torch.manual_seed(0)

    class Quantiser(nn.Module):
        """The nearest vector of a codebook, by its index."""

        def __init__(self):
            super().__init__()
            self.register_buffer("vectors", torch.randn(7, 4))

        def forward(self, x):  # (1, 4, H, W)
            flat = x.permute(0, 2, 3, 1).reshape(-1, 4)
            index = torch.cdist(flat, self.vectors, compute_mode="use_mm_for_euclid_dist").argmin(1)
            return self.vectors[index].view(1, *x.shape[2:], 4).permute(0, 3, 1, 2), index

    class Attention(nn.Module):
        def __init__(self, causal):
            super().__init__()
            self.norm, self.qkv, self.causal = nn.LayerNorm(8), nn.Linear(8, 24), causal

        def forward(self, x):  # (1, L, 8)
            q, k, v = self.qkv(self.norm(x)).view(1, -1, 3, 2, 4).permute(2, 0, 3, 1, 4)
            return x + F.scaled_dot_product_attention(q, k, v, is_causal=self.causal).transpose(1, 2).reshape(x.shape)

    mha = nn.MultiheadAttention(8, 2, batch_first=True)
    compare([
        *((nn.Linear(5, n, bias=n % 2 == 0), (1, 5)) for n in range(1, 10)), (nn.Linear(3, 4), (1, 2, 5, 3)),
        (torch.matmul, (1, 4, 3), (1, 3, 5)), (torch.matmul, (2, 1, 4, 3), (5, 3, 2)), (torch.mm, (4, 3), (3, 1)),
        (lambda a, b: torch.addmm(a, a, b), (3, 3), (3, 3)),
        (lambda x: torch.einsum("bchw,bdhw->bcd", x, x), (1, 3, 4, 5)),
        (Quantiser(), (1, 4, 3, 5)), (Attention(False), (1, 5, 8)),
        (Attention(True), (1, 5, 8)), (lambda x: mha(x, x, x)[0], (1, 6, 8)),
        (nn.Sequential(Computes(lambda x: x.abs().round().long()), nn.Embedding(30, 4)), (1, 6)),
    ], tmp_path)  # fmt: skip


class UNet(nn.Module):
    """Down, up, and across: concatenation, residual additions and a gate by channel."""

    def __init__(self):
        super().__init__()
        self.down1 = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.GroupNorm(2, 8), nn.SiLU())
        self.down2 = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(8, 12, 3, padding=1), nn.BatchNorm2d(12), nn.GELU())
        self.residual = nn.Sequential(nn.Conv2d(12, 12, 3, padding=1, groups=3), nn.ReLU(), nn.Conv2d(12, 12, 1))
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(12, 12, 1), nn.Sigmoid())
        self.up = nn.Upsample(scale_factor=2, mode="bilinear")
        self.out = nn.Conv2d(20, 3, 3, padding=1)

    def forward(self, x):
        first = self.down1(x)
        second = self.down2(first)
        second = second + self.residual(second)
        return x + self.out(torch.cat([first, self.up(second * self.gate(second))], 1))


def test_networks(tmp_path):
    torch.manual_seed(0)
    cell = nn.LSTM(3, 4, batch_first=True)
    tied = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4))
    tied[2].weight = tied[0].weight
    compare([(UNet(), (1, 3, 8, 10)), (cell, (1, 5, 3)), (tied, (1, 4))], tmp_path)


def test_tensors_keep_the_names_of_the_state_dict():
    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.unused = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)), nn.Linear(3, 3)
            self.register_buffer("mask", torch.tensor([1.0, 0.0]), persistent=False)

        def forward(self, x):
            return self.body(x) * self.mask + torch.tensor([0.5, 0.25])

    network = portable(Network().eval(), {"x": torch.zeros(1, 3)})
    own = set(network.tensors) - set(Network().state_dict())
    assert {"body.0.weight", "body.1.running_var", "mask"} < set(network.tensors)
    assert len(own) == 2 and own > {"mask"} and not any("unused" in name for name in network.tensors)
    assert network.graph["inputs"] == [{"name": "x", "shape": [1, 3]}]
    assert [out["name"] for out in network.graph["outputs"]] == ["output"]


def test_random_numbers_of_a_seed_are_constants(tmp_path):
    def noisy(x):
        generator = torch.Generator().manual_seed(3)
        return x + torch.randn(1, 4, generator=generator) * torch.randn(1, 4, generator=generator)

    compare([(noisy, (1, 4))], tmp_path)


@pytest.mark.parametrize("module, shape, sentence", [
    (Computes(lambda x: x if x.sum() > 0 else -x), (1, 3), "cannot trace the network (Could not guard on"),
    (Computes(lambda x: x + torch.rand_like(x)), (1, 3), "the network samples random numbers (rand_like)"),
    (nn.Sequential(nn.Linear(3, 3), Computes(lambda x: x.cumsum(1))), (1, 3), "no operation for cumsum in '1', "),
    (nn.Conv3d(1, 1, 2), (1, 1, 3, 3, 3), "does not compute convolution of 3 dimensions"),
    (nn.Upsample(scale_factor=2, mode="bicubic"), (1, 1, 3, 3), "does not compute index.Tensor"),
    (Computes(lambda x: x[x > 0]), (1, 3), "does not compute index.Tensor with a mask"),
    (Computes(lambda x: F.pad(x, (-1, 0))), (1, 3), "that crops"),
    (nn.Linear(2, 3), (1, 5), "torch.export cannot trace the network ("),
])  # fmt: skip
def test_what_is_not_portable_is_named(module, shape, sentence):
    with pytest.raises(NotPortable) as error:
        portable(module.eval(), {"x": torch.randn(shape)})
    assert sentence in str(error.value) and "\n" not in str(error.value)


def test_a_network_in_training_mode_is_refused():
    with pytest.raises(NotPortable, match="training mode"):
        portable(nn.Dropout(), {"x": torch.zeros(1, 2)})
    partly = nn.Sequential(nn.BatchNorm1d(2)).eval()
    partly[0].train()
    with pytest.raises(NotPortable, match="no operation for _native_batch_norm_legit_functional in '0', BatchNorm1d"):
        portable(partly, {"x": torch.randn(1, 2, 3)})
