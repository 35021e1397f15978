# make build   everything, in target/release/
# make demo    real programs through Rampart, in namespaces of their own
# make test    unit, property, language, kernel and network tests
# make test-kernel   the same rules and packets through the Linux kernel and Rampart, compared (test-kernel-short: the same few hundred cases each time)
# make test-kernel-processes   the same with both daemons and the real commands in place of the engine (-short: a minute at most)
# make test-kernel-mutants   is that sharp? it must find errors that are planted
# make bench   what the parts cost (bench/README.md)
# make bench-testpmd   the box between two of DPDK's testpmd, half a minute
# make lint    rustfmt and clippy
# make deps    the Debian packages that the above need (as root)

CARGO ?= cargo
BIN := target/release
LINKS := conntrack ipset iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore

# What building needs, and what the demo and the tests need beside it.
PACKAGES := libdpdk-dev libnuma-dev pkg-config clang libclang-dev gcc libc6-dev \
	iproute2 util-linux iptables nftables ethtool conntrack ipset nfacct nfct iputils-ping curl vsftpd tftpd-hpa nginx-light openssh-server openssh-client \
	iperf3 procps traceroute iputils-tracepath sip-tester dpdk-dev python3

.PHONY: build demo test test-unit test-lang test-net test-net-kernel test-tools test-kernel test-kernel-short test-kernel-processes test-kernel-processes-short test-kernel-mutants kernel-records fuzz bench bench-testpmd lint deps clean

build: deps
	$(CARGO) build --release --workspace --bins
	@for link in $(LINKS); do ln -sf rampart $(BIN)/$$link; done

# Installs only what is missing. Without root it names what is missing and stops.
deps:
	@missing=$$(for p in $(PACKAGES); do dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -n "$$missing" ]; then \
		if [ "$$(id -u)" != 0 ]; then \
			echo "missing packages; as root: apt-get install" $$missing >&2; exit 77; \
		fi; \
		echo "installing with apt:" $$missing; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	fi

demo: build
	@tests/net/enter timeout 120 $(BIN)/demo

test: test-unit test-lang test-kernel-short test-kernel-processes-short test-net

# Everything that needs no privilege: unit, table and property tests.
test-unit: deps
	$(CARGO) test --workspace

# The language tests again, each line beside the real iptables, and lines with words changed by chance.
test-lang: deps
	RUST_TEST_THREADS=1 tests/net/enter $(CARGO) test -p rules --test against_iptables --test mutations -- --include-ignored
	$(CARGO) test -p cli --test programs -- --include-ignored
	$(CARGO) test -p sets --test conversation -- --include-ignored

# Real tools that drive iptables (ufw, fail2ban, shorewall and more), over the real one and over ours: what they say, what they end with, and
# the rules that they leave. Their packages come from apt's mirrors, so this is not part of `make test`.
test-tools: build
	RAMPART_BIN=$(CURDIR)/$(BIN) tests/tools/run

# Real programs and both daemons, in namespaces.
test-net: build
	$(CARGO) test --release -p net -p app --no-run
	tests/net/enter timeout 120 $(CARGO) test --release -p app --test forward -- --include-ignored --test-threads=1
	RAMPART_BIN=$(CURDIR)/$(BIN) tests/net/enter timeout 900 $(CARGO) test --release -p net --tests -- --include-ignored --test-threads=1

# The network tests against the kernel in Rampart's place: what they expect is what the kernel does. Says what it leaves out.
test-net-kernel: deps
	$(CARGO) test -p net --no-run
	RAMPART_LAB_SYSTEM=kernel tests/net/enter timeout 300 $(CARGO) test -p net --tests -- --include-ignored --test-threads=1 --nocapture

