#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From a checkout to a trained model: installs missing packages, builds the fusebox command, trains the network of
# examples/models/fashion_mnist_mlp.cc on Fashion-MNIST, evaluates it and draws it. All results go to demo/.
#
#   tools/demo.sh [--epochs N]      trains for N epochs; 30 by default
set -euo pipefail
source "$(dirname "$0")/setup.sh"

epochs=${EPOCHS:-30}
while [[ $# -gt 0 ]]; do
  case $1 in
    --epochs) epochs=${2:?--epochs needs a number} && shift 2 ;;
    --epochs=*) epochs=${1#*=} && shift ;;
    -h | --help) sed -n '3,6s/^# \{0,1\}//p' "$0" && exit ;;
    *) echo "demo.sh: unknown option $1 (there is only --epochs N)" >&2 && exit 2 ;;
  esac
done

start=$SECONDS
step "Installing packages" install_packages
# What the steps below run: no tests, benchmarks or other examples.
step "Building" build release fusebox_command fusebox-h5read fusebox_plugins fashion_mnist_mlp_plugin

mkdir -p demo
cd demo
fusebox=../build/release/bin/fusebox
step "Training for $epochs epochs" \
  "$fusebox" train fashion_mnist_mlp --data 'fashion_mnist:train[5000:]' --validation-data 'fashion_mnist:train[:5000]' \
  --epochs "$epochs" --batch-size 32 --seed 42 -o fashion_mnist.keras --history history.csv
step "Evaluating on the 10,000 test images" "$fusebox" evaluate fashion_mnist.keras --data fashion_mnist:test
step "Drawing the learning curves" "$fusebox" curves history.csv -o learning_curves.png
step "Drawing the model" "$fusebox" plot fashion_mnist.keras -o model.png --show-shapes

cat <<END

Done in $((SECONDS - start)) s. Results:
  demo/fashion_mnist.keras    the trained model, which Keras opens too
  demo/history.csv            loss and accuracy of each epoch
  demo/learning_curves.png    the same, drawn
  demo/model.png              the layers and their shapes

Now try:
  build/release/bin/fusebox summary demo/fashion_mnist.keras
  build/release/bin/fusebox dump demo/fashion_mnist.keras --emit=fused
  build/release/bin/fusebox plugins list
  build/release/bin/fusebox plugins describe dense
  build/release/bin/fusebox --help
END
