# How everything here is compiled: one interface target, ahoy_flags.
option(AHOY_FUZZ "Build the libFuzzer targets (clang only)" OFF)
set(AHOY_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them: address,undefined or thread")

add_library(ahoy_flags INTERFACE)
target_include_directories(ahoy_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(ahoy_flags INTERFACE _GNU_SOURCE AHOY_VERSION="${PROJECT_VERSION}")
# Asserts stay on in release builds: our own mistakes must not become a stranger's chance.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELWITHDEBINFO "${CMAKE_C_FLAGS_RELWITHDEBINFO}")
target_compile_options(ahoy_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
    -fno-omit-frame-pointer -fstack-protector-strong -fcf-protection=full -fno-strict-overflow)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" OR CMAKE_C_COMPILER_VERSION VERSION_GREATER_EQUAL 15)
    target_compile_options(ahoy_flags INTERFACE -ftrivial-auto-var-init=zero)
endif()
target_compile_options(ahoy_flags INTERFACE -fstack-clash-protection)
if(AHOY_SANITIZE)
    target_compile_options(ahoy_flags INTERFACE -fsanitize=${AHOY_SANITIZE} -fno-sanitize-recover=all)
    target_link_options(ahoy_flags INTERFACE -fsanitize=${AHOY_SANITIZE})
else()
    target_compile_options(ahoy_flags INTERFACE $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE> $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=3>)
endif()
target_link_options(ahoy_flags INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)
if(NOT AHOY_SANITIZE)
    target_link_options(ahoy_flags INTERFACE $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-pie>)
endif()
