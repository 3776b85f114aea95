"""Writes what the tests in `tests/pytorch_*.rs` compare with: outputs and gradients as PyTorch computes them.

    python tests/pytorch/generate.py            # every topic
    python tests/pytorch/generate.py unary      # only this one

It needs torch, numpy and safetensors.

Each topic is a function below that gives a list of cases, and becomes `values/TOPIC.json`. PyTorch computes in
64 bits, so that one file serves tests in f32 and in f64; where the two behave differently, a case is computed in 32.
Inputs are multiples of 1/64: short to write and exact in both types.

A case is

    {"name": "..", "inputs": [TENSOR, ..], "parameters": {"slope": 0.1, "table": TENSOR, ..},
     "output": TENSOR, "upstream": TENSOR, "gradients": [TENSOR or null, ..]}

with TENSOR = {"shape": [2, 3], "values": [..]}, the last axis fastest; NaN and the infinities are strings. `upstream`
is the gradient that arrives at the output, different numbers and never all ones; `gradients` are those of the inputs.
"""

import json
import math
import pathlib
import sys
import zlib

import torch
import torch.nn.functional as F

VALUES = pathlib.Path(__file__).parent / "values"
TOPICS = {}


def topic(function):
    """Registers a topic. The generator starts anew for each, so topics do not depend on each other."""
    TOPICS[function.__name__] = function
    return function


def numbers(*shape, low=-3.0, high=3.0, dtype=torch.float64):
    """Random multiples of 1/64 between `low` and `high`."""
    return (torch.rand(shape, dtype=torch.float64) * (high - low) * 64).round().div(64).add(low).to(dtype)


def number(value):
    """A number as JSON has it: 12 digits of f64, 9 of f32."""
    if isinstance(value, (bool, int)):
        return int(value)
    if not math.isfinite(value):
        return str(value)
    return float(f"{value:.12g}")


def tensor(values):
    """A tensor as JSON."""
    values = values.detach()
    return {"shape": list(values.shape), "values": [number(value) for value in values.flatten().tolist()]}


def case(name, function, *inputs, **parameters):
    """Runs `function(*inputs)` forward and backward. Floating-point inputs get a gradient."""
    inputs = [x.detach().clone().requires_grad_(x.is_floating_point()) for x in inputs]
    output = function(*inputs)
    result = {
        "name": name,
        "inputs": [tensor(x) for x in inputs],
        "parameters": {key: tensor(p) if torch.is_tensor(p) else number(p) for key, p in parameters.items()},
        "output": tensor(output),
    }
    if output.requires_grad:
        upstream = numbers(*output.shape, low=-2.0, high=2.0, dtype=output.dtype)
        output.backward(upstream)
        result["upstream"] = tensor(upstream)
        result["gradients"] = [None if x.grad is None else tensor(x.grad) for x in inputs]
    return result


# Functions of one number, and the interval that their inputs come from.
UNARY = {
    "abs": (torch.abs, -3, 3),
    "sign": (torch.sign, -3, 3),
    "exp": (torch.exp, -3, 3),
    "exp_m1": (torch.expm1, -3, 3),
    "ln": (torch.log, 0.25, 6),
    "ln_1p": (torch.log1p, -0.75, 6),
    "log2": (torch.log2, 0.25, 6),
    "log10": (torch.log10, 0.25, 6),
    "sqrt": (torch.sqrt, 0.25, 6),
    "rsqrt": (torch.rsqrt, 0.25, 6),
    "reciprocal": (torch.reciprocal, 0.25, 6),
    "square": (torch.square, -3, 3),
    "powi": (lambda x: x.pow(-3), 0.25, 3),
    "powf": (lambda x: x.pow(1.5), 0.25, 3),
    "sin": (torch.sin, -6, 6),
    "cos": (torch.cos, -6, 6),
    "tan": (torch.tan, -1.25, 1.25),
    "asin": (torch.asin, -0.9375, 0.9375),
    "acos": (torch.acos, -0.9375, 0.9375),
    "atan": (torch.atan, -3, 3),
    "sinh": (torch.sinh, -3, 3),
    "cosh": (torch.cosh, -3, 3),
    "tanh": (torch.tanh, -3, 3),
    "sigmoid": (torch.sigmoid, -6, 6),
    "log_sigmoid": (F.logsigmoid, -6, 6),
    "relu": (F.relu, -3, 3),
    "leaky_relu": (lambda x: F.leaky_relu(x, 0.125), -3, 3),
    "elu": (lambda x: F.elu(x, 1.5), -3, 3),
    "gelu": (F.gelu, -4, 4),
    "gelu_tanh": (lambda x: F.gelu(x, approximate="tanh"), -4, 4),
    "silu": (F.silu, -6, 6),
    "softplus": (F.softplus, -6, 6),
    "erf": (torch.erf, -3, 3),
    "floor": (torch.floor, -3, 3),
    "ceil": (torch.ceil, -3, 3),
    "round": (torch.round, -3, 3),
    "clamp": (lambda x: torch.clamp(x, -1.0, 0.5), -3, 3),
    "clamp_min": (lambda x: torch.clamp_min(x, 0.5), -3, 3),
    "clamp_max": (lambda x: torch.clamp_max(x, 0.5), -3, 3),
    "minimum": (lambda x: torch.minimum(x, torch.tensor(0.5, dtype=x.dtype)), -3, 3),
    "maximum": (lambda x: torch.maximum(x, torch.tensor(0.5, dtype=x.dtype)), -3, 3),
    "negate": (torch.neg, -3, 3),
    "add_number": (lambda x: x + 2.5, -3, 3),
    "subtract_number": (lambda x: x - 2.5, -3, 3),
    "multiply_by_number": (lambda x: x * -2.5, -3, 3),
    "divide_by_number": (lambda x: x / 2.5, -3, 3),
    "remainder_by_number": (lambda x: torch.fmod(x, 0.75), -3, 3),
}


@topic
def unary():
    return [case(name, function, numbers(2, 4, low=low, high=high)) for name, (function, low, high) in UNARY.items()]


@topic
def unary_special():
    """Where functions overflow, saturate, have corners or no value, in the 32 bits that make it hard.

    NaN is left out: its gradient is arbitrary. So are points where PyTorch itself gives NaN for a value that exists.
    """
    infinity = math.inf
    everywhere = [-infinity, -1e30, -100.0, -20.0, -1e-4, -1e-30, 0.0, 1e-30, 1e-4, 20.0, 100.0, 1e30, infinity]
    finite = everywhere[1:-1]
    positive = everywhere[7:]
    values = {
        "exp": everywhere, "exp_m1": everywhere, "sigmoid": everywhere, "log_sigmoid": everywhere, "tanh": everywhere,
        "relu": everywhere, "leaky_relu": everywhere, "elu": everywhere, "softplus": everywhere, "erf": everywhere,
        "abs": everywhere, "clamp": everywhere, "atan": everywhere, "minimum": everywhere, "maximum": everywhere,
        "gelu": finite, "gelu_tanh": finite[1:-1], "silu": finite,
        "ln": positive, "ln_1p": positive, "log2": positive, "sqrt": positive, "rsqrt": positive[1:],
        "reciprocal": positive[1:], "square": everywhere,
    }
    # the ends of an interval belong to what lies beyond them
    ends = [-1.25, -1.0, -0.75, 0.25, 0.5, 0.75]
    return [
        case(name, UNARY[name][0], torch.tensor(x, dtype=torch.float32))
        for name, x in [*values.items(), *[(name, ends) for name in ("clamp", "clamp_min", "clamp_max")]]
    ]


@topic
def binary():
    signs, positive = numbers(2, 4), numbers(2, 4, low=0.25, high=3.0)
    ties = signs.clone()
    ties[0, 1:] += torch.tensor([0.5, -0.5, 0.0], dtype=torch.float64)
    return [
        case("pow", torch.pow, positive, signs),
        case("pow_of_zero", torch.pow, torch.zeros(4).double(), torch.tensor([0.0, 1.0, 2.0, 0.5]).double()),
        case("minimum", torch.minimum, signs, numbers(2, 4)),
        case("maximum", torch.maximum, signs, numbers(2, 4)),
        case("minimum_of_ties", torch.minimum, signs, ties),
        case("maximum_of_ties", torch.maximum, signs, ties),
        case("atan2", torch.atan2, signs, numbers(2, 4)),
        case("hypot", torch.hypot, signs, numbers(2, 4)),
        case("add", torch.add, signs, numbers(2, 4)),
        case("subtract", torch.sub, signs, numbers(2, 4)),
        case("multiply", torch.mul, signs, numbers(2, 4)),
        case("divide", torch.div, signs, positive),
        case("remainder", torch.fmod, signs, positive),
        case("subtract_from_number", lambda x: 2.5 - x, signs),
        case("divide_number", lambda x: 2.5 / x, positive),
        case("remainder_of_number", lambda x: torch.fmod(torch.tensor(2.5).double(), x), positive),
    ]


