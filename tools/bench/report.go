package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	ort "github.com/yalue/onnxruntime_go"
)

// field is a figure with its name. The name is empty for a line's own figure.
type field struct {
	name  string
	value any
}

// line is one printed line: "bench: name value key=value …".
type line struct {
	name   string
	fields []field
}

// report collects the lines, and prints each at once.
type report struct {
	out   io.Writer
	lines []line
	goals []goal
}

func (r *report) add(name string, fields ...field) {
	l := line{name, fields}
	r.lines = append(r.lines, l)
	fmt.Fprintln(r.out, l)
}

func (l line) String() string {
	var b strings.Builder
	b.WriteString("bench: " + l.name)
	for _, f := range l.fields {
		b.WriteByte(' ')
		if f.name != "" {
			b.WriteString(f.name + "=")
		}
		b.WriteString(text(f.value))
	}
	return b.String()
}

// text formats a number with three significant digits, and quotes words that a parser could split.
func text(value any) string {
	switch v := value.(type) {
	case float64:
		switch {
		case v >= 100:
			return fmt.Sprintf("%.0f", v)
		case v >= 10:
			return fmt.Sprintf("%.1f", v)
		case v >= 0.95 && v < 1:
			return fmt.Sprintf("%.4f", v)
		}
		return fmt.Sprintf("%.2f", v)
	case string:
		if strings.ContainsAny(v, " =<") {
			return fmt.Sprintf("%q", v)
		}
		return v
	}
	return fmt.Sprint(value)
}

// MarshalJSON writes an object with "line" and the fields; a line's own figure is "value".
func (l line) MarshalJSON() ([]byte, error) {
	object := map[string]any{"line": l.name}
	for _, f := range l.fields {
		name := f.name
		if name == "" {
			name = "value"
		}
		object[name] = f.value
	}
	return json.Marshal(object)
}

func (r *report) write(path string) error {
	data, err := json.MarshalIndent(r.lines, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}

// goal is a bound of a figure.
type goal struct {
	what  string
	got   float64
	bound float64
	below bool // the figure has to stay below the bound
}

func (r *report) atLeast(what string, got, bound float64) {
	r.goals = append(r.goals, goal{what, got, bound, false})
}

func (r *report) below(what string, got, bound float64) {
	r.goals = append(r.goals, goal{what, got, bound, true})
}

// judge prints each goal, and whether it is reached.
func (r *report) judge() {
	for _, g := range r.goals {
		sign, reached := ">=", g.got >= g.bound
		if g.below {
			sign, reached = "<", g.got < g.bound
		}
		word := "reached"
		if !reached {
			word = "missed"
		}
		r.add("goal", field{"", word}, field{"what", g.what}, field{"wanted", sign + text(g.bound)}, field{"got", g.got})
	}
}

// machine adds a line about the machine.
func (r *report) machine() {
	r.add("machine", field{"cpu", cpuName()}, field{"cores", runtime.GOMAXPROCS(0)}, field{"memory_gb", memoryGB()},
		field{"onnxruntime", ort.GetVersion()}, field{"go", runtime.Version()})
}

func cpuName() string {
	data, _ := os.ReadFile("/proc/cpuinfo") // without it, the name is unknown
	for line := range strings.Lines(string(data)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func memoryGB() int {
	data, _ := os.ReadFile("/proc/meminfo")
	var kilobytes int
	_, _ = fmt.Sscanf(string(data), "MemTotal: %d kB", &kilobytes) // 0 if unknown
	return (kilobytes + 1<<19) >> 20
}
