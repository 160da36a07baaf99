"""The translation of a torch.export program to the graph that vae/browser/runtime/network.js computes.

A graph is a dictionary, JSON-able:

- inputs `[{"name", "shape"}]`, with the batch of one;
- nodes `[{"name", "op", "inputs", ...}]` in order of computation. An input is the name of an input or an earlier node,
  "@" and the name of a tensor, or a number. In inputs and in further fields the numbers "NaN", "Infinity" and
  "-Infinity" are text, since JSON lacks them;
- outputs `[{"name", "node"}]`.

| op | further fields |
|---|---|
| relu, sigmoid, silu, tanh, exp, expm1, log, log1p, sqrt, rsqrt, reciprocal, abs, neg, sign, sin, cos, erf | |
| floor, ceil, round, trunc, logical_not | |
| leaky_relu; clamp; elu | slope; min, max (null for none); alpha, scale, input_scale |
| softplus; gelu | beta, threshold; approximate |
| add, sub, mul, div, pow, maximum, minimum, logaddexp, where | inputs broadcast |
| eq, ne, lt, le, gt, ge, logical_and, logical_or | inputs broadcast |
| sum, mean, var, amax, amin, argmax, argmin, any | dims, keepdim; var also correction |
| softmax, log_softmax | dim |
| linear, matmul | inputs (x, weight, bias); (a, b) |
| lookup | inputs (table, index), dim: the index's shape replaces that dimension |
| conv2d, conv_transpose2d | stride, padding, dilation, groups; the latter also output_padding |
| max_pool2d | size of the output, kernel, stride, padding, dilation |
| avg_pool2d | as max_pool2d, and count_include_pad, divisor |
| adaptive_max_pool2d, adaptive_avg_pool2d | size |
| upsample_nearest2d, upsample_bilinear2d | size, scale (input pixels per output pixel); exact; align_corners |
| batch_norm | inputs (x, weight, bias, running mean, running variance), eps |
| layer_norm, group_norm | inputs (x, weight, bias); dims: how many of the last; groups; eps |
| reshape, expand; permute, flip; concatenate | shape; dims; dim |
| slice; pad | dim, start, length, step; before, after, mode, value |
"""

from __future__ import annotations

import hashlib
import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx

Reference = str | int | float  # what a node of the graph reads: see the module's docstring
Translation = Callable[..., Any]  # (translator, node, *args, **kwargs) -> Reference, or a tuple of them


class NotPortable(ValueError):
    """An error for a network that the runtime cannot compute; its message is one sentence."""


@dataclass(frozen=True)
class Portable:
    """A network as data: the graph, JSON-able, and the tensors that it names, of torch's shapes."""

    graph: dict[str, Any]
    tensors: dict[str, Tensor]


def translated() -> list[Any]:
    """Return the operations of ATen that have a translation, where this torch has them."""
    names = (name.split(".")[1:] for name in TRANSLATIONS)
    found = (getattr(getattr(torch.ops.aten, packet, None), overload, None) for packet, overload in names)
    return [operation for operation in found if operation is not None]


