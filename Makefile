# make test needs nothing but Go: it installs the servers that the tests start, and Node.js.
.PHONY: help test race lint build demo run fuzz clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' Makefile | expand -t 10

test: ## set the test servers up where they are missing, and run every test
	@scripts/services
	@scripts/test

# The packages whose goroutines meet each other; the others gain nothing by it.
RACE := ./pkg/auth ./pkg/config ./pkg/emulator/... ./pkg/gateway/... ./pkg/provider/... ./pkg/quota/... ./pkg/server/... ./pkg/store/...

race: ## run the concurrent packages' tests under the race detector (needs a C compiler)
	@scripts/services
	@scripts/test -race $(RACE)

lint: ## gofmt, go vet, staticcheck, tidy modules, nothing of this machine in the tree
	@scripts/lint

build: ## bin/gateway
	go build -trimpath -o bin/gateway ./cmd/gateway

demo: ## a throw-away gateway that answers one chat
	go run ./cmd/gateway demo

run: ## a local gateway on http://127.0.0.1:3000
	go run ./cmd/gateway

FUZZTIME ?= 10s
fuzz: ## every fuzz target for FUZZTIME (10s)
	@scripts/fuzz $(FUZZTIME)

clean: ## remove what was built
	rm -rf bin dist
