"""PyTorch at the workloads of taut's benches, on the CPU: the same sizes, timing and lines of JSON.

    PEER_ONLY=w4 PEER_THREADS=1 python benches/peers/pytorch.py best

eager: as PyTorch comes (NCHW, unfused optimizer). best: fused optimizers and channels_last convolutions.
"""
import json
import os
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

VARIANT = sys.argv[1] if len(sys.argv) > 1 else "eager"
PEER = "torch-" + VARIANT
THREADS = int(os.environ.get("PEER_THREADS", "1"))
BUDGET = float(os.environ.get("PEER_BUDGET_S", "1.0"))
ONLY = [p for p in os.environ.get("PEER_ONLY", "").split(",") if p]
torch.set_num_threads(THREADS)
torch.manual_seed(0)
FUSED = {} if VARIANT == "eager" else {"fused": True}
CL = torch.channels_last


def wanted(w):
    """PEER_ONLY: comma-separated; "w1" is all of w1_*, "w5_conv_fwd" a prefix."""
    return not ONLY or any(w.startswith(p) if "_" in p else w.split("_")[0] == p for p in ONLY)


def measure(f, budget=None):
    budget = BUDGET if budget is None else budget
    pc = time.perf_counter
    w = pc()
    calls = 0
    while True:
        s = pc()
        f()
        t = pc() - s
        calls += 1
        if calls == 1:
            w = pc()  # the first call may compile
        if calls >= 3 and (pc() - w > 0.2 or calls >= 1000):
            break
        if calls >= 2 and pc() - w > 1.0:
            break
    inner = max(1, int(-(-2e-3 // max(t, 1e-9)))) if t < 2e-3 else 1
    n = min(201, max(5, int(budget / (t * inner))))
    v = []
    c = time.process_time()
    for _ in range(n):
        s = pc()
        for _ in range(inner):
            f()
        v.append((pc() - s) / inner * 1e3)
    cpu = (time.process_time() - c) * 1e3 / (n * inner)
    v.sort()
    return dict(median_ms=v[n // 2], min_ms=v[0], cpu_ms=cpu, n=n, inner=inner)


def report(peer, workload, s, samples=None, flops=None, bytes_=None, threads=None, **extra):
    x = dict(min_ms=round(s["min_ms"], 6), cpu_ms=round(s["cpu_ms"], 6), n=s["n"], inner=s["inner"])
    sec = s["median_ms"] / 1e3
    if samples:
        x["samples_per_s"] = round(samples / sec, 1)
    if flops:
        x["gflops"] = round(flops / sec / 1e9, 2)
    if bytes_:
        x["gbps"] = round(bytes_ / sec / 1e9, 2)
    x.update(extra)
    print(json.dumps(dict(peer=peer, workload=workload, threads=threads or THREADS,
                          median_ms=round(s["median_ms"], 6), extra=x)), flush=True)


def fail(peer, workload, e):
    print(f"FAILED {peer} {workload}: {type(e).__name__}: {str(e)[:300]}", file=sys.stderr, flush=True)


# (N, C, H, W, K, k, s, p)
CONVS = [(32, 64, 56, 56, 64, 3, 1, 1), (32, 3, 224, 224, 64, 7, 2, 3), (32, 128, 28, 28, 128, 3, 1, 1),
         (32, 256, 14, 14, 256, 3, 1, 1), (64, 1, 28, 28, 32, 5, 1, 2), (32, 256, 14, 14, 1024, 1, 1, 0)]


def conv_name(c):
    N, C, H, W, K, k, s, p = c
    return f"{N}x{C}x{H}x{W}_k{K}_{k}x{k}s{s}p{p}"


def conv_out(c):
    N, C, H, W, K, k, s, p = c
    return (H + 2 * p - k) // s + 1, (W + 2 * p - k) // s + 1


def conv_flops(c):
    N, C, H, W, K, k, s, p = c
    oh, ow = conv_out(c)
    return 2.0 * N * oh * ow * K * C * k * k


def guard(w, f):
    if not wanted(w):
        return
    try:
        f(w)
    except Exception as e:
        fail(PEER, w, e)


def train(w, model, opt, x, y, batch, loss_fn=F.cross_entropy, clip=None, samples=None):
    model.train()
    lf = lambda x, y: loss_fn(model(x), y)

    def step():
        opt.zero_grad(set_to_none=True)
        loss = lf(x, y)
        loss.backward()
        if clip:
            nn.utils.clip_grad_norm_(model.parameters(), clip)
        opt.step()
        return loss.item()

    first = step()
    s = measure(step)
    report(PEER, w, s, samples=samples or batch, loss_first=round(first, 4), loss_last=round(step(), 4))


def mlp1():
    return nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))


def mlp2():
    return nn.Sequential(nn.Linear(784, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 10))


def lenet():
    return nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(),
                         nn.MaxPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(),
                         nn.Linear(84, 10))


def vgg():
    L, c = [], 3
    for k in (64, 128, 256):
        for _ in range(2):
            L += [nn.Conv2d(c, k, 3, padding=1), nn.BatchNorm2d(k), nn.ReLU()]
            c = k
        L.append(nn.MaxPool2d(2))
    return nn.Sequential(*L, nn.Flatten(), nn.Linear(4096, 256), nn.ReLU(), nn.Dropout(0.5), nn.Linear(256, 10))


class RNNCls(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.rnn = (nn.RNN if kind == "rnn" else nn.LSTM)(57, 128, batch_first=True)
        self.fc = nn.Linear(128, 18)

    def forward(self, x):
        o, _ = self.rnn(x)
        return self.fc(o[:, -1])


class CharLM(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(65, 64)
        self.rnn = nn.LSTM(64, 256, batch_first=True)
        self.fc = nn.Linear(256, 65)

    def forward(self, x):
        o, _ = self.rnn(self.emb(x))
        return self.fc(o).transpose(1, 2)


def sgd(m, lr=0.01, mom=0.9):
    return torch.optim.SGD(m.parameters(), lr=lr, momentum=mom, **FUSED)


def adam(m, lr=1e-3, betas=(0.9, 0.999)):
    return torch.optim.Adam(m.parameters(), lr=lr, betas=betas, **FUSED)


def w1(w):
    m = mlp1()
    train(w, m, sgd(m), torch.randn(64, 784), torch.randint(10, (64,)), 64)


def w2(w):
    m = mlp2()
    train(w, m, adam(m), torch.randn(256, 784), torch.randint(10, (256,)), 256)


def w3(w):
    m = lenet()
    train(w, m, adam(m), torch.randn(64, 1, 28, 28), torch.randint(10, (64,)), 64)


def w4(w):
    m, x = vgg(), torch.randn(64, 3, 32, 32)
    if VARIANT != "eager":
        m, x = m.to(memory_format=CL), x.to(memory_format=CL)
    train(w, m, sgd(m), x, torch.randint(10, (64,)), 64)


def w5(_):
    for c in CONVS:
        if not any(wanted(f"w5_conv_{d}_" + conv_name(c)) for d in ("fwd", "fwdbwd")):
            continue
        N, C, H, W, K, k, s, p = c
        oh, ow = conv_out(c)
        x, wt, g = torch.randn(N, C, H, W), torch.randn(K, C, k, k) * 0.05, torch.randn(N, K, oh, ow)
        if VARIANT != "eager":
            x, wt, g = (t.to(memory_format=CL) for t in (x, wt, g))
        with torch.no_grad():
            st = measure(lambda: F.conv2d(x, wt, None, s, p))
        report(PEER, "w5_conv_fwd_" + conv_name(c), st, flops=conv_flops(c), samples=N)
        x.requires_grad_(), wt.requires_grad_()
        st = measure(lambda: torch.autograd.grad(F.conv2d(x, wt, None, s, p), (x, wt), g))
        report(PEER, "w5_conv_fwdbwd_" + conv_name(c), st, flops=3 * conv_flops(c), samples=N)


def w6(kind):
    def f(w):
        m = RNNCls(kind)
        x = F.one_hot(torch.randint(57, (64, 16)), 57).float()
        opt = torch.optim.SGD(m.parameters(), lr=0.01, **FUSED)
        train(w, m, opt, x, torch.randint(18, (64,)), 64, clip=5.0)
    return f


def w6c(w):
    m = CharLM()
    train(w, m, adam(m), torch.randint(65, (32, 64)), torch.randint(65, (32, 64)), 32, samples=32 * 64)


def w8(_):
    # every result is a freshly allocated tensor, as a user's expression would make it
    R = torch.randn
    for tag, shape in (("1024x1024", (1024, 1024)), ("64x64x56x56", (64, 64, 56, 56))):
        x, y, g = R(shape), R(shape), R(shape)
        n = x.numel() * 4
        ops = {
            "relu": (lambda: F.relu(x), 2), "gelu": (lambda: F.gelu(x), 2), "sigmoid": (lambda: torch.sigmoid(x), 2),
            "tanh": (lambda: torch.tanh(x), 2), "exp": (lambda: torch.exp(x), 2),
            "add": (lambda: x + y, 3), "mul": (lambda: x * y, 3),
            "softmax_last": (lambda: F.softmax(x, -1), 2), "log_softmax_last": (lambda: F.log_softmax(x, -1), 2),
            "sum_axis0": (lambda: x.sum(0), 1), "sum_last": (lambda: x.sum(-1), 1), "sum_all": (lambda: x.sum(), 1),
            "dropout": (lambda: F.dropout(x, 0.5, True), 2),
        }
        if len(shape) == 2:
            b, lw, lb = R(1024), R(1024), R(1024)
            ops["bcast_add_row"] = (lambda: x + b, 2)
            ops["transpose_copy"] = (lambda: x.t().contiguous(), 2)
            ops["layernorm"] = (lambda: F.layer_norm(x, (1024,), lw, lb), 2)
        else:
            b, bw, bb = R(1, 64, 1, 1), R(64), R(64)
            rm, rv = torch.zeros(64), torch.ones(64)
            ops["bcast_add_chan"] = (lambda: x + b, 2)
            ops["nchw_to_nhwc_copy"] = (lambda: x.permute(0, 2, 3, 1).contiguous(), 2)
            ops["batchnorm_fwd"] = (lambda: F.batch_norm(x, rm, rv, bw, bb, True), 2)
        for o, (f, passes) in ops.items():
            w = f"w8_{o}_{tag}"
            if wanted(w):
                with torch.no_grad():
                    report(PEER, w, measure(f, 0.4), bytes_=passes * n)
        if len(shape) == 4:
            xg, bwg, bbg = x.clone().requires_grad_(), bw.clone().requires_grad_(), bb.clone().requires_grad_()
            w = f"w8_batchnorm_fwdbwd_{tag}"
            if wanted(w):
                norm = lambda: torch.autograd.grad(F.batch_norm(xg, rm, rv, bwg, bbg, True), (xg, bwg, bbg), g)
                report(PEER, w, measure(norm, 0.6), bytes_=5 * n)
            xg = x.clone().requires_grad_()
            w = f"w8_maxpool2_fwdbwd_{tag}"
            gp = R(64, 64, 28, 28)
            if wanted(w):
                report(PEER, w, measure(lambda: torch.autograd.grad(F.max_pool2d(xg, 2), xg, gp), 0.6))
    table, idx = R(10000, 128), torch.randint(10000, (16384,))
    src = R(16384, 128)
    with torch.no_grad():
        if wanted("w8_embedding_gather"):
            s = measure(lambda: F.embedding(idx, table), 0.4)
            report(PEER, "w8_embedding_gather_10000x128_16384", s, bytes_=2 * src.numel() * 4)
    if wanted("w8_embedding_fwdbwd"):
        table.requires_grad_()
        s = measure(lambda: torch.autograd.grad(F.embedding(idx, table), table, src), 0.4)
        report(PEER, "w8_embedding_fwdbwd_10000x128_16384", s, bytes_=4 * src.numel() * 4)


class Block(nn.Module):
    """Two convolutions, and a way around them."""

    def __init__(self, i, o, stride):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU(),
                                  nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o))
        same = i == o and stride == 1
        shortcut = nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o))
        self.around = nn.Identity() if same else shortcut

    def forward(self, x):
        return F.relu(self.body(x) + self.around(x))


