package embed

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	ort "github.com/yalue/onnxruntime_go"
)

// LibraryEnv is the environment variable that names the ONNX Runtime library.
const LibraryEnv = "MODERATOR_ONNXRUNTIME_LIB"

const remedy = "run `make setup`, or set " + LibraryEnv + " to a libonnxruntime of version 1.24 or later"

// library is the ONNX Runtime of this process. It is loaded once and never unloaded: all models share its environment, and
// threads of a provider may outlive the last session.
var library struct {
	sync.Mutex
	path, version string
}

// LoadLibrary loads the runtime for programs that use it without models: the one in LibraryEnv, else the first that is
// found. The error says what to install.
func LoadLibrary() error {
	_, _, err := loadLibrary("")
	return err
}

// loadLibrary loads the runtime from path, or searches for it if path is empty. It returns the library's path and version.
// Loading a second library is an error.
func loadLibrary(path string) (found, version string, err error) {
	library.Lock()
	defer library.Unlock()
	if library.path != "" {
		if path != "" && !sameFile(path, library.path) {
			return "", "", fmt.Errorf("ONNX Runtime %s: this process has already loaded %s: use one library for all models", path, library.path)
		}
		return library.path, library.version, nil
	}
	candidates, err := findLibrary(path)
	if err != nil {
		return "", "", err
	}
	for _, candidate := range candidates {
		if err = initialise(candidate); err == nil {
			library.path, library.version = candidate, ort.GetVersion()
			return library.path, library.version, nil
		}
	}
	return "", "", err
}

// noTelemetry is the variable that switches telemetry off. The library reads it when it is loaded. Builds with telemetry
// connect to their maker, and write files in the home folder and /tmp. Go's Setenv sets the variable for C too.
const noTelemetry = "ORT_DISABLE_TELEMETRY"

// initialise loads a library with its telemetry off, whatever the environment says. The binding requests version 24 of the C
// API, which 1.24 and later versions have.
func initialise(path string) error {
	if err := os.Setenv(noTelemetry, "1"); err != nil {
		return err
	}
	ort.SetSharedLibraryPath(path)
	if err := ort.InitializeEnvironment(ort.WithLogLevelFatal()); err != nil {
		text := err.Error()
		switch {
		case strings.Contains(text, "Error setting ORT API base"):
			return fmt.Errorf("ONNX Runtime %s is older than 1.24: %s", path, remedy)
		case strings.Contains(text, "OrtGetApiBase"):
			return fmt.Errorf("%s is not the ONNX Runtime library: %s", path, remedy)
		case !strings.ContainsRune(path, filepath.Separator): // a bare name, for the system's loader to find
			return fmt.Errorf("there is no ONNX Runtime library beside the program, in .cache/onnxruntime or on the system: %s", remedy)
		}
		return fmt.Errorf("ONNX Runtime %s does not load: %w: %s", path, err, remedy)
	}
	return nil
}

// findLibrary returns the files to try. A file that path or the environment names is the only one.
func findLibrary(path string) ([]string, error) {
	from := "the setting"
	if path == "" {
		path, from = os.Getenv(LibraryEnv), LibraryEnv
	}
	if path != "" {
		abs, err := filepath.Abs(path)
		if err == nil {
			_, err = os.Stat(abs)
		}
		if err != nil {
			return nil, fmt.Errorf("%s names the ONNX Runtime library %s, which does not exist: %s", from, path, remedy)
		}
		return []string{abs}, nil
	}
	var dirs []string
	if exe, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(exe); err == nil {
			exe = real
		}
		dirs = append(dirs, filepath.Dir(exe))
	}
	if dir, err := os.Getwd(); err == nil {
		for ; ; dir = filepath.Dir(dir) {
			dirs = append(dirs, filepath.Join(dir, ".cache", "onnxruntime"))
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	names := []string{"libonnxruntime.so.1", "libonnxruntime.so"}
	if runtime.GOOS == "darwin" {
		names = []string{"libonnxruntime.1.dylib", "libonnxruntime.dylib"}
	}
	for _, dir := range dirs {
		for _, name := range names {
			file := filepath.Join(dir, name)
			if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
				return []string{file}, nil
			}
		}
	}
	return names, nil
}

func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}
