# The Debian packages: `make packages` has CPack write them into build/packages.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_SOURCE_DIR}/build/packages)
set(CPACK_PACKAGE_CONTACT "The makers of Ahoy <ahoy@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL ahoyd ahoy libahoy-dev)
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
set(CPACK_COMPONENT_AHOY_DESCRIPTION
    "SIP phone for the command line\n It registers, calls, answers, and explains SIP messages.")

set(CPACK_DEBIAN_LIBAHOY-DEV_PACKAGE_NAME libahoy-dev)
set(CPACK_DEBIAN_LIBAHOY-DEV_PACKAGE_SECTION libdevel)
string(CONCAT CPACK_DEBIAN_LIBAHOY-DEV_PACKAGE_DEPENDS
    "libssl-dev, libwslay-dev, libunbound-dev, libspandsp-dev, libopus-dev, "
    "libsrtp2-dev")
string(CONCAT CPACK_COMPONENT_LIBAHOY-DEV_DESCRIPTION
    "SIP library for C: headers and archives\n Messages, transactions and transaction users "
    "without sockets, and a driver with them.")
include(CPack)
