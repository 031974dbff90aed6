# Makes each test case of a Catch2 program a test of ctest, named "<program>: <test case>". Catch2's own script for this
# (version 2) takes a semicolon in a name for the end of it, and our test cases are sentences.
#
# Included by the build it defines artillery_discover_tests(<program> <property> <value>...); run as a script, after the
# program was linked, it asks the program for its test cases and writes what ctest reads.

if(NOT CMAKE_SCRIPT_MODE_FILE)
  set(ARTILLERY_DISCOVER_SCRIPT "${CMAKE_CURRENT_LIST_FILE}")
  function(artillery_discover_tests program)
    set(list_file "${CMAKE_CURRENT_BINARY_DIR}/${program}.tests.cmake")
    set(include_file "${CMAKE_CURRENT_BINARY_DIR}/${program}.include.cmake")
    list(JOIN ARGN "|" properties)  # a list would be split on its way
    # Under a sanitizer CI runs seeds by the simulator, to compare their traces: once is enough, they take long there.
    set(selection "")
    if(ARTILLERY_SANITIZE)
      set(selection "~[seeds]")
    endif()
    add_custom_command(TARGET ${program} POST_BUILD VERBATIM
      COMMAND "${CMAKE_COMMAND}" "-DPROGRAM=$<TARGET_FILE:${program}>" "-DNAME=${program}" "-DPROPERTIES=${properties}"
        "-DSELECTION=${selection}"
        "-DLIST_FILE=${list_file}" -P "${ARTILLERY_DISCOVER_SCRIPT}"
      BYPRODUCTS "${list_file}")
    # A program that was not built must not make its tests vanish silently.
    file(WRITE "${include_file}"
      "if(EXISTS \"${list_file}\")\n  include(\"${list_file}\")\nelse()\n"
      "  add_test(\"${program}: not built\" \"${program}_was_not_built\")\nendif()\n")
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${include_file}")
  endfunction()
  return()
endif()

cmake_policy(VERSION 3.25)
# Catch2 2 returns the number of test cases, so the exit code tells nothing; a crash is a word, not a number.
execute_process(COMMAND "${PROGRAM}" --list-test-names-only ${SELECTION}
  OUTPUT_VARIABLE output ERROR_VARIABLE errors RESULT_VARIABLE result)
if(NOT result MATCHES "^[0-9]+$" OR output STREQUAL "")
  file(REMOVE "${PROGRAM}")
  message(FATAL_ERROR "${PROGRAM} did not list its test cases (${result}):\n${output}${errors}")
endif()

string(REPLACE "|" ";" properties "${PROPERTIES}")
set(property_arguments)
foreach(property IN LISTS properties)
  string(REPLACE "," ";" property "${property}")  # several labels
  string(APPEND property_arguments " [==[${property}]==]")
endforeach()

# Only quoted handling from here on: a name may hold what CMake takes for the separator of a list.
set(script)
while(NOT output STREQUAL "")
  string(FIND "${output}" "\n" end)
  if(end EQUAL -1)
    string(LENGTH "${output}" end)
  endif()
  string(SUBSTRING "${output}" 0 ${end} test_case)
  math(EXPR next "${end} + 1")
  string(LENGTH "${output}" length)
  if(next LESS length)
    string(SUBSTRING "${output}" ${next} -1 output)
  else()
    set(output "")
  endif()
  if(test_case STREQUAL "")
    continue()
  endif()
  # What Catch2 takes for more than a letter in the name of a test case.
  string(REGEX REPLACE "([][,\\*\"])" "\\\\\\1" pattern "${test_case}")
  # NoTests: a name that ctest knows and the program does not must fail, not pass with nothing run.
  string(APPEND script
    "add_test([==[${NAME}: ${test_case}]==] [==[${PROGRAM}]==] [==[${pattern}]==] --warn NoTests)\n"
    "set_tests_properties([==[${NAME}: ${test_case}]==] PROPERTIES${property_arguments})\n")
endwhile()
file(WRITE "${LIST_FILE}" "${script}")
