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
install(DIRECTORY libahoy COMPONENT libahoy-dev DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    FILES_MATCHING PATTERN "*.h")

foreach(component ahoyd ahoy libahoy-dev)
    install(FILES LICENSE RENAME copyright COMPONENT ${component}
        DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${component})
endforeach()
install(FILES docs/ahoyd.lua COMPONENT ahoyd
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/ahoyd/examples)

# A package brings a configuration that starts; who installs by hand writes one (ahoyd.lua(5)).
install(FILES packaging/ahoyd.lua COMPONENT ahoyd DESTINATION /etc/ahoyd EXCLUDE_FROM_ALL)

include(cmake/packages.cmake)
