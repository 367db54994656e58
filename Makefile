# The same names locally and in CI. `make` alone lists them.
#
#   make PYTHON=python3.12 ...   the interpreter to build .venv with (3.11 to 3.13)
#   DATASTORE_HOME, DATASTORE_KEYS   where the store keeps its state and its keys (default .datastore/ here)

SHELL := /bin/sh
.SHELLFLAGS := -eu -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Nothing phones home.
export DO_NOT_TRACK := 1
export DAGSTER_DISABLE_TELEMETRY := yes
export GX_ANALYTICS_ENABLED := false
# Compiled anew in every process, Great Expectations alone takes twice as long to import.
unexport PYTHONDONTWRITEBYTECODE
# The machine's own certificates, since hospital networks often bring theirs; pip does so by itself.
export UV_SYSTEM_CERTS := true

BIN := .venv/bin
SUPPORTED := 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))'
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3; do \
	$$name -c $(SUPPORTED) 2>/dev/null && echo $$name && break; done)

# Two stamps say what .venv holds. Packages: this lock, in this folder (scripts name it). Project: this pyproject.
LOCKED := .venv/packages-$(shell (pwd; cat requirements.lock) | cksum | tr ' ' '-')
INSTALLED := .venv/project-$(shell cksum <pyproject.toml | tr ' ' '-')

# dbt wants a store even to read the models: an empty one, aside, for as long as the command runs.
ASIDE = aside=$$(mktemp -d); trap 'rm -rf "$$aside"' EXIT; export DATASTORE_HOME="$$aside" DATASTORE_KEYS="$$aside/keys" \
	DBT_TARGET_PATH="$$aside/target" DBT_LOG_PATH="$$aside/logs";

# What sqlfluff reads: every model and every test that is no macro, but two kinds. A model whose only line is a call of a
# macro has nothing of its own to judge, for what a macro writes is passed over; sqlfluff reads it for up to 20 seconds.
# And the dictionary, which is a loop over all that the project describes: sqlfluff cannot follow a loop with an `else`.
SQL = $(shell for file in $$(find dbt_project/models dbt_project/tests -name '*.sql' ! -path '*/generic/*' | sort); do \
	test $$(wc -l <$$file) = 1 && grep -Exq "[{][{] [a-z_]+[(]'[a-z_]+'[)] [}][}]" $$file || echo $$file; \
	done | grep -v /records/dictionary.sql)
SQLFLUFF := $(BIN)/python .ci/lint_sql.py

.PHONY: help
help: ## this list
	@echo 'make TARGET, where TARGET is one of'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1@\2/p' Makefile | awk -F@ '{ printf "%-14s %s\n", $$1, $$2 }'

.PHONY: refresh
refresh: setup ## synthetic England in, gates, a published release out; prints where and what to try next
	@$(BIN)/python -m pipelines.first_run