# The kernel as the oracle: all recorded cases, then generated ones for so many seconds. What differs is written to target/kernel-differences.
# As the machine's root the lines of LOG are compared as well; else that they are not is said.
LOGGED := tests/kernel/logging tests/net/enter
KERNEL_SECONDS ?= 1140
test-kernel: deps
	$(CARGO) build --release -p kernel
	$(LOGGED) timeout 120 $(BIN)/differential --cases tests/kernel/cases
	$(LOGGED) timeout $$(($(KERNEL_SECONDS) + 600)) $(BIN)/differential --seconds $(KERNEL_SECONDS)

# The same few hundred cases each time, so that a failure can be repeated.
test-kernel-short: deps
	$(CARGO) build --release -p kernel
	$(LOGGED) timeout 120 $(BIN)/differential --cases tests/kernel/cases
	$(LOGGED) timeout 300 $(BIN)/differential --seeds 40 --seconds 200

# Both daemons and the real commands beside the kernel: the recorded cases, then generated ones for so many seconds.
PROCESSES_SECONDS ?= 600
test-kernel-processes: build
	tests/kernel/logging tests/net/enter timeout 120 $(BIN)/differential --processes - --cases tests/kernel/cases
	tests/kernel/logging tests/net/enter timeout $$(($(PROCESSES_SECONDS) + 600)) $(BIN)/differential --processes - --seconds $(PROCESSES_SECONDS)

# A minute at most: what the lane promises of itself, the recorded cases, and the same few generated ones each time.
test-kernel-processes-short: build
	$(CARGO) test --release -p kernel --lib --no-run
	RAMPART_BIN=$(CURDIR)/$(BIN) tests/kernel/logging tests/net/enter timeout 60 $(CARGO) test --release -p kernel --lib -- --ignored --test-threads=1
	tests/kernel/logging tests/net/enter timeout 60 $(BIN)/differential --processes - --cases tests/kernel/cases
	tests/kernel/logging tests/net/enter timeout 90 $(BIN)/differential --processes - --seeds 3 --seconds 30

# Is the oracle sharp? Each deliberate error in tests/kernel/mutants, planted into a copy of the sources, must be found by what the kernel is
# recorded to do, without privileges; those round the engine (process.toml) by both daemons beside the kernel, in namespaces; those of what the kernel
# does not have by tests of its own. About half an hour.
test-kernel-mutants: deps
	$(CARGO) build --release -p kernel
	$(BIN)/mutants

# Writes anew what the kernel does with the cases under tests/kernel/cases, and with those of the first seeds of each generator. Needs the
# machine's root, who alone can read the lines of LOG.
kernel-records: deps
	$(CARGO) build --release -p kernel
	$(LOGGED) timeout 300 $(BIN)/differential --cases tests/kernel/cases --record
	$(LOGGED) timeout 1800 $(BIN)/differential --record-to tests/kernel/records

# A million spoilt rule texts from a seed of the day, and large ones, and spoilt texts of sets: none may panic, and what is taken reads back as it is printed.
fuzz: deps
	RAMPART_SEED=$${RAMPART_SEED:-$$(date +%s)} RAMPART_MANGLED=1000000 RAMPART_LARGE=100000 $(CARGO) test --release -p rules --test lang mangled -- --nocapture
	PROPTEST_CASES=15000 $(CARGO) test --release -p sets --test conversation mangled

# Numbers, no verdict: the parts, the whole way of a packet, and the Linux kernel beside it, all of it in docs/benchmarks.md.
# Instructions are counted by valgrind. What cannot be measured, on a busy machine for example, is said, and is an error when all others are written.
bench: build
	@command -v valgrind >/dev/null || { echo "missing: valgrind (as root: apt-get install valgrind)" >&2; exit 77; }
	$(CARGO) bench -p micro
	failed=0; $(BIN)/loop --instructions || failed=1; tests/net/enter $(BIN)/peers || failed=1; $(BIN)/page && exit $$failed

# The box between a sender and one who answers, by shared memory: that the way works (bench/testpmd/README.md).
bench-testpmd: build
	tests/net/enter timeout 60 bench/testpmd/here 10

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings

clean:
	$(CARGO) clean
