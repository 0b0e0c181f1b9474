"""Rows divided: by class, by group, by time."""

import numpy as np
import pytest

from pymlp.tabular.splitting import (
    fold_groups,
    fold_rows,
    split_by_time,
    split_groups,
    split_rows,
)


def split(labels, fraction, seed=0):
    return split_rows(np.asarray(labels), fraction, np.random.default_rng(seed))


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.2, 0.5, 0.9])
def test_every_row_is_taken_once_and_the_share_exactly(fraction):
    kept, held = split(np.arange(100) % 3, fraction)
    np.testing.assert_array_equal(np.sort(np.concatenate([kept, held])), np.arange(100))
    assert len(held) == round(100 * fraction)


def test_every_class_is_held_out_in_proportion():
    labels = np.repeat([0, 1, 2], [500, 50, 5])
    held = split(labels, 0.2)[1]
    np.testing.assert_allclose(np.bincount(labels[held], minlength=3), [100, 10, 1], atol=1)


@pytest.mark.parametrize("seed", range(20))
def test_one_row_of_each_class_is_kept(seed):
    for first in (0, 1):
        labels = first + np.array([0] * 10 + [1, 2, 2])
        kept, held = split(labels, 0.9, seed)
        assert set(labels[kept]) == set(labels)
        assert len(held) == 10


def test_the_seed_alone_decides():
    labels = np.zeros(50, int)
    np.testing.assert_array_equal(split(labels, 0.2, 1)[1], split(labels, 0.2, 1)[1])
    assert not np.array_equal(split(labels, 0.2, 1)[1], split(labels, 0.2, 2)[1])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("fraction", [0.01, 0.2, 0.99])
def test_groups_stay_together(seed, fraction):
    groups = np.repeat(np.arange(8), [1, 2, 3, 4, 5, 6, 7, 8])
    kept, held = split_groups(groups, fraction, np.random.default_rng(seed))
    assert len(kept) + len(held) == 36
    assert set(groups[kept]).isdisjoint(groups[held])
    assert len(kept) > 0 < len(held)
    if fraction == 0.2:
        assert abs(len(held) - 7.2) <= 4


def test_one_group_cannot_be_divided():
    with pytest.raises(ValueError, match="groups must be two at least"):
        split_groups(np.zeros(5), 0.2, np.random.default_rng(0))


@pytest.mark.parametrize("n_folds", [1, 2, 5, 8])
def test_folds_are_of_one_size_with_every_class_in_proportion(n_folds):
    labels = np.repeat([0, 1, 2], [50, 20, 7])
    folds = fold_rows(labels, n_folds, np.random.default_rng(1))
    assert np.ptp(np.bincount(folds, minlength=n_folds)) <= 1
    for label in range(3):
        assert np.ptp(np.bincount(folds[labels == label], minlength=n_folds)) <= 1


def test_folds_are_drawn_by_the_seed():
    labels = np.zeros(60, int)
    first, same, other = (fold_rows(labels, 5, np.random.default_rng(i)) for i in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("n_folds", [2, 3, 5, 20])
def test_folds_of_groups_keep_them_together_and_are_never_empty(n_folds):
    groups = np.repeat(list("abcdefgh"), [1, 2, 3, 4, 5, 6, 7, 8])
    folds = fold_groups(groups, n_folds, np.random.default_rng(0))
    assert all(len(set(folds[groups == group])) == 1 for group in "abcdefgh")
    sizes = np.bincount(folds)
    assert len(sizes) == min(n_folds, 8)
    assert sizes.min() > 0
    if n_folds <= 3:
        assert np.ptp(sizes) <= 2


def test_one_group_makes_no_folds():
    with pytest.raises(ValueError, match="groups must be two at least"):
        fold_groups(np.zeros(5), 2, np.random.default_rng(0))


def test_the_latest_rows_are_held_out():
    times = np.array([5, 1, 4, 2, 3, 9, 7, 8, 6, 0])
    kept, held = split_by_time(times, 0.2)
    assert held.tolist() == [5, 7]
    assert set(times[kept]) == set(range(8))
    days = np.datetime64("2024-01-01") + times
    assert split_by_time(days, 0.2)[1].tolist() == [5, 7]


def test_rows_of_the_same_time_stay_together():
    times = np.array([1, 1, 2, 2, 2, 2])
    assert split_by_time(times, 0.2)[1].tolist() == [2, 3, 4, 5]
    assert split_by_time(np.array([1, 1, 1, 1, 1, 2]), 0.5)[1].tolist() == [5]
    with pytest.raises(ValueError, match="time must differ among the rows"):
        split_by_time(np.zeros(5), 0.2)
