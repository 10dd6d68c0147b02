# An installation, and programs of strangers that are built with it: by pkg-config, make, CMake and Meson, in C and C++.

succeeds "what is installed serves strangers, and goes away again" Tests/install
