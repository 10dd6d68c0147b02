# Included by the Makefile: tarballs and Debian packages. The same files make the same bytes, wherever and whenever.

NAME   := tlsmem-$(VERSION)
BINARY := $(NAME)-linux-$(shell uname -m)

# The one time that is written into anything: that of debian/changelog, unless the environment has another one.
EPOCH = $(or $(SOURCE_DATE_EPOCH),$(shell date +%s -d "$$(sed -n 's/^ -- .*>  //p' debian/changelog | head -n 1)"))

# $(call packed,NAME): begins a tarball of build/dist, of what is named behind it.
packed = XZ_OPT=-T1 tar -cJf $(CURDIR)/build/dist/$(1).tar.xz --format=gnu --sort=name --mtime=@$(EPOCH) \
	--owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX

.PHONY: sources dist deb

# What git knows of, as it stands here; without git, whatever was not built.
sources:
	mkdir -p build/dist
	{ if [ -e .git ]; then git ls-files -z; else find . -name '.build*' -prune -o -name __pycache__ -prune -o \
		-path ./build -prune -o ! -type d ! -name '*.o' ! -name Package.resolved -printf '%P\0'; fi; } | LC_ALL=C sort -z | \
		$(call packed,$(NAME)) --transform='s,^,$(NAME)/,rSH' --null --verbatim-files-from --files-from=-

# The second tarball may be unpacked anywhere: its .pc file looks for the library beside itself.
dist: sources all
	rm -rf build/dist/place
	$(MAKE) --no-print-directory install DESTDIR=$(CURDIR)/build/dist/place PREFIX=/usr LIBDIR=/usr/lib INCLUDEDIR=/usr/include
	mv build/dist/place/usr build/dist/place/$(BINARY)
	sed -i 's|^prefix=.*|prefix=$${pcfiledir}/../..|' build/dist/place/$(BINARY)/lib/pkgconfig/tlsmem.pc
	$(INSTALL) -d build/dist/place/$(BINARY)/share/doc/tlsmem
	cp -r --parents README.md CHANGELOG.md SECURITY.md docs/*.md docs/plots examples-c build/dist/place/$(BINARY)/share/doc/tlsmem/
	cp LICENSE build/dist/place/$(BINARY)/
	$(call packed,$(BINARY)) -C build/dist/place $(BINARY)
	rm -r build/dist/place
	cd build/dist && sha256sum $(NAME).tar.xz $(BINARY).tar.xz > SHA256SUMS

# Of the sources as they are packed, in a folder of its own; what this make was told is not debian/rules' affair.
deb: sources
	@Tests/packages packages
	rm -rf build/deb && mkdir -p build/deb
	tar -xf build/dist/$(NAME).tar.xz -C build/deb
	cd build/deb/$(NAME) && env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS SWIFT=$(SWIFT) dpkg-buildpackage -us -uc -b
	rm -r build/deb/$(NAME)
