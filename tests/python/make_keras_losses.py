#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Computes losses and metrics with the real Keras, for tests that compare ours with them.

    KERAS_BACKEND=jax make_keras_losses.py FOLDER

Data have kinds, such as "classes". A case of an item, such as "huber:delta=2|real", is the text that names it for us
and a kind.

FOLDER/losses.npz      for each kind "classes true" and "classes pred", 11 samples; for each case
                       "W|K"            the loss of each sample, reduction none
                       "gradient W|K"   of the reduced loss by pred
FOLDER/metrics.npz     for each kind the same, 18 samples, in batches of 7, 7 and 4; "weights", one per sample;
                       for each case
                       "W|K"            the result after each batch
                       "weighted W|K"   the same, with the weights
FOLDER/edges.npz       where samples do not count, values are constant, or axes have one element: for each kind the
                       same; for each case with default settings
                       "W|K|plain"      the reduced loss, or a metric's result after one batch
                       "W|K|none"       the same, with samples that all weigh 0
                       "W|K|rest"       the same, of a loss with reduction mean_with_sample_weight
                       "gradient ..."   of these by pred, for losses
                       Losses are "loss W", metrics "metric W". What is not finite in Keras is left out.
FOLDER/trainings.npz   x [61, 6] -> Dense 7 tanh -> Dense 5 and an activation, SGD 0.05: 5 epochs of 4 steps, the last
                       one of 13 samples; "x"; for each kind "classes y"; "before 0" ...; for each case
                       "W|K|A 0" ...    the weights after that, with the last activation A
                       "W|K|A loss"     of each epoch
                       and the same under "W|K|A|sample", with "sample weights", and "W|K|A|class", where class 0 has
                       the weight 0.5 and class 3 the weight 2.5