class Translator:
    """The translation of one exported program.

    values: the constants, by node, that no weight and no input takes part in: computed here, and stored only where a
    node of the graph reads them. references: for the other nodes, what stands for them in the graph.
    """

    def __init__(self, program: torch.export.ExportedProgram, inputs: Sequence[str], outputs: Sequence[str]):
        self.nodes: dict[str, dict[str, Any]] = {}
        self.tensors: dict[str, Tensor] = {}
        self.values: dict[fx.Node, Any] = {}
        self.references: dict[fx.Node, Any] = {}
        self.names: dict[fx.Node, str] = {}  # of buffers that are not in the state_dict
        signature = program.graph_signature
        self.inputs, self.taken = inputs, {node.name for node in program.graph.nodes}
        given = dict(zip(signature.user_inputs, inputs, strict=True))
        shapes = {}
        needed = self._reachable(program.graph)
        for node in program.graph.nodes:
            if node.op == "placeholder":
                if node.name in given:
                    self.references[node] = given[node.name]
                    shapes[given[node.name]] = list(_shape(node))
                else:
                    self._placeholder(node, program)
            elif node.op == "call_function":
                self._call(node, needed)
            elif node.op == "output":
                # before them stand buffers and inputs that the network changes in place
                found = [self.reference(part) for part in node.args[0][-len(outputs) :]]
        graph = {
            "inputs": [{"name": name, "shape": shapes[name]} for name in inputs],
            "nodes": self._needed(found),
            "outputs": [{"name": name, "node": part} for name, part in zip(outputs, found, strict=True)],
        }
        self.portable = Portable(graph, {name: self.tensors[name] for name in tensor_names(graph)})

    @staticmethod
    def _reachable(graph: fx.Graph) -> set[fx.Node]:
        """Return the nodes that the output depends on: assertions are not among them."""
        needed = set(graph.find_nodes(op="output"))
        for node in reversed(graph.nodes):
            if node in needed:
                needed.update(node.all_input_nodes)
        return needed

    def _placeholder(self, node: fx.Node, program: torch.export.ExportedProgram) -> None:
        """Register a parameter, a buffer or a constant."""
        signature = program.graph_signature
        stored = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
        if node.name in stored:
            name = stored[node.name]
            own = name.removeprefix("module.")
            if name in program.state_dict:
                self.tensors[own] = program.state_dict[name].detach()
                self.references[node] = f"@{own}"
            else:
                self.values[node], self.names[node] = program.constants[name], own
        else:
            targets = {spec.arg.name: spec.target for spec in signature.input_specs}
            self.values[node] = program.constants[targets[node.name]]

    def _call(self, node: fx.Node, needed: set[fx.Node]) -> None:
        """Compute a node of constants, translate another that is needed."""
        seeded = any(isinstance(self.values.get(part), torch.Generator) for part in node.all_input_nodes)
        random = torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ()) and not seeded
        if all(part in self.values for part in node.all_input_nodes) and not random:
            self.values[node] = node.target(*self._constants(node.args), **self._constants(node.kwargs))  # type: ignore
        elif node not in needed:
            return
        elif random:
            raise NotPortable(f"the network samples random numbers ({self._place(node)})")
        elif node.target is operator.getitem:
            parts, index = self.references[node.args[0]], node.args[1]  # type: ignore[index]
            if index not in range(len(parts)):
                raise NotPortable(f"it needs more than the values of {self._place(node.args[0])}")
            self.references[node] = parts[index]
        elif (translate := TRANSLATIONS.get(str(node.target))) is None:
            raise NotPortable(f"the browser's runtime has no operation for {self._place(node)}")
        else:
            self.references[node] = translate(self, node, *node.args, **node.kwargs)

    def _constants(self, args: Any) -> Any:
        return fx.node.map_arg(args, lambda node: self.values[node])

    def _place(self, node: Any) -> str:
        """Return the operation of a node and the submodule that it belongs to."""
        operation = str(node.target).removeprefix("aten.").removesuffix(".default")
        stack = [*node.meta.get("nn_module_stack", {}).values()]
        path, kind = stack[-1] if stack else ("", "")
        path = path.removeprefix("module").removeprefix(".")  # portable's wrapper
        name = kind if isinstance(kind, str) else kind.__name__
        return f"{operation} in {path!r}, {name.rsplit('.', 1)[-1]}" if path else operation

    def refuse(self, node: fx.Node, what: str) -> NotPortable:
        """Return the error for an operation that is supported in another form only."""
        return NotPortable(f"the browser's runtime does not compute {self._place(node)} {what}")

    def reference(self, part: Any) -> Reference:
        """Return what stands in the graph for a node or a number; a reference stands for itself."""
        if isinstance(part, str):
            return part
        if not isinstance(part, fx.Node):
            return _number(part)
        if part not in self.references:
            self.references[part] = self._constant(part)
        return self.references[part]

    def _constant(self, node: fx.Node) -> Reference:
        """Store a constant. One with the same number everywhere is an expanded number."""
        value = self.values[node].detach()
        if not value.numel():
            raise NotPortable(f"the network has a value without elements ({self._place(node)})")
        if (number := self.uniform(node)) is not None:
            return self.add("expand", node, number, shape=list(value.shape)) if value.ndim else number
        stored = value.to(torch.float32)
        if not torch.equal(stored.to(torch.float64), value.to(torch.float64)):
            raise NotPortable(f"the network has a constant that float32 does not hold ({self._place(node)})")
        digest = hashlib.sha256(f"{tuple(value.shape)}".encode() + stored.numpy().tobytes()).hexdigest()
        name = self.names.get(node, f"constant_{digest[:8]}")
        self.tensors[name] = stored
        return f"@{name}"

    def uniform(self, part: Any) -> Reference | None:
        """Return the number of a constant that is the same everywhere, None for other values."""
        value = self.values.get(part)
        if not isinstance(value, Tensor) or not bool((value == value.flatten()[0]).all()):
            return None
        return _number(value.flatten()[0].item())

    def add(self, op: str, node: fx.Node, *inputs: Any, **fields: Any) -> str:
        """Add a node of the graph, named after a node of the export. Returns its name."""
        read = [self.reference(part) for part in inputs]
        name, number = node.name, 0
        while name in self.nodes or name in self.taken and name != node.name or name in self.inputs:
            number += 1
            name = f"{node.name}_{number}"
        fields = {key: _number(value) if isinstance(value, float) else value for key, value in fields.items()}
        self.nodes[name] = {"name": name, "op": op, "inputs": read, **fields}
        return name

    def add_elementwise(self, op: str, node: fx.Node, *inputs: Any, **fields: Any) -> str:
        """Add a node whose inputs broadcast: a constant that is the same everywhere is a number, where the other
        inputs have the shape of the result."""
        for i, part in enumerate(inputs):
            others = [_shape(other) for j, other in enumerate(inputs) if j != i and isinstance(other, fx.Node)]
            if others and torch.broadcast_shapes(*others) == _shape(node) and (n := self.uniform(part)) is not None:
                inputs = (*inputs[:i], n, *inputs[i + 1 :])
        return self.add(op, node, *inputs, **fields)

    def _needed(self, outputs: Sequence[Reference]) -> list[dict[str, Any]]:
        """Return the nodes that the outputs depend on, in order."""
        todo, needed = list(outputs), set()
        while todo:
            if (name := todo.pop()) in self.nodes and name not in needed:
                needed.add(name)
                todo += self.nodes[str(name)]["inputs"]
        return [node for name, node in self.nodes.items() if name in needed]