@topic
def masks():
    """Comparisons, the logic of their results, casts, and choices; with equal numbers, NaN and infinities among
    them."""
    a, b = numbers(3, 4).round(), numbers(3, 4).round()
    a[0], b[1] = (torch.tensor([math.nan, math.inf, -math.inf, 1.0]).double() for _ in range(2))
    b[0, 1] = math.inf
    functions = {"eq": torch.eq, "ne": torch.ne, "lt": torch.lt, "le": torch.le, "gt": torch.gt, "ge": torch.ge}
    comparisons = [case(name, f, a, b) for name, f in functions.items()]
    with_number = [case(f"{name} number", lambda a, f=f: f(a, 1.0), a) for name, f in functions.items()]
    indices = [case(f"{name} indices", f, a[2:].abs().long(), b[2:].abs().long()) for name, f in functions.items()]
    p, q = a > b, a.flip(0) <= b
    logic = {"and": torch.logical_and, "or": torch.logical_or, "xor": torch.logical_xor}
    fractions = numbers(3, 4, low=0.0, high=9.0)
    x, y = numbers(3, 4), numbers(3, 4)
    return [
        *comparisons,
        *with_number,
        *indices,
        *[case(name, f, p, q) for name, f in logic.items()],
        case("not", torch.logical_not, p),
        case("is_nan", torch.isnan, a),
        case("is_finite", torch.isfinite, a),
        case("to_indices", lambda x: x.long(), fractions.detach()),
        case("from_indices", lambda x: x.double(), fractions.long()),
        case("from_mask", lambda x: x.double(), p),
        case("to_single", lambda x: x.float().double(), x / 3),
        case("select", lambda x, y: torch.where(p, x, y), x, y, mask=p),
        case("select number", lambda x: torch.where(p, x, -2.0), x, mask=p),
    ]


@topic
def activations():
    """Layers as PyTorch makes them by default; the slopes of the last ones are inputs, so that they have gradients."""
    x = numbers(2, 3, 4)
    layers = {
        "relu": torch.nn.ReLU(), "leaky_relu": torch.nn.LeakyReLU(), "elu": torch.nn.ELU(), "gelu": torch.nn.GELU(),
        "gelu_tanh": torch.nn.GELU(approximate="tanh"), "silu": torch.nn.SiLU(), "softplus": torch.nn.Softplus(),
        "sigmoid": torch.nn.Sigmoid(), "tanh": torch.nn.Tanh(),
    }
    zeros = torch.zeros(2, 3, 4, dtype=torch.float64)
    return [
        *[case(name, layer, x) for name, layer in layers.items()],
        case("prelu", F.prelu, torch.cat([x, zeros]), torch.nn.PReLU().weight.double()),
        case("channel_prelu", F.prelu, torch.cat([x, zeros]), numbers(3)),
    ]


@topic
def losses():
    """Inputs are prediction and target; the target of class indices is an integer tensor. The last part of a name says
    what becomes of the losses."""
    x, t = numbers(3, 4), numbers(3, 4)
    signs = numbers(3, 4).sign()
    answers = numbers(3, 4, low=0.0, high=1.0)
    logits = numbers(3, 4, low=-40.0, high=40.0)
    classes = torch.tensor([2, 0, 3])
    soft = torch.tensor([[0.5, 0.25, 0.25, 0.0], [0.0, 1.0, 0.0, 0.0], [0.125, 0.125, 0.5, 0.25]], dtype=torch.float64)
    weights = numbers(4, low=0.25, high=2.0)
    sequence = numbers(2, 3, 4)
    sequence_classes = torch.tensor([[1, 0, 3], [2, 2, 1]])
    log_probabilities = numbers(3, 4, low=-4.0, high=0.0)
    cases = []
    for reduction in ("mean", "sum", "none"):

        def add(name, function, *inputs, **parameters):
            cases.append(case(f"{name} {reduction}", function, *inputs, **parameters))

        add("squared_error", lambda x, t: F.mse_loss(x, t, reduction=reduction), x, t)
        add("absolute_error", lambda x, t: F.l1_loss(x, t, reduction=reduction), x, t)
        add("huber", lambda x, t: F.huber_loss(x, t, delta=1.5, reduction=reduction), x, t)
        add("smooth_l1", lambda x, t: F.smooth_l1_loss(x, t, beta=1.5, reduction=reduction), x, t)
        add("logistic", lambda x: F.soft_margin_loss(x, signs, reduction=reduction), logits, labels=signs)
        add(
            "binary_cross_entropy",
            lambda x: F.binary_cross_entropy_with_logits(
                x, answers, pos_weight=torch.tensor(2.5, dtype=torch.float64), reduction=reduction
            ),
            logits,
            labels=answers,
        )
        add(
            "multi_class_hinge",
            lambda x: F.multi_margin_loss(x, classes, reduction=reduction) * 4,
            x,
            labels=classes,
        )
        for smoothing in (0.0, 0.25):
            for weight in (None, weights):
                options = {"reduction": reduction, "label_smoothing": smoothing, "weight": weight}
                name = f"{smoothing} {'plain' if weight is None else 'weighted'}"
                shown = {} if weight is None else {"weights": weights}
                add(
                    f"cross_entropy classes {name}",
                    lambda x: F.cross_entropy(x, classes, **options),
                    logits,
                    labels=classes,
                    smoothing=smoothing,
                    **shown,
                )
                add(
                    f"cross_entropy soft {name}",
                    lambda x: F.cross_entropy(x, soft, **options),
                    logits,
                    labels=soft,
                    smoothing=smoothing,
                    **shown,
                )
        add(
            "cross_entropy sequence",
            lambda x: F.cross_entropy(x.transpose(1, 2), sequence_classes, weight=weights, reduction=reduction),
            sequence,
            labels=sequence_classes,
            weights=weights,
        )
        add(
            "negative_log_likelihood",
            lambda x: F.nll_loss(x, classes, weight=weights, reduction=reduction),
            log_probabilities,
            labels=classes,
            weights=weights,
        )
        add(
            "kl_divergence",
            lambda x: F.kl_div(x, soft, reduction="batchmean" if reduction == "mean" else reduction),
            log_probabilities,
            labels=soft,
        )
    for reduction in ("mean", "sum", "none"):
        for smoothing in (0.0, 0.25):
            for weight in (None, weights):
                options = {"reduction": reduction, "label_smoothing": smoothing, "weight": weight, "ignore_index": 2}
                cases.append(
                    case(
                        f"cross_entropy ignored {smoothing} {'plain' if weight is None else 'weighted'} {reduction}",
                        lambda x: F.cross_entropy(x.transpose(1, 2), sequence_classes, **options),
                        sequence,
                        labels=sequence_classes,
                        **({} if weight is None else {"weights": weights}),
                    )
                )
    return cases


