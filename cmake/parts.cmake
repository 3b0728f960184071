# A folder is a part: every .c file in it belongs to it, so adding a file is all it takes.

# ahoy_part(NAME FOLDERS folder... LINKS target...): the static library of all sources in the
# folders but main.c.  While the folders have none it is an empty target, so that what stands on
# it can be named already.
function(ahoy_part name)
    cmake_parse_arguments(PARSE_ARGV 1 part "" "" "FOLDERS;LINKS")
    set(sources)
    foreach(folder ${part_FOLDERS})
        file(GLOB found CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.c)
        list(FILTER found EXCLUDE REGEX "/main\\.c$")
        list(APPEND sources ${found})
    endforeach()
    if(sources)
        add_library(${name} STATIC ${sources})
        target_link_libraries(${name} PUBLIC ${part_LINKS})
    else()
        add_library(${name} INTERFACE)
        target_link_libraries(${name} INTERFACE ${part_LINKS})
    endif()
endfunction()

# ahoy_program(NAME MAIN PARTS): a program, once its main.c is there.  The target `programs` builds
# all of them, and no test.
add_custom_target(programs)
function(ahoy_program name main parts)
    if(EXISTS ${CMAKE_SOURCE_DIR}/${main})
        add_executable(${name} ${main})
        target_link_libraries(${name} PRIVATE ${parts})
        add_dependencies(programs ${name})
    endif()
endfunction()
