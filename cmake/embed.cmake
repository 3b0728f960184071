# ahoy_embed(TARGET PREFIX FILE...): compiles files into a library, each as the bytes
# PREFIX_FOLDER_NAME and their size, PREFIX_FOLDER_NAME_size.  As a script, with -P, it writes one.
if(CMAKE_SCRIPT_MODE_FILE)
    file(READ ${IN} bytes HEX)
    string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
    file(WRITE ${OUT} "#include <stddef.h>\n"
        "extern const unsigned char ${NAME}[];\nextern const size_t ${NAME}_size;\n"
        "const unsigned char ${NAME}[] = {\n${bytes}\n};\n"
        "const size_t ${NAME}_size = sizeof ${NAME};\n")
    return()
endif()

function(ahoy_embed target prefix)
    foreach(path ${ARGN})
        get_filename_component(name ${path} NAME)
        get_filename_component(folder ${path} DIRECTORY)
        get_filename_component(folder ${folder} NAME)
        string(MAKE_C_IDENTIFIER ${prefix}_${folder}_${name} name)
        set(source ${CMAKE_BINARY_DIR}/embedded/${name}.c)
        add_custom_command(OUTPUT ${source} DEPENDS ${CMAKE_SOURCE_DIR}/${path}
            ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
            COMMAND ${CMAKE_COMMAND} -DIN=${CMAKE_SOURCE_DIR}/${path} -DOUT=${source} -DNAME=${name}
                -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake)
        target_sources(${target} PRIVATE ${source})
    endforeach()
endfunction()
