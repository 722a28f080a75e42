"""Classifiers that people also put into such a runtime: residual nets and their kin."""
import torch
from torch import nn
import torch.nn.functional as F


def conv_bn(cin, cout, k, stride=1, groups=1, act=nn.ReLU):
    layers = [nn.Conv2d(cin, cout, k, stride, k // 2, groups=groups, bias=False),
              nn.BatchNorm2d(cout)]
    return nn.Sequential(*layers, act()) if act else nn.Sequential(*layers)


class Bottleneck(nn.Module):
    def __init__(self, cin, cout, stride, first_strided, groups, avg_down, act=nn.ReLU, se=None):
        super().__init__()
        mid = cout // 2
        self.body = nn.Sequential(
            conv_bn(cin, mid, 1, stride if first_strided else 1, act=act),
            conv_bn(mid, mid, 3, 1 if first_strided else stride, groups, act=act),
            se(mid) if se else nn.Identity(), conv_bn(mid, cout, 1, act=None))
        self.down = None
        if stride > 1 or cin != cout:
            self.down = nn.Sequential(
                nn.AvgPool2d(2, stride, ceil_mode=True, count_include_pad=False),
                conv_bn(cin, cout, 1, act=None)) if avg_down and stride > 1 else \
                conv_bn(cin, cout, 1, stride, act=None)
        self.act = act()

    def forward(self, x):
        return self.act(self.body(x) + (self.down(x) if self.down is not None else x))


class ResNet(nn.Module):
    def __init__(self, first_strided=False, deep_stem=False, groups=1, avg_down=False,
                 act=nn.ReLU, se=None):
        super().__init__()
        self.stem = nn.Sequential(
            *([conv_bn(3, 8, 3, 2), conv_bn(8, 8, 3), conv_bn(8, 16, 3)] if deep_stem else
              [conv_bn(3, 16, 7, 2)]), nn.MaxPool2d(3, 2, 1))
        self.blocks = nn.Sequential(*[
            Bottleneck(a, b, s, first_strided, groups, avg_down, act, se)
            for a, b, s in ((16, 32, 1), (32, 32, 1), (32, 64, 2), (64, 64, 1))])
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(self.blocks(self.stem(x)), 1), 1))


class HardSE(nn.Module):
    def __init__(self, chs):
        super().__init__()
        self.a, self.b = nn.Conv2d(chs, 8, 1), nn.Conv2d(8, chs, 1)

    def forward(self, x):
        return x * F.hardsigmoid(self.b(F.relu(self.a(F.adaptive_avg_pool2d(x, 1)))))


class SE(HardSE):
    def forward(self, x):
        return torch.sigmoid(self.b(F.silu(self.a(F.adaptive_avg_pool2d(x, 1))))) * x


class Inverted(nn.Module):
    def __init__(self, cin, cout, stride, k, act, se):
        super().__init__()
        mid = cin * 4
        self.body = nn.Sequential(conv_bn(cin, mid, 1, act=act),
                                  conv_bn(mid, mid, k, stride, mid, act), se(mid),
                                  conv_bn(mid, cout, 1, act=None))
        self.skip = stride == 1 and cin == cout

    def forward(self, x):
        return x + self.body(x) if self.skip else self.body(x)


class MobileLike(nn.Module):
    def __init__(self, act=nn.Hardswish, se=HardSE):
        super().__init__()
        self.net = nn.Sequential(
            conv_bn(3, 16, 3, 2, act=act), Inverted(16, 24, 2, 3, act, se),
            Inverted(24, 24, 1, 5, act, se), Inverted(24, 32, 2, 5, act, se),
            conv_bn(32, 64, 1, act=act))
        self.head = nn.Sequential(nn.Linear(64, 48), act(), nn.Dropout(0.2), nn.Linear(48, 10))

    def forward(self, x):
        return self.head(self.net(x).mean([2, 3]))


class ChannelsFirstNorm(nn.Module):
    def __init__(self, chs):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(chs)), nn.Parameter(torch.zeros(chs))

    def forward(self, x):
        u = x.mean(1, keepdim=True)
        s = (x - u).pow(2).mean(1, keepdim=True)
        x = (x - u) / torch.sqrt(s + 1e-6)
        return self.weight[:, None, None] * x + self.bias[:, None, None]


class ConvNeXtBlock(nn.Module):
    def __init__(self, dim, style):
        super().__init__()
        self.style = style
        self.dw = nn.Conv2d(dim, dim, 7, padding=3, groups=dim)
        if style == "linear":
            self.norm = nn.LayerNorm(dim, eps=1e-6)
            self.fc1, self.fc2 = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)
        else:
            self.norm = ChannelsFirstNorm(dim)
            self.fc1, self.fc2 = nn.Conv2d(dim, 4 * dim, 1), nn.Conv2d(4 * dim, dim, 1)
        self.gamma = nn.Parameter(torch.ones(dim))

    def forward(self, x):
        y = self.dw(x)
        if self.style == "linear":
            y = self.fc2(F.gelu(self.fc1(self.norm(y.permute(0, 2, 3, 1)))))
            return x + (self.gamma * y).permute(0, 3, 1, 2)
        y = self.fc2(F.gelu(self.fc1(self.norm(y))))
        return x + self.gamma.reshape(1, -1, 1, 1) * y


class ConvNeXt(nn.Module):
    def __init__(self, style="linear"):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(3, 16, 4, 4), ChannelsFirstNorm(16), ConvNeXtBlock(16, style),
            ChannelsFirstNorm(16), nn.Conv2d(16, 32, 2, 2), ConvNeXtBlock(32, style))
        self.norm, self.fc = nn.LayerNorm(32, eps=1e-6), nn.Linear(32, 10)

    def forward(self, x):
        return self.fc(self.norm(self.net(x).mean([-2, -1])))


class DenseNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = conv_bn(3, 16, 3, 2)
        self.layers = nn.ModuleList([
            nn.Sequential(nn.BatchNorm2d(16 + 8 * i), nn.ReLU(),
                          nn.Conv2d(16 + 8 * i, 8, 3, padding=1, bias=False)) for i in range(3)])
        self.transition = nn.Sequential(nn.BatchNorm2d(40), nn.ReLU(), nn.Conv2d(40, 20, 1),
                                        nn.AvgPool2d(2, 2))
        self.fc = nn.Linear(20, 10)

    def forward(self, x):
        parts = [self.stem(x)]
        for layer in self.layers:
            parts.append(layer(torch.cat(parts, 1)))
        return self.fc(F.relu(self.transition(torch.cat(parts, 1))).mean((2, 3)))


class ShuffleNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = conv_bn(3, 16, 3, 2)
        self.a, self.b = conv_bn(8, 8, 3), conv_bn(8, 8, 3, groups=8)
        self.fc = nn.Linear(16, 10)

    def forward(self, x):
        x = self.stem(x)
        for f in (self.a, self.b):
            left, right = x.chunk(2, dim=1)
            x = torch.cat((left, f(right)), 1)
            b, c, h, w = x.shape
            x = x.view(b, 2, c // 2, h, w).transpose(1, 2).contiguous().view(b, c, h, w)
        return self.fc(x.mean([2, 3]))


class SwinBlock(nn.Module):
    def __init__(self, dim, heads, grid, window, shift):
        super().__init__()
        self.heads, self.grid, self.window, self.shift = heads, grid, window, shift
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.qkv, self.proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.fc1, self.fc2 = nn.Linear(dim, 2 * dim), nn.Linear(2 * dim, dim)
        self.table = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        at = torch.stack(torch.meshgrid(torch.arange(window), torch.arange(window),
                                        indexing="ij")).flatten(1)
        relative = (at[:, :, None] - at[:, None, :]).permute(1, 2, 0) + window - 1
        self.register_buffer("index", relative[..., 0] * (2 * window - 1) + relative[..., 1])
        mask = torch.zeros(1, grid, grid, 1)
        for i, rows in enumerate((slice(0, -window), slice(-window, -shift or None))):
            for j, cols in enumerate((slice(0, -window), slice(-window, -shift or None))):
                mask[:, rows, cols] = 2 * i + j
        m = self.split(mask).reshape(-1, window * window)
        m = m[:, None] - m[:, :, None]
        self.register_buffer("mask", m.masked_fill(m != 0, -100.0) if shift else None)

    def split(self, x):
        b, h, w, c = x.shape
        k = self.window
        return x.view(b, h // k, k, w // k, k, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, k * k, c)

    def attend(self, x):
        b, n, c = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.heads, c // self.heads) \
            .permute(2, 0, 3, 1, 4).unbind(0)
        a = (q * (c // self.heads) ** -0.5) @ k.transpose(-2, -1)
        a = a + self.table[self.index.view(-1)].view(n, n, -1).permute(2, 0, 1).unsqueeze(0)
        if self.mask is not None:
            windows = self.mask.shape[0]
            a = a.view(b // windows, windows, self.heads, n, n) + self.mask[None, :, None]
            a = a.view(-1, self.heads, n, n)
        return self.proj((a.softmax(-1) @ v).transpose(1, 2).reshape(b, n, c))

    def forward(self, x):
        b, n, c = x.shape
        g, k = self.grid, self.window
        y = self.norm1(x).view(b, g, g, c)
        if self.shift:
            y = torch.roll(y, (-self.shift, -self.shift), (1, 2))
        y = self.attend(self.split(y)).view(b, g // k, g // k, k, k, c)
        y = y.permute(0, 1, 3, 2, 4, 5).reshape(b, g, g, c)
        if self.shift:
            y = torch.roll(y, (self.shift, self.shift), (1, 2))
        x = x + y.reshape(b, n, c)
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class Swin(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Conv2d(3, 24, 4, 4)
        self.blocks = nn.Sequential(SwinBlock(24, 3, 8, 4, 0), SwinBlock(24, 3, 8, 4, 2))
        self.norm, self.merge = nn.LayerNorm(96), nn.Linear(96, 48, bias=False)
        self.fc = nn.Linear(48, 10)

    def forward(self, x):
        x = self.blocks(self.embed(x).flatten(2).transpose(1, 2))
        b, n, c = x.shape
        x = x.view(b, 8, 8, c)
        x = torch.cat([x[:, i::2, j::2] for j in (0, 1) for i in (0, 1)], -1).view(b, -1, 4 * c)
        return self.fc(self.merge(self.norm(x)).mean(1))


class Mixer(nn.Module):
    def __init__(self, dim=32, n=16):
        super().__init__()
        self.embed = nn.Conv2d(3, dim, 8, 8)
        self.norms = nn.ModuleList([nn.LayerNorm(dim) for _ in range(4)])
        self.tokens = nn.ModuleList([nn.Sequential(nn.Linear(n, 24), nn.GELU(), nn.Linear(24, n))
                                     for _ in range(2)])
        self.channels = nn.ModuleList(
            [nn.Sequential(nn.Linear(dim, 64), nn.GELU(), nn.Linear(64, dim)) for _ in range(2)])
        self.fc = nn.Linear(dim, 10)

    def forward(self, x):
        x = self.embed(x).flatten(2).transpose(1, 2)
        for i in range(2):
            x = x + self.tokens[i](self.norms[2 * i](x).transpose(1, 2)).transpose(1, 2)
            x = x + self.channels[i](self.norms[2 * i + 1](x))
        return self.fc(x.mean(1))
