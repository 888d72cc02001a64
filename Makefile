# make paper        everything: environment, data, training, evaluation, results/paper.pdf
# make test         the whole test suite          make test-fast   its unit part
# make ui           the runs in MLflow            make lint        style of the code
# make clean        forget all results
#
#   make paper SCALE=laptop DATA=real MIRROR=folder-or-URL SET="key.path=value other.key=value"
#   make paper PAPERS=pom2dib    one paper, or several with commas
#   make paper TORCH_INDEX=https://download.pytorch.org/whl/cpu    another build of PyTorch

PYTHON ?= python3
TORCH_INDEX ?=

# The code is this folder's, whichever environment runs it; no other project's modules stand in.
export PYTHONPATH := $(CURDIR)/src
export PYTHONNOUSERSITE := 1
unexport PYTHONHOME

# An experiment that DVC runs in a folder of its own takes the environment of the checkout around it.
ENVIRONMENT := $(or $(if $(findstring /.dvc/tmp/exps/,$(CURDIR)),$(firstword \
	$(wildcard ../../../../.venv ../../../../../.venv))),.venv)
VENV := $(ENVIRONMENT)/bin/python
TORCH := $(shell sed -n 's/.*"\(torch==[^"]*\)".*/\1/p' pyproject.toml)
# The environment is whole when the stamp of this lock is there; it is written last.
STAMP := $(ENVIRONMENT)/installed-$(TORCH)-$(shell cksum < requirements.lock | tr ' ' '-')

# Read by the Snakefile and by every command of its jobs.
export IBPAPERS_SET := $(strip $(IBPAPERS_SET) $(if $(SCALE),scale=$(SCALE)) \
	$(if $(DATA),data=$(DATA)) $(if $(MIRROR),mirror='$(MIRROR)') \
	$(if $(PAPERS),include=[$(PAPERS)]) $(SET))
SNAKEMAKE := $(VENV) -m snakemake
# A file's tests share what they have made; files go out in the order of tests/conftest.py.
PYTEST := $(VENV) -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

.PHONY: paper datasets entropies runs evaluations ui test test-fast lint clean environment
.DEFAULT_GOAL := paper

paper: environment
	@$(SNAKEMAKE) all --logger ibpapers
	@$(VENV) -m ibpapers results

datasets entropies runs evaluations: environment
	@$(SNAKEMAKE) $@ --logger ibpapers

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
	$(VENV) -m pip install --quiet $(TORCH) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)); \
	$(VENV) -m pip install --quiet --no-deps -r requirements.lock; \
	$(VENV) -c 'import sysconfig, pathlib; \
		pathlib.Path(sysconfig.get_path("purelib"), "ibpapers.pth").write_text("../../../../src\n")'; \
	touch $@
