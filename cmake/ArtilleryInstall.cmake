# Installs headers, libraries and the CMake package. One export set per component, so that a component can be loaded
# without the others.
include(CMakePackageConfigHelpers)

set(artillery_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/artillery")
get_property(components GLOBAL PROPERTY ARTILLERY_COMPONENTS)

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/artillery" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  FILES_MATCHING PATTERN "*.hpp")

# What each component is built on goes into the package file, whose loader reads it.
set(ARTILLERY_COMPONENT_TABLE "")
foreach(component IN LISTS components ITEMS artillery)
  if(component STREQUAL "artillery")
    set(built_on ${components})
  else()
    get_property(built_on GLOBAL PROPERTY ARTILLERY_COMPONENT_${component}_LINKS)
  endif()
  string(APPEND ARTILLERY_COMPONENT_TABLE "set(artillery_${component}_built_on ${built_on})\n")
  install(TARGETS artillery_${component} EXPORT artillery_${component}_targets
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
  install(EXPORT artillery_${component}_targets
    FILE artillery-${component}-targets.cmake NAMESPACE artillery:: DESTINATION "${artillery_package_dir}")
endforeach()
set(ARTILLERY_COMPONENT_LIST ${components})

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/artillery-config.cmake.in"
  "${PROJECT_BINARY_DIR}/artillery-config.cmake" INSTALL_DESTINATION "${artillery_package_dir}"
  NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/artillery-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(FILES
  "${PROJECT_BINARY_DIR}/artillery-config.cmake"
  "${PROJECT_BINARY_DIR}/artillery-config-version.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/FindAsio.cmake"
  DESTINATION "${artillery_package_dir}")
install(FILES LICENSE LICENSE-MIT LICENSE-APACHE DESTINATION "${CMAKE_INSTALL_DOCDIR}")
