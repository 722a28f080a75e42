"""Vision transformers in the spellings that model libraries use for their parts."""
import math

import torch
from torch import nn
import torch.nn.functional as F


def gelu_by_hand(x):
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3)))


def gelu_cube_by_products(x):
    return 0.5 * x * (1.0 + torch.tanh(0.7978845608028654 * x * (1.0 + 0.044715 * x * x)))


def gelu_pow(x):
    inner = math.sqrt(2.0 / math.pi) * (x + 0.044715 * torch.pow(x, 3.0))
    return x * 0.5 * (1.0 + torch.tanh(inner))


ACTS = {
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "by_hand": gelu_by_hand,
    "by_products": gelu_cube_by_products,
    "by_pow": gelu_pow,
    "quick": lambda x: x * torch.sigmoid(1.702 * x),
    "silu": F.silu,
    "erf_by_hand": lambda x: x * 0.5 * (1.0 + torch.erf(x / math.sqrt(2.0))),
    "erf_cdf": lambda x: 0.5 * x * (1.0 + torch.erf(x * 0.7071067811865475)),
    "relu_squared": lambda x: F.relu(x).square(),
}


class RMSNorm(nn.Module):
    def __init__(self, dim, eps=1e-6):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(dim)), eps

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * self.weight


class HandLayerNorm(nn.Module):
    def __init__(self, dim, eps=1e-6):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(dim)), nn.Parameter(torch.zeros(dim))
        self.eps = eps

    def forward(self, x):
        u = x.mean(-1, keepdim=True)
        s = (x - u).pow(2).mean(-1, keepdim=True)
        return self.weight * ((x - u) / torch.sqrt(s + self.eps)) + self.bias


NORMS = {"layer": lambda d: nn.LayerNorm(d, eps=1e-6), "rms": RMSNorm, "hand": HandLayerNorm,
         "fine": lambda d: nn.LayerNorm(d, eps=1e-5)}


class Attention(nn.Module):
    def __init__(self, dim, heads, style, bias=True, qk_norm=None, n=None):
        super().__init__()
        self.heads, self.style, self.d = heads, style, dim // heads
        self.proj = nn.Linear(dim, dim)
        if style.startswith("mha"):
            self.mha = nn.MultiheadAttention(dim, heads, batch_first=style == "mha_bf", bias=bias)
        elif style == "separate":
            self.q, self.k, self.v = (nn.Linear(dim, dim, bias=bias) for _ in range(3))
        elif style == "beit":
            self.qkv = nn.Linear(dim, 3 * dim, bias=False)
            self.q_bias, self.v_bias = (nn.Parameter(torch.zeros(dim)) for _ in range(2))
            self.register_buffer("k_bias", torch.zeros(dim))
            self.table = nn.Parameter(torch.zeros(4 * n, heads))
            grid = torch.arange(n)
            self.register_buffer("index", (grid[None] - grid[:, None]) % (4 * n))
        else:
            self.qkv = nn.Linear(dim, 3 * dim, bias=bias)
        self.q_norm = NORMS[qk_norm](self.d) if qk_norm else nn.Identity()
        self.k_norm = NORMS[qk_norm](self.d) if qk_norm else nn.Identity()

    def split(self, x):
        b, n, c = x.shape
        if self.style == "separate":
            return [f(x).view(b, n, self.heads, self.d).permute(0, 2, 1, 3)
                    for f in (self.q, self.k, self.v)]
        if self.style == "chunk":
            return [t.reshape(b, n, self.heads, self.d).transpose(1, 2)
                    for t in self.qkv(x).chunk(3, dim=-1)]
        if self.style == "beit":
            bias = torch.cat((self.q_bias, self.k_bias, self.v_bias))
            qkv = F.linear(x, self.qkv.weight, bias).reshape(b, n, 3, self.heads, -1)
            return qkv.permute(2, 0, 3, 1, 4).unbind(0)
        qkv = self.qkv(x).reshape(b, n, 3, self.heads, self.d).permute(2, 0, 3, 1, 4)
        if self.style == "index":
            return qkv[0], qkv[1], qkv[2]
        return qkv.unbind(0)

    def forward(self, x):
        if self.style.startswith("mha"):
            if self.style == "mha_bf":
                return self.proj(self.mha(x, x, x, need_weights=False)[0])
            y = x.transpose(0, 1)
            return self.proj(self.mha(y, y, y)[0].transpose(0, 1))
        b, n, c = x.shape
        q, k, v = self.split(x)
        q, k = self.q_norm(q), self.k_norm(k)
        scale = self.d ** -0.5
        if self.style == "einsum":
            a = torch.einsum("bhqd,bhkd->bhqk", q, k) * scale
            y = torch.einsum("bhqk,bhkd->bhqd", a.softmax(-1), v)
        elif self.style == "after":
            y = (torch.matmul(q, k.transpose(-1, -2)) / math.sqrt(self.d)).softmax(-1) @ v
        elif self.style == "both":
            r = self.d ** -0.25
            y = ((q * r) @ (k.transpose(-2, -1) * r)).softmax(-1) @ v
        elif self.style == "sdp":
            y = F.softmax(torch.baddbmm(
                torch.empty(b * self.heads, n, n), q.reshape(-1, n, self.d),
                k.reshape(-1, n, self.d).transpose(1, 2), beta=0, alpha=scale), -1)
            y = torch.bmm(y, v.reshape(-1, n, self.d)).view(b, self.heads, n, self.d)
        elif self.style == "causal":
            a = (q * scale) @ k.transpose(-2, -1)
            mask = torch.full((n, n), float("-inf")).triu(1)
            y = (a + mask).softmax(-1) @ v
        elif self.style == "masked":
            keep = torch.ones(n, n, dtype=torch.bool).tril(2)
            a = ((q * scale) @ k.transpose(-2, -1)).masked_fill(~keep, torch.finfo(q.dtype).min)
            y = a.softmax(-1) @ v
        elif self.style == "beit":
            a = (q * scale) @ k.transpose(-2, -1)
            bias = self.table[self.index.view(-1)].view(n, n, -1).permute(2, 0, 1).contiguous()
            y = (a + bias.unsqueeze(0)).softmax(-1) @ v
        else:
            a = (q * scale) @ k.transpose(-2, -1)
            y = a.softmax(dim=-1) @ v
        return self.proj(y.transpose(1, 2).reshape(b, n, c))


