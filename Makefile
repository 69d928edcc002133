# `make` alone prints this file's help. Targets with two hashes after them are for people.
# ARGS goes to the program behind a target:  make test ARGS="-k inbox -x"

.DEFAULT_GOAL := help
.PHONY: help run demo test check format bench coverage pictures lock clean

install := sh requirements/install.sh
bin := .venv/bin

# Hilo is started again and again: what one start compiled is there for the next.
unexport PYTHONDONTWRITEBYTECODE

help: ## This list
	@echo "Hilo: an event-sourced ledger of a company's interactions"
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo "  Settings are environment variables (HILO_PORT=9000 make run): docs/settings.md"

run: ## Start Hilo here; prints the address and a sign-in link
	@$(install) run
	@exec $(bin)/hilo serve $(ARGS)

demo: ## Open a made-up company's ledger, in a folder of its own
	@$(install) run
	@exec $(bin)/hilo demo $(ARGS)

test: ## The full test suite, on SQLite and on a PostgreSQL of its own
	@$(install) dev
	@$(bin)/python -m pytest --numprocesses auto --dist worksteal $(ARGS)

check: ## Style, types and the direction of imports
	@$(install) dev
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy
	$(bin)/lint-imports --no-cache

format: ## Bring the code into the house style
	@$(install) dev
	$(bin)/ruff check --fix-only .
	$(bin)/ruff format .

bench: ## Measure against the budgets; fills benchmarks/RESULTS.md
	@$(install) dev
	@$(bin)/python -m benchmarks $(ARGS)

coverage: ## The suite again, with the lines that it does not reach
	@$(install) dev
	@$(bin)/coverage erase
	@$(bin)/coverage run -m pytest $(ARGS)
	@$(bin)/coverage combine --quiet
	@$(bin)/coverage report

pictures: ## Take the README's pictures anew
	@$(install) dev
	@HILO_PICTURES=1 $(bin)/python -m pytest tests/web/test_pictures.py

lock: ## Resolve requirements/*.txt anew (ARGS=--upgrade for the newest)
	@$(install) dev
	@sh requirements/lock.sh $(ARGS)

clean: ## Remove what `make` made; never touches a ledger
	rm -rf .venv build dist .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
