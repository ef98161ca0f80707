package k8s_test

import (
	"errors"
	"fmt"

	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/json"
)

// types are the kinds that we use, by version: the API's own Go types, and the schemas below.
var types = map[string]func() any{
	"v1 Namespace":                       func() any { return new(core.Namespace) },
	"v1 ServiceAccount":                  func() any { return new(core.ServiceAccount) },
	"v1 ConfigMap":                       func() any { return new(core.ConfigMap) },
	"v1 Secret":                          func() any { return new(core.Secret) },
	"v1 Service":                         func() any { return new(core.Service) },
	"apps/v1 Deployment":                 func() any { return new(apps.Deployment) },
	"apps/v1 StatefulSet":                func() any { return new(apps.StatefulSet) },
	"batch/v1 Job":                       func() any { return new(batch.Job) },
	"policy/v1 PodDisruptionBudget":      func() any { return new(policy.PodDisruptionBudget) },
	"networking.k8s.io/v1 NetworkPolicy": func() any { return new(networking.NetworkPolicy) },
	"keda.sh/v1alpha1 ScaledObject":      func() any { return new(custom[scaledObject]) },
	"jetstream.nats.io/v1beta2 Stream":   func() any { return new(custom[stream]) },
	"jetstream.nats.io/v1beta2 Consumer": func() any { return new(custom[durable]) },
	"postgresql.cnpg.io/v1 Cluster":      func() any { return new(custom[cluster]) },

	"monitoring.coreos.com/v1 ServiceMonitor": func() any { return new(custom[serviceMonitor]) },
	"monitoring.coreos.com/v1 PodMonitor":     func() any { return new(custom[podMonitor]) },
}

// decode reads JSON as the API server does: names in their exact case, and here nothing unknown or twice.
func decode(kind string, text []byte) (any, error) {
	of, ok := types[kind]
	if !ok {
		return nil, fmt.Errorf("no type for %s", kind)
	}
	object := of()
	strict, err := json.UnmarshalStrict(text, object)
	if err := errors.Join(append(strict, err)...); err != nil {
		return nil, fmt.Errorf("%s: %w", kind, err)
	}
	return object, nil
}

// custom is an object of a kind that an operator defines. The operators' own Go types bring all of their operator along,
// so the fields that we use are written down here, with their names and types from the operators' published CRDs.
type custom[spec any] struct {
	meta.TypeMeta   `json:",inline"`
	meta.ObjectMeta `json:"metadata"`
	Spec            spec `json:"spec"`
}

// scaledObject is of KEDA 2.17 or newer (fallback.behavior).
type scaledObject struct {
	ScaleTargetRef struct {
		Name string `json:"name"`
	} `json:"scaleTargetRef"`
	PollingInterval int32 `json:"pollingInterval"`
	CooldownPeriod  int32 `json:"cooldownPeriod"`
	MinReplicaCount int32 `json:"minReplicaCount"`
	MaxReplicaCount int32 `json:"maxReplicaCount"`
	Fallback        struct {
		FailureThreshold int32  `json:"failureThreshold"`
		Replicas         int32  `json:"replicas"`
		Behavior         string `json:"behavior"`
	} `json:"fallback"`
	Advanced struct {
		HorizontalPodAutoscalerConfig struct {
			Behavior autoscaling.HorizontalPodAutoscalerBehavior `json:"behavior"`
		} `json:"horizontalPodAutoscalerConfig"`
	} `json:"advanced"`
	Triggers []struct {
		Type     string `json:"type"`
		Metadata struct {
			NATSServerMonitoringEndpoint string `json:"natsServerMonitoringEndpoint"`
			Account                      string `json:"account"`
			Stream                       string `json:"stream"`
			Consumer                     string `json:"consumer"`
			LagThreshold                 string `json:"lagThreshold"`
			ActivationLagThreshold       string `json:"activationLagThreshold"`
		} `json:"metadata"`
	} `json:"triggers"`
}

// stream is of NATS' JetStream controller.
type stream struct {
	Name            string   `json:"name"`
	Description     string   `json:"description"`
	Subjects        []string `json:"subjects"`
	Retention       string   `json:"retention"`
	Discard         string   `json:"discard"`
	Storage         string   `json:"storage"`
	Compression     string   `json:"compression"`
	Replicas        int      `json:"replicas"`
	MaxAge          string   `json:"maxAge"`
	DuplicateWindow string   `json:"duplicateWindow"`
	AllowDirect     bool     `json:"allowDirect"`
	PreventDelete   bool     `json:"preventDelete"`
}

// durable is a Consumer of NATS' JetStream controller.
type durable struct {
	StreamName    string `json:"streamName"`
	DurableName   string `json:"durableName"`
	DeliverPolicy string `json:"deliverPolicy"`
	ReplayPolicy  string `json:"replayPolicy"`
	AckPolicy     string `json:"ackPolicy"`
	AckWait       string `json:"ackWait"`
	MaxDeliver    int    `json:"maxDeliver"`
	MaxAckPending int    `json:"maxAckPending"`
	PreventDelete bool   `json:"preventDelete"`
}

// cluster is of CloudNativePG.
type cluster struct {
	Description     string `json:"description"`
	Instances       int    `json:"instances"`
	ImageCatalogRef struct {
		APIGroup string `json:"apiGroup"`
		Kind     string `json:"kind"`
		Name     string `json:"name"`
		Major    int    `json:"major"`
	} `json:"imageCatalogRef"`
	Bootstrap struct {
		InitDB struct {
			Database               string   `json:"database"`
			Owner                  string   `json:"owner"`
			PostInitApplicationSQL []string `json:"postInitApplicationSQL"`
		} `json:"initdb"`
	} `json:"bootstrap"`
	Managed struct {
		Roles []struct {
			Name           string   `json:"name"`
			Ensure         string   `json:"ensure"`
			Login          bool     `json:"login"`
			InRoles        []string `json:"inRoles"`
			PasswordSecret struct {
				Name string `json:"name"`
			} `json:"passwordSecret"`
		} `json:"roles"`
	} `json:"managed"`
	PostgreSQL struct {
		Parameters map[string]string `json:"parameters"`
	} `json:"postgresql"`
	Resources core.ResourceRequirements `json:"resources"`
	Storage   struct {
		Size string `json:"size"`
	} `json:"storage"`
	Monitoring struct {
		EnablePodMonitor bool `json:"enablePodMonitor"`
	} `json:"monitoring"`
}

// serviceMonitor and podMonitor are of Prometheus' operator.
type serviceMonitor struct {
	Selector  meta.LabelSelector `json:"selector"`
	Endpoints []scraped          `json:"endpoints"`
}

type podMonitor struct {
	Selector            meta.LabelSelector `json:"selector"`
	PodMetricsEndpoints []scraped          `json:"podMetricsEndpoints"`
}

type scraped struct {
	Port     string `json:"port"`
	Path     string `json:"path"`
	Interval string `json:"interval"`
}
