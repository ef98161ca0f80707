// Package telemetry exports traces, and metrics of the streams, the library and the build.
package telemetry

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"moderator/internal/version"
)

// Tracing exports spans by OTLP over HTTP, configured by OpenTelemetry's environment variables. It is off, and then costs
// next to nothing, unless OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT names a collector, or
// OTEL_TRACES_EXPORTER is otlp. stop sends the remaining spans, and returns ctx's error if that takes too long.
func Tracing(ctx context.Context, log *slog.Logger) (tracer trace.Tracer, stop func(context.Context) error, err error) {
	on, err := wanted(os.Getenv)
	if err != nil {
		return nil, nil, err
	}
	if !on {
		return noop.NewTracerProvider().Tracer(""), func(context.Context) error { return nil }, nil
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("export traces: %w: see the variables OTEL_EXPORTER_OTLP_*", err)
	}
	who, err := resource.New(ctx,
		resource.WithTelemetrySDK(),
		resource.WithHost(),
		resource.WithAttributes(attribute.String("service.name", "moderator"), attribute.String("service.version", version.Version)),
		resource.WithFromEnv(), // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win
	)
	if err != nil {
		return nil, nil, fmt.Errorf("describe this process for its traces: %w: see the variable OTEL_RESOURCE_ATTRIBUTES", err)
	}
	// The exporter reports errors to this handler from its own goroutine.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("traces", "error", err) }))
	provider := sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(who)) // OTEL_TRACES_SAMPLER sets the sampler
	return provider.Tracer("moderator"), provider.Shutdown, nil
}

// endpoints are the variables of the collector's URL. The first one includes the path.
var endpoints = []string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"}

// wanted reports whether the environment configures traces. It returns an error for unsupported settings.
func wanted(env func(string) string) (bool, error) {
	if strings.EqualFold(env("OTEL_SDK_DISABLED"), "true") {
		return false, nil
	}
	switch exporter := env("OTEL_TRACES_EXPORTER"); exporter {
	case "none":
		return false, nil
	case "otlp":
	case "":
		if env(endpoints[0]) == "" && env(endpoints[1]) == "" {
			return false, nil
		}
	default:
		return false, fmt.Errorf("OTEL_TRACES_EXPORTER is %q, wanted otlp or none", exporter)
	}
	for _, name := range endpoints {
		if u, err := url.Parse(env(name)); err != nil || env(name) != "" && u.Host == "" {
			return false, fmt.Errorf("%s is not a URL, wanted one such as http://collector:4318", name) // unquoted: it may hold a token
		}
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"} {
		if protocol := env(name); protocol != "" && protocol != "http/protobuf" {
			return false, fmt.Errorf("%s is %q, wanted http/protobuf: collectors listen for it on port 4318", name, protocol)
		}
	}
	return true, nil
}
