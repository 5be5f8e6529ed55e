// SPDX-License-Identifier: Apache-2.0
// fusebox: neural networks, compiled into one native function that runs whole training steps.
//
//   #include <fusebox/fusebox.h>
//   namespace fb = fusebox;
//
// All that a program which defines, trains and uses models needs. To write plugins see fusebox/plugins/sdk/sdk.h.
//
// runtime/ is the users' API: tensors, models, data, files. It sees graph/, compiler/ and plugins/sdk; tools see it.
// The headers beside this one are what users see of models. What they are made of lies in folders, of which each sees
// only some that stand above it here, and says so in the header named:
//
//   data/      arrays in memory                                          tensor.h
//   files/     bytes on disk, the table of formats                       formats.h
//   describe/  descriptions as values: models, items, histories          model_config.h
//   plugins/   libraries of plugins and their items                      registry.h
//   expand/    what an item writes into a graph                          expand.h
//   programs/  from a description to graphs: layers, losses, optimizer   program.h
//   keras/     models in Keras's words and files                         keras_file.h
//   execute/   compiled programs with arrays, variables, threads         bound_program.h
//   model/     what a Model is: declaring, tracing, compiling            model_state.h
//   fit/       training, evaluation, signals                             callback_list.h
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
#include "fusebox/runtime/sequential.h"        // IWYU pragma: export
