# The MongoDB C driver as one target, minibatch_mongoc: 1.x and 2.x differ in the names of their packages and targets.
find_package(mongoc-1.0 1.23 QUIET)
if(mongoc-1.0_FOUND)
  set(minibatch_mongoc_package "mongoc-1.0 1.23")
  set(minibatch_mongoc_pc libmongoc-1.0)
  set(mongoc_targets mongo::mongoc_shared mongo::bson_shared)
else()
  find_package(mongoc 2.0 QUIET)
  if(NOT mongoc_FOUND)
    message(FATAL_ERROR "The MongoDB C driver 1.23 or later was not found (Debian: libmongoc-dev). "
      "Build without MongoDB: -DMINIBATCH_WITH_MONGODB=OFF")
  endif()
  set(minibatch_mongoc_package "mongoc 2.0")
  set(minibatch_mongoc_pc mongoc2)
  set(mongoc_targets mongoc::mongoc bson::bson)
endif()

add_library(minibatch_mongoc INTERFACE)
target_link_libraries(minibatch_mongoc INTERFACE ${mongoc_targets})
