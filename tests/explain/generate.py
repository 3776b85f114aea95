"""Writes what `tests/explain.rs` compares with: maps as captum and pytorch-grad-cam compute them.

    python tests/explain/generate.py

It needs torch, captum, grad-cam (with torchvision) and safetensors. The network has random weights; everything is
computed in 64 bits and kept in 32. Noise, where a method adds some, is kept too.
"""

import pathlib

import numpy
import torch
from captum.attr import (
    GuidedBackprop,
    GuidedGradCam,
    InputXGradient,
    IntegratedGradients,
    LayerGradCam,
    Occlusion,
    Saliency,
)
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from safetensors.torch import save_file

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)

network = torch.nn.Sequential(
    torch.nn.Sequential(
        torch.nn.Conv2d(3, 6, 3, padding=1), torch.nn.BatchNorm2d(6), torch.nn.ReLU(), torch.nn.MaxPool2d(2)
    ),
    torch.nn.Sequential(torch.nn.Conv2d(6, 8, 3), torch.nn.ReLU()),
    torch.nn.Flatten(),
    torch.nn.Sequential(torch.nn.Linear(8 * 4 * 3, 16), torch.nn.ReLU(), torch.nn.Dropout(0.5)),
    torch.nn.Linear(16, 5),
)
with torch.no_grad():
    network[0][1].running_mean.copy_(torch.randn(6) * 0.3)
    network[0][1].running_var.copy_(torch.rand(6) + 0.5)
    # so that the scores differ
    for parameter in network.parameters():
        parameter.mul_(1.5)
# as f32, for both sides compute with the same numbers
network = network.float().double().eval()

images = torch.rand(4, 3, 12, 10).float().double()
baseline = (torch.rand(4, 3, 12, 10) * 0.2).float().double()
noise = (torch.randn(3, 4, 3, 12, 10) * 0.1).float().double()
labels = torch.tensor([0, 3, 4, 1])

values = {f"network.{name}": value for name, value in network.state_dict().items() if "batches" not in name}
values |= {"images": images, "baseline": baseline, "noise": noise, "labels": labels.double()}


def inputs():
    return images.clone().requires_grad_()


values["saliency"] = Saliency(network).attribute(inputs(), target=labels)
values["input_times_gradient"] = InputXGradient(network).attribute(inputs(), target=labels)
values["smooth_grad"] = torch.stack(
    [Saliency(network).attribute((images + one).requires_grad_(), target=labels) for one in noise]
).mean(0)
values["integrated_gradients"] = IntegratedGradients(network).attribute(
    inputs(), baselines=baseline, target=labels, n_steps=50, method="gausslegendre"
)
values["guided_backpropagation"] = GuidedBackprop(network).attribute(inputs(), target=labels)
values["grad_cam_of_layer"] = LayerGradCam(network, network[1]).attribute(
    inputs(), target=labels, relu_attributions=True
)
values["grad_cam_of_block"] = LayerGradCam(network, network[0]).attribute(
    inputs(), target=labels, relu_attributions=True
)
values["guided_grad_cam"] = GuidedGradCam(network, network[1]).attribute(
    inputs(), target=labels, interpolate_mode="bilinear"
)
values["occlusion"] = Occlusion(network).attribute(
    inputs(), target=labels, sliding_window_shapes=(3, 4, 3), strides=(3, 3, 2), baselines=0.25
)[:, 0]
with GradCAM(model=network, target_layers=[network[1]]) as method:
    targets = [ClassifierOutputTarget(int(label)) for label in labels]
    maps = method(input_tensor=images, targets=targets)
    # scaled to 0 .. 1, enlarged, and scaled again
    values["grad_cam_scaled"] = torch.from_numpy(numpy.asarray(maps))

path = pathlib.Path(__file__).parent / "values.safetensors"
save_file({name: value.detach().float().contiguous() for name, value in values.items()}, path)
print(path.stat().st_size, "bytes")
