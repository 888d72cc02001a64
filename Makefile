# make paper        everything: environment, data, training, evaluation, results/paper.pdf
# make test         the whole test suite          make test-fast   its unit part
# make ui           the runs in MLflow            make lint        style of the code
# make clean        forget all results            make stage       fetch all that needs a network
#
#   make paper SCALE=laptop DATA=real MIRROR=folder-or-URL SET="key.path=value other.key=value"
#   make paper PAPERS=pom2dib    one paper, or several with commas
#   make paper CLUSTER=slurm     jobs are submitted to Slurm: docs/cluster.md
#   make paper CLUSTER=slurm TRAININGS_PER_JOB=8    one after another on one GPU
#   make paper WHEELS=stage/wheels    packages from there, without a network
#   make paper TORCH_INDEX=https://download.pytorch.org/whl/cpu    another build of PyTorch

PYTHON ?= python3
TORCH_INDEX ?=
INDEX := $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX))
ifdef WHEELS
export PIP_NO_INDEX := 1
export PIP_FIND_LINKS := $(abspath $(WHEELS))
endif

# The code is this folder's, whichever environment runs it; no other project's modules stand in.
export PYTHONPATH := $(CURDIR)/src
export PYTHONNOUSERSITE := 1
unexport PYTHONHOME

# An experiment that DVC runs in a folder of its own takes the environment of the checkout around it.
ENVIRONMENT := $(or $(if $(findstring /.dvc/tmp/exps/,$(CURDIR)),$(firstword \
	$(wildcard ../../../../.venv ../../../../../.venv))),.venv)
VENV := $(ENVIRONMENT)/bin/python
TORCH := $(shell sed -n 's/.*"\(torch==[^"]*\)".*/\1/p' pyproject.toml)
SLURM := $(shell sed -n 's/.*"\(snakemake-executor-plugin-slurm[^"]*\)".*/\1/p' pyproject.toml)
# The environment is whole when the stamp of this lock is there; it is written last.
STAMP := $(ENVIRONMENT)/installed-$(TORCH)-$(shell cksum < requirements.lock | tr ' ' '-')

# Read by the Snakefile and by every command of its jobs.
export IBPAPERS_SET := $(strip $(IBPAPERS_SET) $(if $(SCALE),scale=$(SCALE)) \
	$(if $(DATA),data=$(DATA)) $(if $(MIRROR),mirror='$(MIRROR)') \
	$(if $(PAPERS),include=[$(PAPERS)]) $(SET))
SNAKEMAKE := $(VENV) -m snakemake
# Given after the targets, which some of these would take for their values.
OPTIONS := --logger ibpapers $(if $(CLUSTER),--profile profiles/$(CLUSTER)) \
	$(if $(TRAININGS_PER_JOB),--groups train=train \
	--group-components train=$(TRAININGS_PER_JOB) \
	--resources gpu=1 --set-resource-scopes gpu=local)
# Whether jobs can be submitted from here is asked before anything is installed.
READY := $(CLUSTER) environment $(if $(CLUSTER),$(ENVIRONMENT)/installed-$(CLUSTER))
# A file's tests share what they have made; files go out in the order of tests/conftest.py.
PYTEST := $(VENV) -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

.PHONY: paper datasets entropies runs evaluations slurm stage ui test test-fast lint clean \
	environment
.DEFAULT_GOAL := paper

paper: $(READY)
	@$(SNAKEMAKE) all $(OPTIONS)
	@$(VENV) -m ibpapers results

datasets entropies runs evaluations: $(READY)
	@$(SNAKEMAKE) $@ $(OPTIONS)

slurm:
	@$(PYTHON) -m ibpapers cluster

# Packages go into stage/wheels, sources into results/sources, which is laid out as a mirror.
stage: environment
	@$(VENV) -m ibpapers staged
	@$(VENV) -m pip download --quiet --dest stage/wheels $(TORCH) $(INDEX)
	@$(VENV) -m pip download --quiet --dest stage/wheels --no-deps -r requirements.lock $(SLURM)
	@$(SNAKEMAKE) sources --keep-going --logger ibpapers

ui: environment
	@$(VENV) -m ibpapers ui

test: lint
	$(PYTEST)

test-fast: environment
	$(PYTEST) -m "not slow"

lint: environment
	$(VENV) -m ruff check .

clean:
	rm -rf results .snakemake

environment: $(STAMP)

# What submits to Slurm; it costs every start of Snakemake a third of a second, and needs `which`.
$(ENVIRONMENT)/installed-slurm: $(STAMP)
	@$(VENV) -m pip install --quiet --no-deps $(SLURM)
	@touch $@

# Descriptor 9 is locked until the shell ends, so that two of these do not install at once.
$(STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
			"Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@set -e; mkdir -p .snakemake; exec 9> .snakemake/install.lock; \
	$(PYTHON) -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)' 2> /dev/null || { \
		echo "Another process installs the environment: waiting for it"; \
		$(PYTHON) -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'; }; \
	if [ -e $@ ]; then exit; fi; \
	echo "Installing the environment into $(ENVIRONMENT) (about four minutes, once)"; \
	ls $(ENVIRONMENT)/installed-* > /dev/null 2>&1 || $(PYTHON) -m venv --clear $(ENVIRONMENT); \
	rm -f $(ENVIRONMENT)/installed-*; \
	$(VENV) -m pip install --quiet $(TORCH) $(INDEX); \
	$(VENV) -m pip install --quiet --no-deps -r requirements.lock; \
	$(VENV) -c 'import sysconfig, pathlib; \
		pathlib.Path(sysconfig.get_path("purelib"), "ibpapers.pth").write_text("../../../../src\n")'; \
	touch $@
