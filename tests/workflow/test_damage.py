"""Damaged results are recognised and made again, and a full disk is named, wherever it happens."""

import resource
import shutil
import subprocess
import sys
from base64 import urlsafe_b64encode

import pytest

pytestmark = pytest.mark.slow

SNAKEMAKE = sys.executable, "-m", "snakemake", "--logger", "ibpapers"
REPORT = "results/sample-smoke/report/pom2dib"
RUN = "results/sample-smoke/runs/pom2dib/handwritten"


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def empty(path):
    path.write_bytes(b"")


def cut(path):
    path.write_bytes(path.read_bytes()[:-20])


DAMAGE = {
    "results/datasets/handwritten-sample/arrays.npz": flip,
    f"{RUN}/tadib_beta=0.001/model.safetensors": flip,
    f"{RUN}/pom2dib_beta=0.1/recipe.json": flip,
    f"{RUN}/pom2dib_beta=0.001/history.npz": empty,
    "results/sample-smoke/evaluations/pom2dib/handwritten/tadib_beta=0.001.parquet": flip,
    f"{REPORT}/results.parquet": flip,
    f"{REPORT}/figure_2a.pdf": flip,
    f"{REPORT}/figure_3.trace.json": cut,
    f"{REPORT}/table_1a.json": empty,
    f"{REPORT}/claims.trace.json": empty,
    "results/sample-smoke/paper.pdf": cut,
}


def test_damaged_results_are_named_and_made_again(copy):
    undisturbed = copy.artifacts()
    for path, damage in DAMAGE.items():
        damage(copy.folder / path)
    output = copy.done(*SNAKEMAKE)
    named = [path for path in DAMAGE if f"ibpapers: {path} was damaged" in output]
    assert named == list(DAMAGE)
    assert copy.artifacts() == undisturbed
    assert copy.due() == []


def test_damaged_input_is_not_read_by_a_command_either(copy):
    flip(copy.folder / "results/datasets/handwritten-sample/arrays.npz")
    done = copy.ibpapers("train", "pom2dib/handwritten/tadib_beta=0.001")
    assert done.returncode == 2
    assert "handwritten-sample/arrays.npz is damaged" in done.stdout


def test_damaged_checkpoint_is_not_gone_on_from(copy):
    undisturbed = copy.artifacts()
    run = copy.runs / "tadib_beta=0.001"
    shutil.rmtree(run)
    train = sys.executable, "-m", "ibpapers", "train", "pom2dib/handwritten/tadib_beta=0.001"
    with copy.started(*train) as started:
        assert started.wait_until(lambda: list(run.glob("checkpoint-0*"))), started.output
        started.process.kill()
        started.process.wait()
    flip(run / "checkpoint-0.safetensors")
    assert "seed 0 (1 of 2): resumed" not in copy.done(*train)
    assert copy.artifacts() == undisturbed


@pytest.mark.parametrize("damage", [cut, empty, lambda path: path.unlink()])
def test_result_with_damaged_books_is_judged_by_its_own_record(changed, damage):
    """Snakemake itself would take it for fresh, whatever has changed."""
    model = f"{RUN}/tadib_beta=0.001/model.safetensors"
    book = changed.folder / ".snakemake/metadata" / urlsafe_b64encode(model.encode()).decode()
    content = book.read_bytes()
    damage(book)
    assert changed.due() == []
    first = "from __future__ import annotations\n"
    method = "src/ibpapers/papers/pom2dib/methods/tadib.py"
    changed.edit(method, first, f"{first}UNUSED = 1\n")
    assert "train pom2dib/handwritten/tadib_beta=0.001" in changed.due()
    changed.edit(method, "UNUSED = 1\n", "")
    assert changed.due() == []
    book.write_bytes(content)


def full_disk(folder):
    """Give `folder` a file system of its own, with little space left; returns how to free it."""
    size = sum(path.stat().st_size for path in folder.rglob("*")) // 1024 + 600
    aside = folder.with_name("aside")
    folder.rename(aside)
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        folder.rmdir()
        aside.rename(folder)
        return None
    shutil.copytree(aside, folder, dirs_exist_ok=True)
    return ["mount", "-o", "remount,size=1g", str(folder)]


def test_full_disk_is_named_and_afterwards_the_run_goes_on(copy):
    undisturbed = copy.artifacts()
    results = copy.folder / "results"
    shutil.rmtree(results / "datasets")
    free = full_disk(results)
    if free is None:
        pytest.skip("a file system of limited size can be mounted by root only")
    try:
        done = copy.snakemake("--logger", "ibpapers")
        assert done.returncode != 0
        dataset = "results/datasets/handwritten-sample/arrays.npz"
        assert f"cannot write {dataset}: No space left on device" in done.stdout
        assert not list(results.rglob(".*"))
        subprocess.run(free, check=True)
        copy.done(*SNAKEMAKE)
        assert copy.artifacts() == undisturbed
    finally:
        subprocess.run(["umount", str(results)], check=True)


def test_file_that_cannot_grow_is_named_and_afterwards_the_run_goes_on(copy):
    """As a full disk, without a file system of its own."""
    undisturbed = copy.artifacts()
    shutil.rmtree(copy.folder / "results/sample-smoke/report")

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))

    (copy.folder / "results/sample-smoke/paper.pdf").unlink()
    done = subprocess.run(
        SNAKEMAKE,
        cwd=copy.folder,
        env=copy.environment(),
        capture_output=True,
        text=True,
        preexec_fn=limit,
    )
    assert done.returncode != 0
    assert "cannot write results/sample-smoke/paper.pdf: File too large" in done.stderr
    copy.done(*SNAKEMAKE)
    assert copy.artifacts() == undisturbed