.PHONY: test
test: setup ## every test, in two processes; the real files are used where they are found
	@$(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder

.PHONY: dev
dev: setup ## the Dagster UI on the same state
	@$(BIN)/datastore dev

.PHONY: check
check: setup ## ruff, mypy, the layers, sqlfluff, dbt parse: everything but the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	@$(MAKE) --no-print-directory check-sql
	@echo 'All checks passed.'

# A file that sqlfluff passes over is a warning of it, not an error: here it is one.
.PHONY: check-sql
check-sql: setup ## only the SQL: dbt parse without a warning, then sqlfluff
	@$(ASIDE) $(BIN)/dbt --quiet --warn-error parse --project-dir dbt_project --profiles-dir dbt_project; \
		failed=0; $(SQLFLUFF) lint --processes 2 --disable-progress-bar $(SQL) >"$$aside/said" 2>&1 || failed=1; \
		cat "$$aside/said"; ! grep '^WARNING' "$$aside/said" >/dev/null || failed=1; exit $$failed

.PHONY: fmt
fmt: setup ## put Python and SQL in their form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	@$(ASIDE) $(SQLFLUFF) fix --disable-progress-bar $(SQL)

.PHONY: test-real
test-real: setup ## only the tests on the publishers' real files: make test-real [FEEDS=folder]
	@$(if $(FEEDS),DATASTORE_REAL_FEEDS="$(FEEDS)") $(BIN)/python -m pytest -m real_feeds

.PHONY: test-long
test-long: setup ## the laws that cost most, on more examples than make test has time for (an hour or so)
	@DATASTORE_EXAMPLES=50 DATASTORE_SEQUENCES=10 DATASTORE_CRASH_POINTS=20 DATASTORE_EVERY_SABOTAGE=1 \
		$(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder tests/properties/test_person_reading.py \
		tests/properties/test_person_marts.py tests/integration/test_delta_equals_full.py \
		tests/integration/test_the_end.py tests/security/test_crash.py tests/security/test_end_crash.py

.PHONY: test-crash
test-crash: setup ## kill -9 at twenty points of receive, of refresh and of an end (make test has fewer)
	@DATASTORE_CRASH_POINTS=20 $(BIN)/python -m pytest tests/security/test_crash.py tests/security/test_end_crash.py

# Peers in a Python of their own, at the versions of their file; made when that file changed.
PEERS := benchmarks/.venv/peers-$(shell cksum <benchmarks/requirements-peers.txt | tr ' ' '-')
BENCH = @$(BIN)/python -m benchmarks $(if $(WORK),--work "$(WORK)")

.PHONY: bench
bench: setup $(PEERS) ## what a tenth of a national year costs, beside pandas and Spark: make bench [WORK=folder]
	$(BENCH) --scale tenth

.PHONY: bench-national
bench-national: setup ## the same of a national year: an hour or more, 60 GB of disk
	$(BENCH) --scale national --without peers

$(PEERS):
	@rm -rf benchmarks/.venv
	@$(BIN)/python -m venv benchmarks/.venv
	@$(BIN)/uv pip install --quiet --python benchmarks/.venv/bin/python -r benchmarks/requirements-peers.txt
	@touch $@

.PHONY: docs
docs: setup ## write docs/generated anew
	@$(BIN)/datastore docs

.PHONY: new-feed
new-feed: setup ## a new feed's files: make new-feed FEED=subject_collection AGREEMENT=id
	@$(if $(and $(FEED),$(AGREEMENT)),,echo 'say which: make new-feed FEED=subject_collection AGREEMENT=id' >&2; exit 2)
	@$(BIN)/datastore new-feed "$(FEED)" --agreement "$(AGREEMENT)"

.PHONY: lock
lock: setup ## requirements.in -> requirements.lock (needs the package index)
	@$(BIN)/uv pip compile --quiet --universal --no-strip-extras --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header requirements.in -o requirements.lock

.PHONY: clean
clean: ## remove .venv and what tools left behind; the store's state stays
	rm -rf .venv benchmarks/.venv .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: setup
setup: $(INSTALLED) ## .venv at the versions of requirements.lock; does nothing, without network, once done

$(LOCKED):
	@$(or $(PYTHON),false) -c $(SUPPORTED) 2>/dev/null || { \
		echo 'make: Python 3.11, 3.12 or 3.13 with its venv module is needed (on Debian and Ubuntu: python3-venv).' >&2; \
		echo 'make: tried $(or $(PYTHON),python3.13 python3.12 python3.11 python3); name another with make PYTHON=...' >&2; \
		exit 1; }
	@echo "Setting up .venv with $$($(PYTHON) --version) ..."
	@rm -rf .venv
	@$(PYTHON) -m venv .venv
	@sed -n '/^uv==/,/# via/p' requirements.lock >.venv/uv.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock || { \
		echo 'uv could not install the lock; pip does, more slowly ...' >&2; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock; }
	@touch $@

$(INSTALLED): $(LOCKED)
	@$(BIN)/uv pip install --quiet --offline --python $(BIN)/python --no-build-isolation --no-deps --editable .
	@touch $@
