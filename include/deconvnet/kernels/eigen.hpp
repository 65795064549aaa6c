// The one door to Eigen: matrices and the thread pool.
// system_header: -I /usr/include/eigen3 is no system folder, and Eigen is not clean under -Wconversion and -Wshadow.
#pragma once
#pragma GCC system_header

#if __has_include(<Eigen/Core>)
#include <Eigen/Core>
#include <unsupported/Eigen/CXX11/ThreadPool>
#else
#include <eigen3/Eigen/Core>
#include <eigen3/unsupported/Eigen/CXX11/ThreadPool>
#endif
