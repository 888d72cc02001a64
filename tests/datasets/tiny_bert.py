"""A BERT encoder with random weights in the usual files, and what it computes by torch's layers."""

import json

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from torch import nn

WIDTH, HEADS, LAYERS, INNER, PLACES = 12, 3, 2, 20, 24
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "it", "was", "good", "un", "##believ", "##able"]
PARTS = {
    "attention.self.query": (WIDTH, WIDTH),
    "attention.self.key": (WIDTH, WIDTH),
    "attention.self.value": (WIDTH, WIDTH),
    "attention.output.dense": (WIDTH, WIDTH),
    "intermediate.dense": (INNER, WIDTH),
    "output.dense": (WIDTH, INNER),
}


def write(folder, old_spelling=False):
    """Write the model; with the names of weights that bert-base-uncased has, or the newer ones."""
    folder.mkdir(parents=True)
    generator = torch.Generator().manual_seed(0)

    def random(*shape):
        return 0.5 * torch.randn(*shape, generator=generator)

    weights = {
        "embeddings.word_embeddings.weight": random(len(VOCABULARY), WIDTH),
        "embeddings.position_embeddings.weight": random(PLACES, WIDTH),
        "embeddings.token_type_embeddings.weight": random(2, WIDTH),
    }
    norms = ["embeddings"]
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}"
        for name, shape in PARTS.items():
            weights[f"{at}.{name}.weight"] = random(*shape)
            weights[f"{at}.{name}.bias"] = random(shape[0])
        norms += [f"{at}.attention.output", f"{at}.output"]
    for at in norms:
        weights[f"{at}.LayerNorm.weight"] = 1 + random(WIDTH)
        weights[f"{at}.LayerNorm.bias"] = random(WIDTH)
    stored = {_old(name) if old_spelling else name: value for name, value in weights.items()}
    save_file(stored, folder / "model.safetensors")
    config = {
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": WIDTH,
        "num_attention_heads": HEADS,
        "num_hidden_layers": LAYERS,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": PLACES,
    }
    (folder / "config.json").write_text(json.dumps(config))
    _tokenizer().save(str(folder / "tokenizer.json"))
    return weights


def _old(name):
    name = name.replace("LayerNorm.weight", "LayerNorm.gamma")
    return "bert." + name.replace("LayerNorm.bias", "LayerNorm.beta")


def _tokenizer():
    numbers = {token: number for number, token in enumerate(VOCABULARY)}
    tokenizer = Tokenizer(models.WordPiece(numbers, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    ends = [(token, numbers[token]) for token in ("[SEP]", "[CLS]")]
    tokenizer.post_processor = processors.BertProcessing(*ends)
    return tokenizer


def by_torch(weights, tokens):
    """Hidden states [t, width] of the token numbers of one text."""
    words, places, types = (
        weights[f"embeddings.{name}_embeddings.weight"]
        for name in ("word", "position", "token_type")
    )
    norm = nn.LayerNorm(WIDTH, eps=1e-12)
    norm.load_state_dict(_of(weights, "embeddings.LayerNorm"))
    x = norm(words[torch.tensor(tokens)] + places[: len(tokens)] + types[0])[None]
    for number in range(LAYERS):
        at = f"encoder.layer.{number}"
        layer = nn.TransformerEncoderLayer(
            WIDTH, HEADS, INNER, 0.0, "gelu", layer_norm_eps=1e-12, batch_first=True
        )
        projections = [_of(weights, f"{at}.attention.self.{n}") for n in ("query", "key", "value")]
        layer.self_attn.in_proj_weight.data = torch.cat([one["weight"] for one in projections])
        layer.self_attn.in_proj_bias.data = torch.cat([one["bias"] for one in projections])
        for part, name in (
            (layer.self_attn.out_proj, "attention.output.dense"),
            (layer.norm1, "attention.output.LayerNorm"),
            (layer.linear1, "intermediate.dense"),
            (layer.linear2, "output.dense"),
            (layer.norm2, "output.LayerNorm"),
        ):
            part.load_state_dict(_of(weights, f"{at}.{name}"))
        x = layer(x)
    return x[0].detach()


def _of(weights, name):
    return {part: weights[f"{name}.{part}"] for part in ("weight", "bias")}