class Mlp(nn.Module):
    def __init__(self, dim, hidden, act):
        super().__init__()
        self.fc1, self.fc2, self.act = nn.Linear(dim, hidden), nn.Linear(hidden, dim), ACTS[act]

    def forward(self, x):
        return self.fc2(self.act(self.fc1(x)))


class SwiGLU(nn.Module):
    def __init__(self, dim, hidden, packed):
        super().__init__()
        self.packed = packed
        if packed:
            self.w12 = nn.Linear(dim, 2 * hidden)
        else:
            self.w1, self.w2 = nn.Linear(dim, hidden), nn.Linear(dim, hidden)
        self.norm = nn.LayerNorm(hidden, eps=1e-6)
        self.w3 = nn.Linear(hidden, dim)

    def forward(self, x):
        a, b = self.w12(x).chunk(2, dim=-1) if self.packed else (self.w1(x), self.w2(x))
        return self.w3(self.norm(F.silu(a) * b))


class Block(nn.Module):
    def __init__(self, dim, heads, attn, act, norm, scale, bias, qk_norm, n, mlp, post):
        super().__init__()
        self.norm1, self.norm2 = NORMS[norm](dim), NORMS[norm](dim)
        self.attn = Attention(dim, heads, attn, bias, qk_norm, n)
        self.mlp = Mlp(dim, int(dim * 3.25), act) if mlp == "mlp" else \
            SwiGLU(dim, 2 * dim, mlp == "swiglu_packed")
        self.ls1 = nn.Parameter(torch.ones(dim)) if scale else None
        self.ls2 = nn.Parameter(torch.ones(dim)) if scale else None
        self.post = post

    def forward(self, x):
        if self.post:
            x = x + self.norm1(self.attn(x))
            return x + self.norm2(self.mlp(x))
        a = self.attn(self.norm1(x))
        x = x + (a * self.ls1 if self.ls1 is not None else a)
        m = self.mlp(self.norm2(x))
        return x + (m.mul(self.ls2) if self.ls2 is not None else m)


class MapHead(nn.Module):
    def __init__(self, dim, heads, act, style):
        super().__init__()
        self.heads, self.d, self.style = heads, dim // heads, style
        self.latent = nn.Parameter(torch.zeros(1, 1, dim))
        if style == "mha":
            self.mha = nn.MultiheadAttention(dim, heads, batch_first=True)
        else:
            self.q, self.kv = nn.Linear(dim, dim), nn.Linear(dim, 2 * dim)
            self.proj = nn.Linear(dim, dim)
        self.norm, self.mlp = nn.LayerNorm(dim, eps=1e-6), Mlp(dim, 2 * dim, act)

    def forward(self, x):
        b, n, c = x.shape
        if self.style == "mha":
            y = self.mha(self.latent.repeat(b, 1, 1), x, x)[0]
        else:
            q = self.q(self.latent.expand(b, -1, -1)).reshape(b, 1, self.heads, self.d)
            k, v = self.kv(x).reshape(b, n, 2, self.heads, self.d).permute(2, 0, 3, 1, 4).unbind(0)
            q = q.transpose(1, 2) * self.d ** -0.5
            y = (q @ k.transpose(-2, -1)).softmax(-1) @ v
            y = self.proj(y.transpose(1, 2).reshape(b, 1, c))
        y = y + self.mlp(self.norm(y))
        return y[:, 0]


