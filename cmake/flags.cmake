# How everything here is compiled: one interface target, ahoy_flags.
include(CheckCCompilerFlag)
include(CheckPIESupported)

option(AHOY_FUZZ "Build the libFuzzer targets (clang only)" OFF)
option(AHOY_COVERAGE "Count which lines are reached (clang only)" OFF)
option(AHOY_LTO "Optimize at link time (gcc; not with sanitizers)" ON)
set(AHOY_PROFILE "" CACHE STRING "Of what programs do: generate it, or use it (gcc; tools/train)")
set(AHOY_SANITIZE "" CACHE STRING "Sanitizers, for -fsanitize=: address,undefined or thread")
if((AHOY_FUZZ OR AHOY_COVERAGE) AND NOT CMAKE_C_COMPILER_ID MATCHES Clang)
    message(FATAL_ERROR "Not ${CMAKE_C_COMPILER} but clang can do this; use the preset fuzz.")
endif()

# Every program is position independent: CMake then compiles with -fPIE and links with -pie.
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
check_pie_supported()

# Asserts stay on in release builds: our own mistakes must not become a stranger's chance.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELWITHDEBINFO "${CMAKE_C_FLAGS_RELWITHDEBINFO}")
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_MINSIZEREL "${CMAKE_C_FLAGS_MINSIZEREL}")

add_library(ahoy_flags INTERFACE)
target_include_directories(ahoy_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(ahoy_flags INTERFACE _GNU_SOURCE AHOY_VERSION="${PROJECT_VERSION}")
target_compile_options(ahoy_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
    -Werror
    -fno-omit-frame-pointer -fno-strict-overflow -fno-semantic-interposition
    -fstack-protector-strong -fstack-clash-protection)
target_link_options(ahoy_flags INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)

# Only x86 has it.
check_c_compiler_flag(-fcf-protection=full AHOY_HAS_CF_PROTECTION)
if(AHOY_HAS_CF_PROTECTION)
    target_compile_options(ahoy_flags INTERFACE -fcf-protection=full)
endif()

# Clang before 16 wants to be asked twice for zeroed variables.
check_c_compiler_flag(-ftrivial-auto-var-init=zero AHOY_HAS_ZERO_INIT)
if(NOT AHOY_HAS_ZERO_INIT)
    target_compile_options(ahoy_flags INTERFACE
        -enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang)
endif()
target_compile_options(ahoy_flags INTERFACE -ftrivial-auto-var-init=zero)

if(AHOY_SANITIZE)
    target_compile_options(ahoy_flags INTERFACE
        -fsanitize=${AHOY_SANITIZE} -fno-sanitize-recover=all)
    target_link_options(ahoy_flags INTERFACE -fsanitize=${AHOY_SANITIZE})
else()
    # Fortifying needs the optimizer, and the sanitizers watch the same calls better without it.
    target_compile_options(ahoy_flags INTERFACE
        $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE> $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=3>)
endif()
# Small functions are called across files on every message: optimizing at link time saves a
# twentieth of a call's CPU.  The objects hold plain code too, for those who link libahoy.a
# without it.
if(CMAKE_C_COMPILER_ID STREQUAL GNU AND AHOY_LTO AND NOT AHOY_SANITIZE)
    target_compile_options(ahoy_flags INTERFACE
        $<$<NOT:$<CONFIG:Debug>>:-flto=auto> $<$<NOT:$<CONFIG:Debug>>:-ffat-lto-objects>)
    target_link_options(ahoy_flags INTERFACE $<$<NOT:$<CONFIG:Debug>>:-flto=auto>)
endif()

# What is taken often is laid out in a row and inlined.  What the training did not reach is compiled
# as ever, not as if nobody needed it; some of the library no program of ours has.
if(AHOY_PROFILE STREQUAL generate)
    target_compile_options(ahoy_flags INTERFACE -fprofile-generate -fprofile-update=atomic)
    target_link_options(ahoy_flags INTERFACE -fprofile-generate)
elseif(AHOY_PROFILE STREQUAL use)
    if(NOT EXISTS ${CMAKE_BINARY_DIR}/counted)
        message(FATAL_ERROR "Nothing is counted in ${CMAKE_BINARY_DIR}; run tools/train before.")
    endif()
    target_compile_options(ahoy_flags INTERFACE
        -fprofile-use -fprofile-partial-training -Wno-missing-profile)
    # What the compiler suspects here depends on counts, which no two machines share.
    target_compile_options(ahoy_flags INTERFACE -Wno-error)
endif()

# GCC for x86 clears and copies structs with "rep stos" and "rep movs", whose start alone costs more
# than the structs here.
check_c_compiler_flag(-mmemset-strategy=unrolled_loop:128:noalign,libcall:-1:noalign
    AHOY_HAS_STRATEGY)
if(AHOY_HAS_STRATEGY)
    target_compile_options(ahoy_flags INTERFACE
        -mmemset-strategy=unrolled_loop:128:noalign,libcall:-1:noalign
        -mmemcpy-strategy=unrolled_loop:128:noalign,libcall:-1:noalign)
endif()

if(AHOY_FUZZ)
    target_compile_options(ahoy_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(AHOY_COVERAGE)
    target_compile_options(ahoy_flags INTERFACE -fprofile-instr-generate -fcoverage-mapping)
    target_link_options(ahoy_flags INTERFACE -fprofile-instr-generate)
endif()