def tensor_names(graph: dict[str, Any]) -> list[str]:
    """Return the names of the tensors that a graph reads."""
    read = [part for node in graph["nodes"] for part in node["inputs"]] + [part["node"] for part in graph["outputs"]]
    return sorted({part[1:] for part in read if isinstance(part, str) and part.startswith("@")})


def _shape(node: fx.Node) -> torch.Size:
    return node.meta["val"].shape


def _number(value: float) -> Reference:
    """Return a number as JSON can hold it."""
    if isinstance(value, bool):
        return int(value)
    return value if math.isfinite(value) else "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


# ---- the translation of each operation of ATen

TRANSLATIONS: dict[str, Translation] = {}


def translates(*names: str) -> Callable[[Translation], Translation]:
    """Register the translation of ATen's operations, "relu.default"."""

    def register(function: Translation) -> Translation:
        TRANSLATIONS.update({f"aten.{name}": function for name in names})
        return function

    return register


def _elementwise(op: str, dtype: torch.dtype | None = None) -> Translation:
    """Return a translation to an operation whose inputs broadcast. dtype: the only one of its results."""

    def translate(t: Translator, node: fx.Node, *inputs: Any) -> Reference:
        if dtype not in (None, node.meta["val"].dtype):
            raise t.refuse(node, f"of {node.meta['val'].dtype}")
        return t.add_elementwise(op, node, *inputs)

    return translate


UNARY = (
    "relu", "sigmoid", "silu", "tanh", "exp", "expm1", "log", "log1p", "sqrt", "rsqrt", "reciprocal", "abs", "neg",
    "sign", "sin", "cos", "erf", "floor", "ceil", "round", "trunc", "logical_not",
)  # fmt: skip
for _op in UNARY:
    translates(f"{_op}.default")(_elementwise(_op))
for _op in ("maximum", "minimum", "logaddexp", "logical_and", "logical_or"):
    translates(f"{_op}.default")(_elementwise(_op))
for _op in ("mul", "div", "eq", "ne", "lt", "le", "gt", "ge"):
    translates(f"{_op}.Tensor", f"{_op}.Scalar")(_elementwise(_op))
for _op in ("and", "or", "not"):
    translates(f"bitwise_{_op}.Tensor", f"bitwise_{_op}.default")(_elementwise(f"logical_{_op}", torch.bool))
