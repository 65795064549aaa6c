# The installed package: headers, deconvnetConfig.cmake and the two find modules it needs. Nothing in it depends on
# where the prefix lies: it may be moved.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_folder "${CMAKE_INSTALL_DATADIR}/cmake/deconvnet")

install(TARGETS deconvnet EXPORT deconvnetTargets FILE_SET HEADERS FILE_SET bodies)
install(EXPORT deconvnetTargets NAMESPACE deconvnet:: DESTINATION "${package_folder}")

configure_package_config_file(cmake/deconvnetConfig.cmake.in deconvnetConfig.cmake
                              INSTALL_DESTINATION "${package_folder}")
write_basic_package_version_file(deconvnetConfigVersion.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/deconvnetConfig.cmake"
              "${CMAKE_CURRENT_BINARY_DIR}/deconvnetConfigVersion.cmake"
              cmake/FindStb.cmake cmake/FindProtozero.cmake
        DESTINATION "${package_folder}")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}")
