"""The objective against the equations; the warm-up; what each system has and has not."""

import pytest
import torch
from toc.conftest import build, make_system
from torch.distributions import Normal, kl_divergence

from ibpapers.nn.channel import to_reals, to_symbols
from ibpapers.papers.toc.redundancy import Pressure
from ibpapers.training.seeds import generator

NOTHING = Pressure(alpha=1.0, weight=0.0, reverse="first")


def carry(sent):
    return to_reals(to_symbols(sent)) + 0.1


def by_the_book(model, batch, draw):
    """Every stage: task loss + beta KL, in torch.distributions; without the discriminators."""

    def squared_error(predicted):
        return ((predicted.squeeze(-1) - batch.sentiment) ** 2).mean()

    total, drawn = 0.0, []
    codes = model.encode(batch.views, batch.mask)
    noise = torch.randn(codes.mean.shape, generator=draw)
    for m in range(len(model.names)):
        p = Normal(codes.mean[m], codes.std[m])
        drawn.append(p.mean + p.stddev * noise[m])
        own = model.branches(torch.stack([drawn[m]] * len(model.names)))[m]
        kl = kl_divergence(p, Normal(0.0, 1.0)).sum(-1).mean()
        total = total + squared_error(own) + model.beta * kl
    received = model.code(carry(model.fuse(torch.cat(drawn, -1))))
    p = Normal(received.mean, received.std)
    z = p.mean + p.stddev * torch.randn(p.mean.shape, generator=draw)
    kl = kl_divergence(p, Normal(0.0, 1.0)).sum(-1).mean()
    return total + squared_error(model.decoder(z)) + model.gamma * kl


def test_the_objective_is_task_plus_divergence_at_every_stage(recipe, system):
    model = build(recipe(), system).model
    batch = system.train.batch(torch.arange(20))
    found = model.losses(batch, carry, generator("draw"), NOTHING)
    exact = by_the_book(model, batch, generator("draw"))
    bce = sum(value for name, value in found.items() if name.startswith("bce/"))
    assert found["loss"].item() == pytest.approx((exact + bce).item(), rel=1e-5)
    # With lambda_red 0 the discriminators move no encoder.
    found["loss"].backward()
    gradients = {name: p.grad.clone() for name, p in model.named_parameters()}
    model.zero_grad()
    exact.backward()
    for name, parameter in model.named_parameters():
        if name.startswith("discriminators"):
            assert gradients[name].any() and parameter.grad is None
        else:
            torch.testing.assert_close(parameter.grad, gradients[name], rtol=1e-3, atol=1e-6)


def test_every_modality_has_a_decoder_of_its_own(recipe, system):
    model = build(recipe(), system).model
    batch = system.train.batch(torch.arange(20))
    drawn = model.encode(batch.views, batch.mask).draw(generator("draw"))
    told = model.branches(drawn)
    assert told.shape == (3, 20, 1)
    (gradient,) = torch.autograd.grad(told[1].sum(), drawn)
    assert gradient[1].any() and not gradient[[0, 2]].any()


def gradient_of_encoders(model, batch, pressure):
    model.zero_grad()
    model.losses(batch, carry, generator("draw"), pressure)["loss"].backward()
    return model.encoders.layers[0].attention.out.bias.grad.clone()


def test_reduction_opposes_what_the_discriminators_want(recipe, system):
    model = build(recipe(), system).model
    batch = system.train.batch(torch.arange(20))
    without = gradient_of_encoders(model, batch, NOTHING)
    push = gradient_of_encoders(model, batch, Pressure(1.0, 1.0, "both")) - without
    drawn = model.encode(batch.views, batch.mask)
    draw = generator("draw")
    codes = drawn.draw(draw)
    torch.randn(20, 4, generator=draw)  # of the receiver's code
    bce = model.discriminators(codes, Pressure(-1.0, 1.0, "both"), draw).bce.sum()
    (wanted,) = torch.autograd.grad(bce, [model.encoders.layers[0].attention.out.bias])
    torch.testing.assert_close(push, -wanted, rtol=1e-3, atol=1e-5)


def test_warm_up_then_a_linear_rise(recipe, system):
    trainee = build(recipe(), system)  # 20 updates, 4 of them warm-up
    found = {update: trainee.pressure(update) for update in range(1, 21)}
    assert [found[update].alpha for update in (1, 2, 4, 5, 20)] == [0.25, 0.5, 1, 1, 1]
    assert [found[update].weight for update in (1, 4)] == [0, 0]
    assert [found[u].weight for u in (5, 12, 20)] == pytest.approx([0.4 / 16, 0.2, 0.4])
    record = trainee.update(12)
    assert record["alpha"] == 1 and record["redundancy_weight"] == pytest.approx(0.2)
    at_once = build(recipe(training={"warm_up_updates": 0}), system)
    assert at_once.pressure(1).alpha == 1


def test_beta_closes_the_first_stage_and_gamma_the_second(recipe, system):
    def rates(**weights):
        trainee = build(recipe(training={"learning_rate": 0.1, **weights}), system)
        record = [trainee.update(update) for update in range(1, 21)][-1]
        return sum(record[f"kl/{name}"] for name in system.widths), record["kl"]

    usual = rates()
    assert rates(beta=1.0)[0] < usual[0] / 2
    assert rates(gamma=1.0)[1] < usual[1] / 2


@pytest.mark.parametrize("method", ["two_stage_vib", "two_stage_vib_no_red", "noiseless"])
def test_discriminators_learn_in_every_phase(recipe, system, method):
    training = {"redundancy": 0.0} if method.endswith("no_red") else {}
    channel = None if method == "noiseless" else "rayleigh"
    trainee = build(recipe(method, channel, training=training), system)
    critics = trainee.model.discriminators
    for update in (1, 10):
        before = [p.clone() for p in critics.parameters()]
        record = trainee.update(update)
        assert not any(torch.equal(p, q) for p, q in zip(critics.parameters(), before))
        for pair in ("video_text", "video_audio", "text_audio"):
            for quantity in ("bce", "p_positive", "p_negative"):
                assert record[f"{quantity}/{pair}"] > 0


def test_two_modalities_have_one_pair(recipe):
    system = make_system(("text", "audio"))
    record = build(recipe(), system).update(1)
    assert [name for name in record if name.startswith("bce/")] == ["bce/text_audio"]


def test_a_trained_model_uses_means(recipe, system):
    model = build(recipe(), system).model
    batch = system.test.batch(torch.arange(5))
    codes = model.encode(batch.views, batch.mask)
    sent = model.send(batch.views, batch.mask)
    torch.testing.assert_close(sent, model.fuse(torch.cat([*codes.mean], -1)))
    told = model.receive(sent)
    torch.testing.assert_close(told, model.decoder(model.code(sent).mean).squeeze(-1))
    several = torch.stack([sent, -sent])
    torch.testing.assert_close(model.receive(several)[0], told)
