package embed

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	ort "github.com/yalue/onnxruntime_go"
)

// Device is where graphs of our own run: a device of one provider.
type Device struct {
	provider provider
	place    place
}

// OpenDevice returns the device of o.Provider if try succeeds on it. auto is the first of CUDA and WebGPU on which it does; OpenVINO may
// compute on the CPU. The device's id is the first of o.DeviceIDs. The error lists why each provider does not work.
func OpenDevice(ctx context.Context, o Options, try func(*Device) error) (*Device, error) {
	list, err := candidates(o.Provider)
	if err != nil {
		return nil, err
	}
	if len(list) > 1 {
		list = slices.DeleteFunc(list, func(p provider) bool { return p.name != "cuda" && p.name != "webgpu" })
	}
	if _, _, err := loadLibrary(o.Library); err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	on := place{device: -1, exact: true}
	if len(o.DeviceIDs) > 0 {
		on.device = o.DeviceIDs[0]
	}
	var d *Device
	works, tried, err := firstThatWorks(ctx, list, o.Logger, func(p provider) error {
		d = &Device{p, on}
		return try(d)
	})
	if err == nil && works == nil {
		err = fmt.Errorf("no provider works: %s", strings.Join(tried, "; "))
	}
	return d, err
}

// String returns the provider, with the device's name.
func (d *Device) String() string {
	var ids []int
	if d.place.device >= 0 {
		ids = []int{d.place.device}
	}
	return Report{Provider: d.provider.name, Devices: d.provider.inUse(ids)}.On()
}

// Copies reports whether tensors that are bound to the device's sessions are copied to its memory. The CPU reads them in place.
func (d *Device) Copies() bool { return d.provider.name != "cpu" }

// InTurn calls do, which uses sessions of the device. Some providers' sessions must not work concurrently, so that the runtime is called
// for the device by InTurn alone.
func (d *Device) InTurn(do func() error) error { return d.provider.inTurn(do) }

// Session opens a graph, an ONNX file, on the device. The error says which of its operators the provider lacks: none runs on the CPU
// instead. The caller destroys the session.
func (d *Device) Session(graph []byte, inputs, outputs []string) (s *ort.DynamicAdvancedSession, err error) {
	o, err := sessionOptions(d.provider, d.place)
	if err != nil {
		return nil, err
	}
	defer o.Destroy()
	if d.Copies() {
		if err := o.AddSessionConfigEntry("session.disable_cpu_ep_fallback", "1"); err != nil {
			return nil, err
		}
	}
	err = d.InTurn(func() (err error) {
		s, err = ort.NewDynamicAdvancedSessionWithONNXData(graph, inputs, outputs, o)
		return err
	})
	return s, err
}
