// deconvnet: what a convolutional network has learned, in pictures. This file is the table of contents.
#pragma once

// tensors, shapes, errors
#include <deconvnet/tensor/box.hpp>
#include <deconvnet/tensor/error.hpp>
#include <deconvnet/tensor/shape.hpp>
#include <deconvnet/tensor/tensor.hpp>

// threads and instruction sets
#include <deconvnet/kernels/algorithm.hpp>
#include <deconvnet/kernels/level.hpp>
#include <deconvnet/kernels/parallel_for.hpp>

// operators, forward and reverse
#include <deconvnet/ops/add.hpp>
#include <deconvnet/ops/avg_pool2d.hpp>
#include <deconvnet/ops/batch_norm.hpp>
#include <deconvnet/ops/concat.hpp>
#include <deconvnet/ops/conv2d.hpp>
#include <deconvnet/ops/conv_transpose2d.hpp>
#include <deconvnet/ops/dropout.hpp>
#include <deconvnet/ops/identity.hpp>
#include <deconvnet/ops/linear.hpp>
#include <deconvnet/ops/local_response_norm.hpp>
#include <deconvnet/ops/max_pool2d.hpp>
#include <deconvnet/ops/max_unpool2d.hpp>
#include <deconvnet/ops/relu.hpp>
#include <deconvnet/ops/reshape.hpp>
#include <deconvnet/ops/scale_shift.hpp>
#include <deconvnet/ops/softmax.hpp>
#include <deconvnet/ops/transpose_layout.hpp>

// pipelines, networks, projection, models
#include <deconvnet/network/alexnet.hpp>
#include <deconvnet/network/deconv_pipeline.hpp>
#include <deconvnet/network/network.hpp>
#include <deconvnet/network/network_snapshot.hpp>
#include <deconvnet/network/pipeline.hpp>
#include <deconvnet/network/projection.hpp>
#include <deconvnet/network/receptive_field.hpp>
#include <deconvnet/network/scaled_zfnet.hpp>
#include <deconvnet/network/squeezenet.hpp>
#include <deconvnet/network/summary.hpp>
#include <deconvnet/network/vgg.hpp>
#include <deconvnet/network/zfnet.hpp>

// analyses: the paper's figures and tables
#include <deconvnet/analysis/correspondence.hpp>
#include <deconvnet/analysis/depth_probe.hpp>
#include <deconvnet/analysis/feature_evolution.hpp>
#include <deconvnet/analysis/filter_pictures.hpp>
#include <deconvnet/analysis/filters.hpp>
#include <deconvnet/analysis/invariance.hpp>
#include <deconvnet/analysis/occlusion.hpp>
#include <deconvnet/analysis/progress.hpp>
#include <deconvnet/analysis/random_boxes.hpp>
#include <deconvnet/analysis/saliency.hpp>
#include <deconvnet/analysis/top_activations.hpp>
#include <deconvnet/analysis/top_ranking_file.hpp>
#include <deconvnet/analysis/transforms.hpp>

// reports
#include <deconvnet/report/evolution_figure.hpp>
#include <deconvnet/report/figure.hpp>
#include <deconvnet/report/page.hpp>
#include <deconvnet/report/plot.hpp>
#include <deconvnet/report/table.hpp>
#include <deconvnet/report/training_curves.hpp>

// pictures
#include <deconvnet/image/colormap.hpp>
#include <deconvnet/image/crop.hpp>
#include <deconvnet/image/display.hpp>
#include <deconvnet/image/draw.hpp>
#include <deconvnet/image/image_file.hpp>
#include <deconvnet/image/montage.hpp>
#include <deconvnet/image/overlay.hpp>
#include <deconvnet/image/preprocess.hpp>
#include <deconvnet/image/resize.hpp>
#include <deconvnet/image/warp.hpp>

// files
#include <deconvnet/io/checkpoint.hpp>
#include <deconvnet/io/cifar.hpp>
#include <deconvnet/io/data_set.hpp>
#include <deconvnet/io/idx.hpp>
#include <deconvnet/io/image_folder.hpp>
#include <deconvnet/io/image_set.hpp>
#include <deconvnet/io/network_file.hpp>
#include <deconvnet/io/network_text.hpp>
#include <deconvnet/io/npy.hpp>
#include <deconvnet/io/onnx.hpp>
#include <deconvnet/io/safetensors.hpp>
#include <deconvnet/io/snapshots.hpp>

// training
#include <deconvnet/training/accuracy.hpp>
#include <deconvnet/training/augmentation.hpp>
#include <deconvnet/training/backpropagation.hpp>
#include <deconvnet/training/batch_statistics.hpp>
#include <deconvnet/training/batches.hpp>
#include <deconvnet/training/cross_entropy.hpp>
#include <deconvnet/training/dropout_mask.hpp>
#include <deconvnet/training/filter_renormalization.hpp>
#include <deconvnet/training/initialization.hpp>
#include <deconvnet/training/labelled_images.hpp>
#include <deconvnet/training/learning_rate.hpp>
#include <deconvnet/training/normalization.hpp>
#include <deconvnet/training/pixel_mean.hpp>
#include <deconvnet/training/sgd.hpp>
#include <deconvnet/training/trainer.hpp>
#include <deconvnet/training/training_options.hpp>
#include <deconvnet/training/training_state.hpp>
