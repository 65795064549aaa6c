// Networks from ONNX files.
#pragma once

#include <filesystem>

#include <deconvnet/io/binary_file.hpp>
#include <deconvnet/io/onnx_graph.hpp>
#include <deconvnet/network/network.hpp>
#include <deconvnet/tensor/shape.hpp>

namespace deconvnet {

struct onnx_options {
  shape3 input_shape{0, 0, 0};  // C x H x W, for extents that the file leaves open; 0: left open here too
};

/// The network in an ONNX file, opset 7 to 20, with its weights converted to T.
///
/// Reads Conv, Relu, MaxPool, AveragePool, GlobalAveragePool, LRN, BatchNormalization, Gemm, MatMul, Add, Sum, Concat,
/// Mul by a constant, Softmax, Dropout, Identity, Flatten, Reshape, Squeeze, Unsqueeze and Transpose as far as they are
/// part of a flatten, and computes what only depends on constants and shapes. The graph has one input, N x C x H x W or
/// N x K; the batch is free whatever the file says: a shape that begins with 1, or with the batch the file was exported
/// for, means the batch. Layers bear the names of ONNX values (a node's first output), in the file's order; names of
/// nodes are aliases, unless several nodes share one. The network's output is the graph's first; the others are layers.
/// Matrices N x K are N x K x 1 x 1. A layer whose `auto_pad` depends on the extents has a layer `<name>/extents`
/// before it that refuses others; Sum with a constant has `<name>/sum`.
///
/// Weights may be in the file or in files beside it, within its folder. While it reads, the file and the weights are in
/// memory; a half-precision, listed or external weight that must be transposed is there twice.
///
/// Throws file_error, with the byte offset, where the file is missing, damaged or contradicts itself; shape_error where
/// shapes do not fit; unsupported_error where a node, its kind or an attribute is not known here. All name the file and
/// the node.
template <scalar T>
network<T> load_onnx(const std::filesystem::path& path, const onnx_options& options = {}) {
  const detail::binary_file file(path);
  return detail::onnx::graph_builder<T>(file, options.input_shape).build();
}

}  // namespace deconvnet
