# Shortcuts; each is one or two commands that you can as well type.
.DEFAULT_GOAL := help
# The same as .ci/run's, so that both share one build cache.
export GOTOOLCHAIN := local
export GOFLAGS ?= -buildvcs=false
export GOGC ?= 400
export GOMEMLIMIT ?= 6GiB

TOOLS := bin/tools

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## the two programs, into bin/
	go build -o bin/ ./cmd/patchtide ./cmd/patchtide-lab

.PHONY: demo
demo: ## a whole wave in the laboratory: Temporal, its UI and simulated AWS in one process
	@command -v go >/dev/null || { echo "Go is missing: https://go.dev/dl" >&2; exit 1; }
	@echo "building the laboratory; the first time takes minutes, for a Temporal server is built with it"
	go build -o bin/ ./cmd/patchtide ./cmd/patchtide-lab
	bin/patchtide-lab demo

.PHONY: test
test: ## every test; what they need and this machine lacks (Chromium, awscli) is installed before, on Debian
	.ci/run test

.PHONY: sweep
sweep: ## every case of the fault sweep: each AWS call of a wave in trouble, once; and every doubt about AWS in each trouble
	PATCHTIDE_DOUBTS=all go test ./workflows/wave -run '^TestAWaveEndsWellWhateverAWSDoes$$' -v -timeout 60m
	for part in 1 2 3 4; do \
	  PATCHTIDE_SWEEP=$$part/4 go test ./internal/faultsweep -run '^TestFaultSweep$$' -v -timeout 60m || exit 1; done

.PHONY: property
property: ## 2,000 waves drawn at random, and what the pure decisions promise
	go test ./internal/patch -run '^TestProperty' -count=1 -rapid.checks=100000
	go test ./internal/property -run '^TestProperty' -count=1 -v -timeout 90m -rapid.checks=1000 -rapid.seed=$$(date +%s)

.PHONY: race
race: ## the race detector over every saga, of which .ci/run plays those in which most happens at once
	PATCHTIDE_RACE_ALL=1 .ci/run race

.PHONY: crash
crash: ## kill workers and the Temporal server 30 times, mid-wave
	go build -o bin/ ./cmd/patchtide-lab
	PATCHTIDE_LAB=$(CURDIR)/bin/patchtide-lab PATCHTIDE_CRASHES=30 \
	  go test -v -count=1 -timeout 30m -run TestCrash ./cmd/patchtide-lab

.PHONY: large
large: ## the largest waves there may be, on a real Temporal server, and how large their histories are
	PATCHTIDE_LARGE=1 go test -v -count=1 -timeout 60m -run '^TestLarge' ./cmd/patchtide-lab
	PATCHTIDE_LARGE=1 go test -v -count=1 -timeout 20m -run '^TestAHundredATenthAtOnce$$' ./workflows/group

.PHONY: screenshots
screenshots: ## the README's pictures of the Temporal UI, taken anew by the test that uses it
	rm -rf bin/screenshots
	PATCHTIDE_SCREENSHOTS=$(CURDIR)/bin/screenshots \
	  go test ./cmd/patchtide-lab -run '^TestAnOperatorAtTheTemporalUI$$' -count=1 -v
	for name in start awaiting-approval on-hold view-on-hold; do \
	  cp bin/screenshots/[0-9][0-9]-$$name.png docs/images/temporal-ui-$$name.png; done

# The folder of a release is recorded once; "next", what is not released yet, as often as needed.
RELEASE ?= next

.PHONY: fixtures
fixtures: ## histories of this code for the replay test: four minutes; RELEASE=1.2.0 names those of a release
	@test "$(RELEASE)" = next || ! test -e workflows/testdata/histories/$(RELEASE) || { \
	  echo "the histories of $(RELEASE) are there already:" \
	    "those of a release are never recorded anew (docs/decisions/0005)" >&2; exit 1; }
	rm -rf workflows/testdata/histories/$(RELEASE)
	mkdir -p workflows/testdata/histories/$(RELEASE)
	go run ./cmd/patchtide-lab record --dir workflows/testdata/histories/$(RELEASE)
	@test "$(RELEASE)" != next || go test ./internal/wavelog -run '^TestEventsOfRecordedWaves$$' -update # what is told of them

.PHONY: fmt
fmt: $(TOOLS)/gofumpt ## format the code
	$(TOOLS)/gofumpt -w .

.PHONY: lint
lint: ## the linters, with the import rules
	.ci/run lint determinism links

.PHONY: ci
ci: ## all that CI does, in its order
	.ci/run

.PHONY: image
image: ## the container images of the worker and of the laboratory
	docker build --target patchtide --tag patchtide:dev .
	docker build --target patchtide-lab --tag patchtide-lab:dev .

.PHONY: clean
clean: ## remove bin/
	rm -rf bin

$(TOOLS)/gofumpt: tools/go.mod tools/go.sum
	.ci/run tools
	@touch $(TOOLS)/gofumpt
