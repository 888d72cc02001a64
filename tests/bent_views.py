"""Made-up results, bent: what the verdict on them should not survive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd

from ibpapers.report.exhibits import View


def changed(view: View, change: Callable[[pd.Series], Any], **columns: Any) -> View:
    """`view` with `change` applied to the values of the rows in which every column is as given."""
    rows = view.rows.copy()
    found = view.where(**columns).rows.index
    assert len(found)
    rows.loc[found, "value"] = change(rows.loc[found, "value"])
    return replace(view, rows=rows)


def without(view: View, **columns: Any) -> View:
    """`view` without the rows in which every column is as given."""
    return replace(view, rows=view.rows.drop(index=view.where(**columns).rows.index))
