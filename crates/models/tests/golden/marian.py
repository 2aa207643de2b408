"""Writes marian-tiny/ (a folder as transformers saves it), marian.json and marian-gradients.safetensors.

    pip install torch==2.13.0 transformers==5.23.0 safetensors && python marian.py
"""
import json
import pathlib
import shutil

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from transformers import MarianConfig, MarianMTModel

HERE = pathlib.Path(__file__).parent
V, PAD, SMOOTHING = 37, 36, 0.1
SOURCE = [[5, 9, 2, 17, 0], [33, 0], [4, 4, 8, 21, 30, 11, 3, 0]]
TARGET = [[7, 12, 0], [20, 31, 6, 2, 19, 0], [15, 0]]


def padded(rows):
    longest = max(map(len, rows))
    ids = torch.tensor([row + [PAD] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    return ids, mask


def packed(x):
    """[batch, time, …] to [tokens, …]"""
    return torch.cat([x[i, : len(row)] for i, row in enumerate(TARGET)])


def smoothed(logits):
    """fairseq's label_smoothed_nll_loss over [tokens, V], and the plain negative log-likelihood, both summed."""
    log_p = F.log_softmax(logits, -1)
    nll = -log_p.gather(1, torch.tensor(sum(TARGET, []))[:, None]).sum()
    eps_i = SMOOTHING / (logits.shape[-1] - 1)
    return (1.0 - SMOOTHING - eps_i) * nll + eps_i * -log_p.sum(), nll


def build():
    config = MarianConfig(
        vocab_size=V, d_model=16, encoder_layers=2, decoder_layers=2, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=24, decoder_ffn_dim=24, max_position_embeddings=32,
        activation_function="relu", scale_embedding=True, dropout=0.1, pad_token_id=PAD,
        decoder_start_token_id=PAD, eos_token_id=0, forced_eos_token_id=0,
    )
    torch.manual_seed(1)
    model = MarianMTModel(config).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.requires_grad:
                p.copy_(torch.randn_like(p) * 0.25 + (1.0 if "norm.weight" in name else 0.0))
        model.final_logits_bias.copy_(torch.randn_like(model.final_logits_bias) * 0.1)
    # transformers hides the start token's embedding from the gradient; here it is learnt.
    for module in model.modules():
        if isinstance(module, torch.nn.Embedding):
            module.padding_idx = None
    return model


def run(model):
    (src, mask), (tgt, _) = padded(SOURCE), padded(TARGET)
    start = torch.full((len(TARGET), 1), PAD)
    inputs = torch.cat([start, tgt[:, :-1]], 1)
    return packed(model(input_ids=src, attention_mask=mask, decoder_input_ids=inputs).logits)


def pre_norm(model, norms):
    """The same weights with every norm before its block and one after each stack, written out sentence by sentence."""
    m, d, heads = model.model, 16, 2

    def attend(a, x, y, causal):
        split = lambda z: z.view(len(z), heads, -1).transpose(0, 1)
        q, k, v = split(a.q_proj(x)), split(a.k_proj(y)), split(a.v_proj(y))
        out = F.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=causal)[0]
        return a.out_proj(out.transpose(0, 1).reshape(len(x), d))

    def embed(ids):
        return m.shared.weight[ids] * d**0.5 + m.encoder.embed_positions.weight[: len(ids)]

    rows = []
    for source, target in zip(SOURCE, TARGET):
        x = embed(torch.tensor(source))
        for l in m.encoder.layers:
            n = l.self_attn_layer_norm(x)
            x = x + attend(l.self_attn, n, n, False)
            x = x + l.fc2(F.relu(l.fc1(l.final_layer_norm(x))))
        memory = F.layer_norm(x, (d,), norms["model.encoder.layer_norm.weight"], norms["model.encoder.layer_norm.bias"])
        x = embed(torch.tensor([PAD] + target[:-1]))
        for l in m.decoder.layers:
            n = l.self_attn_layer_norm(x)
            x = x + attend(l.self_attn, n, n, True)
            x = x + attend(l.encoder_attn, l.encoder_attn_layer_norm(x), memory, False)
            x = x + l.fc2(F.relu(l.fc1(l.final_layer_norm(x))))
        x = F.layer_norm(x, (d,), norms["model.decoder.layer_norm.weight"], norms["model.decoder.layer_norm.bias"])
        rows.append(x @ m.shared.weight.T + model.final_logits_bias[0])
    return torch.cat(rows)


def numbers(logits):
    return [round(x, 8) for x in logits.detach().double().flatten().tolist()]


def main():
    model = build()
    folder = HERE / "marian-tiny"
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    logits = run(model)
    loss, nll = smoothed(logits)
    loss.backward()
    gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    save_file({name: g.contiguous() for name, g in gradients.items()}, HERE / "marian-gradients.safetensors")

    torch.manual_seed(2)
    norms = {f"model.{s}.layer_norm.{k}": torch.randn(16) * 0.2 + (k == "weight") for s in ("encoder", "decoder") for k in ("weight", "bias")}
    save_file(norms, HERE / "pre-norm-extra.safetensors")
    pre = pre_norm(model, norms)

    for layer in [*model.model.encoder.layers, *model.model.decoder.layers]:
        layer.activation_fn = torch.nn.GELU()
    gelu = run(model)
    out = {
        "versions": {"torch": torch.__version__}, "source": SOURCE, "target": TARGET, "smoothing": SMOOTHING,
        "logits": numbers(logits), "loss": loss.item(), "nll": nll.item(),
        "geluLogits": numbers(gelu), "preNormLogits": numbers(pre), "preNormLoss": smoothed(pre)[0].item(),
        "positionRow5": model.model.encoder.embed_positions.weight[5].tolist(),
    }
    (HERE / "marian.json").write_text(json.dumps(out) + "\n")
    print(sorted(gradients), sorted(load_file(folder / "model.safetensors")))


main()
