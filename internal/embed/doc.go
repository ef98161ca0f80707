// Package embed computes embeddings: it loads a model folder into sessions of ONNX Runtime, which turn batches of cropped
// pictures into unit vectors.
//
//	LoadDir / LoadFS ─► Folder ── Open ─► Model ── Embed ─► [N][D]float32
//	  graph, preprocessing,        library, provider,
//	  background, thresholds       sessions, warm-up
//
// A Folder is read and checked without the runtime. Its fingerprint identifies the model of stored vectors. A Model holds
// the runtime's sessions. What Embed returns:
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
// Each name but the last is followed by its variants with _fp16, _quantized, _int8, _uint8, _q4, _q4f16 or _bnb4 before the
// dot.
//
// A graph must take one picture tensor [N, 3, H, W] of float32 or float16. Its vector is the first output in vectorNames;
// else the only two-dimensional output; else pooler_output; else, for the families in classTokenFirst, the first token of
// last_hidden_state.
//
// The other files are one of the preprocessings (required), config.json (name and width), background.npy ([K, D] of <f2 or
// <f4) and moderation.json (the score's kind and the thresholds).
package embed
