"""Weights from and checks against Hugging Face's Marian.

    python marian.py        # the same loss and gradients as transformers' MarianMTModel, to rounding
"""

import torch
from safetensors.torch import load_file

from batches import Batch
from transformer import Config, Transformer


def load_marian(model, path):
    """Fills `model` from a Marian folder's model.safetensors."""
    model.load_state_dict(from_marian(load_file(path), model.config.layers))


def from_marian(weights, layers):
    """Our names and packed projections for Marian's."""
    state = {"embedding.weight": weights["model.shared.weight"], "bias": weights["final_logits_bias"].flatten()}
    for side in ("encoder", "decoder"):
        for index in range(layers):
            there, here = f"model.{side}.layers.{index}", f"{side}.{index}"
            self_attention(state, weights, f"{there}.self_attn", f"{here}.attention")
            if side == "decoder":
                cross_attention(state, weights, f"{there}.encoder_attn", f"{here}.cross_attention")
            for source, target in (("fc1", "sublayer.up"), ("fc2", "sublayer.down"), ("final_layer_norm", "norm")):
                copy(state, weights, [f"{there}.{source}"], f"{here}.feed_forward.{target}")
    return state


def self_attention(state, weights, there, here):
    copy(state, weights, [f"{there}.{name}_proj" for name in "qkv"], f"{here}.sublayer.packed")
    copy(state, weights, [f"{there}.out_proj"], f"{here}.sublayer.output")
    copy(state, weights, [f"{there}_layer_norm"], f"{here}.norm")


def cross_attention(state, weights, there, here):
    copy(state, weights, [f"{there}.q_proj"], f"{here}.sublayer.query")
    copy(state, weights, [f"{there}.{name}_proj" for name in "kv"], f"{here}.sublayer.packed")
    copy(state, weights, [f"{there}.out_proj"], f"{here}.sublayer.output")
    copy(state, weights, [f"{there}_layer_norm"], f"{here}.norm")


def copy(state, weights, there, here):
    for kind in ("weight", "bias"):
        state[f"{here}.{kind}"] = torch.cat([weights[f"{name}.{kind}"] for name in there])


def reference(config):
    from transformers import MarianConfig, MarianMTModel

    sizes = {f"{side}_{key}": value for side in ("encoder", "decoder") for key, value in (
        ("layers", config.layers), ("attention_heads", config.heads), ("ffn_dim", config.ffn_size))}
    return MarianMTModel(MarianConfig(
        vocab_size=config.vocab_size, d_model=config.hidden_size, max_position_embeddings=config.max_positions,
        activation_function="relu", dropout=0.0, scale_embedding=True, pad_token_id=config.vocab_size - 1,
        decoder_start_token_id=config.vocab_size - 1, eos_token_id=0, forced_eos_token_id=0, init_std=0.05, **sizes,
    )).train()


def check():
    torch.manual_seed(0)
    config = Config(vocab_size=97, hidden_size=32, layers=2, heads=4, ffn_size=64, dropout=0.0)
    theirs, ours = reference(config), Transformer(config)
    weights = dict(theirs.state_dict())
    ours.load_state_dict(from_marian(weights, config.layers))
    rows = [torch.randint(1, 96, (length,)).numpy() for length in (5, 9, 2, 7, 1, 8)]
    batch = Batch.of(rows[:3], rows[3:], pad=96)
    labels = torch.full(batch.decoder_input.shape, -100)
    labels.view(-1)[batch.target_positions] = batch.targets
    mask = batch.source_mask[:, 0, 0].long()
    expected = theirs(input_ids=batch.source, attention_mask=mask, decoder_input_ids=batch.decoder_input, labels=labels).loss
    loss = ours.loss(batch, 0.0)
    torch.testing.assert_close(loss, expected)
    loss.backward(), expected.backward()
    # Marian keeps the lookup of <pad>, the last row, out of the gradient; here the decoder's start is learned.
    torch.testing.assert_close(ours.embedding.weight.grad[:-1], theirs.model.shared.weight.grad[:-1])
    gradients = torch.cat([getattr(theirs.model.encoder.layers[0].self_attn, f"{n}_proj").weight.grad for n in "qkv"])
    torch.testing.assert_close(ours.encoder[0].attention.sublayer.packed.weight.grad, gradients)
    check_smoothing(ours, batch)
    print("same loss and gradients as MarianMTModel, same label smoothing as fairseq")


def check_smoothing(model, batch, epsilon=0.1):
    """fairseq/criterions/label_smoothed_cross_entropy.py, word by word."""
    hidden = model.decode(batch.decoder_input, model.encode(batch.source, batch.source_mask), batch.source_mask)
    log_probabilities = model.logits(hidden.flatten(0, 1)[batch.target_positions]).log_softmax(-1)
    nll = -log_probabilities.gather(1, batch.targets[:, None]).sum()
    smooth = -log_probabilities.sum()
    eps_i = epsilon / (log_probabilities.size(-1) - 1)
    expected = ((1.0 - epsilon - eps_i) * nll + eps_i * smooth) / batch.target_tokens
    torch.testing.assert_close(model.loss(batch, epsilon), expected)


if __name__ == "__main__":
    check()
