# What a newcomer types. `make demo` and `make test` do their own set-up.
# RUSTFLAGS would replace the flags in .cargo/config.toml, and the rpath to libtorch with them.
unexport RUSTFLAGS

SHELL := /bin/bash
CARGO := cargo
PREFIX ?= /usr/local
DESTDIR ?=
PYTHON_ENV := .venv-parity

.PHONY: build demo test parity lint bench install

build:
	scripts/setup-system build
	scripts/setup-libtorch
	$(CARGO) build --release --locked --workspace --bins

demo: build
	@scripts/demo

test: build
	scripts/setup-system test
	$(CARGO) test --release --locked --workspace

# Compares every component with diffusers and transformers on fresh random models and shapes.
parity: build
	scripts/setup-python $(PYTHON_ENV) tests/oracle/requirements.txt
	$(PYTHON_ENV)/bin/python tests/oracle/compare.py

lint:
	scripts/setup-system build
	scripts/setup-libtorch
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --locked --workspace --no-deps --document-private-items
	scripts/setup-python .venv-lint scripts/lint-requirements.txt
	.venv-lint/bin/typos

bench: build
	bench/run

# The worker finds libtorch in ../lib/framepack beside its own folder.
install: build
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/framepack
	install -m 755 target/release/framepackd target/release/framepackctl target/release/framepack-worker $(DESTDIR)$(PREFIX)/bin/
	cp -a .libtorch/. $(DESTDIR)$(PREFIX)/lib/framepack/
	rm -rf $(DESTDIR)$(PREFIX)/lib/framepack/torch/include $(DESTDIR)$(PREFIX)/lib/framepack/nvidia/cu13/include
