"""A generator made ready to serve: norms folded into weights, convolutions in half precision where that is
native, and kernels whose result for one picture does not depend on the others in its batch, so that a query
always has the same bytes.

Shapes: N pictures, C channels in, O channels out, H x W pixels, Z noise width, S style width.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cached_property
from typing import TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize

from cgan import memory
from cgan.memory import unfilled
from cgan.model import CPU_BATCH, ConditionalGAN
from cgan.networks.generator import Generator, Stem, TransposedUp
from cgan.networks.layers import Modulation, TransposedConv2d, UpConv2d
from cgan.precision import resolve
from cgan.types import Cond

Draw: TypeAlias = Callable[[Tensor, Cond], Tensor]
"""(noise [N, Z], condition of N) -> pictures uint8 [N, C, H, W]."""
CUDA_BUCKETS = (1, 8, 64)  # sizes that batches are filled up to, each a recorded graph


def resolve_device(name: str) -> torch.device:
    """The device of that name; 'auto' is a GPU where there is one. ValueError if there is no such device."""
    if name not in ("auto", "cpu", "cuda"):
        raise ValueError(f"device must be one of auto, cpu, cuda, got {name!r}")
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("device is cuda, but PyTorch finds no CUDA device here; accepted: auto, cpu")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


class Sampler:
    """A model's weights on a device, called with noise and condition.

    At load it makes sure that no picture changes by a bit with the size of its batch; on a machine where one
    does, batches of a single size are made.
    """

    def __init__(
        self, model: ConditionalGAN, device: torch.device, precision: str = "auto", record: bool = True
    ):
        """`precision`: "float32" or "bfloat16", in which convolutions multiply, all but the last, which makes
        the picture; "auto" is the quicker of the two on the device. Everything else is float32. `record`:
        whether what a batch runs is recorded and replayed. On a GPU nothing can be while another thread uses
        it; on a CPU a recording keeps its weights for good, so there is none of a model that will go."""
        if device.type == "cpu":
            memory.keep()
        self.model = _player(model)
        prepare(self.model.generator, getattr(torch, resolve(device, precision)))
        self.model.to(device, memory_format=torch.channels_last)
        self.device = device
        self.filled = cuda = device.type == "cuda"  # batches are filled up to one size, which has one kernel
        if cuda:
            torch.backends.cudnn.allow_tf32 = False  # the pictures of a CPU, to within rounding
        self.batch = CUDA_BUCKETS[-1] if cuda else CPU_BATCH  # pictures at once
        noise = self.model.noise(0, self.batch).to(device)
        with torch.inference_mode():
            cond = model.encoder.embed(model.encoder.sample(self.batch, 0)).to(device)
        del self.model.encoder  # the condition comes embedded
        self.graphs: dict[int, Graph | Trace] = {}  # by the most pictures that each makes
        steady = self._steady(noise, cond, CUDA_BUCKETS if cuda else (1, 2))
        if cuda and record:
            for size in CUDA_BUCKETS if steady else CUDA_BUCKETS[-1:]:
                self.graphs[size] = Graph(self._draw, noise[:size], cond[:size])
        elif record and steady:
            self.graphs[self.batch] = Trace(self._draw, noise, cond)
        if not cuda and not steady:
            self.batch = 1

    @torch.inference_mode()
    def _steady(self, noise: Tensor, cond: Cond, sizes: tuple[int, ...]) -> bool:
        """Whether pictures made so many at a time are, to the bit, those made all at once."""
        together = self.model.generator(noise, cond)
        alone = (self.model.generator(noise[:size], cond[:size]) for size in sizes)
        return all(torch.equal(part, together[: len(part)]) for part in alone)

    @torch.inference_mode()
    def __call__(self, noise: Tensor, cond: Cond) -> Tensor:
        """noise [N, Z], or [N, K, Z] for the K places that read it, and a condition of N -> uint8 pictures
        [N, C, H, W] on the CPU. Any N; `batch` at once."""
        rows = [slice(first, first + self.batch) for first in range(0, len(noise), self.batch)]
        parts = [self._batch(noise[part], cond[part]) for part in rows]
        return torch.cat(parts) if len(parts) > 1 else parts[0]

    def _batch(self, noise: Tensor, cond: Cond) -> Tensor:
        if noise.ndim == 2 and (graph := self._graph(len(noise))):
            return graph(noise, cond)
        rows = slice(None)
        if self.filled:
            rows = torch.arange(self.batch).clamp(max=len(noise) - 1)
        return self._draw(noise[rows].to(self.device), cond[rows].to(self.device))[: len(noise)].cpu()

    def _graph(self, count: int) -> Graph | Trace | None:
        """The smallest with room for so many."""
        return next((graph for size, graph in self.graphs.items() if size >= count), None)

    def _draw(self, noise: Tensor, cond: Cond) -> Tensor:
        return self.model.to_uint8(self.model.generator(noise, cond))


class Trace:
    """All that a batch of any size runs on a CPU, recorded at the first call (TorchScript) and replayed by
    one call, in which Python is free for other threads. Operation by operation it would change hands fifty
    times."""

    def __init__(self, draw: Draw, noise: Tensor, cond: Cond):
        """A batch to try it with."""
        self._draw, self._batch = draw, (noise, cond)

    def __call__(self, noise: Tensor, cond: Cond) -> Tensor:
        """As `draw`."""
        return self.replay(noise, cond)

    @cached_property
    def replay(self) -> Draw:
        """The recording; `draw` itself where PyTorch can't record, or where the recording does not make the
        same pictures to the bit, however many at a time."""
        noise, cond = self._batch
        plain = self._draw(noise, cond)
        try:
            tape = _record(self._draw, noise[:1], cond[:1])
            parts = [tape(noise[:size], cond[:size]) for size in (1, 2, len(noise))]
        except Exception:  # noqa: BLE001 - whatever it is, it can do without
            return self._draw
        return tape if all(torch.equal(part, plain[: len(part)]) for part in parts) else self._draw


def _record(draw: Draw, noise: Tensor, cond: Cond) -> Draw:
    there = [part is not None for part in cond]

    def flat(noise: Tensor, *parts: Tensor) -> Tensor:
        rest = iter(parts)
        return draw(noise, Cond(*(next(rest) if present else None for present in there)))

    def given(cond: Cond) -> list[Tensor]:
        return [part for part in cond if part is not None]

    with warnings.catch_warnings(action="ignore"):  # it is deprecated; and some sizes become constants
        tape = torch.jit.trace(flat, (noise, *given(cond)), check_trace=False)
    return lambda noise, cond: tape(noise, *given(cond))


class Graph:
    """All that a batch of one size launches, recorded once (CUDA graphs) and replayed by one call."""

    @torch.inference_mode()
    def __init__(self, draw: Draw, noise: Tensor, cond: Cond):
        self.inputs = noise, cond = noise.clone(), cond.map(Tensor.clone)
        warm = torch.cuda.Stream()
        warm.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(warm):
            for _ in range(3):
                draw(noise, cond)
        torch.cuda.current_stream().wait_stream(warm)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.output = draw(noise, cond)

    def __call__(self, noise: Tensor, cond: Cond) -> Tensor:
        """As `draw`, for at most as many rows as it was recorded with; the result is on the CPU."""
        own_noise, own_cond = self.inputs
        for buffer, part in zip((own_noise, *own_cond), (noise, *cond), strict=True):
            if buffer is not None:
                buffer[: len(noise)].copy_(part, non_blocking=True)
        self.graph.replay()
        return self.output[: len(noise)].cpu()


def _player(model: ConditionalGAN) -> ConditionalGAN:
    """The same encoder and generator in evaluation mode. (A deep copy's parametrised layers would share their
    classes.)"""
    with unfilled():
        made = ConditionalGAN(model.config)
    del made.discriminator
    state = {name: tensor.clone() for name, tensor in model.sampler_state().items()}
    made.load_state_dict(state, assign=True)
    return made.eval().requires_grad_(False)


@torch.no_grad()
def prepare(generator: Generator, dtype: torch.dtype) -> None:
    """Change a generator in evaluation mode in place: the same pictures up to rounding, sooner. Its
    convolutions multiply in `dtype`, all but the one that makes the picture."""
    for module in generator.modules():
        for name in list(getattr(module, "parametrizations", ())):
            parametrize.remove_parametrizations(module, name)
    for module in generator.modules():
        if isinstance(module, Modulation):
            _fold_modulation(module)
    before = generator.stem
    for at, block in zip(generator.resolutions, generator.blocks, strict=False):
        if isinstance(block, TransposedUp):
            if str(at) not in generator.attention:  # which would stand between the two
                _fold_concatenation(before, block.enter)
            before = block.conv
    transposed = generator.options.block == "transposed"  # whose last block makes the picture
    last = (generator.blocks[-1] if transposed else generator.to_image).conv
    for module in list(generator.modules()):
        for name, child in module.named_children():
            if stand_in := faster(child, torch.float32 if child is last else dtype):
                setattr(module, name, stand_in)


def _fold_modulation(module: Modulation) -> None:
    """norm(x) = r x - r m, so shift + norm(x) (1 + scale) = (shift - r m (1 + scale)) + x r (1 + scale)."""
    if not isinstance(module.norm, nn.BatchNorm2d):
        return
    r, rm = _affine(module.norm)
    last = module.spatial[-1] if module.spatial is not None else None
    layers = [layer for layer in (module.style, last) if layer is not None]
    for layer, one in zip(layers, (1.0, 0.0), strict=False):
        scale, shift = layer.weight.chunk(2)
        bias_scale, bias_shift = layer.bias.chunk(2)
        broadcast = (-1, *[1] * (scale.ndim - 1))
        layer.weight.copy_(torch.cat([r.view(broadcast) * scale, shift - rm.view(broadcast) * scale]))
        new_scale = r * (bias_scale + one) - one
        layer.bias.copy_(torch.cat([new_scale, bias_shift - rm * (bias_scale + one)]))
    module.norm = nn.Identity()


def _fold_concatenation(before: nn.ConvTranspose2d, enter: nn.Module) -> None:
    """The norm after a transposed convolution goes into its weight [C, O, H, W] and bias [O]."""
    if not isinstance(enter.norm, nn.BatchNorm2d):
        return
    r, rm = _affine(enter.norm)
    gain, offset = enter.norm.weight * r, enter.norm.bias - enter.norm.weight * rm
    before.weight.mul_(gain[None, :, None, None])
    before.bias.mul_(gain).add_(offset)
    enter.norm = nn.Identity()


def _affine(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """r [C] and r m [C] of a batch norm's running mean m and 1 / standard deviation r."""
    r = torch.rsqrt(norm.running_var + norm.eps)
    return r, r * norm.running_mean


