"""Fits the trees that weigh the evidence (internal/evidence/trees.json) on pairs that tools/quality has written.

    go run ./tools/gather --out DIR
    go run ./tools/quality --images DIR --varied 6 --seed 2 --parts train --distractors DIR --flags 4500 --pairs train.csv
    go run ./tools/quality --images DIR --varied 6 --seed 2 --per-kind 192 --layouts 32 --flags 3000 --pairs templates.csv
    python3 tools/train/evidence.py --fit train.csv templates.csv --choose validation.csv --out internal/evidence/trees.json

Pairs of training sources are fitted on; the number of trees is chosen on those of validation sources. It needs scikit-learn.
"""

import argparse
import csv
import json

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

# Columns of the pairs that are no features.
KEYS = ["upload", "kind", "edit", "group", "flag", "copy", "rank", "flag_points", "upload_file", "flag_file"]

# More of these never speaks against a copy, or never for one.
RISING = ["score", "inliers", "area", "agreeing", "share", "same", "similar", "cells", "cell share", "difference", "alike", "own"]
FALLING = ["pdq", "missing", "contradicting", "bits", "new share", "first quartile", "median", "third quartile", "ninth decile", "mean", "first", "before", "appeared", "vanished", "worst", "frame pdq", "shared", "own missing"]

# Copies of pictures with few keypoints weigh less: they would lower the odds that evidence of detailed pictures is given.
FEW_KEYPOINTS, FEW_WEIGHT = 100, 0.1

# Pictures of one template, filled in differently, are few among the pairs, and what moderators mind most.
FILLED_WEIGHT = 2

# Each pair is fitted on twice: as it is, and with this weight as if the flag were the only one of its set.
ALONE_WEIGHT = 0.35

# Each split chooses among so large a share of the features. With all of them a few decide alone, and pictures of new sources are judged
# worse: 0.885 of copies against 0.931, at 40 of 9,000 innocent uploads.
FEATURES_SEEN = 0.15

# Added to the log-odds: among the uploads of a platform that resemble a flag, more are copies than among these pairs.
PRIOR = 1.8


