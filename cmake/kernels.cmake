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
  src/cpp/kernels/vector/rows.cpp
  src/cpp/kernels/vector/waves.cpp)
# GCC's jump threading makes paths of their own of limits such as x > high ? high : x, and slower
# loops, some by several times.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set_source_files_properties(
    src/cpp/kernels/vector/activation.cpp PROPERTIES COMPILE_OPTIONS -fno-thread-jumps)
endif()
# On x86 the generic kernels are for processors of before 2013: size counts for more than speed.
set(x86 OFF)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  set(x86 ON)
endif()
set(for_size "$<AND:$<BOOL:${x86}>,$<IN_LIST:PYMLP_ISA=generic,$<TARGET_PROPERTY:COMPILE_DEFINITIONS>>>")

# Many functions in many loops: copies of each for ends and single cases make a third of the code,
# and nothing faster. The cost model is that of -O3, which vectorises them.
set(flags_generic "")
set(flags_avx2 -mavx2 -mfma)
set(flags_avx512 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mprefer-vector-width=512)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set_source_files_properties(
    src/cpp/kernels/vector/loss.cpp src/cpp/kernels/vector/norm.cpp
    src/cpp/kernels/vector/parametric.cpp
    PROPERTIES COMPILE_OPTIONS "$<$<AND:$<CONFIG:Release>,$<NOT:${for_size}>>:-O2>")
  foreach(flags flags_generic flags_avx2 flags_avx512)
    list(APPEND ${flags} -fvect-cost-model=dynamic)
  endforeach()
endif()

set(isas generic)
if(x86)
  list(APPEND isas avx2 avx512)
  set(flags_generic "$<$<CONFIG:Release>:-Os>")
endif()

add_library(pymlp_kernels INTERFACE)
foreach(isa IN LISTS isas)
  add_library(pymlp_kernels_${isa} OBJECT ${kernel_sources})
  target_link_libraries(pymlp_kernels_${isa} PRIVATE pymlp_flags)
  target_compile_definitions(pymlp_kernels_${isa} PRIVATE PYMLP_ISA=${isa})
  # Kernels throw nothing and call nobody who does: the tables for it are a fiftieth of the package.
  target_compile_options(pymlp_kernels_${isa} PRIVATE ${flags_${isa}}
    -fno-exceptions -fno-unwind-tables -fno-asynchronous-unwind-tables)
  target_sources(pymlp_kernels INTERFACE $<TARGET_OBJECTS:pymlp_kernels_${isa}>)
endforeach()
if("avx512" IN_LIST isas)
  target_compile_definitions(pymlp_kernels INTERFACE PYMLP_X86_KERNELS)
endif()