class RowLinear(nn.Module):
    """A linear layer that multiplies each row by itself: BLAS takes another kernel for every number of
    rows."""

    def __init__(self, layer: nn.Linear):
        super().__init__()
        self.register_buffer("weight", layer.weight.mT[None].contiguous())  # [1, C, O]
        self.register_buffer("bias", layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C] -> [N, O]."""
        return torch.baddbmm(self.bias, x[:, None], self.weight.expand(x.shape[0], -1, -1)).squeeze(1)


class RowStem(nn.Module):
    """`Stem`, row by row."""

    def __init__(self, layer: Stem):
        super().__init__()
        self.shape = layer.weight.shape[1:]  # O, H, W
        o, h, w = self.shape
        weight = layer.weight.permute(0, 2, 3, 1).reshape(1, layer.in_channels, -1)
        self.register_buffer("weight", weight)  # [1, S, H W O]
        self.register_buffer("bias", layer.bias.repeat(h * w))

    def forward(self, style: Tensor) -> Tensor:
        """[N, S] -> [N, O, H, W], channels last."""
        o, h, w = self.shape
        x = torch.baddbmm(self.bias, style[:, None], self.weight.expand(style.shape[0], -1, -1))
        return x.view(-1, h, w, o).permute(0, 3, 1, 2)


class Pointwise(nn.Module):
    """A 1x1 convolution as one matrix product a picture."""

    def __init__(self, layer: nn.Conv2d):
        super().__init__()
        self.register_buffer("weight", layer.weight.flatten(1).mT[None].contiguous())  # [1, C, O]
        self.register_buffer("bias", layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, O, H, W], channels last."""
        rows = x.permute(0, 2, 3, 1).flatten(1, 2)  # [N, H W, C]
        y = torch.bmm(rows, self.weight.expand(x.shape[0], -1, -1))
        if self.bias is not None:
            y = y + self.bias
        return y.unflatten(1, x.shape[2:]).permute(0, 3, 1, 2)


