# Each target does its own set-up; `make run` opens the window.
PYTHON ?= python3
BIN := .venv/bin
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
endif

.PHONY: setup run test lint bench clean

setup: .venv/ready

.venv/ready: pyproject.toml setup.sh
	sh setup.sh $(PYTHON)
	touch $@

run: setup
	$(BIN)/python main.py $(ARGS)

test: setup lint
	$(BIN)/python -m pytest $(ARGS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: setup
	$(BIN)/python -m tests.benchmarks $(ARGS)

clean:
	rm -rf .venv build
