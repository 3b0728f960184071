# What `make install` puts where, and what `make packages` puts into which package: the server, the
# phone, and the library with its headers.
function(ahoy_pages component)
    foreach(page ${ARGN})
        string(REGEX REPLACE ".*\\." "" section ${page})
        install(FILES ${CMAKE_SOURCE_DIR}/docs/man/${page} COMPONENT ${component}
            DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
    endforeach()
endfunction()

install(TARGETS ahoyd ahoyctl RUNTIME COMPONENT ahoyd)
ahoy_pages(ahoyd ahoyd.8 ahoyd.lua.5 ahoyctl.1)
install(FILES packaging/ahoyd.service packaging/ahoyd.socket COMPONENT ahoyd
    DESTINATION lib/systemd/system)

install(TARGETS ahoy RUNTIME COMPONENT ahoy)
ahoy_pages(ahoy ahoy.1)

install(TARGETS libahoy libahoy_media libahoy_io ARCHIVE COMPONENT libahoy-dev)
# What they hold for our own links, twice as much again and of no other compiler, stays behind.
foreach(archive libahoy libahoy_media libahoy_io)
    set(path "\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}")
    install(CODE "execute_process(COMMAND_ERROR_IS_FATAL ANY
        COMMAND ${CMAKE_OBJCOPY} --wildcard -R .gnu.lto_* -R .gnu.debuglto_*
        \"${path}/$<TARGET_FILE_NAME:${archive}>\")" COMPONENT libahoy-dev)
endforeach()
if(AHOY_SHARED)
    install(TARGETS libahoy_shared LIBRARY COMPONENT libahoy0 NAMELINK_COMPONENT libahoy-dev)
    install(TARGETS libahoy_media_shared LIBRARY COMPONENT libahoy-media0
        NAMELINK_COMPONENT libahoy-dev)
endif()
install(DIRECTORY libahoy COMPONENT libahoy-dev DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    FILES_MATCHING PATTERN "*.h")
install(FILES include/ahoy/ahoy.h COMPONENT libahoy-dev
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ahoy)

# What pkg-config and CMake read.  The prefix is found from where they lie, as it is chosen when
# they are installed.
file(RELATIVE_PATH AHOY_PC_UP /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
# Without the shared library, what is private to it is everybody's.
set(AHOY_PC_PRIVATE)
set(AHOY_PC_LIBS "-lahoy_io -lahoy -lwslay -lunbound -pthread")
set(AHOY_PC_LIBS_PRIVATE)
set(AHOY_PC_MEDIA "-lahoy_media -lahoy -lm")
set(AHOY_PC_MEDIA_PRIVATE)
if(AHOY_SHARED)
    set(AHOY_PC_PRIVATE .private)
    set(AHOY_PC_LIBS_PRIVATE "${AHOY_PC_LIBS}")
    set(AHOY_PC_LIBS -lahoy)
    set(AHOY_PC_MEDIA_PRIVATE "-lahoy -lm")
    set(AHOY_PC_MEDIA -lahoy_media)
endif()
set(AHOY_PC_CODECS)
if(SPANDSP_FOUND)
    set(AHOY_PC_CODECS spandsp)
endif()
if(OPUS_FOUND)
    string(APPEND AHOY_PC_CODECS " opus")
endif()
if(SRTP_FOUND)
    string(APPEND AHOY_PC_CODECS " libsrtp2")
endif()
set(AHOY_PC_CODECS_PUBLIC)
if(NOT AHOY_SHARED)
    set(AHOY_PC_CODECS_PUBLIC "${AHOY_PC_CODECS}")
    set(AHOY_PC_CODECS)
endif()
foreach(name ahoy ahoy-media)
    configure_file(cmake/${name}.pc.in ${name}.pc @ONLY)
    install(FILES ${CMAKE_BINARY_DIR}/${name}.pc COMPONENT libahoy-dev
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
install(FILES cmake/ahoy-config.cmake COMPONENT libahoy-dev
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/ahoy)
install(DIRECTORY examples COMPONENT libahoy-dev
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/libahoy-dev)

set(AHOY_COMPONENTS ahoyd ahoy libahoy-dev)
if(AHOY_SHARED)
    list(APPEND AHOY_COMPONENTS libahoy0 libahoy-media0)
endif()
foreach(component ${AHOY_COMPONENTS})
    install(FILES LICENSE RENAME copyright COMPONENT ${component}
        DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${component})
endforeach()
install(FILES docs/ahoyd.lua COMPONENT ahoyd
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/ahoyd/examples)

# A package brings a configuration that starts; who installs by hand writes one (ahoyd.lua(5)).
install(FILES packaging/ahoyd.lua COMPONENT ahoyd DESTINATION /etc/ahoyd EXCLUDE_FROM_ALL)

include(cmake/packages.cmake)
