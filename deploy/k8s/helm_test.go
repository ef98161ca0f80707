package k8s_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

const chartFolder = "../helm"

// helm renders the chart as `helm install --namespace moderator` would, and returns its objects, each strictly decoded.
func helm(chart *chart.Chart, values chartutil.Values) ([]any, error) {
	install := chartutil.ReleaseOptions{Name: "moderator", Namespace: "moderator", Revision: 1, IsInstall: true}
	all, err := chartutil.ToRenderValues(chart, values, install, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	files, err := engine.Render(chart, all)
	if err != nil {
		return nil, err
	}
	var objects []any
	for name, text := range files {
		for _, each := range regexp.MustCompile(`(?m)^---\n`).Split(text, -1) {
			if strings.HasSuffix(name, ".tpl") || strings.TrimSpace(each) == "" {
				continue
			}
			object, err := decodeYAML([]byte(each))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			objects = append(objects, object)
		}
	}
	return objects, nil
}

func decodeYAML(text []byte) (any, error) {
	data, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return nil, err
	}
	var kind meta.TypeMeta
	if err := json.Unmarshal(data, &kind); err != nil {
		return nil, err
	}
	return decode(kind.APIVersion+" "+kind.Kind, data)
}

func shippedChart(t *testing.T) *chart.Chart {
	t.Helper()
	chart, err := loader.Load(chartFolder)
	require.NoError(t, err)
	return chart
}

func valuesFile(t *testing.T, name string) chartutil.Values {
	t.Helper()
	values, err := chartutil.ReadValuesFile(chartFolder + "/" + name)
	require.NoError(t, err)
	return values
}

// The chart makes the objects that kustomize makes, but for the namespace, which is Helm's user's.
func TestChartMakesWhatKustomizeMakes(t *testing.T) {
	files := manifests(t)
	for overlay, components := range map[string]string{"cpu-service": "service-monitor", "cpu-pod": "pod-monitor", "cpu-console": "console"} {
		require.NoError(t, files.WriteFile("/k8s/overlays/"+overlay+"/kustomization.yaml", []byte(
			"apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [../cpu]\ncomponents: [../../components/"+components+"]\n")))
	}
	for overlay, values := range map[string]chartutil.Values{
		"cpu": {}, "gpu": valuesFile(t, "values-gpu.yaml"), "cpu-service": {"monitor": "service"}, "cpu-pod": {"monitor": "pod"},
		"cpu-console": {"console": map[string]any{"enabled": true}},
	} {
		t.Run(overlay, func(t *testing.T) {
			kustomized, err := build(files, overlay)
			require.NoError(t, err)
			charted, err := helm(shippedChart(t), values)
			require.NoError(t, err)
			require.NoError(t, check(t, charted))
			want, have := comparable(t, kustomized), comparable(t, charted)
			require.ElementsMatch(t, slices.Collect(maps.Keys(want)), slices.Collect(maps.Keys(have)))
			for name := range want {
				require.Equal(t, want[name], have[name], name)
			}
		})
	}
}

// comparable returns objects by kind and name, as YAML, without what Helm and kustomize do differently: the namespace's object,
// how a changed ConfigMap restarts the pods, hooks, and the order of lists.
func comparable(t *testing.T, objects []any) map[string]string {
	all := map[string]string{}
	for _, object := range objects {
		o := object.(meta.Object)
		switch object := object.(type) {
		case *core.Namespace:
			continue
		case *core.ConfigMap:
			object.Name = "moderator"
			var settings any
			require.NoError(t, yaml.Unmarshal([]byte(object.Data["moderator.yaml"]), &settings))
			object.Data["moderator.yaml"] = fmt.Sprint(settings)
		case *apps.Deployment:
			pod := &object.Spec.Template
			pod.Annotations = nil
			for _, v := range pod.Spec.Volumes {
				if v.ConfigMap != nil {
					v.ConfigMap.Name = "moderator"
				}
			}
			container := &pod.Spec.Containers[0]
			sortByName(pod.Spec.Volumes, func(v core.Volume) string { return v.Name })
			sortByName(container.Env, func(e core.EnvVar) string { return e.Name })
			sortByName(container.VolumeMounts, func(m core.VolumeMount) string { return m.Name })
			sortByName(container.Ports, func(p core.ContainerPort) string { return p.Name })
		case *core.Service:
			sortByName(object.Spec.Ports, func(p core.ServicePort) string { return p.Name })
		case *batch.Job:
			object.Annotations = nil
		}
		o.SetNamespace("")
		text, err := yaml.Marshal(object)
		require.NoError(t, err)
		all[fmt.Sprintf("%T %s", object, o.GetName())] = string(text)
	}
	return all
}

// sortByName is for lists whose order means nothing.
func sortByName[T any](list []T, name func(T) string) {
	slices.SortFunc(list, func(a, b T) int { return strings.Compare(name(a), name(b)) })
}

func TestChartIsLinted(t *testing.T) {
	for _, values := range []chartutil.Values{{}, valuesFile(t, "values-gpu.yaml"), {"monitor": "pod", "console": map[string]any{"enabled": true}}} {
		for _, message := range lint.All(chartFolder, values, "moderator", true).Messages {
			require.Less(t, message.Severity, support.WarningSev, message.Error())
		}
	}
}

// What is switched off is not made, and what remains is whole.
func TestChartWithoutOperators(t *testing.T) {
	objects, err := helm(shippedChart(t), chartutil.Values{
		"autoscaling": map[string]any{"enabled": false}, "networkPolicy": map[string]any{"enabled": false}, "replicas": 3,
		"image":    map[string]any{"pullSecrets": []any{map[string]any{"name": "registry"}}},
		"settings": map[string]any{"fetch-host": []any{"cdn.example.com"}},
	})
	require.NoError(t, err)
	require.NoError(t, check(t, objects))
	require.Len(t, objects, 6)
	for _, object := range objects {
		switch o := object.(type) {
		case *apps.Deployment:
			require.EqualValues(t, 3, *o.Spec.Replicas)
			require.Equal(t, []core.LocalObjectReference{{Name: "registry"}}, o.Spec.Template.Spec.ImagePullSecrets)
		case *core.ConfigMap:
			require.Contains(t, o.Data["moderator.yaml"], "- cdn.example.com")
			require.Contains(t, o.Data["moderator.yaml"], "drain-time: 25s", "the others keep their defaults")
		}
	}
}

func TestMistypedValuesAreRefused(t *testing.T) {
	for want, values := range map[string]chartutil.Values{
		"autoscalling": {"autoscalling": map[string]any{"enabled": false}},
		"minReplica":   {"autoscaling": map[string]any{"minReplica": 3}},
		"monitor":      {"monitor": "pods"},
	} {
		_, err := helm(shippedChart(t), values)
		require.ErrorContains(t, err, want)
	}
}