class Pairs:
    def __init__(self, paths):
        self.keys, rows, self.names = [], [], None
        for n, path in enumerate(paths):
            with open(path, newline="") as file:
                for row in csv.DictReader(file):
                    names = [name for name in row if name not in KEYS]
                    if self.names is None:
                        self.names = names
                    assert names == self.names, f"{path}: other features than in {paths[0]}: write both with one version"
                    key = {k: row[k] for k in KEYS}
                    key["upload"] = (n, int(row["upload"]))
                    self.keys.append(key)
                    rows.append([float(row[name]) for name in names])
        self.x = np.array(rows)
        self.copy = np.array([k["copy"] == "true" for k in self.keys])

    def column(self, name):
        return self.x[:, self.names.index(name)]

    def unlabelled(self):
        """Pairs of files that are copies, though nobody made them one: a picture and its cut-out in one manual."""
        made = np.array([k["upload_file"].startswith("filled") for k in self.keys])
        alike = (self.column("looked") >= 30) & (self.column("median") <= 8) & (self.column("ninth decile") <= 16) & (self.column("inliers") > 0)
        alike |= (self.column("difference") >= 0.98) & (self.column("alike") >= 0.98) & (self.column("median") <= 10) & (self.column("looked") >= 30)
        return ~self.copy & ~made & alike

    def weights(self):
        few = np.array([int(k["flag_points"]) < FEW_KEYPOINTS for k in self.keys])
        filled = np.array([k["upload_file"].startswith("filled") and k["flag_file"].startswith("filled") for k in self.keys])
        w = np.where(self.copy & few, FEW_WEIGHT, 1.0)
        w[filled & ~self.copy] = FILLED_WEIGHT
        w[~self.copy & np.array([k["kind"] == "meme template" for k in self.keys])] = 0
        w[self.unlabelled()] = 0
        return w

    def alone(self):
        """The features where no other flag shares keypoints."""
        x = self.x.copy()
        at = {name: i for i, name in enumerate(self.names)}
        agreeing, missing = x[:, at["agreeing"]], x[:, at["missing"]]
        x[:, at["shared"]], x[:, at["own"]], x[:, at["own missing"]] = 0, agreeing, missing_of(lacking(agreeing, missing), agreeing)
        return x

    def report(self, odds, what):
        """Prints the share of copies above the threshold that so many of 10,000 uploads reach by another flag."""
        wrong, right = {}, {}
        for key, copy, o in zip(self.keys, self.copy, odds):
            of = right if copy else wrong
            if copy or key["kind"] != "meme template":
                of[key["upload"]] = max(of.get(key["upload"], (-99,))[0], o), key["group"]
        uploads = len({k["upload"] for k in self.keys})
        ranked = sorted((o for o, _ in wrong.values()), reverse=True)
        for rate in (10, 30, 100, 200):
            threshold = ranked[min(len(ranked) - 1, rate * uploads // 10000)]
            found = {g: np.mean([o > threshold for o, group in right.values() if group == g or g == "all"]) for g in ("easy", "medium", "hard", "all")}
            print(what, f"{rate} of 10,000 at {threshold:.2f}:", " ".join(f"{g} {v:.3f}" for g, v in found.items()), "of those that are candidates")
        return ranked


ENOUGH_INSIDE = 6  # as in internal/evidence/features.go


def missing_of(lacking, agreeing):
    return lacking / (lacking + agreeing + ENOUGH_INSIDE)


def lacking(agreeing, missing):
    """The inverse of missing_of."""
    return missing * (agreeing + ENOUGH_INSIDE) / (1 - missing)


def fit(pairs, trees):
    bound = [1 if n in RISING else -1 if n in FALLING else 0 for n in pairs.names]
    model = HistGradientBoostingClassifier(
        max_iter=trees, learning_rate=0.05, max_leaf_nodes=16, max_features=FEATURES_SEEN, random_state=1, l2_regularization=1, min_samples_leaf=30,
        early_stopping=False, monotonic_cst=bound)
    x, copy, weights = np.vstack([pairs.x, pairs.alone()]), np.concatenate([pairs.copy, pairs.copy]), pairs.weights()
    return model.fit(x, copy, sample_weight=np.concatenate([(1 - ALONE_WEIGHT) * weights, ALONE_WEIGHT * weights]))


def export(model, names):
    """The form of internal/evidence/trees.go. The value of an inner node is the mean of its leaves."""
    trees = []
    for (predictor,) in model._predictors:
        nodes = predictor.nodes
        for n in nodes[::-1]:  # children come after their parent
            if not n["is_leaf"]:
                left, right = nodes[n["left"]], nodes[n["right"]]
                n["value"] = (left["value"] * left["count"] + right["value"] * right["count"]) / n["count"]
        trees.append([
            {"Value": round(float(n["value"]), 4)} | ({"Feature": -1} if n["is_leaf"] else {
                "Feature": int(n["feature_idx"]), "Most": float(f"{n['num_threshold']:.9g}"), "Left": int(n["left"]), "Right": int(n["right"])})
            for n in predictor.nodes])
    return {"Features": names, "Base": float(model._baseline_prediction.ravel()[0]) + PRIOR, "Trees": trees}


def odds(exported, x):
    """As internal/evidence computes them."""
    total = np.full(len(x), exported["Base"])
    for tree in exported["Trees"]:
        at = np.zeros(len(x), int)
        for _ in range(len(tree)):
            nodes = [(n["Feature"], n.get("Most", 0), n.get("Left", 0), n.get("Right", 0)) for n in tree]
            feature, most, left, right = (np.array(c)[at] for c in zip(*nodes))
            inner = feature >= 0
            goes = np.where(x[np.arange(len(x)), np.maximum(feature, 0)] <= most, left, right)
            at = np.where(inner, goes, at)
            if not inner.any():
                break
        total += np.array([n["Value"] for n in tree])[at]
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fit", nargs="+", required=True, help="pairs of training sources")
    parser.add_argument("--choose", nargs="+", required=True, help="pairs of validation sources")
    parser.add_argument("--trees", type=int, nargs="+", default=[400], help="numbers to choose from")
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    train, held = Pairs(args.fit), Pairs(args.choose)
    for n in args.trees:
        exported = export(fit(train, n), train.names)
        got = odds(exported, held.x)
        held.report(got, f"{n} trees,")
        with open(args.out if len(args.trees) == 1 else f"{args.out}.{n}", "w") as file:
            json.dump(exported, file, separators=(",", ":"))
            file.write("\n")


if __name__ == "__main__":
    main()
