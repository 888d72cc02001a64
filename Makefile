# make paper        everything: environment, data, training, evaluation, results/paper.pdf
# make test         the whole test suite          make test-fast   its unit part
# make ui           the runs in MLflow            make lint        style of the code
# make clean        forget all results            make unlock      after a killed run
#
#   make paper SCALE=laptop DATA=real MIRROR=folder-or-URL SET="key.path=value other.key=value"
#   make paper TORCH_INDEX=https://download.pytorch.org/whl/cpu    another build of PyTorch

PYTHON ?= python3
TORCH_INDEX ?=

# Modules of another project must not stand in for those of the environment.
unexport PYTHONPATH PYTHONHOME
export PYTHONNOUSERSITE := 1

VENV := .venv/bin/python
TORCH := $(shell sed -n 's/.*"\(torch==[^"]*\)".*/\1/p' pyproject.toml)
# The environment is whole when the stamp of this lock is there; it is written last.
STAMP := .venv/installed-$(TORCH)-$(shell cksum < requirements.lock | tr ' ' '-')

# Read by the Snakefile and by every command of its jobs.
export IBPAPERS_SET := $(strip $(IBPAPERS_SET) $(if $(SCALE),scale=$(SCALE)) \
	$(if $(DATA),data=$(DATA)) $(if $(MIRROR),mirror='$(MIRROR)') $(SET))
SNAKEMAKE := $(VENV) -m snakemake

.PHONY: paper datasets entropies runs evaluations ui test test-fast lint clean unlock environment
.DEFAULT_GOAL := paper

paper: environment
	@$(SNAKEMAKE) all --logger ibpapers
	@$(VENV) -m ibpapers results

datasets entropies runs evaluations: environment
	@$(SNAKEMAKE) $@ --logger ibpapers

ui: environment
	@$(VENV) -m ibpapers ui

test: lint
	$(VENV) -m pytest

test-fast: environment
	$(VENV) -m pytest -m "not slow"

lint: environment
	$(VENV) -m ruff check .

clean:
	rm -rf results .snakemake

unlock: environment
	@$(SNAKEMAKE) --unlock

environment: $(STAMP)

$(STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
			"Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Installing the environment into .venv (about four minutes, once)"
	@ls .venv/installed-* > /dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@rm -f .venv/installed-*
	$(if $(TORCH_INDEX),$(VENV) -m pip install --quiet --index-url $(TORCH_INDEX) $(TORCH))
	$(VENV) -m pip install --quiet $(TORCH) -r requirements.lock
	@$(VENV) -c 'import sysconfig, pathlib; \
		pathlib.Path(sysconfig.get_path("purelib"), "ibpapers.pth").write_text("../../../../src\n")'
	@touch $@
