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
install(FILES ${CMAKE_SOURCE_DIR}/packaging/ahoyd.service COMPONENT ahoyd
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
install(DIRECTORY libahoy COMPONENT libahoy-dev DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    FILES_MATCHING PATTERN "*.h")
install(FILES include/ahoy/ahoy.h COMPONENT libahoy-dev
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ahoy)

# What pkg-config and CMake read.  The prefix is found from where they lie, as it is chosen when
# they are installed.
file(RELATIVE_PATH AHOY_PC_UP /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
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
foreach(name ahoy ahoy-media)
    configure_file(cmake/${name}.pc.in ${name}.pc @ONLY)
    install(FILES ${CMAKE_BINARY_DIR}/${name}.pc COMPONENT libahoy-dev
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
install(FILES cmake/ahoy-config.cmake COMPONENT libahoy-dev
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/ahoy)
install(DIRECTORY examples COMPONENT libahoy-dev
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/libahoy-dev)

foreach(component ahoyd ahoy libahoy-dev)
    install(FILES LICENSE RENAME copyright COMPONENT ${component}
        DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${component})
endforeach()
install(FILES docs/ahoyd.lua COMPONENT ahoyd
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/ahoyd/examples)

# A package brings a configuration that starts; who installs by hand writes one (ahoyd.lua(5)).
install(FILES packaging/ahoyd.lua COMPONENT ahoyd DESTINATION /etc/ahoyd EXCLUDE_FROM_ALL)

include(cmake/packages.cmake)
