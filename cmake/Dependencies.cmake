# SPDX-License-Identifier: Apache-2.0
# Every library xdirector stands on, found once; Debian's package names are in examples/lab/setup.sh.
find_package(PkgConfig REQUIRED)
pkg_check_modules(libbpf REQUIRED IMPORTED_TARGET libbpf>=1.0)
pkg_check_modules(libnl REQUIRED IMPORTED_TARGET libnl-3.0 libnl-route-3.0)
pkg_check_modules(libevent REQUIRED IMPORTED_TARGET libevent>=2.1 libevent_core>=2.1)
pkg_check_modules(libcurl REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(libcapng REQUIRED IMPORTED_TARGET libcap-ng)
pkg_check_modules(libsystemd REQUIRED IMPORTED_TARGET libsystemd)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(CLI11 REQUIRED)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
