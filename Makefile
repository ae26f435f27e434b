.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run build test test-release lint format release install uninstall sanitize-thread sanitize-address \
	simulate mutations fuzz soak layers attack bystander bench bench-micro bench-check certificates clean

SOURCES = Sources Tests Package.swift Fuzz/Package.swift Fuzz/Targets Fuzz/Sources/Entry \
	Simulation/Package.swift Simulation/Model Simulation/Command Benchmarks/Package.swift Benchmarks/Micro Benchmarks/Tenants

PREFIX = /usr/local
DIST = .build/dist
SECONDS = 60
SEEDS = 100000
MINUTES = 30
ROUNDS = 5

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' Makefile

run: ## Run a simulated inverter and the multiplexer in front of it (DEVICE_PORT, PLAIN_PORT, TLS_PORT)
	@scripts/run

build: ## Build for debugging
	@scripts/setup build
	swift build

test: ## Build and run all tests
	@scripts/test

lint: ## Check the style of the Swift code
	swift format lint --strict --parallel --recursive $(SOURCES)

format: ## Correct the style of the Swift code
	swift format format --in-place --parallel --recursive $(SOURCES)

release: ## Build the release binary, .build/dist/tcp-multiplexer
	@scripts/release

install: ## Install what "make release" built below PREFIX (/usr/local), with DESTDIR in front
	@scripts/install '$(DESTDIR)$(PREFIX)' '$(DIST)'

uninstall: ## Remove what "make install" has put there
	@scripts/install --remove '$(DESTDIR)$(PREFIX)'

test-release: release ## Run the end-to-end tests on the release binary
	@FILTER=EndToEndTests TCP_MULTIPLEXER='$(CURDIR)/.build/dist/tcp-multiplexer' scripts/test

sanitize-thread: ## Run all tests under the thread sanitizer
	@TSAN_OPTIONS=suppressions='$(CURDIR)/scripts/races.supp' \
		scripts/test --sanitize=thread --scratch-path .build-tsan

sanitize-address: ## Run all tests under the address sanitizer
	@LSAN_OPTIONS=suppressions='$(CURDIR)/scripts/leaks.supp':print_suppressions=0 \
		scripts/test --sanitize=address --scratch-path .build-asan

layers: ## Show which folders of Sources use which, and fail where one uses a folder above it
	@scripts/layers

simulate: ## Run SEEDS (100000) schedules of the simulation, or replay SEED
	@scripts/simulate '$(SEEDS)' '$(SEED)'

mutations: ## Plant each bug of Simulation/Mutations in a copy of the core; the simulation must find it
	@scripts/mutations '$(MUTATION)'

fuzz: ## Fuzz every target, or TARGET, for SECONDS (60) each, or replay INPUT
	@scripts/fuzz '$(SECONDS)' '$(TARGET)' '$(INPUT)'

soak: SEED = 1
soak: ## Run clients that verify everything beside a device that misbehaves for MINUTES (30), with SEED (1)
	@scripts/soak '$(MINUTES)' '$(SEED)'

attack: REQUESTS = 100000
attack: SEED = 1
attack: ## Send REQUESTS (100000) random and crafted requests on each wire, or on WIRE, with SEED (1)
	@scripts/attack '$(REQUESTS)' '$(WIRE)' '$(SEED)'

bystander: SECONDS = 20
bystander: ## Measure what a client gets beside others that ask what they should not, for SECONDS (20) each
	@scripts/bystander '$(SECONDS)'

bench: ## Measure beside a relay in C and other programs, ROUNDS (5) times; ONLY some workloads (Benchmarks/README.md)
	@scripts/bench --rounds '$(ROUNDS)' --only '$(ONLY)'

bench-micro: ## Measure single steps of a request's path: framing, message rules, the core
	@scripts/bench-micro

bench-check: ## Measure what Benchmarks/thresholds.toml names, ROUNDS (5) times; fail if it has become slower
	@scripts/bench --rounds '$(ROUNDS)' --check

certificates: ## Make development certificates in certs-dev/out
	@scripts/setup build
	@certs-dev/make-certs.sh

clean: ## Remove everything that was built or made
	rm -rf .build* certs-dev/out
