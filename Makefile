# AdmitOne. `make` alone tells what there is. Running needs Go, a C compiler and make; working on it
# also needs git, and what the tests need is installed by `make test` where it may be.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

GO ?= go
GOLANGCI_LINT := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GITLEAKS := $(GO) run github.com/zricethezav/gitleaks/v8@v8.30.1

# More flags for `go test`, for instance TESTFLAGS='-run Redeem -v'.
TESTFLAGS ?=
# What `make test` and `make race` test.
PACKAGES ?= ./...
# What `make bench` measures, and how long `make fuzz` stays with each parser.
BENCH ?= .
FUZZTIME ?= 10s
# Where `make screenshots` leaves its pictures.
SCREENSHOTS ?= $(CURDIR)/.github/screenshots
# Where `make pictures` leaves all pictures of all pages; git ignores bin.
PICTURES ?= $(CURDIR)/bin/pictures

.PHONY: help
help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/admitone
	@echo 'building bin/admitone (the first time takes a minute or two)'
	@CGO_ENABLED=1 $(GO) build -o bin/admitone ./cmd/admitone

.PHONY: run
run: build ## build and serve on http://localhost:8080
	@exec bin/admitone serve

.PHONY: generate
generate: ## write the generated files anew
	@$(GO) tool templ generate -path views -log-level warn
	@$(GO) generate ./...

.PHONY: lint
lint: ## look for badly formatted code, known mistakes and secrets
	@unformatted=$$("$$($(GO) env GOROOT)/bin/gofmt" -l $(wildcard */)); \
	if [ -n "$$unformatted" ]; then printf 'not formatted by gofmt:\n%s\n' "$$unformatted" >&2; exit 1; fi
	@$(GO) vet ./...
	@$(GOLANGCI_LINT) run ./...
	@$(GITLEAKS) git --no-banner --redact --verbose --log-level warn .

.PHONY: test
test: test-needs ## run every test
	@$(GO) test $(TESTFLAGS) $(PACKAGES)

.PHONY: race
race: ## run every test under the race detector
	@$(MAKE) test TESTFLAGS='-race -timeout 60m $(TESTFLAGS)'

.PHONY: test-needs
test-needs:
	@.ci/test-needs

# Each fuzz function needs a run of its own: go test takes only one at a time.
.PHONY: fuzz
fuzz: ## throw random input at every parser, FUZZTIME=10s each
	@{ grep -rnoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' $(wildcard */) || true; } | \
	while IFS=: read -r file _ name; do \
		name=$${name#func }; dir=$$(dirname "$$file"); \
		echo "$$dir $$name"; \
		$(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) "./$$dir" </dev/null; \
	done

.PHONY: bench
bench: ## measure, as ratios of one run
	@$(GO) test -run '^$$' -bench '$(BENCH)' $(TESTFLAGS) ./cmd/admitone

# Compares the files with themselves, before and after, so that it also holds with work uncommitted.
.PHONY: verify
verify: ## prove that generated files and go.mod are up to date
	@state() { git ls-files -z -co --exclude-standard | sort -z | xargs -0 sha256sum 2>/dev/null || true; }; \
	before=$$(state); $(MAKE) generate; after=$$(state); \
	if [ "$$before" != "$$after" ]; then \
		echo 'make generate changed these files; commit them:' >&2; \
		diff <(echo "$$before") <(echo "$$after") | awk '/^[<>]/ { print "  " $$3 }' | sort -u >&2; \
		exit 1; \
	fi
	@$(GO) mod tidy -diff
	@$(GO) mod verify

.PHONY: screenshots
screenshots: test-needs ## take the README's pictures from a real browser
	@mkdir -p '$(SCREENSHOTS)'
	@ADMITONE_SCREENSHOTS='$(SCREENSHOTS)' $(GO) test -count=1 -run '^TestBrowserHostAndGuest$$' $(TESTFLAGS) ./cmd/admitone

.PHONY: pictures
pictures: test-needs ## take a picture of every page in every look, into PICTURES=bin/pictures
	@mkdir -p '$(PICTURES)'
	@ADMITONE_SCREENSHOTS='$(PICTURES)' $(GO) test -count=1 -run '^TestBrowser' $(TESTFLAGS) ./cmd/admitone
