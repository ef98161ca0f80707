// Package deploy_test holds the images and the compose file against the repository: what they copy and mount is there,
// and versions that are written down twice agree.
package deploy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"moderator/internal/testenv"
)

var dockerfiles = []string{"Dockerfile", "Dockerfile.gpu"}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(testenv.Root(), path))
	require.NoError(t, err)
	return string(data)
}

// instructions are a Dockerfile's, without comments, continued lines joined.
func instructions(t *testing.T, file string) (all []string) {
	t.Helper()
	text := strings.ReplaceAll(read(t, file), "\\\n", " ")
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			all = append(all, line)
		}
	}
	return all
}

// Every COPY of the build context copies what is there and what .dockerignore lets through; every stage is known.
func TestCopiesExist(t *testing.T) {
	var allowed []string
	for line := range strings.Lines(read(t, ".dockerignore")) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "!"); ok {
			_, err := os.Stat(filepath.Join(testenv.Root(), name))
			require.NoError(t, err, ".dockerignore")
			allowed = append(allowed, name)
		}
	}
	for _, file := range dockerfiles {
		stages := map[string]bool{}
		copies := 0
		for _, line := range instructions(t, file) {
			words := strings.Fields(line)
			switch words[0] {
			case "FROM":
				if len(words) == 4 {
					stages[words[3]] = true
				}
			case "COPY":
				copies++
				sources := words[1 : len(words)-1]
				if from, ok := strings.CutPrefix(sources[0], "--from="); ok {
					require.True(t, stages[from], "%s: %s: no such stage", file, line)
					continue
				}
				for _, source := range sources {
					_, err := os.Stat(filepath.Join(testenv.Root(), source))
					require.NoError(t, err, "%s: %s", file, line)
					if source != "." {
						require.Contains(t, allowed, strings.Split(source, "/")[0], "%s: %s: .dockerignore keeps it out", file, line)
					}
				}
			}
		}
		require.Positive(t, copies, file)
	}
}

// The images run as a user without rights, and nothing in them is of the newest version of the day.
func TestImages(t *testing.T) {
	for _, file := range dockerfiles {
		lines := instructions(t, file)
		require.Contains(t, lines, "USER 10001:10001", file)
		require.Equal(t, `ENTRYPOINT ["moderator"]`, lines[len(lines)-1], file)
		for _, line := range lines {
			if strings.HasPrefix(line, "FROM ") {
				require.Regexp(t, `^FROM [a-z/]+:\S+`, line, file)
				require.NotContains(t, line, ":latest", file)
			}
		}
	}
}

// pinned is what a pattern's group matches in a file.
func pinned(t *testing.T, file, pattern string) string {
	t.Helper()
	match := regexp.MustCompile(pattern).FindStringSubmatch(read(t, file))
	require.NotNil(t, match, "%s has no %s", file, pattern)
	return match[1]
}

// argument is the default of a Dockerfile's ARG.
func argument(t *testing.T, file, name string) string {
	return pinned(t, file, `(?m)^ARG `+name+`=(\S+)$`)
}

func TestVersionsAgree(t *testing.T) {
	toolchain := pinned(t, "go.mod", `(?m)^go (\d+\.\d+)`)
	for _, file := range dockerfiles {
		require.Equal(t, toolchain, argument(t, file, "GO_VERSION"), file)
	}
	require.Equal(t, pinned(t, "scripts/setup.sh", `(?m)^ort_version=(\S+)$`), argument(t, "Dockerfile.gpu", "ONNXRUNTIME_VERSION"))

	// The servers that are tried out are those that the tests run: NATS' version is its module's.
	images := images(t)
	require.Equal(t, "nats:"+pinned(t, "go.mod", `github\.com/nats-io/nats-server/v2 v(\S+)`)+"-alpine", images["nats"])
	kind := read(t, "deploy/k8s/overlays/kind/nats.yaml") + read(t, "deploy/k8s/overlays/kind/postgres.yaml")
	require.Contains(t, kind, "image: "+images["nats"]+"\n")
	require.Contains(t, kind, "image: "+images["postgres"]+"\n")
}

type composition struct {
	Services map[string]struct {
		Image   string
		Build   struct{ Context string }
		Volumes []string
	}
	Volumes map[string]any
}

func compose(t *testing.T) (c composition) {
	t.Helper()
	require.NoError(t, yaml.Unmarshal([]byte(read(t, "deploy/compose/compose.yaml")), &c))
	return c
}

func images(t *testing.T) map[string]string {
	byService := map[string]string{}
	for name, service := range compose(t).Services {
		byService[name] = service.Image
	}
	return byService
}

// What compose mounts and builds is there.
func TestComposeMountsExist(t *testing.T) {
	c := compose(t)
	require.Len(t, c.Services, 6)
	mounted := 0
	for name, service := range c.Services {
		if service.Build.Context != "" {
			_, err := os.Stat(filepath.Join(testenv.Root(), "deploy", "compose", service.Build.Context, "Dockerfile"))
			require.NoError(t, err, name)
		} else {
			require.Regexp(t, `^[a-z/]+:.*\d`, service.Image, name)
		}
		for _, volume := range service.Volumes {
			source, _, _ := strings.Cut(volume, ":")
			if !strings.HasPrefix(source, ".") {
				require.Contains(t, c.Volumes, source, name)
				continue
			}
			_, err := os.Stat(filepath.Join(testenv.Root(), "deploy", "compose", source))
			require.NoError(t, err, "%s: %s", name, volume)
			mounted++
		}
	}
	require.Equal(t, 4, mounted)
}
