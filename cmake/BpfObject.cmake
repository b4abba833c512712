# SPDX-License-Identifier: Apache-2.0
# bpf_compile(OBJECT SOURCE CLANG): a BPF program, without the sanitizers and the warnings of the host code.
# bpf_object(NAME SOURCE): compiles one and makes the library NAME_skeleton, whose header NAME.skel.h embeds the object.
find_program(BPF_CLANG NAMES clang clang-19 clang-18 clang-17 clang-16 clang-15 clang-14 REQUIRED)
# Ubuntu's bpftool is a wrapper that looks for one made for the running kernel; any version will do for a skeleton.
file(GLOB bpftool_of_linux_tools /usr/lib/linux-tools/*/bpftool /usr/lib/linux-tools-*/bpftool)
find_program(BPFTOOL NAMES bpftool PATHS /usr/sbin /sbin)
if(bpftool_of_linux_tools)
  list(GET bpftool_of_linux_tools -1 BPFTOOL)
endif()
if(NOT BPFTOOL)
  message(FATAL_ERROR "bpftool not found: install the package bpftool (Debian) or linux-tools-common (Ubuntu)")
endif()

function(bpf_compile object source clang)
  get_filename_component(source ${source} ABSOLUTE)
  add_custom_command(
    OUTPUT ${object}
    COMMAND ${clang} -O2 -g -target bpf -mcpu=v3 -std=gnu11 -Wall -Wextra -Werror
            -I${PROJECT_SOURCE_DIR}/include -I${PROJECT_SOURCE_DIR}/bpf -idirafter /usr/include/${CMAKE_LIBRARY_ARCHITECTURE}
            -MD -MF ${object}.d -MT ${object} -c ${source} -o ${object}
    DEPENDS ${source} DEPFILE ${object}.d VERBATIM
    COMMENT "BPF ${object}")
endfunction()

function(bpf_object name source)
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.bpf.o)
  set(skeleton ${CMAKE_CURRENT_BINARY_DIR}/skeleton/${name}.skel.h)
  bpf_compile(${object} ${source} ${BPF_CLANG})
  add_custom_command(
    OUTPUT ${skeleton}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_CURRENT_BINARY_DIR}/skeleton
    COMMAND ${BPFTOOL} gen skeleton ${object} name ${name} > ${skeleton}
    DEPENDS ${object} VERBATIM
    COMMENT "Skeleton ${name}")
  add_custom_target(${name}_skeleton_header DEPENDS ${skeleton})
  add_library(${name}_skeleton INTERFACE)
  add_dependencies(${name}_skeleton ${name}_skeleton_header)
  target_include_directories(${name}_skeleton SYSTEM INTERFACE ${CMAKE_CURRENT_BINARY_DIR}/skeleton)
  target_link_libraries(${name}_skeleton INTERFACE PkgConfig::libbpf)
endfunction()
