# Fargo. `make` alone says what there is to do.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)

# Version control stamps fail in a checkout owned by someone else; the version
# is stamped by -ldflags instead.
export GOFLAGS += -buildvcs=false

# Where the AWS provider of Terraform is, if it is here: no Debian package has it.
export TERRAFORM_MIRROR ?= /usr/local/share/terraform/plugins

# Packages whose tests need root, the kernel and real containers.
e2e_packages = $(shell grep -rl --include='*_test.go' '^//go:build e2e' . | xargs -r -n1 dirname | sort -u)

## run: build everything and start Fargo in the foreground
.PHONY: run
run: build
	bin/fargo up

## build: bin/fargo, with containerd and runc inside
.PHONY: build
build: setup
	containerd/carried/build
	CGO_ENABLED=0 go build -tags carried -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/fargo ./cmd/fargo

## test: all that CI runs: lint, unit tests with the race detector, and end to end (as root)
.PHONY: test
test: lint unit e2e

## unit: the tests that need neither root nor containers
.PHONY: unit
unit: setup
	go test -race ./...
	go -C containerd/carried/libseccomp test ./...
	go -C containerd/carried/pins test ./shim

## e2e: the tests that need root and real containers, one package after another
.PHONY: e2e
e2e: build example-archive build/docker bin/session-manager-plugin
	@command -v terraform >/dev/null && test -d '$(TERRAFORM_MIRROR)/registry.terraform.io/hashicorp/aws' || \
		echo 'not run: TestTerraform, for want of terraform or of its AWS provider in $(TERRAFORM_MIRROR)'
	go test -tags 'e2e carried' -count=1 -p 1 -timeout 60m $(e2e_packages)

## simulate: all seeds that ever found something, and fresh ones; ROUNDS=n for how many
ROUNDS ?= 30
.PHONY: simulate
simulate: setup
	go test -count=1 -timeout 0 -run '^TestSimulation$$' ./sim -long -rounds $(ROUNDS)

## chaos: attack Fargo for ten minutes (as root): kill, damage, fill, craft; CHAOS=30m for longer, SEED=n for the same again
CHAOS ?= 10m
SEED ?= 0
.PHONY: chaos
chaos: build example-archive
	go test -tags 'e2e carried chaos' -count=1 -timeout 0 -v -run '^TestChaos$$' ./e2e -chaos.for=$(CHAOS) -chaos.seed=$(SEED)

## rollouts: TestRollout with ROLLOUTS deployments (30) in place of CI's few (as root)
ROLLOUTS ?= 30
.PHONY: rollouts
rollouts: build example-archive
	go test -tags 'e2e carried' -count=1 -timeout 0 -v -run '^TestRollout$$' ./e2e -rollouts=$(ROLLOUTS)

## bench: the numbers of docs/benchmarks.md, as Markdown (as root, 5 minutes; more on a busy machine)
.PHONY: bench
bench: build example-archive bin/session-manager-plugin
	@.ci/setup bench
	go build -o build/bench ./bench
	go test -c -o build/sim.test ./sim
	go test -c -o build/policy.test ./policy
	go test -c -o build/metrics.test ./metrics
	go test -c -o build/balancermetrics.test ./balancer/metrics
	go test -tags e2e -c -o build/kernel.test ./kernel
	build/bench

## bench-packages: the benchmarks of single packages
.PHONY: bench-packages
bench-packages: setup
	go test -run '^$$' -bench . -benchmem ./...

## lint: what a reviewer should not have to say
.PHONY: lint
lint: setup bin/golangci-lint
	bin/golangci-lint run

## fmt: format as lint wants it
.PHONY: fmt
fmt: bin/golangci-lint
	bin/golangci-lint fmt

bin/golangci-lint: tools/go.mod
	go -C tools build -trimpath -o ../bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint

# AWS's plugin, which sessions of ECS Exec are tested with.
bin/session-manager-plugin: tools/session-manager-plugin/go.mod
	go -C tools/session-manager-plugin build -trimpath -o ../../bin/session-manager-plugin github.com/aws/session-manager-plugin/src/sessionmanagerplugin-main

## fuzz: damage requests of every operation, both ends of sessions of ECS Exec, policies, and what users write of metrics and schedules, for FUZZTIME (1m) each
FUZZTIME ?= 1m
.PHONY: fuzz
fuzz:
	go test -run '^$$' -fuzz FuzzDamagedRequests -fuzztime $(FUZZTIME) ./cmd/fargo
	for target in FuzzParseMessage FuzzAgent FuzzClient; do \
		go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x ./session; \
	done
	for target in FuzzParse FuzzDecide; do \
		go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) ./policy; \
	done
	go test -run '^$$' -fuzz FuzzCBOR -fuzztime $(FUZZTIME) ./aws/protocol
	go test -run '^$$' -fuzz FuzzParse -fuzztime $(FUZZTIME) ./metrics/expression
	go test -run '^$$' -fuzz FuzzAlarmRule -fuzztime $(FUZZTIME) ./plan
	go test -run '^$$' -fuzz FuzzPattern -fuzztime $(FUZZTIME) ./logs/filter
	go test -run '^$$' -fuzz FuzzParse -fuzztime $(FUZZTIME) ./schedule

## generate: the AWS packages from their models, docs/coverage.md, docs/licenses.md, docs/processes.svg
.PHONY: generate
generate:
	go run ./aws/gen
	go run ./cmd/fargo coverage >docs/coverage.md.new
	mv docs/coverage.md.new docs/coverage.md
	go run ./cmd/licenses
	go -C tools run ./diagram <docs/processes.dot >docs/processes.svg.new
	mv docs/processes.svg.new docs/processes.svg

## example-image: build the example service and push it, as myapp/api:TAG, to the Fargo that is up
TAG ?= v1.3.0
REPOSITORY ?= myapp/api
.PHONY: example-image
example-image: setup
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(TAG)' -o build/api ./examples/api
	@eval "$$(bin/fargo env)"; \
	aws ecr describe-repositories --repository-names $(REPOSITORY) >/dev/null 2>&1 || \
		aws ecr create-repository --repository-name $(REPOSITORY) >/dev/null; \
	aws ecr get-login-password | SSL_CERT_FILE="$${AWS_CA_BUNDLE:-}" go run ./examples/api/image -binary build/api -tag $(TAG) \
		-repository "$${AWS_ENDPOINT_URL#*://}/$(REPOSITORY)" -password-stdin

## example-archive: bin/example-image.tar, the same image as an OCI archive
.PHONY: example-archive
example-archive: setup
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=v1.3.0' -o build/api ./examples/api
	go run ./examples/api/image -binary build/api -tag v1.3.0 -o bin/example-image.tar

build/docker: setup
	.ci/docker

## setup: install the Debian packages that are missing
.PHONY: setup
setup:
	@.ci/setup

## clean: remove what was built
.PHONY: clean
clean:
	rm -rf bin build containerd/carried/bundle

.PHONY: help
help:
	@sed -n 's/^## \([a-z0-9-]*\): /\1\t/p' $(MAKEFILE_LIST) | expand -t 16
