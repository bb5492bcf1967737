# What a newcomer types; each does its own set-up. `make check` is the fast part of `make test`: unit tests, daemon, client.
# RUSTFLAGS would replace the flags in .cargo/config.toml, and the rpath to libtorch with them.
unexport RUSTFLAGS

SHELL := /bin/bash
CARGO := cargo
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
DESTDIR ?=
# How libtorch's files get there; `cp -al` links them, within one file system.
COPY ?= cp -a
bindir := $(PREFIX)/bin
libdir := $(PREFIX)/lib
docdir := $(PREFIX)/share/doc/framepackd
mandir := $(PREFIX)/share/man
# Where the shells look for what they complete.
bashdir := $(PREFIX)/share/bash-completion/completions
zshdir := $(PREFIX)/share/zsh/site-functions
fishdir := $(PREFIX)/share/fish/vendor_completions.d
# By its name, which completions then call it by.
CTL := PATH="$(CURDIR)/target/release:$$PATH" framepackctl
# framepackctl looks for `--models demo` here, from its own folder.
demodir := $(PREFIX)/share/framepackd/models/demo
PYTHON_ENV := .venv-parity
# `off`: `make lint` does without the database of advisories, which it fetches from the network.
ADVISORIES ?= on
# Those that have tests of their own.
EXAMPLES := --example reference --example from-framepack

.PHONY: build demo check test parity lint docs bench bench-quality install install-files

build:
	scripts/setup-system build
	scripts/setup-libtorch
	$(CARGO) build --release --locked --workspace --bins

demo: build
	@scripts/demo

test: build
	scripts/setup-system test
	$(CARGO) build --release --locked --workspace --example fake_worker
	$(CARGO) test --release --locked --workspace --lib --bins $(EXAMPLES) --test '[!df]*' --test 'd[!a]*'
	CARGO="$(CARGO)" scripts/test-daemon
	$(CARGO) test --release --locked --workspace --doc

# The fast tests. Those of the daemon mostly wait, so four at a time suit two cores; the ones that render with the real
# worker are left out.
check: build
	scripts/setup-system test
	$(CARGO) build --release --locked --workspace --example fake_worker
	$(CARGO) test --release --locked --workspace --lib --bins $(EXAMPLES) --test codes --test examples \
		--test imports --test job_file --test keys --test record --test ctl --test models
	$(CARGO) test --release --locked --workspace --test daemon --test docs -- --test-threads 4 --skip real::

# Compares every component with diffusers and transformers on fresh random models and shapes.
parity: build
	scripts/setup-python $(PYTHON_ENV) tests/oracle/requirements.txt
	$(PYTHON_ENV)/bin/python tests/oracle/compare.py

lint:
	scripts/lint-size
	scripts/setup-system build
	scripts/setup-libtorch
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --locked --workspace --no-deps --document-private-items
	scripts/setup-python .venv-lint scripts/lint-requirements.txt
	.venv-lint/bin/typos
	scripts/lint-dependencies $(ADVISORIES)

# The pages of docs/ that are made from tables in the sources; tests compare them.
docs:
	$(CARGO) run --release --locked --quiet -p framepack-jobs --example reference -- errors > docs/ERRORS.md
	$(CARGO) run --release --locked --quiet -p framepack-jobs --example reference -- job > docs/JOB.md
	$(CARGO) run --release --locked --quiet -p framepack-jobs --example reference -- settings > docs/SETTINGS.md
	$(CARGO) run --release --locked --quiet -p framepack-config --example from-framepack > docs/FROM-FRAMEPACK.md

bench: build
	bench/run

# How far each way to save time or memory is from the exact result: settings, decoding, step caches.
bench-quality: build
	bench/run quality

install: build install-files

# The worker finds libtorch in ../lib/framepack beside its own folder. A configuration that is there is kept.
install-files:
	install -d $(addprefix $(DESTDIR),$(bindir) $(libdir)/framepack $(libdir)/systemd/system $(libdir)/systemd/user \
		$(libdir)/sysusers.d $(libdir)/tmpfiles.d $(docdir)/examples/inputs $(demodir) $(SYSCONFDIR)/framepackd $(mandir) \
		$(bashdir) $(zshdir) $(fishdir))
	install -m 755 $(addprefix target/release/,framepackd framepackctl framepack-models framepack-worker) \
		$(DESTDIR)$(bindir)/
	$(COPY) --remove-destination .libtorch/. $(DESTDIR)$(libdir)/framepack/
	rm -rf $(DESTDIR)$(libdir)/framepack/torch/include $(DESTDIR)$(libdir)/framepack/nvidia/cu13/include
	sed -e '1,2d' -e 's|@bindir@|$(bindir)|' -e 's|@sysconfdir@|$(SYSCONFDIR)|' -e 's|@docdir@|$(docdir)|g' \
		systemd/framepackd.service.in > $(DESTDIR)$(libdir)/systemd/system/framepackd.service
	install -m 755 systemd/framepack-notify $(DESTDIR)$(bindir)/
	sed -e '1,2d' -e 's|@bindir@|$(bindir)|' -e 's|@docdir@|$(docdir)|g' \
		systemd/user/framepack-notify.service.in > $(DESTDIR)$(libdir)/systemd/user/framepack-notify.service
	install -m 755 systemd/user/notify-by-mail $(DESTDIR)$(docdir)/examples/
	install -m 644 systemd/sysusers.d/framepackd.conf $(DESTDIR)$(libdir)/sysusers.d/
	install -m 644 systemd/tmpfiles.d/framepackd.conf $(DESTDIR)$(libdir)/tmpfiles.d/
	test -e $(DESTDIR)$(SYSCONFDIR)/framepackd/framepackd.yaml || \
		install -m 644 config/framepackd.yaml $(DESTDIR)$(SYSCONFDIR)/framepackd/
	$(CTL) man $(DESTDIR)$(mandir)
	$(CTL) completions bash > $(DESTDIR)$(bashdir)/framepackctl
	$(CTL) completions zsh > $(DESTDIR)$(zshdir)/_framepackctl
	$(CTL) completions fish > $(DESTDIR)$(fishdir)/framepackctl.fish
	install -m 644 README.md CHANGELOG.md LICENSE docs/*.md config/framepackd.yaml $(DESTDIR)$(docdir)/
	install -m 644 jobs/examples/*.yaml jobs/examples/README.md $(DESTDIR)$(docdir)/examples/
	install -m 644 jobs/examples/inputs/* $(DESTDIR)$(docdir)/examples/inputs/
	cp -R models/demo/. $(DESTDIR)$(demodir)/
	rm -rf $(DESTDIR)$(demodir)/training
