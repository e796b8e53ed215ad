# Two commands for a newcomer: `make demo` and `make test`. `make check` is what CI asks of the source.
PYTHON ?= python3
BIN := .venv/bin
CORE := .venv/.core
INSTALLED := .venv/.installed

.PHONY: demo test fuzz check lint types contract doctest numbers docs wheel clean

demo: $(CORE)
	$(BIN)/reseed measure digits --runs 50 --out demo
	@echo "Open demo/report.html in a browser; make demo again adds nothing, rm -r demo starts over."

test: $(INSTALLED)
	$(BIN)/python -m pytest -n 2 --dist loadfile

fuzz: $(INSTALLED)
	FUZZ_MINUTES=$${FUZZ_MINUTES:-10} $(BIN)/python -m pytest tests/fuzz -q


check: lint types contract doctest numbers docs

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED)
	$(BIN)/mypy

contract: $(INSTALLED)
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest tests/test_imports.py -q

doctest: $(INSTALLED)
	$(BIN)/python -m pytest --doctest-modules src -q

numbers: $(INSTALLED)
	$(BIN)/python docs/_scripts/check_numbers.py

docs: $(INSTALLED)
	$(BIN)/sphinx-build -W --keep-going -q docs docs/_build

wheel: $(INSTALLED)
	rm -rf dist
	$(BIN)/python -m build --wheel --outdir dist .

# What the demo needs: reseed without extras.
$(CORE): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("reseed needs Python 3.11 or newer: make PYTHON=python3.11 ..." if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --build-constraint constraints.txt --editable .
	touch $(CORE)

# The rest, beside what is there.
$(INSTALLED): $(CORE)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --build-constraint constraints.txt \
		--editable '.[text,cluster,onnx,attacks]' --group dev
	touch $(INSTALLED)

clean:
	rm -rf .venv .venv-wheel dist docs/_build docs/jupyter_execute docs/api/generated demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
