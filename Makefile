# make run    serve the workbench on 127.0.0.1      make test   everything that CI checks
# make older  an environment with transformers 4.57, on which exports are tested where it is there
# make proof  the long forms of the proofs
# make docs   the documentation as a site, in site/
# make pictures  every page at two widths in both themes, into PICTURES; those of README and docs
# make bench  the benchmarks, on real corpora (DATA=folder); POSTGRESQL=URL of a server measures on that too,
#             EXPORT=folder a model exported with --onnx
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
JOBS   ?= logical
DATA   ?= $(or $(WORKBENCH_DATA),../shared/data)
PIP    := $(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt

OLDER  := .venv-4.57

# Tests start many processes: without kept bytecode each of them would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test lint proof bench docs pictures older clean

run: $(VENV)/.installed
	$(BIN)/streamlit run Home.py

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "The workbench needs Python 3.11 or newer; say: make run PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) --editable .
	touch $@

$(VENV)/.tested: $(VENV)/.installed
	$(PIP) --editable '.[test]'
	touch $@

# Its own transformers, tokenizers and huggingface_hub; torch and all else are those of $(VENV), found behind them.
older: $(OLDER)/.installed

$(OLDER)/.installed: $(VENV)/.tested constraints-4.57.txt
	$(BIN)/python -m venv --without-pip $(OLDER)
	$(BIN)/python -m pip --python $(OLDER)/bin/python install --disable-pip-version-check --quiet --no-deps \
		--requirement constraints-4.57.txt
	$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
		>$$($(OLDER)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/shared.pth
	touch $@

lint: $(VENV)/.tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	$(BIN)/python -m pytest -m 'not proof' --numprocesses $(JOBS) --maxprocesses 4 --dist worksteal

proof: $(VENV)/.tested
	$(BIN)/python -m pytest -m proof --timeout 7200

pictures: $(VENV)/.tested
	$(BIN)/python docs/make_pictures.py $(or $(PICTURES),build/pictures) --docs

bench: $(VENV)/.tested
	$(PIP) --editable '.[bench]'
	$(BIN)/python benchmarks/labeling.py
	$(BIN)/python benchmarks/pages.py
	$(BIN)/python benchmarks/compare.py
	$(BIN)/python benchmarks/team.py
	$(BIN)/python benchmarks/selecting.py
	$(BIN)/python benchmarks/growth.py $(if $(POSTGRESQL),--database $(POSTGRESQL))
	$(BIN)/python benchmarks/importing.py --train $(DATA)/conll2003/eng.train
	$(BIN)/python benchmarks/train.py --train $(DATA)/conll2003/eng.train --test $(DATA)/conll2003/eng.testa
	$(BIN)/python benchmarks/score.py --train $(DATA)/conll2003/eng.train
	$(BIN)/python benchmarks/train.py --task qa --train $(DATA)/policyqa/policyqa.json
	$(if $(EXPORT),$(BIN)/python benchmarks/onnx.py $(EXPORT) $(DATA)/conll2003/eng.testa)

docs: $(VENV)/.tested
	$(BIN)/mkdocs build --strict

clean:
	rm -rf $(VENV) $(OLDER) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
