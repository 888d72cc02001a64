"""M_u and M_l against the formulas written out, and against what they must not be made from."""

import math

import pytest

from ibpapers.errors import UserError
from ibpapers.files import write_json
from ibpapers.papers.omib import bounds


def estimates(values, std=0.1, touching=()):
    """Files of estimates by id, from name -> nats."""
    names = bounds.terms([name[2:] for name in values if name.startswith("h_")])
    return {
        f"omib/sim1/{name}": {
            "term": list(term),
            "value": values[name],
            "std": std,
            "touches_ceiling": name in touching,
        }
        for name, term in names.items()
    }


TWO = {"h_v1": 6.0, "h_v2": 5.0, "i_v1_v2": 2.0}
THREE = {"h_text": 4.0, "h_audio": 3.0, "h_video": 2.0}
THREE |= {"i_text_audio": 1.5, "i_text_video": 1.0, "i_audio_video": 0.5}


def test_terms_are_every_entropy_and_every_pair():
    assert bounds.terms(["v1", "v2"]) == {
        "h_v1": ("v1", "v1"), "h_v2": ("v2", "v2"), "i_v1_v2": ("v1", "v2"),
    }  # fmt: skip
    assert list(bounds.terms(["text", "audio", "video"])) == list(THREE)


def test_two_modalities():
    found = bounds.bounds(estimates(TWO))
    assert found.upper == pytest.approx(1 / (3 * (6 + 5 - 2)))
    assert found.lower == pytest.approx(1 / (3 * (6 + 5)))


def test_three_modalities():
    found = bounds.bounds(estimates(THREE))
    assert found.upper == pytest.approx(1 / (5 * (9 - 2 / 3 * 3)))
    assert found.lower == pytest.approx(1 / (5 * 9))


@pytest.mark.parametrize("values", [TWO, THREE])
def test_spread_is_the_derivative_times_the_deviations(values):
    found, step = bounds.bounds(estimates(values, std=0.1)), 1e-6
    for side in ("lower", "upper"):
        squares = 0.0
        for name in values:
            moved = bounds.bounds(estimates({**values, name: values[name] + step}))
            slope = (getattr(moved, side) - getattr(found, side)) / step
            squares += (0.1 * slope) ** 2
        assert getattr(found, f"{side}_std") == pytest.approx(math.sqrt(squares), rel=1e-4)


def test_the_order_of_the_files_does_not_matter():
    turned = dict(reversed(estimates(THREE).items()))
    for estimate in turned.values():
        estimate["term"].reverse()
    assert bounds.bounds(turned).upper == pytest.approx(bounds.bounds(estimates(THREE)).upper)


def test_an_information_below_zero_counts_as_zero():
    found = bounds.bounds(estimates({**TWO, "i_v1_v2": -0.5}))
    assert found.upper == found.lower


def test_estimates_at_their_ceiling_are_named():
    found = bounds.bounds(estimates(TWO, touching=("h_v2",)))
    assert found.touching == ("omib/sim1/h_v2",)


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        ({"i_v1_v2": 11.0}, r"no bound on beta: H\(v1\) = 6.000, .* I\(v1; v2\) = 11.000 nats"),
        ({"h_v2": -0.1}, "Every H has to be positive"),
        ({"h_v2": 0.0}, "Every H has to be positive"),
        ({"h_v2": math.nan}, r"H\(v2\) = nan"),
        ({"i_v1_v2": math.nan}, r"I\(v1; v2\) = nan"),
    ],
)
def test_estimates_that_give_no_bound_are_refused(spoilt, message):
    with pytest.raises(UserError, match=message):
        bounds.bounds(estimates({**TWO, **spoilt}))


def test_missing_estimates_are_refused():
    incomplete = estimates(THREE)
    del incomplete["omib/sim1/i_audio_video"]
    with pytest.raises(UserError, match="needs the entropy of each of two or three modalities"):
        bounds.bounds(incomplete)
    with pytest.raises(UserError, match="there are: no estimates"):
        bounds.bounds({})


def test_bounds_are_read_from_files(tmp_path):
    paths = {}
    for number, (name, content) in enumerate(estimates(TWO).items()):
        paths[name] = tmp_path / f"{number}.json"
        write_json(paths[name], content)
    assert bounds.read(paths) == bounds.bounds(estimates(TWO))


def test_beta_is_a_number_or_a_multiple_of_a_bound():
    found = bounds.bounds(estimates(TWO))
    assert bounds.resolve(0.01, None) == 0.01
    assert bounds.resolve(None, found) is None
    assert bounds.resolve("1.0 M_u", found) == found.upper
    assert bounds.resolve("0.5 M_l", found) == pytest.approx(0.5 * found.lower)
    assert bounds.resolve("1e-2 M_u", found) == pytest.approx(0.01 * found.upper)
    with pytest.raises(UserError, match="no estimates to take the bound from"):
        bounds.resolve("1.0 M_u", None)


@pytest.mark.parametrize("text", ["M_u", "1.0M_u", "1.0 M_x", "-1 M_u", "1.0 M_u ", "x"])
def test_other_texts_are_no_beta(text):
    with pytest.raises(ValueError, match="multiple of a bound"):
        bounds._is_multiple(text)
