// Package k8s_test builds the manifests as `kubectl apply -k` would and decodes every object strictly: what the API
// server would refuse or ignore fails here.
package k8s_test

import (
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"moderator/internal/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// operators is an overlay that is not shipped: all components at once.
const operators = `
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../cpu]
components: [../../components/cnpg, ../../components/nats-streams, ../../components/pod-monitor, ../../components/service-monitor, ../../components/console]
`

// overlays are what is built.
var overlays = []string{"cpu", "gpu", "kind", "operators"}

// manifests is a copy of this folder in memory.
func manifests(t *testing.T) filesys.FileSystem {
	t.Helper()
	files := filesys.MakeFsInMemory()
	require.NoError(t, fs.WalkDir(os.DirFS("."), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) != ".yaml" {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return files.WriteFile("/k8s/"+name, data)
	}))
	require.NoError(t, files.WriteFile("/k8s/overlays/operators/kustomization.yaml", []byte(operators)))
	return files
}

// edit replaces a text, which must be there once, in a file of the copy.
func edit(t *testing.T, files filesys.FileSystem, name, old, replacement string) {
	t.Helper()
	data, err := files.ReadFile("/k8s/" + name)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(data), old), "%s has %q once", name, old)
	require.NoError(t, files.WriteFile("/k8s/"+name, []byte(strings.Replace(string(data), old, replacement, 1))))
}

// build returns an overlay's objects, each strictly decoded.
func build(files filesys.FileSystem, overlay string) ([]any, error) {
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(files, "/k8s/overlays/"+overlay)
	if err != nil {
		return nil, err
	}
	objects := make([]any, 0, built.Size())
	for _, resource := range built.Resources() {
		text, err := resource.MarshalJSON()
		if err != nil {
			return nil, err
		}
		object, err := decode(resource.GetApiVersion()+" "+resource.GetKind(), text)
		if err != nil {
			return nil, err
		}
		objects = append(objects, object)
	}
	return objects, nil
}

func TestOverlays(t *testing.T) {
	files := manifests(t)
	shipped, err := os.ReadDir("overlays")
	require.NoError(t, err)
	require.Len(t, overlays, len(shipped)+1, "an overlay is not built here")
	for _, overlay := range overlays {
		t.Run(overlay, func(t *testing.T) {
			objects, err := build(files, overlay)
			require.NoError(t, err)
			require.NoError(t, check(t, objects))
		})
	}
}

// A copy with a fault does not pass.
func TestFaultsAreFound(t *testing.T) {
	for name, fault := range map[string]struct{ file, old, replacement, overlay, want string }{
		"unknown field of a Deployment":   {"base/deployment.yaml", "enableServiceLinks: false", "enableServiceLink: false", "cpu", `unknown field "spec.template.spec.enableServiceLink"`},
		"unknown field in a patch":        {"overlays/gpu/gpu.yaml", "maxUnavailable: 1", "maxUnavailible: 1", "gpu", `unknown field "spec.strategy.rollingUpdate.maxUnavailible"`},
		"unknown field of a ScaledObject": {"base/scaledobject.yaml", "maxReplicaCount", "maxReplicas", "cpu", `unknown field "spec.maxReplicas"`},
		"unknown field of a Cluster":      {"components/cnpg/cluster.yaml", "instances: 3", "replicas: 3", "operators", `unknown field "spec.replicas"`},
		"unknown field of a Stream":       {"components/nats-streams/streams.yaml", "retention: workqueue", "retentionPolicy: workqueue", "operators", `unknown field "spec.retentionPolicy"`},
		"unknown field of a policy":       {"base/pdb.yaml", "maxUnavailable: 1", "maxUnavailables: 1", "cpu", `unknown field "spec.maxUnavailables"`},
		"unknown kind":                    {"base/pdb.yaml", "policy/v1", "policy/v1beta1", "cpu", "no type for policy/v1beta1 PodDisruptionBudget"},
		"wrong path of a probe":           {"base/deployment.yaml", "path: /readyz", "path: /ready", "cpu", "the readiness probe asks for /ready on port http, the server has /readyz"},
		"readiness as liveness":           {"base/deployment.yaml", "path: /healthz\n              port: http\n            periodSeconds: 10", "path: /readyz\n              port: http\n            periodSeconds: 10", "cpu", "the liveness probe asks for /readyz on port http, the server has /healthz"},
		"wrong port of a probe":           {"base/deployment.yaml", "containerPort: 8080", "containerPort: 8081", "cpu", `port 8081, moderator listens on ":8080"`},
		"grace below the drain time":      {"base/deployment.yaml", "terminationGracePeriodSeconds: 60", "terminationGracePeriodSeconds: 30", "cpu", "grace period is 30s"},
		"misspelt setting":                {"base/moderator.yaml", "drain-time", "drain-tme", "cpu", "unknown key drain-tme"},
		"a container as root":             {"base/deployment.yaml", "runAsNonRoot: true", "runAsNonRoot: false", "cpu", "Deployment moderator: runAsNonRoot"},
		"a writable root":                 {"base/migrate.yaml", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "cpu", "Job moderator-migrate: container migrate: readOnlyRootFilesystem"},
		"a policy that selects nothing":   {"base/pdb.yaml", "component: judge", "component: jugde", "cpu", "PodDisruptionBudget moderator selects no pods"},
		"a Secret that nobody makes":      {"overlays/kind/kustomization.yaml", "- name: moderator-migrate", "- name: moderator-migration", "kind", "Secret moderator-migrate is not made"},
		"another metrics' port":           {"components/pod-monitor/monitor.yaml", "port: http", "port: metrics", "operators", "PodMonitor moderator scrapes"},
		"another port of the console":     {"components/console/deployment.yaml", "containerPort: 8081", "containerPort: 8082", "operators", "port 8082, the console listens on :8081"},
		"another durable":                 {"base/scaledobject.yaml", "consumer: moderator", "consumer: moderators", "cpu", "scales on UPLOADS/moderators"},
	} {
		t.Run(name, func(t *testing.T) {
			files := manifests(t)
			edit(t, files, fault.file, fault.old, fault.replacement)
			objects, err := build(files, fault.overlay)
			if err == nil {
				err = check(t, objects)
			}
			require.ErrorContains(t, err, fault.want)
		})
	}
}
