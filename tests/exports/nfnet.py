"""Normaliser-free nets as image model libraries write them: weight standardisation through
batch_norm, scaled activations, squeeze-excitation or ECA, skip gains, SAME or symmetric padding."""
import math

import torch
from torch import nn
import torch.nn.functional as F


def same_pad(x, kernel, stride):
    def one(size, k, s):
        if torch.is_tensor(size):
            return torch.clamp((torch.ceil(size / s).to(size.dtype) - 1) * s + k - size, min=0)
        return max((math.ceil(size / s) - 1) * s + k - size, 0)

    h, w = x.size()[-2:]
    ph, pw = one(h, kernel, stride), one(w, kernel, stride)
    if torch.is_tensor(ph):
        half = [torch.div(p, 2, rounding_mode="floor") for p in (ph, pw)]
    else:
        half = [ph // 2, pw // 2]
    return F.pad(x, [half[1], pw - half[1], half[0], ph - half[0]])


class StdConv(nn.Conv2d):
    """scale * gain * (w - mean) / sqrt(var + eps) by batch_norm over the filters."""

    def __init__(self, cin, cout, k, stride=1, groups=1, bias=True, same=False, eps=1e-6,
                 style="batch_norm"):
        pad = 0 if same else (k - 1) // 2
        super().__init__(cin, cout, k, stride, pad, groups=groups, bias=bias)
        self.gain = nn.Parameter(torch.ones(cout, 1, 1, 1))
        self.scale = self.weight[0].numel() ** -0.5
        self.same, self.eps, self.style = same, eps, style

    def standard(self):
        w = self.weight
        if self.style == "batch_norm":
            return F.batch_norm(w.reshape(1, self.out_channels, -1), None, None,
                                weight=(self.gain * self.scale).view(-1), training=True,
                                momentum=0.0, eps=self.eps).reshape_as(w)
        if self.style == "var_mean":
            std, mean = torch.std_mean(w, dim=[1, 2, 3], keepdim=True, unbiased=False)
            return self.gain * self.scale * (w - mean) / (std + self.eps)
        mean = w.mean(dim=(1, 2, 3), keepdim=True)  # as DeepMind's own: rsqrt(max(var * n, eps))
        var = w.var(dim=(1, 2, 3), keepdim=True, unbiased=False)
        n = w[0].numel()
        scale = torch.rsqrt(torch.clamp(var * n, min=1e-4)) * self.gain
        return w * scale - mean * scale

    def forward(self, x):
        if self.same and (self.kernel_size[0] > 1 or self.stride[0] > 1):
            x = same_pad(x, self.kernel_size[0], self.stride[0])
        return F.conv2d(x, self.standard(), self.bias, self.stride, self.padding, 1, self.groups)


class ScaledAct(nn.Module):
    def __init__(self, kind, gamma):
        super().__init__()
        self.kind, self.gamma = kind, gamma

    def forward(self, x):
        y = {"gelu": F.gelu, "silu": F.silu, "relu": F.relu,
             "tanh_gelu": lambda v: F.gelu(v, approximate="tanh")}[self.kind](x)
        return y * self.gamma if self.gamma else y


class SqueezeExcite(nn.Module):
    def __init__(self, chs, ratio=0.5):
        super().__init__()
        self.fc1 = nn.Conv2d(chs, int(chs * ratio), 1)
        self.fc2 = nn.Conv2d(int(chs * ratio), chs, 1)

    def forward(self, x):
        s = self.fc2(F.relu(self.fc1(x.mean((2, 3), keepdim=True))))
        return x * s.sigmoid()


class LinearSqueezeExcite(nn.Module):
    """Pooling, flattening and Linear layers instead of 1x1 convolutions."""

    def __init__(self, chs, ratio=0.5):
        super().__init__()
        self.fc1 = nn.Linear(chs, int(chs * ratio))
        self.fc2 = nn.Linear(int(chs * ratio), chs)

    def forward(self, x):
        b, c = x.shape[:2]
        s = F.adaptive_avg_pool2d(x, 1).view(b, c)
        s = torch.sigmoid(self.fc2(F.relu(self.fc1(s)))).view(b, c, 1, 1)
        return x * s.expand_as(x)


class Eca(nn.Module):
    def __init__(self, chs, k=3):
        super().__init__()
        self.conv = nn.Conv1d(1, 1, k, padding=k // 2, bias=False)

    def forward(self, x):
        y = x.mean((2, 3)).view(x.shape[0], 1, -1)
        y = self.conv(y).view(x.shape[0], -1, 1, 1).sigmoid()
        return x * y.expand_as(x)


class DownsampleAvg(nn.Module):
    def __init__(self, cin, cout, stride, conv):
        super().__init__()
        self.pool = nn.AvgPool2d(2, stride, ceil_mode=True, count_include_pad=False) \
            if stride > 1 else nn.Identity()
        self.conv = conv(cin, cout, 1)

    def forward(self, x):
        return self.conv(self.pool(x))


class Block(nn.Module):
    def __init__(self, cin, cout, stride, alpha, beta, conv, act, group, attn, skipinit, ratio,
                 attn_gain, extra=True, attn_last=True):
        super().__init__()
        mid = max(group, int(cout * ratio) // group * group)
        self.alpha, self.beta, self.attn_gain = alpha, beta, attn_gain
        self.down = DownsampleAvg(cin, cout, stride, conv) if stride > 1 or cin != cout else None
        self.act = act
        self.conv1 = conv(cin, mid, 1)
        self.conv2 = conv(mid, mid, 3, stride=stride, groups=mid // group)
        self.conv2b = conv(mid, mid, 3, groups=mid // group) if extra else None
        self.attn_first = attn(mid) if attn and not attn_last else None
        self.conv3 = conv(mid, cout, 1)
        self.attn_last = attn(cout) if attn and attn_last else None
        self.skip_gain = nn.Parameter(torch.tensor(0.5)) if skipinit else None

    def forward(self, x):
        out = self.act(x) * self.beta
        shortcut = self.down(out) if self.down is not None else x
        out = self.conv2(self.act(self.conv1(out)))
        if self.conv2b is not None:
            out = self.conv2b(self.act(out))
        if self.attn_first is not None:
            out = self.attn_gain * self.attn_first(out)
        out = self.conv3(self.act(out))
        if self.attn_last is not None:
            out = self.attn_gain * self.attn_last(out)
        if self.skip_gain is not None:
            out = out * self.skip_gain
        return out * self.alpha + shortcut


class NFNet(nn.Module):
    def __init__(self, act="gelu", gamma=1.7015043497085571, same=True, attn=SqueezeExcite,
                 group=8, skipinit=True, widths=(16, 32, 48), depths=(1, 2, 1), eps=1e-5,
                 style="batch_norm", classes=10, ratio=0.5, extra=True, attn_last=True,
                 gain=2.0, mean_head=False):
        super().__init__()

        def conv(*args, **kw):
            return StdConv(*args, same=same, eps=eps, style=style, **kw)

        a = ScaledAct(act, gamma)
        c = widths[0]
        self.stem = nn.Sequential(conv(3, c // 2, 3, stride=2), a, conv(c // 2, c // 2, 3), a,
                                  conv(c // 2, c, 3, stride=2))
        blocks, alpha, var = [], 0.2, 1.0
        for i, (w, d) in enumerate(zip(widths, depths)):
            for j in range(d):
                blocks.append(Block(c, w, 2 if i and j == 0 else 1, alpha, var ** -0.5, conv, a,
                                    group, attn, skipinit, ratio, gain, extra, attn_last))
                var = (1.0 if j == 0 else var) + alpha ** 2
                c = w
        self.blocks = nn.Sequential(*blocks)
        self.final = conv(c, 2 * c, 1)
        self.act = a
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(2 * c, classes)
        self.mean_head = mean_head

    def forward(self, x):
        x = self.act(self.final(self.blocks(self.stem(x))))
        x = x.mean((2, 3)) if self.mean_head else torch.flatten(self.pool(x), 1)
        return self.fc(x)