class Convolution(nn.Module):
    """A convolution in a number format of its own; on a CPU by oneDNN whatever the batch, where PyTorch takes
    another, slower kernel for a batch of one."""

    def __init__(self, layer: nn.Conv2d, dtype: torch.dtype):
        super().__init__()
        self.options = (layer.stride, layer.padding, layer.dilation)
        _take(self, layer.weight, layer.bias, dtype)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, O, H', W'], channels last."""
        stride, padding, dilation = self.options
        given = (x.to(self.weight.dtype), self.weight, self.bias)
        if x.device.type == "cpu" and torch.backends.mkldnn.is_available():
            return torch.mkldnn_convolution(*given, padding, stride, dilation, 1).to(x.dtype)
        return F.conv2d(*given, stride, padding, dilation).to(x.dtype)


class Transposed(nn.Module):
    """A 4x4 transposed convolution to a map twice as large, in a number format of its own."""

    def __init__(self, weight: Tensor, bias: Tensor, dtype: torch.dtype):
        super().__init__()
        _take(self, weight, bias, dtype)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, O, 2H, 2W]."""
        y = F.conv_transpose2d(x.to(self.weight.dtype), self.weight, self.bias, stride=2, padding=1)
        return y.to(x.dtype)


def _take(module: nn.Module, weight: Tensor, bias: Tensor | None, dtype: torch.dtype) -> None:
    """A layer's weight and bias in a number format."""
    module.register_buffer("weight", weight.to(dtype))
    module.register_buffer("bias", None if bias is None else bias.to(dtype))


def faster(layer: nn.Module, dtype: torch.dtype) -> nn.Module | None:
    """The layer's stand-in, if there is one; `dtype` for a convolution's."""
    match layer:
        case Stem():
            return RowStem(layer)
        case nn.Linear():
            return RowLinear(layer)
        case nn.Conv2d(kernel_size=(1, 1)):
            return Pointwise(layer)
        case UpConv2d():
            return Transposed(layer.kernel(), layer.bias, dtype)
        case TransposedConv2d(out_channels=channels) if channels > 3:
            return Transposed(layer.weight, layer.bias, dtype)
        case nn.Conv2d():
            return Convolution(layer, dtype)
    return None
