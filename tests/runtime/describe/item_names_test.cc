// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/describe/item_names.h"

#include <utility>

#include "gtest/gtest.h"

namespace fusebox {
namespace {

TEST(KerasNames, SplitsIds) {
  const ItemName full = SplitItemId("acme/gated@1");
  EXPECT_EQ(full.space, "acme");
  EXPECT_EQ(full.name, "gated");
  EXPECT_EQ(full.major, "1");
  const ItemName bare = SplitItemId("dense");
  EXPECT_EQ(bare.space, "fusebox");
  EXPECT_EQ(bare.name, "dense");
  EXPECT_EQ(bare.major, "");
}

TEST(KerasNames, ItemsAndClassesNameEachOther) {
  const std::pair<const char*, const char*> names[] = {
      {"dense", "Dense"},
      {"batch_normalization", "BatchNormalization"},
      {"conv2d", "Conv2D"},
      {"max_pooling2d", "MaxPooling2D"},
      {"sgd", "SGD"},
      {"adam", "Adam"},
      {"adamw", "AdamW"},
      {"rmsprop", "RMSprop"},
      {"glorot_uniform", "GlorotUniform"},
      {"he_normal", "HeNormal"},
      {"zeros", "Zeros"},
      {"leaky_relu", "LeakyReLU"},
      {"l1_l2", "L1L2"},
      {"sparse_categorical_crossentropy", "SparseCategoricalCrossentropy"},
      {"kl_divergence", "KLDivergence"}};
  for (const auto& [item, class_name] : names) {
    EXPECT_EQ(KerasClassName(item), class_name);
    EXPECT_EQ(ItemNameOfClass(class_name), item);
  }
  EXPECT_EQ(KerasClassName("acme/gated_dense@2"), "GatedDense");
}

TEST(KerasNames, SnakeCaseIsThatOfKeras) {
  // From keras.src.utils.naming.to_snake_case.
  const std::pair<const char*, const char*> names[] = {{"Dense", "dense"},
                                                       {"BatchNormalization", "batch_normalization"},
                                                       {"Conv2D", "conv2d"},
                                                       {"LSTM", "lstm"},
                                                       {"ReLU", "re_lu"},
                                                       {"PReLU", "p_re_lu"},
                                                       {"LeakyReLU", "leaky_re_lu"},
                                                       {"RMSprop", "rm_sprop"},
                                                       {"SGD", "sgd"},
                                                       {"AdamW", "adam_w"},
                                                       {"GatedDense", "gated_dense"},
                                                       {"MaxPooling2D", "max_pooling2d"},
                                                       {"SimpleRNN", "simple_rnn"},
                                                       {"MyABCLayer", "my_abc_layer"},
                                                       {"A", "a"},
                                                       {"", ""},
                                                       {"Conv1DTranspose", "conv1d_transpose"}};
  for (const auto& [class_name, name] : names) EXPECT_EQ(KerasSnakeCase(class_name), name);
}

}  // namespace
}  // namespace fusebox
