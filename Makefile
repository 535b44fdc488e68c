# One set of flags for everything that is built, checked and tested. Another set (-trimpath, cgo) would be another
# key in Go's build cache: everything would be compiled twice.
export CGO_ENABLED := 0

BIN         := beluga
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build ./beluga
	go build -o $(BIN) ./cmd/beluga

# go test shows the reason of a skipped test only with -v; the tests also write it to BELUGA_TEST_SKIPS.
test: ## run all tests; they start the MySQL and Kafka they need
	@skips=$$(mktemp); \
	BELUGA_TEST_SKIPS=$$skips go test -timeout 75m ./...; status=$$?; \
	if [ -s "$$skips" ]; then echo; echo 'SKIPPED:'; sed 's/^/  /' "$$skips"; fi; \
	rm -f "$$skips"; exit $$status

demo: build ## replicate a live MySQL and compare (KAFKA=embedded or KAFKA=host:port for the way through Kafka)
	BELUGA=$(abspath $(BIN)) KAFKA=$(KAFKA) testdata/demo/demo.sh

# A port below those that the kernel gives to outgoing connections, so that none of them holds it.
bench: build ## measure load and catch-up on this machine (ARGS: more flags of `beluga bench`)
	@trap 'testdata/servers/mysql.sh stop dist/bench-mysql' EXIT; \
	testdata/servers/mysql.sh start dist/bench-mysql 23990 && \
	./$(BIN) bench --from mysql://root@127.0.0.1:23990 $(ARGS)

lint: ## gofmt, go vet, staticcheck, the import rules; golangci-lint where it is installed
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "not formatted (make fmt):"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	go run $(STATICCHECK) ./...
	go test ./internal/arrows
	@if command -v golangci-lint >/dev/null; then golangci-lint run; else echo 'golangci-lint is not installed: its rules were not checked'; fi

fmt: ## format the code
	gofmt -w .

clean: ## remove the binary and the demo's lake; the servers' cache stays
	rm -rf $(BIN) dist lake-demo

.PHONY: help build test demo bench lint fmt clean