class ViT(nn.Module):
    def __init__(self, size=32, patch=8, dim=48, heads=3, depth=2, pool="token", registers=0,
                 attn="manual", act="gelu", norm="layer", layer_scale=False, bias=True,
                 qk_norm=None, mlp="mlp", post=False, pre_norm=False, pos="learned",
                 classes=10, head="linear", tokens="flatten"):
        super().__init__()
        size = (size, size) if isinstance(size, int) else size
        self.grid = (size[0] // patch, size[1] // patch)
        self.patch, self.pool, self.pos_kind, self.token_kind = patch, pool, pos, tokens
        n = self.grid[0] * self.grid[1]
        self.embed = nn.Conv2d(3, dim, patch, patch, bias=not pre_norm)
        self.linear_embed = nn.Linear(3 * patch * patch, dim)
        self.cls = nn.Parameter(torch.zeros(1, 1, dim)) if pool == "token" else None
        self.reg = nn.Parameter(torch.zeros(1, registers, dim)) if registers else None
        self.pos = nn.Parameter(torch.zeros(1, n + (pool == "token" and pos != "patches"), dim))
        self.norm_pre = NORMS[norm](dim) if pre_norm else nn.Identity()
        total = n + (pool == "token") + registers
        self.blocks = nn.ModuleList(
            [Block(dim, heads, attn, act, norm, layer_scale, bias, qk_norm, total, mlp, post)
             for _ in range(depth)])
        self.norm = NORMS[norm](dim)
        self.map = MapHead(dim, heads, act, pool) if pool in ("map", "mha") else None
        if self.map is not None:
            self.map.style = "mha" if pool == "mha" else "kv"
        self.head = nn.Sequential(nn.Linear(dim, dim), nn.Tanh(), nn.Linear(dim, classes)) \
            if head == "tanh" else nn.Linear(dim, classes)

    def positions(self, h, w):
        if self.pos_kind != "interpolate":
            return self.pos
        first = 1 if self.cls is not None else 0
        grid = self.pos[:, first:].reshape(1, *self.grid, -1).permute(0, 3, 1, 2)
        grid = F.interpolate(grid, size=(h, w), mode="bicubic", align_corners=False)
        grid = grid.permute(0, 2, 3, 1).reshape(1, h * w, -1)
        return torch.cat([self.pos[:, :first], grid], 1)

    def tokens(self, x):
        b = x.shape[0]
        if self.token_kind == "unfold":  # (b c (h p) (w q)) -> (b (h w) (p q c)), then Linear
            c, h, w, p = x.shape[1], x.shape[2], x.shape[3], self.patch
            x = x.reshape(b, c, h // p, p, w // p, p).permute(0, 2, 4, 3, 5, 1)
            return self.linear_embed(x.reshape(b, (h // p) * (w // p), p * p * c)), None
        y = self.embed(x)
        grid = y.shape[-2:]
        if self.token_kind == "permute":
            return y.permute(0, 2, 3, 1).reshape(b, -1, y.shape[1]), grid
        if self.token_kind == "reshape":
            return y.reshape(b, y.shape[1], grid[0] * grid[1]).permute(0, 2, 1), grid
        return y.flatten(2).transpose(1, 2), grid

    def forward(self, x):
        b = x.shape[0]
        x, grid = self.tokens(x)
        pos = self.positions(*grid) if grid is not None else self.pos
        if self.pos_kind == "patches":
            x = x + pos
        if self.cls is not None:
            x = torch.cat((self.cls.expand(b, -1, -1), x), dim=1)
        if self.pos_kind != "patches":
            x = x + pos
        if self.reg is not None:
            x = torch.cat([x[:, :1], self.reg.expand(b, -1, -1), x[:, 1:]], dim=1)
        x = self.norm_pre(x)
        for block in self.blocks:
            x = block(x)
        if self.pool == "token":
            x = self.norm(x)[:, 0]
        elif self.pool == "gap":
            x = self.norm(x.mean(dim=1))
        elif self.pool == "gap_after":
            x = self.norm(x)
            x = (x[:, 1:] if self.cls is not None else x).mean(1)
        else:
            x = self.map(self.norm(x))
        return self.head(x)


class TorchEncoder(nn.Module):
    """nn.TransformerEncoderLayer, optionally with masks, behind a patch embedding."""

    def __init__(self, dim=32, heads=4, norm_first=True, batch_first=True, act="gelu", mask=False):
        super().__init__()
        self.embed = nn.Conv2d(3, dim, 8, 8)
        self.layers = nn.ModuleList(
            [nn.TransformerEncoderLayer(dim, heads, 2 * dim, 0.0, act, norm_first=norm_first,
                                        batch_first=batch_first) for _ in range(2)])
        self.batch_first, self.mask = batch_first, mask
        self.head = nn.Linear(dim, 10)

    def forward(self, x):
        x = self.embed(x).flatten(2)
        x = x.permute(0, 2, 1) if self.batch_first else x.permute(2, 0, 1)
        n = x.shape[1 if self.batch_first else 0]
        mask = torch.full((n, n), float("-inf")).triu(1) if self.mask else None
        for layer in self.layers:
            x = layer(x, mask)
        return self.head(x.mean(1 if self.batch_first else 0))
