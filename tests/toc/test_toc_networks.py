"""The Transformers against plain loops; padding counts for nothing."""

import math

import pytest
import torch
from toc.conftest import build, make_system
from torch.nn import functional as F

from ibpapers.nn.initialise import initialise
from ibpapers.papers.toc.networks import Attention, SequenceEncoders, positions
from ibpapers.training.seeds import generator

METHODS = ("two_stage_vib", "t_deepsc")


def test_attention_is_a_plain_loop_in_every_group():
    attention = Attention(groups=2, width=6, heads=2).double()
    initialise(attention, generator(0))
    query, memory = (
        torch.randn(2, 3, length, 6, generator=generator(length), dtype=torch.double)
        for length in (1, 4)
    )
    mask = torch.tensor([[1, 1, 1, 1], [1, 0, 0, 0], [1, 1, 0, 0]]).bool()
    found = attention(query, memory, mask)
    for g in range(2):
        weights = {
            name: (layer.weight[g], layer.bias[g, 0]) for name, layer in attention.named_children()
        }
        w, b = weights["key_value"]
        for n in range(3):
            q = query[g, n, 0] @ weights["query"][0] + weights["query"][1]
            words = memory[g, n][mask[n]] @ w + b
            heads = []
            for h in range(2):
                # Of every head's part of the last axis: keys, then values.
                own = words[:, 6 * h : 6 * (h + 1)]
                score = own[:, :3] @ q[3 * h : 3 * (h + 1)] / math.sqrt(3)
                heads.append(score.softmax(0) @ own[:, 3:])
            expected = torch.cat(heads) @ weights["out"][0] + weights["out"][1]
            torch.testing.assert_close(found[g, n, 0], expected)


def test_an_encoder_is_layers_and_the_mean_over_words():
    sizes = {"width": 8, "heads": 2, "layers": 2, "feed_forward": 12}
    encoders = SequenceEncoders({"text": 5, "audio": 3}, sizes)
    initialise(encoders, generator(0))
    views = {
        "text": torch.randn(1, 4, 5, generator=generator(1)),
        "audio": torch.randn(1, 4, 3, generator=generator(2)),
    }
    found = encoders(views, torch.tensor([[True, True, True, False]]))
    x = torch.stack([encoders.embed[name](view[:, :3]) for name, view in views.items()])
    x = x + positions(3, 8, x.device)
    whole = torch.ones(1, 3, dtype=torch.bool)
    for layer in encoders.layers:
        seen = F.layer_norm(x, (8,))
        x = x + layer.attention(seen, seen, whole)
        x = x + layer.feed_forward(F.layer_norm(x, (8,)))
    torch.testing.assert_close(found, F.layer_norm(x, (8,)).mean(2))


def test_positions_are_waves():
    found = positions(7, 6, torch.device("cpu"))
    assert found.shape == (7, 6)
    for t in range(7):
        for pair in range(3):
            angle = t / 10000 ** (2 * pair / 6)
            assert found[t, 2 * pair].item() == pytest.approx(math.sin(angle), abs=1e-6)
            assert found[t, 2 * pair + 1].item() == pytest.approx(math.cos(angle), abs=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_padding_changes_nothing(recipe, system, method):
    model = build(recipe(method), system).model
    batch = system.test.batch(torch.arange(40))
    assert not batch.mask.all()
    views = {name: view.clone().requires_grad_() for name, view in batch.views.items()}
    spoilt = {
        name: torch.where(batch.mask[..., None], view, 1e3 * torch.randn_like(view))
        for name, view in batch.views.items()
    }
    sent = model.send(views, batch.mask)
    torch.testing.assert_close(model.send(spoilt, batch.mask), sent)
    sent.square().sum().backward()
    for view in views.values():
        assert not view.grad[~batch.mask].any()
        assert view.grad[batch.mask].any()


@pytest.mark.parametrize("method", METHODS)
def test_the_order_of_words_counts(recipe, system, method):
    model = build(recipe(method), system).model
    batch = system.test.batch((system.test.batch(torch.arange(40)).mask.all(-1)).nonzero()[:, 0])
    turned = {name: view.flip(1) for name, view in batch.views.items()}
    assert (model.send(turned, batch.mask) - model.send(batch.views, batch.mask)).abs().max() > 1e-4


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("modalities", [("text", "audio"), ("text", "audio", "video")])
def test_one_vector_an_utterance_is_a_sequence_of_length_one(recipe, method, modalities):
    system = make_system(modalities, longest=None)
    trainee = build(recipe(method), system)
    batch = system.train.batch(torch.arange(9))
    assert batch.views["text"].shape == (9, 1, 5) and batch.mask.all()
    assert trainee.sent(system.test).shape == (40, 10)
    assert math.isfinite(trainee.update(1)["loss"])
