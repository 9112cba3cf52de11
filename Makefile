# make demo     see it work, in a temporary folder
# make test     everything is tested; as root it installs what the tests need
# make install  the programs, the user and the folders, on this host
# make man      the man pages, in bin/man
# make deb rpm  packages, in bin/package
# make uninstall  takes the programs and man pages away; lists, spool and configuration stay

GO       ?= go
PREFIX   ?= /usr/local
MANDIR   ?= $(PREFIX)/share/man
FUZZTIME ?= 1m

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
NFPM        = github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.43.1
GOVULNCHECK = golang.org/x/vuln/cmd/govulncheck@v1.8.0

# Static, so that a session starts without the dynamic linker. The programs that
# serve one connection begin with a few instructions of their own (lists/entry,
# start.go), where the processor's kind has them; superlist does not.
BUILD = CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -ldflags 'superlist/cmd/superlist-...=-s -w $(START)'
START = $(patsubst %,-E superlist/lists/entry.start,$(filter amd64 arm64,$(shell $(GO) env GOARCH)))

# Where the programs are put: make build BIN=DIR
BIN = bin

.PHONY: go build demo test test-systemd test-package test-web test-cluster lint torture bench bench-counts figures tables fuzz man install uninstall stage deb rpm clean

# The version in go.mod, or newer; the first build downloads the modules in go.sum.
go:
	@command -v $(GO) >/dev/null || { echo "make: $(GO) is not installed: see https://go.dev/dl, or name it with make GO=..." >&2; exit 1; }
	@need=$$(sed -n 's/^go //p' go.mod); have=$$($(GO) env GOVERSION | sed 's/^go//; s/[^0-9.].*//'); \
	first=$$(printf '%s\n%s\n' "$$need" "$$have" | sort -V | head -n 1); test "$$first" = "$$need" || { \
		echo "make: $(GO) is version $$have, and superlist needs $$need or newer: see https://go.dev/dl, or name it with make GO=..." >&2; exit 1; }

build: go
	$(BUILD) -o $(BIN)/ ./cmd/...

demo: build
	$(BUILD) -o bin/ ./smtp/smtptest/play
	e2e/demo.sh bin

# The race detector needs a C compiler; apt.sh gets one where it may.
RACE = $$(command -v gcc >/dev/null && echo -race)
REPORT = bin/report

