# What `cmake --install` puts in place: headers, the library, the tool, and how CMake and pkg-config find them.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS minibatch EXPORT minibatch-targets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
if(MINIBATCH_WITH_MONGODB)
  install(TARGETS minibatch_mongoc EXPORT minibatch-targets)
  set(find_mongoc "find_dependency(${minibatch_mongoc_package})\n")
endif()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")
if(TARGET minibatch_cli)
  install(TARGETS minibatch_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/minibatch)
install(EXPORT minibatch-targets NAMESPACE minibatch:: DESTINATION ${package_dir})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/minibatch-config.cmake.in
  ${PROJECT_BINARY_DIR}/minibatch-config.cmake INSTALL_DESTINATION ${package_dir})
# Before 1.0 every minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/minibatch-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/minibatch-config.cmake ${PROJECT_BINARY_DIR}/minibatch-config-version.cmake
  DESTINATION ${package_dir})

# A static library brings its own needs to every link; a shared one only those that its headers show.
get_target_property(library_type minibatch TYPE)
set(pc_requires sqlite3)
set(pc_libs -ldate-tz)  # has no file for pkg-config
if(MINIBATCH_WITH_MONGODB)
  string(APPEND pc_requires " ${minibatch_mongoc_pc}")
endif()
if(library_type STREQUAL "STATIC_LIBRARY")
  set(pc_requires "Requires: ${pc_requires}")
  set(pc_libs " ${pc_libs}")
else()
  set(pc_requires "Requires.private: ${pc_requires}")
  set(pc_libs "\nLibs.private: ${pc_libs}")
endif()
# The prefix is told relative to the file, so that an installed tree can be moved.
file(RELATIVE_PATH pc_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" pc_prefix "${pc_prefix}")
configure_file(${CMAKE_CURRENT_LIST_DIR}/minibatch.pc.in ${PROJECT_BINARY_DIR}/minibatch.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/minibatch.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