translates("pow.Tensor_Tensor", "pow.Tensor_Scalar", "pow.Scalar")(_elementwise("pow"))
translates("where.self")(_elementwise("where"))


@translates("add.Tensor", "add.Scalar", "sub.Tensor", "sub.Scalar")
def _add(t: Translator, node: fx.Node, a: Any, b: Any, alpha: float = 1) -> Reference:
    op = "add" if str(node.target).startswith("aten.add") else "sub"
    return t.add_elementwise(op, node, a, b if alpha == 1 else t.add("mul", node, b, alpha))


@translates("leaky_relu.default")
def _leaky_relu(t: Translator, node: fx.Node, x: Any, slope: float = 0.01) -> Reference:
    return t.add("leaky_relu", node, x, slope=slope)


@translates("elu.default")
def _elu(
    t: Translator, node: fx.Node, x: Any, alpha: float = 1, scale: float = 1, input_scale: float = 1
) -> Reference:
    return t.add("elu", node, x, alpha=alpha, scale=scale, input_scale=input_scale)


@translates("gelu.default")
def _gelu(t: Translator, node: fx.Node, x: Any, approximate: str = "none") -> Reference:
    return t.add("gelu", node, x, approximate=approximate)


@translates("softplus.default")
def _softplus(t: Translator, node: fx.Node, x: Any, beta: float = 1, threshold: float = 20) -> Reference:
    return t.add("softplus", node, x, beta=beta, threshold=threshold)


@translates("clamp.default", "hardtanh.default")
def _clamp(t: Translator, node: fx.Node, x: Any, low: float | None = None, high: float | None = None) -> Reference:
    if str(node.target) == "aten.hardtanh.default":
        low, high = -1 if low is None else low, 1 if high is None else high
    return t.add("clamp", node, x, min=low, max=high)


@translates("clamp.Tensor")
def _clamp_tensor(t: Translator, node: fx.Node, x: Any, low: Any = None, high: Any = None) -> Reference:
    for op, bound in (("maximum", low), ("minimum", high)):
        x = x if bound is None else t.add_elementwise(op, node, x, bound)
    return t.reference(x)


@translates("clone.default", "alias.default", "detach.default", "lift_fresh_copy.default", "contiguous.default",
            "dropout.default")  # fmt: skip
def _identity(t: Translator, node: fx.Node, x: Any, *others: Any, **options: Any) -> Reference:
    if str(node.target) == "aten.dropout.default" and others[1]:
        raise t.refuse(node, "in training mode")
    return t.reference(x)


@translates("_to_copy.default")
def _to_copy(t: Translator, node: fx.Node, x: fx.Node, dtype: torch.dtype | None = None, **options: Any) -> Reference:
    before, after = x.meta["val"].dtype, node.meta["val"].dtype
    if after == torch.bool and before != torch.bool:
        return t.add("ne", node, x, 0)
    return t.add("trunc", node, x) if before.is_floating_point and not after.is_floating_point else t.reference(x)


@translates("full_like.default")
def _full_like(t: Translator, node: fx.Node, x: Any, value: float, **options: Any) -> Reference:
    return t.add("expand", node, value, shape=list(_shape(node)))


# ---- shapes

@translates("view.default", "_unsafe_view.default", "reshape.default", "unsqueeze.default", "squeeze.dim",
            "squeeze.dims", "squeeze.default")  # fmt: skip
def _reshape(t: Translator, node: fx.Node, x: Any, *options: Any) -> Reference:
    return t.add("reshape", node, x, shape=list(_shape(node)))


@translates("expand.default")
def _expand(t: Translator, node: fx.Node, x: Any, *options: Any, **implicit: Any) -> Reference:
    return t.add("expand", node, x, shape=list(_shape(node)))


@translates("permute.default")
def _permute(t: Translator, node: fx.Node, x: fx.Node, dims: Sequence[int]) -> Reference:
    return t.add("permute", node, x, dims=[d % len(_shape(x)) for d in dims])


@translates("flip.default")
def _flip(t: Translator, node: fx.Node, x: fx.Node, dims: Sequence[int]) -> Reference:
    return t.add("flip", node, x, dims=[d % len(_shape(x)) for d in dims])


def _slice(t: Translator, node: fx.Node, x: fx.Node, dim: int, start: int, length: int, step: int = 1) -> str:
    return t.add("slice", node, x, dim=dim % len(_shape(x)), start=start, length=length, step=step)