$(REPORT): e2e/report/*.go | go
	$(BUILD) -o bin/ ./e2e/report

# scratch.sh puts the tests' files into memory where it can: what they wait for
# most is the disk. The timeout is for what hangs: a busy machine must not meet
# it. -count=1: the cache does not see the programs that tests start. TestSystemd
# and TestPackage have targets of their own, since they boot a Debian.
#
# The two longest fault loops start thousands of processes, one goroutine each, and
# the race detector makes them four times as dear: their files say !race, and they
# are run once more without it.
# Three packages at a time on two processors: some of them wait for a Postfix or a clock.
TEST    = $(GO) test -json -count=1 -timeout 45m -p $$(n=$$(nproc); echo $$((n + (n + 1) / 2)))
NO_RACE = -run '^Test(Fault|Kill)(Acts|Hosts)?$$' ./lists/cluster/clustertest ./lists/deliver ./lists/web

test: build $(REPORT)
	e2e/apt.sh gcc libc6-dev
	@export TMPDIR=$$(e2e/scratch.sh); race=$(RACE); { \
		$(TEST) $$race -skip '^(TestSystemd$$|TestPackage|TestThreeHosts$$)' ./...; \
		test -z "$$race" || CGO_ENABLED=0 $(TEST) $(NO_RACE); \
	} | $(REPORT); code=$$?; e2e/apt.sh -l; exit $$code

test-systemd: build $(REPORT)
	e2e/apt.sh gcc libc6-dev
	SUPERLIST_TEST_SYSTEMD=1 $(TEST) -run '^TestSystemd$$' ./e2e | $(REPORT)

# Builds two versions, and needs lintian and the like. TestPackage boots a Debian.
test-package: build $(REPORT)
	e2e/apt.sh lintian rpmlint rpm shellcheck fail2ban apparmor logrotate
	rm -rf bin/package
	$(MAKE) deb rpm VERSION=0.1 && mkdir bin/package/old && mv bin/package/*.deb bin/package/*.rpm bin/package/old/
	$(MAKE) deb rpm VERSION=0.2 && mkdir bin/package/new && mv bin/package/*.deb bin/package/*.rpm bin/package/new/
	SUPERLIST_TEST_PACKAGE=$(CURDIR)/bin/package $(TEST) -run '^TestPackage' ./e2e | $(REPORT)

# Three hosts with one PostgreSQL, in network namespaces, while everything fails that can:
# half an hour. CLUSTER_POSTS=200 is two minutes.
CLUSTER_POSTS ?= 20000

test-cluster: $(REPORT)
	@export TMPDIR=$$(e2e/scratch.sh) SUPERLIST_TEST_CLUSTER=$(CLUSTER_POSTS); \
		$(GO) test -json -count=1 -timeout 3h -run '^TestThreeHosts$$' ./e2e/cluster | $(REPORT)

# The pages in Chromium, by axe-core and html-validate, which npm brings, and by
# keyboard in w3m and lynx, which apt-get brings; with new
# pictures for docs/web.md: make test-web SHOTS=docs/web
test-web: build
	npm ci --prefix e2e/browser --ignore-scripts --no-audit --no-fund
	$(GO) run ./e2e/browser $(SHOTS)

lint:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	$(GO) vet ./...
	GOBIN=$(CURDIR)/bin $(GO) install $(STATICCHECK)
	bin/staticcheck ./...
	GOBIN=$(CURDIR)/bin $(GO) install $(GOVULNCHECK)
	bin/govulncheck ./... || { code=$$?; test $$code != 3 && echo "govulncheck could not run: $$code"; }

# What a bad year does to a mail server, in TORTURE_TIME: an hour; 10m is the short form.
# It wants root, or some parts are skipped.
TORTURE_TIME ?= 1h

torture: build
	e2e/apt.sh
	$(GO) run ./e2e/torture -bin bin -time $(TORTURE_TIME) -json docs/torture.json; code=$$?; $(MAKE) tables && exit $$code

bench: build
	e2e/apt.sh gcc libc6-dev libmilter-dev
	$(GO) run ./e2e/bench

# What a session uses, in counts that no machine changes: a minute.
bench-counts: build
	$(GO) run ./e2e/bench -only counts

# What docs/performance.md shows, measured anew: ten minutes on a quiet machine, as
# root. A part that cannot run keeps the figures that it had.
figures: build
	e2e/apt.sh gcc libc6-dev libmilter-dev
	$(GO) run ./e2e/bench -json docs/figures.json -within 15m -rounds 150 -posts 3 -personal 2000 -archive 20000; code=$$?; $(MAKE) tables && exit $$code

tables:
	$(GO) run ./e2e/tables

# All fuzz targets, and what each has covered.
fuzz: go
	$(GO) run ./e2e/fuzz -time $(FUZZTIME)

man: build
	$(GO) run -trimpath -tags man ./cmd/superlist bin bin/man

PROGRAMS = superlist superlist-spawn superlist-session superlist-milter superlist-policy superlist-web

# With DESTDIR only files are put there: the user and the folders are for the
# package that is made of it. A program is renamed into its place, since sessions
# start at any moment.
install: build man
	install -d -m 0755 $(DESTDIR)$(PREFIX)/bin $(DESTDIR)/etc/superlist
	for program in $(PROGRAMS); do \
		install -m 0755 bin/$$program $(DESTDIR)$(PREFIX)/bin/.$$program.new && \
		mv -f $(DESTDIR)$(PREFIX)/bin/.$$program.new $(DESTDIR)$(PREFIX)/bin/$$program || exit 1; \
	done
	for page in bin/man/man?/*; do \
		install -d -m 0755 $(DESTDIR)$(MANDIR)/$$(basename $$(dirname $$page)) && \
		gzip -9n <$$page | install -m 0644 /dev/stdin $(DESTDIR)$(MANDIR)/$$(basename $$(dirname $$page))/$$(basename $$page).gz || exit 1; \
	done
	test -e $(DESTDIR)/etc/superlist/superlist.toml || \
		sed "s/^hostname .*/hostname = \"$$(hostname -f 2>/dev/null || hostname)\"/" contrib/superlist.toml | \
		install -m 0644 /dev/stdin $(DESTDIR)/etc/superlist/superlist.toml
	test -n "$(DESTDIR)" || contrib/setup.sh

uninstall:
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/bin/,$(PROGRAMS))
	rm -f $(DESTDIR)$(MANDIR)/man1/superlist.1.gz $(DESTDIR)$(MANDIR)/man1/superlist-*.1.gz $(DESTDIR)$(MANDIR)/man8/superlist-*.8.gz \
		$(DESTDIR)$(MANDIR)/man5/superlist.toml.5.gz $(DESTDIR)$(MANDIR)/man5/list.toml.5.gz \
		$(DESTDIR)$(MANDIR)/man5/rules.5.gz $(DESTDIR)$(MANDIR)/man5/superlist-*.5.gz

# A package's version is the time of its last commit, so that a newer one is an
# upgrade; VERSION=1.0 makes a release.
VERSION    ?= $(shell TZ=UTC git log -1 --format=%cd --date=format-local:0.%Y%m%d.%H%M%S)
MAINTAINER ?= $(shell git log -1 --format='%an <%ae>')
PACKAGE     = VERSION=$(VERSION) MAINTAINER="$(MAINTAINER)" SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) ARCH=$$($(GO) env GOARCH)

stage: build man
	$(PACKAGE) contrib/package/stage.sh bin/package/stage $(VERSION)

# Debian's control file has no field for the license.
deb: stage
	sed '/^license:/d' contrib/package/nfpm.yaml >bin/package/deb.yaml
	$(PACKAGE) $(GO) run $(NFPM) package -f bin/package/deb.yaml -p deb -t bin/package/

rpm: stage
	$(PACKAGE) $(GO) run $(NFPM) package -f contrib/package/nfpm.yaml -p rpm -t bin/package/

clean:
	rm -rf bin
