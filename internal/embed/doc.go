// Package embed turns pixels into unit vectors: a model folder becomes sessions of ONNX Runtime, and batches of cropped
// pictures become L2-normalised embeddings.
//
//	LoadDir / LoadFS ─► Folder ── Open ─► Model ── Embed ─► [N][D]float32
//	  graph, preprocessing,        library, provider,
//	  background, thresholds       sessions, warm-up
//
// A Folder is read and checked without the runtime; its fingerprint names the model for as long as the vectors live. A Model
// holds the runtime's sessions. What Embed returns:
//
//	vectors, nil            every picture has its vector
//	vectors, VectorErrors   the pictures that the errors name have a nil vector; the others are good
//	nil, any other error    nothing was computed: the context ended, the model is closed, or the runtime failed
//
// # Model folder
//
// The graph is the first of these that exists:
//
//	onnx/vision_model.onnx  onnx/model.onnx  vision_model.onnx  model.onnx
//	visual/model.onnx       (Immich, with visual/preprocess_cfg.json)
//
// each but the last also, after it, with _fp16, _quantized, _int8, _uint8, _q4, _q4f16 or _bnb4 before the dot.
//
// A graph must take one picture tensor [N, 3, H, W] of float32 or float16. Its vector is the output that vectorNames names first;
// else the only two-dimensional output; else pooler_output; else, for the families in classTokenFirst, the first token of
// last_hidden_state.
//
// Beside it: one of the preprocessings (required), config.json (name and width), background.npy ([K, D] of <f2 or <f4) and
// moderation.json (how to score, and from which score on to block and to review).
package embed