@translates("slice.Tensor")
def _slice_tensor(
    t: Translator, node: fx.Node, x: fx.Node, dim: int = 0, start: int | None = None, end: int | None = None,
    step: int = 1,
) -> Reference:
    found = range(_shape(x)[dim])[start:end:step]
    if not found:
        raise t.refuse(node, "without elements")
    return t.reference(x) if len(found) == _shape(x)[dim] else _slice(t, node, x, dim, found.start, len(found), step)


@translates("select.int")
def _select(t: Translator, node: fx.Node, x: fx.Node, dim: int, index: int) -> Reference:
    part = _slice(t, node, x, dim, index % _shape(x)[dim], 1)
    return t.add("reshape", node, part, shape=list(_shape(node)))


@translates("split_with_sizes.default")
def _split(t: Translator, node: fx.Node, x: fx.Node, sizes: Sequence[int], dim: int = 0) -> tuple[Reference, ...]:
    return tuple(_slice(t, node, x, dim, sum(sizes[:i]), size) for i, size in enumerate(sizes))


@translates("cat.default")
def _cat(t: Translator, node: fx.Node, parts: Sequence[fx.Node], dim: int = 0) -> Reference:
    return t.add("concatenate", node, *parts, dim=dim % len(_shape(node)))


@translates("repeat.default")
def _repeat(t: Translator, node: fx.Node, x: fx.Node, repeats: Sequence[int]) -> Reference:
    own = (1,) * (len(repeats) - len(_shape(x))) + tuple(_shape(x))
    pairs = [*zip(repeats, own, strict=True)]  # each dimension becomes (repeats, own), and those one again
    apart = t.add("reshape", node, x, shape=[n for _, size in pairs for n in (1, size)])
    repeated = t.add("expand", node, apart, shape=[n for pair in pairs for n in pair])
    return t.add("reshape", node, repeated, shape=list(_shape(node)))


