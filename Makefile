# The first use makes the virtual environment; a changed pyproject.toml brings it up to date.
#   make demo       a guided minute: a real port closes and opens again
#   make install    the environment alone; nothing is started
#   make up         everything on this machine until Ctrl-C (ARGS="-i inventory.yaml")
#   make test       all tests that need no root
#   make test-root  those that need root (after make test, which fetches what they start)
#   make wide       strangers: every kind of check at every server, clients of ClickHouse and of
#                   the topics, pages in a browser (tests/wide/install first; root)
#   make soak       hours: workers killed, fleets simulated (SEED=17 repeats a run)
#   make chaos      a day of drawn faults in the whole system (HOURS=1 for less; root)
#   make bench      what a check costs, on loopback (ARGS="--parts prober --json");
#                   BENCH=stream, outage, detect or sink: what the others cost
#   make site       the documentation as a site, in site/ (mkdocs, strict)
#   make lint       ruff, mypy, which package may import which, and whether the generated files
#                   are up to date

VENV ?= .venv
BIN := $(VENV)/bin

# Four processes on two cores: most tests wait most of their time, for a broker or for a schedule.
# Each process has a Kafka and a ClickHouse of its own; a file's tests stay together. The order of
# the files (who waits beside who computes, the long ones first) is that of tests/file_order.py.
# What fails beside others is run once more alone, and named: tests/side_by_side.py.
SIDE_BY_SIDE := -n 4 --dist loadfile --no-loadscope-reorder

# What `make soak` draws from, and where its reports lie.
SEED ?=
REPORTS ?= soak-reports

.PHONY: help install demo up test test-root wide soak chaos bench site lint format generate
.DEFAULT_GOAL := help

help:
	@sed -n 's/^#   //p' $(firstword $(MAKEFILE_LIST))

install: $(VENV)/.embedded

demo: $(VENV)/.embedded
	@$(BIN)/portquorum demo $(ARGS)

up: $(VENV)/.embedded
	@$(BIN)/portquorum up $(ARGS)

test: $(VENV)/.dev
	@$(BIN)/python -m tests.side_by_side -m "not root and not soak and not wide" $(SIDE_BY_SIDE) $(ARGS)

# Nothing but loopback is in the namespace of the system tests: what they filter and fill up harms
# nobody. Three at a time: they bring up whole fleets. The others fetch, as at a first start, or make
# namespaces of their own; of those only files that have the marker are collected.
ROOT_FILES = $(shell grep -rl --include='test_*.py' 'mark\.root' tests | grep -v '^tests/system/')

test-root: $(VENV)/.dev
	@unshare --net sh -c 'ip link set lo up && exec "$$@"' sh \
	    $(BIN)/python -m tests.side_by_side -m "root and not soak and not wide" $(SIDE_BY_SIDE) -n 3 tests/system $(ARGS)
	@$(BIN)/python -m tests.side_by_side -m "root and not soak and not wide" $(SIDE_BY_SIDE) $(ROOT_FILES) $(ARGS)

# What it found goes into docs/verification.md, if nothing was left out.
wide: $(VENV)/.dev
	@PORTQUORUM_WIDE_REPORT=1 $(BIN)/python -m pytest -m wide \
	    tests/wide tests/integration tests/browser $(ARGS)

# One after the other: what is measured must not be disturbed by what is simulated.
soak: $(VENV)/.dev
	@PORTQUORUM_SOAK_SEED=$(SEED) PORTQUORUM_SOAK_REPORTS=$(REPORTS) \
	    $(BIN)/python -m pytest -m soak -s --timeout 0 --ignore tests/system $(ARGS)
	@$(BIN)/python -m pytest -m hypothesis --hypothesis-profile long --timeout 0 \
	    $(if $(SEED),--hypothesis-seed $(SEED)) tests/unit $(ARGS)

# The whole system under drawn faults, for HOURS; root, and a network namespace of its own.
HOURS ?= 24

chaos: $(VENV)/.dev
	@PORTQUORUM_SOAK_SEED=$(SEED) PORTQUORUM_SOAK_REPORTS=$(REPORTS) PORTQUORUM_SOAK_HOURS=$(HOURS) \
	    unshare --net sh -c 'ip link set lo up && exec "$$@"' sh \
	    $(BIN)/python -m pytest -m soak -s --timeout 0 tests/system $(ARGS)

BENCH ?= probe

bench: $(VENV)/.dev
	@$(BIN)/portquorum bench $(BENCH) $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m schemas.generate --check
	$(BIN)/python -m portquorum.inventory.reference --check
	$(BIN)/python -m portquorum.cli.completion_tree --check
	$(BIN)/python -m portquorum.web.api_reference --check

# Nothing is fetched while it is built, and nothing of others is in it.
site: $(VENV)/.dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --clean $(ARGS)

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# JSON Schemas and docs/topics.md, from the Structs and the topics; the schema and the page of the
# inventory's fields, from its Structs; the commands' tree for completion; the API's operations
generate: $(VENV)/.dev
	$(BIN)/python -m schemas.generate
	$(BIN)/python -m portquorum.inventory.reference
	$(BIN)/python -m portquorum.cli.completion_tree
	$(BIN)/python -m portquorum.web.api_reference

$(VENV)/.embedded: pyproject.toml
	@tools/venv $(VENV) embedded
	@touch $@

# With everything in it the environment is good for the demo too.
$(VENV)/.dev: pyproject.toml
	@tools/venv $(VENV) embedded,dev
	@touch $@ $(VENV)/.embedded
