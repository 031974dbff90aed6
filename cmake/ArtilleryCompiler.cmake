# Compiler settings. What a consumer must have (C++20) is a usage requirement of the targets; the warnings are ours alone.

add_library(artillery_warnings INTERFACE)
target_compile_options(artillery_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor
  # g++ 12 sees overlapping copies in every optimized `"literal" + std::string` (GCC bug 105651).
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>
  # And mismatched new and delete in every optimized coroutine on Asio's recycling allocator.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-mismatched-new-delete>
  $<$<BOOL:${ARTILLERY_WERROR}>:-Werror>)

if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
  if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
  endif()
  if(NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
    find_program(ARTILLERY_CCACHE ccache)
    mark_as_advanced(ARTILLERY_CCACHE)
    if(ARTILLERY_CCACHE)
      set(CMAKE_CXX_COMPILER_LAUNCHER "${ARTILLERY_CCACHE}")
    endif()
  endif()
endif()

if(ARTILLERY_SANITIZE)
  # For every target of this tree: a sanitizer that sees only half of a program reports what is not there.
  add_compile_options(-fsanitize=${ARTILLERY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${ARTILLERY_SANITIZE})
  if(ARTILLERY_SANITIZE MATCHES "undefined")
    # Its check of vtables opens a pipe to look at memory, and takes a failure for a bad object: not for tests that use
    # up all descriptors. Null pointers and objects that are too small are seen by the address sanitizer when they are
    # used; to ask at each access beside it takes a fifth of the compilation.
    add_compile_options(-fno-sanitize=vptr,null,object-size)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ 12: false alarms under ASan; and its TSan does not model fences, which Asio has but does not rely on here.
    add_compile_options(-Wno-maybe-uninitialized)
    if(ARTILLERY_SANITIZE MATCHES "thread")
      add_compile_options(-Wno-tsan)
    endif()
  endif()
endif()