@topic
def optimizers():
    """Six steps on two parameters: the gradient of sum(curvature * theta^2) / 2 + sum(slope * theta), where the slopes
    change from step to step. The output is the trajectory of theta."""
    start = numbers(2, 5)
    curvature = numbers(2, 5, low=0.25, high=2.0)
    slopes = numbers(6, 2, 5)
    optim = torch.optim
    makers = {
        "sgd": lambda p: optim.SGD(p, lr=0.1),
        "sgd coupled": lambda p: optim.SGD(p, lr=0.1, weight_decay=0.05),
        "sgd classic": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.05),
        "sgd nesterov": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
        "sgd nesterov coupled": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.05),
        "rms_prop": lambda p: optim.RMSprop(p, lr=0.05, alpha=0.9),
        "rms_prop coupled": lambda p: optim.RMSprop(p, lr=0.05, alpha=0.9, weight_decay=0.05, eps=1e-3),
        "rms_prop centred": lambda p: optim.RMSprop(p, lr=0.05, alpha=0.9, centered=True),
        "rms_prop momentum": lambda p: optim.RMSprop(p, lr=0.05, alpha=0.9, momentum=0.8),
        "rms_prop centred momentum": lambda p: optim.RMSprop(p, lr=0.05, alpha=0.9, centered=True, momentum=0.8),
        "adam": lambda p: optim.Adam(p, lr=0.05),
        "adam coupled": lambda p: optim.Adam(p, lr=0.05, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.05),
        "adam decoupled": lambda p: optim.AdamW(p, lr=0.05, weight_decay=0.05),
        "adam ams_grad": lambda p: optim.Adam(p, lr=0.05, betas=(0.8, 0.6), amsgrad=True),
        "ada_grad": lambda p: optim.Adagrad(p, lr=0.05),
        "ada_grad all": lambda p: optim.Adagrad(
            p, lr=0.05, lr_decay=0.1, weight_decay=0.05, initial_accumulator_value=0.5, eps=1e-3
        ),
    }
    cases = []
    for name, maker in makers.items():
        theta = start.clone().requires_grad_()
        optimizer = maker([theta])
        trajectory = []
        for slope in slopes:
            optimizer.zero_grad()
            (0.5 * (curvature * theta * theta).sum() + (slope * theta).sum()).backward()
            optimizer.step()
            trajectory.append(theta.detach().clone())
        inputs = [tensor(x) for x in (start, curvature, slopes)]
        cases.append({"name": name, "inputs": inputs, "parameters": {}, "output": tensor(torch.stack(trajectory))})
    return cases


@topic
def schedules():
    """The learning rate of the first 20 steps, from a base of 0.5."""
    schedulers = torch.optim.lr_scheduler
    steps, base = 20, 0.5

    def rates(maker, metrics=None):
        theta = torch.zeros(1, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.SGD([theta], lr=base)
        scheduler = maker(optimizer)
        found = []
        for step in range(steps):
            found.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step(*([] if metrics is None else [metrics[step]]))
        return torch.tensor(found, dtype=torch.float64)

    makers = {
        "step": lambda o: schedulers.StepLR(o, step_size=4, gamma=0.3),
        "milestones": lambda o: schedulers.MultiStepLR(o, milestones=[3, 4, 11], gamma=0.5),
        "exponential": lambda o: schedulers.ExponentialLR(o, gamma=0.9),
        "cosine": lambda o: schedulers.CosineAnnealingLR(o, T_max=20, eta_min=0.05),
        "restarts": lambda o: schedulers.CosineAnnealingWarmRestarts(o, T_0=3, T_mult=2, eta_min=0.05),
        "warm_up": lambda o: schedulers.LinearLR(o, start_factor=0.1, end_factor=1.0, total_iters=8),
        "warm_up then cosine": lambda o: schedulers.SequentialLR(
            o,
            [
                schedulers.LinearLR(o, start_factor=0.1, end_factor=1.0, total_iters=5),
                schedulers.CosineAnnealingLR(o, T_max=15, eta_min=0.05),
            ],
            milestones=[5],
        ),
        "warm_up times exponential": lambda o: schedulers.ChainedScheduler(
            [
                schedulers.LinearLR(o, start_factor=0.1, end_factor=1.0, total_iters=8),
                schedulers.ExponentialLR(o, gamma=0.9),
            ]
        ),
        "one_cycle": lambda o: schedulers.OneCycleLR(o, max_lr=base, total_steps=21),
        "one_cycle linear": lambda o: schedulers.OneCycleLR(
            o, max_lr=base, total_steps=24, pct_start=0.4, div_factor=10, final_div_factor=100, anneal_strategy="linear"
        ),
    }
    cases = [
        {"name": name, "inputs": [], "parameters": {}, "output": tensor(rates(maker))} for name, maker in makers.items()
    ]
    metrics = [5.0, 4.0, 4.0, 3.9999, 4.2, 4.5, 3.0, 3.1, 3.2, 3.0, 3.0, 2.999, 2.9, 2.9, 2.9, 2.9, 2.9, 2.9, 2.9, 2.9]
    plateaus = {
        "plateau": {"factor": 0.3, "patience": 2},
        "plateau absolute": {
            "factor": 0.3, "patience": 1, "threshold": 0.05, "threshold_mode": "abs", "cooldown": 2, "min_lr": 0.02
        },
        "plateau largest": {"mode": "max", "factor": 0.5, "patience": 1},
    }
    for name, options in plateaus.items():
        measured = [10 - m if name.endswith("largest") else m for m in metrics]
        found = rates(lambda o: schedulers.ReduceLROnPlateau(o, **options), measured)
        inputs = [tensor(torch.tensor(measured, dtype=torch.float64))]
        cases.append({"name": name, "inputs": inputs, "parameters": {}, "output": tensor(found)})
    return cases


def sequential():
    """The model in the files `sequential*`, with random weights."""
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 3, 3),
        torch.nn.BatchNorm2d(3),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Flatten(),
        torch.nn.Linear(27, 5),
        torch.nn.ReLU(),
        torch.nn.Linear(5, 3),
    )


@topic
def files():
    """State dictionaries as PyTorch's users save them, in `files/`, and what their models give."""
    from safetensors.torch import save_file

    model = sequential()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(5):  # so that no parameter or statistic has its first value
        optimizer.zero_grad()
        model(numbers(4, 1, 8, 8, dtype=torch.float32)).square().mean().backward()
        optimizer.step()
    cases = []
    for name, dtype in [("f32", torch.float32), ("f16", torch.float16), ("bf16", torch.bfloat16)]:
        # half precision is a format of the file: computation is in 32 bits in both libraries
        model = model.to(dtype)
        save_file(model.state_dict(), VALUES.parent / "files" / f"sequential_{name}.safetensors")
        model = model.float().eval()
        cases.append(case(name, model, numbers(2, 1, 8, 8, dtype=torch.float32)))
    return cases


