# `make` or `make help` lists the targets.
SHELL := /bin/bash
MODERATOR_TESTDATA ?= $(abspath ../shared/testdata)
export MODERATOR_TESTDATA

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

.PHONY: setup
setup: ## install what is missing: libvips, PostgreSQL with pgvector, ONNX Runtime
	@./scripts/setup.sh

BIN ?= bin

.PHONY: build
build: setup ## build bin/moderator and bin/flagctl, with the library that they need beside them
	@go build -tags disable_grpc_modules -ldflags "-X moderator/internal/version.Commit=$$(git rev-parse --short HEAD 2>/dev/null || echo unknown)" -o $(BIN)/ ./cmd/...
	@cp -f --link .cache/onnxruntime/libonnxruntime.so.1 $(BIN)/ 2>/dev/null || cp -f .cache/onnxruntime/libonnxruntime.so.1 $(BIN)/

.PHONY: demo
demo: build ## the main job end to end on the embedded default; IMAGES=DIR takes your photographs
	@go run ./tools/demo $(if $(IMAGES),--images '$(IMAGES)')

.PHONY: demo-hma
demo-hma: build ## HMA's HTTP API on the embedded default, call by call
	@go run ./tools/demo-hma

.PHONY: run
run: build ## start the embedded default and keep it running
	@bin/moderator run

.PHONY: test
test: setup ## all tests, with the race detector
	@go test -race -timeout 15m ./...

.PHONY: lint
lint: setup ## gofumpt, go vet, staticcheck
	@./scripts/lint.sh

.PHONY: sanitize
sanitize: setup ## all C under AddressSanitizer and UndefinedBehaviorSanitizer
	@./scripts/sanitize.sh

.PHONY: fuzz
fuzz: setup ## every fuzz target for FUZZTIME=10m
	@FUZZTIME=$(or $(FUZZTIME),10m) ./scripts/fuzz.sh

.PHONY: quality
quality: $(if $(LIVE),build,setup) ## measure detection quality; IMAGES=DIR, MODEL=DIR, LIVE=1 also in a running moderator, FLAGS=20000 in a large library, DISTRACTORS=DIR
	@go run ./tools/quality $(if $(LIVE),--live) $(if $(IMAGES),--images '$(IMAGES)') $(if $(MODEL),--model '$(MODEL)') \
		$(if $(FLAGS),--flags $(FLAGS)) $(if $(DISTRACTORS),--distractors '$(DISTRACTORS)')

.PHONY: docs
docs: setup ## write docs/configuration.md from the code
	@go test ./cmd/moderator -run TestConfigurationIsDocumented -update

.PHONY: hostile
hostile: build ## publish hostile files and those of FILES=DIR to a running moderator
	@go run ./tools/hostile --bin bin $(if $(FILES),--files '$(FILES)')

.PHONY: chaos
chaos: build ## kill moderators, broker and database while uploads flow; UPLOADS=5000 KILLS=50 SEED=1
	@go run ./tools/chaos --bin bin --uploads $(or $(UPLOADS),5000) --kills $(or $(KILLS),50) --seed $(or $(SEED),1)

.PHONY: gpu-check
gpu-check: build ## compare a provider with the CPU; PROVIDER=webgpu|cuda|tensorrt, without one what auto finds, which must not be the CPU
	@./scripts/gpu-check.sh $(PROVIDER)

.PHONY: bench
bench: build ## measure against the ceilings of this machine and against rivals; SIZES=10000,200000
	@go run ./tools/bench --bin bin $(if $(SIZES),--sizes $(SIZES)) $(BENCHFLAGS)

.PHONY: e2e
e2e: build ## drive the console in headless Chromium; screenshots in .cache/e2e/
	@go run ./tools/e2e --bin bin

.PHONY: examples
examples: setup ## run examples/ in Go, Node and Python against a real moderator; installs their NATS clients
	@npm ci --prefix examples/node --ignore-scripts --no-audit --no-fund --loglevel=error
	@python3 -m venv examples/python/.venv && examples/python/.venv/bin/pip install --quiet --disable-pip-version-check -r examples/python/requirements.txt
	@go test -count=1 -v -run TestExamples ./cmd/moderator

.PHONY: k8s-check
k8s-check: ## build the Kubernetes overlays and the Helm chart, decode every object strictly, and compare them
	@go test ./deploy/k8s

.PHONY: image-check
image-check: setup ## run the Dockerfile's steps in a debootstrap root (as root); ROOT=DIR takes yours
	@./scripts/image-check.sh $(ROOT)

.PHONY: dist
dist: setup ## make release tarballs and Debian packages in dist/; VERSION=1.0.0
	@./scripts/dist.sh

.PHONY: deb-check
deb-check: ## install dist/*.deb in a debootstrap root (as root) and run moderator check there
	@./scripts/deb-check.sh
