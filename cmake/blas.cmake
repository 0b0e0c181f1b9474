# pymlp_blas: where matrix products come from. Bundled, the wheel's OpenBLAS is copied under a name of
# its own (no other package's copy answers to it), installed beside the module and opened at first use.
add_library(pymlp_blas INTERFACE)

if(PYMLP_BLAS STREQUAL "bundled")
  execute_process(
    COMMAND ${Python_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/find_openblas.py
    OUTPUT_VARIABLE found OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  list(GET found 0 include_folder)
  list(GET found 1 wheel_library)
  list(GET found 2 wheel_licence)
  set(PYMLP_BLAS_BUILD_FOLDER ${CMAKE_BINARY_DIR}/lib)
  set(library_name libpymlp_openblas${CMAKE_SHARED_LIBRARY_SUFFIX})
  configure_file(${wheel_library} ${PYMLP_BLAS_BUILD_FOLDER}/${library_name} COPYONLY)
  configure_file(${wheel_licence} ${PYMLP_BLAS_BUILD_FOLDER}/LICENSE-OpenBLAS.txt COPYONLY)
  install(FILES ${PYMLP_BLAS_BUILD_FOLDER}/${library_name}
                ${PYMLP_BLAS_BUILD_FOLDER}/LICENSE-OpenBLAS.txt DESTINATION pymlp/lib)
  target_include_directories(pymlp_blas SYSTEM INTERFACE ${include_folder})
  target_compile_definitions(pymlp_blas INTERFACE PYMLP_BLAS_BUNDLED
    PYMLP_BLAS_FILE="${library_name}"
    PYMLP_BLAS_LIBRARY="$<$<PLATFORM_ID:Darwin>:@rpath/>${library_name}")
elseif(PYMLP_BLAS STREQUAL "system")
  find_package(BLAS REQUIRED)
  find_path(PYMLP_CBLAS_INCLUDE cblas.h PATH_SUFFIXES openblas mkl blis REQUIRED)
  target_include_directories(pymlp_blas SYSTEM INTERFACE ${PYMLP_CBLAS_INCLUDE})
  target_link_libraries(pymlp_blas INTERFACE BLAS::BLAS)
else()
  message(FATAL_ERROR "PYMLP_BLAS must be bundled or system, not '${PYMLP_BLAS}'")
endif()
