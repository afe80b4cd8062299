# The one front door: `make` lists what it opens. The work itself is done by cargo and by scripts/.

CARGO      ?= cargo
TARGET     := $(or $(CARGO_TARGET_DIR),target)
MODULE     := $(TARGET)/release/libpam_twinlock.so
COMMAND    := $(TARGET)/release/twinlock
BROKER     := $(TARGET)/release/twinlockd

PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
PAMDIR     ?= $(shell scripts/pam-dir)
STOREDIR   := /var/lib/twinlock
AS_ROOT     = $(shell test `id -u` = 0 || ! unshare --user --map-root-user true 2>/dev/null || echo unshare --user --map-root-user)
SHAREDIR   := $(PREFIX)/share/twinlock
DOCDIR     := $(PREFIX)/share/doc/twinlock
MANDIR     := $(PREFIX)/share/man
UNITDIR    := $(PREFIX)/lib/systemd/system
MANUAL     := $(TARGET)/man
# Where each shell looks, below PREFIX.
BASH       := $(PREFIX)/share/bash-completion/completions/twinlock
ZSH        := $(PREFIX)/share/zsh/site-functions/_twinlock
FISH       := $(PREFIX)/share/fish/vendor_completions.d/twinlock.fish
# Where packages and bills of materials are written.
PACKAGES   := $(TARGET)/packages
SBOM       := $(TARGET)/sbom
# Where the tests count what they cover.
TALLY      := $(TARGET)/tally
DOCS       := $(wildcard README.md SECURITY.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE)

# Panic messages name source files. In what is built optimised they begin with these words and not with the folders of
# the machine that built it: two builds of the same source are the same, wherever they are made.
REMAP       = --remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)/registry/src=/cargo \
    --remap-path-prefix=$(CURDIR)=/twinlock \
    --remap-path-prefix=$(shell rustc --print sysroot)/lib/rustlib/src/rust=/rustc/$(shell rustc -vV | sed -n 's/^commit-hash: //p')
# SHA-2 in software is for processors without instructions for it. Small code of it is fast enough for the few hundred bytes
# of a login, and the module is 25 KB smaller. Sealed credentials are a kilobyte: ciphers that use vectors would be 15 KB
# larger for nothing. Fewer functions are copied into their callers, which saves another 25 KB; Argon2 takes as long.
COMPACT     = --cfg sha2_backend_soft="compact" --cfg chacha20_backend="soft" --cfg poly1305_backend="soft" \
    -C llvm-args=-inline-threshold=30
OWN_RUSTFLAGS := $(RUSTFLAGS)
build demo bench: export RUSTFLAGS = $(OWN_RUSTFLAGS) $(REMAP) $(COMPACT)

.PHONY: help deps build man demo quick test lint words check fuzz mutants miri bench install uninstall sbom deb rpm roots clean
.DEFAULT_GOAL := help

help: ## List the targets (this list)
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 20

deps: ## Install what building and testing need and this machine lacks (apt-get or dnf)
	@CARGO='$(CARGO)' scripts/deps

build: ## Build the PAM module, the command, the broker and the manual, optimised
	$(CARGO) build --release --locked
	$(CARGO) build --release --locked -p xtask
	@$(MAKE) --no-print-directory man
	@stat -c '%s bytes  %n' $(MODULE) $(COMMAND) $(BROKER)

# From the definitions in the command that was just built: not kept in the repository, so never behind.
man: ## Write the manual pages and the completions into target/man (part of build)
	@mkdir -p '$(MANUAL)'
	@$(TARGET)/release/xtask '$(MANUAL)'
	@for shell in bash zsh fish; do $(COMMAND) completions $$shell >'$(MANUAL)'/twinlock.$$shell || exit 1; done

demo: deps build ## Watch real logins being refused and granted (SHELL_AFTER=1 leaves the server up)
	$(CARGO) run --release --locked -p twinlock-tests --bin demo -- $(if $(SHELL_AFTER),--stay)

# What is proven beside the code: no root, no sshd, nothing that has to be built optimised.
quick: ## Run the unit and table tests, in seconds
	$(CARGO) test --locked --tests --workspace --exclude twinlock-tests --exclude twinlock-fuzz --exclude twinlock-bench

# Without root the tests get a user namespace in which they are root of everything but the host; only a real sshd
# needs the real one, and its tests say so.
test: deps build packages ## Run all tests, those with a real sshd included (as root, for all of them)
	@rm -rf '$(TALLY)' && mkdir -p '$(TALLY)'
	TWINLOCK_TALLY='$(abspath $(TALLY))' $(AS_ROOT) $(CARGO) test --workspace --locked $(if $(TWINLOCK_LONG),-- --include-ignored)
	@scripts/tally '$(TALLY)'

