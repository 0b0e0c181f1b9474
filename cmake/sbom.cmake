# A software bill of materials of what the package carries beside its own code, for the wheel's
# metadata (PEP 770). Other installations have no such place.

if(NOT SKBUILD_METADATA_DIR)
  return()
endif()

set(sbom_file ${CMAKE_CURRENT_BINARY_DIR}/pymlp.cdx.json)
set(sbom_arguments
  --version ${SKBUILD_PROJECT_VERSION}
  --pybind11 ${pybind11_VERSION}
  --compiler "${CMAKE_CXX_COMPILER_ID}=${CMAKE_CXX_COMPILER_VERSION}")
if(PYMLP_BLAS STREQUAL "bundled")
  list(APPEND sbom_arguments --openblas ${blas_version} ${wheel_library})
endif()
execute_process(
  COMMAND ${Python_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/sbom.py ${sbom_arguments}
  OUTPUT_FILE ${sbom_file} COMMAND_ERROR_IS_FATAL ANY)
install(FILES ${sbom_file} DESTINATION ${SKBUILD_METADATA_DIR}/sboms)
