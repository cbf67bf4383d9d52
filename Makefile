# `make up` and `make test` set up everything they need, from nothing.
PYTHON ?= python3
RUN := .venv/bin/python
STACK := $(RUN) -m deploy.stack
# Relative as a target: the folder of the project may have spaces in its name.
ORACLES := deploy/.state/oracles
FOUND := "$(CURDIR)"/$(ORACLES)
ORIGINALS := NODE_EXPORTER=$(FOUND)/usr/bin/prometheus-node-exporter \
	NODE_EXPORTER_SID=$(FOUND)/sid/usr/bin/prometheus-node-exporter \
	NGINX_EXPORTER=$(FOUND)/usr/bin/prometheus-nginx-exporter \
	NGINX_EXPORTER_SID=$(FOUND)/sid/usr/bin/prometheus-nginx-exporter \
	NGINX=$(FOUND)/usr/sbin/nginx PHP_FPM=$(FOUND)/php-fpm

help: ## this list
	@sed -n 's/^\([a-z0-9]*\):.*## /\1\t/p' Makefile | expand -t 13

.PHONY: help up down backup restore logs status local test unit e2e lint types fmt bench chaos screenshots lock clean

up: .venv/ready ## start the whole stack and print where it is
	$(STACK) up

down: .venv/ready ## stop it; the data stays
	$(STACK) down

logs: .venv/ready ## the end of every container's log
	$(STACK) logs

status: .venv/ready ## what runs and where
	$(STACK) status

backup: .venv/ready ## the site into one file (TO=folder KEEP=number QUIET=1)
	@$(STACK) backup -- $(if $(TO),--to="$$TO") $(if $(KEEP),--keep="$$KEEP") \
	  $(if $(QUIET),--quiet)

restore: .venv/ready ## put it back (FROM=file or folder, YES=1 over what is there, CHECK=1)
	@$(STACK) restore -- $(if $(FROM),"$$FROM") $(if $(YES),--yes) $(if $(CHECK),--check)

local: .venv/ready ## the programs as plain processes, without Docker
	$(STACK) local

test: lint types e2e unit ## everything that CI runs (e2e leaves images that unit uses)

unit: .venv/ready $(ORACLES)/ready ## tests without containers of the stack
	$(STACK) engine
	$(ORIGINALS) .venv/bin/pytest -n 2 -m "not e2e and not docker"
	$(ORIGINALS) .venv/bin/pytest -m "docker and not e2e"

e2e: .venv/ready $(ORACLES)/ready ## the whole stack in real containers
	$(ORIGINALS) .venv/bin/pytest -m "e2e and not swarm" tests/e2e
	.venv/bin/pytest -m swarm tests/e2e

lint: .venv/ready
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/lint-imports

types: .venv/ready
	.venv/bin/mypy

fmt: .venv/ready
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

bench: .venv/ready $(ORACLES)/ready ## side by side with the originals
	$(ORIGINALS) $(RUN) -m benchmarks --json deploy/.state/bench.json

chaos: .venv/ready ## an hour of kills, faults and outages; prints what became of every line
	$(STACK) engine
	$(RUN) -m tests.chaos --long --markdown

screenshots: .venv/ready ## take the pictures in docs/images anew (ten minutes)
	$(RUN) -m tests.browser

lock: .venv/ready ## write requirements/*.txt anew from pyproject.toml
	./requirements/lock

clean: ## down, and what `up` can make again goes: .venv and deploy/.state
	if [ -e .venv/ready ]; then $(STACK) down; fi
	rm -rf .venv deploy/.state
	@echo "==> data, passwords, settings and backups are still there"

.venv/ready: requirements/dev.txt deploy/venv
	./deploy/venv "$(PYTHON)"

# Debian's own exporters, to compare with: unpacked, never installed.
$(ORACLES)/ready: .venv/ready deploy/oracles
	./deploy/oracles $(ORACLES)
