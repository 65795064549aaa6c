// The one door to protozero, the protobuf reader.
#pragma once
#pragma GCC system_header

#include <protozero/exception.hpp>
#include <protozero/pbf_reader.hpp>
