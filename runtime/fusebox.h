// SPDX-License-Identifier: Apache-2.0
// fusebox: neural networks, compiled into one native function that runs whole training steps.
//
//   #include <fusebox/fusebox.h>
//   namespace fb = fusebox;
//
// Includes everything that a program needs to define, train and use models. To write plugins, include
// fusebox/plugins/sdk/sdk.h instead.
//
// runtime/ is the users' API: tensors, models, data, files. It sees graph/, compiler/ and plugins/sdk; tools/ sees it.
// The folder itself holds the public face of the API. Its sub-rooms hold the implementation, one subject each. A
// sub-room sees only rooms that stand above it in this list; its main header says which:
//
//   data/      arrays in memory                                          tensor.h
//   files/     bytes on disk, the table of formats                       formats.h
//   describe/  descriptions as values: models, items, histories          model_config.h
//   plugins/   libraries of plugins and their items                      registry.h
//   expand/    what an item writes into a graph                          expand.h
//   programs/  from a description to graphs: layers, losses, optimizer   program.h
//   keras/     models in Keras's words and files                         keras_file.h
//   execute/   compiled programs with arrays, variables, threads         bound_program.h
//   model/     what a Model is: declaring, tracing, compiling            model_impl.h
//   fit/       training, evaluation, signals                             training_run.h
//   save/      models to files and back                                  shared_layers.h
//   load/      data by name                                              data_source.h
//   plots/     pictures                                                  picture.h
#pragma once
#include "fusebox/runtime/data/tensor.h"       // IWYU pragma: export
#include "fusebox/runtime/describe/history.h"  // IWYU pragma: export
#include "fusebox/runtime/fit/interrupt.h"     // IWYU pragma: export
#include "fusebox/runtime/layers.h"            // IWYU pragma: export
#include "fusebox/runtime/load/data_source.h"  // IWYU pragma: export
#include "fusebox/runtime/model.h"             // IWYU pragma: export
#include "fusebox/runtime/model_plugin.h"      // IWYU pragma: export
#include "fusebox/runtime/perceptron.h"        // IWYU pragma: export
#include "fusebox/runtime/predictor.h"         // IWYU pragma: export
#include "fusebox/runtime/sequential.h"        // IWYU pragma: export
