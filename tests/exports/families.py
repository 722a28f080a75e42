"""Small BEiT, DINOv2, Swin V2 and ConvNeXt V2, with the parts that set them apart spelt as the
libraries that people export them from spell them."""
import math

import torch
from torch import nn
import torch.nn.functional as F

from others import ConvNeXtBlock, SwinBlock
from vit import Mlp, SwiGLU


def attend(q, k, v, bias=None):
    a = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
    if bias is not None:
        a = a + bias
    y = a.softmax(-1) @ v
    return y.transpose(1, 2).flatten(2)


# ---- BEiT: biases by relative position, with rows of their own for the class token ----------------

def relative_index(grid):
    """For each pair of tokens the row of a table; the last three are to, from and at the class."""
    h, w = grid
    at = torch.stack(torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")).flatten(1)
    apart = (at[:, :, None] - at[:, None, :]).permute(1, 2, 0).contiguous()
    apart += torch.tensor((h - 1, w - 1))
    rows = (2 * h - 1) * (2 * w - 1) + 3
    index = torch.full((h * w + 1,) * 2, rows - 3)
    index[1:, 1:] = apart[..., 0] * (2 * w - 1) + apart[..., 1]
    index[0:, 0] = rows - 2
    index[0, 0] = rows - 1
    return index, rows


class RelativeBias(nn.Module):
    def __init__(self, grid, heads):
        super().__init__()
        index, rows = relative_index(grid)
        self.register_buffer("index", index)
        self.table = nn.Parameter(torch.zeros(rows, heads))

    def forward(self):
        n = self.index.shape[0]
        return self.table[self.index.view(-1)].view(n, n, -1).permute(2, 0, 1).contiguous()


class BeitBlock(nn.Module):
    """`style`: "timm" has one product with a zero key bias, "hf" separate ones and views."""

    def __init__(self, dim, heads, grid, style, own_bias):
        super().__init__()
        self.heads, self.style = heads, style
        self.norm1, self.norm2 = nn.LayerNorm(dim, eps=1e-6), nn.LayerNorm(dim, eps=1e-6)
        if style == "timm":
            self.qkv = nn.Linear(dim, 3 * dim, bias=False)
            self.q_bias, self.v_bias = (nn.Parameter(torch.zeros(dim)) for _ in range(2))
            self.register_buffer("k_bias", torch.zeros(dim))
        else:
            self.q, self.v = nn.Linear(dim, dim), nn.Linear(dim, dim)
            self.k = nn.Linear(dim, dim, bias=False)
        self.proj, self.mlp = nn.Linear(dim, dim), Mlp(dim, 4 * dim, "gelu")
        self.gamma_1, self.gamma_2 = (nn.Parameter(torch.ones(dim)) for _ in range(2))
        self.bias = RelativeBias(grid, heads) if own_bias else None

    def split(self, x):
        b, n, c = x.shape
        if self.style == "timm":
            bias = torch.cat((self.q_bias, self.k_bias, self.v_bias))
            qkv = F.linear(x, self.qkv.weight, bias)
            return qkv.reshape(b, n, 3, self.heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
        return [f(x).view(x.size()[:-1] + (self.heads, c // self.heads)).permute(0, 2, 1, 3)
                for f in (self.q, self.k, self.v)]

    def forward(self, x, shared):
        q, k, v = self.split(self.norm1(x))
        bias = shared if self.bias is None else self.bias().unsqueeze(0)
        if self.style == "timm":
            y = attend(q, k, v, bias)
        else:
            a = torch.matmul(q, k.transpose(-1, -2)) / math.sqrt(q.shape[-1]) + bias
            y = torch.matmul(nn.functional.softmax(a, dim=-1), v).permute(0, 2, 1, 3).contiguous()
            y = y.view(y.size()[:-2] + (x.shape[-1],))
        x = x + self.gamma_1 * self.proj(y)
        return x + self.gamma_2 * self.mlp(self.norm2(x))


class Beit(nn.Module):
    def __init__(self, style="timm", shared=False, dim=48, heads=4, grid=(4, 5)):
        super().__init__()
        self.embed = nn.Conv2d(3, dim, 8, 8)
        self.cls = nn.Parameter(torch.zeros(1, 1, dim))
        self.bias = RelativeBias(grid, heads) if shared else None
        self.blocks = nn.ModuleList(
            [BeitBlock(dim, heads, grid, style, not shared) for _ in range(2)])
        self.norm, self.head = nn.LayerNorm(dim, eps=1e-6), nn.Linear(dim, 10)

    def forward(self, x):
        x = self.embed(x).flatten(2).transpose(1, 2)
        x = torch.cat((self.cls.expand(x.shape[0], -1, -1), x), dim=1)
        shared = self.bias().unsqueeze(0) if self.bias is not None else None
        for block in self.blocks:
            x = block(x, shared)
        return self.head(self.norm(x[:, 1:].mean(1)))


# ---- DINOv2 -----------------------------------------------------------------------------------------

class LayerScale(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(dim))

    def forward(self, x):
        return x * self.gamma


class DinoBlock(nn.Module):
    def __init__(self, dim, heads, swiglu):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(dim, eps=1e-6), nn.LayerNorm(dim, eps=1e-6)
        self.qkv, self.proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.ls1, self.ls2 = LayerScale(dim), LayerScale(dim)
        self.mlp = SwiGLU(dim, 2 * dim, True) if swiglu else Mlp(dim, 4 * dim, "gelu")
        if swiglu:
            self.mlp.norm = nn.Identity()

    def forward(self, x):
        b, n, c = x.shape
        qkv = self.qkv(self.norm1(x)).reshape(b, n, 3, self.heads, c // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        x = x + self.ls1(self.proj(attend(q, k, v)))
        return x + self.ls2(self.mlp(self.norm2(x)))


class Dino(nn.Module):
    """`pos` says how the 5x5 embeddings come to the grid of the image: "scale" by factors with the
    0.1 that guarded them, "size" to a size; "antialias" too. Class token and mean feed the head."""

    def __init__(self, pos="scale", registers=0, swiglu=False, dim=48, heads=4, patch=7):
        super().__init__()
        self.style, self.patch = pos, patch
        self.embed = nn.Conv2d(3, dim, patch, patch)
        self.cls, self.pos = nn.Parameter(torch.zeros(1, 1, dim)), \
            nn.Parameter(torch.zeros(1, 26, dim))
        self.registers = nn.Parameter(torch.zeros(1, registers, dim)) if registers else None
        self.blocks = nn.ModuleList([DinoBlock(dim, heads, swiglu) for _ in range(2)])
        self.norm, self.head = nn.LayerNorm(dim, eps=1e-6), nn.Linear(2 * dim, 10)

    def positions(self, x, h, w):
        side, dim = 5, x.shape[-1]
        first, patches = self.pos[:, 0], self.pos[:, 1:]
        h0, w0 = h // self.patch, w // self.patch
        how = {"size": (h0, w0)}
        if self.style == "scale":
            how = {"scale_factor": (float(h0 + 0.1) / side, float(w0 + 0.1) / side)}
        grid = F.interpolate(patches.reshape(1, side, side, dim).permute(0, 3, 1, 2),
                             mode="bicubic", **how)
        grid = grid.permute(0, 2, 3, 1).view(1, -1, dim)
        return torch.cat((first.unsqueeze(0), grid), dim=1)

    def forward(self, image):
        b, _, h, w = image.shape
        x = self.embed(image).flatten(2).transpose(1, 2)
        x = torch.cat((self.cls.expand(x.shape[0], -1, -1), x), dim=1)
        x = x + self.positions(x, h, w)
        extra = 1
        if self.registers is not None:
            extra += self.registers.shape[1]
            x = torch.cat((x[:, :1], self.registers.expand(x.shape[0], -1, -1), x[:, 1:]), dim=1)
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)
        return self.head(torch.cat([x[:, 0], x[:, extra:].mean(dim=1)], dim=1))


# ---- Swin V2: cosine attention, biases by a small network of log distances, norms behind -------------

class SwinV2Block(SwinBlock):
    def __init__(self, dim, heads, grid, window, shift):
        super().__init__(dim, heads, grid, window, shift)
        self.logit_scale = nn.Parameter(torch.log(10 * torch.ones(heads, 1, 1)))
        self.distance_mlp = nn.Sequential(nn.Linear(2, 16), nn.ReLU(),
                                          nn.Linear(16, heads, bias=False))
        at = torch.arange(-(window - 1), window, dtype=torch.float32) / (window - 1) * 8
        pairs = torch.stack(torch.meshgrid(at, at, indexing="ij"), -1)
        pairs = torch.sign(pairs) * torch.log2(pairs.abs() + 1) / math.log2(8)
        self.register_buffer("mask_free_pairs", pairs[None])  # not for randomise

    def attend(self, x):
        b, n, c = x.shape
        size = c
        bias = self.qkv.bias * torch.cat((torch.ones(size), torch.zeros(size), torch.ones(size)))
        qkv = F.linear(x, self.qkv.weight, bias).reshape(b, n, 3, self.heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        a = F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).transpose(-2, -1)
        a = a * torch.clamp(self.logit_scale, max=math.log(100.0)).exp()
        table = self.distance_mlp(self.mask_free_pairs).view(-1, self.heads)
        a = a + 16 * torch.sigmoid(
            table[self.index.view(-1)].view(n, n, -1).permute(2, 0, 1)).unsqueeze(0)
        if self.mask is not None:
            windows = self.mask.shape[0]
            a = a.view(b // windows, windows, self.heads, n, n) + self.mask[None, :, None]
            a = a.view(-1, self.heads, n, n)
        return self.proj((a.softmax(-1) @ v).transpose(1, 2).reshape(b, n, c))

    def forward(self, x):
        b, n, c = x.shape
        g, k = self.grid, self.window
        y = x.view(b, g, g, c)
        if self.shift:
            y = torch.roll(y, (-self.shift, -self.shift), (1, 2))
        y = self.attend(self.split(y)).view(b, g // k, g // k, k, k, c)
        y = y.permute(0, 1, 3, 2, 4, 5).reshape(b, g, g, c)
        if self.shift:
            y = torch.roll(y, (self.shift, self.shift), (1, 2))
        x = x + self.norm1(y.reshape(b, n, c))
        return x + self.norm2(self.fc2(F.gelu(self.fc1(x))))


class SwinV2(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.first = nn.Conv2d(3, 24, 4, 4), nn.LayerNorm(24)
        self.blocks = nn.Sequential(SwinV2Block(24, 3, 8, 4, 0), SwinV2Block(24, 3, 8, 4, 2))
        self.merge, self.norm = nn.Linear(96, 48, bias=False), nn.LayerNorm(48)
        self.fc = nn.Linear(48, 10)

    def forward(self, x):
        x = self.first(self.embed(x).flatten(2).transpose(1, 2))
        x = self.blocks(x)
        b, n, c = x.shape
        x = x.view(b, 4, 2, 4, 2, c).permute(0, 1, 3, 4, 2, 5).flatten(3)
        return self.fc(self.norm(self.merge(x)).mean((1, 2)))


# ---- ConvNeXt V2: the response of a channel against the mean of all -----------------------------------

class ResponseNorm(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(dim)), nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        """x: channels-last."""
        g = x.norm(p=2, dim=(1, 2), keepdim=True)
        g = g / (g.mean(dim=-1, keepdim=True) + 1e-6)
        return x + torch.addcmul(self.bias.view(1, 1, 1, -1), self.weight.view(1, 1, 1, -1), x * g)


class ConvNeXtV2Block(ConvNeXtBlock):
    def __init__(self, dim):
        super().__init__(dim, "linear")
        self.response = ResponseNorm(4 * dim)

    def forward(self, x):
        y = F.gelu(self.fc1(self.norm(self.dw(x).permute(0, 2, 3, 1))))
        return x + self.fc2(self.response(y)).permute(0, 3, 1, 2)


class ConvNeXtV2(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.norm1 = nn.Conv2d(3, 16, 4, 4), nn.LayerNorm(16, eps=1e-6)
        self.a, self.down = ConvNeXtV2Block(16), nn.Conv2d(16, 32, 2, 2)
        self.b = ConvNeXtV2Block(32)
        self.norm, self.fc = nn.LayerNorm(32, eps=1e-6), nn.Linear(32, 10)

    def forward(self, x):
        x = self.norm1(self.stem(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        x = self.b(self.down(self.a(x)))
        x = self.norm(F.adaptive_avg_pool2d(x, 1).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return self.fc(x.flatten(1))
