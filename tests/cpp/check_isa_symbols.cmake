# Fails where an object compiled for one instruction set offers code that the linker could merge with
# another's: a weak symbol whose name does not say the instruction set.
execute_process(COMMAND ${NM} --defined-only ${OBJECTS}
  OUTPUT_VARIABLE listing COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[0-9a-f]+ [WVu] [^\n]+" weak "${listing}")
list(FILTER weak EXCLUDE REGEX " _ZN5pymlp[0-9]+add_[a-z]+ILNS_3IsaE")
if(weak)
  list(JOIN weak "\n  " names)
  message(FATAL_ERROR "shared among instruction sets:\n  ${names}")
endif()
