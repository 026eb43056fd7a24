# make test needs nothing but Go: it installs the servers that the tests start.
.PHONY: help proof test vercel race chaos agents sdk-latest lint build release demo run fuzz screenshots clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' Makefile | expand -t 14

test: ## set the test servers up where they are missing, and run every test
	@scripts/services
	@scripts/test

vercel: ## build with the real Vercel CLI, and compare both deployments with the binary
	@scripts/services
	go test -count=1 -v ./tests/vercel

# The packages whose goroutines meet each other; the others gain nothing by it.
RACE := ./cmd/gateway ./pkg/auth ./pkg/config ./internal/emulator/... ./pkg/gateway/... ./pkg/provider/... ./pkg/quota/... ./pkg/server/... ./pkg/store/...

race: ## run the concurrent packages' tests under the race detector (needs a C compiler)
	@scripts/services
	@scripts/test -race $(RACE)

CHAOS_TIME ?= 20s
chaos: ## databases and processes fail under load, for CHAOS_TIME (20s) each; make test has a short form
	@scripts/services
	CHAOS_TIME=$(CHAOS_TIME) go test -count=1 -v ./tests/chaos

sdk-latest: ## raise the SDKs of tests/sdk to the newest versions, and run their suites
	@scripts/sdk-latest

agents: ## coding agents, the real programs (1.6 GB from npm), finish a tool round trip with models of six providers
	AGENTS=1 go test -count=1 -v ./tests/agents

lint: ## gofmt, go vet, staticcheck, tidy modules, nothing of this machine in the tree
	@scripts/lint

build: ## bin/gateway
	go build -trimpath -o bin/gateway ./cmd/gateway

release: ## binaries of all platforms in dist/, with checksums and an SBOM each
	@scripts/release

demo: ## a throw-away gateway that answers one chat
	go run ./cmd/gateway demo

run: ## a local gateway on http://127.0.0.1:3000
	go run ./cmd/gateway

FUZZTIME ?= 10s
fuzz: ## every fuzz target for FUZZTIME (10s)
	@scripts/fuzz $(FUZZTIME)

screenshots: ## the README's pictures of the dashboard into docs/
	@scripts/dashboard docs

PROOF_CALLS ?= 10000
proof: ## spend against limits from many callers at several processes, with failures and a kill -9, and print what was spent
	@PROOF_CALLS=$(PROOF_CALLS) go test -count=1 -v -timeout 30m ./bench/quotaproof

clean: ## remove what was built
	rm -rf bin dist
