PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= --numprocesses auto --dist loadgroup

.PHONY: help example test test-oldest versions bad-input soak torch-reference lint names measure exports figures tables docs clean

help:
	@echo "make example      install into .venv and train LeNet-5 (ARGS='--activation snake --epochs 3')"
	@echo "make test         install into .venv and run the tests (ARGS='-k mish' for some of them; WORKERS= for one process)"
	@echo "make test-oldest  the tests on the oldest supported Keras and TensorFlow, in .venv-oldest"
	@echo "make versions     a small but telling set of checks on each supported pair of Keras and TensorFlow, in .venv-versions"
	@echo "make bad-input    twenty times as much bad input, at random, as the tests try"
	@echo "make soak         100,000 calls, which must leave the memory as it was"
	@echo "make torch-reference  fetch PyTorch's values again into tests/data"
	@echo "make lint         ruff and mypy"
	@echo "make names        write the list of public names in keras_activations/__init__.py"
	@echo "make measure      measure accuracy and speed in full (hours; an interrupted run goes on) and write docs/; TORCH_PYTHON and JAX_PYTHON may name a Python that has them"
	@echo "make exports      export every activation, run what came out and write docs/exports.md"
	@echo "make figures      draw the figures and write the tables of docs/choosing.md (minutes; half an hour with CIFAR10_DIR set)"
	@echo "make docs         build the site of the documentation into build/site (open index.html; ARGS goes to MkDocs)"
	@echo "make tables       write the tables of the README: the catalogue, the summaries of docs/"

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[examples,test,lint]'
	touch $@

.venv/docs: .venv/installed
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	touch $@

.venv-oldest/installed: pyproject.toml
	$(PYTHON) -m venv .venv-oldest
	.venv-oldest/bin/python -m pip install --quiet --upgrade pip
	.venv-oldest/bin/python -m pip install --quiet --editable '.[examples,test]' 'tensorflow==2.18.*' 'keras==3.10.*'
	touch $@

example: .venv/installed
	$(BIN)/python examples/lenet5_cifar10.py $(ARGS)

test: .venv/installed
	$(BIN)/python -m pytest $(WORKERS) $(ARGS)

test-oldest: .venv-oldest/installed
	.venv-oldest/bin/python -m pytest $(WORKERS) $(ARGS)

versions: .venv/installed
	$(BIN)/python tests/versions.py $(ARGS)

bad-input: .venv/installed
	KERAS_ACTIVATIONS_INPUTS=20 $(BIN)/python -m pytest tests/test_bad_input.py $(ARGS)

soak: .venv/installed
	$(BIN)/python tests/soak.py $(ARGS)

torch-reference:
	$(PYTHON) -m venv .venv-torch
	.venv-torch/bin/python -m pip install --quiet 'torch==2.13.0' numpy
	.venv-torch/bin/python tests/data/fetch_torch.py

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

names: .venv/installed
	$(BIN)/python tests/public_names.py
	$(BIN)/ruff check --quiet --fix --select I,RUF022 keras_activations/__init__.py
	$(BIN)/ruff format --quiet keras_activations/__init__.py

measure: .venv/installed
	$(BIN)/python -m keras_activations accuracy --json build/accuracy.json --write && mv build/accuracy.json build/accuracy.last.json
	$(BIN)/python -m keras_activations benchmark --json build/benchmark.json --write && mv build/benchmark.json build/benchmark.last.json
	$(MAKE) tables

exports: .venv/installed
	$(BIN)/python -m pip install --quiet --editable '.[export]'
	$(BIN)/python -m keras_activations export --json build/exports.json --write && mv build/exports.json build/exports.last.json

figures: .venv/installed
	$(BIN)/python docs/figures.py

tables: .venv/installed
	$(BIN)/python tests/tables.py

docs: .venv/docs
	$(BIN)/mkdocs build --strict $(ARGS)

clean:
	rm -rf .venv .venv-oldest .venv-torch .venv-versions build dist *.egg-info
