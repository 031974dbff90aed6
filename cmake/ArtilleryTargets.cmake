include(ArtilleryDiscoverTests)

# The kinds of target in this project, one function each. A room's CMakeLists.txt is a call or two of these.

# artillery_library(<room> SOURCES <file>... [LINKS <room or target>...])
#
# The static library artillery_<room>, known to users as artillery::<room>. Its sources include each other relative to
# src/; users see include/ only. A name in LINKS that is a room stands for artillery_<that room>.
function(artillery_library room)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINKS")
  artillery_check_arguments(artillery_library "${room}" "${arg_UNPARSED_ARGUMENTS}" "${arg_SOURCES}")
  set(target artillery_${room})
  add_library(${target} STATIC ${arg_SOURCES})
  add_library(artillery::${room} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${room} POSITION_INDEPENDENT_CODE ON)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target}
    PUBLIC "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>" "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>"
    PRIVATE "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>")
  artillery_link_names(links ${arg_LINKS})
  # cereal is used inside codec files only (tests/rules sees to it), so no user of the library needs it.
  target_link_libraries(${target}
    PUBLIC ${links}
    PRIVATE $<BUILD_INTERFACE:artillery_warnings> $<BUILD_INTERFACE:cereal::cereal>)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${ARTILLERY_UNITY} CXX_EXTENSIONS OFF)
  set_property(GLOBAL APPEND PROPERTY ARTILLERY_COMPONENTS ${room})
  set_property(GLOBAL PROPERTY ARTILLERY_COMPONENT_${room}_LINKS "${arg_LINKS}")
endfunction()

# artillery_program(<name> SOURCES <file>... [LINKS <room or target>...])
#
# A program of our own. It may reach into src/, which a user's program cannot. In a build in unity its files share
# translation units, so each has names of its own, or stays outside by the property SKIP_UNITY_BUILD_INCLUSION.
function(artillery_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINKS")
  artillery_check_arguments(artillery_program "${name}" "${arg_UNPARSED_ARGUMENTS}" "${arg_SOURCES}")
  add_executable(${name} ${arg_SOURCES})
  target_compile_features(${name} PRIVATE cxx_std_20)
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/src")
  artillery_link_names(links ${arg_LINKS})
  target_link_libraries(${name} PRIVATE ${links} artillery_warnings cereal::cereal)
  set_target_properties(${name} PROPERTIES UNITY_BUILD ${ARTILLERY_UNITY} CXX_EXTENSIONS OFF)
endfunction()

# artillery_test(<name> SOURCES <file>... [LINKS <room or target>...] [LABELS <label>...] [TIMEOUT <seconds>])
#
# A Catch2 program; each of its test cases is a test of ctest, named "<name>: <test case>". The label "tsan" puts the
# tests among those that CI repeats under the thread sanitizer. TIMEOUT is for one test case; 120 unless told.
function(artillery_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;LINKS;LABELS")
  artillery_check_arguments(artillery_test "${name}" "${arg_UNPARSED_ARGUMENTS}" "${arg_SOURCES}")
  artillery_program(${name} SOURCES ${arg_SOURCES} LINKS ${arg_LINKS} Catch2::Catch2WithMain)
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  # Catch2 (version 2) knows no skipping: a test says so in a warning, and ctest takes it from there.
  set(properties TIMEOUT ${arg_TIMEOUT} SKIP_REGULAR_EXPRESSION "skipped: this machine")
  if(arg_LABELS)
    list(JOIN arg_LABELS "," labels)  # unpacked by the script
    list(APPEND properties LABELS "${labels}")
  endif()
  artillery_discover_tests(${name} ${properties})
  set_property(GLOBAL APPEND PROPERTY ARTILLERY_TEST_PROGRAMS ${name})
  if("tsan" IN_LIST arg_LABELS)
    set_property(GLOBAL APPEND PROPERTY ARTILLERY_TSAN_PROGRAMS ${name})
  endif()
endfunction()

# artillery_example(<name> [SOURCES <file>...] [LINKS <room or target>...] [ARGUMENTS <argument>...])
#
# A small program against the public headers only, built as example_<name> and run by ctest. <name>.cpp unless told.
function(artillery_example name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINKS;ARGUMENTS")
  if(NOT arg_SOURCES)
    set(arg_SOURCES ${name}.cpp)
  endif()
  artillery_check_arguments(artillery_example "${name}" "${arg_UNPARSED_ARGUMENTS}" "${arg_SOURCES}")
  add_executable(example_${name} ${arg_SOURCES})
  artillery_link_names(links ${arg_LINKS})
  target_link_libraries(example_${name} PRIVATE ${links} artillery_warnings)
  set_target_properties(example_${name} PROPERTIES CXX_EXTENSIONS OFF)
  add_test(NAME "example: ${name}" COMMAND example_${name} ${arg_ARGUMENTS})
  set_tests_properties("example: ${name}" PROPERTIES TIMEOUT 60 LABELS example)
  set_property(GLOBAL APPEND PROPERTY ARTILLERY_EXAMPLE_PROGRAMS example_${name})
endfunction()

# artillery_bench(<name> SOURCES <file>... [LINKS <room or target>...])
#
# A Google Benchmark program bench_<name>, optimized in every build type: numbers of an unoptimized build mislead.
function(artillery_bench name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINKS")
  artillery_check_arguments(artillery_bench "${name}" "${arg_UNPARSED_ARGUMENTS}" "${arg_SOURCES}")
  artillery_program(bench_${name} SOURCES ${arg_SOURCES} LINKS ${arg_LINKS} benchmark::benchmark)
  target_compile_options(bench_${name} PRIVATE -O2)
  set_target_properties(bench_${name} PROPERTIES EXCLUDE_FROM_ALL ON)
  set_property(GLOBAL APPEND PROPERTY ARTILLERY_BENCH_PROGRAMS bench_${name})
endfunction()

# The target names behind a list of rooms and targets.
function(artillery_link_names result)
  set(rooms base net discovery membership replication node sim)
  set(names)
  foreach(link IN LISTS ARGN)
    if(link IN_LIST rooms)
      list(APPEND names artillery_${link})
    else()
      list(APPEND names ${link})
    endif()
  endforeach()
  set(${result} ${names} PARENT_SCOPE)
endfunction()

function(artillery_check_arguments function_name name unparsed sources)
  if(unparsed)
    message(FATAL_ERROR "${function_name}(${name}): does not know the arguments: ${unparsed}")
  endif()
  if(NOT sources)
    message(FATAL_ERROR "${function_name}(${name}): SOURCES is missing")
  endif()
endfunction()
