# The vector kernels: one source for each family, compiled once per instruction set into a table that
# is chosen at run time. Elsewhere than on x86-64 the compiler's baseline is the only one.
set(kernel_sources
  src/cpp/kernels/vector/activation.cpp
  src/cpp/kernels/vector/average.cpp
  src/cpp/kernels/vector/dropout.cpp
  src/cpp/kernels/vector/elementary.cpp
  src/cpp/kernels/vector/lanes.cpp
  src/cpp/kernels/vector/loss.cpp
  src/cpp/kernels/vector/norm.cpp
  src/cpp/kernels/vector/optimizer.cpp
  src/cpp/kernels/vector/pack.cpp
  src/cpp/kernels/vector/parametric.cpp
  src/cpp/kernels/vector/peak.cpp
  src/cpp/kernels/vector/penalty.cpp
  src/cpp/kernels/vector/product.cpp
  src/cpp/kernels/vector/reduce.cpp
  src/cpp/kernels/vector/rows.cpp)
# GCC's jump threading makes paths of their own of limits such as x > high ? high : x, and slower
# loops, some by several times.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set_source_files_properties(
    src/cpp/kernels/vector/activation.cpp src/cpp/kernels/vector/parametric.cpp
    PROPERTIES COMPILE_OPTIONS -fno-thread-jumps)
endif()
set(flags_generic "")
set(flags_avx2 -mavx2 -mfma)
set(flags_avx512 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mprefer-vector-width=512)

set(isas generic)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  list(APPEND isas avx2 avx512)
  # For processors of before 2013: half the size counts for more than the last tenth of speed.
  set(flags_generic "$<$<CONFIG:Release>:-O2>")
endif()

add_library(pymlp_kernels INTERFACE)
foreach(isa IN LISTS isas)
  add_library(pymlp_kernels_${isa} OBJECT ${kernel_sources})
  target_link_libraries(pymlp_kernels_${isa} PRIVATE pymlp_flags)
  target_compile_definitions(pymlp_kernels_${isa} PRIVATE PYMLP_ISA=${isa})
  target_compile_options(pymlp_kernels_${isa} PRIVATE ${flags_${isa}})
  target_sources(pymlp_kernels INTERFACE $<TARGET_OBJECTS:pymlp_kernels_${isa}>)
endforeach()
if("avx512" IN_LIST isas)
  target_compile_definitions(pymlp_kernels INTERFACE PYMLP_X86_KERNELS)
endif()