class ResNetBlock(torch.nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(i, o, 3, 1 if i == o else 2, 1, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(o)
        self.conv2 = torch.nn.Conv2d(o, o, 3, 1, 1, bias=False)
        self.bn2 = torch.nn.BatchNorm2d(o)
        if i != o:
            self.downsample = torch.nn.Sequential(torch.nn.Conv2d(i, o, 1, 2, bias=False), torch.nn.BatchNorm2d(o))

    def forward(self, x):
        around = self.downsample(x) if hasattr(self, "downsample") else x
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + around)


class ResNet18(torch.nn.Module):
    """ResNet-18 with torchvision's names."""

    def __init__(self, small):
        super().__init__()
        kernel, stride, padding = (3, 1, 1) if small else (7, 2, 3)
        self.conv1 = torch.nn.Conv2d(3, 64, kernel, stride, padding, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(64)
        self.maxpool = torch.nn.Identity() if small else torch.nn.MaxPool2d(3, 2, 1)
        self.layer1 = torch.nn.Sequential(ResNetBlock(64, 64), ResNetBlock(64, 64))
        self.layer2 = torch.nn.Sequential(ResNetBlock(64, 128), ResNetBlock(128, 128))
        self.layer3 = torch.nn.Sequential(ResNetBlock(128, 256), ResNetBlock(256, 256))
        self.layer4 = torch.nn.Sequential(ResNetBlock(256, 512), ResNetBlock(512, 512))
        self.fc = torch.nn.Linear(512, 10)

    def forward(self, x):
        x = self.maxpool(F.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


@topic
def resnet():
    """ResNet-18 with torchvision's names. The weights are computed, here and in the test, from name order and place:
    their file would be 45 MB."""
    def wave(count, phase):
        return torch.sin(torch.arange(count, dtype=torch.float64) * 0.7 + phase)

    def result(name, small, size):
        model = ResNet18(small).double().eval()
        state = {key: value for key, value in model.state_dict().items() if "num_batches" not in key}
        for number, (key, value) in enumerate(state.items()):
            noise = wave(value.numel(), number).reshape(value.shape)
            if key.endswith("running_var"):
                value.copy_(1.5 + 0.5 * noise)
            elif value.dim() == 1:
                value.copy_(0.5 + 0.25 * noise)
            else:
                value.copy_(noise * (2.0 / value[0].numel()) ** 0.5)
        x = wave(2 * 3 * size * size, 0.5).reshape(2, 3, size, size)
        with torch.no_grad():
            output = model(x)
        names = [[key, list(value.shape)] for key, value in state.items()]
        return {"name": name, "inputs": [], "parameters": {}, "output": tensor(output), "names": names}

    return [result("small images", True, 16), result("large images", False, 64)]


@topic
def convolution():
    """Names are the layers in tests/pytorch_vision.rs. Inputs: x, weight and, where there is one, bias."""

    def conv(name, shape, weight, *, bias=True, **options):
        inputs = [numbers(*shape), numbers(*weight, low=-1.0, high=1.0)]
        if bias:
            inputs.append(numbers(weight[0], low=-1.0, high=1.0))
        function = F.conv1d if len(shape) == 3 else F.conv2d
        return case(name, lambda *inputs: function(*inputs, **options), *inputs)

    def transposed(name, shape, weight, *, bias=True, **options):
        inputs = [numbers(*shape), numbers(*weight, low=-1.0, high=1.0)]
        if bias:
            inputs.append(numbers(weight[1], low=-1.0, high=1.0))
        return case(name, lambda *inputs: F.conv_transpose2d(*inputs, **options), *inputs)

    return [
        conv("plain", (2, 1, 4, 5), (2, 1, 3, 3)),
        conv("stride", (2, 2, 6, 5), (3, 2, 3, 3), stride=2, padding=1),
        conv("floor", (1, 2, 8, 6), (2, 2, 3, 3), stride=3),
        conv("wide padding", (1, 1, 2, 3), (2, 1, 3, 3), padding=2),
        conv("dilation", (2, 2, 6, 7), (2, 2, 3, 3), dilation=2, padding=1, bias=False),
        conv("pointwise", (2, 3, 3, 2), (4, 3, 1, 1)),
        conv("pointwise stride", (2, 3, 5, 4), (2, 3, 1, 1), stride=2),
        conv("five", (1, 2, 6, 6), (2, 2, 5, 5), padding=2),
        conv("same", (2, 2, 3, 4), (3, 2, 3, 3), padding=1),
        conv("groups", (2, 4, 4, 4), (6, 2, 3, 3), padding=1, groups=2),
        conv("depthwise", (2, 3, 5, 4), (3, 1, 3, 3), stride=2, padding=1, groups=3),
        conv("multiplier", (1, 2, 4, 4), (4, 1, 2, 2), groups=2, dilation=2),
        conv("rectangular", (2, 2, 3, 6), (2, 2, 1, 3), stride=(1, 2), padding=(0, 1)),
        conv("sequence", (2, 2, 8), (3, 2, 3), stride=2, padding=1),
        conv("sequence dilation", (1, 2, 9), (2, 2, 3), dilation=3),
        transposed("transposed", (2, 3, 3, 2), (3, 2, 4, 4), stride=2, padding=1),
        transposed("transposed output padding", (1, 2, 2, 3), (2, 3, 3, 3), stride=2, padding=1, output_padding=1),
        transposed("transposed apart", (1, 2, 2, 2), (2, 1, 2, 2), stride=3, bias=False),
        transposed("transposed dense", (2, 2, 3, 3), (2, 2, 3, 3)),
    ]


@topic
def pooling():
    x = torch.randperm(2 * 2 * 7 * 6).reshape(2, 2, 7, 6).double().div(16)  # distinct, so that every maximum is clear
    return [
        case("max", lambda x: F.max_pool2d(x, 2), x),
        case("max overlapping", lambda x: F.max_pool2d(x, 3, 2, 1), x),
        case("max apart", lambda x: F.max_pool2d(x, 2, 3), x),
        case("mean", lambda x: F.avg_pool2d(x, 2), x),
        case("mean overlapping", lambda x: F.avg_pool2d(x, 3, 2, 1), x),
        case("adaptive mean", lambda x: F.adaptive_avg_pool2d(x, (3, 4)), x),
        case("adaptive max", lambda x: F.adaptive_max_pool2d(x, (2, 5)), x),
        case("global mean", lambda x: x.mean((2, 3)), x),
        case("global max", lambda x: x.amax((2, 3)), x),
        case("unpool", lambda x: F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2, output_size=x.shape), x),
        case("nearest", lambda x: F.interpolate(x, scale_factor=3, mode="nearest"), x[:1, :1, :3, :2]),
        case("bilinear", lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"), x[:1, :, :3, :4]),
        case("bilinear three", lambda x: F.interpolate(x, scale_factor=3, mode="bilinear"), x[:1, :1, :2, :3]),
        case("pad zero", lambda x: F.pad(x, (2, 2, 2, 2)), x[:1, :, :3, :4]),
        case("pad reflect", lambda x: F.pad(x, (2, 2, 2, 2), mode="reflect"), x[:1, :, :3, :4]),
        case("pad replicate", lambda x: F.pad(x, (2, 2, 2, 2), mode="replicate"), x[:1, :, :3, :4]),
        case("shuffle", lambda x: F.pixel_shuffle(x, 2), numbers(2, 8, 2, 3)),
    ]


@topic
def normalization():
    def batch(name, training, *shape, passes=1, affine=True, momentum=0.1, eps=1e-5):
        mean, var = numbers(shape[1], low=-1.0, high=1.0), numbers(shape[1], low=0.5, high=2.0)
        before = {"mean before": mean.clone(), "var before": var.clone()}

        def run(x, w=None, b=None):
            """The same layer again and again: each pass moves the running averages."""
            for _ in range(passes):
                x = F.batch_norm(x, mean, var, w, b, training=training, momentum=momentum, eps=eps)
            return x

        result = case(name, run, numbers(*shape), *(numbers(shape[1]) for _ in range(2 if affine else 0)))
        after = before | {"mean after": mean, "var after": var}
        result["parameters"] = {key: tensor(value) for key, value in after.items()}
        return result

    return [
        batch("batch training", True, 3, 2, 3, 4),
        batch("batch inference", False, 3, 2, 3, 4),
        batch("features training", True, 5, 3),
        batch("sequence training", True, 2, 3, 4),
        case("layer", lambda x, w, b: F.layer_norm(x, (5,), w, b), numbers(2, 3, 5), numbers(5), numbers(5)),
        case("group", lambda x, w, b: F.group_norm(x, 2, w, b), numbers(2, 4, 3, 2), numbers(4), numbers(4)),
        case("instance", lambda x, w, b: F.group_norm(x, 4, w, b), numbers(2, 4, 3, 2), numbers(4), numbers(4)),
        batch("batch with options", True, 2, 3, 2, 3, passes=2, momentum=0.25, eps=0.5),
        batch("batch without affine", True, 2, 3, 2, 3, affine=False),
    ]


@topic
def spectral_norm():
    """Two runs in training mode, whose outputs are added, and one in inference: each training run makes one round."""
    from torch.nn.utils.parametrizations import spectral_norm as normalize

    nn = torch.nn
    classes = torch.tensor([[3, 0, 3], [1, 4, 0]])
    result = []
    for name, make, shape in [
        ("linear", lambda: nn.Linear(4, 3), (2, 4)),
        ("convolution", lambda: nn.Conv2d(2, 3, 3), (2, 2, 4, 3)),
        ("same convolution", lambda: nn.Conv2d(2, 3, 3, padding=1), (2, 2, 4, 3)),
        ("transposed convolution", lambda: nn.ConvTranspose2d(2, 3, 4, stride=2, padding=1), (2, 2, 3, 2)),
        ("embedding", lambda: nn.Embedding(5, 4), None),
        ("sequence convolution", lambda: nn.Conv1d(2, 3, 3, stride=2, padding=1), (2, 2, 5)),
        ("grouped convolution", lambda: nn.Conv2d(4, 6, 3, padding=1, groups=2), (2, 4, 4, 3)),
        ("rectangular convolution", lambda: nn.Conv2d(2, 3, (1, 3), padding=(0, 1)), (2, 2, 4, 3)),
    ]:
        layer = make().to(torch.float64)
        layer.weight.data = numbers(*layer.weight.shape, low=-1.0, high=1.0)
        bias = {}
        if shape is not None:
            layer.bias.data = numbers(*layer.bias.shape, low=-1.0, high=1.0)
            bias["bias"] = layer.bias
        normalize(layer)
        inner = layer.parametrizations.weight[0]
        before = {"weight": layer.parametrizations.weight.original, **bias, "u": inner._u, "v": inner._v}
        before = {key: value.detach().clone() for key, value in before.items()}
        x = classes if shape is None else numbers(*shape)
        one = case(name, lambda x: layer(x) + 2 * layer(x), x, **before)
        after = {"u after": inner._u, "v after": inner._v}
        after["gradient of weight"] = layer.parametrizations.weight.original.grad
        if bias:
            after["gradient of bias"] = layer.bias.grad
        one["parameters"] |= {key: tensor(value) for key, value in after.items()}
        layer.eval()
        inference = layer(classes if shape is None else torch.ones(shape, dtype=torch.float64))
        one["parameters"]["inference"] = tensor(inference)
        result.append(one)
    return result


@topic
def reductions():
    x = numbers(2, 3, 4)
    ties = torch.tensor([[2.0, 5.0, 5.0, 1.0], [3.0, 3.0, 3.0, 3.0]], dtype=torch.float64)
    zeros = torch.tensor([[2.0, 0.0, 3.0], [0.0, 0.0, 3.0], [2.0, -1.5, 3.0]], dtype=torch.float64)
    return [
        case("sum", torch.sum, x),
        case("sum_axis_1", lambda x: x.sum(1), x),
        case("mean_axes_0_2", lambda x: x.mean((0, 2)), x),
        case("max", lambda x: x.amax((0, 1, 2)), x),
        case("max_axes_0_2", lambda x: x.amax((0, 2)), x),
        case("max_axis_1_with_ties", lambda x: x.amax(1), ties),
        case("min_axis_2", lambda x: x.amin(2), x),
        case("var_unbiased", torch.var, x),
        case("var_axis_1_biased", lambda x: x.var(1, correction=0), x),
        case("std_axes_0_2_unbiased", lambda x: x.std((0, 2)), x),
        case("norm_l1_axis_2", lambda x: torch.linalg.vector_norm(x, 1, 2), x),
        case("norm_l2_axis_1", lambda x: torch.linalg.vector_norm(x, 2, 1), x),
        case("norm_l2_of_zeros", lambda x: torch.linalg.vector_norm(x, 2, 1), x[0] * 0),
        case("logsumexp_axis_0", lambda x: x.logsumexp(0), x),
        case("logsumexp_axes_0_2", lambda x: x.logsumexp((0, 2)), x),
        case("product_axis_1", lambda x: x.prod(1), zeros),
        case("cumulative_sum_axis_1", lambda x: x.cumsum(1), x),
        case("softmax_axis_1", lambda x: x.softmax(1), x),
        case("softmax_axis_2", lambda x: x.softmax(2), x),
        case("log_softmax_axis_0", lambda x: x.log_softmax(0), x),
        case("log_softmax_axis_2", lambda x: x.log_softmax(2), x),
        case("argmax_axis_1", lambda x: x.argmax(1), ties),
        case("argmin_axis_2", lambda x: x.argmin(2), x),
    ]


def with_upstream(name, function, x, upstream):
    """A case whose gradient arrives as given, infinities and all."""
    x = x.detach().clone().requires_grad_()
    output = function(x)
    output.backward(upstream)
    return {
        "name": name, "inputs": [tensor(x)], "parameters": {}, "output": tensor(output), "upstream": tensor(upstream),
        "gradients": [tensor(x.grad)],
    }


@topic
def claims():
    """What the documentation says is as in PyTorch, where no other topic shows it: corners, and first weights."""
    nan, inf = math.nan, math.inf
    odd = torch.tensor([[1.0, nan, 3.0, nan], [2.0, 5.0, 5.0, 1.0], [-inf, inf, nan, 0.0]], dtype=torch.float64)
    halves = torch.tensor([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5], dtype=torch.float64)
    corner = torch.tensor([-1.0, -0.0, 0.0, 1.0], dtype=torch.float64)
    constant = torch.tensor([[2.0, 2.0, 2.0], [1.0, 2.0, 4.0]], dtype=torch.float64)
    masked = torch.tensor([[-inf, -inf, -inf], [0.0, -inf, 1.0]], dtype=torch.float64)
    clipped = numbers(5).requires_grad_()
    (clipped * numbers(5)).sum().backward()
    before = clipped.grad.clone()
    norm = torch.nn.utils.clip_grad_norm_([clipped], 0.75)
    # so many numbers that the largest and the deviation are near those of the distribution
    layers = {
        "linear": torch.nn.Linear(100, 400), "convolution": torch.nn.Conv2d(20, 80, 5),
        "grouped convolution": torch.nn.Conv2d(20, 400, 5, groups=5),
        "transposed convolution": torch.nn.ConvTranspose2d(20, 80, 5), "embedding": torch.nn.Embedding(500, 80),
        "recurrent": torch.nn.RNN(100, 200), "attention": torch.nn.MultiheadAttention(120, 4),
    }
    first = [
        {
            "name": f"first weights of {name}", "inputs": [], "parameters": {},
            "output": tensor(torch.stack([w.abs().max(), w.std()])),
        }
        for name, layer in layers.items() for w in [next(layer.parameters()).double()]
    ]
    return [
        case("argmax", lambda x: x.argmax(1), odd),
        case("argmin", lambda x: x.argmin(1), odd),
        case("max", lambda x: x.detach().amax(1), odd),
        case("min", lambda x: x.detach().amin(1), odd),
        case("sort", lambda x: x.detach().sort(dim=1, stable=True).values, odd),
        case("argsort", lambda x: x.argsort(dim=1, stable=True), odd),
        case("argsort descending", lambda x: x.argsort(dim=1, descending=True, stable=True), odd),
        case("softmax", lambda x: x.detach().softmax(1), masked),
        case("round", torch.round, halves),
        case("fmod", lambda x: torch.fmod(x, -1.0), halves),
        case("std", lambda x: x.std(1), constant),
        *[
            with_upstream(name, f, corner, torch.tensor([inf, nan, inf, 2.0]).double())
            for name, f in {"relu": F.relu, "clamp": lambda x: x.clamp(-0.5, 0.5)}.items()
        ],
        case("leaky_relu", lambda x: F.leaky_relu(x, 0.125), corner),
        {
            "name": "clip_norm", "inputs": [tensor(before)], "parameters": {"norm": number(norm.item())},
            "output": tensor(clipped.grad),
        },
        *first,
    ]


@topic
def structure():
    x = numbers(2, 3, 4)
    matrix = numbers(3, 4)
    rows = torch.tensor([2, 0, 2, 1])
    places = torch.tensor([[3, 0], [1, 1], [2, 3]])
    bias = numbers(3)
    return [
        case("slice_at_1", lambda x: x.select(1, 2), x),
        case("slice_axis_2", lambda x: x[:, :, 1:3], x),
        case("concat_axis_1", lambda a, b: torch.cat((a, b, a), 1), x, numbers(2, 2, 4)),
        case("stack_axis_1", lambda a, b: torch.stack((a, b), 1), matrix, numbers(3, 4)),
        case("pad_axis_1", lambda x: F.pad(x, (2, 1), value=0.5), matrix),
        case("flip_axis_1", lambda x: x.flip(1), x),
        case("repeat_axis_0", lambda x: x.repeat(3, 1), matrix),
        case("permute", lambda x: x.permute(2, 0, 1), x),
        case("broadcast", lambda b: b[None, :, None].expand(2, 3, 4), bias),
        case("index_select_axis_0", lambda x: x.index_select(0, rows), matrix, indices=rows),
        case("gather_axis_1", lambda x: x.gather(1, places), matrix, indices=places),
        case("scatter_add_axis_1", lambda x, s: x.scatter_add(1, places, s), matrix, numbers(3, 2), indices=places),
        case("sort_axis_1", lambda x: x.sort(1).values, matrix),
        case("argsort_axis_1", lambda x: x.argsort(1, descending=True), matrix),
        case("top_2_axis_1", lambda x: x.topk(2, 1).values, matrix),
        case("one_hot", lambda i: F.one_hot(i, 4), rows),
    ]


@topic
def matmul():
    return [
        case("vector_matrix", torch.matmul, numbers(3), numbers(3, 4)),
        case("matrix_vector", torch.matmul, numbers(2, 3), numbers(3)),
        case("matrix_matrix", torch.matmul, numbers(2, 3), numbers(3, 4)),
        case("batch_matrix", torch.matmul, numbers(2, 2, 3), numbers(3, 2)),
        case("matrix_batch", torch.matmul, numbers(2, 3), numbers(2, 3, 2)),
        case("batch_batch", torch.matmul, numbers(2, 2, 3), numbers(2, 3, 2)),
        case("two_batch_axes", torch.matmul, numbers(2, 2, 2, 3), numbers(2, 2, 3, 2)),
        case("dot", torch.dot, numbers(5), numbers(5)),
        case("outer", torch.outer, numbers(2), numbers(3)),
    ]


def hashed(place, count):
    """Numbers in -1..1 that the tests compute too: splitmix64 of the place and the position (Steele et al., 2014)."""
    import numpy

    with numpy.errstate(over="ignore"):
        z = numpy.arange(count, dtype=numpy.uint64) + (numpy.uint64(place) << numpy.uint64(32))
        z = (z + numpy.uint64(1)) * numpy.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        z = z ^ (z >> numpy.uint64(31))
    return torch.from_numpy((z >> numpy.uint64(40)).astype(numpy.float64) / 2**23 - 1.0)


@topic
def curves():
    """The losses of the first 50 training steps of two networks with batches of 64: the first in 32 bits, the second in
    64, for in 32 its losses are 0.007 away from those in 64 after 7 steps already, on one library. Weights and images
    are computed on both sides; an image is the pattern of its class and noise, so there is something to learn. The
    second network has no dropout: its masks come from another generator here."""
    nn = torch.nn

    def curve(name, model, optimizer, shape, dtype):
        for place, parameter in enumerate(model.parameters()):
            if parameter.dim() > 1:
                bound = math.sqrt(3.0 / (parameter.numel() // parameter.shape[0]))
                parameter.data = (hashed(place, parameter.numel()) * bound).to(dtype).reshape(parameter.shape)
            elif "Norm" not in name_of(model, parameter):
                parameter.data = (hashed(place, parameter.numel()) * 0.1).to(dtype)
        model.to(dtype)
        optimizer, losses, pixels = optimizer(model.parameters()), [], math.prod(shape)
        patterns = torch.stack([hashed(1000 + label, pixels) for label in range(10)])
        for step in range(50):
            labels = torch.tensor([(7 * i + 3 * step) % 10 for i in range(64)])
            noise = hashed(2000 + step, 64 * pixels).reshape(64, pixels)
            images = (0.5 * patterns[labels] + noise).to(dtype).reshape(64, *shape)
            loss = F.cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return {"name": name, "output": tensor(torch.tensor(losses, dtype=torch.float64))}

    def name_of(model, parameter):
        """The class of the layer that holds this parameter."""
        holds = lambda module: any(p is parameter for p in module.parameters(recurse=False))
        return next(type(module).__name__ for module in model.modules() if holds(module))

    lenet = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )
    layers, channels = [], 3
    for filters in (64, 128, 256):
        for _ in range(2):
            layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.BatchNorm2d(filters), nn.ReLU()]
            channels = filters
        layers.append(nn.MaxPool2d(2))
    vgg = nn.Sequential(*layers, nn.Flatten(), nn.Linear(4096, 256), nn.ReLU(), nn.Linear(256, 10))
    return [
        curve("lenet", lenet, torch.optim.Adam, (1, 28, 28), torch.float32),
        curve("vgg", vgg, lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9), (3, 32, 32), torch.float64),
    ]


def chosen(low, high):
    """A random whole number, both ends included."""
    return int(torch.randint(low, high + 1, ()))


@topic
def sweep():
    """Layers of random arguments on images of random sizes. Inputs, parameters and the gradient that arrives are
    `hashed` numbers, which the tests compute too; of each result the file holds two sums with `hashed` weights, which a
    single wrong number would change. A case's name is the layer's type in the tests, which list the same types."""

    def sums(values):
        values = values.detach().double().flatten()
        return [number((values * hashed(place, len(values))).sum().item()) for place in (21, 22)]

    def one(name, function, shape, *parameters):
        inputs = [hashed(11 + i, math.prod(s)).reshape(s).requires_grad_() for i, s in enumerate([shape, *parameters])]
        output = function(*inputs)
        output.backward(hashed(20, output.numel()).reshape(output.shape))
        gradients = [sums(x.grad) for x in inputs]
        sizes = {"shape": shape, "output_shape": list(output.shape)}
        return {"name": name, **sizes, "output": sums(output), "gradients": gradients}

    result = []

    def add(layer, arguments, function, shape, *parameters):
        """Three times, each with another `shape()`."""
        name = f"{layer}<{', '.join(map(str, arguments))}>"
        result.extend(one(name, function, shape(), *parameters) for _ in range(3))

    def fitting(kernel, padding, dilation=1):
        """A size that the window fits."""
        least = max(1, dilation * (kernel - 1) + 1 - 2 * padding)
        return chosen(least, least + 6)

    def image(channels, height, width):
        return lambda: [chosen(1, 3), channels, height(), width()]

    for _ in range(16):
        i, o, k, s, p, d = chosen(1, 4), chosen(1, 5), chosen(1, 5), chosen(1, 3), chosen(0, 3), chosen(1, 3)
        size = lambda k=k, p=p, d=d: fitting(k, p, d)
        function = lambda x, w, b, s=s, p=p, d=d: F.conv2d(x, w, b, s, p, d)
        add("Conv2d", (i, o, k, s, p, d), function, image(i, size, size), (o, i, k, k), (o,))
    for _ in range(4):
        i, o, k = chosen(1, 4), chosen(1, 5), 2 * chosen(0, 3) + 1
        size = lambda: chosen(1, 7)
        function = lambda x, w, b, k=k: F.conv2d(x, w, b, padding=k // 2)
        add("SameConv2d", (i, o, k), function, image(i, size, size), (o, i, k, k), (o,))
    for _ in range(12):
        g = chosen(1, 4)
        i, o, k, s, p, d = g * chosen(1, 3), g * chosen(1, 3), chosen(1, 4), chosen(1, 3), chosen(0, 2), chosen(1, 2)
        size = lambda k=k, p=p, d=d: fitting(k, p, d)
        function = lambda x, w, b, s=s, p=p, d=d, g=g: F.conv2d(x, w, b, s, p, d, g)
        add("GroupedConv2d", (i, o, g, k, s, p, d), function, image(i, size, size), (o, i // g, k, k), (o,))
    for _ in range(10):
        i, o = chosen(1, 3), chosen(1, 4)
        k, s, p, d = [(chosen(1, high), chosen(1, high)) for high in (4, 3, 2, 3)]
        height, width = [lambda axis=axis, k=k, p=p, d=d: fitting(k[axis], p[axis], d[axis]) for axis in (0, 1)]
        function = lambda x, w, b, s=s, p=p, d=d: F.conv2d(x, w, b, s, p, d)
        add("RectangularConv2d", (i, o, *k, *s, *p, *d), function, image(i, height, width), (o, i, *k), (o,))
    for _ in range(8):
        i, o, k, s, p, d = chosen(1, 4), chosen(1, 5), chosen(1, 5), chosen(1, 3), chosen(0, 3), chosen(1, 3)
        shape = lambda i=i, k=k, p=p, d=d: [chosen(1, 3), i, fitting(k, p, d)]
        function = lambda x, w, b, s=s, p=p, d=d: F.conv1d(x, w, b, s, p, d)
        add("Conv1d", (i, o, k, s, p, d), function, shape, (o, i, k), (o,))
    for _ in range(12):
        i, o, k, s = chosen(1, 4), chosen(1, 4), chosen(1, 5), chosen(1, 3)
        p, extra = chosen(0, (k - 1) // 2), chosen(0, s - 1)
        size = lambda: chosen(1, 5)
        function = lambda x, w, b, s=s, p=p, extra=extra: F.conv_transpose2d(x, w, b, s, p, extra)
        add("ConvTranspose2d", (i, o, k, s, p, extra), function, image(i, size, size), (i, o, k, k), (o,))
    for layer in ("MaxPool2d", "MaxUnpool2d", "AvgPool2d", "AvgPool2d"):
        for _ in range(5):
            k, s = chosen(1, 4), chosen(1, 4)
            p = chosen(0, k // 2)
            arguments, size = (k, s, p), lambda k=k, p=p: fitting(k, p)
            if layer == "MaxPool2d":
                function = lambda x, a=arguments: F.max_pool2d(x, *a)
            elif layer == "MaxUnpool2d":
                # a place that two windows share gets both of their maxima here, and one of them there
                arguments = (k, max(k, s), p)

                def function(x, a=arguments):
                    y, places = F.max_pool2d(x, *a, return_indices=True)
                    return F.max_unpool2d(y, places, *a, output_size=x.shape)

            else:
                count = bool(chosen(0, 1))
                function = lambda x, a=arguments, count=count: F.avg_pool2d(x, *a, count_include_pad=count)
                arguments = (*arguments, str(count).lower())
            add(layer, arguments, function, image(chosen(1, 3), size, size))
    for layer, function in (("AdaptiveAvgPool2d", F.adaptive_avg_pool2d), ("AdaptiveMaxPool2d", F.adaptive_max_pool2d)):
        for _ in range(4):
            out, size = (chosen(1, 5), chosen(1, 5)), lambda: chosen(1, 9)
            add(layer, out, lambda x, f=function, out=out: f(x, out), image(chosen(1, 3), size, size))
    for layer, mode in (("UpsampleNearest2d", "nearest"), ("UpsampleBilinear2d", "bilinear")):
        for factor in (1, 2, 3, 4):
            function = lambda x, factor=factor, mode=mode: F.interpolate(x, scale_factor=factor, mode=mode)
            add(layer, (factor,), function, image(chosen(1, 3), lambda: chosen(1, 5), lambda: chosen(1, 5)))
    for layer, mode in (("ZeroPad2d", "constant"), ("ReflectionPad2d", "reflect"), ("ReplicationPad2d", "replicate")):
        for p in (1, 2, 3):
            size = lambda p=p: chosen(p + 1, p + 4)
            add(layer, (p,), lambda x, p=p, mode=mode: F.pad(x, [p] * 4, mode=mode), image(chosen(1, 3), size, size))
    for r in (1, 2, 3):
        size = lambda: chosen(1, 4)
        add("PixelShuffle", (r,), lambda x, r=r: F.pixel_shuffle(x, r), image(chosen(1, 2) * r * r, size, size))
    for _ in range(4):
        c, size = chosen(1, 5), lambda: chosen(2, 5)
        batch = lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True)
        add("BatchNorm2d", (c,), batch, image(c, size, size), (c,), (c,))
        features = c + 1
        layer = lambda x, w, b: F.layer_norm(x, w.shape, w, b)
        add("LayerNorm", (features,), layer, image(2, size, lambda f=features: f), (features,), (features,))
        g = chosen(1, 3)
        group = lambda x, w, b, g=g: F.group_norm(x, g, w, b)
        add("GroupNorm", (g, g * c), group, image(g * c, size, size), (g * c,), (g * c,))
    for layer in ("MaxPool1d", "AvgPool1d"):
        for count in (True, False):
            k, s = chosen(1, 5), chosen(1, 4)
            p = chosen(0, k // 2)
            shape = lambda k=k, p=p: [chosen(1, 3), 2, fitting(k, p)]
            if layer == "MaxPool1d":
                add(layer, (k, s, p), lambda x, a=(k, s, p): F.max_pool1d(x, *a), shape)
            else:
                function = lambda x, a=(k, s, p), c=count: F.avg_pool1d(x, *a, count_include_pad=c)
                add(layer, (k, s, p, str(count).lower()), function, shape)
    return result


def main():
    names = sys.argv[1:] or list(TOPICS)
    for name in names:
        torch.manual_seed(zlib.crc32(name.encode()))
        cases = ",\n".join(json.dumps(one, separators=(",", ":")) for one in TOPICS[name]())
        path = VALUES / f"{name}.json"
        path.write_text(f"[\n{cases}\n]\n")
        print(f"{path}: {path.stat().st_size} bytes")


def recurrent_case(name, kind, inputs, hidden, layers=1, both=False, with_state=False, with_lengths=False):
    """A recurrent layer; the loss takes the output and the last state, each number with a weight of its own."""
    torch.manual_seed(zlib.crc32(name.encode()))
    batch, steps = (int(torch.randint(low, 5, ())) for low in (2, 3))
    make = {"rnn": torch.nn.RNN, "relu": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[kind]
    options = {"nonlinearity": "relu"} if kind == "relu" else {}
    module = make(inputs, hidden, layers, batch_first=True, bidirectional=both, dtype=torch.float64, **options)
    for parameter in module.parameters():
        parameter.data = numbers(*parameter.shape, low=-1.0, high=1.0)
    x = numbers(batch, steps, inputs, low=-2.0, high=2.0).requires_grad_()
    states = [
        numbers(layers * (2 if both else 1), batch, hidden, low=-1.0, high=1.0).requires_grad_()
        for _ in range(2 if kind == "lstm" else 1)
    ]
    parameters = {f"weight {key}": value.detach().clone() for key, value in module.named_parameters()}
    lengths = torch.randint(1, steps + 1, (batch,))
    lengths[0] = steps
    feed = x
    if with_lengths:
        parameters["lengths"] = lengths
        feed = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    start = (tuple(states) if kind == "lstm" else states[0]) if with_state else None
    y, last = module(feed, start)
    if with_lengths:
        y, _ = torch.nn.utils.rnn.pad_packed_sequence(y, batch_first=True)
    last = last if kind == "lstm" else (last,)
    upstream = numbers(*y.shape, low=-2.0, high=2.0)
    ups = [numbers(*state.shape, low=-2.0, high=2.0) for state in last]
    (sum((state * up).sum() for state, up in zip(last, ups)) + (y * upstream).sum()).backward()
    for part, (state, up) in enumerate(zip(last, ups)):
        parameters[f"last {part}"] = state
        parameters[f"upstream {part}"] = up
        if with_state:
            parameters[f"initial {part}"] = states[part]
            parameters[f"gradient of initial {part}"] = states[part].grad
    for key, value in module.named_parameters():
        parameters[f"gradient of {key}"] = value.grad
    return {
        "name": name,
        "inputs": [tensor(x)],
        "parameters": {key: tensor(value) for key, value in parameters.items()},
        "output": tensor(y),
        "upstream": tensor(upstream),
        "gradients": [tensor(x.grad)],
    }


@topic
def recurrent():
    result = []
    for kind in ("rnn", "relu", "lstm", "gru"):
        result.append(recurrent_case(kind, kind, 3, 5))
        if kind == "relu":
            continue
        result.append(recurrent_case(f"{kind} with a state", kind, 2, 3, with_state=True))
        result.append(recurrent_case(f"{kind} with lengths", kind, 2, 3, with_lengths=True))
        result.append(recurrent_case(f"{kind} with both", kind, 3, 2, with_state=True, with_lengths=True))
        result.append(recurrent_case(f"{kind} of two layers", kind, 2, 3, layers=2, with_state=True))
        result.append(recurrent_case(f"{kind} both ways", kind, 3, 2, both=True, with_lengths=True))
        name = f"{kind} of two layers both ways"
        result.append(recurrent_case(name, kind, 1, 2, layers=2, both=True, with_state=True))
    # wider than the kernels' blocks of units, and no multiple of them
    result.append(recurrent_case("lstm of many units", "lstm", 1, 17))
    result.append(recurrent_case("gru of many units", "gru", 1, 17, with_state=True))
    return result


@topic
def recurrent_files():
    """State dictionaries of recurrent networks in `files/`, of sizes that were drawn once, and what the networks
    give."""
    from safetensors.torch import save_file

    class Network(torch.nn.Module):
        """One layer, two layers both ways, two layers one way."""

        def __init__(self, make, sizes):
            super().__init__()
            i, a, b, c = sizes
            self.first = make(i, a, batch_first=True)
            self.second = make(a, b, 2, bidirectional=True, batch_first=True)
            self.third = make(2 * b, c, 2, batch_first=True)

        def forward(self, x):
            for layer in (self.first, self.second, self.third):
                x, _ = layer(x)
            return x

    cases = []
    for name, make, sizes in (
        ("rnn", torch.nn.RNN, (7, 13, 6, 21)),
        ("lstm", torch.nn.LSTM, (5, 18, 9, 4)),
        ("gru", torch.nn.GRU, (11, 3, 17, 8)),
    ):
        network = Network(make, sizes)
        save_file(network.state_dict(), VALUES.parent / "files" / f"recurrent_{name}.safetensors")
        batch, steps = (int(torch.randint(1, 9, ())) for _ in range(2))
        # the file holds 32 bits, and both libraries compute with them
        cases.append(case(name, network, numbers(batch, steps, sizes[0], dtype=torch.float32)))
    return cases


@topic
def embedding():
    indices = torch.tensor([[3, 1, 3], [0, 6, 1]])
    bags = torch.tensor([[3, 1, 3, 2], [2, 2, 0, 6], [2, 2, 2, 2]])
    result = [
        case("rows", lambda w: F.embedding(indices, w), numbers(7, 3)),
        case("padding", lambda w: F.embedding(indices, w, padding_idx=1), numbers(7, 3)),
        case("few rows", lambda w: F.embedding(indices % 3, w, padding_idx=1), numbers(3, 2)),
    ]
    for mode in ("sum", "mean"):
        bag = lambda w, padding=None: F.embedding_bag(bags, w, mode=mode, padding_idx=padding)
        result.append(case(f"{mode} of bags", bag, numbers(40, 3)))
        result.append(case(f"{mode} of bags with padding", lambda w: bag(w, 2), numbers(7, 3)))
    # three steps, in the second of which row 4 is not used
    for name, make in (
        # it adds epsilon before the correction, Adam after it: so next to nothing
        ("lazy adam", lambda p: torch.optim.SparseAdam(p, lr=0.1, betas=(0.8, 0.6), eps=1e-300)),
        ("ada grad", lambda p: torch.optim.Adagrad(p, lr=0.1)),
        ("sgd", lambda p: torch.optim.SGD(p, lr=0.1)),
    ):
        layer = torch.nn.Embedding(9, 2, sparse=True, dtype=torch.float64)
        layer.weight.data = numbers(9, 2)
        start = layer.weight.detach().clone()
        optimizer = make([layer.weight])
        for used in ([4, 1], [1, 7], [4, 4]):
            optimizer.zero_grad()
            layer(torch.tensor(used)).square().sum().backward()
            optimizer.step()
        result.append({"name": name, "inputs": [tensor(start)], "parameters": {}, "output": tensor(layer.weight)})
    return result


def module_case(name, module, call, *inputs, **parameters):
    """A case of a module, with its weights and their gradients among the parameters."""
    for weight in module.parameters():
        weight.data = numbers(*weight.shape, low=-1.0, high=1.0)
    weights = {f"weight {key}": value.detach().clone() for key, value in module.named_parameters()}
    result = case(name, lambda *x: call(module, *x), *inputs, **parameters, **weights)
    for key, value in module.named_parameters():
        result["parameters"][f"gradient of {key}"] = tensor(value.grad)
    return result


@topic
def attention():
    from safetensors.torch import save_file

    nn = torch.nn
    result = []

    def padding(lengths, steps):
        return torch.arange(steps) >= lengths[:, None]

    # the operation: as many queries as keys, and fewer and more
    for name, shape, options in [
        ("operation", [2, 2, 3, 3, 4, 2], {}),
        ("operation of other lengths", [1, 2, 2, 5, 3, 3], {}),
        ("causal operation", [2, 1, 4, 4, 2, 3], {"is_causal": True}),
        ("causal operation of fewer keys", [1, 2, 4, 2, 2, 2], {"is_causal": True}),
        ("causal operation of more keys", [1, 2, 2, 4, 2, 2], {"is_causal": True}),
    ]:
        b, h, l, s, d, f = shape
        function = lambda q, k, v: F.scaled_dot_product_attention(q, k, v, **options)
        result.append(case(name, function, numbers(b, h, l, d), numbers(b, h, s, d), numbers(b, h, s, f)))
    lengths = torch.tensor([3, 1])
    hidden = padding(lengths, 3)
    function = lambda q, k, v: F.scaled_dot_product_attention(q, k, v, attn_mask=~hidden[:, None, None, :])
    result.append(
        case("operation with lengths", function, *(numbers(2, 2, 3, 2) for _ in range(3)), lengths=lengths)
    )

    # layers; what comes out behind the end of a sequence is not compared, and taken as 0
    attend = lambda: nn.MultiheadAttention(4, 2, batch_first=True, dtype=torch.float64)
    causal = nn.Transformer.generate_square_subsequent_mask(3, dtype=torch.float64)
    x = lambda: numbers(2, 3, 4, low=-2.0, high=2.0)
    memory = lambda: numbers(2, 5, 4, low=-2.0, high=2.0)
    short = torch.tensor([2, 5])
    for name, call, inputs, parameters in [
        ("layer", lambda m, x: m(x, x, x)[0], [x()], {}),
        ("causal layer", lambda m, x: m(x, x, x, attn_mask=causal, is_causal=True)[0], [x()], {}),
        (
            "layer with lengths",
            lambda m, x: m(x, x, x, key_padding_mask=hidden)[0].masked_fill(hidden[:, :, None], 0),
            [x()],
            {"lengths": lengths},
        ),
        ("layer with memory", lambda m, x, y: m(x, y, y)[0], [x(), memory()], {}),
        (
            "layer with memory and lengths",
            lambda m, x, y: m(x, y, y, key_padding_mask=padding(short, 5))[0],
            [x(), memory()],
            {"lengths": short},
        ),
    ]:
        result.append(module_case(name, attend(), call, *inputs, **parameters))

    def block(**options):
        return nn.TransformerEncoderLayer(4, 2, 6, dropout=0.0, batch_first=True, dtype=torch.float64, **options)

    modern = {"norm_first": True, "activation": "gelu"}
    plain = lambda m, x: m(x)
    with_lengths = lambda m, x: m(x, src_key_padding_mask=hidden).masked_fill(hidden[:, :, None], 0)
    result.append(module_case("encoder layer", block(), plain, x()))
    result.append(module_case("encoder layer, normalised first", block(**modern), plain, x()))
    result.append(module_case("encoder layer with lengths", block(), with_lengths, x(), lengths=lengths))
    future = lambda m, x: m(x, src_mask=causal, is_causal=True)
    result.append(module_case("causal encoder layer", block(**modern), future, x()))

    # a stack, and a file of one as its users save it
    def stack(layer):
        return nn.TransformerEncoder(layer, 2, nn.LayerNorm(layer.linear2.out_features), enable_nested_tensor=False)

    encoder = stack(block(**modern))
    encoder.norm = encoder.norm.double()
    call = lambda m, x: m(x, src_key_padding_mask=hidden).masked_fill(hidden[:, :, None], 0)
    result.append(module_case("encoder", encoder, call, x(), lengths=lengths))

    encoder = stack(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)).eval()
    for weight in encoder.parameters():  # so that none has its first value
        weight.data += 0.3 * numbers(*weight.shape, low=-1.0, high=1.0, dtype=torch.float32)
    save_file(encoder.state_dict(), VALUES.parent / "files" / "encoder.safetensors")
    result.append(case("file", encoder, numbers(2, 5, 8, dtype=torch.float32)))
    return result


@topic
def distributions():
    """Log-probabilities and entropies; gradients with respect to scores, or means and logarithms of deviations."""
    from torch.distributions import Categorical, Independent, Normal

    logits, classes = numbers(3, 4), torch.tensor([2, 0, 3])
    logits[1] *= 20  # as good as certain
    masked = logits.masked_fill(torch.tensor([False, True, False, False]), -math.inf)
    mean, log_deviation, x = numbers(3, 4), numbers(3, 4), numbers(3, 4)

    def normal(mean, log_deviation):
        return Independent(Normal(mean, log_deviation.exp()), 1)

    return [
        case("categorical log_probability", lambda z: Categorical(logits=z).log_prob(classes), logits, classes=classes),
        case("categorical entropy", lambda z: Categorical(logits=z).entropy(), logits),
        case(
            "categorical masked log_probability",
            lambda z: Categorical(logits=z).log_prob(classes), masked, classes=classes,
        ),
        # PyTorch's gradient of this one is NaN where the upstream gradient is above 1
        case("categorical masked entropy", lambda z: Categorical(logits=z.detach()).entropy(), masked),
        case("gaussian log_probability", lambda m, s: normal(m, s).log_prob(x), mean, log_deviation, x=x),
        case("gaussian entropy", lambda m, s: normal(m, s).entropy() + 0 * m.sum(1), mean, log_deviation),
    ]


if __name__ == "__main__":
    main()
