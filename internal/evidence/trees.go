package evidence

import (
	_ "embed"
	"encoding/json"
	"fmt"
)

//go:embed trees.json
var fitted []byte

// trees are a small boosted model, fitted by tools/train/evidence.py: the log-odds are the sum of a leaf of each. More that agrees
// never lowers them, and more that is missing never raises them.
var trees = func() (t model) {
	if err := json.Unmarshal(fitted, &t); err != nil {
		panic(fmt.Sprintf("evidence: trees.json: %v: fit it again with tools/train/evidence.py", err))
	}
	if len(t.Features) != len(Features) {
		panic(fmt.Sprintf("evidence: trees.json has %d features, want %d: fit it again with tools/train/evidence.py", len(t.Features), len(Features)))
	}
	for i, f := range Features {
		if t.Features[i] != f.Name {
			panic(fmt.Sprintf("evidence: trees.json has %q as feature %d, want %q: fit it again with tools/train/evidence.py", t.Features[i], i, f.Name))
		}
	}
	return t
}()

type model struct {
	Features []string // names, in the order of Features
	Base     float64  // log-odds before any tree
	Trees    [][]node
}

// node is a leaf where Feature is negative. Value is the mean of the log-odds below it.
type node struct {
	Feature     int
	Most        float64 // of the feature, to go Left
	Left, Right int
	Value       float64
}

// leaf calls step for each node on the way from the root, with the node after it.
func leaf(tree []node, values []float64, step func(at, next *node)) float64 {
	at := &tree[0]
	for at.Feature >= 0 {
		next := &tree[at.Right]
		if values[at.Feature] <= at.Most {
			next = &tree[at.Left]
		}
		step(at, next)
		at = next
	}
	return at.Value
}
