package main

import (
	"errors"

	ort "github.com/yalue/onnxruntime_go"
)

// openSession opens a graph as moderator does on the CPU: one thread, which does not spin.
func openSession(data []byte, input, output string) (*ort.DynamicAdvancedSession, error) {
	o, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	defer o.Destroy()
	if err := errors.Join(
		o.SetIntraOpNumThreads(1),
		o.SetInterOpNumThreads(1),
		o.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"),
	); err != nil {
		return nil, err
	}
	return ort.NewDynamicAdvancedSessionWithONNXData(data, []string{input}, []string{output}, o)
}

// inference is a session with its tensors, such that run measures the runtime's work only.
type inference struct {
	session *ort.DynamicAdvancedSession
	in, out *ort.Tensor[float32]
}

func newInference(session *ort.DynamicAdvancedSession, batch, side, dims int) (*inference, error) {
	in, err := ort.NewEmptyTensor[float32](ort.NewShape(int64(batch), 3, int64(side), int64(side)))
	if err != nil {
		return nil, err
	}
	for i := range in.GetData() {
		in.GetData()[i] = float32(i%255)/127 - 1
	}
	out, err := ort.NewEmptyTensor[float32](ort.NewShape(int64(batch), int64(dims)))
	if err != nil {
		return nil, errors.Join(err, in.Destroy())
	}
	return &inference{session, in, out}, nil
}

func (i *inference) run() error { return i.session.Run([]ort.Value{i.in}, []ort.Value{i.out}) }

func (i *inference) close() { _ = errors.Join(i.in.Destroy(), i.out.Destroy()) } // both only free memory, and return nil
