package telemetry

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

// A span reaches the collector that the environment names, with the service's name.
func TestTracingExports(t *testing.T) {
	received := make(chan *collector.ExportTraceServiceRequest, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			unpacked, err := gzip.NewReader(r.Body)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			body = unpacked
		}
		data, err := io.ReadAll(body)
		request := new(collector.ExportTraceServiceRequest)
		if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(data, request) != nil {
			http.Error(w, "not a trace", http.StatusBadRequest)
			return
		}
		received <- request
	}))
	t.Cleanup(server.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")

	tracer, stop, err := Tracing(t.Context(), slog.New(slog.NewTextHandler(t.Output(), nil)))
	require.NoError(t, err)
	_, span := tracer.Start(t.Context(), "judge upload")
	require.True(t, span.IsRecording())
	span.End()
	require.NoError(t, stop(t.Context()), "it sends what is held")

	spans := (<-received).ResourceSpans[0]
	require.Equal(t, "judge upload", spans.ScopeSpans[0].Spans[0].Name)
	attributes := map[string]string{}
	for _, a := range spans.Resource.Attributes {
		attributes[a.Key] = a.Value.GetStringValue()
	}
	require.Equal(t, "moderator", attributes["service.name"])
	require.Equal(t, "test", attributes["deployment.environment.name"])
}

func TestTracingIsOffByDefault(t *testing.T) {
	for _, name := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_TRACES_EXPORTER"} {
		t.Setenv(name, "")
	}
	tracer, stop, err := Tracing(t.Context(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	_, span := tracer.Start(t.Context(), "judge upload")
	require.False(t, span.IsRecording())
	require.NoError(t, stop(t.Context()))
}

func TestWanted(t *testing.T) {
	endpoint := map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}
	with := func(more map[string]string) map[string]string {
		for name, value := range endpoint {
			more[name] = value
		}
		return more
	}
	for name, test := range map[string]struct {
		env  map[string]string
		on   bool
		want string // the error
	}{
		"nothing":                {map[string]string{}, false, ""},
		"an endpoint":            {endpoint, true, ""},
		"an endpoint for traces": {map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, true, ""},
		"the exporter's default": {map[string]string{"OTEL_TRACES_EXPORTER": "otlp"}, true, ""},
		"disabled":               {with(map[string]string{"OTEL_SDK_DISABLED": "true"}), false, ""},
		"none":                   {with(map[string]string{"OTEL_TRACES_EXPORTER": "none"}), false, ""},
		"gRPC":                   {with(map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}), false, "wanted http/protobuf"},
		"another exporter":       {with(map[string]string{"OTEL_TRACES_EXPORTER": "zipkin"}), false, `OTEL_TRACES_EXPORTER is "zipkin", wanted otlp or none`},
		"no URL":                 {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318?token=hidden"}, false, "OTEL_EXPORTER_OTLP_ENDPOINT is not a URL, wanted one such as http"},
	} {
		t.Run(name, func(t *testing.T) {
			on, err := wanted(func(name string) string { return test.env[name] })
			if test.want != "" {
				require.ErrorContains(t, err, test.want)
				require.NotContains(t, err.Error(), "hidden")
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.on, on)
		})
	}
}

// The log reports a collector that does not answer, without its token.
func TestTokensOfTheCollectorAreNotLogged(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", server.URL+"/v1/traces?token=hidden")
	var logged bytes.Buffer
	tracer, stop, err := Tracing(t.Context(), slog.New(slog.NewTextHandler(&logged, nil)))
	require.NoError(t, err)
	_, span := tracer.Start(t.Context(), "judge upload")
	span.End()
	err = stop(t.Context())
	require.Contains(t, logged.String()+fmt.Sprint(err), "connection refused")
	require.NotContains(t, logged.String()+fmt.Sprint(err), "hidden")
}
