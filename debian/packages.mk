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
	if [ -e .git ]; then git ls-files -z; else find . -name '.build*' -prune -o -name __pycache__ -prune -o \
		-path ./build -prune -o ! -type d ! -name '*.o' ! -name Package.resolved -printf '%P\0'; fi > build/dist/names
	LC_ALL=C sort -z -o build/dist/names build/dist/names
	$(call packed,$(NAME)) --transform='s,^,$(NAME)/,rSH' --null --verbatim-files-from --files-from=build/dist/names
	rm build/dist/names

# The sources in a folder of their own, FOLDER/$(NAME), where nothing is built yet: swift build does not see everything that
# has changed. Who is called there knows nothing of what this make was told.
unpacked = rm -rf $(1) && mkdir -p $(1) && tar -xf build/dist/$(NAME).tar.xz -C $(1) && cd $(1)/$(NAME) && \
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS SWIFT=$(SWIFT)

# The second tarball may be unpacked anywhere: its .pc file looks for the library beside itself.
PLACE := build/dist/made/usr
dist: sources
	$(call unpacked,build/dist/made) make install SWIFT=$(SWIFT) DESTDIR=$(CURDIR)/build/dist/made PREFIX=/usr
	sed -i 's|^prefix=.*|prefix=$${pcfiledir}/../..|' $(PLACE)/lib/pkgconfig/tlsmem.pc
	mkdir -p $(PLACE)/share/doc/tlsmem
	cd build/dist/made/$(NAME) && cp LICENSE ../usr/ && \
		cp -r --parents README.md CHANGELOG.md SECURITY.md docs/*.md docs/plots examples-c ../usr/share/doc/tlsmem/
	$(call packed,$(BINARY)) --transform='s,^usr,$(BINARY),rSH' -C build/dist/made usr
	rm -r build/dist/made
	cd build/dist && sha256sum $(NAME).tar.xz $(BINARY).tar.xz > SHA256SUMS

deb: sources
	@Tests/packages packages
	$(call unpacked,build/deb) dpkg-buildpackage -us -uc -b
	rm -r build/deb/$(NAME)