# As make test, with whole sweeps of faults, races and states, which take an hour: make test takes samples.
.PHONY: compare test-long
test-long: export TWINLOCK_LONG = 1
test-long: test

compare: deps build ## Try the attacks of docs/security-matrix.md on other modules, too (as root; into target/compare)
	TWINLOCK_COMPARE='$(abspath $(TARGET))/compare' $(CARGO) test --locked -p twinlock-tests --test security

lint: words ## Check formatting, lints, documentation, wording and spelling
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --no-deps --workspace --locked

words: ## Find misspelt words and wording that this project avoids, in everything that people read
	@scripts/words

check: lint test ## Everything that a change must pass: lint and test

# Goes on where `make test` stops, from the same corpora; what is new is kept below target/. Needs `cargo install cargo-fuzz`
# and a nightly compiler. Without a sanitizer: there is no unsafe code in what is tried.
FUZZ         ?= $(notdir $(wildcard fuzz/corpus/*))
FUZZ_SECONDS ?= 60
fuzz: ## Look for inputs that break a promise (FUZZ_SECONDS=60 for each kind; FUZZ=login for one)
	@for kind in $(FUZZ); do \
		mkdir -p '$(abspath $(TARGET))'/fuzz/found/$$kind && \
		$(CARGO) +nightly fuzz run --fuzz-dir fuzz/libfuzzer --target-dir '$(abspath $(TARGET))/fuzz' --sanitizer none $$kind \
			'$(abspath $(TARGET))'/fuzz/found/$$kind '$(CURDIR)'/fuzz/corpus/$$kind -- \
			-max_total_time=$(FUZZ_SECONDS) -artifact_prefix='$(abspath $(TARGET))'/fuzz/found/ || exit 1; done

# .cargo/mutants.toml says where. Hours; needs `cargo install cargo-mutants`.
mutants: ## Change one thing at a time in what decides about a login, and see that a test notices (hours)
	@test -n "`$(CARGO) mutants --list --package twinlock-core --package twinlock-store`" || { echo 'mutants: .cargo/mutants.toml names no file' >&2; exit 1; }
	$(CARGO) mutants --package twinlock-core --package twinlock-store --output '$(TARGET)'

# Every access to memory of the boundary to libpam and of the allocator, which are the module's unsafe code, and of names,
# answers, secrets, records, rules, messages and imported files with the crates that they are read by. All else takes hours
# here: hashes, and what is made of bytes one by one. Needs a nightly compiler and `rustup component add --toolchain nightly miri rust-src`.
miri: export MIRIFLAGS = -Zmiri-disable-isolation
miri: export PROPTEST_CASES = 2
miri: ## Run the module's unsafe code in an interpreter that finds undefined behaviour (needs nightly and miri)
	$(CARGO) +nightly miri test --locked -p pam_twinlock --lib -- transaction:: memory::
	$(CARGO) +nightly miri test --locked -p twinlock-core -p twinlock-store -p twinlock-login -p twinlock-service --lib -- \
		account:: answer:: record:: secret:: policy:: wire:: import:: format:: throttle:: time:: audit:: remember:: devices:: \
		module_arguments:: --skip everything_else_is_junk

bench: deps build ## Time whole authentications, beside other modules, and write docs/benchmarks.md with its plots
	$(CARGO) run --release --locked -p twinlock-bench -- --publish .

# A new module gets its name by renaming: no login finds it missing or half written, and an sshd that has the old one
# mapped keeps it. The directory's own SELinux label is kept, too.
install: ## Install, enabling nothing (DESTDIR, PREFIX, SYSCONFDIR, PAMDIR; run `make build` first)
	@test -e $(MODULE) -a -e $(COMMAND) -a -e $(BROKER) -a -e $(MANUAL)/twinlock.fish || { echo 'install: run `make build` first' >&2; exit 1; }
	@test -n '$(PAMDIR)' || { echo 'install: name the directory of PAM modules with PAMDIR=...' >&2; exit 1; }
	install -d '$(DESTDIR)$(PAMDIR)' '$(DESTDIR)$(PREFIX)/bin' '$(DESTDIR)$(PREFIX)/sbin' '$(DESTDIR)$(SYSCONFDIR)/twinlock'
	install -d -m 0700 '$(DESTDIR)$(STOREDIR)'
	install -m 0644 $(MODULE) '$(DESTDIR)$(PAMDIR)/.pam_twinlock.so.new'
	mv -f '$(DESTDIR)$(PAMDIR)/.pam_twinlock.so.new' '$(DESTDIR)$(PAMDIR)/pam_twinlock.so'
	install -m 0755 $(COMMAND) '$(DESTDIR)$(PREFIX)/bin/twinlock'
	install -m 0755 $(BROKER) '$(DESTDIR)$(PREFIX)/sbin/.twinlockd.new'
	mv -f '$(DESTDIR)$(PREFIX)/sbin/.twinlockd.new' '$(DESTDIR)$(PREFIX)/sbin/twinlockd'
	install -d '$(DESTDIR)$(UNITDIR)'
	for unit in twinlockd.socket twinlockd.service twinlock-unseal.service; do \
		sed 's,/usr/local/,$(PREFIX)/,' config/systemd/$$unit >'$(DESTDIR)$(UNITDIR)'/$$unit && \
		chmod 0644 '$(DESTDIR)$(UNITDIR)'/$$unit || exit 1; done
	test -e '$(DESTDIR)$(SYSCONFDIR)/twinlock/config.toml' || \
		install -m 0644 config/config.toml '$(DESTDIR)$(SYSCONFDIR)/twinlock/config.toml'
	@DESTDIR='$(DESTDIR)' SYSCONFDIR='$(SYSCONFDIR)' scripts/pam-service install
	cd config && find . -path ./systemd -prune -o -type f -exec install -D -m 0644 {} '$(abspath $(DESTDIR)$(SHAREDIR))/{}' \;
	sed 's,/usr/local/share/twinlock/,$(SHAREDIR)/,' config/hooks/remove-leaver >'$(DESTDIR)$(SHAREDIR)/hooks/remove-leaver'
	chmod 0755 '$(DESTDIR)$(SHAREDIR)/hooks/remove-leaver'
	for section in 1 5 8; do \
		install -d "$(DESTDIR)$(MANDIR)/man$$section" && \
		install -m 0644 $(MANUAL)/*.$$section "$(DESTDIR)$(MANDIR)/man$$section" || exit 1; done
	sed -i 's,/usr/local/,$(PREFIX)/,g' '$(DESTDIR)$(MANDIR)/man8/pam_twinlock.8' '$(DESTDIR)$(MANDIR)/man8/twinlockd.8'
	install -D -m 0644 $(MANUAL)/twinlock.bash '$(DESTDIR)$(BASH)'
	install -D -m 0644 $(MANUAL)/twinlock.zsh '$(DESTDIR)$(ZSH)'
	install -D -m 0644 $(MANUAL)/twinlock.fish '$(DESTDIR)$(FISH)'
	install -d '$(DESTDIR)$(DOCDIR)'
	install -m 0644 $(DOCS) '$(DESTDIR)$(DOCDIR)'
	install -d '$(DESTDIR)$(DOCDIR)/docs'
	install -m 0644 docs/*.md docs/*.svg '$(DESTDIR)$(DOCDIR)/docs'
	@test -n '$(DESTDIR)' || '$(PREFIX)/bin/twinlock' store init --upgrade || \
		echo 'install: the store was given no id. Fix the problem above, then run: twinlock store init' >&2
	@PAMDIR='$(PAMDIR)' SHAREDIR='$(SHAREDIR)' DOCDIR='$(DOCDIR)' PREFIX='$(PREFIX)' SYSCONFDIR='$(SYSCONFDIR)' scripts/next-steps

uninstall: ## Remove what install placed; keeps the configuration and all secrets
	@test -n '$(PAMDIR)' || { echo 'uninstall: name the directory of PAM modules with PAMDIR=...' >&2; exit 1; }
	@test -n '$(DESTDIR)' || scripts/refuse-while-in-use
	rm -f '$(DESTDIR)$(PAMDIR)/pam_twinlock.so' '$(DESTDIR)$(PREFIX)/bin/twinlock' '$(DESTDIR)$(PREFIX)/sbin/twinlockd'
	rm -f '$(DESTDIR)$(UNITDIR)/twinlockd.socket' '$(DESTDIR)$(UNITDIR)/twinlockd.service' '$(DESTDIR)$(UNITDIR)/twinlock-unseal.service'
	@DESTDIR='$(DESTDIR)' SYSCONFDIR='$(SYSCONFDIR)' scripts/pam-service uninstall
	rm -f '$(DESTDIR)$(MANDIR)/man1/twinlock.1' '$(DESTDIR)$(MANDIR)/man5/twinlock.toml.5' '$(DESTDIR)$(MANDIR)/man8/pam_twinlock.8' '$(DESTDIR)$(MANDIR)/man8/twinlockd.8'
	rm -f '$(DESTDIR)$(BASH)' '$(DESTDIR)$(ZSH)' '$(DESTDIR)$(FISH)'
	rm -rf '$(DESTDIR)$(SHAREDIR)' '$(DESTDIR)$(DOCDIR)'
	@echo 'Kept: $(DESTDIR)$(SYSCONFDIR)/twinlock (configuration) and $(DESTDIR)$(STOREDIR) (secrets).'

# One for each of the three files that ship. The tool is built by cargo the first time.
sbom: build ## Write bills of materials (CycloneDX) into target/sbom
	@CARGO='$(CARGO)' packaging/sbom '$(SBOM)'

deb: build sbom ## Build Debian packages into target/packages
	@packaging/build-deb '$(TARGET)' '$(PACKAGES)'

rpm: build sbom ## Build RPM packages into target/packages
	@packaging/build-rpm '$(TARGET)' '$(PACKAGES)'

# What this machine has the tools for. Tests of the others say that they are skipped.
.PHONY: packages
packages: build sbom
	@! command -v dh >/dev/null || $(MAKE) --no-print-directory deb
	@! command -v rpmbuild >/dev/null || $(MAKE) --no-print-directory rpm

# As long as the network takes; `make test` does the same in a copy of this host.
roots: build deb ## Install, upgrade, remove and purge the Debian packages in clean roots of Debian 12 and 13
	for suite in bookworm trixie; do \
		root='$(abspath $(TARGET))'/roots/$$suite; \
		test -e "$$root"/etc/ssh/sshd_config || debootstrap --variant=minbase --include=openssh-server $$suite "$$root" && \
		TWINLOCK_ROOT="$$root" $(CARGO) test --locked -p twinlock-tests --test host packages::debian:: || exit 1; done

# `make test` runs the same tests with the clients of this host. Needs root, debootstrap, systemd-nspawn and a network.
.PHONY: clients
CLIENTS ?= trixie unstable
clients: build ## Log in with the clients and the sshd of Debian 13 and unstable
	scripts/clients '$(TARGET)' "$$($(CARGO) test --locked -p twinlock-tests --test sshd --no-run --message-format short 2>&1 | sed -n 's/.*sshd.main.rs (\(.*\))$$/\1/p')" $(CLIENTS)

# Needs root, debootstrap, systemd-nspawn, a network the first time, and TWINLOCK_SIGNING_KEY, the fingerprint of a key of gpg.
REPOSITORY ?= $(TARGET)/repository
.PHONY: release
release: sbom ## Build the packages reproducibly in clean roots, sign them, and write apt and dnf repositories (REPOSITORY)
	packaging/release '$(TARGET)' '$(REPOSITORY)'

# The first needs rustup, the second cross compilers and `qemu-user-static` as well.
.PHONY: architectures emulated
architectures: ## Check that what ships compiles for other processors: 32 bits, big-endian, arm, riscv
	@CARGO='$(CARGO)' scripts/architectures check

emulated: ## Run the tests of codes, records and formats on a processor with 32 bits and a big-endian one, emulated
	@CARGO='$(CARGO)' scripts/architectures test

# Needs root, debootstrap, systemd-nspawn, QEMU and, the first time, a network. PUBLISH=docs/tested-on.md writes the results there.
MACHINES ?= bookworm trixie unstable virtual
.PHONY: machines
machines: build deb ## Boot Debian 12, 13 and unstable, SELinux and AppArmor, and log in: trials, enrolment, upgrades
	python3 scripts/machines '$(TARGET)' $(if $(PUBLISH),--publish '$(PUBLISH)') $(MACHINES)

# The same with the power cut: N disks for each of FILE_SYSTEMS. It names the programs that it needs as well.
.PHONY: powercuts
N            ?= 60
FILE_SYSTEMS ?= ext4 xfs btrfs
powercuts: build deb ## Cut the power at N moments of logins, enrolments, upgrades, and log in to what is left (N=flushes: at each)
	python3 scripts/machines/powercuts.py '$(TARGET)' $(if $(filter flushes,$(N)),--flushes,--cuts $(N)) \
		$(if $(PUBLISH),--publish '$(PUBLISH)') $(FILE_SYSTEMS)

clean: ## Remove what was built
	$(CARGO) clean
