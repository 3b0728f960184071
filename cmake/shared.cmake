# ahoy_shared(NAME PARTS part... FACE header... FROM folder LINKS target...): the shared library of
# these parts.  It exports what the headers of its face declare, and those that they include, as far
# as they stand in the folder; all else in it nobody can link.  As a script, with -P, it writes the
# list for the linker.
if(CMAKE_SCRIPT_MODE_FILE)
    cmake_minimum_required(VERSION 3.25)
    set(waiting ${FACE})
    set(seen)
    set(names)
    while(waiting)
        list(POP_FRONT waiting header)
        list(APPEND seen ${header})
        file(READ ${ROOT}/${header} text)
        string(REGEX MATCHALL "#include \"libahoy/[^\"]*" lines "${text}")
        foreach(line ${lines})
            string(REGEX REPLACE ".*\"" "" found "${line}")
            if(found MATCHES "^${FROM}/" AND NOT found IN_LIST seen AND NOT found IN_LIST waiting)
                list(APPEND waiting ${found})
            endif()
        endforeach()
        # Functions, and the few tables that a program reads.
        string(REGEX MATCHALL "ahoy_[a-z0-9_]+\\(|\nextern const [^;(]*" found "${text}")
        foreach(line ${found})
            string(REGEX MATCHALL "ahoy_[a-z0-9_]+" words "${line}")
            list(POP_BACK words name)
            list(APPEND names ${name})
        endforeach()
    endwhile()
    list(SORT names)
    list(REMOVE_DUPLICATES names)
    list(JOIN names ";\n        " text)
    file(WRITE ${OUT}
        "AHOY_${MAJOR} {\n    global:\n        ${text};\n    local:\n        *;\n};\n")
    return()
endif()

function(ahoy_shared name)
    cmake_parse_arguments(PARSE_ARGV 1 shared "" "FROM" "PARTS;FACE;LINKS")
    set(list ${CMAKE_BINARY_DIR}/${name}.map)
    file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/libahoy/*.h)
    add_custom_command(OUTPUT ${list} VERBATIM
        DEPENDS ${headers} ${CMAKE_SOURCE_DIR}/include/ahoy/ahoy.h
            ${CMAKE_SOURCE_DIR}/cmake/shared.cmake
        COMMAND ${CMAKE_COMMAND} -DROOT=${CMAKE_SOURCE_DIR} "-DFACE=${shared_FACE}"
            -DFROM=${shared_FROM} -DMAJOR=${PROJECT_VERSION_MAJOR} -DOUT=${list}
            -P ${CMAKE_SOURCE_DIR}/cmake/shared.cmake)
    add_custom_target(${name}_list DEPENDS ${list})
    list(TRANSFORM shared_PARTS REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>" OUTPUT_VARIABLE objects)
    add_library(${name} SHARED ${objects})
    add_dependencies(${name} ${name}_list)
    target_link_libraries(${name} PRIVATE ${shared_LINKS})
    # The archives' objects as they are: to optimize all of it once more takes half a minute.
    target_link_options(${name} PRIVATE -Wl,--version-script=${list} -fno-lto
        -Wl,-z,defs,-z,relro,-z,now,-z,noexecstack)
    set_target_properties(${name} PROPERTIES LINKER_LANGUAGE C VERSION ${PROJECT_VERSION}
        SOVERSION ${PROJECT_VERSION_MAJOR} LINK_DEPENDS ${list})
endfunction()
