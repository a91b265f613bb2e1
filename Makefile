# Everything starts here; `make` alone lists what there is. Needs Python 3.11, make and git; brings the rest itself.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
DATA_DIR ?= data
STATIC_ROOT ?= staticfiles
ARGS ?=

# What is measured runs on the distribution's own Python, where there is one: it is compiled with a profile, as
# that of Docker's images is, and a fifth quicker than one compiled without.
BENCH_PYTHON ?= $(shell /usr/bin/python3.11 -c "import ensurepip" 2>/dev/null && echo /usr/bin/python3.11 || echo $(PYTHON))

BIN := .venv/bin
PIP_INSTALL := -m pip install --quiet --quiet --disable-pip-version-check --require-hashes
NPM := $(shell command -v npm || echo .node/bin/npm)
SOURCES := $(sort $(wildcard static/* static/*/* static/*/*/*))
MIGRATIONS := $(sort $(wildcard */migrations/*.py))

# One stamp for each database, so that a change of DATABASE_URL prepares the new one.
PREPARED = $(DATA_DIR)/.prepared-$(shell printf %s "$$DATABASE_URL" | cksum | cut -d' ' -f1)

# What `check --deploy` looks at: the console as it would run in production, with keys made up for this one look.
PRODUCTION = DEBUG=0 SITE_URL=https://console.example.com DATABASE_URL=sqlite://:memory: \
	SECRET_KEY="$$(head -c 64 /dev/urandom | base64 -w0)" ENCRYPTION_KEYS="check:$$(head -c 32 /dev/urandom | base64 -w0)"

# What the tests run beside the console: the AWS SDK for JavaScript, and an OpenID Connect provider.
CLIENTS := tests/clients/node_modules/.stamp

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help setup run test test-sqlite test-postgres test-clients chromium xmlsec1 nginx simplesamlphp check fix bar bench test-nightly fuzz mutate screenshots requirements clean

help:
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null \
		|| sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1: \2/p' $(MAKEFILE_LIST)

# For people

setup: $(STATIC_ROOT)/staticfiles.json $(PREPARED) ## Prepare everything that "make run" needs, and stop there

run: setup ## Start the console on http://127.0.0.1:8000 (HOST, PORT, DATABASE_URL, DATA_DIR from the environment)
	@exec $(BIN)/python manage.py serve

clean: ## Remove what make made; DATA_DIR, with the keys and the database, stays
	rm -rf .venv .node .pip-tools .bench .clients .mutation node_modules tests/clients/node_modules staticfiles test-results htmlcov .coverage .hypothesis .mypy_cache .pytest_cache \
		.ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# For programmers

test: test-sqlite test-postgres ## Run all tests on SQLite, then on PostgreSQL; ARGS="tests/api -k sigv4" narrows them

test-sqlite: .venv/.dev node_modules/.stamp $(CLIENTS) chromium xmlsec1 nginx ## Run the tests on SQLite only
	TEST_DATABASE=sqlite $(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

test-postgres: .venv/.dev node_modules/.stamp $(CLIENTS) chromium xmlsec1 nginx ## Run the tests on PostgreSQL only, on a server of their own
	TEST_DATABASE=postgres $(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

test-clients: .venv/.dev .clients/.stamp simplesamlphp ## Run the tests of the heavier programs, which need packages of their own: Ansible, SimpleSAMLphp, Caddy, Envoy, Traefik
	TEST_DATABASE=sqlite $(BIN)/python -m pytest -n 0 tests/api/test_ansible.py tests/api/test_proxies.py \
		tests/federation/test_simplesamlphp.py $(ARGS)

check: .venv/.dev node_modules/.stamp ## Everything that can be said without running the console: style, types, imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	find templates -name '*.html' -exec $(BIN)/djade --target-version 5.2 --check {} +
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(PRODUCTION) $(BIN)/python manage.py makemigrations --check --dry-run
	$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING

fix: .venv/.dev ## Let the formatters do what "make check" would complain about
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	find templates -name '*.html' -exec $(BIN)/djade --target-version 5.2 {} +

bar: .venv/.dev ## List which requirements of the security bar have a test; fails when an expected one has none
	@$(BIN)/python -m scripts.bar

bench: .venv/.dev .bench/.stamp setup ## Measure, one figure after the other; the engine beside its peers, which go into .bench
	@.bench/bin/python -m bench.engine
	@for script in $(filter-out bench/engine.py bench/cases.py,$(wildcard bench/[a-z]*.py)); do \
		.bench/bin/python -m "bench.$$(basename "$$script" .py)" || exit 1; done

test-nightly: .venv/.dev ## Compare the engine with the slow one on 10^5 requests (`make test` takes 10^4)
	HYPOTHESIS_PROFILE=nightly TEST_DATABASE=sqlite $(BIN)/python -m pytest -n 0 tests/policies/test_engine_reference.py $(ARGS)

fuzz: .bench/.stamp ## Ten minutes (MINUTES) of strange documents for the reader of policies
	@.bench/bin/python -m scripts.fuzz

mutate: .bench/.stamp ## Change the engine in many small ways and see that a test notices; ARGS="plan principals" narrows it
	@.bench/bin/python -m scripts.mutate $(ARGS)

screenshots: .venv/.dev setup chromium ## Take the pictures of the README, in light and in dark
	$(BIN)/python -m scripts.screenshots

requirements: .pip-tools/bin/pip-compile ## Pin everything again after a change of a requirements*.in
	@for name in requirements requirements-dev requirements-bench requirements-clients requirements-node; do \
		$< --quiet --generate-hashes --no-strip-extras --allow-unsafe --no-header --no-emit-index-url \
			--no-emit-find-links --no-emit-trusted-host -o $$name.txt $$name.in || exit 1; done

# What the targets above stand on

.venv/.runtime: requirements.txt
	@echo "Installing the Python packages into .venv …"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python $(PIP_INSTALL) -r requirements.txt
	@touch $@

.venv/.dev: requirements-dev.txt .venv/.runtime
	@echo "Installing the packages for tests and checks …"
	@$(BIN)/python $(PIP_INSTALL) -r requirements-dev.txt
	@touch $@

# Only where the machine has no npm of its own.
.node/bin/npm: requirements-node.txt
	@echo "This machine has no npm: installing one into .node …"
	@test -x .node/bin/python || $(PYTHON) -m venv .node
	@.node/bin/python $(PIP_INSTALL) -r requirements-node.txt
	@touch $@

.clients/.stamp: requirements-clients.txt
	@echo "Installing Ansible, Caddy, Envoy and Traefik into .clients …"
	@test -x .clients/bin/python || $(PYTHON) -m venv .clients
	@.clients/bin/python $(PIP_INSTALL) -r requirements-clients.txt
	@touch $@

# What only `make bench`, `make fuzz` and `make mutate` use, apart from everything else.
.bench/.stamp: requirements-bench.txt bench/peers/requirements.txt bench/peers/package-lock.json $(filter .node/%,$(NPM))
	@echo "Fetching what the engine is measured beside into .bench …"
	@test -x .bench/bin/python || $(BENCH_PYTHON) -m venv .bench
	@.bench/bin/python $(PIP_INSTALL) -r requirements-bench.txt
	@.bench/bin/python $(PIP_INSTALL) --no-deps -r bench/peers/requirements.txt
	@cp bench/peers/package.json bench/peers/package-lock.json .bench/
	@cd .bench && PATH="$(dir $(abspath $(NPM))):$$PATH" $(notdir $(NPM)) ci --no-audit --no-fund --loglevel=error
	@touch $@

.pip-tools/bin/pip-compile:
	$(PYTHON) -m venv .pip-tools
	.pip-tools/bin/python -m pip install --quiet --disable-pip-version-check pip-tools==7.6.2

node_modules/.stamp: package-lock.json .npmrc $(filter .node/%,$(NPM))
	@echo "Fetching the front-end files into node_modules …"
	@PATH="$(dir $(NPM)):$$PATH" $(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

$(CLIENTS): tests/clients/package-lock.json $(filter .node/%,$(NPM))
	@echo "Fetching what the tests run beside the console: the AWS SDK for JavaScript, an OpenID Connect provider …"
	@cd tests/clients && PATH="$(abspath $(dir $(NPM))):$$PATH" npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(STATIC_ROOT)/staticfiles.json: node_modules/.stamp .venv/.runtime iamconsole/settings.py $(SOURCES)
	@echo "Collecting the static files …"
	@DEBUG=0 $(BIN)/python manage.py collectstatic --noinput --clear --verbosity 0
	@touch $@

$(PREPARED): .venv/.runtime $(MIGRATIONS)
	@echo "Preparing keys and database …"
	@$(BIN)/python manage.py preparedata
	@touch $@

# Quiet when it is there; elsewhere the browser tests say why they are skipped.
chromium:
	@test -x "$${CHROMIUM:-/usr/bin/chromium}" || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-dejavu-core; \
		else echo "No Chromium: install Debian's package chromium, or name another one in CHROMIUM."; fi; }

# What pysaml2, the identity provider of the tests, signs with.
xmlsec1:
	@command -v xmlsec1 >/dev/null || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq xmlsec1; \
		else echo "No xmlsec1: install Debian's package xmlsec1; the tests with a real SAML provider are skipped."; fi; }

# A company's identity provider, with the PHP that it runs on.
simplesamlphp:
	@test -d /usr/share/simplesamlphp/www || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
				simplesamlphp php-cli php-xml php-mbstring; \
		else echo "No SimpleSAMLphp: install Debian's packages simplesamlphp, php-cli, php-xml and php-mbstring; its tests are skipped."; fi; }

# The same for the tests of forward authentication.
nginx:
	@test -x "$${NGINX:-/usr/sbin/nginx}" || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq nginx-light; \
		else echo "No nginx: install Debian's package nginx-light, or name another one in NGINX."; fi; }
