# Compiles through ccache where it is installed, unless a launcher is named or MINIBATCH_COMPILER_CACHE is off.
option(MINIBATCH_COMPILER_CACHE "Use ccache if it is installed" ON)
if(NOT MINIBATCH_COMPILER_CACHE OR DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  return()
endif()
find_program(MINIBATCH_CCACHE ccache)
mark_as_advanced(MINIBATCH_CCACHE)
if(MINIBATCH_CCACHE)
  # Precompiled headers need the sloppiness; clones in other directories share what the base directory makes relative.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros
    CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${MINIBATCH_CCACHE})
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
  else()
    add_compile_options(-fpch-preprocess)
  endif()
endif()
