# How `cpack` makes the .deb (in the build directory, after a release build). Its control scripts are
# beside this file; what dpkg-shlibdeps finds is what the program is linked with.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME abgleich)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "abgleich maintainers <maintainers@abgleich.example.org>")
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_CURRENT_LIST_DIR}/reproducible.cmake)
# Everything, and then what is for a package only. With DESTDIR, for some of it is not below /usr.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_CMAKE_PROJECTS
  "${PROJECT_BINARY_DIR};abgleich;ALL;/;${PROJECT_BINARY_DIR};abgleich;debian;/")
install(FILES examples/systemd/mail DESTINATION /etc/abgleich COMPONENT debian EXCLUDE_FROM_ALL)
install(DIRECTORY DESTINATION /var/lib/abgleich COMPONENT debian EXCLUDE_FROM_ALL)
install(CODE "include(${CMAKE_CURRENT_LIST_DIR}/finish.cmake)" COMPONENT debian EXCLUDE_FROM_ALL)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "keep a second database in step with a read-only one
Takes a snapshot of a contact-tracing database that it may only read, lets out
only what a contract names, replaces identifiers by keyed pseudonyms, compares
three ways and merges into a secondary database that people edit: like git for
records. For PostgreSQL and SQLite, from cron or a timer of systemd.")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, debconf (>= 0.5) | debconf-2.0")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "cron | systemd")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "curl, sqlite3, postgresql-client")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA)
foreach(script conffiles config postinst postrm templates)
  list(APPEND CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_LIST_DIR}/${script})
endforeach()
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
