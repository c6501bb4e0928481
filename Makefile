# community-operator. "make help" explains every target.
SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/community-operator
TOOLS := $(CACHE)/bin/tools
CLUSTER_KUBECONFIG := $(CACHE)/cluster/kubeconfig
# An existing cluster: make demo KUBECONFIG=~/.kube/config
KUBECONFIG_GIVEN := $(filter command line environment,$(origin KUBECONFIG))
VERSION ?= dev

CONTROLLER_GEN_VERSION := v0.23.0
GOLANGCI_LINT_VERSION := v2.15.0
HELM_VERSION := v4.3.1
KUSTOMIZE_VERSION := v5.8.2
CRD_REF_DOCS_VERSION := v0.3.0

CONTROLLER_GEN := $(TOOLS)/controller-gen-$(CONTROLLER_GEN_VERSION)
GOLANGCI_LINT := $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION)
HELM := $(TOOLS)/helm-$(HELM_VERSION)
KUSTOMIZE := $(TOOLS)/kustomize-$(KUSTOMIZE_VERSION)
CRD_REF_DOCS := $(TOOLS)/crd-ref-docs-$(CRD_REF_DOCS_VERSION)

##@ Try it

.PHONY: demo
demo: $(HELM) ## A running community on this machine: cluster, images, operator, class, brand. KUBECONFIG=… uses an existing cluster.
	@HELM=$(HELM) hack/demo/demo.sh $(if $(KUBECONFIG_GIVEN),--kubeconfig "$(KUBECONFIG)")

.PHONY: demo-down
demo-down: $(HELM) ## Remove the demo's community, class and operator; the cluster stays.
	@HELM=$(HELM) hack/demo/down.sh $(if $(KUBECONFIG_GIVEN),--kubeconfig "$(KUBECONFIG)")

.PHONY: seed-demo
seed-demo: ## Fill the demo's community with a living programme in French and English. DATABASE_URL=… fills that database instead.
	@hack/demo/seed.sh $(if $(KUBECONFIG_GIVEN),--kubeconfig "$(KUBECONFIG)")

.PHONY: run
run: ## Run the operator from source against the current kubeconfig (the local cluster's when KUBECONFIG is not set).
	@hack/demo/run.sh

##@ The local cluster

.PHONY: cluster
cluster: ## Start a real single-node Kubernetes on this machine and print its kubeconfig. CNPG=1 adds CloudNativePG.
	@hack/cluster/up.sh
	@if [[ "$(CNPG)" == 1 ]]; then hack/cluster/cnpg.sh; fi

.PHONY: cluster-down
cluster-down: ## Stop the local cluster; its state stays. PURGE=1 deletes the state too.
	@hack/cluster/down.sh $(if $(filter 1,$(PURGE)),--purge)

.PHONY: cluster-build
cluster-build: ## Build the local cluster's parts without starting them (slow once, cached after).
	@hack/cluster/build.sh

.PHONY: images
images: ## Build the images of operator, idea service, mail catcher and PostgreSQL, and load them into the local cluster.
	@hack/cluster/images.sh

##@ Develop

.PHONY: generate
generate: $(CONTROLLER_GEN) $(CRD_REF_DOCS) ## Write everything that is generated: deep copies, apply configurations, CRDs, RBAC, chart, API reference.
	@CONTROLLER_GEN=$(CONTROLLER_GEN) CRD_REF_DOCS=$(CRD_REF_DOCS) hack/generate.sh

.PHONY: lint
lint: $(GOLANGCI_LINT) ## Check style and imports (golangci-lint with depguard), and that generated files are up to date.
	@$(GOLANGCI_LINT) run ./...
	@hack/verify-generated.sh

.PHONY: test
test: $(HELM) $(KUSTOMIZE) ## Unit, schema, envtest and service tests with the race detector, on a real API server and a real PostgreSQL.
	@HELM=$(HELM) KUSTOMIZE=$(KUSTOMIZE) hack/test.sh

.PHONY: e2e
e2e: $(HELM) ## The journeys on the real cluster, CloudNativePG and headless Chromium included. RUN=… selects tests.
	@HELM=$(HELM) RUN='$(value RUN)' hack/e2e.sh

##@ Measure

.PHONY: bench-ready
bench-ready: $(HELM) ## From kubectl apply to Ready, against what the same database needs by itself.
	@HELM=$(HELM) hack/bench-ready.sh

.PHONY: bench-challenge
bench-challenge: $(HELM) ## From kubectl apply of a Challenge until a visitor sees it: 100 new ones, and 100 changes.
	@HELM=$(HELM) hack/bench-ready.sh --challenges=100

.PHONY: bench-fleet
bench-fleet: ## 1,000 Communities with 5,000 Challenges on a bare API server: time, requests, memory, restart. COMMUNITIES=… changes the number.
	@hack/bench-fleet.sh

.PHONY: bench-ideas
bench-ideas: ## The idea service with 100,000 ideas and 1,000,000 votes: pages, votes against pgbench, start, memory. The first run fills a database (several minutes).
	@hack/bench-ideas.sh $(BENCH_ARGS)

##@ Other

.PHONY: help
help: ## This list.
	@awk 'BEGIN {FS = ":.*##"} /^##@/ {printf "\n\033[1m%s\033[0m\n", substr($$0, 5)} /^[a-z0-9-]+:.*##/ {printf "  \033[36m%-14s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# go-tool installs one program from its module, under a name with its version.
go-tool = @echo "installing $(notdir $@)" >&2; mkdir -p $(TOOLS); tmp=$$(mktemp -d); \
	GOBIN=$$tmp CGO_ENABLED=0 GOFLAGS= go install $(1); mv $$tmp/* $@; rm -r $$tmp

$(CONTROLLER_GEN):
	$(call go-tool,sigs.k8s.io/controller-tools/cmd/controller-gen@$(CONTROLLER_GEN_VERSION))
$(GOLANGCI_LINT):
	$(call go-tool,github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION))
$(HELM):
	$(call go-tool,helm.sh/helm/v4/cmd/helm@$(HELM_VERSION))
$(KUSTOMIZE):
	$(call go-tool,sigs.k8s.io/kustomize/kustomize/v5@$(KUSTOMIZE_VERSION))
$(CRD_REF_DOCS):
	$(call go-tool,github.com/elastic/crd-ref-docs@$(CRD_REF_DOCS_VERSION))
