"""The two classifiers of the shapes example: a small NFNet and a small ViT with a MAP head."""
import math

import torch
import torch.nn.functional as F
from torch import nn

SIZE = 480
SHRINK = 4
GELU_GAMMA = 1.7015043497085571
ALPHA = 0.2


class ScaledStdConv(nn.Conv2d):
    """Convolution with scaled weight standardisation and, when strided, SAME padding."""

    def __init__(self, c_in, c_out, kernel, stride=1, groups=1):
        super().__init__(c_in, c_out, kernel, stride, kernel // 2 if stride == 1 else 0,
                         groups=groups)
        self.gain = nn.Parameter(torch.ones(c_out))
        self.scale = self.weight[0].numel() ** -0.5

    def forward(self, x):
        if self.stride[0] > 1:
            x = F.pad(x, self.same_padding(x.shape[3]) + self.same_padding(x.shape[2]))
        weight = F.batch_norm(self.weight.reshape(1, self.out_channels, -1), None, None,
                              weight=self.gain * self.scale, training=True, momentum=0.0, eps=1e-6)
        return F.conv2d(x, weight.reshape_as(self.weight), self.bias, self.stride, self.padding,
                        1, self.groups)

    def same_padding(self, n):
        """TensorFlow's SAME: the odd pixel goes after."""
        n, stride, kernel = int(n), self.stride[0], self.kernel_size[0]
        total = max((-(-n // stride) - 1) * stride + kernel - n, 0)
        return (total // 2, total - total // 2)


def stretched(conv):
    """`conv` for images SHRINK times as large, which it sees as `conv` sees their area means.

    Repeating each weight on both axes changes neither mean nor variance of a kernel, but its
    scale depends on the number of weights. SAME padding grows in step only if it was even.
    """
    side, stride = conv.kernel_size[0] * SHRINK, conv.stride[0] * SHRINK
    new = ScaledStdConv(conv.in_channels, conv.out_channels, side, stride)
    weight = conv.weight.detach()
    new.weight.data = weight.repeat_interleave(SHRINK, 2).repeat_interleave(SHRINK, 3)
    new.gain.data, new.bias.data = conv.gain.detach() / SHRINK, conv.bias.detach()
    return new


def act(x):
    """GELU scaled to keep the variance of a normal input."""
    return F.gelu(x) * GELU_GAMMA


class SqueezeExcite(nn.Module):
    """Gate each channel by a function of the channel means; the factor 2 is NFNet's."""

    def __init__(self, channels):
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // 2, 1)
        self.fc2 = nn.Conv2d(channels // 2, channels, 1)

    def forward(self, x):
        gate = self.fc2(F.relu(self.fc1(x.mean((2, 3), keepdim=True))))
        return x * torch.sigmoid(gate) * 2


class NFBlock(nn.Module):
    """Pre-activation bottleneck of two grouped 3x3 convolutions; SkipInit closes it at first."""

    def __init__(self, c_in, c_out, stride, beta, group_width):
        super().__init__()
        mid = c_out // 2
        groups = mid // group_width
        self.beta, self.stride = beta, stride
        self.shortcut = None
        if stride > 1 or c_in != c_out:
            self.shortcut = ScaledStdConv(c_in, c_out, 1)
        self.conv0 = ScaledStdConv(c_in, mid, 1)
        self.conv1 = ScaledStdConv(mid, mid, 3, stride, groups)
        self.conv1b = ScaledStdConv(mid, mid, 3, 1, groups)
        self.conv2 = ScaledStdConv(mid, c_out, 1)
        self.se = SqueezeExcite(c_out)
        self.skip_gain = nn.Parameter(torch.zeros(()))

    def forward(self, x):
        out = act(x) * self.beta
        skip = x
        if self.shortcut is not None:
            skip = F.avg_pool2d(out, 2, 2, ceil_mode=True, count_include_pad=False) \
                if self.stride > 1 else out
            skip = self.shortcut(skip)
        out = self.conv1(act(self.conv0(out)))
        out = self.conv2(act(self.conv1b(act(out))))
        return self.se(out) * self.skip_gain * ALPHA + skip


class NFNet(nn.Module):
    """NFNet-F in miniature: its block order, beta schedule and head.

    It is trained on images of SIZE / SHRINK pixels, where the stem's stride is 8.
    """

    def __init__(self, classes, stem=(16, 32, 32), widths=(32, 64, 128, 160), depths=(1, 2, 3, 1),
                 group_width=8, head=320):
        super().__init__()
        sizes = (3,) + stem + (widths[0],)
        self.stem = nn.ModuleList(ScaledStdConv(sizes[i], sizes[i + 1], (4, 3, 3, 3)[i],
                                                (2, 2, 1, 2)[i]) for i in range(4))
        blocks, c_in, variance = [], widths[0], 1.0
        for stage, (width, depth) in enumerate(zip(widths, depths)):
            for block in range(depth):
                stride = 2 if stage > 0 and block == 0 else 1
                blocks.append(NFBlock(c_in, width, stride, variance ** -0.5, group_width))
                variance = (1.0 if block == 0 else variance) + ALPHA ** 2
                c_in = width
        self.blocks = nn.Sequential(*blocks)
        self.final = ScaledStdConv(c_in, head, 1)
        self.fc = nn.Linear(head, classes)
        nn.init.normal_(self.fc.weight, 0, 0.01)

    def forward(self, image):
        x = self.stem[0](image)
        for conv in self.stem[1:]:
            x = conv(act(x))
        x = act(self.final(self.blocks(x)))
        return self.fc(x.mean((2, 3)))

    def stretch(self):
        """Take images of SIZE pixels, as if they were first shrunk by area."""
        self.stem[0] = stretched(self.stem[0])


class Mlp(nn.Sequential):
    """Two linear layers with a GELU between them."""

    def __init__(self, dim, ratio):
        super().__init__(nn.Linear(dim, dim * ratio), nn.GELU(), nn.Linear(dim * ratio, dim))


def attend(q, k, v):
    """Scaled dot-product attention on [batch, heads, tokens, width]."""
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
    return scores.softmax(-1) @ v


class Block(nn.Module):
    """A pre-norm encoder block."""

    def __init__(self, dim, heads, ratio):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(dim, 1e-6), nn.LayerNorm(dim, 1e-6)
        self.qkv, self.proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.mlp = Mlp(dim, ratio)

    def forward(self, x):
        n, tokens, dim = x.shape
        qkv = self.qkv(self.norm1(x)).reshape(n, tokens, 3, self.heads, dim // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        x = x + self.proj(attend(q, k, v).transpose(1, 2).reshape(n, tokens, dim))
        return x + self.mlp(self.norm2(x))


class MapHead(nn.Module):
    """Multihead attention pooling: one learned query looks at all the tokens."""

    def __init__(self, dim, heads, ratio):
        super().__init__()
        self.heads = heads
        self.latent = nn.Parameter(torch.randn(1, 1, dim) * dim ** -0.5)
        self.q, self.kv, self.proj = (nn.Linear(dim, dim), nn.Linear(dim, 2 * dim),
                                      nn.Linear(dim, dim))
        self.norm, self.mlp = nn.LayerNorm(dim, 1e-6), Mlp(dim, ratio)

    def forward(self, x):
        n, tokens, dim = x.shape
        width = dim // self.heads
        q = self.q(self.latent.expand(n, -1, -1)).reshape(n, 1, self.heads, width).transpose(1, 2)
        k, v = self.kv(x).reshape(n, tokens, 2, self.heads, width).permute(2, 0, 3, 1, 4).unbind(0)
        x = self.proj(attend(q, k, v).transpose(1, 2).reshape(n, 1, dim))
        return (x + self.mlp(self.norm(x)))[:, 0]


def sincos(grid, dim):
    """Fixed waves over the grid, a good start for a learned position embedding."""
    rate = 10 ** -torch.linspace(0, 1, dim // 4)
    angle = torch.arange(grid)[:, None] * 8 / grid * rate
    wave = torch.cat((angle.sin(), angle.cos()), 1)
    rows, columns = wave[:, None].expand(-1, grid, -1), wave[None].expand(grid, -1, -1)
    return torch.cat((rows, columns), 2).reshape(1, grid ** 2, dim)


class VitMap(nn.Module):
    """A ViT without class token: a stem of four convolutions, encoder blocks, MAP head.

    The stem follows Xiao et al., "Early convolutions help transformers see better" (2021): one
    large patch projection would need far more training. Its convolutions are the NFNet's, whose
    kernels sum to zero and so ignore the mean colour, which would drown the finer structure. Its
    stride on images of SIZE / SHRINK pixels, which it is trained on, is 16.
    """

    def __init__(self, classes, stem=(16, 32, 48), dim=64, grid=8, depth=4, heads=2, ratio=3):
        super().__init__()
        sizes = (3,) + stem + (dim,)
        self.stem = nn.ModuleList(ScaledStdConv(sizes[i], sizes[i + 1], 3 if i else 4, 2)
                                  for i in range(4))
        self.pos = nn.Parameter(sincos(grid, dim))
        self.blocks = nn.Sequential(*(Block(dim, heads, ratio) for _ in range(depth)))
        self.norm = nn.LayerNorm(dim, 1e-6)
        self.pool = MapHead(dim, heads, ratio)
        self.fc = nn.Linear(dim, classes)

    def tokens(self, image):
        x = self.stem[0](image)
        for conv in self.stem[1:]:
            x = conv(act(x))
        return self.norm(self.blocks(x.flatten(2).transpose(1, 2) + self.pos))

    def forward(self, image):
        return self.fc(self.pool(self.tokens(image)))

    def stretch(self):
        """Take images of SIZE pixels, as if they were first shrunk by area."""
        self.stem[0] = stretched(self.stem[0])


def count_macs(model, size=SIZE):
    """Multiply-adds of the convolutions, linear layers and attention for one image."""
    total = 0

    def tally(layer, inputs, out):
        nonlocal total
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            positions = out.numel() // layer.weight.shape[0]
            total += positions * layer.weight.numel()
        elif isinstance(layer, (Block, MapHead)):
            tokens, dim = inputs[0].shape[1:]
            total += 2 * tokens * dim * (tokens if isinstance(layer, Block) else 1)

    hooks = [layer.register_forward_hook(tally) for layer in model.modules()]
    with torch.no_grad():
        model(torch.zeros(1, 3, size, size))
    for hook in hooks:
        hook.remove()
    return total
