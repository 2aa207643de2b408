"""Linear layers through oneDNN, forward and backward: what PyTorch could do on its own, and by default does not in float32."""

import torch
from torch import nn


def product(x, weight, bias=None):
    """x @ weight.T + bias; x [rows, in], weight [out, in]."""
    return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")


class MkldnnLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias):  # [rows, in], [out, in], [out] -> [rows, out]
        dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype
        ctx.input_dtype = x.dtype
        x, weight = x.to(dtype), weight.to(dtype)
        ctx.save_for_backward(x, weight)
        return product(x, weight, bias.to(dtype))

    @staticmethod
    def backward(ctx, gradient):
        x, weight = ctx.saved_tensors
        input_gradient = product(gradient, weight.t()).to(ctx.input_dtype)
        weight_gradient = product(gradient.t(), x.t()).float()
        return input_gradient, weight_gradient, gradient.sum(0, dtype=torch.float32)


def linear(x, weight, bias):
    return MkldnnLinear.apply(x.flatten(0, -2), weight, bias).unflatten(0, x.shape[:-1])


class Linear(nn.Linear):
    def forward(self, x):
        return linear(x, self.weight, self.bias)


def use_mkldnn_linear(model):
    """Replaces every linear layer of `model` and its product with the embedding; parameters stay the same objects."""
    for module in model.modules():
        if type(module) is nn.Linear:
            module.__class__ = Linear
    model.logits = lambda hidden: linear(hidden, model.embedding.weight, model.bias)
