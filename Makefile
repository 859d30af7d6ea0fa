# `make demo` and `make test` set up all they need in .venv and can be run again.
.DEFAULT_GOAL := help
.PHONY: help setup demo test check format build clean

TASK ?= franka_drawer
# Options for `latentplan demo` and for pytest, e.g. make demo ARGS='--goals 4'
ARGS ?=
CONSTRAINTS ?= constraints.txt
export CONSTRAINTS
ifdef PYTHON
export PYTHON
endif
ifdef TORCH_INDEX
export TORCH_INDEX
endif

# Rendering without a display, and a folder for the logs of ROS where there is no home.
export MUJOCO_GL ?= egl
ifeq ($(strip $(HOME)),)
export HOME := $(CURDIR)/.venv
endif

# Set by the ROS wheels of another environment, this would load that environment's libraries.
ifdef _ROS_WHEELS_BOOTSTRAP_COMPLETE
unexport _ROS_WHEELS_BOOTSTRAP_COMPLETE
unexport LD_LIBRARY_PATH
endif

BIN := .venv/bin
READY := .venv/.ready

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## .venv with everything; PYTHON=, CONSTRAINTS=, TORCH_INDEX= choose other parts

$(READY): setup.py setup.cfg package.xml scripts/setup.sh $(CONSTRAINTS)
	scripts/setup.sh
	@touch $@

demo: $(READY) ## a simulated arm reaches goal pictures through ROS 2 nodes; TASK=franka_drawer
	$(BIN)/latentplan demo --task $(TASK) $(ARGS)

test: check ## everything: check, then the tests
	# Small networks gain nothing from a second thread, and two that wait for each other beside the
	# processes of a test take ten times as long.
	# Those that start nodes run alone, so that what they time is not each other.
ifeq ($(strip $(ARGS)),)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --ignore test/ros --ignore test/launch
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest test/ros test/launch
else
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(ARGS)
endif

check: $(READY) ## format, lint, types, imports between the rooms
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## rewrites the code to the format that check asks for
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

build: $(READY) ## the ROS package with colcon, into install/
	$(BIN)/python -m colcon build --packages-select latentplan_ros

clean: ## removes .venv and whatever was built; recordings and runs stay
	rm -rf .venv build install log dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
