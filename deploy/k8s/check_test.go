package k8s_test

import (
	"errors"
	"fmt"
	"testing"

	"moderator/internal/config"
	"moderator/internal/event"

	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// pods is a workload's template, with a name for errors.
type pods struct {
	name string
	core.PodTemplateSpec
}

// found is what an overlay has, by kind.
type found struct {
	t         *testing.T
	workloads []pods
	settings  string // moderator.yaml
	made      map[string]bool
	errs      []error
}

func (f *found) wrong(format string, args ...any) {
	f.errs = append(f.errs, fmt.Errorf(format, args...))
}

// check reports what is wrong with an overlay beyond its objects' fields.
func check(t *testing.T, objects []any) error {
	f := &found{t: t, made: map[string]bool{}}
	for _, object := range objects {
		f.collect(object)
	}
	for _, w := range f.workloads {
		f.checkRestricted(w)
		f.checkReferences(w)
		if w.name == "Deployment moderator" {
			f.checkModerator(w)
		}
	}
	for _, object := range objects {
		f.checkSelectors(object)
	}
	return errors.Join(f.errs...)
}

func (f *found) collect(object any) {
	switch o := object.(type) {
	case *core.ConfigMap:
		f.settings = o.Data["moderator.yaml"]
		f.made["ConfigMap "+o.Name] = true
	case *core.Secret:
		f.made["Secret "+o.Name] = true
	case *core.ServiceAccount:
		f.made["ServiceAccount "+o.Name] = true
		if o.AutomountServiceAccountToken == nil || *o.AutomountServiceAccountToken {
			f.wrong("ServiceAccount %s mounts its token", o.Name)
		}
	case *apps.Deployment:
		f.made["Deployment "+o.Name] = true
		f.workloads = append(f.workloads, pods{"Deployment " + o.Name, o.Spec.Template})
	case *apps.StatefulSet:
		f.workloads = append(f.workloads, pods{"StatefulSet " + o.Name, o.Spec.Template})
	case *batch.Job:
		f.workloads = append(f.workloads, pods{"Job " + o.Name, o.Spec.Template})
	case *custom[cluster]:
		// What the operator makes of a cluster: its pods' label and its owner's Secret.
		f.made["Secret "+o.Name+"-app"] = true
		f.workloads = append(f.workloads, pods{"Cluster " + o.Name, core.PodTemplateSpec{
			ObjectMeta: meta.ObjectMeta{Labels: map[string]string{"cnpg.io/cluster": o.Name}},
		}})
	}
}

// beforehand are the Secrets that the operator of the cluster makes, as the kustomizations say.
var beforehand = map[string]bool{"Secret moderator": true, "Secret moderator-migrate": true, "Secret moderator-db-reader": true, "Secret moderator-console": true}

// checkReferences looks for ConfigMaps, Secrets and accounts that pods would wait for. An overlay that makes Secrets
// itself makes all.
func (f *found) checkReferences(w pods) {
	ownSecrets := false
	for name := range f.made {
		ownSecrets = ownSecrets || len(name) > 17 && name[:17] == "Secret moderator-" && name != "Secret moderator-db-app"
	}
	need := func(what string) {
		if !f.made[what] && (ownSecrets || !beforehand[what]) {
			f.wrong("%s wants %s: %[2]s is not made", w.name, what)
		}
	}
	if name := w.Spec.ServiceAccountName; name != "" {
		need("ServiceAccount " + name)
	}
	for _, volume := range w.Spec.Volumes {
		if volume.ConfigMap != nil {
			need("ConfigMap " + volume.ConfigMap.Name)
		}
		if volume.Secret != nil {
			need("Secret " + volume.Secret.SecretName)
		}
	}
	for _, c := range w.Spec.Containers {
		for _, env := range c.Env {
			if from := env.ValueFrom; from != nil && from.SecretKeyRef != nil {
				need("Secret " + from.SecretKeyRef.Name)
			}
			if env.Value != "" && env.ValueFrom != nil {
				f.wrong("%s: %s has both a value and a source", w.name, env.Name)
			}
		}
	}
}

// checkSelectors looks for selectors that select nothing, and for scaling on a queue that is not moderator's.
func (f *found) checkSelectors(object any) {
	switch o := object.(type) {
	case *core.Service:
		f.selects("Service "+o.Name, &meta.LabelSelector{MatchLabels: o.Spec.Selector})
	case *policy.PodDisruptionBudget:
		f.selects("PodDisruptionBudget "+o.Name, o.Spec.Selector)
	case *apps.Deployment:
		f.selects("Deployment "+o.Name, o.Spec.Selector)
	case *apps.StatefulSet:
		f.selects("StatefulSet "+o.Name, o.Spec.Selector)
	case *networking.NetworkPolicy:
		f.selects("NetworkPolicy "+o.Name, &o.Spec.PodSelector)
		for _, rule := range o.Spec.Egress {
			for _, to := range rule.To {
				if to.PodSelector != nil && to.NamespaceSelector == nil {
					f.selects("NetworkPolicy "+o.Name+" (egress)", to.PodSelector)
				}
			}
		}
	case *custom[podMonitor]:
		f.selects("PodMonitor "+o.Name, &o.Spec.Selector)
		f.scrapes("PodMonitor "+o.Name, o.Spec.PodMetricsEndpoints)
	case *custom[serviceMonitor]:
		// The Service has the same label as its pods.
		f.selects("ServiceMonitor "+o.Name, &o.Spec.Selector)
		f.scrapes("ServiceMonitor "+o.Name, o.Spec.Endpoints)
	case *custom[scaledObject]:
		if target := "Deployment " + o.Spec.ScaleTargetRef.Name; !f.made[target] {
			f.wrong("ScaledObject %s scales %s, which is not there", o.Name, target)
		}
		for _, trigger := range o.Spec.Triggers {
			if m := trigger.Metadata; m.Stream != event.UploadsStream || m.Consumer != event.DurableName {
				f.wrong("ScaledObject %s scales on %s/%s, moderator works on %s/%s", o.Name, m.Stream, m.Consumer, event.UploadsStream, event.DurableName)
			}
		}
	}
}

// scrapes compares a monitor with the port and the path of the metrics.
func (f *found) scrapes(what string, endpoints []scraped) {
	if len(endpoints) != 1 || endpoints[0].Port != "http" || endpoints[0].Path != config.MetricsPath {
		f.wrong("%s scrapes %v, moderator has its metrics on %s of port http", what, endpoints, config.MetricsPath)
	}
}

func (f *found) selects(what string, selector *meta.LabelSelector) {
	s, err := meta.LabelSelectorAsSelector(selector)
	if err != nil {
		f.wrong("%s: %w", what, err)
		return
	}
	for _, w := range f.workloads {
		if s.Matches(labels.Set(w.Labels)) {
			return
		}
	}
	f.wrong("%s selects no pods: %s", what, s)
}