def resnet18():
    layers = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    i = 64
    for o in (64, 128, 256, 512):
        layers += [Block(i, o, 1 if o == 64 else 2), Block(o, o, 1)]
        i = o
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 1000))


def w9(w):
    kinds = {"mlp": (mlp1, (784,)), "lenet": (lenet, (1, 28, 28)), "resnet18": (resnet18, (3, 224, 224))}
    model, size = kinds[w.split("_")[1]]
    m, x = model().eval(), torch.randn(1, *size)
    if VARIANT != "eager" and len(size) == 3:
        m, x = m.to(memory_format=CL), x.to(memory_format=CL)
    with torch.inference_mode():
        report(PEER, w, measure(lambda: m(x)), samples=1)


def w10(w):
    G = nn.Sequential(nn.Linear(64, 128 * 7 * 7), nn.ReLU(), nn.Unflatten(1, (128, 7, 7)),
                      nn.ConvTranspose2d(128, 64, 4, 2, 1), nn.BatchNorm2d(64), nn.ReLU(),
                      nn.ConvTranspose2d(64, 1, 4, 2, 1), nn.Tanh())
    D = nn.Sequential(nn.Conv2d(1, 64, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(64, 128, 4, 2, 1), nn.LeakyReLU(0.2),
                      nn.Flatten(), nn.Linear(128 * 7 * 7, 1))
    og, od = adam(G, 2e-4, (0.5, 0.999)), adam(D, 2e-4, (0.5, 0.999))
    real, z = torch.randn(64, 1, 28, 28).clamp(-1, 1), torch.randn(64, 64)
    one, zero = torch.ones(64, 1), torch.zeros(64, 1)
    bce = F.binary_cross_entropy_with_logits
    cG = lambda z: G(z)
    dl = lambda real, fake: bce(D(real), one) + bce(D(fake), zero)
    gl = lambda fake: bce(D(fake), one)

    def step():
        fake = cG(z)
        od.zero_grad(set_to_none=True)
        l = dl(real, fake.detach())
        l.backward()
        od.step()
        og.zero_grad(set_to_none=True)
        lg = gl(fake)
        lg.backward()
        og.step()
        return l.item(), lg.item()

    step()
    report(PEER, w, measure(step), samples=64)


if __name__ == "__main__":
    workloads = [("w1_mlp", w1), ("w2_bigmlp", w2), ("w3_lenet", w3), ("w4_vgg", w4), ("w6_charrnn", w6("rnn")),
                 ("w6_charlstm", w6("lstm")), ("w6_charlm", w6c), ("w9_mlp_b1", w9), ("w9_lenet_b1", w9),
                 ("w9_resnet18_b1", w9), ("w10_dcgan", w10)]
    for name, f in workloads:
        guard(name, f)
    w5(None)
    w8(None)
