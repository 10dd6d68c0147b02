# libtlsmem: what a C programmer types, over `swift build`. `make help` lists it.

PREFIX     = /usr/local
LIBDIR     = $(PREFIX)/lib
INCLUDEDIR = $(PREFIX)/include
MANDIR     = $(PREFIX)/share/man
DESTDIR    =
SWIFT      = swift
INSTALL    = install
STRIP      = strip

# The header is the one place where the version is written.
macro     = $(shell sed -n 's/^.define TLSMEM_VERSION_$(1) //p' include/tlsmem.h)
VERSION  := $(call macro,MAJOR).$(call macro,MINOR).$(call macro,PATCH)
# Its number counts how often the binary interface was broken: docs/abi.md.
SONAME   := $(shell sed -n 's/.*-soname=\(libtlsmem.so.[0-9]*\)".*/\1/p' Package.swift)
REAL     := libtlsmem.so.$(VERSION)

STAGE    := $(CURDIR)/build/stage
DYNAMIC  := $(STAGE)/include/tlsmem_dynamic.h
OUTPUT   := .build/release
SOURCES  := Package.swift include/tlsmem.h $(wildcard pkgconfig/*.in cmake/*.in) $(shell find Sources -type f)
MANUAL   := include/tlsmem.h $(wildcard docs/man/* docs/manual/*.py docs/manual/make examples-c/*.c Tests/Migrate/*.c)
EXAMPLES := PKG_CONFIG_PATH=$(STAGE)/lib/pkgconfig $(MAKE) -C examples-c BUILD=$(CURDIR)/build/examples

# What is built does not remember where: neither in code, nor in what a debugger reads, nor in swiftc's hashes of its input.
PLACELESS := $(addprefix -Xswiftc ,-file-prefix-map $(CURDIR)=. -Xfrontend -no-clang-module-breadcrumbs \
	-Xfrontend -disable-incremental-llvm-codegen)

# $(call described,DESTDIR,PREFIX,LIBDIR,INCLUDEDIR) lays out what tells pkg-config and CMake of a library in that place.
POINTER_SIZE = $(if $(filter 64,$(shell getconf LONG_BIT)),8,4)
filled = sed -e 's|@VERSION@|$(VERSION)|' -e 's|@SONAME@|$(SONAME)|' -e 's|@POINTER_SIZE@|$(POINTER_SIZE)|' \
	-e 's|@PREFIX@|$(2)|' -e 's|@LIBDIR@|$(3:$(2)/%=$${prefix}/%)|' -e 's|@INCLUDEDIR@|$(4:$(2)/%=$${prefix}/%)|' \
	-e "s|@INCLUDEDIR_FROM_LIBDIR@|$$(realpath -ms --relative-to=$(3) $(4))|"
define described
	$(INSTALL) -d $(1)$(3)/pkgconfig $(1)$(3)/cmake/tlsmem
	$(filled) pkgconfig/tlsmem.pc.in > $(1)$(3)/pkgconfig/tlsmem.pc
	$(filled) cmake/tlsmemConfig.cmake.in > $(1)$(3)/cmake/tlsmem/tlsmemConfig.cmake
	$(filled) cmake/tlsmemConfigVersion.cmake.in > $(1)$(3)/cmake/tlsmem/tlsmemConfigVersion.cmake
	chmod 644 $(1)$(3)/pkgconfig/tlsmem.pc $(1)$(3)/cmake/tlsmem/*
endef

# What looks inside a running program; gdb finds its part by the name of the library's file.
TOOLS     = $(PREFIX)/share/libtlsmem
AUTO_LOAD = $(PREFIX)/share/gdb/auto-load$(LIBDIR)

# Nothing below quotes its paths, and tlsmem.pc has them as they are.
$(foreach path,PREFIX LIBDIR INCLUDEDIR MANDIR DESTDIR,$(if $(word 2,$($(path))),$(error $(path) has a space in it: $($(path)))))
$(foreach path,PREFIX LIBDIR INCLUDEDIR MANDIR,$(if $(filter-out /%,$($(path))),$(error $(path) is not absolute: $($(path)))))

.DELETE_ON_ERROR:
.PHONY: all examples demo test check drivers faces figures simulate mutations bench \
	signing soak slow-http proxy-soak scanners sweeps settings hostile fuzz bogo newer-openssl \
	coverage site format install uninstall clean help

all: build/staged build/manual $(DYNAMIC)

# Everything that an installation has, laid out under build/stage. Nothing is done when no source changed, so that
# `sudo make install` after `make` does not build as root.
build/staged: $(SOURCES) Makefile
	@command -v $(SWIFT) >/dev/null || { echo 'make: needs Swift 6.3 or newer, and finds no "$(SWIFT)":' \
		'see https://www.swift.org/install/linux/ (or: make SWIFT=/path/to/swift)' >&2; exit 1; }
	@command -v pkg-config >/dev/null || { echo 'make: needs pkg-config (Debian: apt-get install pkg-config)' >&2; exit 1; }
	@pkg-config --exists 'openssl >= 3.0' || { echo 'make: pkg-config finds no OpenSSL 3.0 or newer' \
		'(Debian: apt-get install libssl-dev)' >&2; exit 1; }
	@# Swift does not see that a C header has changed.
	@[ ! -e $(OUTPUT)/libtlsmem.so ] || [ -z "$$(find include Sources -name '*.h' -newer $(OUTPUT)/libtlsmem.so)" ] || \
		rm -f $(OUTPUT)/*.build/*.o
	$(SWIFT) build -c release --disable-local-rpath --product tlsmem $(PLACELESS)
	rm -rf $(STAGE) && mkdir -p $(STAGE)/lib $(STAGE)/include
	cp $(OUTPUT)/libtlsmem.so $(STAGE)/lib/$(REAL)
	chmod 755 $(STAGE)/lib/$(REAL)
	$(NEEDS_PYTHON)
	Sources/CLinux/probe_notes.py $(STAGE)/lib/$(REAL)
	$(STRIP) --strip-unneeded $(STAGE)/lib/$(REAL)
	ln -s $(REAL) $(STAGE)/lib/$(SONAME)
	ln -s $(SONAME) $(STAGE)/lib/libtlsmem.so
	@# One object in the archive, in which only the library's own functions can be seen from outside.
	$(LD) -r -o build/whole.o @$(OUTPUT)/tlsmem.product/Objects.LinkFileList
	objcopy --wildcard --keep-global-symbol='tlsmem_*' --strip-debug \
		-R .swift1_autolink_entries -R .swift_modhash -R .linker-options build/whole.o build/tlsmem.o
	$(AR) rcs $(STAGE)/lib/libtlsmem.a build/tlsmem.o
	rm build/whole.o build/tlsmem.o
	cp include/tlsmem.h $(STAGE)/include/
	$(call described,,$(STAGE),$(STAGE)/lib,$(STAGE)/include)
	@touch $@

# What is made of the header: a man page for every function, and those of docs/man; and the header for who uses dlopen.
NEEDS_PYTHON = @command -v python3 >/dev/null || { echo 'make: needs Python 3 to read the header and the probes' \
	'(Debian: apt-get install python3)' >&2; exit 1; }
build/manual: $(MANUAL) build/staged
	$(NEEDS_PYTHON)
	docs/manual/make $(STAGE)/share/man
	@touch $@

$(DYNAMIC): $(wildcard include/*) docs/manual/header.py build/staged
	$(NEEDS_PYTHON)
	include/dynamic.py $(SONAME) > $@

# The same and the papers for a browser, in build/site/index.html.
site: all
	@Tests/packages site
	@for python in python3 /usr/bin/python3; do ! $$python -c 'import markdown' 2>/dev/null || break; done && \
		$$python docs/manual/make build/site --site && echo 'build/site/index.html'

examples: all
	@# Programs older than the library and its headers are built anew.
	@[ ! -d build/examples ] || find build/examples -type f ! -newer $(DYNAMIC) -delete
	$(EXAMPLES)

demo:
	@Tests/packages demo
	@$(MAKE) --no-print-directory --silent examples
	@Tests/demo

test:
	Tests/packages test
	Tests/run

check:
	Tests/packages check
	@$(MAKE) --no-print-directory examples
	Tests/check $(CHECKS)

# The two versions beside each other.
faces: examples
	Tests/Conformance/run all PROGRAMS=faces
	@$(MAKE) --no-print-directory -j2 faces-2 faces-3

# So many seeds of the simulator, on all processors.
simulate: all
	@Tests/Simulation/run all $(or $(SEEDS),10000)

# Planted bugs, and which test finds each: half an hour and more.
mutations: examples
	@Tests/Simulation/run 1 >/dev/null
	@Tests/Conformance/run all PROGRAMS="sweep alloc" >/dev/null
	@Tests/Conformance/run with Tests/Mutations/run $(BUGS)

# What a loop does under load. The machine should have nothing else to do.
figures: examples
	CROWD=10000 Tests/Conformance/run run LANES=1 PROGRAMS="timers crowd burst slow_reader"

# Beside other TLS servers, in one run: Benchmarks/README.md.
bench: examples
	@Tests/packages bench
	@PKG_CONFIG_PATH=$(STAGE)/lib/pkgconfig $(MAKE) --no-print-directory -C Benchmarks BUILD=$(CURDIR)/build/bench/bin
	@Benchmarks/run $(if $(QUICK),--quick)

# Handshakes whose signature another process makes, beside a key of one's own. The machine should have nothing else to do.
signing: all
	@$(MAKE) --no-print-directory --silent -C Benchmarks/memory run PROGRAMS=signing

# The same echo server in ten loops, ours and other people's, under the same cases.
drivers: examples
	@Tests/Conformance/run drivers

# Each setting with ours and other people's clients and servers: a table.
settings: examples
	@Tests/packages test
	@Tests/Peers/settings_matrix.py $(ROWS)

# Attacks, over every face, with OpenSSL's own programs beside it: a table.
hostile: examples
	@Tests/packages test
	@Tests/Hostile/run all $(if $(ATTACKS),--only "$(ATTACKS)")

# The same library with the OpenSSL of a later Debian.
newer-openssl: examples
	@Tests/packages test
	@Tests/newer-openssl

# A million connections, or so many CONNECTIONS, or so many MINUTES of them: memory, descriptors and objects are flat, or it fails.
soak: all
	@Tests/packages soak
	@CONNECTIONS=$(CONNECTIONS) MINUTES=$(MINUTES) SEED=$(SEED) Tests/Soak/run

# Clients that are slow on purpose, so many CONNECTIONS of each kind for so many SECONDS, and an honest one beside them: a table.
slow-http: examples
	@Tests/packages test
	@cd Tests/Peers && SLOW_CONNECTIONS=$(or $(CONNECTIONS),1000) SLOW_SECONDS=$(or $(SECONDS),60) python3 -m unittest -v test_slow_http

# BoringSSL's protocol tests with the textbook's program on OpenSSL, over the buffers face, and over the fd face: a table.
bogo: examples
	@Tests/packages test
	@Tests/BoGo/run

# tls_proxy between Redis, PostgreSQL and their own benchmarks, for a while.
proxy-soak: examples
	Tests/packages test
	@cd Tests/Peers && python3 soak.py $(or $(MINUTES),10)

# Every system call, and every allocation, failing in every way, each time that it is made; nothing is left out.
sweeps: examples
	@TLSMEM_TEST_SECONDS=36000 SWEEP_MOST=1000000 ALLOC_MOST=1000000 Tests/Conformance/run run \
		PROGRAMS='sweep alloc starved' EDGES= MOVES= FALLBACKS=

# What testssl.sh, sslyze, sslscan and nmap say of a server with our defaults and presets: some minutes.
scanners: examples
	Tests/packages scanners
	@cd Tests/Peers && python3 -m unittest -v test_scanners scan

# Each fuzzer with libFuzzer and AddressSanitizer for so many seconds: executions, coverage, findings.
fuzz: all
	Tests/packages test
	@Tests/Fuzz/run all $(or $(TIME),600) $(FUZZ)

# Which lines of Sources all of that reaches, and why not the others: a quarter of an hour.
coverage:
	Tests/packages test
	@Tests/Coverage/run $(PARTS)

faces-%:
	@FACES_VERSION=$* FACES_LARGE_SEEDS=200 WIRE_BYTEWISE_MOST=5400000 TLSMEM_TEST_SECONDS=7200 \
		Tests/Conformance/run run-only PROGRAMS=faces EDGES= MOVES= FALLBACKS=


format:
	$(SWIFT) format --in-place --recursive Sources Tests

install: all
	$(INSTALL) -d $(DESTDIR)$(LIBDIR) $(DESTDIR)$(INCLUDEDIR)
	$(INSTALL) -m 755 $(STAGE)/lib/$(REAL) $(DESTDIR)$(LIBDIR)/
	ln -sf $(REAL) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libtlsmem.so
	$(INSTALL) -m 644 $(STAGE)/lib/libtlsmem.a $(DESTDIR)$(LIBDIR)/
	$(INSTALL) -m 644 include/tlsmem.h $(DYNAMIC) $(DESTDIR)$(INCLUDEDIR)/
	$(INSTALL) -d $(DESTDIR)$(MANDIR)/man3 $(DESTDIR)$(MANDIR)/man7
	$(INSTALL) -m 644 $$(find $(STAGE)/share/man/man3 -type f) $(DESTDIR)$(MANDIR)/man3/
	cp -Pf $$(find $(STAGE)/share/man/man3 -type l) $(DESTDIR)$(MANDIR)/man3/
	$(INSTALL) -m 644 $(STAGE)/share/man/man7/* $(DESTDIR)$(MANDIR)/man7/
	$(INSTALL) -d $(DESTDIR)$(TOOLS) $(DESTDIR)$(AUTO_LOAD)
	$(INSTALL) -m 644 tools/tlsmem.bt tools/tlsmem_gdb.py $(DESTDIR)$(TOOLS)/
	$(INSTALL) -m 755 tools/tlsmem-explain $(DESTDIR)$(TOOLS)/
	ln -sf $$(realpath -ms --relative-to=$(AUTO_LOAD) $(TOOLS))/tlsmem_gdb.py $(DESTDIR)$(AUTO_LOAD)/$(REAL)-gdb.py
	$(call described,$(DESTDIR),$(PREFIX),$(LIBDIR),$(INCLUDEDIR))
	@# Into a live system, not a package: let the loader learn of the new library.
	@if [ -z "$(DESTDIR)" ] && [ "$$(id -u)" = 0 ] && command -v ldconfig >/dev/null; then ldconfig; fi

uninstall:
	rm -f $(addprefix $(DESTDIR)$(LIBDIR)/,libtlsmem.so $(SONAME) $(REAL) libtlsmem.a pkgconfig/tlsmem.pc)
	rm -rf $(DESTDIR)$(LIBDIR)/cmake/tlsmem $(DESTDIR)$(TOOLS)
	rm -f $(DESTDIR)$(AUTO_LOAD)/$(REAL)-gdb.py
	rm -f $(addprefix $(DESTDIR)$(INCLUDEDIR)/,tlsmem.h tlsmem_dynamic.h)
	rm -f $(DESTDIR)$(MANDIR)/man3/tlsmem_*.3 $(DESTDIR)$(MANDIR)/man7/tlsmem.7 $(DESTDIR)$(MANDIR)/man7/tlsmem-*.7

# Where a distribution has put a debian/ of its own in the place of ours, there are no packages to be made.
-include debian/packages.mk

clean:
	rm -rf build .build .build-*

help:
	@echo 'make               build the library $(VERSION), everything under build/stage'
	@echo 'make examples      build the example programs into build/examples'
	@echo 'make demo          a TLS echo server on epoll and a client, and what they did'
	@echo 'make test          run every test (Debian packages that are missing: installed when root, else named)'
	@echo 'make check         the longer checks: tidiness, manual, ABI, format, installation, packages (as root), costs, sanitizers, valgrind (CHECKS=... for some)'
	@echo 'make settings      each setting with ours and others'\'' clients and servers: a table (ROWS="ALPN session" for some)'
	@echo 'make hostile       peers that attack, over every face, and OpenSSL beside it: a table (ATTACKS="storms" for some)'
	@echo 'make newer-openssl the same library with the OpenSSL of a later Debian (SUITE=trixie)'
	@echo 'make bogo          BoringSSL'\''s protocol tests with ours and the textbook'\''s program: a table, and why they differ'
	@echo 'make drivers       the same echo server in ten loops (poll, libuv, GLib, io_uring, ...) under the same cases: a table'
	@echo 'make faces         every pair of faces over every cut, 5 MiB both ways too: half an hour'
	@echo 'make simulate      connections in a world of their own, SEEDS=10000 of them: figures, or the seed that fails'
	@echo 'make mutations     bugs planted in the library one by one, and which test finds each (BUGS="on-close-twice" for some): an hour'
	@echo 'make figures       timers, 10,000 connections, a burst of newcomers, a slow reader: prints what they cost'
	@echo 'make bench         beside OpenSSL, libevent, GnuTLS, nginx and others: tables and plots (QUICK=1: in a few minutes)'
	@echo 'make signing       handshakes a second with a key of the server'\''s own, one that the program asks, and one in another process'
	@echo 'make soak          connections come and go by the million (CONNECTIONS=1000000 MINUTES= SEED=): memory flat, or it fails; a plot'
	@echo 'make slow-http     slowhttptest against https_server (CONNECTIONS=1000 SECONDS=60), and an honest client meanwhile: a table'
	@echo 'make proxy-soak    Redis and PostgreSQL through tls_proxy, MINUTES=10: operations, errors, memory'
	@echo 'make scanners      what testssl.sh, sslyze, sslscan and nmap say of the defaults and presets: four minutes'
	@echo 'make sweeps        every call that can fail failing, each time that it is made: an hour or two'
	@echo 'make fuzz          each fuzzer for TIME=600 seconds, with AddressSanitizer: a table (FUZZ="calls setters" for some)'
	@echo 'make coverage      which lines of Sources the tests reach, and why not the others: a quarter of an hour'
	@echo 'make site          the manual and the papers for a browser: build/site/index.html'
	@echo 'make format        lay out the Swift sources as .swift-format says'
	@echo 'make install       PREFIX=$(PREFIX) LIBDIR=$(LIBDIR) INCLUDEDIR=$(INCLUDEDIR) DESTDIR=$(DESTDIR)'
	@echo 'make uninstall     with the same variables'
	@echo 'make dist          sources, and what an installation has, as tarballs with their sums: build/dist'
	@echo 'make deb           Debian packages: build/deb'
	@echo 'make clean         remove what was built'
	@echo 'SWIFT=...          the Swift to build with, 6.3 or newer: $(SWIFT)'
