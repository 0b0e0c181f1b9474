# Where the arithmetic `blas` takes its products from: a library beside the module, opened when it is
# chosen. It is the wheel's OpenBLAS, copied under a name of its own (no other package's copy answers
# to it), or a few functions that are linked to the system's BLAS.

if(PYMLP_BLAS STREQUAL "none")
  return()
endif()

set(PYMLP_BLAS_BUILD_FOLDER ${CMAKE_BINARY_DIR}/lib)

if(PYMLP_BLAS STREQUAL "bundled")
  execute_process(
    COMMAND ${Python_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/find_openblas.py
    OUTPUT_VARIABLE found OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  list(GET found 0 wheel_library)
  list(GET found 1 blas_version)
  list(GET found 2 wheel_licence)
  # What the package ships under other licences is named in its metadata.
  file(SHA256 ${wheel_licence} wheel_licence_hash)
  file(SHA256 ${PROJECT_SOURCE_DIR}/licenses/OpenBLAS.txt licence_hash)
  if(NOT wheel_licence_hash STREQUAL licence_hash)
    message(FATAL_ERROR "licenses/OpenBLAS.txt is not ${wheel_licence}: copy that")
  endif()
  set(blas_file libpymlp_openblas${CMAKE_SHARED_LIBRARY_SUFFIX})
  set(blas_name "OpenBLAS, bundled")
  set(blas_prefix scipy_)
  configure_file(${wheel_library} ${PYMLP_BLAS_BUILD_FOLDER}/${blas_file} COPYONLY)
  install(FILES ${PYMLP_BLAS_BUILD_FOLDER}/${blas_file} DESTINATION pymlp/lib)
elseif(PYMLP_BLAS STREQUAL "system")
  find_package(BLAS REQUIRED)
  find_path(PYMLP_CBLAS_INCLUDE cblas.h PATH_SUFFIXES openblas mkl blis REQUIRED)
  add_library(pymlp_system_blas SHARED src/cpp/kernels/system_blas.cpp)
  target_include_directories(pymlp_system_blas SYSTEM PRIVATE ${PYMLP_CBLAS_INCLUDE})
  target_link_libraries(pymlp_system_blas PRIVATE pymlp_flags BLAS::BLAS)
  set_target_properties(pymlp_system_blas PROPERTIES
    LIBRARY_OUTPUT_DIRECTORY ${PYMLP_BLAS_BUILD_FOLDER} INSTALL_RPATH_USE_LINK_PATH ON)
  install(TARGETS pymlp_system_blas LIBRARY DESTINATION pymlp/lib)
  set(blas_file ${CMAKE_SHARED_LIBRARY_PREFIX}pymlp_system_blas${CMAKE_SHARED_LIBRARY_SUFFIX})
  set(blas_name "system")
  set(blas_version "not loaded")
  set(blas_prefix pymlp_)
else()
  message(FATAL_ERROR "PYMLP_BLAS must be bundled, system or none, not '${PYMLP_BLAS}'")
endif()

set_property(SOURCE src/cpp/kernels/blas_library.cpp APPEND PROPERTY COMPILE_DEFINITIONS
  PYMLP_BLAS_FILE="${blas_file}"
  PYMLP_BLAS_LIBRARY="$<$<PLATFORM_ID:Darwin>:@rpath/>${blas_file}"
  PYMLP_BLAS_NAME="${blas_name}"
  PYMLP_BLAS_PREFIX="${blas_prefix}"
  PYMLP_BLAS_VERSION="${blas_version}")
