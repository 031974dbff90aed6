# Finds standalone Asio, which Debian ships without a CMake package. Makes the interface target asio::asio.
# Installed beside artillery's package file, because whoever links artillery needs the same target.

find_package(Threads QUIET)

find_path(Asio_INCLUDE_DIR NAMES asio/any_io_executor.hpp DOC "Folder that holds asio/")
mark_as_advanced(Asio_INCLUDE_DIR)

if(Asio_INCLUDE_DIR AND EXISTS "${Asio_INCLUDE_DIR}/asio/version.hpp")
  # 102201 means 1.22.1: major * 100000 + minor * 100 + patch
  file(STRINGS "${Asio_INCLUDE_DIR}/asio/version.hpp" asio_version_line REGEX "^#define ASIO_VERSION [0-9]+")
  string(REGEX REPLACE "^#define ASIO_VERSION ([0-9]+).*" "\\1" asio_version_number "${asio_version_line}")
  if(asio_version_number MATCHES "^[0-9]+$")
    math(EXPR asio_version_major "${asio_version_number} / 100000")
    math(EXPR asio_version_minor "${asio_version_number} / 100 % 1000")
    math(EXPR asio_version_patch "${asio_version_number} % 100")
    set(Asio_VERSION "${asio_version_major}.${asio_version_minor}.${asio_version_patch}")
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Asio
  REQUIRED_VARS Asio_INCLUDE_DIR Threads_FOUND
  VERSION_VAR Asio_VERSION
  REASON_FAILURE_MESSAGE "Install standalone Asio (Debian: apt-get install libasio-dev) or set Asio_INCLUDE_DIR.")

if(Asio_FOUND AND NOT TARGET asio::asio)
  add_library(asio::asio INTERFACE IMPORTED)
  set_target_properties(asio::asio PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${Asio_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES Threads::Threads
    # Asio does not see Clang's coroutines when the standard library is libstdc++, unless it is told. And it sees
    # aligned_alloc only where a standard header came before its own: without the definition, files of one program
    # disagree on how its memory is freed.
    INTERFACE_COMPILE_DEFINITIONS
      "ASIO_STANDALONE;ASIO_HAS_STD_ALIGNED_ALLOC=1;$<$<CXX_COMPILER_ID:Clang>:ASIO_HAS_CO_AWAIT>")
endif()
