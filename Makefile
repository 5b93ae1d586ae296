# SPDX-License-Identifier: GPL-3.0-or-later
# The two commands: `make demo` and `make test`. `make` alone lists the rest.
.DEFAULT_GOAL := help
.PHONY: help venv demo demo-down test lint unit sanity offline package docs browser platform molecule changelog reference fuzz bench refresh clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\): *## */  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

demo: ## Build the example estate on hosts of its own, verify it, leave it running (root)
	@scripts/demo.sh

demo-down: ## Remove every trace of the demo's hosts (root)
	@scripts/demo.sh down

test: ## Everything: linters, units, sanity, offline use, the platform on real hosts (root)
	@scripts/test.sh

lint: ## ansible-lint, yamllint, ruff, mypy
	@scripts/test.sh lint

unit: ## Unit tests with the oldest and the newest ansible-core
	@scripts/test.sh unit

sanity: ## ansible-test sanity with the oldest and the newest ansible-core
	@scripts/test.sh sanity

offline: ## Judge and render the example estate without hosts
	@scripts/test.sh offline

package: ## The built collection: Galaxy's importer, execution environments, docsite, empty environments
	@scripts/test.sh package

changelog: ## Move the changelog's fragments into the version of galaxy.yml
	@scripts/changelog.sh

docs: ## Build the docsite of the collection in build/docs
	@scripts/docs.sh

browser: ## The pages for tenants in Chromium (installs it as root where it is missing)
	@scripts/test.sh browser

platform: ## molecule/platform: the behaviours on real hosts (root)
	@scripts/test.sh platform

molecule: platform

reference: ## Write docs/language.md and docs/schema/ of the collection anew, from its schema
	@.venv/bin/python scripts/reference.py

fuzz: ## Spoil estates for ten minutes: no traceback, no hang, every fault at its place
	@scripts/fuzz.sh

bench: ## Time and memory, compared with targets, on an idle machine (PARTS="engine" for some parts)
	@scripts/bench.sh $(PARTS)

refresh: ## Take the newest versions of all Python packages, if the tests pass with them (root; PARTS="lint unit" for some tests)
	@scripts/refresh.sh $(PARTS)

venv: ## The Python environment alone (.venv)
	@scripts/venv.sh test

clean: ## Remove what the commands above made in this folder; running hosts are left alone
	@rm -rf .venv .venv-newest .venv-package .cache build .ansible .mypy_cache .ruff_cache .hypothesis .coverage
