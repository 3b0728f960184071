# The Debian packages: `make packages` has CPack write them into build/packages.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_SOURCE_DIR}/build/packages)
set(CPACK_PACKAGE_CONTACT "The makers of Ahoy <ahoy@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL ${AHOY_COMPONENTS})
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_AHOYD_PACKAGE_NAME ahoyd)
set(CPACK_DEBIAN_AHOYD_PACKAGE_SECTION comm)
string(CONCAT CPACK_COMPONENT_AHOYD_DESCRIPTION
    "SIP registrar, proxy and redirect server\n It comes with ahoyctl, which adds users and shows "
    "who is where.")
set(CPACK_DEBIAN_AHOYD_PACKAGE_RECOMMENDS tzdata) # For the hours of routes.
set(CPACK_DEBIAN_AHOYD_PACKAGE_CONTROL_EXTRA
    ${CMAKE_SOURCE_DIR}/packaging/debian/postinst ${CMAKE_SOURCE_DIR}/packaging/debian/prerm
    ${CMAKE_SOURCE_DIR}/packaging/debian/postrm ${CMAKE_SOURCE_DIR}/packaging/debian/conffiles)

set(CPACK_DEBIAN_AHOY_PACKAGE_NAME ahoy)
set(CPACK_DEBIAN_AHOY_PACKAGE_SECTION comm)
# It opens them by name (ahoy/late.h), so that nobody finds them among what it links.
set(CPACK_DEBIAN_AHOY_PACKAGE_DEPENDS "libportaudio2, libsndfile1, libspandsp2, libsrtp2-1")
set(CPACK_COMPONENT_AHOY_DESCRIPTION
    "SIP phone for the command line\n It registers, calls, answers, and explains SIP messages.")

# Named by what a program that links them asks for; a number of its own for each face that differs.
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_LIBAHOY0_PACKAGE_NAME libahoy${PROJECT_VERSION_MAJOR})
set(CPACK_DEBIAN_LIBAHOY0_PACKAGE_SECTION libs)
set(CPACK_COMPONENT_LIBAHOY0_DESCRIPTION
    "SIP library for C\n Messages, transactions and transaction users, and a driver with sockets.")
set(CPACK_DEBIAN_LIBAHOY-MEDIA0_PACKAGE_NAME libahoy-media${PROJECT_VERSION_MAJOR})
set(CPACK_DEBIAN_LIBAHOY-MEDIA0_PACKAGE_SECTION libs)
set(CPACK_COMPONENT_LIBAHOY-MEDIA0_DESCRIPTION
    "SIP library for C: the sound of calls\n RTP, SRTP, codecs and a playout buffer.")

set(CPACK_DEBIAN_LIBAHOY-DEV_PACKAGE_NAME libahoy-dev)
set(CPACK_DEBIAN_LIBAHOY-DEV_PACKAGE_SECTION libdevel)
string(CONCAT CPACK_DEBIAN_LIBAHOY-DEV_PACKAGE_DEPENDS
    "libahoy${PROJECT_VERSION_MAJOR} (= ${PROJECT_VERSION}), "
    "libahoy-media${PROJECT_VERSION_MAJOR} (= ${PROJECT_VERSION}), "
    "libssl-dev, libwslay-dev, libunbound-dev, libspandsp-dev, libopus-dev, "
    "libsrtp2-dev")
string(CONCAT CPACK_COMPONENT_LIBAHOY-DEV_DESCRIPTION
    "SIP library for C: headers, and archives too\n Messages, transactions and transaction users "
    "without sockets, and a driver with them.")
include(CPack)