"""

import os
import sys

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import keras
import numpy as np

L, M = keras.losses, keras.metrics

# The text that names a loss for us, the loss, and kinds of data.
LOSSES = [
    ("mean_squared_error", L.MeanSquaredError, {}, "real deep column"),
    ("mean_absolute_error", L.MeanAbsoluteError, {}, "real deep column"),
    ("mean_absolute_percentage_error", L.MeanAbsolutePercentageError, {}, "real positive"),
    ("mean_squared_logarithmic_error", L.MeanSquaredLogarithmicError, {}, "positive"),
    ("log_cosh", L.LogCosh, {}, "real"),
    ("huber", L.Huber, {}, "real"),
    ("huber:delta=0.3", L.Huber, {"delta": 0.3}, "real deep"),
    ("huber:reduction=sum", L.Huber, {"reduction": "sum"}, "real deep"),
    ("cosine_similarity", L.CosineSimilarity, {}, "real deep"),
    ("cosine_similarity:axis=1", L.CosineSimilarity, {"axis": 1}, "deep"),
    ("poisson", L.Poisson, {}, "positive"),
    ("kl_divergence", L.KLDivergence, {}, "shares"),
    ("hinge", L.Hinge, {}, "signs binary"),
    ("squared_hinge", L.SquaredHinge, {}, "signs binary"),
    ("categorical_hinge", L.CategoricalHinge, {}, "one_hot_logits one_hot"),
    ("binary_crossentropy", L.BinaryCrossentropy, {}, "binary deep_binary"),
    ("binary_crossentropy:label_smoothing=0.2", L.BinaryCrossentropy, {"label_smoothing": 0.2}, "binary"),
    ("binary_crossentropy:from_logits=true", L.BinaryCrossentropy, {"from_logits": True}, "binary_logits"),
    ("binary_focal_crossentropy", L.BinaryFocalCrossentropy, {}, "binary"),
    ("binary_focal_crossentropy:alpha=0.4,apply_class_balancing=true,gamma=1.5,from_logits=true",
     L.BinaryFocalCrossentropy, {"alpha": 0.4, "apply_class_balancing": True, "gamma": 1.5, "from_logits": True},
     "binary_logits"),
    ("categorical_crossentropy", L.CategoricalCrossentropy, {}, "one_hot shares deep_one_hot"),
    ("categorical_crossentropy:label_smoothing=0.1", L.CategoricalCrossentropy, {"label_smoothing": 0.1}, "one_hot"),
    ("categorical_crossentropy:from_logits=true,label_smoothing=0.1", L.CategoricalCrossentropy,
     {"label_smoothing": 0.1, "from_logits": True}, "one_hot_logits"),
    ("categorical_focal_crossentropy", L.CategoricalFocalCrossentropy, {}, "one_hot deep_one_hot"),
    ("categorical_focal_crossentropy:alpha=0.5,from_logits=true,gamma=3,label_smoothing=0.1",
     L.CategoricalFocalCrossentropy, {"alpha": 0.5, "from_logits": True, "gamma": 3.0, "label_smoothing": 0.1},
     "one_hot_logits"),
    ("sparse_categorical_crossentropy", L.SparseCategoricalCrossentropy, {}, "classes deep_classes"),
    ("sparse_categorical_crossentropy:from_logits=true", L.SparseCategoricalCrossentropy, {"from_logits": True},
     "classes_logits"),
    ("sparse_categorical_crossentropy:from_logits=true,ignore_class=2", L.SparseCategoricalCrossentropy,
     {"from_logits": True, "ignore_class": 2}, "classes_logits"),
    ("sparse_categorical_crossentropy:ignore_class=1,reduction=sum", L.SparseCategoricalCrossentropy,
     {"ignore_class": 1, "reduction": "sum"}, "classes deep_classes"),
    ("dice", L.Dice, {}, "binary deep_binary"),
    ("dice:axis=[1;2]", L.Dice, {"axis": (1, 2)}, "deep_binary"),
    ("dice:axis=1", L.Dice, {"axis": 1}, "deep_binary"),
    ("tversky", L.Tversky, {}, "binary"),
    ("tversky:alpha=0.3,axis=1,beta=0.9", L.Tversky, {"alpha": 0.3, "beta": 0.9, "axis": 1}, "deep_binary"),
    ("categorical_generalized_cross_entropy", L.CategoricalGeneralizedCrossEntropy, {}, "classes"),
    ("categorical_generalized_cross_entropy:q=0.8", L.CategoricalGeneralizedCrossEntropy, {"q": 0.8}, "classes"),
    ("circle", L.Circle, {}, "embeddings embeddings_alone"),
    ("circle:gamma=3,margin=0.2,remove_diagonal=false", L.Circle,
     {"gamma": 3.0, "margin": 0.2, "remove_diagonal": False}, "embeddings"),
    ("circle:reduction=sum", L.Circle, {"reduction": "sum"}, "embeddings_alone"),
]

METRICS = [
    ("mean_squared_error", M.MeanSquaredError, {}, "real deep column"),
    ("mean_absolute_error", M.MeanAbsoluteError, {}, "real"),
    ("mean_absolute_percentage_error", M.MeanAbsolutePercentageError, {}, "positive"),
    ("mean_squared_logarithmic_error", M.MeanSquaredLogarithmicError, {}, "positive"),
    ("root_mean_squared_error", M.RootMeanSquaredError, {}, "real deep column"),
    ("log_cosh_error", M.LogCoshError, {}, "real"),
    ("cosine_similarity", M.CosineSimilarity, {}, "real deep"),
    ("r2_score", M.R2Score, {}, "real column"),
    ("r2_score:class_aggregation=variance_weighted_average", M.R2Score,
     {"class_aggregation": "variance_weighted_average"}, "real"),
    ("r2_score:num_regressors=3", M.R2Score, {"num_regressors": 3}, "real"),
    ("pearson_correlation", M.PearsonCorrelation, {}, "real deep"),
    ("concordance_correlation", M.ConcordanceCorrelation, {}, "real"),
    ("concordance_correlation:axis=1", M.ConcordanceCorrelation, {"axis": 1}, "deep"),
    ("kl_divergence", M.KLDivergence, {}, "shares"),
    ("poisson", M.Poisson, {}, "positive"),
    ("hinge", M.Hinge, {}, "signs binary"),
    ("squared_hinge", M.SquaredHinge, {}, "signs"),
    ("categorical_hinge", M.CategoricalHinge, {}, "one_hot"),
    ("binary_crossentropy", M.BinaryCrossentropy, {}, "binary deep_binary"),
    ("binary_crossentropy:from_logits=true,label_smoothing=0.1", M.BinaryCrossentropy,
     {"from_logits": True, "label_smoothing": 0.1}, "binary_logits"),
    ("categorical_crossentropy", M.CategoricalCrossentropy, {}, "one_hot"),
    ("categorical_crossentropy:from_logits=true,label_smoothing=0.1", M.CategoricalCrossentropy,
     {"from_logits": True, "label_smoothing": 0.1}, "one_hot_logits"),
    ("sparse_categorical_crossentropy", M.SparseCategoricalCrossentropy, {}, "classes deep_classes"),
    ("sparse_categorical_crossentropy:from_logits=true,ignore_class=1", M.SparseCategoricalCrossentropy,
     {"from_logits": True, "ignore_class": 1}, "classes_logits"),
    ("exact_accuracy", M.Accuracy, {}, "numbers"),
    ("binary_accuracy", M.BinaryAccuracy, {}, "binary deep_binary one_binary"),
    ("binary_accuracy:threshold=0.3", M.BinaryAccuracy, {"threshold": 0.3}, "binary"),
    ("categorical_accuracy", M.CategoricalAccuracy, {}, "one_hot deep_one_hot"),
    ("sparse_categorical_accuracy", M.SparseCategoricalAccuracy, {}, "classes deep_classes"),
    ("top_k_categorical_accuracy:k=2", M.TopKCategoricalAccuracy, {"k": 2}, "one_hot ties"),
    ("sparse_top_k_categorical_accuracy:k=3", M.SparseTopKCategoricalAccuracy, {"k": 3}, "classes"),
    ("sparse_top_k_categorical_accuracy:from_sorted_ids=true,k=2", M.SparseTopKCategoricalAccuracy,
     {"from_sorted_ids": True, "k": 2}, "sorted_ids"),
    ("true_positives", M.TruePositives, {}, "binary one_binary"),
    ("false_positives", M.FalsePositives, {}, "binary"),
    ("true_negatives", M.TrueNegatives, {}, "binary"),
    ("false_negatives:thresholds=0.7", M.FalseNegatives, {"thresholds": 0.7}, "binary"),
    ("precision", M.Precision, {}, "binary one_binary"),
    ("precision:thresholds=0.25", M.Precision, {"thresholds": 0.25}, "binary"),
    ("precision:top_k=2", M.Precision, {"top_k": 2}, "binary ties"),
    ("recall", M.Recall, {}, "binary deep_binary"),
    ("recall:class_id=3", M.Recall, {"class_id": 3}, "binary"),
    ("recall:class_id=1,top_k=3", M.Recall, {"class_id": 1, "top_k": 3}, "binary"),
    ("sensitivity_at_specificity:specificity=0.6", M.SensitivityAtSpecificity, {"specificity": 0.6},
     "binary one_binary"),
    ("sensitivity_at_specificity:num_thresholds=1,specificity=0.4", M.SensitivityAtSpecificity,
     {"specificity": 0.4, "num_thresholds": 1}, "binary"),
    ("specificity_at_sensitivity:num_thresholds=20,sensitivity=0.5", M.SpecificityAtSensitivity,
     {"sensitivity": 0.5, "num_thresholds": 20}, "binary"),
    ("precision_at_recall:class_id=2,recall=0.5", M.PrecisionAtRecall, {"recall": 0.5, "class_id": 2}, "binary"),
    ("recall_at_precision:precision=0.6", M.RecallAtPrecision, {"precision": 0.6}, "binary"),
    ("auc", M.AUC, {}, "binary one_binary deep_binary"),
    ("auc:num_thresholds=11", M.AUC, {"num_thresholds": 11}, "tenths"),
    ("auc:summation_method=minoring", M.AUC, {"summation_method": "minoring"}, "binary"),
    ("auc:num_thresholds=9,summation_method=majoring", M.AUC, {"summation_method": "majoring", "num_thresholds": 9},
     "binary"),
    ("auc:curve=PR", M.AUC, {"curve": "PR"}, "binary one_binary"),
    ("auc:curve=PR,summation_method=majoring", M.AUC, {"curve": "PR", "summation_method": "majoring"}, "binary"),
    ("auc:curve=PRGAIN", M.AUC, {"curve": "PRGAIN"}, "binary"),
    ("auc:from_logits=true", M.AUC, {"from_logits": True}, "binary_logits"),
    ("auc:thresholds='[0.2;0.9;0.35]'", M.AUC, {"thresholds": [0.2, 0.9, 0.35]}, "binary"),
    ("auc:thresholds='[0.25;0.5;0.75]'", M.AUC, {"thresholds": [0.25, 0.5, 0.75]}, "binary"),
    ("auc:multi_label=true", M.AUC, {"multi_label": True}, "binary"),
    ("auc:label_weights='[1;0.5;2;0;1]',multi_label=true,num_labels=5", M.AUC,
     {"multi_label": True, "num_labels": 5, "label_weights": [1, 0.5, 2, 0, 1]}, "binary"),
    ("auc:label_weights='[1;0.5;2;0;1]'", M.AUC, {"label_weights": [1, 0.5, 2, 0, 1]}, "binary"),
    ("fbeta_score:average=micro,beta=2", M.FBetaScore, {"average": "micro", "beta": 2.0}, "one_hot"),
    ("fbeta_score:average=macro,beta=0.5,threshold=0.4", M.FBetaScore,
     {"average": "macro", "beta": 0.5, "threshold": 0.4}, "binary"),
    ("f1_score:average=macro", M.F1Score, {"average": "macro"}, "one_hot ties"),
    ("f1_score:average=weighted", M.F1Score, {"average": "weighted"}, "one_hot"),
    ("iou:num_classes=5,target_class_ids=[0;3]", M.IoU, {"num_classes": 5, "target_class_ids": [0, 3]}, "class_pairs"),
    ("iou:ignore_class=2,num_classes=5,sparse_y_pred=false,target_class_ids=[1;2;4]", M.IoU,
     {"num_classes": 5, "target_class_ids": [1, 2, 4], "sparse_y_pred": False, "ignore_class": 2}, "classes"),
    ("mean_iou:num_classes=5", M.MeanIoU, {"num_classes": 5}, "class_pairs"),
    ("mean_iou:num_classes=5,sparse_y_pred=false", M.MeanIoU, {"num_classes": 5, "sparse_y_pred": False},
     "classes deep_classes"),
    ("binary_iou", M.BinaryIoU, {}, "binary one_binary"),
    ("binary_iou:target_class_ids=[1],threshold=0.3", M.BinaryIoU, {"target_class_ids": [1], "threshold": 0.3},
     "binary"),
    ("one_hot_iou:num_classes=5,target_class_ids=[0;2]", M.OneHotIoU,
     {"num_classes": 5, "target_class_ids": [0, 2]}, "one_hot"),
    ("one_hot_mean_iou:num_classes=5", M.OneHotMeanIoU, {"num_classes": 5}, "one_hot"),
    ("mean", M.Mean, {}, "one_binary"),
    ("sum", M.Sum, {}, "one_binary"),
    # Results of several numbers.
    ("precision:thresholds='[0.3;0.5;0.7]'", M.Precision, {"thresholds": [0.3, 0.5, 0.7]}, "binary one_binary"),
    ("precision:class_id=1,thresholds='[0.7;0.25]',top_k=2", M.Precision,
     {"thresholds": [0.7, 0.25], "class_id": 1, "top_k": 2}, "binary"),
    ("recall:thresholds='[0.25;0.5;0.75]'", M.Recall, {"thresholds": [0.25, 0.5, 0.75]}, "tenths"),
    ("true_positives:thresholds='[0.2;0.9]'", M.TruePositives, {"thresholds": [0.2, 0.9]}, "binary"),
    ("false_positives:thresholds='[0.2;0.9]'", M.FalsePositives, {"thresholds": [0.2, 0.9]}, "binary"),
    ("true_negatives:thresholds='[0.2;0.9]'", M.TrueNegatives, {"thresholds": [0.2, 0.9]}, "binary"),
    ("false_negatives:thresholds='[0.2;0.9]'", M.FalseNegatives, {"thresholds": [0.2, 0.9]}, "binary"),
    ("f1_score", M.F1Score, {}, "one_hot ties"),
    ("fbeta_score:beta=2,threshold=0.4", M.FBetaScore, {"beta": 2.0, "threshold": 0.4}, "binary"),
    ("r2_score:class_aggregation=none", M.R2Score, {"class_aggregation": None}, "real"),
    ("r2_score:class_aggregation=none,num_regressors=3", M.R2Score,
     {"class_aggregation": None, "num_regressors": 3}, "real"),
]
# Metrics that Keras cannot weight by sample: for these shapes, with top_k, or at all.
UNWEIGHTED = ("binary_iou|binary", "binary_iou:target_class_ids=[1],threshold=0.3|binary", "mean|", "sum|")

# Losses to train with: the text, the loss, the last activation, and the kind of data.
TRAININGS = [
    ("mean_squared_error", "mean_squared_error", "linear", "real"),
    ("mean_absolute_error", "mean_absolute_error", "linear", "real"),
    ("mean_absolute_percentage_error", "mean_absolute_percentage_error", "softplus", "positive"),
    ("mean_squared_logarithmic_error", "mean_squared_logarithmic_error", "softplus", "positive"),
    ("log_cosh", "log_cosh", "linear", "real"),
    ("huber", "huber", "linear", "real"),
    ("huber:delta=0.3,reduction=sum", L.Huber(delta=0.3, reduction="sum"), "linear", "real"),
    ("cosine_similarity", "cosine_similarity", "linear", "real"),
    ("poisson", "poisson", "softplus", "positive"),
    ("kl_divergence", "kl_divergence", "softmax", "shares"),
    ("hinge", "hinge", "tanh", "signs"),
    ("squared_hinge", "squared_hinge", "tanh", "binary"),
    ("categorical_hinge", "categorical_hinge", "linear", "one_hot"),
    ("binary_crossentropy", "binary_crossentropy", "sigmoid", "binary"),
    ("binary_crossentropy:from_logits=true", L.BinaryCrossentropy(from_logits=True), "linear", "binary"),
    ("binary_focal_crossentropy", "binary_focal_crossentropy", "sigmoid", "binary"),
    ("categorical_crossentropy", "categorical_crossentropy", "softmax", "one_hot"),
    ("categorical_crossentropy:label_smoothing=0.1", L.CategoricalCrossentropy(label_smoothing=0.1), "softmax",
     "one_hot"),
    ("categorical_focal_crossentropy", "categorical_focal_crossentropy", "softmax", "one_hot"),
    ("sparse_categorical_crossentropy", "sparse_categorical_crossentropy", "softmax", "classes"),
    ("sparse_categorical_crossentropy:ignore_class=3", L.SparseCategoricalCrossentropy(ignore_class=3), "softmax",
     "classes"),
    ("crossentropy", "crossentropy", "softmax", "classes"),
    ("crossentropy", "crossentropy", "softmax", "one_hot"),
    ("dice", "dice", "sigmoid", "binary"),
    ("tversky:alpha=0.3,axis=1,beta=0.7", L.Tversky(alpha=0.3, beta=0.7, axis=1), "sigmoid", "binary"),
    ("categorical_generalized_cross_entropy", L.CategoricalGeneralizedCrossEntropy(), "softmax", "classes"),
    ("circle:gamma=2", L.Circle(gamma=2.0), "softmax", "classes"),
]
# With weights of samples or of classes.
WEIGHED = [
    ("mean_squared_error", "mean_squared_error", "linear", "real", "sample"),
    ("huber:reduction=sum", L.Huber(reduction="sum"), "linear", "real", "sample"),
    ("mean_squared_error:reduction=mean_with_sample_weight", L.MeanSquaredError(reduction="mean_with_sample_weight"),
     "linear", "real", "sample"),
    ("sparse_categorical_crossentropy", "sparse_categorical_crossentropy", "softmax", "classes", "sample"),
    ("sparse_categorical_crossentropy:ignore_class=3", L.SparseCategoricalCrossentropy(ignore_class=3), "softmax",
     "classes", "sample"),
    ("dice", "dice", "sigmoid", "binary", "sample"),
    ("sparse_categorical_crossentropy", "sparse_categorical_crossentropy", "softmax", "classes", "class"),
    ("categorical_crossentropy", "categorical_crossentropy", "softmax", "one_hot", "class"),
]


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def kinds(rng, n):
    """y_true and y_pred of n samples, by kind."""
    f = np.float32
    normal = lambda *shape: rng.normal(size=(n, *shape)).astype(f)
    uniform = lambda *shape: rng.random((n, *shape)).astype(f)
    labels = rng.integers(0, 5, n).astype(np.int32)
    labels[:5] = [0, 1, 2, 3, 4]
    deep_labels = rng.integers(0, 4, (n, 3)).astype(np.int32)
    eye = np.eye(5, dtype=f)
    bits = lambda *shape: (rng.random((n, *shape)) < 0.4).astype(f)
    corners = uniform(5)
    corners[0] = [0, 1, 0.5, 1e-8, 1 - 1e-6]
    wide = 4 * normal(5)
    wide[1] = [30, -30, 0, 80, -80]
    tenths = np.round(10 * uniform(5)).astype(f) / f(10)
    ids = np.argsort(normal(5), -1).astype(f)
    # Uses its own generator, so that the other kinds stay as they are; slightly shorter than 1, where the loss has a
    # kink.
    embeddings = np.random.default_rng(n).normal(size=(n, 4))
    embeddings = (0.97 * embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)).astype(f)
    pairs = (np.arange(n) % 3).astype(np.int32)
    alone = np.where(np.arange(n) == 4, 7, pairs).astype(np.int32)
    ties = np.floor(4 * uniform(5)).astype(f) / f(4)
    return {
        "real": (normal(5), normal(5)),
        "deep": (normal(3, 4), normal(3, 4)),
        "column": (normal(), normal(1)),
        "positive": (3 * uniform(5), f(0.05) + 3 * uniform(5)),
        "shares": (softmax(normal(5)), softmax(normal(5))),
        "signs": (2 * bits(5) - 1, normal(5)),
        "binary": (bits(5), corners),
        "one_binary": (bits(1), uniform(1)),
        "deep_binary": (bits(3, 2), uniform(3, 2)),
        "binary_logits": (bits(5), wide),
        "tenths": (bits(5), tenths),
        "ties": (eye[labels], ties),
        "one_hot": (eye[labels], softmax(normal(5))),
        "one_hot_logits": (eye[labels], wide),
        "classes": (labels, softmax(normal(5))),
        "classes_logits": (labels, wide),
        "deep_one_hot": (np.eye(4, dtype=f)[deep_labels], softmax(normal(3, 4))),
        "deep_classes": (deep_labels, softmax(normal(3, 4))),
        "numbers": (np.floor(3 * uniform(5)).astype(f), np.floor(3 * uniform(5)).astype(f)),
        "class_pairs": (labels, (labels * (uniform() < 0.6) + uniform() * (uniform() < 0.3)).astype(f)),
        "sorted_ids": (labels, ids),
        "embeddings": (pairs, embeddings),
        "embeddings_alone": (alone, embeddings),
    }


def save(path, arrays, cases):
    assert all(np.all(np.isfinite(a)) for a in arrays.values()), [
        n for n, a in arrays.items() if not np.all(np.isfinite(a))]
    np.savez_compressed(path, **arrays)
    print(f"{path}: {cases} cases, {os.path.getsize(path)} bytes")


def losses(path):
    data = kinds(np.random.default_rng(41), 11)
    arrays, cases = {}, 0
    for words, loss, arguments, of in LOSSES:
        for kind in of.split():
            true, pred = data[kind]
            arrays[f"{kind} true"], arrays[f"{kind} pred"] = true, pred
            each = loss(**{**arguments, "reduction": "none"})(true, pred)
            gradient = jax.grad(lambda p: loss(**arguments)(true, p))(jax.numpy.array(pred))
            arrays[f"{words}|{kind}"] = np.array(each, np.float32)
            arrays[f"gradient {words}|{kind}"] = np.array(gradient)
            cases += 1
    save(path, arrays, cases)


def metrics(path):
    rng = np.random.default_rng(42)
    data = kinds(rng, 18)
    weights = rng.integers(0, 4, 18).astype(np.float32) / 2
    arrays, cases = {"weights": weights}, 0
    for words, metric, arguments, of in METRICS:
        for kind in of.split():
            true, pred = data[kind]
            arrays[f"{kind} true"], arrays[f"{kind} pred"] = true, pred
            case = f"{words}|{kind}"
            for weighted in (False, True):
                if weighted and (case.startswith(UNWEIGHTED) or kind.startswith("deep")):
                    continue
                m, results = metric(**arguments), []
                for begin, end in ((0, 7), (7, 14), (14, 18)):
                    update = (true[begin:end], pred[begin:end])
                    m.update_state(*update, **({"sample_weight": weights[begin:end]} if weighted else {}))
                    result = np.array(m.result(), np.float32)
                    results.append(result.reshape(()) if result.size == 1 else result)
                arrays[("weighted " if weighted else "") + case] = np.stack(results)
            cases += 1
    save(path, arrays, cases)


def edge_kinds(n):
    """y_true and y_pred, as kinds() has them, where nothing varies or an axis has one element."""
    f = np.float32
    labels, eye = (np.arange(n) % 5).astype(np.int32), np.eye(5, dtype=f)
    alternating = (np.arange(n) % 2).astype(f).reshape(n, 1)
    scores = (f(0.1) + f(0.8) * np.arange(5 * n).reshape(n, 5) / f(5 * n)).astype(f)
    return {
        "zeros": (np.zeros((n, 5), f), np.zeros((n, 5), f)),
        "ones": (np.ones((n, 5), f), np.ones((n, 5), f)),
        "opposite": (np.zeros((n, 5), f), np.ones((n, 5), f)),
        "halves": (np.ones((n, 5), f), np.full((n, 5), 0.5, f)),
        "still_scores": (eye[labels], np.full((n, 5), 0.2, f)),
        "narrow": (alternating, (f(0.2) + f(0.5) * alternating).astype(f)),
        "one_sample": (eye[labels[:1]], scores[:1]),
        "one_number": (np.ones((1, 1), f), np.full((1, 1), 0.25, f)),
        "hot_zeros": (eye[labels], np.zeros((n, 5), f)),
        "hot_wrong": (eye[labels], eye[(labels + 1) % 5]),
        "labels_still": (np.zeros(n, np.int32), np.full((n, 5), 0.2, f)),
        "labels_wrong": (labels, eye[(labels + 1) % 5]),
        "labels_of_one_sample": (labels[:1], scores[:1]),
        "labels_zeros": (labels, np.zeros((n, 5), f)),
    }


def edges(path):
    data = edge_kinds(6)
    arrays, cases = {}, 0
    for kind, (true, pred) in data.items():
        arrays[f"{kind} true"], arrays[f"{kind} pred"] = true, pred
    sparse = lambda words: words.startswith(("sparse", "categorical_generalized", "circle"))
    for what, items in ("loss", LOSSES), ("metric", METRICS):
        known = set()
        for words, item, arguments, _ in items:
            if item in known:  # Its other settings.
                continue
            known.add(item)
            for kind, (true, pred) in data.items():
                if sparse(words) != (true.ndim == 1) or (kind.startswith("narrow") and "categorical" in words):
                    continue
                none = np.zeros(len(true), np.float32)
                for case, weights, settings in (("plain", None, {}), ("none", none, {}),
                                                ("rest", none, {"reduction": "mean_with_sample_weight"})):
                    if what == "metric" and settings:
                        continue
                    try:
                        if what == "loss":
                            of = lambda p: item(**{**arguments, **settings})(true, p, sample_weight=weights)
                            results = {"": of(pred), "gradient ": jax.grad(of)(jax.numpy.array(pred))}
                        else:
                            metric = item(**arguments)
                            metric.update_state(true, pred, **({} if weights is None else {"sample_weight": weights}))
                            results = {"": metric.result()}
                    except Exception as error:  # What Keras refuses; we may as well.
                        print(f"{what} {words}|{kind}|{case}: {str(error).splitlines()[0][:100]}")
                        continue
                    cases += 1
                    for start, value in results.items():
                        if np.all(np.isfinite(value)):
                            arrays[f"{start}{what} {words}|{kind}|{case}"] = np.array(value, np.float32)
    np.savez_compressed(path, **arrays)
    print(f"{path}: {cases} cases, {os.path.getsize(path)} bytes")


def trainings(path):
    rng = np.random.default_rng(43)
    x = rng.normal(size=(61, 6)).astype(np.float32)
    data = kinds(rng, 61)
    arrays = {"x": x}
    before = [rng.normal(size=shape).astype(np.float32) * np.float32(0.4) for shape in ((6, 7), (7,), (7, 5), (5,))]
    for i, w in enumerate(before):
        arrays[f"before {i}"] = w
    arrays["sample weights"] = rng.integers(0, 4, 61).astype(np.float32) / 2
    weights = {"sample": {"sample_weight": arrays["sample weights"]}, "class": {"class_weight": {0: 0.5, 3: 2.5}}}
    for words, loss, activation, kind, *by in [*TRAININGS, *WEIGHED]:
        y = data[kind][0]
        arrays[f"{kind} y"] = y
        model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(7, activation="tanh"),
                                  keras.layers.Dense(5, activation=activation)])
        model.set_weights(before)
        model.compile(optimizer=keras.optimizers.SGD(0.05), loss=loss)
        history = model.fit(x, y, epochs=5, batch_size=16, shuffle=False, verbose=0,
                            **(weights[by[0]] if by else {})).history
        case = "|".join([words, kind, activation, *by])
        for i, w in enumerate(model.get_weights()):
            arrays[f"{case} {i}"] = w
        arrays[f"{case} loss"] = np.array(history["loss"])
    save(path, arrays, len(TRAININGS) + len(WEIGHED))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    os.makedirs(sys.argv[1], exist_ok=True)
    losses(os.path.join(sys.argv[1], "losses.npz"))
    metrics(os.path.join(sys.argv[1], "metrics.npz"))
    edges(os.path.join(sys.argv[1], "edges.npz"))
    trainings(os.path.join(sys.argv[1], "trainings.npz"))


if __name__ == "__main__":
    main()
