# Everything a developer or CI does, in one word each; `make` alone lists them.
# Written for Debian 12 and 13 and Ubuntu 24.04; on others, install the packages below by their names there.

SHELL := /bin/bash
.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help setup run test test-kernels test-runtimes check bench header clean

# bcc's Python side exists as a package of the distribution only, so the environment is made by the
# distribution's Python and sees its packages.
SYSTEM_PYTHON := /usr/bin/python3
PYTHON := .venv/bin/python
PIP := $(PYTHON) -m pip --disable-pip-version-check --quiet
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

PACKAGES := python3 python3-venv python3-bpfcc libbpf1 libseccomp2
# prometheus: a real server that scrapes us, and promtool; systemd: systemd-analyze checks the unit.
# busybox-static: a reader of models for a chroot; btrfs-progs: mkfs for a file system with devices of its own;
# e2fsprogs and util-linux are essential packages.
TEST_PACKAGES := prometheus systemd busybox-static btrfs-progs
# Packages on PyPI that ship real models, which nobody here made; only unpacked, never installed (tests/real_models.py).
MODEL_PACKAGES := basic-pitch==0.4.0 lpips==0.1.4 magika==1.0.3 silero-vad==6.2.3
# For guests; debian-archive-keyring: systems that are not Debian have none; gcc and libc6-dev: no guest can compile.
KERNEL_TEST_PACKAGES := qemu-system-x86 busybox-static cpio kmod e2fsprogs debootstrap debian-archive-keyring gcc libc6-dev

RUNTIME_TEST_PACKAGES := cmake make g++
LLAMA_CPP := llama-cpp-python==0.3.36
LLAMA_SERVER := .venv/llama.cpp/bin/llama-server

# Stamps: what they stand for is done again only when the pins or the project's settings change.
SETUP := .venv/.setup-done
TEST := .venv/.test-done

# Installs those of the packages $(1) that are missing; says what to do when it may not.
define install_packages
@missing=; \
command -v dpkg-query >/dev/null || { echo "no Debian packages here; these are needed: $(1)"; exit 0; }; \
for name in $(1); do \
	[ "$$(dpkg-query -W -f='$${db:Status-Status}' $$name 2>/dev/null)" = installed ] || missing="$$missing $$name"; \
done; \
[ -n "$$missing" ] || exit 0; \
if [ -n "$(SUDO)" ] && ! command -v sudo >/dev/null; then \
	echo "Packages are missing, and only root can install them. As root, run:" >&2; \
	echo "    apt-get install --no-install-recommends$$missing" >&2; \
	echo "and then this command again." >&2; \
	exit 1; \
fi; \
echo "installing$$missing"; \
$(SUDO) apt-get update -qq || echo "the package lists could not be updated; trying with those at hand" >&2; \
$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null
endef

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | expand -t 14

setup: $(SETUP) ## install what is needed into .venv and the system; quick when nothing changed
	@echo "ready: $(strip $(SUDO) .venv/bin/modelwarden run)"

$(SETUP): pyproject.toml constraints.txt
	$(call install_packages,$(PACKAGES))
	@$(SYSTEM_PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(SYSTEM_PYTHON) is older than 3.11: modelwarden needs Debian 12, Ubuntu 24.04 or newer" >&2; exit 1; }
	@$(PYTHON) -c 'import bcc' 2>/dev/null || $(SYSTEM_PYTHON) -m venv --clear --system-site-packages .venv
	@$(PIP) install --editable . --constraint constraints.txt
	@$(PYTHON) -c 'import bcc' || { echo "bcc is missing: install your distribution's python3-bpfcc" >&2; exit 1; }
	@touch $@

run: setup ## start the daemon in the foreground, with ARGS="--config … --state-dir …"
	@$(SUDO) .venv/bin/modelwarden run $(ARGS)

# A package starts its service where systemd runs; the tests start their own Prometheus and end it.
$(TEST): $(SETUP)
	@command -v prometheus >/dev/null || touch .venv/.prometheus-is-new
	$(call install_packages,$(TEST_PACKAGES))
	@if [ -e .venv/.prometheus-is-new ] && [ -d /run/systemd/system ]; then \
		$(SUDO) systemctl disable --now -q prometheus; \
	fi; rm -f .venv/.prometheus-is-new
	@$(PIP) install --editable '.[dev,test]' --constraint constraints.txt
	@$(PIP) download --no-deps --only-binary :all: --dest .venv/model-packages $(MODEL_PACKAGES)
	@touch $@

test: $(TEST) ## run the tests, with ARGS="…" for pytest; those that load probes need root
	@$(PYTHON) -m pytest $(ARGS)

test-kernels: $(TEST) ## run the kernel tests under Debian's stock kernels in QEMU, with ARGS="--kernels 6.1"; needs root
	$(call install_packages,$(KERNEL_TEST_PACKAGES))
	@$(SUDO) $(PYTHON) -B tests/kernels/run.py $(ARGS)

# That rendered files equal their rendering is a test (tests/test_layout.py).
# A real llama.cpp: some five minutes of compiling on two processors, done once.
$(LLAMA_SERVER): | $(TEST)
	$(call install_packages,$(RUNTIME_TEST_PACKAGES))
	@$(PIP) download --no-deps --no-binary :all: --dest .venv/llama.cpp $(LLAMA_CPP)
	@tar -xzf .venv/llama.cpp/llama_cpp_python-*.tar.gz -C .venv/llama.cpp
	@cmake -S .venv/llama.cpp/llama_cpp_python-*/vendor/llama.cpp -B .venv/llama.cpp -DCMAKE_BUILD_TYPE=Release \
		-DCMAKE_CXX_FLAGS_RELEASE=-O1 -DGGML_NATIVE=OFF -DGGML_OPENMP=OFF -DLLAMA_CURL=OFF -DLLAMA_OPENSSL=OFF \
		-DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DBUILD_SHARED_LIBS=ON >.venv/llama.cpp/build.log
	@echo "building llama.cpp; .venv/llama.cpp/build.log tells how far it is"
	@cmake --build .venv/llama.cpp --target llama-server --parallel $$(nproc) >>.venv/llama.cpp/build.log 2>&1

test-runtimes: $(TEST) $(LLAMA_SERVER) ## run the daemon beside a real llama.cpp, built from its source; needs root
	@$(SUDO) $(PYTHON) -m pytest $(ARGS) tests/llama_cpp/check_llama_cpp.py

check: $(TEST) ## everything CI checks: format, lint, types, architecture, tests
	@.venv/bin/ruff format --check
	@.venv/bin/ruff check
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@$(MAKE) --no-print-directory test

bench: $(SETUP) ## run the benchmarks
	@set -e; for file in bench/*.py; do echo "== $$file"; $(PYTHON) "$$file"; done

header: $(SETUP) ## render the files that are made from Python: probes/kernel/events.h, systemd/config.toml
	@$(PYTHON) -m modelwarden.probes.render
	@$(PYTHON) -c 'from modelwarden.daemon.config import config_sample; print(config_sample(), end="")' > systemd/config.toml

clean: ## remove all that was made here, the environment too
	@rm -rf .venv build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