@translates("pad.default", "constant_pad_nd.default")
def _pad(
    t: Translator, node: fx.Node, x: fx.Node, padding: Sequence[int], *options: Any, **named: Any
) -> Reference:
    """Translate padding, given as (before, after) of the last dimension, of the one before it, ..."""
    names = ("mode", "value") if str(node.target) == "aten.pad.default" else ("value",)
    given = {**dict(zip(names, options, strict=False)), **named}
    if min(padding) < 0:
        raise t.refuse(node, "that crops")
    rank = len(_shape(x))
    before, after = [0] * rank, [0] * rank
    for i in range(len(padding) // 2):
        before[rank - 1 - i], after[rank - 1 - i] = padding[2 * i : 2 * i + 2]
    return t.add(
        "pad", node, x, before=before, after=after, mode=given.get("mode", "constant"), value=given.get("value") or 0
    )


@translates("embedding.default")
def _embedding(t: Translator, node: fx.Node, table: Any, index: Any, *options: Any) -> Reference:
    return t.add("lookup", node, table, index, dim=0)


@translates("index_select.default")
def _index_select(t: Translator, node: fx.Node, x: fx.Node, dim: int, index: Any) -> Reference:
    return t.add("lookup", node, x, index, dim=dim % len(_shape(x)))


@translates("index.Tensor")
def _index(t: Translator, node: fx.Node, x: fx.Node, indices: Sequence[fx.Node | None]) -> Reference:
    given = [(dim, index) for dim, index in enumerate(indices) if index is not None]
    if len(given) != 1 or given[0][1].meta["val"].dtype == torch.bool:
        raise t.refuse(node, "with a mask or along several dimensions")
    return t.add("lookup", node, x, given[0][1], dim=given[0][0])


# ---- along dimensions

def _dims(x: fx.Node, dims: int | Sequence[int] | None) -> list[int]:
    rank = len(_shape(x))
    listed = [dims] if isinstance(dims, int) else dims
    return [d % rank for d in listed] if listed else list(range(rank))


def _reduction(op: str) -> Translation:
    def translate(
        t: Translator, node: fx.Node, x: fx.Node, dims: Any = None, keepdim: bool = False, **options: Any
    ) -> Reference:
        return t.add(op, node, x, dims=_dims(x, dims), keepdim=keepdim)

    return translate


for _op, _names in {
    "sum": ("sum.default", "sum.dim_IntList"), "mean": ("mean.default", "mean.dim"), "amax": ("amax.default",),
    "amin": ("amin.default",), "argmax": ("argmax.default",), "argmin": ("argmin.default",),
    "any": ("any.default", "any.dim", "any.dims"),
}.items():  # fmt: skip
    translates(*_names)(_reduction(_op))


@translates("max.dim", "min.dim")
def _extreme(t: Translator, node: fx.Node, x: fx.Node, dim: int, keepdim: bool = False) -> tuple[Reference, ...]:
    kind = "max" if "max" in str(node.target) else "min"
    return tuple(t.add(f"{op}{kind}", node, x, dims=_dims(x, dim), keepdim=keepdim) for op in ("a", "arg"))


@translates("var.correction")
def _var(
    t: Translator, node: fx.Node, x: fx.Node, dims: Any = None, correction: float | None = None, keepdim: bool = False
) -> Reference:
    correction = 1 if correction is None else correction
    return t.add("var", node, x, dims=_dims(x, dims), keepdim=keepdim, correction=correction)


@translates("linalg_vector_norm.default")
def _norm(
    t: Translator, node: fx.Node, x: fx.Node, order: float = 2, dims: Any = None, keepdim: bool = False,
    **options: Any,
) -> Reference:
    if order != 2:
        raise t.refuse(node, f"of order {order}")
    return t.add("sqrt", node, t.add("sum", node, t.add("mul", node, x, x), dims=_dims(x, dims), keepdim=keepdim))


@translates("_softmax.default", "softmax.int", "_log_softmax.default", "log_softmax.int")
def _softmax(t: Translator, node: fx.Node, x: fx.Node, dim: int, *options: Any) -> Reference:
    op = "log_softmax" if "log" in str(node.target) else "softmax"
    return t.add(op, node, x, dim=dim % len(_shape(x)))


# ---- matrices

@translates("linear.default")
def _linear(t: Translator, node: fx.Node, *inputs: Any) -> Reference:
    return t.add("linear", node, *(part for part in inputs if part is not None))


@translates("mm.default", "bmm.default")
def _matmul(t: Translator, node: fx.Node, a: Any, b: Any) -> Reference:
    return t.add("matmul", node, a, b)


@translates("addmm.default", "baddbmm.default")
def _addmm(
    t: Translator, node: fx.Node, added: Any, a: Any, b: Any, beta: float = 1, alpha: float = 1
) -> Reference:
    if (beta, alpha) != (1, 1):
        raise t.refuse(node, f"with beta {beta} and alpha {alpha}")
    return t.add("add", node, t.add("matmul", node, a, b), added)


# ---- images

def _pair(values: int | Sequence[int]) -> list[int]:
    return [values] * 2 if isinstance(values, int) else [*values] * (2 if len(values) == 1 else 1)


@translates("convolution.default")
def _convolution(
    t: Translator, node: fx.Node, x: fx.Node, weight: fx.Node, bias: Any, stride: Any, padding: Any, dilation: Any,
    transposed: bool, output_padding: Any, groups: int,
) -> Reference:
    if len(_shape(x)) != 4:
        raise t.refuse(node, f"of {len(_shape(x)) - 2} dimensions")
    fields = {
        "stride": _pair(stride), "padding": _pair(padding), "dilation": _pair(dilation), "groups": groups,
        **({"output_padding": _pair(output_padding)} if transposed else {}),
    }  # fmt: skip
    inputs = (x, weight) if bias is None else (x, weight, bias)
    return t.add("conv_transpose2d" if transposed else "conv2d", node, *inputs, **fields)


def _image_size(node: fx.Node) -> list[int]:
    value = node.meta["val"]
    return list((value[0] if isinstance(value, tuple) else value).shape[2:])


@translates("max_pool2d_with_indices.default", "max_pool2d.default")
def _max_pool(
    t: Translator, node: fx.Node, x: Any, kernel: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False,
) -> Any:
    found = t.add(
        "max_pool2d", node, x, size=_image_size(node), kernel=_pair(kernel), stride=_pair(stride or kernel),
        padding=_pair(padding), dilation=_pair(dilation),
    )  # fmt: skip
    return (found,) if "indices" in str(node.target) else found


@translates("avg_pool2d.default")
def _avg_pool(
    t: Translator, node: fx.Node, x: Any, kernel: Any, stride: Any = (), padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor: int | None = None,
) -> Reference:
    return t.add(
        "avg_pool2d", node, x, size=_image_size(node), kernel=_pair(kernel), stride=_pair(stride or kernel),
        padding=_pair(padding), dilation=[1, 1], count_include_pad=count_include_pad, divisor=divisor,
    )  # fmt: skip


@translates("adaptive_avg_pool2d.default", "_adaptive_avg_pool2d.default")
def _adaptive_avg_pool(t: Translator, node: fx.Node, x: Any, size: Any) -> Reference:
    return t.add("adaptive_avg_pool2d", node, x, size=_image_size(node))


@translates("adaptive_max_pool2d.default")
def _adaptive_max_pool(t: Translator, node: fx.Node, x: Any, size: Any) -> tuple[Reference]:
    return (t.add("adaptive_max_pool2d", node, x, size=_image_size(node)),)


@translates("upsample_nearest2d.vec", "_upsample_nearest_exact2d.vec")
def _nearest(t: Translator, node: fx.Node, x: fx.Node, size: Any, scales: Sequence[float] | None) -> Reference:
    return t.add(
        "upsample_nearest2d", node, x, size=_image_size(node), scale=_scale(x, node, scales),
        exact="exact" in str(node.target),
    )  # fmt: skip


@translates("upsample_bilinear2d.vec")
def _bilinear(
    t: Translator, node: fx.Node, x: fx.Node, size: Any, align_corners: bool, scales: Sequence[float] | None
) -> Reference:
    scale = _scale(x, node, scales)
    if align_corners:  # from the first pixel's centre to the last's
        before, after = _shape(x)[2:], _image_size(node)
        scale = [(n - 1) / max(1, m - 1) for n, m in zip(before, after, strict=True)]
    return t.add("upsample_bilinear2d", node, x, size=_image_size(node), scale=scale, align_corners=align_corners)


def _scale(x: fx.Node, node: fx.Node, scales: Sequence[float] | None) -> list[float]:
    """Return how many input pixels there are to an output pixel, along height and width."""
    if scales is not None:
        return [1 / scale for scale in scales]
    return [n / m for n, m in zip(_shape(x)[2:], _image_size(node), strict=True)]


# ---- normalisations

def _affine(t: Translator, node: fx.Node, weight: Any, bias: Any, shape: Sequence[int]) -> tuple[Any, Any]:
    """Return weight and bias of a normalisation, ones and zeros where it has none."""
    full = lambda value: t.add("expand", node, value, shape=list(shape))  # noqa: E731
    return full(1) if weight is None else weight, full(0) if bias is None else bias


@translates("_native_batch_norm_legit_no_training.default")
def _batch_norm(
    t: Translator, node: fx.Node, x: fx.Node, weight: Any, bias: Any, mean: Any, variance: Any, momentum: float,
    eps: float,
) -> tuple[Reference]:
    return (t.add("batch_norm", node, x, *_affine(t, node, weight, bias, _shape(x)[1:2]), mean, variance, eps=eps),)


@translates("_native_batch_norm_legit.no_stats")
def _batch_norm_of_the_batch(
    t: Translator, node: fx.Node, x: fx.Node, weight: Any, bias: Any, training: bool, momentum: float, eps: float
) -> tuple[Reference]:
    """Translate batch normalisation by the statistics of the batch, of one: each channel is a group."""
    batch, channels = _shape(x)[:2]
    if batch != 1:
        raise t.refuse(node, f"with the statistics of a batch of {batch}")
    affine = _affine(t, node, weight, bias, [channels])
    return (t.add("group_norm", node, x, *affine, groups=channels, eps=eps),)


@translates("layer_norm.default")
def _layer_norm(
    t: Translator, node: fx.Node, x: Any, shape: Sequence[int], weight: Any = None, bias: Any = None,
    eps: float = 1e-5, *options: Any,
) -> Reference:
    return t.add("layer_norm", node, x, *_affine(t, node, weight, bias, shape), dims=len(shape), eps=eps)


@translates("group_norm.default")
def _group_norm(
    t: Translator, node: fx.Node, x: fx.Node, groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5,
    *options: Any,
) -> Reference:
    return t.add("group_norm", node, x, *_affine(t, node, weight, bias, _shape(x)[1:2]), groups=groups, eps=eps)
